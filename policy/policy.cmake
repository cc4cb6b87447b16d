# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# What a route demands of its parties, and the verdict.
add_library(rules STATIC rules.c rules_judge.c rules_party.c rules_today.c rules_via.c spdx_osi.c taint.c)
target_link_libraries(rules PUBLIC evidence spdx handshake PkgConfig::EVENT)
