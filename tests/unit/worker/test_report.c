/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What a session has to tell the monitor: each taint once, exported memory in pieces that are each
 * answered, nothing lost, nothing growing.
 */
#include "proxy/ipc/report.h"

#include "tests/support/unit.h"

static struct report report;
static struct ipc_msg msg;

static void open_report(void)
{
    report_init(&report, true);
}

static void close_report(void)
{
    report_deinit(&report);
}

static void add(uint64_t address)
{
    const struct ipc_range range = {.address = address, .size = 1, .flags = 1, .how = IPC_PASSED};

    ck_assert_int_eq(report_export(&report, &range), 0);
}

/* The next message, which must be such a one, is taken. */
static const struct ipc_msg *next(enum ipc_type type)
{
    ck_assert(report_next(&report, &msg));
    ck_assert_uint_eq(msg.type, type);
    return &msg;
}

START_TEST(each_taint_is_told_once)
{
    ck_assert(report_done(&report));
    ck_assert(report_taint(&report, SIDE_BACKEND, TAINT_DMA));
    ck_assert(!report_taint(&report, SIDE_BACKEND, TAINT_DMA));
    ck_assert(report_taint(&report, SIDE_BACKEND, TAINT_DMA | TAINT_UNOBSERVED));
    ck_assert(!report_done(&report));
    ck_assert_uint_eq(next(IPC_TAINT)->u.taint.bits, TAINT_DMA | TAINT_UNOBSERVED);
    ck_assert(ipc_taint_sound(&msg.u.taint));
    ck_assert_uint_eq(msg.u.taint.by, SIDE_BACKEND);
    /* One that comes before it has been sent is not lost. */
    ck_assert(report_taint(&report, SIDE_BACKEND, TAINT_HANDED_ON));
    report_sent(&report, &msg);
    ck_assert_uint_eq(next(IPC_TAINT)->u.taint.bits, TAINT_HANDED_ON);
    report_sent(&report, &msg);
    /* The same of the other party is another one. */
    ck_assert(report_taint(&report, SIDE_CLIENT, TAINT_HANDED_ON));
    ck_assert(!report_done(&report));
    ck_assert_uint_eq(next(IPC_TAINT)->u.taint.bits, TAINT_HANDED_ON);
    ck_assert_uint_eq(msg.u.taint.by, SIDE_CLIENT);
    report_sent(&report, &msg);
    ck_assert(!report_next(&report, &msg));
    ck_assert(report_done(&report));
}
END_TEST

START_TEST(ranges_go_one_message_at_a_time)
{
    uint64_t told = 0;

    for (uint64_t i = 0; i < REPORT_RANGES; i++) {
        ck_assert_int_eq(report_full(&report), i > REPORT_FULL);
        add(i);
    }
    while (!report_done(&report)) {
        const struct ipc_export *e = &next(IPC_EXPORT)->u.exports;

        ck_assert(ipc_export_sound(e));
        for (uint32_t i = 0; i < e->n; i++) {
            ck_assert_uint_eq(e->ranges[i].address, told++);
        }
        report_sent(&report, &msg);
        /* Taint does not wait for the answer. */
        ck_assert(!report_next(&report, &msg));
        if (report_taint(&report, SIDE_BACKEND, TAINT_DMA)) {
            (void)next(IPC_TAINT);
            report_sent(&report, &msg);
        }
        ck_assert(!report_next(&report, &msg));
        report_answered(&report);
    }
    ck_assert_uint_eq(told, REPORT_RANGES);
    ck_assert_ptr_null(report.ranges);
}
END_TEST

START_TEST(what_comes_meanwhile_goes_with_the_next)
{
    add(1);
    (void)next(IPC_EXPORT);
    add(2);
    report_sent(&report, &msg);
    add(3);
    ck_assert(!report_next(&report, &msg));
    ck_assert(!report_done(&report));
    report_answered(&report);
    ck_assert_uint_eq(next(IPC_EXPORT)->u.exports.n, 2);
    ck_assert_uint_eq(msg.u.exports.ranges[0].address, 2);
    ck_assert_uint_eq(msg.u.exports.ranges[1].address, 3);
    report_sent(&report, &msg);
    ck_assert_uint_eq(report_unsent(&report), 0);
    ck_assert(!report_done(&report));
    report_answered(&report);
    ck_assert(report_done(&report));
}
END_TEST

/* Without an answer, the next monitor is sent the same again, marked, and what has come since. */
START_TEST(the_next_monitor_is_sent_what_has_no_answer)
{
    add(1);
    ck_assert(report_taint(&report, SIDE_BACKEND, TAINT_DMA));
    (void)next(IPC_TAINT);
    report_sent(&report, &msg);
    ck_assert_uint_eq(next(IPC_EXPORT)->u.exports.again, 0);
    report_sent(&report, &msg);
    add(2);
    report_again(&report);
    ck_assert_uint_eq(next(IPC_TAINT)->u.taint.bits, TAINT_DMA);
    report_sent(&report, &msg);
    ck_assert_uint_eq(next(IPC_EXPORT)->u.exports.again, 1);
    ck_assert(ipc_export_sound(&msg.u.exports));
    ck_assert_uint_eq(msg.u.exports.n, 2);
    ck_assert_uint_eq(msg.u.exports.ranges[0].address, 1);
    ck_assert_uint_eq(msg.u.exports.ranges[1].address, 2);
    report_sent(&report, &msg);
    report_answered(&report);
    add(3);
    ck_assert_uint_eq(next(IPC_EXPORT)->u.exports.again, 0);
    /* It was not sent: it is new to the next monitor as well. */
    report_again(&report);
    ck_assert_uint_eq(next(IPC_TAINT)->u.taint.bits, TAINT_DMA);
    report_sent(&report, &msg);
    ck_assert_uint_eq(next(IPC_EXPORT)->u.exports.again, 0);
    report_sent(&report, &msg);
    report_answered(&report);
    ck_assert(report_done(&report));
}
END_TEST

START_TEST(where_nobody_records_nothing_is_kept)
{
    report_init(&report, false);
    for (unsigned i = 0; i < 2 * REPORT_RANGES; i++) {
        add(i);
    }
    ck_assert(!report_next(&report, &msg));
    ck_assert(report_done(&report) && !report_full(&report));
    ck_assert_ptr_null(report.ranges);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("report");
    TCase *tc = unit_case(s, "report");

    tcase_add_checked_fixture(tc, open_report, close_report);
    tcase_add_test(tc, each_taint_is_told_once);
    tcase_add_test(tc, ranges_go_one_message_at_a_time);
    tcase_add_test(tc, what_comes_meanwhile_goes_with_the_next);
    tcase_add_test(tc, the_next_monitor_is_sent_what_has_no_answer);
    tcase_add_test(tc, where_nobody_records_nothing_is_kept);
    return unit_run(s);
}
