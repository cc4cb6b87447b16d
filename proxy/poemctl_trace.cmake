# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# poemctl trace: a line for each action's sources, and for what they need.
target_sources(poemctl PRIVATE ${CMAKE_CURRENT_LIST_DIR}/poemctl_trace.c
                               ${CMAKE_CURRENT_LIST_DIR}/poemctl_trace_capture.c)
target_sources(poemctl PRIVATE ${CMAKE_CURRENT_LIST_DIR}/trace_diff.c
                               ${CMAKE_CURRENT_LIST_DIR}/trace_export.c
                               ${CMAKE_CURRENT_LIST_DIR}/trace_extract.c
                               ${CMAKE_CURRENT_LIST_DIR}/trace_source.c
                               ${CMAKE_CURRENT_LIST_DIR}/trace_stats.c)
target_link_libraries(poemctl PRIVATE trace_stats)
target_sources(poemctl PRIVATE ${CMAKE_CURRENT_LIST_DIR}/follow.c
                               ${CMAKE_CURRENT_LIST_DIR}/trace_lint.c
                               ${CMAKE_CURRENT_LIST_DIR}/trace_sessions.c
                               ${CMAKE_CURRENT_LIST_DIR}/trace_show.c)
target_link_libraries(poemctl PRIVATE trace_read trace_file)
target_sources(poemctl PRIVATE ${CMAKE_CURRENT_LIST_DIR}/poemctl_trace_replay.c
                               ${CMAKE_CURRENT_LIST_DIR}/replay.c
                               ${CMAKE_CURRENT_LIST_DIR}/replay_answer.c
                               ${CMAKE_CURRENT_LIST_DIR}/replay_client.c
                               ${CMAKE_CURRENT_LIST_DIR}/replay_device.c
                               ${CMAKE_CURRENT_LIST_DIR}/replay_link.c
                               ${CMAKE_CURRENT_LIST_DIR}/replay_memory.c
                               ${CMAKE_CURRENT_LIST_DIR}/replay_objects.c
                               ${CMAKE_CURRENT_LIST_DIR}/tap.c)
target_link_libraries(poemctl PRIVATE trace_replay trace_ring trace_file)
