/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Copies a device's standard output and error, line by line, into the log.
 *
 * Lines are escaped, cut at LIMIT_OUTPUT_LINE bytes, and at most LIMIT_OUTPUT_RATE a second. Output
 * above that is read and discarded, and the number of lines lost is logged, so that the device
 * never waits for the log and nothing grows. A device that keeps writing is read in pauses, which
 * bounds its cost for the monitor, too.
 */
#ifndef POEMD_PROXY_MONITOR_DEVICES_OUTPUT_H
#define POEMD_PROXY_MONITOR_DEVICES_OUTPUT_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"

/* The allowance of lines, of one device or several. */
struct output_rate {
    unsigned left;     /* for the current second */
    uint64_t since_ms; /* when left was set */
};

struct output {
    int fd; /* a pipe's reading end, owned; -1: closed */
    const char *route;
    pid_t pid;
    struct event readable;
    struct event resume;
    size_t n;                 /* bytes of the line so far */
    bool cut;                 /* the line is longer, and its rest is dropped */
    struct output_rate *rate; /* borrowed */
    uint64_t lost;            /* lines left out since the last one logged */
    char line[LIMIT_OUTPUT_LINE];
};

/*
 * Takes the non-blocking pipe; borrows route and rate for its life. Returns 0 or -errno; fd is
 * closed on an error.
 */
int output_init_take(struct output *o, struct event_base *base, int fd, const char *route,
                     pid_t pid, struct output_rate *rate) __attribute__((warn_unused_result));

/* Logs what remains, up to one turn's reading, and closes the pipe. */
void output_deinit(struct output *o);

#endif
