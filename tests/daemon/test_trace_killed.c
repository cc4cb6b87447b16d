/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Captures whose tracer dies: they go on, in new files; or whose worker dies: they go on, and show
 * where the gap is.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/daemon/inject.h"
#include "tests/daemon/trace_rig.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

static const char *const packs[] = {"pack no", "pack zstd"};

/* What it had written can be read, packed or not. */
START_TEST(a_tracer_killed_is_started_again)
{
    struct trace_sums sums;
    struct pair p;
    struct rig r;

    trace_rig_start(&r, "", packs[_i]);
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
    ck_assert_int_eq(sums.outcome, TRACE_END);
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
/* ---- workers ---- */

START_TEST(a_capture_goes_on_in_another_worker)
{
    struct trace_sums sums;
    struct pair p;
    struct rig r;

    trace_rig_start(&r, "", "");
    rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
    pair_ping(&p);
    rig_await_rest(trace_rig_worker(&r));
    ck_assert_int_eq(kill(trace_rig_worker(&r), SIGKILL), 0);
    rig_await_log(&r, "goes on in worker", NULL, 0);
    pair_ping(&p);
    pair_close(&p);
    rig_await_log(&r, " ended: ", NULL, 0);
    trace_rig_stop(&r);
    sums = trace_rig_read(trace_rig_file(0), NULL, NULL);
    ck_assert_uint_eq(sums.messages, TRACE_RIG_VERSIONS + 4);
    ck_assert_uint_eq(sums.lost, 0);
    ck_assert_uint_eq(sums.over, 1);
}
END_TEST

/* Begins to wait for a message, and kills the worker when it has sent it, or is about to. */
static void kill_while_sending(struct rig *r, const struct pair *p, bool sent)
{
    static const uint8_t payload[1001];
    const struct wire_hdr hdr = {.command = WIRE_REGION_WRITE, .flags = WIRE_NO_REPLY};
    struct injection j;
    struct message m;

    inject_begin(&j, trace_rig_worker(r));
    peer_send(p->client_fd, hdr, payload, sizeof payload, NULL);
    inject_until_send(&j, WIRE_HDR_SIZE + sizeof payload);
    inject_steps(&j, sent ? 1 : 0);
    inject_kill(&j);
    rig_await_log(r, "goes on in worker", NULL, 0);
    peer_recv(p->backend_fd, &m);
    ck_assert_uint_eq(m.n, sizeof payload);
    message_deinit(&m);
    pair_ping(p);
}

/* A message that the worker has sent, but not captured, is missing, and the next one shows that. */
START_TEST(a_capture_shows_where_its_gap_is)
{
    struct trace_sums sums;
    struct pair p;
    struct rig r;

    if (!inject_possible()) {
        puts("skipped: a_capture_shows_where_its_gap_is: needs x86-64");
        return;
    }
    trace_rig_start(&r, "", "");
    rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
    kill_while_sending(&r, &p, _i == 1);
    pair_close(&p);
    rig_await_log(&r, " ended: ", NULL, 0);
    trace_rig_stop(&r);
    sums = trace_rig_read(trace_rig_file(0), NULL, NULL);
    ck_assert_uint_eq(sums.messages, TRACE_RIG_VERSIONS + (_i == 1 ? 2 : 3));
    ck_assert_uint_eq(sums.lost, _i == 1 ? 1 : 0);
    ck_assert_uint_eq(sums.all_lost, _i == 1 ? 1 : 0);
    ck_assert_uint_eq(sums.seen, TRACE_RIG_VERSIONS + 3);
}
END_TEST

/* ---- */

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

    tcase_add_loop_test(tc, a_tracer_killed_is_started_again, 0, 2);
    tcase_add_test(tc, a_tracer_killed_again_and_again_comes_back);
    tcase_add_test(tc, a_capture_goes_on_in_another_worker);
    tcase_add_loop_test(tc, a_capture_shows_where_its_gap_is, 0, 2);
    tcase_add_test(tc, a_tracer_that_hangs_is_replaced);
    return unit_run(s);
}
