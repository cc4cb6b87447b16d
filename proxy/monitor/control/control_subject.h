/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The parts of the monitor that the control socket reports on and controls, all borrowed. */
#ifndef POEMD_PROXY_MONITOR_CONTROL_CONTROL_SUBJECT_H
#define POEMD_PROXY_MONITOR_CONTROL_CONTROL_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>

struct monitor_context;
struct monitor_session_table;
struct metrics;
struct reload;
struct upgrade;
struct route_table;
struct tracing;
struct worker_pool;

struct control_subject {
    const struct monitor_context *context;
    const struct route_table *routes;
    const struct monitor_session_table *sessions;
    struct worker_pool *workers;
    struct tracing *tracing;
    struct reload *reload;
    struct upgrade *upgrade;
    const struct metrics *metrics;       /* NULL if none are served */
    void (*stop)(void *arg, bool drain); /* stops the broker, or waits for its sessions first */
    void *stop_arg;
    uint64_t started_ms; /* the broker's start, by clock_ms */
};

#endif
