# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-FileCopyrightText: 2026 The poemd authors
#
# The configuration and the command line: a library of their own, so that they are tested and
# fuzzed without the daemon.
add_library(proxy_config STATIC
            command.c config.c config_lex.c config_load.c config_parse.c config_rules.c config_value.c
            config_words.c options.c)
target_link_libraries(proxy_config PUBLIC rules poem base PRIVATE OpenSSL::Crypto)
set_source_files_properties(options.c PROPERTIES
                            COMPILE_DEFINITIONS POEMD_VERSION="${PROJECT_VERSION}")
