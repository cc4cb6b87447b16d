/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What a handshake has shown, for the monitor's verdict. Pure. */
#ifndef POEMD_PROXY_WORKER_SESSION_EVIDENCE_H
#define POEMD_PROXY_WORKER_SESSION_EVIDENCE_H

#include "proxy/ipc/ipc.h"
#include "proxy/worker/greeting/greeting.h"

/* Fills in *e from a greeting's result, from GREETING_EVIDENCE on. */
void session_evidence_of(const struct greeting_result *r, struct ipc_evidence *e);

#endif
