/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reports: what is counted, and that nothing foreign gets through as it is. */
#define _GNU_SOURCE
#include "audit/report/audit_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/audit/audit_rig.h"

static json_t *report_of(struct audit_result *r)
{
    const char *const file = rig_log();
    const struct audit_question q = {.files = &file, .n = 1};
    json_t *const report = audit_report_make(&q, r);

    ck_assert_ptr_nonnull(report);
    return report;
}

static int page(const json_t *report, FILE *f)
{
    json_t *const legend = json_pack("{s:[], s:[]}", "letters", "grades");
    const int err = audit_report_html(report, legend, f);

    json_decref(legend);
    return err;
}

/* A form's text, to be freed. */
static char *form(int (*print)(const json_t *, FILE *), const json_t *report)
{
    char *text = NULL;
    size_t n;
    FILE *const f = open_memstream(&text, &n);

    ck_assert_int_eq(print(report, f), 0);
    fclose(f);
    return text;
}

static json_int_t number(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

START_TEST(by_executable)
{
    struct audit_result r;
    const json_t *rows;
    const json_t *row;
    json_t *report;

    rig_make(50, 0);
    report = report_of(&r);
    rows = json_object_get(report, "executables");
    ck_assert_uint_eq(json_array_size(rows), 2);
    row = json_array_get(rows, 0);
    ck_assert_str_eq(json_string_value(json_object_get(row, "role")), "client");
    ck_assert_str_eq(json_string_value(json_object_get(row, "path")), "/usr/bin/qemu");
    ck_assert_int_eq(number(row, "sessions"), 5);
    ck_assert_int_eq(number(json_object_get(row, "verdicts"), "unattributed"), 5);
    ck_assert_int_eq(number(json_object_get(row, "licences"), "unknown (no evidence)"), 5);
    ck_assert_int_eq(number(json_object_get(row, "users"), "1000"), 5);
    /* These records do not attribute their letters. */
    ck_assert_str_eq(json_string_value(json_object_get(row, "taint")), "");
    ck_assert_int_eq(number(report, "unattributed"), 5);
    ck_assert_str_eq(json_string_value(json_object_get(report, "unattributed_taint")), "EU");
    row = json_array_get(rows, 1);
    ck_assert_str_eq(json_string_value(json_object_get(row, "role")), "backend");
    ck_assert_int_eq(number(json_object_get(row, "licences"), "GPL-2.0-only (declared)"), 5);
    ck_assert_int_lt(strcmp(json_string_value(json_object_get(row, "first_seen")),
                            json_string_value(json_object_get(row, "last_seen"))),
                     0);
    ck_assert_int_eq(number(json_object_get(report, "events"), "session-opened"), 45);
    json_decref(report);
}
END_TEST

static void append(struct audit_log *log, const char *event, json_t *o)
{
    ck_assert_ptr_nonnull(o);
    ck_assert_int_eq(audit_log_append(log, event, o, NULL), 0);
    json_decref(o);
}

static void append_verdict(struct audit_log *log, int session, const char *backend)
{
    append(log, "verdict",
           json_pack("{s:i, s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:{s:{s:s}}, s:{s:{s:s}}}", "session",
                     session, "route", "r", "verdict", "allow-tainted", "rule", "none", "taint",
                     "U", "taints", "client", "-", "backend", "U", "client", "exe", "path", "/qemu",
                     "backend", "exe", "path", backend));
}

static void append_export(struct audit_log *log, int session, const char *how, const char *size)
{
    append(log, "memory-exported",
           json_pack("{s:i, s:s, s:[{s:s, s:s, s:s, s:s}]}", "session", session, "how", "pass",
                     "ranges", "address", "0x0", "size", size, "flags", "rw", "how", how));
}

static void append_end(struct audit_log *log, int session, const char *taint)
{
    append(log, "session-ended",
           json_pack("{s:i, s:s, s:s, s:s, s:{s:s, s:s}}", "session", session, "route", "r",
                     "reason", "client-closed", "taint", taint, "taints", "client", "-", "backend",
                     taint));
}

/* What a session comes to is its parties', also where two are alive, and after a start. */
START_TEST(memory_and_what_taints_later)
{
    struct audit_result r;
    struct audit_log *log;
    const json_t *rows;
    const json_t *a;
    const json_t *b;
    json_t *report;
    char *text;

    rig_keygen();
    log = rig_open(0);
    append_verdict(log, 1, "/a");
    append_verdict(log, 2, "/b");
    append_export(log, 1, "passed", "0x1000");
    append_export(log, 2, "withheld", "0x2000");
    append_export(log, 1, "passed", "0x20000000");
    append_export(log, 1, "unmapped", "0x1000");
    append_end(log, 1, "UD");
    append_export(log, 1, "passed", "0x4000"); /* nobody's any more */
    append(log, "broker-start", json_pack("{s:s, s:i}", "version", "1", "pid", 1));
    append_export(log, 2, "passed", "0x8000"); /* … nor this */
    append_verdict(log, 2, "/a");
    append_export(log, 2, "passed", "0xffffffffffffffff");
    append_export(log, 2, "without", "what?");
    append_end(log, 2, "UM");
    rig_close(log);
    report = report_of(&r);
    rows = json_object_get(report, "executables");
    ck_assert_uint_eq(json_array_size(rows), 3);
    a = json_array_get(rows, 1);
    b = json_array_get(rows, 2);
    ck_assert_str_eq(json_string_value(json_object_get(a, "path")), "/a");
    ck_assert_int_eq(number(json_object_get(a, "memory"), "passed"), 3);
    ck_assert_int_eq(number(json_object_get(a, "memory"), "unmapped"), 1);
    ck_assert_int_eq(number(json_object_get(a, "memory"), "without"), 1);
    ck_assert_int_eq(number(a, "memory_passed_bytes"), INT64_MAX);
    ck_assert_str_eq(json_string_value(json_object_get(a, "taint")), "DMU");
    ck_assert_str_eq(json_string_value(json_object_get(b, "path")), "/b");
    ck_assert_int_eq(number(json_object_get(b, "memory"), "withheld"), 1);
    ck_assert_int_eq(number(b, "memory_passed_bytes"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(b, "taint")), "U");
    /* The client of all of them did nothing. */
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(rows, 0), "taint")), "");
    ck_assert_int_eq(number(json_object_get(json_array_get(rows, 0), "verdicts"), "allow"), 3);
    ck_assert_int_eq(number(json_object_get(a, "verdicts"), "allow-tainted"), 2);
    text = form(audit_report_text, report);
    ck_assert_ptr_nonnull(strstr(text, "  memory     1 withheld; 0 bytes passed\n"));
    free(text);
    text = form(audit_report_csv, report);
    ck_assert_ptr_nonnull(strstr(text, ",last_seen,memory\r\n"));
    ck_assert_ptr_nonnull(strstr(text, ",\"1 withheld; 0 bytes passed\"\r\n"));
    free(text);
    json_decref(report);
}
END_TEST

