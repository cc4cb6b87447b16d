# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# Capturing: what workers and the tracer share (trace_ring), and the tracer itself.
add_library(trace_ring STATIC ${CMAKE_CURRENT_LIST_DIR}/keep.c ${CMAKE_CURRENT_LIST_DIR}/record.c
                              ${CMAKE_CURRENT_LIST_DIR}/ring.c
                              ${CMAKE_CURRENT_LIST_DIR}/tracer_channel.c
                              ${CMAKE_CURRENT_LIST_DIR}/unseen.c)
target_link_libraries(trace_ring PUBLIC base)

add_library(trace_capture STATIC ${CMAKE_CURRENT_LIST_DIR}/tracer.c
                                 ${CMAKE_CURRENT_LIST_DIR}/tracer_capture.c
                                 ${CMAKE_CURRENT_LIST_DIR}/tracer_flight.c
                                 ${CMAKE_CURRENT_LIST_DIR}/tracer_memory.c
                                 ${CMAKE_CURRENT_LIST_DIR}/tracer_out.c
                                 ${CMAKE_CURRENT_LIST_DIR}/tracer_rings.c
                                 ${CMAKE_CURRENT_LIST_DIR}/tracer_sandbox.c
                                 ${CMAKE_CURRENT_LIST_DIR}/tracer_session.c)
target_link_libraries(trace_capture PUBLIC confine trace_ring trace_file trace_read PkgConfig::EVENT
                                           PkgConfig::BSD PRIVATE PkgConfig::JANSSON)
