/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Finding one of thousands of routes. Part of config_check; the routes must not move after it. */
#ifndef POEMD_PROXY_CONFIG_CONFIG_INDEX_H
#define POEMD_PROXY_CONFIG_CONFIG_INDEX_H

#include "proxy/config/config.h"

/* The routes in the order of one of their texts; those without it are missing. */
struct config_index {
    size_t n;
    const struct config_route **routes;
};

/* Sorts the routes into c->by. Returns 0 or -ENOMEM. */
int config_index_make(struct config *c) __attribute__((warn_unused_result));
void config_index_deinit(struct config *c);

/*
 * Return the first route, in the order of the file, with this name, with this listening socket,
 * with this trace file; or NULL. c must have been checked.
 */
const struct config_route *config_route_find(const struct config *c, const char *name);
const struct config_route *config_route_at(const struct config *c, const char *listen);
const struct config_route *config_route_tracing(const struct config *c, const char *trace_file);

#endif
