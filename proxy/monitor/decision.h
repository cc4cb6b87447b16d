/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * From what is known of a session to its verdict, recorded before it takes effect.
 *
 *   decision_begin   the backend has been dialled: facts are gathered, executables read
 *   decision_heard   the handshake is done; when all is known the rules are asked, and the verdict
 *                    goes to the audit log
 *   (on disk)        the worker is told, and the session relays or its client is refused
 *   decision_taint   while it relays: what its worker saw taints it
 *   decision_export  … and what memory was handed out is recorded
 *   decision_end     the session is over, whatever it had come to
 *
 * While the audit log cannot be written no session begins, or it begins tainted, as configured.
 */
#ifndef POEMD_PROXY_MONITOR_DECISION_H
#define POEMD_PROXY_MONITOR_DECISION_H

#include "proxy/monitor/monitor_session.h"

/* In DIALING, both sockets being there. False: no memory. */
bool decision_begin(struct monitor_session *t) __attribute__((warn_unused_result));

/* In RECITING: what the worker reports. */
void decision_heard(struct monitor_session *t, const struct ipc_evidence *e);

/* More taints the session, its route and this run. Bits that it has already are told no more. */
void decision_taint(struct monitor_session *t, uint32_t bits);

/*
 * Records memory that was handed out, and tells the worker when that is done. A record that is lost
 * taints the session.
 */
void decision_export(struct monitor_session *t, const struct ipc_export *e);

/* Whether the worker has not yet been told of the last one: it must not send another. */
bool decision_exporting(const struct monitor_session *t);

/* The session ends: what waits for it is forgotten, and its end is recorded. */
void decision_end(struct monitor_session *t, enum session_reason reason,
                  const struct ipc_ended *what);

#endif
