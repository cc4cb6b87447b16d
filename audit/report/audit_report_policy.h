/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The configurations that config records contain. Internal to the report. */
#ifndef POEMD_AUDIT_REPORT_AUDIT_REPORT_POLICY_H
#define POEMD_AUDIT_REPORT_AUDIT_REPORT_POLICY_H

#include <jansson.h>
#include <stdbool.h>

/* Maximum number of lines of one configuration in a report, of all its records. */
#define AUDIT_REPORT_LINES 65536u

/*
 * Adds a config record to the list of policies, of at most "most" entries. Returns false if out of
 * memory.
 */
bool audit_report_policy_add(json_t *policies, size_t most, const json_t *record)
    __attribute__((warn_unused_result));

#endif
