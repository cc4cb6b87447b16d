# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# Traces. trace_sample OUT writes one that has everything (tests/unit/trace_sample.h).
add_library(unit_trace STATIC trace_sample.c)
target_link_libraries(unit_trace PUBLIC trace_file)
add_executable(trace_sample trace_sample_main.c)
target_link_libraries(trace_sample PRIVATE unit_trace)
set_target_properties(trace_sample PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})

add_library(unit_trace_rig STATIC trace_rig.c)
target_link_libraries(unit_trace_rig PUBLIC unit_trace test_unit)
foreach(suite damaged pcapng reader)
  poemd_unit_test(test_trace_${suite} unit_trace_rig)
endforeach()
# Thousands of files each.
set_tests_properties(unit/test_trace_damaged unit/test_trace_reader PROPERTIES TIMEOUT 600)
poemd_unit_test(test_trace_replay unit_trace_rig trace_replay)
