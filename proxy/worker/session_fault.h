/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Logs of the peers' faults while a session relays. */
#ifndef POEMD_PROXY_WORKER_SESSION_FAULT_H
#define POEMD_PROXY_WORKER_SESSION_FAULT_H

#include "proxy/worker/session.h"

/* Logs the fault of CHANNEL_PAIR_FAILED or CHANNEL_PAIR_REFUSED: one line for the side at fault. */
void session_fault_log(const struct session *s, const struct channel_pair_event *e);

/* The request has been answered in the device's stead. Logs the first of a session. */
void session_fault_log_overdue(const struct session *s, const struct wire_hdr *request);

/* Logs their number, if there were any, at the session's end. */
void session_fault_log_overdue_rest(const struct session *s);

#endif
