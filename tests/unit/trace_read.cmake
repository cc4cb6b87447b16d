# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# Understanding a trace.
add_library(unit_said STATIC said.c)
target_link_libraries(unit_said PUBLIC trace_read test_unit)
add_library(unit_lint_rig STATIC lint_rig.c)
target_link_libraries(unit_lint_rig PUBLIC unit_said)
foreach(suite decode filter pair show)
  poemd_unit_test(test_trace_${suite} unit_said)
endforeach()
foreach(suite lint lint_device)
  poemd_unit_test(test_trace_${suite} unit_lint_rig)
endforeach()
