/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Counts of sessions, as a line of the log and as a record. */
#ifndef POEMD_PROXY_MONITOR_ROUTES_REPEATS_REPORT_H
#define POEMD_PROXY_MONITOR_ROUTES_REPEATS_REPORT_H

#include <jansson.h>
#include <stdint.h>

struct repeats_peer;

/* Logs the counts. */
void repeats_report_log(const struct repeats_peer *p, uint64_t now_ms);

/* Returns the fields of sessions-repeated, a new reference, or NULL if out of memory. */
json_t *repeats_report_record(const struct repeats_peer *p) __attribute__((warn_unused_result));

#endif
