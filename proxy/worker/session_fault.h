/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Logs of the peers' faults while a session relays. */
#ifndef POEMD_PROXY_WORKER_SESSION_FAULT_H
#define POEMD_PROXY_WORKER_SESSION_FAULT_H

#include "proxy/worker/session.h"

/* Logs the fault of CHANNEL_PAIR_FAILED or CHANNEL_PAIR_REFUSED: one line for the side at fault. */
void session_fault_log(const struct session *s, const struct channel_pair_event *e);

#endif
