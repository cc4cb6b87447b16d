/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Counters that only metrics have. */
#ifndef POEMD_PROXY_MONITOR_METRICS_METRICS_COUNT_H
#define POEMD_PROXY_MONITOR_METRICS_METRICS_COUNT_H

#include "proxy/exporter/snapshot.h"
#include "proxy/monitor/metrics/metrics_subject.h"

struct route;

/* The broker's. */
struct metrics_counts {
    uint64_t workers_gone;
    struct route_table *routes; /* borrowed, as are … */
    struct worker_pool *workers;
};

/* Counts from now on; counts must live as long as the subject. Returns 0 or -ENOMEM. */
int metrics_count_init(struct metrics_counts *counts, const struct metrics_subject *s)
    __attribute__((warn_unused_result));

/* Fills in the figures of a route, its sessions included. */
void metrics_count_route(struct snapshot_route *out, const struct route *r,
                         const struct worker_pool *workers);

#endif
