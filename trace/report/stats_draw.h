/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Statistics as pictures of characters, for stats_text alone. */
#ifndef POEMD_TRACE_REPORT_STATS_DRAW_H
#define POEMD_TRACE_REPORT_STATS_DRAW_H

#include "trace/report/stats_text.h"

/* The histogram of latencies, and a map of each region, on a canvas with a width. */
void stats_draw(const struct stats *s, const struct stats_canvas *c, FILE *f);

/* "nvme0 BAR0", escaped; "other regions" of no route. Returns out. */
const char *stats_region_label(const struct stats_region *r, char *out, size_t n);

#endif
