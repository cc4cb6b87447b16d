/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Sessions that are handed over to another worker while this one lives (session_leave). */
#ifndef POEMD_PROXY_WORKER_SESSION_LEAVE_H
#define POEMD_PROXY_WORKER_SESSION_LEAVE_H

#include "proxy/worker/session.h"

/* Returns false if out of memory. */
bool session_leave_init(struct session_host *h) __attribute__((warn_unused_result));
void session_leave_deinit(struct session_host *h);

#endif
