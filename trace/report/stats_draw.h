/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Draws statistics as pictures of characters, for stats_text only. */
#ifndef POEMD_TRACE_REPORT_STATS_DRAW_H
#define POEMD_TRACE_REPORT_STATS_DRAW_H

#include <stdbool.h>
#include <stdio.h>

#include "trace/report/stats.h"

struct stats_canvas {
    unsigned width; /* columns of the terminal; 0: only tables */
    bool utf8;      /* draw with block characters; false: ASCII */
};

/* Draws the histogram of latencies and a map of each region, on a canvas with a width. */
void stats_draw(const struct stats *s, const struct stats_canvas *c, FILE *f);

#endif
