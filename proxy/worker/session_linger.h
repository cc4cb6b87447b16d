/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The fds that an ended session leaves unreceived at a peer: they stay in flight, and count against
 * the limit that all workers share, as long as that peer's socket is open anywhere. They cannot be
 * taken back. So the session's account stays charged, through copies of its sockets, which are shut
 * down; and the monitor, which is notified, counts the session against its route's limit until its
 * peers have received all fds or are gone. A peer that leaves fds unread in session after session
 * uses up the sessions of that route only.
 */
#ifndef POEMD_PROXY_WORKER_SESSION_LINGER_H
#define POEMD_PROXY_WORKER_SESSION_LINGER_H

#include "proxy/worker/session.h"

struct session_lingerer;

/*
 * Call before a session's sockets are closed: copies those with fds in flight. Returns NULL if
 * there are none, or if out of memory.
 */
struct session_lingerer *session_linger_new(struct session *s);

/*
 * Call after the session has given up its account: charges that of l (NULL is allowed). Returns the
 * number of fds.
 */
uint32_t session_linger_begin_take(struct session_host *h, struct session_lingerer *l);

/* Initializes an empty list. Returns false if out of memory; call session_linger_deinit anyway. */
bool session_linger_init(struct session_host *h);

/* Frees all, without notifying the monitor. */
void session_linger_deinit(struct session_host *h);

#endif
