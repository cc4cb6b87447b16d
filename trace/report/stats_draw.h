/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Draws statistics as pictures of characters, for stats_text only. */
#ifndef POEMD_TRACE_REPORT_STATS_DRAW_H
#define POEMD_TRACE_REPORT_STATS_DRAW_H

#include "trace/report/stats_text.h"

/* Draws the histogram of latencies and a map of each region, on a canvas with a width. */
void stats_draw(const struct stats *s, const struct stats_canvas *c, FILE *f);

/* Formats "nvme0 BAR0", escaped, or "other regions" if there is no route. Returns out. */
const char *stats_region_label(const struct stats_region *r, char *out, size_t n);

#endif
