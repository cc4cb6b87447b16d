# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# Facts about peers, evidence, the inspector.
poemd_unit_test(test_evidence_text evidence_read)
poemd_unit_test(test_evidence_dsse evidence_read)

set(tests_dir ${CMAKE_CURRENT_SOURCE_DIR}/..)
add_library(unit_process STATIC ${tests_dir}/support/patience.c ${tests_dir}/support/process.c)
target_link_libraries(unit_process PUBLIC test_unit)
add_library(unit_peer STATIC peer_rig.c)
target_link_libraries(unit_peer PUBLIC evidence unit_process)
poemd_unit_test(test_trust base unit_process)
poemd_unit_test(test_peer unit_peer)
poemd_unit_test(test_peer_namespace unit_peer)

# Executables with notes by the real linker. Debian 12's GNU ld can; its lld and gold cannot.
add_executable(noted noted.c)
add_executable(noted_twice noted.c)
target_compile_definitions(noted_twice PRIVATE SECOND_NOTE)
foreach(target noted noted_twice)
  target_link_options(${target} PRIVATE
                      "-Wl,--package-metadata={\"license\":\"GPL-2.0-or-later OR BSD-2-Clause\"}")
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
endforeach()
add_library(unit_inspector STATIC inspector_rig.c)
target_link_libraries(unit_inspector PUBLIC evidence unit_process)
target_compile_definitions(unit_inspector INTERFACE NOTED="$<TARGET_FILE:noted>"
                           NOTED_TWICE="$<TARGET_FILE:noted_twice>")
add_dependencies(unit_inspector noted noted_twice)
poemd_unit_test(test_inspector unit_inspector)
poemd_unit_test(test_inspector_bad unit_inspector)
poemd_unit_test(test_inspector_queue evidence unit_process)
