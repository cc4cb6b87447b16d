/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Keeps the excerpts of a trace's sequence in struct stats. Pure. */
#ifndef POEMD_TRACE_REPORT_STATS_EXCERPTS_H
#define POEMD_TRACE_REPORT_STATS_EXCERPTS_H

#include "trace/report/stats.h"

/* Takes the next message; slowest: it is the slowest reply so far. */
void stats_excerpts_add(struct stats_excerpts *e, const struct stats_step *step, bool slowest);

/* Returns the i-th of the n_tail messages at the end, oldest first. */
const struct stats_step *stats_excerpts_tail(const struct stats_excerpts *e, size_t i);

#endif
