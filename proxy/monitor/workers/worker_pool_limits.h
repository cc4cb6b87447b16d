/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What running workers may use after the configuration has changed. */
#ifndef POEMD_PROXY_MONITOR_WORKER_POOL_LIMITS_H
#define POEMD_PROXY_MONITOR_WORKER_POOL_LIMITS_H

struct worker_pool;

/* Notes what workers may use under the configuration by which they are about to start. */
void worker_pool_limits_note(struct worker_pool *c);

/*
 * Workers that start from now on read these settings (worker_pool_settings_write); takes the fd.
 * Those that run may use as much memory and as many fds as the configuration needs by now, if that
 * is more.
 */
void worker_pool_limits_change_take(struct worker_pool *c, int settings_fd);

#endif
