/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Sessions that have ended while some of their fds were not received. */
#ifndef POEMD_PROXY_MONITOR_WORKER_POOL_LINGER_H
#define POEMD_PROXY_MONITOR_WORKER_POOL_LINGER_H

#include "proxy/monitor/workers/worker_process.h"

/* A session of the worker's ends, with this many of its fds not received. */
void worker_pool_linger(struct worker_process *w, const struct monitor_session *t, uint32_t unread);

/* The fds have been received. Ignores an unknown session. Returns true. */
bool worker_pool_linger_over(struct worker_process *w, uint64_t session);

/* The worker is gone, with its unreceived fds. */
void worker_pool_linger_forget(struct worker_process *w);

#endif
