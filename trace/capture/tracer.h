/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The tracer: a process without privileges that reads captured messages from the workers' rings and
 * writes them to files that it received open.
 *
 * The monitor re-executes its own program as { TRACER_NAME, TRACER_ARG } with two fds: one end of
 * the channel, and a file with a struct tracer_start. trace/capture/tracer_channel.h defines their
 * messages. It waits for disks and pipes; no other process waits for it.
 */
#ifndef POEMD_TRACE_CAPTURE_TRACER_H
#define POEMD_TRACE_CAPTURE_TRACER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"

/* argv[0] of a tracer, as ps shows it, and argv[1], by which main recognises it. */
#define TRACER_NAME "poemd-tracer"
#define TRACER_ARG "--tracer"

#define TRACER_CHANNEL_FD 3
#define TRACER_START_FD 4

struct tracer_start {
    enum log_level log_level;
    uid_t uid; /* user to become, if the monitor is root */
    gid_t gid;
    uint32_t zero;   /* fills the padding, since the structure is written as bytes */
    uint64_t nofile; /* limit of open fds */
    uint64_t memory; /* limit of address space, in bytes */
};

/* Runs the tracer. Returns the exit status. */
int tracer_main(void);

#endif
