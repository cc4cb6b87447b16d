/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#include "proxy/monitor/metrics/metrics_count.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/monitor/devices/spawn.h"
#include "proxy/monitor/facts/verdict_facts.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/workers/worker_pool.h"

/* ---- events ---- */

static void metrics_count_on_route(void *arg, struct route *r, bool *bad)
{
    (void)arg;
    r->metrics = calloc(1, sizeof *r->metrics);
    *bad = *bad || !r->metrics;
}

static void metrics_count_on_route_ended(void *arg, struct route *r)
{
    const struct metrics_counts *const counts = arg;

    for (unsigned i = 0; i < counts->workers->n; i++) {
        worker_tallies_give_back(counts->workers->members[i].tallies, r->number);
    }
    free(r->metrics);
    r->metrics = NULL;
}

static void metrics_count_on_decided(void *arg, struct monitor_session *t,
                                     const struct verdict_facts *facts)
{
    const struct rules_verdict *const v = &facts->verdict;

    (void)arg;
    if (t->route->metrics) {
        t->route->metrics
            ->verdicts[v->verdict][v->decided ? 1 + v->about : 0][v->decided ? v->party : 0]++;
    }
}

static void metrics_count_taints(uint64_t taints[TAINT_COUNT], const struct monitor_session *t)
{
    for (unsigned i = 0; i < TAINT_COUNT; i++) {
        taints[i] += ((t->taint | t->observed) >> i) & 1;
    }
}

static void metrics_count_on_ended(void *arg, struct monitor_session *t, enum session_reason reason,
                                   const struct ipc_ended *what)
{
    struct snapshot_counts *const m = t->route->metrics;

    (void)arg;
    if (what && what->err != 0) {
        route_count_refusal(t->route, (int)what->err);
    }
    if (!m) {
        return;
    }
    m->ended[reason]++;
    metrics_count_taints(m->taints, t);
}

/* Keeps what a worker has counted that has ended. */
static void metrics_count_on_worker_silent(void *arg, struct worker_process *w)
{
    const struct metrics_counts *const counts = arg;

    for (struct route *r = route_from(counts->routes, 0); r; r = route_next(counts->routes, r)) {
        if (r->metrics) {
            worker_tallies_add(w->tallies, r->number, &r->metrics->tally);
        }
    }
}

static void metrics_count_on_worker_gone(void *arg, struct worker_process *w, bool was_ready)
{
    struct metrics_counts *const counts = arg;

    (void)w;
    (void)was_ready;
    counts->workers_gone++;
}

int metrics_count_init(struct metrics_counts *counts, const struct metrics_subject *s)
{
    static const struct route_events of_routes = {.begun = metrics_count_on_route,
                                                  .ended = metrics_count_on_route_ended};
    static const struct monitor_session_events of_sessions = {.decided = metrics_count_on_decided,
                                                              .ended = metrics_count_on_ended};
    static const struct worker_pool_events of_workers = {.silent = metrics_count_on_worker_silent,
                                                         .gone = metrics_count_on_worker_gone};

    counts->routes = s->routes;
    counts->workers = s->workers;
    monitor_session_observe(s->sessions, &of_sessions, counts);
    worker_pool_observe(s->workers, &of_workers, counts);
    return route_table_observe(s->routes, &of_routes, counts) ? 0 : -ENOMEM;
}

/* ---- snapshots ---- */

static void metrics_count_sessions(struct snapshot_route *out, const struct route *r)
{
    const struct monitor_session *t;

    TAILQ_FOREACH(t, &r->monitor_sessions, route_link)
    {
        out->sessions[t->state]++;
        out->holding += t->hold != NULL;
        metrics_count_taints(out->counts.taints, t);
    }
}

void metrics_count_route(struct snapshot_route *out, const struct route *r,
                         const struct worker_pool *workers)
{
    memset(out, 0, sizeof *out);
    snprintf(out->name, sizeof out->name, "%s", r->config->name);
    if (r->metrics) {
        out->counts = *r->metrics;
    }
    metrics_count_sessions(out, r);
    for (unsigned i = 0; i < workers->n; i++) {
        worker_tallies_add(workers->members[i].tallies, r->number, &out->counts.tally);
    }
    out->listening = r->listener != NULL;
    out->most = r->config->sessions;
    out->begun = r->begun;
    out->resumed = r->resumed;
    for (unsigned i = 0; i < ROUTE_ERRNOS && i < SNAPSHOT_ERRNOS; i++) {
        out->refusals[i].err = (uint64_t)r->refusals[i].err;
        out->refusals[i].times = r->refusals[i].times;
    }
    out->overdue = r->overdue;
    out->lost = r->held;
    out->stall_ms = r->held_ms;
    out->replaced = r->replaced;
    out->replacements = r->replacements;
    out->pause_us = r->pause_us;
    out->rejected = r->rejected;
    if (r->spawn) {
        struct spawn_health h;

        spawn_health(r->spawn, &h);
        out->failures = h.failures;
    }
}
