/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The processes of a session's parties, watched while it lives. */
#ifndef POEMD_PROXY_MONITOR_MONITOR_SESSION_PEERS_H
#define POEMD_PROXY_MONITOR_MONITOR_SESSION_PEERS_H

#include "base/side.h"

struct monitor_session;

/* Notifies the worker when a party's process ends. Call while both sockets are here. */
void monitor_session_watch_peers(struct monitor_session *t);

/* The same for its backend alone. */
void monitor_session_watch_backend(struct monitor_session *t);

/* Stops watching one of them. */
void monitor_session_forget_peer(struct monitor_session *t, enum side party);

/* Stops watching them. */
void monitor_session_forget_peers(struct monitor_session *t);

/*
 * Returns the pidfd of the process at the other end, or -errno; -ESRCH if it has ended already.
 * Needs a kernel that gives it for the socket: by its number, it could be another process by now.
 */
int monitor_session_peer_pidfd(int socket_fd) __attribute__((warn_unused_result));

#endif
