# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# Understanding a trace: whose reply is whose, what is wanted.
add_library(trace_read STATIC ${CMAKE_CURRENT_LIST_DIR}/filter.c
                              ${CMAKE_CURRENT_LIST_DIR}/filter_terms.c
                              ${CMAKE_CURRENT_LIST_DIR}/native.c
                              ${CMAKE_CURRENT_LIST_DIR}/pair.c)
target_link_libraries(trace_read PUBLIC base)