/* A record whose every text is hostile. */
static void append_hostile(struct audit_log *log, unsigned i)
{
    static const char *const texts[] = {"</td><script>alert(1)</script>",
                                        "=cmd|' /C calc'!A0",
                                        "a\",\"b",
                                        "\x1b[2J\r\n",
                                        "&lt;\"'",
                                        ""};
    const char *const t = texts[i % (sizeof texts / sizeof *texts)];
    json_t *const o = json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:{s:{s:s, s:s}}, s:{s:{s:s}}, s:[{s:s, s:s, s:s}]}", "session",
        i, "route", t, "verdict", t, "rule", t, "taint", t, "client", "exe", "path", t, "sha256", t,
        "backend", "exe", "path", t, "evidence", "of", "client", "licence", t, "grade", t);

    ck_assert_ptr_nonnull(o);
    ck_assert_int_eq(audit_log_append(log, "verdict", o, NULL), 0);
    json_decref(o);
}

START_TEST(nothing_foreign_gets_through)
{
    struct audit_result r;
    struct audit_log *log;
    json_t *report;
    char *text;

    rig_keygen();
    log = rig_open(0);
    for (unsigned i = 0; i < 6; i++) {
        append_hostile(log, i);
    }
    rig_close(log);
    report = report_of(&r);
    text = form(page, report);
    ck_assert_ptr_null(strstr(text, "<script>alert"));
    ck_assert_ptr_null(strstr(text, "\x1b"));
    ck_assert_ptr_null(strstr(text, "&lt;"));
    ck_assert_ptr_nonnull(strstr(text, "\"\\u003c/td\\u003e\\u003cscript\\u003ealert(1)"));
    free(text);
    text = form(audit_report_csv, report);
    ck_assert_ptr_nonnull(strstr(text, "\"'=cmd|"));
    ck_assert_ptr_null(strstr(text, "\"=cmd"));
    ck_assert_ptr_nonnull(strstr(text, "\"a\"\",\"\"b\""));
    ck_assert_ptr_null(strstr(text, "\x1b"));
    free(text);
    text = form(audit_report_text, report);
    ck_assert_ptr_null(strstr(text, "\x1b"));
    ck_assert_ptr_null(strstr(text, "\r"));
    free(text);
    json_decref(report);
}
END_TEST

