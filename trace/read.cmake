# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# Understanding a trace: whose reply is whose, what is wanted, what it says.
add_library(trace_read STATIC ${CMAKE_CURRENT_LIST_DIR}/check.c
                              ${CMAKE_CURRENT_LIST_DIR}/decode.c
                              ${CMAKE_CURRENT_LIST_DIR}/decode_reply.c
                              ${CMAKE_CURRENT_LIST_DIR}/decode_request.c
                              ${CMAKE_CURRENT_LIST_DIR}/filter.c
                              ${CMAKE_CURRENT_LIST_DIR}/filter_terms.c
                              ${CMAKE_CURRENT_LIST_DIR}/lint.c
                              ${CMAKE_CURRENT_LIST_DIR}/lint_maps.c
                              ${CMAKE_CURRENT_LIST_DIR}/lint_reply.c
                              ${CMAKE_CURRENT_LIST_DIR}/lint_request.c
                              ${CMAKE_CURRENT_LIST_DIR}/lint_rules.c
                              ${CMAKE_CURRENT_LIST_DIR}/lint_version.c
                              ${CMAKE_CURRENT_LIST_DIR}/names.c
                              ${CMAKE_CURRENT_LIST_DIR}/native.c
                              ${CMAKE_CURRENT_LIST_DIR}/pair.c
                              ${CMAKE_CURRENT_LIST_DIR}/pen.c
                              ${CMAKE_CURRENT_LIST_DIR}/show.c
                              ${CMAKE_CURRENT_LIST_DIR}/show_json.c
                              ${CMAKE_CURRENT_LIST_DIR}/show_text.c
                              ${CMAKE_CURRENT_LIST_DIR}/text.c)
target_link_libraries(trace_read PUBLIC pci base PRIVATE handshake PkgConfig::JANSSON)
