/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A relay worker: the process between two peers.
 *
 * The monitor re-executes its own program with these arguments; fd WORKER_CHANNEL_FD is the
 * channel.
 */
#ifndef POEMD_PROXY_WORKER_H
#define POEMD_PROXY_WORKER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"

/* argv[0] of a worker as ps shows it, and argv[1], by which main knows it. */
#define WORKER_NAME "poemd: relay worker"
#define WORKER_ARG "--relay-worker"
#define WORKER_CHANNEL_FD 3

/* What a worker is told when it is started; travels as arguments, in this order, as numbers. */
struct worker_settings {
    enum log_level log_level;
    uid_t uid;
    gid_t gid;
    uint64_t nofile;
};

/* The worker's whole life. Returns the exit status. argv as the monitor made it. */
int worker_main(int argc, char **argv);

#endif
