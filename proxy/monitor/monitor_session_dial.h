/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A session's beginning, until a worker has it. */
#ifndef POEMD_PROXY_MONITOR_MONITOR_SESSION_DIAL_H
#define POEMD_PROXY_MONITOR_MONITOR_SESSION_DIAL_H

struct monitor_session;
struct monitor_session_table;
struct route;

/* Releases devices and watches of sessions that end, from now on. Call as the last observer. */
void monitor_session_dial_init(struct monitor_session_table *table);

/*
 * Connects to its backend, or takes a device that is ready. Returns a socket, which the caller
 * owns, or -errno: -EAGAIN, -ENOENT and -ECONNREFUSED are worth another try.
 */
int monitor_session_reach(struct monitor_session *t) __attribute__((warn_unused_result));

/*
 * A client has connected: begins a session, or has it refused. arg is the table of sessions. Takes
 * the socket.
 */
void monitor_session_accept_take(void *arg, struct route *r, int client_fd);

/* Makes the events of a session that was not accepted here, before it is used. */
void monitor_session_dial_prepare(struct monitor_session *t);

/* Begins with a session in ACCEPTED, for as long as its handshake may still take. */
void monitor_session_dial_begin(struct monitor_session *t);

#endif
