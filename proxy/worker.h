/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A relay worker: the process between two peers.
 *
 * The monitor re-executes its own program as { WORKER_NAME, WORKER_ARG } with two fds: its end of
 * the channel, and a file that holds a struct worker_settings with the poem's bytes behind it.
 */
#ifndef POEMD_PROXY_WORKER_H
#define POEMD_PROXY_WORKER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"
#include "handshake/recital.h"

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
    uint32_t fd_share;  /* of peers' fds, for each session (proxy/fdroom.h) */
    uint32_t fd_spare;  /* … for all sessions of the worker beside that */
    uint32_t poem_size; /* bytes that follow */
};

/* The worker's whole life. Returns the exit status. */
int worker_main(void);

#endif
