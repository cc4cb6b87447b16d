/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Shared by the parts of the worker pool.
 *
 *   worker_pool.c          processes, channels, outboxes
 *   worker_pool_message.c  messages about a session
 *   worker_pool_count.c    counts of messages, requested from workers
 *   worker_pool_watch.c    heartbeats; sessions that the monitor ends without their worker
 *   worker_pool_refuse.c   clients that a worker is to refuse
 */
#ifndef POEMD_PROXY_MONITOR_WORKER_POOL_PARTS_H
#define POEMD_PROXY_MONITOR_WORKER_POOL_PARTS_H

#include "proxy/monitor/worker_pool.h"

/*
 * Makes a message about the session, only when it is sent: a relaying session must not carry a
 * message's kilobytes.
 */
struct ipc_msg worker_pool_message(const struct monitor_session *t, enum ipc_type type);

/* Returns true if the worker runs and has not missed a beat, so that it can be given work. */
bool worker_pool_takes_work(const struct worker_process *w);

/* Returns the worker that takes work and has the fewest sessions, or NULL. */
struct worker_process *worker_pool_least_busy(struct worker_pool *c);

/*
 * Takes ipc_send's result. Returns true if the message must be sent later, and schedules that.
 * After any other error the worker is dying, and SIGCHLD ends all its sessions.
 */
bool worker_pool_must_wait(struct worker_process *w, int err);

/* Gives waiting sessions to a worker, now that there is one. */
void worker_pool_take_waiting(struct worker_pool *c);

/* Kills the worker; log describes what it did. Its sessions end with the reason. */
void worker_pool_kill(struct worker_process *w, enum session_reason reason, const char *log);

/*
 * The worker's process is gone, or left behind: receives its last messages, ends its sessions and
 * starts another, from the loop, in as many turns as that takes.
 */
void worker_pool_gone(struct worker_process *w);

/* ---- worker_pool_watch.c ---- */

/* A process has been started, or has ended. */
void worker_pool_watch_begin(struct worker_process *w);
void worker_pool_watch_end(struct worker_process *w);

/* Sends the ping that is due. Returns false if the channel is full. */
bool worker_pool_post_ping(struct worker_process *w);

/* The worker has sent a message; a pong must answer a ping, or false is returned. */
void worker_pool_heard(struct worker_process *w);
bool worker_pool_pong(struct worker_process *w);

/* Handles a message about a session that is not the worker's. Returns false if it never was. */
bool worker_pool_disowned_said(struct worker_process *w, const struct ipc_msg *m, unsigned n_fds);

/* ---- worker_pool_linger.c ---- */

/* A session of the worker's ends, with this many of its fds not received. */
void worker_pool_linger(struct worker_process *w, const struct monitor_session *t, uint32_t unread);

/* The fds have been received. Ignores an unknown session. Returns true. */
bool worker_pool_linger_over(struct worker_process *w, uint64_t session);

/* The worker is gone, with its unreceived fds. */
void worker_pool_linger_forget(struct worker_process *w);

/* ---- worker_pool_refuse.c ---- */

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
