/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Where a worker's sessions count their messages (proxy/ipc/tally.h). */
#ifndef POEMD_PROXY_WORKER_SESSION_METER_H
#define POEMD_PROXY_WORKER_SESSION_METER_H

#include "proxy/worker/session.h"

/* Gives a session its route's tally, if the worker has one of that number. */
void session_meter_adopt(const struct session *s, const struct ipc_session *settings);

/* Returns the number of the session's tally, from 1 on, or 0. */
uint32_t session_meter_number(const struct session *s);

/* The session's verdict has this number in the audit log, plus 1; 0: it has none. */
void session_meter_record(struct session_host *h, uint64_t id, uint64_t record);

#endif
