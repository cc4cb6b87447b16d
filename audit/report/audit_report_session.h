/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The parts of a report that a single record determines. Internal to the report. Pure. */
#ifndef POEMD_AUDIT_REPORT_AUDIT_REPORT_SESSION_H
#define POEMD_AUDIT_REPORT_AUDIT_REPORT_SESSION_H

#include <jansson.h>
#include <stdbool.h>

/*
 * Returns the word for the part that a party has in a verdict: an entry of
 * audit_report_findings, or the record's own verdict if that is another word.
 */
const char *audit_report_finding(const json_t *record, const char *role);

/* Returns a list of those words, objects of name and meaning, or NULL if out of memory. */
json_t *audit_report_findings(void) __attribute__((warn_unused_result));

/* Returns a party's own letters in a record of a verdict or an end; "" if they are not recorded. */
const char *audit_report_taint_of(const json_t *record, const char *role);

/* Returns true if the record does not attribute its verdict or letters to a party. */
bool audit_report_unattributed(const json_t *record);

/* Returns a verdict as an object of the report, or NULL if out of memory. */
json_t *audit_report_session(const json_t *record) __attribute__((warn_unused_result));

/* Adds a session's end to that object. Returns false if out of memory. */
bool audit_report_session_end(json_t *session, const json_t *record)
    __attribute__((warn_unused_result));

#endif
