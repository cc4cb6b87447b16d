# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# The control socket.
target_sources(proxy PRIVATE ${CMAKE_CURRENT_LIST_DIR}/control.c
                             ${CMAKE_CURRENT_LIST_DIR}/control_json.c
                             ${CMAKE_CURRENT_LIST_DIR}/control_obey.c
                             ${CMAKE_CURRENT_LIST_DIR}/control_trace.c
                             ${CMAKE_CURRENT_LIST_DIR}/crew_count.c
                             ${CMAKE_CURRENT_LIST_DIR}/facts.c
                             ${CMAKE_CURRENT_LIST_DIR}/session_count.c)
