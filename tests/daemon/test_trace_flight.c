/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Captures that keep the newest in memory: written when a session ends badly, and only then.
 */
#define _GNU_SOURCE
#include <sys/stat.h>
#include <unistd.h>

#include "tests/daemon/trace_rig.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

START_TEST(a_good_end_leaves_no_file)
{
    struct pair p;
    struct rig r;

    trace_rig_start(&r, "", "memory 1");
    rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
    pair_ping(&p);
    pair_close(&p);
    rig_await_log(&r, "-closed ", NULL, 0);
    rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
    trace_rig_stop(&r);
    ck_assert_int_eq(access(trace_rig_file(0), F_OK), -1);
    pair_close(&p);
}
END_TEST

/* Waits until there is something in it. */
static void await_file(const char *path)
{
    const struct patience patience = patience_begin();
    struct stat st = {.st_size = 0};

    while (stat(path, &st) < 0 || st.st_size == 0) {
        ck_assert(patience_again(&patience));
    }
}

/* A session ends badly after more than fits into the memory: the newest of it is in the file. */
START_TEST(a_bad_end_leaves_the_last_that_passed)
{
    const struct wire_hdr too_big = {.size = UINT32_MAX};
    uint8_t bad[WIRE_HDR_SIZE];
    struct trace_sums sums;
    struct stream s;
    struct pair p;
    struct rig r;
    struct stat st;

    trace_rig_stream(&s, 5000, WIRE_DEVICE_SET_IRQS, 500);
    trace_rig_start(&r, "", "memory 1");
    wire_put_hdr(bad, &too_big);
    for (unsigned i = 0; i < 2; i++) {
        rig_session(&r, TRACE_RIG_CAPS, TRACE_RIG_CAPS, &p);
        trace_rig_pass(&p, &s);
        peer_send_raw(p.client_fd, bad, sizeof bad, NULL);
        pair_expect_end(&p);
        rig_await_log(&r, "reason=bad-frame", NULL, 0);
        if (i == 0) {
            await_file(trace_rig_file(0));
        }
    }
    /* The second is written although the broker is told to stop. */
    trace_rig_stop(&r);
    for (unsigned i = 0; i < 2; i++) {
        sums = trace_rig_read(trace_rig_file(i), NULL, NULL);
        ck_assert_int_eq(sums.outcome, TRACE_END);
        ck_assert_uint_eq(sums.sessions, 1);
        ck_assert_uint_eq(sums.seen, TRACE_RIG_VERSIONS + 5000 + 1);
        ck_assert_uint_lt(sums.messages, 5000);
        ck_assert_uint_gt(sums.messages, 1000);
        ck_assert_str_eq(sums.ending, "{\"ended\":\"bad-frame\"}");
        ck_assert_int_eq(stat(trace_rig_file(i), &st), 0);
        ck_assert_int_lt(st.st_size, (1 << 20) + 4096);
    }
    stream_deinit(&s);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("trace_flight");
    TCase *const tc = rig_case(s, "the flight recorder");

    tcase_set_tags(tc, RIG_VALGRIND);
    tcase_add_test(tc, a_good_end_leaves_no_file);
    tcase_add_test(tc, a_bad_end_leaves_the_last_that_passed);
    return unit_run(s);
}
