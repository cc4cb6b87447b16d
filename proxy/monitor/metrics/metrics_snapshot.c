/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "proxy/monitor/metrics/metrics_snapshot.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sealed.h"
#include "base/sock.h"
#include "proxy/ipc/turn.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/tracing/tracing.h"
#include "proxy/monitor/workers/worker_pool.h"

/* Routes that are written at once, about 32 KiB. */
#define AT_ONCE 8

int metrics_snapshot_begin(struct metrics_snapshot *p)
{
    p->fd = memfd_create("poemd-metrics", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    p->next = 0;
    p->n = 0;
    p->ns = 0;
    return p->fd < 0 ? -errno : 0;
}

static int metrics_snapshot_write(const struct metrics_snapshot *p, const void *from, size_t n,
                                  uint64_t at)
{
    const ssize_t written = pwrite(p->fd, from, n, (off_t)at);

    return written == (ssize_t)n ? 0 : written < 0 ? -errno : -ENOSPC;
}

/* Writes some routes. Returns 1 if there are no more, 0, or -errno. */
static int metrics_snapshot_routes(struct metrics_snapshot *p, const struct metrics_subject *s)
{
    struct snapshot_route some[AT_ONCE];
    const struct route *r = route_from(s->routes, p->next);
    size_t n = 0;
    int err;

    for (; r && n < AT_ONCE; r = route_next(s->routes, r)) {
        metrics_count_route(&some[n++], r, s->workers);
        p->next = r->number + 1;
    }
    if (n == 0) {
        return 1;
    }
    err = metrics_snapshot_write(p, some, n * sizeof *some, snapshot_size(p->n, 0));
    p->n += n;
    return err;
}

static int metrics_snapshot_workers(const struct metrics_snapshot *p, const struct worker_pool *c)
{
    int err = 0;

    for (unsigned i = 0; !err && i < c->n; i++) {
        const struct worker_process *const w = &c->members[i];
        const struct snapshot_worker out = {
            .ready = w->ready, .sessions = w->sessions, .longest_turn_us = w->longest_turn_us};

        err = metrics_snapshot_write(p, &out, sizeof out, snapshot_size(p->n, i));
    }
    return err;
}

static void metrics_snapshot_captures(struct snapshot_broker *b, const struct tracing *tracing)
{
    struct tracing_totals all;

    tracing_sum(tracing, &all);
    b->captures = all.running;
    b->capture_messages = all.messages;
    b->capture_bytes = all.bytes;
    b->capture_lost = all.lost;
}

/* Returns the time of day, in seconds since the epoch, at which clock_ms() was then_ms. */
static uint64_t metrics_snapshot_time_of(uint64_t then_ms)
{
    return (uint64_t)time(NULL) - (clock_ms() - then_ms) / 1000;
}

static int metrics_snapshot_broker(const struct metrics_snapshot *p,
                                   const struct metrics_subject *s,
                                   const struct metrics_counts *counts)
{
    const struct audit_writer *const audit = &s->context->audit_writer;
    struct snapshot_broker b = {.routes = p->n,
                                .workers = s->workers->n,
                                .started_s = metrics_snapshot_time_of(s->started_ms),
                                .epoch_ns = (uint64_t)clock_time_ns() - clock_ns(),
                                .most = s->context->config->max_sessions,
                                .draining = s->context->draining,
                                .workers_gone = counts->workers_gone,
                                .longest_turn_us = turn_longest_us(),
                                .snapshot_us = p->last_us,
                                .audit = audit_writer_on(audit),
                                .audit_failing = audit->failing,
                                .audit_failures = audit->failures};

    if (audit_writer_on(audit)) {
        b.audit_records = audit_log_size(audit->log);
    }
    metrics_snapshot_captures(&b, s->tracing);
    return metrics_snapshot_write(p, &b, sizeof b, 0);
}

int metrics_snapshot_go_on(struct metrics_snapshot *p, const struct metrics_subject *s,
                           const struct metrics_counts *counts)
{
    const uint64_t began = clock_ns();
    int r = 0;

    while (r == 0 && !turn_is_long()) {
        r = metrics_snapshot_routes(p, s);
    }
    if (r == 1) {
        const int err = metrics_snapshot_workers(p, s->workers);

        r = err ? err : metrics_snapshot_broker(p, s, counts);
        r = r ? r : sealed_seal(p->fd);
        r = r == 0 ? 1 : r;
    }
    p->ns += clock_ns() - began;
    if (r != 0) {
        p->last_us = p->ns / 1000;
    }
    if (r < 0) {
        sock_close(&p->fd);
    }
    return r;
}
