/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the crew's parts know of each other.
 *
 *   crew.c         processes, channels, outboxes
 *   crew_message.c  what is sent about a session
 *   crew_count.c   what has passed, asked
 *   crew_watch.c   heartbeats; sessions that the monitor ends without their worker
 *   crew_refuse.c  clients that a worker is to refuse
 */
#ifndef POEMD_PROXY_MONITOR_CREW_PARTS_H
#define POEMD_PROXY_MONITOR_CREW_PARTS_H

#include "proxy/monitor/crew.h"

/*
 * A message about the session. Made only when it is sent: a session that relays is not to carry a
 * message's kilobytes.
 */
struct ipc_msg crew_message(const struct ticket *t, enum ipc_type type);

/* Whether it runs, and has not missed a beat: so it can be given work. */
bool crew_takes_work(const struct crew_member *w);

/* The worker that takes work and has the fewest sessions, or NULL. */
struct crew_member *crew_least_busy(struct crew *c);

/*
 * Of ipc_send's result: whether the message must be sent later; if so, has that tried again. Any
 * other error: the worker is dying, and SIGCHLD will end all that was its.
 */
bool crew_must_wait(struct crew_member *w, int err);

/* Gives those who wait for a worker to one, now that there is one. */
void crew_take_waiting(struct crew *c);

/* The worker is to be no more; log: what it did. Its sessions end with the reason. */
void crew_kill(struct crew_member *w, enum session_reason reason, const char *log);

/*
 * The worker's process is gone, or is left behind: what it still said is heard, its sessions end,
 * another is started; from the loop, in as many turns as that takes.
 */
void crew_gone(struct crew_member *w);

/* ---- crew_watch.c ---- */

/* A process has been started, or is over. */
void crew_watch_begin(struct crew_member *w);
void crew_watch_end(struct crew_member *w);

/* Sends the ping that is due. False: the channel is full. */
bool crew_post_ping(struct crew_member *w);

/* The worker has said something; it may be the answer to a ping. False: nothing was asked. */
void crew_heard(struct crew_member *w);
bool crew_pong(struct crew_member *w);

/* A message about a session that is none of its tickets. False: it never was, or has ended. */
bool crew_disowned_said(struct crew_member *w, const struct ipc_msg *m, unsigned n_fds);

/* ---- crew_linger.c ---- */

/* A session of the worker's ends; so many of its fds are not received, if any. */
void crew_linger(struct crew_member *w, const struct ticket *t, uint32_t unread);

/* They are now. Of a session that is not known nothing is to be done. Returns true. */
bool crew_linger_over(struct crew_member *w, uint64_t session);

/* The worker is gone, and what it had. */
void crew_linger_forget(struct crew_member *w);

/* ---- crew_refuse.c ---- */

/* A client has been refused by the worker. False: by that number there never was one. */
bool crew_refused(struct crew_member *w, uint64_t number);

/* The worker is gone: another one goes on with its refusals. */
void crew_refusals_lost(struct crew_member *w);

/* There is a worker again. */
void crew_refusals_resume(struct crew *c);

/* Those whose time is over are closed. */
void crew_refusals_beat(struct crew *c);

void crew_refusals_free(struct crew *c);

#endif
