/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Captures whose tracer dies: they go on, in new files.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tests/daemon/trace_rig.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

START_TEST(a_tracer_killed_is_started_again)
{
    struct trace_sums sums;
    struct pair p;
    struct rig r;

    trace_rig_start(&r, "", "");
    rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
    pair_ping(&p);
    trace_rig_await(trace_rig_file(0), TRACE_RIG_VERSIONS + 2);
    ck_assert_int_eq(kill(trace_rig_tracer(&r), SIGKILL), 0);
    rig_await_log(&r, "captures go on in new files", NULL, 0);
    (void)trace_rig_tracer(&r);
    /* The old file has its number once the new one is there. */
    for (struct patience patience = patience_begin(); access(trace_rig_file(1), F_OK) < 0;) {
        ck_assert(patience_again(&patience));
    }
    for (struct patience patience = patience_begin(); access(trace_rig_file(0), F_OK) < 0;) {
        ck_assert(patience_again(&patience));
    }
    /* The worker has its new ring when something of the session is in the new file. */
    do {
        pair_ping(&p);
    } while (trace_rig_read(trace_rig_file(0), NULL, NULL).messages == 0);
    pair_close(&p);
    rig_await_log(&r, " ended: ", NULL, 0);
    trace_rig_stop(&r);
    sums = trace_rig_read(trace_rig_file(1), NULL, NULL);
    ck_assert_uint_eq(sums.messages, TRACE_RIG_VERSIONS + 2);
    sums = trace_rig_read(trace_rig_file(0), NULL, NULL);
    ck_assert_uint_ge(sums.messages, 2);
    ck_assert_uint_eq(sums.over, 1);
    ck_assert_ptr_nonnull(strstr(sums.comment, "\"late\":true"));
    ck_assert_ptr_nonnull(strstr(sums.comment, "\"verdict\":\"allow\""));
}
END_TEST

START_TEST(a_tracer_killed_again_and_again_comes_back)
{
    struct pair p;
    struct rig r;

    trace_rig_start(&r, "", "");
    rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(kill(trace_rig_tracer(&r), SIGKILL), 0);
        rig_await_log(&r, "captures go on in new files", NULL, 0);
        pair_ping(&p);
    }
    (void)trace_rig_tracer(&r);
    for (struct patience patience = patience_begin(); access(trace_rig_file(0), F_OK) < 0;) {
        ck_assert(patience_again(&patience));
    }
    do {
        pair_ping(&p);
    } while (trace_rig_read(trace_rig_file(0), NULL, NULL).messages == 0);
    pair_close(&p);
    rig_await_log(&r, " ended: ", NULL, 0);
    trace_rig_stop(&r);
}
END_TEST

/* One that stands still is killed, and the capture goes on in a new file. */
START_TEST(a_tracer_that_hangs_is_replaced)
{
    struct rig r;
    struct pair p;

    trace_rig_start(&r, "", "");
    rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
    pair_ping(&p);
    trace_rig_await(trace_rig_file(0), TRACE_RIG_VERSIONS + 2);
    ck_assert_int_eq(kill(trace_rig_tracer(&r), SIGSTOP), 0);
    rig_await_log(&r, "hangs", NULL, 0);
    rig_await_log(&r, "captures go on in new files", NULL, 0);
    (void)trace_rig_tracer(&r);
    do {
        pair_ping(&p);
    } while (access(trace_rig_file(0), F_OK) < 0 ||
             trace_rig_read(trace_rig_file(0), NULL, NULL).messages == 0);
    pair_close(&p);
    rig_await_log(&r, " ended: ", NULL, 0);
    trace_rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("trace_killed");
    TCase *const tc = rig_case(s, "the tracer");

    tcase_add_test(tc, a_tracer_killed_is_started_again);
    tcase_add_test(tc, a_tracer_killed_again_and_again_comes_back);
    tcase_add_test(tc, a_tracer_that_hangs_is_replaced);
    return unit_run(s);
}
