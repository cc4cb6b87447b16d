# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# The poem and its recital. SOURCE_DIR: of the poem and of the protocol's page.
add_library(unit_recital STATIC recital_rig.c)
target_link_libraries(unit_recital PUBLIC handshake test_unit)
target_compile_definitions(unit_recital INTERFACE SOURCE_DIR="${CMAKE_SOURCE_DIR}")
foreach(suite poem recital_reply recital_request recital_vectors refrain)
  poemd_unit_test(test_${suite} unit_recital)
endforeach()
