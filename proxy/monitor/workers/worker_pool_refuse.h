/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Clients that are refused: a worker answers them. */
#ifndef POEMD_PROXY_MONITOR_WORKER_POOL_REFUSE_H
#define POEMD_PROXY_MONITOR_WORKER_POOL_REFUSE_H

#include "proxy/monitor/workers/worker_process.h"

/* The way in which a client is refused. */
struct worker_pool_answer {
    int err;
    unsigned ms; /* time limit for its request */
    bool heard;  /* a worker that is gone had read its request, with this id: */
    uint16_t id;
};

/*
 * Has a worker refuse a client, once there is one. Keeps a copy of the socket (taken) meanwhile, so
 * that another worker can take over from one that hangs or dies. Keeps at most LIMIT_REFUSALS_KEPT
 * for each worker; the oldest is closed unanswered.
 */
void worker_pool_refuse_take(struct worker_pool *c, int client_fd,
                             const struct worker_pool_answer *how);

/* Ends a session for this reason, and has a worker send its client err. */
void worker_pool_refuse_session(struct monitor_session *t, enum session_reason reason, int err);

/*
 * Ends a session that its worker can no longer end or answer. If the client still waits for its
 * reply, another worker sends it. The worker is gone, or worker_pool_disown was called.
 */
void worker_pool_lost(struct monitor_session *t, enum session_reason reason);

/* The worker has refused a client. Returns false if there was never a refusal of that number. */
bool worker_pool_refused(struct worker_process *w, uint64_t number);

/* The worker is gone: another one takes over its refusals. */
void worker_pool_refusals_lost(struct worker_process *w);

/* There is a worker again: hands it the waiting refusals. */
void worker_pool_refusals_resume(struct worker_pool *c);

/* Closes the sockets of overdue refusals. */
void worker_pool_refusals_beat(struct worker_pool *c);

void worker_pool_refusals_free(struct worker_pool *c);

#endif
