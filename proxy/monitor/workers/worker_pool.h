/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor's relay workers: started, given work, watched, started again.
 *
 * A worker that dies takes only its own sessions with it; each end is recorded. A worker that sends
 * what the table of proxy/ipc/ipc.c forbids has been taken over by a peer, and is killed; so is one
 * that hangs (worker_pool_watch.c). Clients in their handshake then get their answer from another
 * worker (worker_pool_refuse.c).
 */
#ifndef POEMD_PROXY_MONITOR_WORKER_POOL_H
#define POEMD_PROXY_MONITOR_WORKER_POOL_H

#include <stdbool.h>

#include "poem/poem.h"
#include "proxy/monitor/workers/worker_process.h"

/* Creates a pool without workers, which follows the sessions. Both are borrowed. */
void worker_pool_init(struct worker_pool *c, struct monitor_context *context,
                      struct monitor_session_table *sessions);

/* Subscribes events (static) with their arg. */
void worker_pool_observe(struct worker_pool *c, const struct worker_pool_events *events, void *arg);

/*
 * Starts the workers, with the poem that they recite (borrowed for the call). Returns 0 or -errno;
 * call worker_pool_deinit in either case.
 */
int worker_pool_start(struct worker_pool *c, const struct poem *poem)
    __attribute__((warn_unused_result));
void worker_pool_deinit(struct worker_pool *c);

/* Hands a session in RECITING, with both sockets, to the least busy worker. */
void worker_pool_give(struct monitor_session *t);

/* Returns true if no worker is running. */
bool worker_pool_all_gone(const struct worker_pool *c);

/* Checks every LIMIT_BEAT_MS that the workers make their turns, and kills those that hang. */
void worker_pool_beat(struct worker_pool *c);

/* Asks all workers to end their sessions and exit. */
void worker_pool_quit(struct worker_pool *c);

bool worker_pool_all_ready(const struct worker_pool *c);

#endif
