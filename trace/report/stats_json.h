/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Writes statistics as JSON, and as a page for a browser. The size of both is bounded, whatever the
 * trace's.
 */
#ifndef POEMD_TRACE_REPORT_STATS_JSON_H
#define POEMD_TRACE_REPORT_STATS_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "trace/report/stats.h"

/* Facts shown beside the counts. */
struct stats_about {
    const char *file;   /* as given on the command line; foreign */
    const char *filter; /* NULL if none */
    const char *broken; /* why the trace ends early; NULL: it is whole */
};

/*
 * Returns the object that poemctl-trace-stats(1) describes, a new reference, or NULL if memory runs
 * out; call it after stats_finish. detail adds the data of plots: the map of latency over time, and
 * the excerpts.
 */
json_t *stats_json(const struct stats *s, const struct stats_about *about, bool detail)
    __attribute__((warn_unused_result));

/*
 * Writes a self-contained page that loads nothing: the object of stats_json with its details, and
 * the script that draws it. Returns 0, -ENOMEM, or -EIO with the cause in f.
 */
int stats_html(const struct stats *s, const struct stats_about *about, FILE *f)
    __attribute__((warn_unused_result));

#endif
