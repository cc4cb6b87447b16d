/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * From what is known of a session to its verdict, recorded before it takes effect.
 *
 *   decision_begin   the backend has been dialled: facts are gathered, executables read
 *   (evidence)       the handshake is done; when all is known the rules are asked, and the verdict
 *                    goes to the audit log
 *   (on disk)        the worker is notified, and the session relays or its client is refused
 *   (exported)       while it relays: what memory was handed out is recorded
 *   (ended)          the session is over, whatever it had come to
 *
 * While the audit log cannot be written no session begins, or it begins tainted, as configured.
 */
#ifndef POEMD_PROXY_MONITOR_DECISION_H
#define POEMD_PROXY_MONITOR_DECISION_H

#include <stdbool.h>

struct monitor_session;
struct monitor_session_table;

/* Follows sessions from now on: decides on them, and records their ends. */
void decision_init(struct monitor_session_table *sessions);

/* In DIALING, when both sockets are there. Returns false if out of memory. */
bool decision_begin(struct monitor_session *t) __attribute__((warn_unused_result));

#endif
