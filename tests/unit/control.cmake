# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# What is told at the control socket.
poemd_unit_test(test_facts proxy PkgConfig::JANSSON)
poemd_unit_test(test_session_count unit_session)
