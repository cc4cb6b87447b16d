/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Summarises an audit log for people: by executable, its licence, the evidence and the verdicts.
 * FORMAT.audit, section 10. Made while the log is verified; memory grows with the number of
 * executables, not with the log.
 */
#ifndef POEMD_AUDIT_REPORT_AUDIT_REPORT_H
#define POEMD_AUDIT_REPORT_AUDIT_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "audit/audit_verify.h"

/*
 * Maximum number of separate executables; all later ones share one row, "others". And of sessions
 * listed one by one: the latest.
 */
#define AUDIT_REPORT_ROWS 10000u

/* Maximum number of licences, routes and so on named in one row; others are only counted. */
#define AUDIT_REPORT_NAMES 32u

/*
 * Reads the log; ignores q's on_line. If q's key is NULL, nothing is verified. Returns a new
 * reference to the report as JSON, or NULL if out of memory. *verified is the result of the
 * verification: the report covers the records read until then.
 */
json_t *audit_report_make(const struct audit_question *q, struct audit_result *verified)
    __attribute__((warn_unused_result));

/* Write the report in other forms; all text in it is escaped. Return 0, or -1 if writing failed. */
int audit_report_text(const json_t *report, FILE *f);
int audit_report_csv(const json_t *report, FILE *f);

/*
 * legend explains the words of the report: "letters", a list of objects with letter, meaning and
 * observation (true if it is not a fault), and "grades", one with grade and meaning.
 */
int audit_report_html(const json_t *report, const json_t *legend, FILE *f);

#endif
