/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Prints statistics as text: tables, and pictures if the output is a terminal. */
#ifndef POEMD_TRACE_REPORT_STATS_TEXT_H
#define POEMD_TRACE_REPORT_STATS_TEXT_H

#include <stdio.h>

#include "trace/report/stats_json.h"

struct stats_canvas {
    unsigned width; /* columns of the terminal; 0: only tables */
    bool utf8;      /* draw with block characters; false: ASCII */
};

/* Prints all of it, after stats_finish. ferror(f) is set if writing failed. */
void stats_text(const struct stats *s, const struct stats_about *about,
                const struct stats_canvas *canvas, FILE *f);

/* Formats a duration for people: "812 ns", "3.41 us", "12.0 ms", "5.20 s". Returns out. */
const char *stats_duration(uint64_t ns, char *out, size_t n);

#endif
