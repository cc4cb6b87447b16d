/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What has passed in the sessions of the crew, as its workers tell it (worker_pool_count). */
#ifndef POEMD_PROXY_MONITOR_WORKER_POOL_COUNT_H
#define POEMD_PROXY_MONITOR_WORKER_POOL_COUNT_H

#include "proxy/monitor/worker_pool.h"

/*
 * What a worker tells that has been asked; checked by ipc_counts_sound. Sessions that have ended
 * meanwhile are none of its tickets any more.
 */
void worker_pool_take_counts(struct worker_process *w, const struct ipc_counts *c);

/* The worker's ticket of that number, or NULL. */
struct monitor_session *worker_pool_ticket(struct worker_process *w, uint64_t id);

#endif
