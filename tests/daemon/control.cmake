# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# The control socket.
poemd_daemon_test(test_control control_rig.c)
target_link_libraries(test_control PRIVATE PkgConfig::JANSSON)
poemd_daemon_test(test_control_trace control_rig.c trace_rig.c)
target_link_libraries(test_control_trace PRIVATE trace_file PkgConfig::JANSSON)
poemd_daemon_test(test_reload control_rig.c)
target_link_libraries(test_reload PRIVATE PkgConfig::JANSSON)
