# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# The sample device: its parts, and the program as it is.
foreach(name config device dma fault migration negotiate)
  poemd_unit_test(test_edu_${name} edu_device)
endforeach()

set(tests_dir ${CMAKE_CURRENT_LIST_DIR}/..)
add_library(test_edu STATIC ${tests_dir}/unit/edu_process.c ${tests_dir}/support/patience.c
                            ${tests_dir}/support/peer.c ${tests_dir}/support/process.c)
target_link_libraries(test_edu PUBLIC base test_unit)
target_compile_definitions(test_edu PRIVATE EDU_PROGRAM="$<TARGET_FILE:edu>")
foreach(name clients commands misbehaviour)
  poemd_unit_test(test_edu_${name} test_edu)
  add_dependencies(test_edu_${name} edu)
endforeach()
