# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# A session to be played again: its script, what may differ, what does.
add_library(trace_replay STATIC ${CMAKE_CURRENT_LIST_DIR}/replay_compare.c
                                ${CMAKE_CURRENT_LIST_DIR}/replay_index.c
                                ${CMAKE_CURRENT_LIST_DIR}/replay_mask.c
                                ${CMAKE_CURRENT_LIST_DIR}/replay_script.c)
target_link_libraries(trace_replay PUBLIC trace_read trace_stats)
