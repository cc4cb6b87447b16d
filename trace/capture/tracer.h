/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The tracer: a process without rights that takes captured messages out of the workers' rings and
 * writes them to files that it has been handed open.
 *
 * The monitor re-executes its own program as { TRACER_NAME, TRACER_ARG } with two fds: its end of
 * the channel, and a file that holds a struct tracer_start. What they say to each other is in
 * trace/capture/tracer_channel.h. It waits for disks and pipes; nobody waits for it.
 */
#ifndef POEMD_TRACE_CAPTURE_TRACER_H
#define POEMD_TRACE_CAPTURE_TRACER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"

/* argv[0] of a tracer as ps shows it, and argv[1], by which main knows it. */
#define TRACER_NAME "poemd: tracer"
#define TRACER_ARG "--tracer"

#define TRACER_CHANNEL_FD 3
#define TRACER_START_FD 4

struct tracer_start {
    enum log_level log_level;
    uid_t uid; /* whom to become, where the monitor is root */
    gid_t gid;
    uint32_t zero;   /* where there would be padding: it is written as it is */
    uint64_t nofile; /* fds it may have open */
    uint64_t memory; /* bytes of address space */
};

/* The tracer's whole life. Returns the exit status. */
int tracer_main(void);

#endif
