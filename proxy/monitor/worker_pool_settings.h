/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What every worker reads first: a file that only the monitor can change. */
#ifndef POEMD_PROXY_MONITOR_WORKER_POOL_SETTINGS_H
#define POEMD_PROXY_MONITOR_WORKER_POOL_SETTINGS_H

#include "proxy/config/config.h"
#include "proxy/ipc/worker_settings.h"

/*
 * Sets how many fds a worker may have open, and how many of its peers' each session and all of them
 * may hold (proxy/relay/fdroom.h), below the limit of open files, most. All shares together, and
 * what each worker has beside them, fit it: the kernel counts fds in flight for the user whom all
 * workers are.
 */
void worker_pool_settings_fds(const struct config *c, uint64_t most, struct worker_settings *s);

/* The file's fd, or -errno. */
int worker_pool_settings_write(const struct config *c, const struct poem *poem)
    __attribute__((warn_unused_result));

#endif
