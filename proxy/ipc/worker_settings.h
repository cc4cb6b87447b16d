/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The start of a worker by the monitor: its arguments, its fds, and the file of settings. */
#ifndef POEMD_PROXY_IPC_WORKER_SETTINGS_H
#define POEMD_PROXY_IPC_WORKER_SETTINGS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"
#include "base/log.h"

/* argv[0] of a worker, as shown by ps, and argv[1], by which main recognizes it. */
#define WORKER_NAME "poemd-worker"
#define WORKER_ARG "--relay-worker"

#define WORKER_CHANNEL_FD 3
#define WORKER_SETTINGS_FD 4
#define WORKER_PAGES_FD 5 /* session_page.h */

struct worker_settings {
    enum log_level log_level;
    uid_t uid; /* to run as, if the monitor is root */
    gid_t gid;
    uint64_t nofile;                /* maximum number of open fds … */
    uint64_t nofile_most;           /* … to which the monitor may raise it, after a reload */
    uint64_t memory;                /* bytes of address space … */
    uint64_t memory_most;           /* … likewise */
    uint32_t fd_share;              /* each session's share of peers' fds (proxy/relay/fdroom.h) */
    uint32_t fd_spare;              /* … further ones for all sessions of the worker */
    uint32_t orphan_ms;             /* until the first IPC_PING */
    pid_t monitors[LIMIT_MONITORS]; /* this one and earlier ones; 0: none */
    uint32_t poem_size;             /* bytes that follow */
};

#endif
