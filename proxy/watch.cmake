# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# Processes that hang, and what has to go on without them.
target_sources(proxy PRIVATE ${CMAKE_CURRENT_LIST_DIR}/crew_refuse.c
                             ${CMAKE_CURRENT_LIST_DIR}/crew_watch.c
                             ${CMAKE_CURRENT_LIST_DIR}/session_refuse.c
                             ${CMAKE_CURRENT_LIST_DIR}/tracing_next.c)
