# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# The trace file: its blocks written and read.
add_library(trace_file STATIC ${CMAKE_CURRENT_LIST_DIR}/fd.c ${CMAKE_CURRENT_LIST_DIR}/packet.c ${CMAKE_CURRENT_LIST_DIR}/pcapng.c
            ${CMAKE_CURRENT_LIST_DIR}/reader.c ${CMAKE_CURRENT_LIST_DIR}/reader_session.c)
target_link_libraries(trace_file PUBLIC base PRIVATE handshake PkgConfig::JANSSON)
target_compile_definitions(trace_file PRIVATE POEMD_VERSION="${PROJECT_VERSION}")
