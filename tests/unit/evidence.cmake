# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# Facts about peers, evidence, the inspector.
poemd_unit_test(test_evidence_text evidence_read)
poemd_unit_test(test_evidence_dsse evidence_read)

set(tests_dir ${CMAKE_CURRENT_SOURCE_DIR}/..)
add_library(unit_process STATIC ${tests_dir}/support/patience.c ${tests_dir}/support/process.c)
target_link_libraries(unit_process PUBLIC test_unit)
poemd_unit_test(test_peer evidence unit_process)
