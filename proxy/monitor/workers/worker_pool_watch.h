/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Workers that hang: pinged, found out, killed; sessions that are ended without their worker. */
#ifndef POEMD_PROXY_MONITOR_WORKER_POOL_WATCH_H
#define POEMD_PROXY_MONITOR_WORKER_POOL_WATCH_H

#include "proxy/monitor/workers/worker_process.h"

/* A process has been started, or has ended. */
void worker_pool_watch_begin(struct worker_process *w);
void worker_pool_watch_end(struct worker_process *w);

/* Checks every LIMIT_BEAT_MS that the worker makes its turns, and kills it if it hangs. */
void worker_pool_watch_beat(struct worker_process *w);

/* Sends the ping that is due. Returns false if the channel is full. */
bool worker_pool_post_ping(struct worker_process *w);

/* The worker has sent something. Returns true if it had been late with that. */
bool worker_pool_heard(struct worker_process *w);

/* The worker answers a ping. Returns false if none was sent. */
bool worker_pool_pong(struct worker_process *w);

/* Returns true if a worker other than the session's own answers. */
bool worker_pool_has_other(const struct monitor_session *t);

/* Returns true if the session's worker answers. */
bool worker_pool_answers(const struct monitor_session *t);

/*
 * The monitor ends a session that a worker has: notifies the worker, and ignores its further
 * messages about the session until it reports the end. Call before monitor_session_end.
 */
void worker_pool_disown(struct monitor_session *t);

/* Does the same for a session that this monitor does not know; dead: its end is on its way. */
void worker_pool_disown_unknown(struct worker_process *w, uint64_t session, bool dead);

/*
 * Handles a message about a session that is not the worker's. Returns false if it never was, or has
 * reported its end.
 */
bool worker_pool_disowned_message(struct worker_process *w, const struct ipc_msg *m,
                                  unsigned n_fds);

#endif
