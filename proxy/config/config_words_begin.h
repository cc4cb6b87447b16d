/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The functions of type config_begin for rows of the table of statements (config_words.h). */
#ifndef POEMD_PROXY_CONFIG_CONFIG_WORDS_BEGIN_H
#define POEMD_PROXY_CONFIG_CONFIG_WORDS_BEGIN_H

#include <stdbool.h>

#include "proxy/config/config.h"

struct config_parser {
    struct config *config;
    struct config_errors *errors;
    bool no_memory;                   /* set when out of memory, which ends parsing */
    struct config_place defaults_end; /* lines of the defaults that a route can override … */
    struct config_place defaults_begin;
};

/*
 * Creates the target of a block, or of a statement that adds to a list, valid until that ends.
 * Returns NULL to skip it (an error was added, or no_memory set).
 */
typedef void *config_begin(struct config_parser *p, struct config_place at);

/* Each makes the target, with its defaults, of the statement after which it is named. */
config_begin config_words_route_begin;
config_begin config_words_allow_begin;
config_begin config_words_licence_begin;
config_begin config_words_code_begin;
config_begin config_words_executable_begin;
config_begin config_words_assign_begin;
config_begin config_words_trust_key_begin;
config_begin config_words_envelope_begin;
config_begin config_words_dma_begin;
config_begin config_words_dma_max_maps_begin;
config_begin config_words_dma_max_bytes_begin;
config_begin config_words_dma_ranges_begin;
config_begin config_words_inject_begin;
config_begin config_words_inject_rule_begin;

#endif
