/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The workers of an earlier monitor: their processes end, their pages are read. */
#ifndef POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_WORKERS_H
#define POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_WORKERS_H

#include "proxy/monitor/takeover/takeover_state.h"

/* Kills those that live, waits until they have ended, and takes up their pages. */
void takeover_workers_begin(struct takeover *to);

/* Returns the process with this serial number, or NULL. */
struct worker_process *takeover_workers_find(const struct takeover *to, uint64_t serial);

/* Frees them; the pages live on with their sessions. */
void takeover_workers_end(struct takeover *to);

#endif
