/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Maps that double their cells' width when a value is beyond their edge. Pure. */
#include "trace/report/stats_maps.h"

#include <string.h>

/* ---- a region's offsets ---- */

static void stats_maps_fold(uint64_t *cells)
{
    for (size_t i = 0; i < STATS_HEAT_CELLS / 2; i++) {
        cells[i] = cells[2 * i] + cells[2 * i + 1];
    }
    memset(cells + STATS_HEAT_CELLS / 2, 0, STATS_HEAT_CELLS / 2 * sizeof *cells);
}

void stats_heat_add(struct stats_heat *h, uint64_t offset, bool write)
{
    if (stats_heat_used(h) == 0 || offset < h->first) {
        h->first = offset;
    }
    if (offset > h->last) {
        h->last = offset;
    }
    while (offset >> h->shift >= STATS_HEAT_CELLS) {
        stats_maps_fold(h->reads);
        stats_maps_fold(h->writes);
        h->shift++;
    }
    (write ? h->writes : h->reads)[offset >> h->shift]++;
}

size_t stats_heat_used(const struct stats_heat *h)
{
    const size_t top = (size_t)(h->last >> h->shift);

    return h->reads[top] + h->writes[top] > 0 ? top + 1 : 0;
}

/* ---- time ---- */

void stats_time_init(struct stats_time *t)
{
    memset(t, 0, sizeof *t);
    t->width = STATS_TIME_WIDTH;
}

static void stats_maps_merge(struct stats_column *to, const struct stats_column *from)
{
    for (size_t i = 0; i < SIDES; i++) {
        to->messages[i] += from->messages[i];
    }
    to->errors += from->errors;
    to->lost += from->lost;
    for (size_t i = 0; i < STATS_TIME_ROWS; i++) {
        /* A full cell stays full; its colour has long been the darkest. */
        if (__builtin_add_overflow(to->latency[i], from->latency[i], &to->latency[i])) {
            to->latency[i] = UINT32_MAX;
        }
    }
}

static void stats_maps_halve(struct stats_time *t)
{
    for (size_t i = 0; i < STATS_TIME_COLUMNS / 2; i++) {
        if (i > 0) {
            t->columns[i] = t->columns[2 * i];
        }
        stats_maps_merge(&t->columns[i], &t->columns[2 * i + 1]);
    }
    memset(&t->columns[STATS_TIME_COLUMNS / 2], 0, (STATS_TIME_COLUMNS / 2) * sizeof *t->columns);
    t->width *= 2;
}

struct stats_column *stats_time_at(struct stats_time *t, uint64_t ns)
{
    while (ns / t->width >= STATS_TIME_COLUMNS) {
        stats_maps_halve(t);
    }
    return &t->columns[ns / t->width];
}

size_t stats_time_used(const struct stats_time *t)
{
    size_t n = STATS_TIME_COLUMNS;

    while (n > 0 &&
           t->columns[n - 1].messages[SIDE_CLIENT] + t->columns[n - 1].messages[SIDE_BACKEND] ==
               0) {
        n--;
    }
    return n;
}

void stats_column_reply(struct stats_column *c, uint64_t latency_ns)
{
    unsigned row = stats_histogram_step(latency_ns);

    if (row >= STATS_TIME_ROWS) {
        row = STATS_TIME_ROWS - 1;
    }
    if (c->latency[row] < UINT32_MAX) {
        c->latency[row]++;
    }
}

uint64_t stats_column_quantile(const struct stats_column *c, unsigned permille)
{
    uint64_t total = 0;
    uint64_t seen = 0;

    for (size_t i = 0; i < STATS_TIME_ROWS; i++) {
        total += c->latency[i];
    }
    for (unsigned i = 0; i < STATS_TIME_ROWS && total > 0; i++) {
        seen += c->latency[i];
        if (seen * 1000 >= total * permille) {
            return stats_histogram_step_low(i);
        }
    }
    return 0;
}
