/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Which processes use a session's sockets. */
#ifndef POEMD_PROXY_WORKER_SESSION_SENDERS_H
#define POEMD_PROXY_WORKER_SESSION_SENDERS_H

#include "proxy/worker/session.h"

/* Sets up the checks of both parties; their arg, the session, is set later. */
void session_senders_check(struct session_guard *guard,
                           const struct sender_check_settings *settings);

/* The backend is another process now: begins its check anew. */
void session_senders_recheck(struct session *s, const struct sender_check_settings *settings);

#endif
