/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Statistics as text: tables for everybody, pictures for terminals. */
#ifndef POEMD_TRACE_REPORT_STATS_TEXT_H
#define POEMD_TRACE_REPORT_STATS_TEXT_H

#include <stdio.h>

#include "trace/report/stats_json.h"

struct stats_canvas {
    unsigned width; /* columns of the terminal that is drawn on; 0 if none, only tables */
    bool utf8;      /* it shows block characters; false: ASCII */
};

/* Writes it all, after stats_finish. Whether it could be written is ferror(f). */
void stats_text(const struct stats *s, const struct stats_about *about,
                const struct stats_canvas *canvas, FILE *f);

/* A duration for people: "812 ns", "3.41 us", "12.0 ms", "5.20 s". Returns out. */
const char *stats_duration(uint64_t ns, char *out, size_t n);

#endif
