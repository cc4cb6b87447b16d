# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors

# What is asked of a running poemd, …
add_test(NAME tools/test_control
         COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/test_control.py --build ${CMAKE_BINARY_DIR})
set_tests_properties(tools/test_control PROPERTIES LABELS tools TIMEOUT 600)

# … also by Wireshark, where tshark is there.
add_test(NAME tools/test_extcap
         COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/test_extcap.py --build ${CMAKE_BINARY_DIR})
set_tests_properties(tools/test_extcap PROPERTIES LABELS tools TIMEOUT 600 SKIP_RETURN_CODE 77)
