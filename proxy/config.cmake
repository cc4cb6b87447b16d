# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# The configuration and the command line: a library of their own, so that they are tested and
# fuzzed without the daemon.
file(GLOB presets CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/contrib/presets/*.conf)
add_custom_command(
  OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/presets_embedded.h
  COMMAND ${CMAKE_COMMAND} -D FROM=${CMAKE_SOURCE_DIR}/contrib/presets
          -D TO=${CMAKE_CURRENT_BINARY_DIR}/presets_embedded.h
          -P ${CMAKE_CURRENT_SOURCE_DIR}/presets.cmake
  DEPENDS ${presets} presets.cmake
  VERBATIM)

add_library(proxy_config STATIC ${CMAKE_CURRENT_BINARY_DIR}/presets_embedded.h
            command.c config.c config_lex.c config_load.c config_parse.c config_rules.c config_value.c
            config_words.c options.c places.c preset.c)
# For "proxy/presets_embedded.h".
target_include_directories(proxy_config PRIVATE ${CMAKE_BINARY_DIR})
target_link_libraries(proxy_config PUBLIC rules trace_read poem base PRIVATE OpenSSL::Crypto)
set_source_files_properties(options.c PROPERTIES
                            COMPILE_DEFINITIONS POEMD_VERSION="${PROJECT_VERSION}")
