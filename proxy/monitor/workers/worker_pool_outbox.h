/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Messages to workers about their sessions: sent, or kept until the channel takes them. */
#ifndef POEMD_PROXY_MONITOR_WORKER_POOL_OUTBOX_H
#define POEMD_PROXY_MONITOR_WORKER_POOL_OUTBOX_H

#include "proxy/monitor/workers/worker_process.h"

/*
 * Sends the session's worker a message about it, once those before it have been sent. If it has no
 * worker at the moment, the next one is sent what matters to it.
 */
void worker_pool_outbox_send(struct monitor_session *t, enum ipc_type type);

/* Sends the kept messages, as far as the channel takes them. */
void worker_pool_outbox_flush(struct worker_process *w);

/* Makes the session wait until there is a worker to take it. */
void worker_pool_outbox_wait(struct monitor_session *t);

/* Sends the session's worker the verdict: 0 or an errno. */
void worker_pool_verdict(struct monitor_session *t, int err);

/* Notifies the session's worker that its export is recorded. */
void worker_pool_recorded(struct monitor_session *t);

/* Sends the session's worker the current capture settings (tracing_tap). */
void worker_pool_tap(struct monitor_session *t);

/* Notifies the session's worker, if any, of the parties' processes that are gone. */
void worker_pool_peer_gone(struct monitor_session *t);

/* Has the session's worker end it. */
void worker_pool_end(struct monitor_session *t);

/* Passes on the socket of another process of its device (t->backend_fd); detaches the device. */
void worker_pool_attach(struct monitor_session *t);
void worker_pool_detach(struct monitor_session *t);

/* Passes on the socket of a process that is to replace its device (t->successor). */
void worker_pool_replace(struct monitor_session *t);

/* Returns true if a message of that type still waits to be sent to the session's worker. */
bool worker_pool_unsent(const struct monitor_session *t, enum ipc_type type);

/* Gives the worker a new ring for captured messages. Takes both fds. */
void worker_pool_ring_take(struct worker_process *w, int ring_fd, int bell_fd);

/* The session is over: takes it off its worker's lists. */
void worker_pool_forget(struct monitor_session *t);

#endif
