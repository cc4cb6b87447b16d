/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Selects the messages that are kept one by one. Pure. */
#include "trace/report/stats_excerpts.h"

#include <string.h>

/* The excerpt round the slowest reply has as many messages before it as behind it. */
#define BEFORE (STATS_EXCERPT / 2)

/* Returns the i-th newest message, 0 being the newest. */
static const struct stats_step *stats_excerpts_newest(const struct stats_excerpts *e, size_t i)
{
    return &e->tail[(e->at + STATS_EXCERPT - 1 - i) % STATS_EXCERPT];
}

static void stats_excerpts_restart_slow(struct stats_excerpts *e)
{
    const size_t n = e->n_tail < BEFORE ? e->n_tail : BEFORE;

    for (size_t i = 0; i < n; i++) {
        e->slow[i] = *stats_excerpts_newest(e, n - 1 - i);
    }
    e->n_slow = n;
    e->to_come = STATS_EXCERPT - n;
}

void stats_excerpts_add(struct stats_excerpts *e, const struct stats_step *step, bool slowest)
{
    if (e->n_head < STATS_EXCERPT) {
        e->head[e->n_head++] = *step;
    }
    if (slowest) {
        stats_excerpts_restart_slow(e);
    }
    if (e->to_come > 0) {
        e->slow[e->n_slow++] = *step;
        e->to_come--;
    }
    e->tail[e->at] = *step;
    e->at = (e->at + 1) % STATS_EXCERPT;
    if (e->n_tail < STATS_EXCERPT) {
        e->n_tail++;
    }
}

const struct stats_step *stats_excerpts_tail(const struct stats_excerpts *e, size_t i)
{
    return stats_excerpts_newest(e, e->n_tail - 1 - i);
}
