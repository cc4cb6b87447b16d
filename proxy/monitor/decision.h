/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * From the facts of a session to its verdict, which is recorded before it takes effect.
 *
 *   decision_begin   the backend has been dialled: gathers facts, has executables read
 *   (evidence)       the handshake is done; once all facts are known, evaluates the rules and
 *                    sends the verdict to the audit log
 *   (on disk)        the worker gets the verdict: it relays, or refuses its client
 *   (exported)       while it relays: memory that was handed out is recorded
 *   (ended)          the session is over, in whatever state it was
 *
 * While the audit log cannot be written, sessions are denied or begin tainted, as configured.
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
