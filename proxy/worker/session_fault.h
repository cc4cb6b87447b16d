/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What a session logs of its peers' faults while it relays. */
#ifndef POEMD_PROXY_WORKER_SESSION_FAULT_H
#define POEMD_PROXY_WORKER_SESSION_FAULT_H

#include "proxy/worker/session.h"

/* Logs what CHANNEL_PAIR_FAILED or CHANNEL_PAIR_REFUSED reports: a line for the side at fault. */
void session_fault_log(const struct session *s, const struct channel_pair_event *e);

#endif
