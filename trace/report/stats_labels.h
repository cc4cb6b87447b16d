/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Times and regions as words, for tables and pictures. */
#ifndef POEMD_TRACE_REPORT_STATS_LABELS_H
#define POEMD_TRACE_REPORT_STATS_LABELS_H

#include <stddef.h>
#include <stdint.h>

#include "trace/report/stats.h"

/* Formats a duration for people: "812 ns", "3.41 us", "12.0 ms", "5.20 s". Returns out. */
const char *stats_duration(uint64_t ns, char *out, size_t n);

/* Formats "nvme0 BAR0", escaped, or "other regions" if there is no route. Returns out. */
const char *stats_region_label(const struct stats_region *r, char *out, size_t n);

#endif
