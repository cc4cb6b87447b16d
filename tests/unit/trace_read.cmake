# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# Understanding a trace.
add_library(unit_said STATIC said.c)
target_link_libraries(unit_said PUBLIC trace_read test_unit)
foreach(suite decode filter lint pair show)
  poemd_unit_test(test_trace_${suite} unit_said)
endforeach()
