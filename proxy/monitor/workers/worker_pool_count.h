/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The counts of the pool's sessions, as the workers report them (worker_pool_count). */
#ifndef POEMD_PROXY_MONITOR_WORKER_POOL_COUNT_H
#define POEMD_PROXY_MONITOR_WORKER_POOL_COUNT_H

#include "proxy/monitor/workers/worker_process.h"

/*
 * Stores a worker's counts, which ipc_counts_sound has checked. Skips sessions that have ended
 * meanwhile.
 */
void worker_pool_take_counts(struct worker_process *w, const struct ipc_counts *c);

/* Returns the worker's session of that number, or NULL. */
struct monitor_session *worker_pool_session(struct worker_process *w, uint64_t id);

/*
 * Asks all workers for the counts of their sessions, which are stored as they come.
 * worker_pool_events.counted is called whenever a worker has sent all of them, or has died.
 */
void worker_pool_count(struct worker_pool *c);

/* Returns true if a worker has been asked and has not sent all counts. */
bool worker_pool_counting(const struct worker_pool *c);

#endif
