/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Workers as the next monitor must know them, should this one die. */
#ifndef POEMD_PROXY_MONITOR_WORKER_POOL_KEEP_H
#define POEMD_PROXY_MONITOR_WORKER_POOL_KEEP_H

#include "proxy/monitor/workers/worker_process.h"

/* A process has been started: keeps its pages, and the channel to it. */
void worker_pool_keep(struct worker_process *w);

/* The process has ended; its pages stay until no session needs them. */
void worker_pool_keep_died(struct worker_process *w);

/* The channel is about to be closed. */
void worker_pool_keep_closed(const struct worker_process *w);

#endif
