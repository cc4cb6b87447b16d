/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Prints statistics as text: tables, and pictures if the output is a terminal. */
#ifndef POEMD_TRACE_REPORT_STATS_TEXT_H
#define POEMD_TRACE_REPORT_STATS_TEXT_H

#include <stdio.h>

#include "trace/report/stats_draw.h"
#include "trace/report/stats_json.h"

/* Prints all of it, after stats_finish. ferror(f) is set if writing failed. */
void stats_text(const struct stats *s, const struct stats_about *about,
                const struct stats_canvas *canvas, FILE *f);

/*
 * Prints one line without its end: sessions, messages, errors, and the slowest command, as after an
 * interrupted capture.
 */
void stats_text_line(const struct stats *s, FILE *f);

#endif
