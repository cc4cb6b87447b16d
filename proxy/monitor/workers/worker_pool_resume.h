/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Sessions of a worker that has died go on in another one. */
#ifndef POEMD_PROXY_MONITOR_WORKER_POOL_RESUME_H
#define POEMD_PROXY_MONITOR_WORKER_POOL_RESUME_H

#include "proxy/monitor/workers/worker_process.h"

struct fdset;

/* The worker is gone, and has been heard to the end: notes which session it was handling. */
void worker_pool_resume_begin(struct worker_process *w);

/*
 * Looks at a session of a worker that is gone. Returns true if it is to be given to another worker;
 * otherwise it has ended, with this reason if it cannot be resumed.
 */
bool worker_pool_resume(struct worker_process *w, struct monitor_session *t,
                        enum session_reason reason) __attribute__((warn_unused_result));

/*
 * A session is being given to the worker: gives it a slot there, and copies the page of one that
 * is resumed. Returns false if that one cannot be resumed.
 */
bool worker_pool_resume_place(struct worker_process *w, struct monitor_session *t)
    __attribute__((warn_unused_result));

/* Gives back the session's slot, which its worker does not use any more. */
void worker_pool_resume_forget(struct monitor_session *t);

/* A worker has sent the twin sockets of a session. Returns false if they are none. */
bool worker_pool_resume_twin_take(struct monitor_session *t, struct fdset *fds);

/* The session goes on: logs and records it. Returns false if it was not resumed. */
bool worker_pool_resumed(struct monitor_session *t, const struct ipc_resumed *r);

#endif
