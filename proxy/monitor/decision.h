/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * From the facts of a session to its verdict, which is recorded before it takes effect.
 *
 *   decision_begin   the backend has been dialled: gathers facts, has executables read
 *   decision_heard   the handshake is done; once all facts are known, evaluates the rules and
 *                    sends the verdict to the audit log
 *   (on disk)        the worker gets the verdict: it relays, or refuses its client
 *   decision_taint   while it relays: the worker's observations taint the session
 *   decision_export  … and memory that was handed out is recorded
 *   decision_end     the session is over, in whatever state it was
 *
 * While the audit log cannot be written, sessions are denied or begin tainted, as configured.
 */
#ifndef POEMD_PROXY_MONITOR_DECISION_H
#define POEMD_PROXY_MONITOR_DECISION_H

#include "proxy/monitor/monitor_session.h"

/* In DIALING, when both sockets are there. Returns false if out of memory. */
bool decision_begin(struct monitor_session *t) __attribute__((warn_unused_result));

/* In RECITING: takes the worker's report. */
void decision_heard(struct monitor_session *t, const struct ipc_evidence *e);

/* Taints the session, its route and this run. Bits that the session has are not logged again. */
void decision_taint(struct monitor_session *t, uint32_t bits);

/*
 * Records memory that was handed out, and notifies the worker when that is done. A lost record
 * taints the session.
 */
void decision_export(struct monitor_session *t, const struct ipc_export *e);

/* Returns true until the worker has been notified of its last export: it must wait for that. */
bool decision_exporting(const struct monitor_session *t);

/* The session ends: drops all that waits for it, and records its end. */
void decision_end(struct monitor_session *t, enum session_reason reason,
                  const struct ipc_ended *what);

#endif
