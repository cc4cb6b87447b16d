/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Makes a snapshot in as many turns of the loop as that takes. */
#ifndef POEMD_PROXY_MONITOR_METRICS_METRICS_SNAPSHOT_H
#define POEMD_PROXY_MONITOR_METRICS_METRICS_SNAPSHOT_H

#include <stdbool.h>

#include "proxy/monitor/metrics/metrics_count.h"

struct metrics_snapshot {
    int fd;           /* the file in memory, or -1: none is under way */
    unsigned next;    /* number of the next route */
    uint64_t n;       /* routes that are in it */
    uint64_t ns;      /* time that it has taken so far */
    uint64_t last_us; /* … that the last one took */
};

/* Begins a snapshot. Returns 0 or -errno. */
int metrics_snapshot_begin(struct metrics_snapshot *p) __attribute__((warn_unused_result));

/*
 * Goes on with it until the turn is long. Returns 1 if it is complete in p->fd, which the caller
 * then takes, 0 if it is not, or -errno: then there is none.
 */
int metrics_snapshot_go_on(struct metrics_snapshot *p, const struct metrics_subject *s,
                           const struct metrics_counts *counts) __attribute__((warn_unused_result));

#endif
