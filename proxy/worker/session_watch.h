/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Looks at a relaying session from time to time while one of these conditions lasts:
 *
 *   a receiver does not take what waits for it         until the route's stall-timeout
 *   a sender stops inside a message that is held       likewise
 *   fds beyond the session's share are not received    LIMIT_FDS_UNREAD_MS
 *   a party's process is gone                          the route's drain-timeout
 *
 * The last is needed since a socket hangs up only when its last reference goes, and references may
 * exist anywhere: in another process, or in the queue of a socket. A socket that another process
 * was seen to use has been handed on, and outlives the process that connected or listened: a
 * listening socket may have come from a service manager, its connections may be served by children.
 * So the session does not end then; and if another process uses the socket only after the first one
 * is gone, the session goes on, too.
 *
 * The caller ends the session.
 */
#ifndef POEMD_PROXY_WORKER_SESSION_WATCH_H
#define POEMD_PROXY_WORKER_SESSION_WATCH_H

#include "proxy/worker/session.h"

/* Watches a session in RELAYING from now on, as long as there is a reason. */
void session_watch_soon(struct session *s);

/*
 * Does a due look at a session in RELAYING. Returns the reason for which it must end (logged), or
 * REASON_NONE.
 */
enum session_reason session_watch_turn(struct session *s) __attribute__((warn_unused_result));

/*
 * The backend is gone, and another process may take its place: what was seen of it is void, as is
 * what the monitor still reports of it.
 */
void session_watch_lose_backend(struct session *s);

/* Another process has come: what the monitor reports from now on is about it … */
void session_watch_expect_backend(struct session *s);

/* … and it has taken the place. */
void session_watch_attach_backend(struct session *s);

/* Has the senders checked; if only for a note, on the main sockets alone. */
void session_watch_senders(struct session *s);

/* The monitor reports that these parties' processes are gone. Needs the session's channel pair. */
void session_watch_gone(struct session *s);

/* A process other than the one that connected or listened has used that party's socket. */
void session_watch_stranger(struct session *s, enum side party, const struct sock_sender *from);

/* Returns the reason for the end if a party's process is gone, or REASON_NONE. */
enum session_reason session_watch_died(const struct session *s);

#endif