/* Records that a stranger wrote: members of other types, or none at all. */
START_TEST(of_records_that_are_not_the_broker_s)
{
    static const char *const verdicts[] = {
        "{\"backend\":7,\"client\":[],\"evidence\":{},\"route\":null,\"rule\":1,\"session\":\"x\","
        "\"taint\":[],\"verdict\":{}}",
        "{\"backend\":{\"exe\":3},\"client\":{\"exe\":{\"path\":1}},\"evidence\":[1,null,[]],"
        "\"route\":1,\"rule\":1,\"session\":1,\"taint\":1,\"verdict\":1}",
    };
    struct audit_result r;
    struct audit_log *log;
    json_t *report;

    rig_keygen();
    log = rig_open(0);
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        json_t *const o = json_loads(verdicts[i], 0, NULL);

        ck_assert_int_eq(audit_log_append(log, "verdict", o, NULL), 0);
        json_decref(o);
    }
    rig_close(log);
    report = report_of(&r);
    ck_assert_uint_eq(json_array_size(json_object_get(report, "executables")), 2);
    json_decref(report);
}
END_TEST

static void append_denial(struct audit_log *log, int session, const char *of)
{
    append(log, "verdict",
           json_pack("{s:i, s:s, s:s, s:{s:i, s:s, s:s, s:s}, s:s, s:{s:s, s:s}, s:{s:{s:s}, s:i}, "
                     "s:{s:{s:s}}}",
                     "session", session, "route", "r", "verdict", "deny", "rule", "line", 7, "of",
                     of, "why", "its reason", "mend", "do this", "taint", "U", "taints", "client",
                     strcmp(of, "client") == 0 ? "U" : "-", "backend",
                     strcmp(of, "client") == 0 ? "-" : "U", "client", "exe", "path", "/qemu", "pid",
                     7, "backend", "exe", "path", "/device"));
}

/* A denial is booked on the party that caused it; the session says why. */
START_TEST(the_one_that_caused_it)
{
    struct audit_result r;
    struct audit_log *log;
    const json_t *session;
    const json_t *rows;
    json_t *report;
    char *text;

    rig_keygen();
    log = rig_open(0);
    append_denial(log, 1, "backend");
    append_denial(log, 2, "client");
    rig_close(log);
    report = report_of(&r);
    rows = json_object_get(report, "executables");
    for (size_t i = 0; i < 2; i++) {
        const json_t *const verdicts = json_object_get(json_array_get(rows, i), "verdicts");

        ck_assert_int_eq(number(verdicts, "deny"), 1);
        ck_assert_int_eq(number(verdicts, "other-denied"), 1);
    }
    session = json_array_get(json_object_get(report, "sessions"), 0);
    ck_assert_str_eq(
        json_string_value(json_object_get(json_object_get(session, "client"), "finding")),
        "other-denied");
    ck_assert_str_eq(
        json_string_value(json_object_get(json_object_get(session, "client"), "taint")), "");
    ck_assert_str_eq(
        json_string_value(json_object_get(json_object_get(session, "backend"), "taint")), "U");
    text = form(audit_report_text, report);
    ck_assert_ptr_nonnull(
        strstr(text, " the client /qemu (process 7, user unknown) was refused the device /device "
                     "(process unknown, user unknown) on route \"r\", because of the device: its "
                     "reason (line 7 of the configuration). To change that, do this.\n"));
    free(text);
    json_decref(report);
}
END_TEST

/* A report shows what was found, and which of it did not count. */
START_TEST(evidence_that_did_not_count)
{
    struct audit_result r;
    struct audit_log *log;
    const json_t *licences;
    json_t *report;

    rig_keygen();
    log = rig_open(0);
    append(log, "verdict",
           json_pack("{s:i, s:s, s:s, s:s, s:s, s:{s:{s:s}}, s:{s:{s:s}}, s:[{s:s, s:s, s:s, s:b},"
                     " {s:s, s:s, s:s, s:b}]}",
                     "session", 1, "route", "r", "verdict", "allow", "rule", "none", "taint", "-",
                     "client", "exe", "path", "/qemu", "backend", "exe", "path", "/usr/bin/python3",
                     "evidence", "of", "backend", "licence", "PSF-2.0", "grade", "packaged",
                     "counts", 0, "of", "backend", "licence", "MIT", "grade", "declared", "counts",
                     1));
    rig_close(log);
    report = report_of(&r);
    licences =
        json_object_get(json_array_get(json_object_get(report, "executables"), 1), "licences");
    ck_assert_int_eq(number(licences, "PSF-2.0 (packaged, does not count)"), 1);
    ck_assert_int_eq(number(licences, "MIT (declared)"), 1);
    json_decref(report);
}
END_TEST

