/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#ifndef POEMD_PROXY_MONITOR_METRICS_METRICS_SUBJECT_H
#define POEMD_PROXY_MONITOR_METRICS_METRICS_SUBJECT_H

#include <stdint.h>

struct monitor_context;
struct monitor_session_table;
struct route_table;
struct tracing;
struct worker_pool;

/* The parts of the monitor that have figures, all borrowed. */
struct metrics_subject {
    struct monitor_context *context;
    struct route_table *routes;
    struct monitor_session_table *sessions;
    struct worker_pool *workers;
    const struct tracing *tracing;
    uint64_t started_ms; /* the broker's start, by clock_ms */
};

#endif
