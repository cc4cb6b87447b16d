/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* For session_life.c and session_resume.c only: the channel pairs of a session. */
#ifndef POEMD_PROXY_WORKER_SESSION_RELAY_H
#define POEMD_PROXY_WORKER_SESSION_RELAY_H

#include "proxy/worker/session.h"

/* Fills in a new guard, which has its page, from the settings. */
void session_relay_prepare(struct session_guard *guard, struct session_host *h,
                           const struct ipc_session *settings);

/* Gives the session its guard, and the rest of the settings. */
void session_relay_adopt(struct session *s, struct session_guard *guard,
                         const struct ipc_session *settings);

/*
 * Opens the channel pairs of a session in RELAYING, with what its page has: limits, twin, marks.
 * Takes the sockets: client, backend, and those of the twin, or -1. Returns 0 or -errno; the
 * session can be ended in either case.
 */
int session_relay_open_take(struct session *s, const int fds[LIMIT_FDS_PER_SESSION])
    __attribute__((warn_unused_result));

/* Its page is complete from now on: should the worker die, the session can be resumed. */
void session_relay_complete(struct session *s);

#endif
