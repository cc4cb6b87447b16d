# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# Licence expressions. SOURCE_DIR: of the tables.
add_library(unit_spdx STATIC spdx_rig.c)
target_link_libraries(unit_spdx PUBLIC spdx test_unit)
target_compile_definitions(unit_spdx PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}")
poemd_unit_test(test_spdx_parse unit_spdx)
poemd_unit_test(test_spdx_judge unit_spdx)

# What is compiled is what the tables say.
add_test(NAME unit/spdx_list COMMAND ${CMAKE_SOURCE_DIR}/policy/spdx-list/generate --check)
set_tests_properties(unit/spdx_list PROPERTIES LABELS unit TIMEOUT 60)
