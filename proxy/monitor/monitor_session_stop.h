/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Sessions that the monitor ends, rather than their peers or worker. */
#ifndef POEMD_PROXY_MONITOR_MONITOR_SESSION_STOP_H
#define POEMD_PROXY_MONITOR_MONITOR_SESSION_STOP_H

#include <stdbool.h>

#include "proxy/ipc/session_state.h"

struct monitor_session;

/*
 * Ends a session, in any state: for REASON_OPERATOR, or a reason of the monitor's own. Returns true
 * if it is over; false if its worker has been asked to end it, which the monitor does itself after
 * LIMIT_END_MS.
 */
bool monitor_session_stop(struct monitor_session *t, enum session_reason reason);

/* Ends a session that its worker has not ended in time. */
void monitor_session_take_back(struct monitor_session *t, enum session_reason reason);

#endif
