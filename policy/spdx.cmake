# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# Licence expressions and their compatibility with the GPL. The list is data in spdx_list.inc, which
# spdx-list/generate makes when a developer runs it: the build needs no list of its own.
add_library(spdx STATIC ${CMAKE_CURRENT_LIST_DIR}/spdx_fault.c ${CMAKE_CURRENT_LIST_DIR}/spdx_judge.c
            ${CMAKE_CURRENT_LIST_DIR}/spdx_list.c ${CMAKE_CURRENT_LIST_DIR}/spdx_parse.c
            ${CMAKE_CURRENT_LIST_DIR}/spdx_text.c)
target_link_libraries(spdx PUBLIC base)
