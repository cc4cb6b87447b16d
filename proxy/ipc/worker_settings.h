/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * How the monitor starts a worker: its program's arguments, its fds, and the file of settings.
 */
#ifndef POEMD_PROXY_IPC_WORKER_SETTINGS_H
#define POEMD_PROXY_IPC_WORKER_SETTINGS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"

/* argv[0] of a worker as ps shows it, and argv[1], by which main knows it. */
#define WORKER_NAME "poemd: relay worker"
#define WORKER_ARG "--relay-worker"

#define WORKER_CHANNEL_FD 3
#define WORKER_SETTINGS_FD 4

struct worker_settings {
    enum log_level log_level;
    uid_t uid; /* whom to become, where the monitor is root */
    gid_t gid;
    uint64_t nofile;    /* fds it may have open */
    uint64_t memory;    /* bytes of address space */
    uint32_t fd_share;  /* of peers' fds, for each session (proxy/relay/fdroom.h) */
    uint32_t fd_spare;  /* … for all sessions of the worker beside that */
    uint32_t poem_size; /* bytes that follow */
};

#endif
