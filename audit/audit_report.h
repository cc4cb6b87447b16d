/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What an audit log says, for a person: by executable, which licence, on what evidence, with which
 * verdicts. FORMAT.audit, section 10. Made while the log is verified; memory grows with the number
 * of executables, not with the log.
 */
#ifndef POEMD_AUDIT_AUDIT_REPORT_H
#define POEMD_AUDIT_AUDIT_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "audit/audit_verify.h"

/* Executables that are told apart; whatever comes after them is one row, "others". */
#define AUDIT_REPORT_ROWS 10000u

/* Licences, routes, and so on that are named in one row; the others are left out and counted. */
#define AUDIT_REPORT_NAMES 32u

/*
 * Reads the log; q's on_line is not looked at, and its key may be NULL: nothing is verified then.
 * Returns the report as JSON, a new reference, or NULL without memory. *verified is what verifying
 * found: the report is of what was read until then.
 */
json_t *audit_report_make(const struct audit_question *q, struct audit_result *verified)
    __attribute__((warn_unused_result));

/* The report in other forms; all text in it is escaped. 0, or -1: it could not be written. */
int audit_report_text(const json_t *report, FILE *f);
int audit_report_csv(const json_t *report, FILE *f);
int audit_report_html(const json_t *report, FILE *f);

#endif
