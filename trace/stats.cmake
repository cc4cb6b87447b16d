# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# What is made of traces: statistics and their page, other formats, parts, comparisons.
add_custom_command(
  OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/stats_page.h
  COMMAND ${CMAKE_COMMAND} -D FROM=${CMAKE_CURRENT_LIST_DIR}/stats_page.html
          -D TO=${CMAKE_CURRENT_BINARY_DIR}/stats_page.h
          -P ${CMAKE_CURRENT_LIST_DIR}/embed_page.cmake
  DEPENDS ${CMAKE_CURRENT_LIST_DIR}/stats_page.html ${CMAKE_CURRENT_LIST_DIR}/embed_page.cmake
  VERBATIM)

add_library(trace_stats STATIC ${CMAKE_CURRENT_LIST_DIR}/access.c
            ${CMAKE_CURRENT_LIST_DIR}/chrome.c ${CMAKE_CURRENT_LIST_DIR}/diff.c
            ${CMAKE_CURRENT_LIST_DIR}/diff_lcs.c ${CMAKE_CURRENT_LIST_DIR}/diff_line.c
            ${CMAKE_CURRENT_LIST_DIR}/extract.c
            ${CMAKE_CURRENT_LIST_DIR}/stats.c
            ${CMAKE_CURRENT_LIST_DIR}/stats_draw.c
            ${CMAKE_CURRENT_LIST_DIR}/stats_excerpts.c
            ${CMAKE_CURRENT_LIST_DIR}/stats_histogram.c ${CMAKE_CURRENT_LIST_DIR}/stats_html.c
            ${CMAKE_CURRENT_LIST_DIR}/stats_json.c ${CMAKE_CURRENT_LIST_DIR}/stats_maps.c
            ${CMAKE_CURRENT_LIST_DIR}/stats_text.c ${CMAKE_CURRENT_BINARY_DIR}/stats_page.h)
# For "trace/stats_page.h".
target_include_directories(trace_stats PRIVATE ${CMAKE_BINARY_DIR})
target_link_libraries(trace_stats PUBLIC trace_read trace_file handshake PkgConfig::JANSSON
                      OpenSSL::Crypto base)
target_compile_definitions(trace_stats PRIVATE _DEFAULT_SOURCE)
