# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# The poem and its recital. SOURCE_DIR: of the poem and of the protocol's page.
poemd_unit_test(test_recital_vectors handshake)
foreach(test test_recital_vectors)
  target_compile_definitions(${test} PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}")
endforeach()
