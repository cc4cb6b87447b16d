/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A worker's report to the next monitor, after the last one has gone (session_adopt). */
#ifndef POEMD_PROXY_WORKER_SESSION_ADOPT_H
#define POEMD_PROXY_WORKER_SESSION_ADOPT_H

#include "proxy/worker/session.h"

/* The channel takes messages again: sends the part of the list that had to wait. */
void session_adopt_resume(struct session_host *h);

#endif
