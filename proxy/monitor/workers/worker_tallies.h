/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A worker's tallies (proxy/ipc/tally.h), as the monitor has them: their routes, and their numbers.
 * A route has at most one in a worker; it gets it with its first session there, and gives
 * it back when the route is gone.
 */
#ifndef POEMD_PROXY_MONITOR_WORKER_TALLIES_H
#define POEMD_PROXY_MONITOR_WORKER_TALLIES_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/ipc/tally.h"
#include "proxy/monitor/workers/worker_pages.h"

struct worker_tallies;

/*
 * Maps the tallies of a worker's file, all of them free. Returns NULL if it has none, or if that
 * fails: then nothing is counted.
 */
struct worker_tallies *worker_tallies_new(const struct worker_pages *pages);

/* NULL is allowed, here and below: there are no tallies. */
void worker_tallies_free(struct worker_tallies *t);

/* Returns the number of the route's tally, from 1 on; it gets one if need be. 0: all are used. */
uint32_t worker_tallies_take(struct worker_tallies *t, unsigned route);

/* An adopted worker counts the route's messages in the tally of that number, if that is free. */
void worker_tallies_claim(struct worker_tallies *t, unsigned route, uint32_t number);

/* The route is gone: its tally is zeroed, and free. */
void worker_tallies_give_back(struct worker_tallies *t, unsigned route);

/* Adds the route's tally to sum. */
void worker_tallies_add(const struct worker_tallies *t, unsigned route, struct tally *sum);

#endif
