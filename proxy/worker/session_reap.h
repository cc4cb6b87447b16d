/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * For session_life.c only: the time between a session's end and its release, and the reports until
 * then.
 */
#ifndef POEMD_PROXY_WORKER_SESSION_REAP_H
#define POEMD_PROXY_WORKER_SESSION_REAP_H

#include "proxy/worker/session.h"

/* Initializes the memory from which these are allocated. */
void session_guard_init_memory(struct session_host *h);

/*
 * Allocates a session with its guard and channel pair, its route's name and "dma" settings, or
 * returns NULL if out of memory. Its page is the host's slot, or allocated if there is none.
 */
struct session_guard *session_guard_new(struct session_host *h, const struct ipc_session *settings)
    __attribute__((warn_unused_result));
void session_guard_free(struct session_host *h, struct session_guard *guard);

/* The host's event: frees what is no longer used, and reports to the monitor. arg: the host. */
void session_reap(evutil_socket_t fd, short what, void *arg);

/* Frees all dead sessions, even unreported ones: the channel is closed. */
void session_reap_all(struct session_host *h);

/* ---- session_index.c ---- */

/* Makes it findable by its number. Not for a session that only refuses. */
void session_index_add(struct session *s);
void session_index_remove(struct session *s);

#endif
