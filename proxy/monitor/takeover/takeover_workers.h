/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The workers of an earlier monitor: those that live go on, of the others the pages are read. */
#ifndef POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_WORKERS_H
#define POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_WORKERS_H

#include "proxy/monitor/takeover/takeover_state.h"

/*
 * Adopts those that live (worker_pool_adopt.h), or kills them if that fails, and takes up the pages
 * of all. Call it before the pool starts others.
 */
void takeover_workers_begin(struct takeover *to);

/* Returns the process with this serial number, or NULL. */
struct worker_process *takeover_workers_find(const struct takeover *to, uint64_t serial);

/* Returns the worker with this serial number that lives, or NULL. */
struct worker_process *takeover_workers_living(const struct takeover *to, uint64_t serial);

/* Frees them; the pages live on with their sessions. */
void takeover_workers_end(struct takeover *to);

#endif
