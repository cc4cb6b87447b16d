/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What a device process writes to its standard output and error, line by line into the log.
 *
 * Escaped, each line cut at LIMIT_OUTPUT_LINE bytes, at most LIMIT_OUTPUT_RATE a second. What is
 * above that is read and thrown away, and how much it was is said; so that neither the device waits
 * for the log nor does anything grow. A device that goes on is read from in pauses: what it costs
 * the monitor is bounded, too.
 */
#ifndef POEMD_PROXY_MONITOR_DEVICES_OUTPUT_H
#define POEMD_PROXY_MONITOR_DEVICES_OUTPUT_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"

/* Lines that may be logged, of one device or several. */
struct output_rate {
    unsigned left;     /* now */
    uint64_t since_ms; /* when left was counted */
};

struct output {
    int fd; /* a pipe's reading end, owned; -1: closed */
    const char *route;
    pid_t pid;
    struct event readable;
    struct event resume;
    size_t n;                 /* bytes of the line so far */
    bool cut;                 /* the line is longer: the rest is not kept */
    struct output_rate *rate; /* borrowed */
    uint64_t lost;            /* lines that were left out since the last one that was logged */
    char line[LIMIT_OUTPUT_LINE];
};

/* Takes the pipe, non-blocking; route and rate are borrowed for its life. 0 or -errno: fd is closed
 * then. */
int output_init_take(struct output *o, struct event_base *base, int fd, const char *route,
                     pid_t pid, struct output_rate *rate) __attribute__((warn_unused_result));

/* Logs what is still there, as much as one turn reads, and closes the pipe. */
void output_deinit(struct output *o);

#endif
