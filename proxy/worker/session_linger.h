/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What a session leaves behind that has ended while a peer had not received its fds: they stay in
 * flight, and count against the limit that all workers share, as long as anybody has that peer's
 * socket open. Nothing takes them back. So the session's account stays charged, by copies of its
 * sockets, which are shut down; and the monitor, which is told, counts it among its route's
 * sessions until its peers have received all or are gone. Who leaves fds unread in one session
 * after the other uses up the sessions of that route, and nothing of anybody else's.
 */
#ifndef POEMD_PROXY_WORKER_SESSION_LINGER_H
#define POEMD_PROXY_WORKER_SESSION_LINGER_H

#include "proxy/worker/session.h"

struct session_lingerer;

/*
 * Before a session's sockets are closed: keeps copies of those over which fds are in flight. NULL:
 * there are none, or there is no memory.
 */
struct session_lingerer *session_linger_new(struct session *s);

/* After the session has given up its account: charges what l has, which may be NULL. How many fds.
 */
uint32_t session_linger_begin_take(struct session_host *h, struct session_lingerer *l);

/* Begins with none. Returns false without memory; to be deinit'ed in either case. */
bool session_linger_init(struct session_host *h);

/* Frees all; the monitor is not told. */
void session_linger_deinit(struct session_host *h);

#endif
