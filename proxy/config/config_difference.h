/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The difference of two configurations, statement by statement: the table of statements has where
 * their values are. Pure. Places, comments and the order of routes make none.
 */
#ifndef POEMD_PROXY_CONFIG_CONFIG_DIFFERENCE_H
#define POEMD_PROXY_CONFIG_CONFIG_DIFFERENCE_H

#include <stdbool.h>

#include "proxy/config/config.h"
#include "proxy/config/config_words.h"

enum config_difference_kind {
    CONFIG_DIFFERENCE_ADDED, /* a route */
    CONFIG_DIFFERENCE_GONE,  /* a route */
    CONFIG_DIFFERENCE_WORD,  /* a statement of the file, or of a route that both have */
};

/* All borrowed. */
struct config_difference {
    enum config_difference_kind kind;
    const char *route;              /* its name; NULL: outside of routes */
    const struct config_word *word; /* of CONFIG_DIFFERENCE_WORD */
    struct config_place at;         /* in the later configuration; line 0: not there */
};

typedef void config_difference_fn(const struct config_difference *d, void *arg);

/*
 * Calls fn for each difference from before to after, both resolved: the statements outside of
 * routes, then the routes of after, then those that are gone. A poem, key, envelope or
 * revocation list whose contents differ counts as its statement.
 */
void config_differences(const struct config *before, const struct config *after,
                        config_difference_fn *fn, void *arg);

/* Returns true if a statement with this word differs between two routes. */
bool config_difference_in(const struct config_route *before, const struct config_route *after,
                          const char *word);

/* Writes the statement's words ("dma max-maps"). Returns out. */
const char *config_difference_word(const struct config_word *row, char out[64]);

#endif
