# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# Rules, verdicts, taint. SOURCE_DIR: of the manual and the list of approved licences.
add_library(unit_rules STATIC rules_rig.c)
target_link_libraries(unit_rules PUBLIC rules test_unit)
target_compile_definitions(unit_rules INTERFACE SOURCE_DIR="${CMAKE_SOURCE_DIR}")
poemd_unit_test(test_rules_identity unit_rules)
poemd_unit_test(test_rules_licence unit_rules)
poemd_unit_test(test_rules_verdict unit_rules)
poemd_unit_test(test_taint unit_rules)
poemd_unit_test(test_osi unit_rules)
