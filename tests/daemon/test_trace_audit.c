/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Captures and the audit log: a capture's beginning is recorded before any session, its end as
 * well, and each session's trace names the record of its verdict.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/daemon/policy_rig.h"
#include "tests/daemon/trace_rig.h"
#include "tests/support/unit.h"

#define SESSIONS 3

static const char *log_path(void)
{
    return unit_path("audit.log");
}

/* A rig whose poemd keeps an audit log. */
static void init(struct policy_rig *p)
{
    char key[RIG_PATH];
    char file[RIG_PATH];

    policy_init(p);
    snprintf(key, sizeof key, "%s", unit_path("audit.pem"));
    snprintf(file, sizeof file, "%s", log_path());
    ck_assert_int_eq(policy_tool(p, (const char *const[]){policy_poemctl(), "audit", "keygen",
                                                          "--name", "test", key, NULL}),
                     0);
    snprintf(p->global, sizeof p->global, "audit %s key %s\n", file, key);
}

/* What the log has, by event. */
struct logged {
    json_int_t started; /* seq of trace-started; -1: none */
    json_int_t ended;
    json_int_t verdicts[SESSIONS + 1]; /* by session */
};

static void take_record(struct logged *l, const json_t *o)
{
    const char *const event = json_string_value(json_object_get(o, "event"));
    const json_int_t seq = json_integer_value(json_object_get(o, "seq"));
    const json_int_t session = json_integer_value(json_object_get(o, "session"));

    if (strcmp(event, "trace-started") == 0) {
        l->started = seq;
        ck_assert_str_eq(json_string_value(json_object_get(o, "file")), trace_rig_file(0));
        ck_assert_str_eq(json_string_value(json_object_get(o, "by")), "configuration");
        ck_assert_str_eq(json_string_value(json_object_get(o, "route")), "p");
        ck_assert_str_eq(json_string_value(json_object_get(o, "filter")), "from=client");
    } else if (strcmp(event, "trace-ended") == 0) {
        l->ended = seq;
        ck_assert_str_eq(json_string_value(json_object_get(o, "file")), trace_rig_file(0));
        ck_assert_str_eq(json_string_value(json_object_get(o, "reason")), "shutdown");
    } else if (strcmp(event, "verdict") == 0) {
        ck_assert_int_ge(l->started, 0);
        ck_assert(session >= 1 && session <= SESSIONS);
        l->verdicts[session] = seq;
    }
}

static void read_log(struct logged *l)
{
    FILE *const f = fopen(log_path(), "re");
    char *line = NULL;
    size_t room = 0;

    *l = (struct logged){.started = -1, .ended = -1};
    ck_assert_ptr_nonnull(f);
    while (getline(&line, &room, f) > 0) {
        json_t *const o = json_loads(line, 0, NULL);

        ck_assert_ptr_nonnull(o);
        take_record(l, o);
        json_decref(o);
    }
    free(line);
    (void)fclose(f);
}

/* The session's facts name the record of its verdict. */
static void expect_named(const struct trace_item *item, void *arg)
{
    const struct logged *const l = arg;
    json_t *const o = json_loads(item->session->comment, 0, NULL);
    const json_t *audit = json_object_get(o, "audit");

    ck_assert(json_is_integer(audit));
    ck_assert_int_eq(json_integer_value(audit), l->verdicts[item->session->number]);
    ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(o, "verdict")), "allow"));
    json_decref(o);
}

START_TEST(a_trace_and_the_log_name_each_other)
{
    struct policy_rig p;
    struct policy_result r;
    struct logged l;
    char statements[512];

    init(&p);
    snprintf(statements, sizeof statements, "trace %s filter \"from=client\"\n", trace_rig_file(0));
    policy_run(&p, statements);
    for (int i = 1; i < SESSIONS; i++) {
        policy_session(&p, "{}", "{}", &r);
        ck_assert_int_eq(r.err, 0);
    }
    rig_terminate(&p.rig);
    read_log(&l);
    ck_assert_int_gt(l.ended, l.verdicts[SESSIONS - 1]);
    /* VERSION on both legs, and a ping. */
    ck_assert_uint_eq(trace_rig_read(trace_rig_file(0), expect_named, &l).messages,
                      3 * (SESSIONS - 1));
    rig_deinit(&p.rig);
}
END_TEST

START_TEST(a_denied_session_is_in_the_trace)
{
    struct policy_rig p;
    struct policy_result r;
    struct trace_sums sums;
    char statements[512];

    init(&p);
    snprintf(statements, sizeof statements, "allow client exe /usr/bin/nobody-s\ntrace %s\n",
             trace_rig_file(0));
    policy_run(&p, statements);
    policy_session(&p, "{}", "{}", &r);
    ck_assert_int_eq(r.err, EACCES);
    rig_terminate(&p.rig);
    sums = trace_rig_read(trace_rig_file(0), NULL, NULL);
    /* The handshake up to the verdict, and what the client was told. */
    ck_assert_uint_eq(sums.messages, 4);
    ck_assert_ptr_nonnull(strstr(sums.comment, "\"verdict\":\"deny\""));
    ck_assert_ptr_nonnull(strstr(sums.comment, "\"audit\":"));
    ck_assert_str_eq(sums.ending, "{\"ended\":\"denied\"}");
    rig_deinit(&p.rig);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *s;
    TCase *tc;

    policy_client_main(argc, argv);
    if (rig_wrapped()) {
        puts("skipped: test_trace_audit: valgrind has no pidfd_open, which an inspector needs");
        return EXIT_SUCCESS;
    }
    s = suite_create("trace_audit");
    tc = rig_case(s, "records");
    tcase_add_test(tc, a_trace_and_the_log_name_each_other);
    tcase_add_test(tc, a_denied_session_is_in_the_trace);
    return unit_run(s);
}
