/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The settings that every worker reads first: a file that only the monitor can change. */
#ifndef POEMD_PROXY_CONFIG_WORKER_POOL_SETTINGS_H
#define POEMD_PROXY_CONFIG_WORKER_POOL_SETTINGS_H

#include "proxy/config/config.h"
#include "proxy/ipc/worker_settings.h"

/*
 * Sets how many fds a worker may have open, and how many of its peers' fds each session, and all of
 * them, may hold (proxy/relay/fdroom.h), below most, the limit of open files. All shares and the
 * workers' own fds together fit it: the kernel counts fds in flight per user, and all workers have
 * the same one.
 */
void worker_pool_settings_fds(const struct config *c, uint64_t most, struct worker_settings *s);

/* Returns the fds that a worker may have open: nofile of worker_pool_settings_fds. */
uint64_t worker_pool_settings_nofile(const struct config *c);

/*
 * Returns the bytes of address space that a worker needs if every session of these routes uses all
 * that it may: twice as many as each route allows, since others may be ending.
 */
uint64_t worker_pool_settings_memory(const struct config *c);

/* Returns the file's fd, or -errno. monitors: pids of this one and earlier ones; 0: none. */
int worker_pool_settings_write(const struct config *c, const struct poem *poem,
                               const pid_t monitors[LIMIT_MONITORS])
    __attribute__((warn_unused_result));

#endif
