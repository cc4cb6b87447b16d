/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The devices of a route whose words change. */
#ifndef POEMD_PROXY_MONITOR_RELOAD_RELOAD_SPAWN_H
#define POEMD_PROXY_MONITOR_RELOAD_RELOAD_SPAWN_H

#include "proxy/monitor/reload/reload_state.h"

struct route;

/* Returns true if the route's devices can go on with the words of config. */
bool reload_spawn_stays(const struct route *route, const struct config_route *config);

/*
 * Retires the route's devices, if it has any: they end with their sessions. retired is allocated by
 * the caller, and taken; NULL if the route has none.
 */
void reload_spawn_retire(struct reload *r, struct route *route, struct reload_retired *retired);

/* The broker stops: so do the retired devices. */
void reload_spawn_stop(struct reload *r);

/* Frees retired devices that have ended; all of them if over. */
void reload_spawn_reap(struct reload *r, bool over);

/*
 * Takes devices that have been retired, and holds g, whose words they borrow. Returns false if out
 * of memory.
 */
bool reload_spawn_adopt(struct reload *r, struct spawn *retired, struct generation *g)
    __attribute__((warn_unused_result));

#endif
