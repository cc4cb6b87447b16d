/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * For session.c alone: what is between a session's end and its memory's, and what it tells
 * meanwhile.
 */
#ifndef POEMD_PROXY_WORKER_SESSION_REAP_H
#define POEMD_PROXY_WORKER_SESSION_REAP_H

#include "proxy/worker/session.h"

/* Its report is to be sent when the loop's turn is over, with whatever else the turn brings. */
void session_report_later(struct session *s);

/* What a session has beside itself until its end; NULL: no memory. */
struct session_guard *session_guard_new(void) __attribute__((warn_unused_result));
void session_guard_free(struct session_guard *guard);

/* The host's event: frees what is of no more use, and tells the monitor. arg: the host. */
void session_reap(evutil_socket_t fd, short what, void *arg);

/* Frees all that are dead, told of or not: nobody is left to tell. */
void session_reap_all(struct session_host *h);

/* ---- session_index.c ---- */

/* It can be found by its number. Not for one that only refuses. */
void session_index_add(struct session *s);
void session_index_remove(struct session *s);

#endif
