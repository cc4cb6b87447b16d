# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# The audit log. SOURCE_DIR: of its page; AUDIT_STORM: the program that writes until it is killed.
add_library(unit_audit STATIC audit_rig.c)
target_link_libraries(unit_audit PUBLIC audit test_unit)
target_compile_definitions(unit_audit INTERFACE SOURCE_DIR="${CMAKE_SOURCE_DIR}")
add_executable(audit_storm audit_storm.c)
target_link_libraries(audit_storm PRIVATE audit)
set_target_properties(audit_storm PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
foreach(suite kill log note own page proof report torn touch tree verify)
  poemd_unit_test(test_audit_${suite} unit_audit)
endforeach()
target_compile_definitions(test_audit_kill PRIVATE AUDIT_STORM="$<TARGET_FILE:audit_storm>")
add_dependencies(test_audit_kill audit_storm)
# Thousands of logs, hundreds of processes.
set_tests_properties(unit/test_audit_kill unit/test_audit_torn unit/test_audit_verify
                     PROPERTIES TIMEOUT 900)
