/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * From what is known of a session to its verdict, recorded before it takes effect.
 *
 *   decision_begin   the backend has been dialled: facts are gathered, executables read
 *   decision_heard   the handshake is done; when all is known the rules are asked, and the verdict
 *                    goes to the audit log
 *   (on disk)        the worker is told, and the session relays or its client is refused
 *   decision_end     the session is over, whatever it had come to
 *
 * While the audit log cannot be written no session begins, or it begins tainted, as configured.
 */
#ifndef POEMD_PROXY_DECISION_H
#define POEMD_PROXY_DECISION_H

#include "proxy/ticket.h"

/* In DIALING, both sockets being there. False: no memory. */
bool decision_begin(struct ticket *t) __attribute__((warn_unused_result));

/* In RECITING: what the worker reports. */
void decision_heard(struct ticket *t, const struct ipc_evidence *e);

/* The session ends: what waits for it is forgotten, and its end is recorded. */
void decision_end(struct ticket *t, enum session_reason reason, const struct ipc_ended *what);

#endif
