/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Writes a trace as a database of sqlite: trace_schema.sql, poemctl-trace-stats(1). */
#ifndef POEMD_CTL_TRACE_TRACE_DATABASE_H
#define POEMD_CTL_TRACE_TRACE_DATABASE_H

/*
 * Reads the trace file and writes those of its messages that match the filter (NULL: all) to the
 * file `out`, which must not exist. Reports errors under the name of the action. Returns an exit
 * code.
 */
int trace_database_write(const char *action, const char *file, const char *filter, const char *out)
    __attribute__((warn_unused_result));

#endif
