/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Statistics as they are told: as JSON, and as a page for a browser. Both are of bounded size,
 * whatever the trace's.
 */
#ifndef POEMD_TRACE_REPORT_STATS_JSON_H
#define POEMD_TRACE_REPORT_STATS_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "trace/report/stats.h"

/* What is told beside the counts. */
struct stats_about {
    const char *file;   /* as it was named; foreign */
    const char *filter; /* NULL if none */
    const char *broken; /* why the trace ends where it does; NULL: it is whole */
};

/*
 * The object that poemctl-trace-stats(1) describes; after stats_finish. detail: also what only
 * plots need, the map of latency over time and the excerpts. A new reference; NULL: no memory.
 */
json_t *stats_json(const struct stats *s, const struct stats_about *about, bool detail)
    __attribute__((warn_unused_result));

/*
 * Writes one page that needs nothing else and loads nothing: the object of stats_json with its
 * details inside, and the script that draws it. 0; -ENOMEM; -EIO: f says why.
 */
int stats_html(const struct stats *s, const struct stats_about *about, FILE *f)
    __attribute__((warn_unused_result));

#endif
