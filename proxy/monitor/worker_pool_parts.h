/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the crew's parts know of each other.
 *
 *   worker_pool.c         processes, channels, outboxes
 *   worker_pool_message.c  what is sent about a session
 *   worker_pool_count.c   what has passed, asked
 *   worker_pool_watch.c   heartbeats; sessions that the monitor ends without their worker
 *   worker_pool_refuse.c  clients that a worker is to refuse
 */
#ifndef POEMD_PROXY_MONITOR_WORKER_POOL_PARTS_H
#define POEMD_PROXY_MONITOR_WORKER_POOL_PARTS_H

#include "proxy/monitor/worker_pool.h"

/*
 * A message about the session. Made only when it is sent: a session that relays is not to carry a
 * message's kilobytes.
 */
struct ipc_msg worker_pool_message(const struct monitor_session *t, enum ipc_type type);

/* Whether it runs, and has not missed a beat: so it can be given work. */
bool worker_pool_takes_work(const struct worker_process *w);

/* The worker that takes work and has the fewest sessions, or NULL. */
struct worker_process *worker_pool_least_busy(struct worker_pool *c);

/*
 * Of ipc_send's result: whether the message must be sent later; if so, has that tried again. Any
 * other error: the worker is dying, and SIGCHLD will end all that was its.
 */
bool worker_pool_must_wait(struct worker_process *w, int err);

/* Gives those who wait for a worker to one, now that there is one. */
void worker_pool_take_waiting(struct worker_pool *c);

/* The worker is to be no more; log: what it did. Its sessions end with the reason. */
void worker_pool_kill(struct worker_process *w, enum session_reason reason, const char *log);

/*
 * The worker's process is gone, or is left behind: what it still said is heard, its sessions end,
 * another is started; from the loop, in as many turns as that takes.
 */
void worker_pool_gone(struct worker_process *w);

/* ---- worker_pool_watch.c ---- */

/* A process has been started, or is over. */
void worker_pool_watch_begin(struct worker_process *w);
void worker_pool_watch_end(struct worker_process *w);

/* Sends the ping that is due. False: the channel is full. */
bool worker_pool_post_ping(struct worker_process *w);

/* The worker has said something; it may be the answer to a ping. False: nothing was asked. */
void worker_pool_heard(struct worker_process *w);
bool worker_pool_pong(struct worker_process *w);

/* A message about a session that is none of its tickets. False: it never was, or has ended. */
bool worker_pool_disowned_said(struct worker_process *w, const struct ipc_msg *m, unsigned n_fds);

/* ---- worker_pool_linger.c ---- */

/* A session of the worker's ends; so many of its fds are not received, if any. */
void worker_pool_linger(struct worker_process *w, const struct monitor_session *t, uint32_t unread);

/* They are now. Of a session that is not known nothing is to be done. Returns true. */
bool worker_pool_linger_over(struct worker_process *w, uint64_t session);

/* The worker is gone, and what it had. */
void worker_pool_linger_forget(struct worker_process *w);

/* ---- worker_pool_refuse.c ---- */

/* A client has been refused by the worker. False: by that number there never was one. */
bool worker_pool_refused(struct worker_process *w, uint64_t number);

/* The worker is gone: another one goes on with its refusals. */
void worker_pool_refusals_lost(struct worker_process *w);

/* There is a worker again. */
void worker_pool_refusals_resume(struct worker_pool *c);

/* Those whose time is over are closed. */
void worker_pool_refusals_beat(struct worker_pool *c);

void worker_pool_refusals_free(struct worker_pool *c);

#endif
