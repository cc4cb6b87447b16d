/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A configuration that is or was in force. A reload puts the next one in force; each earlier one
 * lives until the last session that began under it, and the last route or device of it, is gone.
 */
#ifndef POEMD_PROXY_MONITOR_ROUTES_GENERATION_H
#define POEMD_PROXY_MONITOR_ROUTES_GENERATION_H

#include "proxy/config/config.h"

struct fdstore;
struct inspector;

struct generation {
    const struct config *config; /* resolved */
    struct config *owned;        /* the same, on the heap; NULL if borrowed */
    struct inspector *inspector; /* with its keys, for sessions that are not decided yet; borrowed,
                                  * NULL if it needs none */
    unsigned users;
    struct fdstore *store; /* that has the file's text for the next monitor; NULL: it has not … */
    uint64_t number;       /* … under a name with this number */
    char digest[2 * CONFIG_DIGEST_SIZE + 1]; /* of the file, in hex; "" if not from a file */
};

/* Borrows config for its life. Returns it with one user, or NULL if out of memory. */
struct generation *generation_new(const struct config *config) __attribute__((warn_unused_result));

/* Does the same with a config on the heap, which it takes unless it returns NULL. */
struct generation *generation_new_take(struct config *config) __attribute__((warn_unused_result));

/*
 * Keeps the text of its file for the next monitor, until it is freed; number is unique among all
 * that are kept. A configuration that is not from a file needs no keeping. Returns 0 or -errno.
 */
int generation_keep(struct generation *g, struct fdstore *store, uint64_t number)
    __attribute__((warn_unused_result));

/* The text has been kept under this number by an earlier monitor. */
void generation_kept(struct generation *g, struct fdstore *store, uint64_t number);

/* Adds a user; returns g. */
struct generation *generation_hold(struct generation *g);

/* Removes a user; the last one frees it. NULL is allowed. */
void generation_release(struct generation *g);

#endif
