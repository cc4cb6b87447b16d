# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# Capturing: the ring, what is kept, taps, the flight recorder's memory, a capture's output.
add_executable(test_trace_ring test_trace_ring.c ../support/patience.c ../support/process.c)
target_link_libraries(test_trace_ring PRIVATE trace_ring test_unit)
set_target_properties(test_trace_ring PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
add_test(NAME unit/test_trace_ring COMMAND test_trace_ring)
set_tests_properties(unit/test_trace_ring PROPERTIES LABELS unit TIMEOUT 120)

poemd_unit_test(test_trace_record trace_ring)
poemd_unit_test(test_trace_output trace_capture)
poemd_unit_test(test_tap unit_pipe)
poemd_unit_test(test_tracing_file proxy)
poemd_unit_test(test_config_trace unit_parsed)
