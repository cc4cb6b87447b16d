/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Two maps of constant size: the offsets accessed in a region, and latency over time. A value
 * beyond a map's edge doubles the width of its cells, merging two into one, as often as needed.
 * Pure.
 */
#ifndef POEMD_TRACE_REPORT_STATS_MAPS_H
#define POEMD_TRACE_REPORT_STATS_MAPS_H

#include <stddef.h>
#include <stdint.h>

#include "trace/file/message.h"
#include "trace/report/stats_histogram.h"

/* ---- a region's offsets ---- */

#define STATS_HEAT_CELLS 256u

struct stats_heat {
    unsigned shift; /* a cell is 1 << shift bytes wide */
    uint64_t reads[STATS_HEAT_CELLS];
    uint64_t writes[STATS_HEAT_CELLS];
    uint64_t first; /* lowest and highest offset accessed */
    uint64_t last;
};

/* Counts an access at its first byte. */
void stats_heat_add(struct stats_heat *h, uint64_t offset, bool write);

/* Number of cells in use: all later ones are 0. */
size_t stats_heat_used(const struct stats_heat *h);

/* ---- time ---- */

#define STATS_TIME_COLUMNS 240u

/*
 * Rows are steps of stats_histogram.h, up to 2^44 ns, nearly five hours; longer latencies are
 * counted in the last one.
 */
#define STATS_TIME_ROWS 152u

/* A column's initial width, in nanoseconds. */
#define STATS_TIME_WIDTH 1000u

struct stats_column {
    uint64_t messages[SIDES];
    uint64_t errors;
    uint64_t lost;
    uint32_t latency[STATS_TIME_ROWS]; /* replies */
};

struct stats_time {
    uint64_t width; /* of a column, in nanoseconds */
    struct stats_column columns[STATS_TIME_COLUMNS];
};

void stats_time_init(struct stats_time *t);

/* Returns the column for a time since the beginning, in nanoseconds. Other columns may move. */
struct stats_column *stats_time_at(struct stats_time *t, uint64_t ns);

/* Number of columns in use. */
size_t stats_time_used(const struct stats_time *t);

void stats_column_reply(struct stats_column *c, uint64_t latency_ns);

/* Like stats_histogram_quantile, but returns the lower end of a step (19 % wide); 0 if empty. */
uint64_t stats_column_quantile(const struct stats_column *c, unsigned permille);

#endif