/* The kernel's word for an executable's contents is shown, whichever of its ways it has. */
START_TEST(measured_executables)
{
    struct audit_result r;
    struct audit_log *log;
    const json_t *session;
    json_t *report;

    rig_keygen();
    log = rig_open(0);
    append(log, "verdict",
           json_pack("{s:i, s:s, s:s, s:{s:i}, s:s, s:{s:{s:s, s:s}}, s:{s:{s:s, s:{s:i, s:i}}}}",
                     "session", 1, "route", "r", "verdict", "allow", "rule", "line", 0, "taint",
                     "-", "client", "exe", "path", "/qemu", "verity", "sha256:ab", "backend", "exe",
                     "path", "/device", "ima", "entry", 17, "pcr", 10));
    append_denial(log, 2, "client");
    rig_close(log);
    report = report_of(&r);
    session = json_array_get(json_object_get(report, "sessions"), 0);
    ck_assert_str_eq(
        json_string_value(json_object_get(json_object_get(session, "client"), "measured")),
        "fs-verity, sha256:ab");
    ck_assert_str_eq(
        json_string_value(json_object_get(json_object_get(session, "backend"), "measured")),
        "IMA, entry 17 (PCR 10)");
    session = json_array_get(json_object_get(report, "sessions"), 1);
    ck_assert(json_is_null(json_object_get(json_object_get(session, "client"), "measured")));
    json_decref(report);
}
END_TEST

static void append_config(struct audit_log *log, int from, const char *first, const char *second)
{
    append(log, "config",
           json_pack("{s:s, s:i, s:i, s:[s, s]}", "sha256", "abc", "from", from, "lines-total", 4,
                     "lines", first, second));
}

/* A configuration is one, in however many records, and however often it was read. */
START_TEST(the_policy_in_force)
{
    struct audit_result r;
    struct audit_log *log;
    const json_t *policy;
    json_t *report;

    rig_keygen();
    log = rig_open(0);
    append(log, "broker-start", json_pack("{s:s, s:i}", "version", "0.9", "pid", 1));
    for (int i = 0; i < 2; i++) {
        append_config(log, 1, "route r {", " preset x");
        append_config(log, 3, "}", "");
    }
    append(log, "config", json_pack("{s:s}", "sha256", "of an older version"));
    rig_close(log);
    report = report_of(&r);
    ck_assert_int_eq(number(json_object_get(report, "versions"), "0.9"), 1);
    ck_assert_uint_eq(json_array_size(json_object_get(report, "policies")), 2);
    policy = json_array_get(json_object_get(report, "policies"), 0);
    ck_assert_uint_eq(json_array_size(json_object_get(policy, "lines")), 4);
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(policy, "lines"), 2)), "}");
    ck_assert_int_eq(number(policy, "lines_total"), 4);
    policy = json_array_get(json_object_get(report, "policies"), 1);
    ck_assert_uint_eq(json_array_size(json_object_get(policy, "lines")), 0);
    json_decref(report);
}
END_TEST

START_TEST(names_do_not_grow_without_end)
{
    struct audit_result r;
    const json_t *row;
    struct audit_log *log;
    json_t *report;

    rig_keygen();
    log = rig_open(0);
    for (unsigned i = 0; i < AUDIT_REPORT_NAMES + 5; i++) {
        char route[16];
        json_t *o;

        snprintf(route, sizeof route, "r%u", i);
        o = json_pack("{s:i, s:s, s:s, s:s, s:s, s:{}, s:{}}", "session", i, "route", route,
                      "verdict", "allow", "rule", "", "taint", "-", "client", "backend");
        ck_assert_int_eq(audit_log_append(log, "verdict", o, NULL), 0);
        json_decref(o);
    }
    rig_close(log);
    report = report_of(&r);
    row = json_array_get(json_object_get(report, "executables"), 0);
    ck_assert_uint_eq(json_object_size(json_object_get(row, "routes")), AUDIT_REPORT_NAMES + 1);
    ck_assert_int_eq(number(json_object_get(row, "routes"), "others"), 5);
    ck_assert_str_eq(json_string_value(json_object_get(row, "taint")), "");
    json_decref(report);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("audit_report");
    TCase *tc = unit_case(s, "report");

    tcase_add_test(tc, by_executable);
    tcase_add_test(tc, evidence_that_did_not_count);
    tcase_add_test(tc, measured_executables);
    tcase_add_test(tc, memory_and_what_taints_later);
    tcase_add_test(tc, nothing_foreign_gets_through);
    tcase_add_test(tc, of_records_that_are_not_the_broker_s);
    tcase_add_test(tc, the_one_that_caused_it);
    tcase_add_test(tc, the_policy_in_force);
    tcase_add_test(tc, names_do_not_grow_without_end);
    return unit_run(s);
}
