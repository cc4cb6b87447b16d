/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The edu device's fault specifications. */
#include "contrib/edu/fault.h"

#include <errno.h>

#include "tests/support/unit.h"

static const struct {
    const char *spec;
    struct fault fault;
} good[] = {
    {"late:3:250", {FAULT_LATE, 3, 0, 0, 250}},
    {"short:1", {FAULT_SHORT, 1, 0, 0, 0}},
    {"oversized:2", {FAULT_OVERSIZED, 2, 0, 0, FAULT_OVERSIZED_DEFAULT}},
    {"oversized:REGION_READ:16", {FAULT_OVERSIZED, 0, WIRE_REGION_READ, 0, 16}},
    {"unasked:DEVICE_RESET", {FAULT_UNASKED, 0, WIRE_DEVICE_RESET, 0, 0}},
    {"missing:VERSION", {FAULT_MISSING, 0, WIRE_VERSION, 0, 0}},
    {"error:MIG_DATA_READ", {FAULT_ERROR, 0, WIRE_MIG_DATA_READ, 0, EIO}},
    {"error:STOP_COPY:16", {FAULT_ERROR, 0, 0, WIRE_MIG_STOP_COPY, 16}},
    {"exit:2147483647", {FAULT_EXIT, 2147483647, 0, 0, 0}},
};

START_TEST(accepted)
{
    struct fault_list l = {.n = 0};

    ck_assert_int_eq(fault_add(&l, good[_i].spec), 0);
    ck_assert_uint_eq(l.n, 1);
    ck_assert_int_eq(l.faults[0].kind, good[_i].fault.kind);
    ck_assert_uint_eq(l.faults[0].number, good[_i].fault.number);
    ck_assert_uint_eq(l.faults[0].command, good[_i].fault.command);
    ck_assert_uint_eq(l.faults[0].state, good[_i].fault.state);
    ck_assert_uint_eq(l.faults[0].argument, good[_i].fault.argument);
}
END_TEST

static const char *const bad[] = {
    "",
    "late",
    "late:",
    "late:1",
    "late:1:",
    "late:1:x",
    "late:1:0",
    "short:",
    "short:0",
    "short:-1",
    "short: 1",
    "short:1:2",
    "short:1x",
    "short:NOPE",
    "short:region_read",
    "sudden:1",
    "exit:2147483648",
    "exit:99999999999999999999",
    "oversized:1:",
    "missing:1:1",
    "exit:REGION",
    "late:1:2:3",
};

START_TEST(refused)
{
    struct fault_list l = {.n = 0};

    ck_assert_msg(fault_add(&l, bad[_i]) == -EINVAL, "%s", bad[_i]);
    ck_assert_uint_eq(l.n, 0);
}
END_TEST

START_TEST(limit)
{
    struct fault_list l = {.n = 0};

    for (unsigned i = 0; i < FAULTS_MAX; i++) {
        ck_assert_int_eq(fault_add(&l, "exit:7"), 0);
    }
    ck_assert_int_eq(fault_add(&l, "exit:7"), -ENOSPC);
}
END_TEST

START_TEST(found)
{
    struct fault_list l = {.n = 0};

    ck_assert_int_eq(fault_add(&l, "missing:3"), 0);
    ck_assert_int_eq(fault_add(&l, "short:REGION_READ"), 0);
    ck_assert_ptr_null(fault_find(&l, 1, WIRE_VERSION, 0));
    ck_assert_ptr_eq(fault_find(&l, 3, WIRE_REGION_READ, 0), &l.faults[0]);
    ck_assert_ptr_eq(fault_find(&l, 4, WIRE_REGION_READ, 0), &l.faults[1]);
    ck_assert_ptr_eq(fault_find(&l, 5, WIRE_REGION_READ, 0), &l.faults[1]);
    ck_assert_ptr_null(fault_find(&l, 5, 0, 0));
    ck_assert_int_eq(fault_add(&l, "exit:RESUMING"), 0);
    ck_assert_ptr_null(fault_find(&l, 6, WIRE_DEVICE_FEATURE, WIRE_MIG_STOP));
    ck_assert_ptr_eq(fault_find(&l, 6, WIRE_DEVICE_FEATURE, WIRE_MIG_RESUMING), &l.faults[2]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("edu faults");
    TCase *tc = unit_case(s, "faults");

    tcase_add_loop_test(tc, accepted, 0, sizeof good / sizeof *good);
    tcase_add_loop_test(tc, refused, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tc, limit);
    tcase_add_test(tc, found);
    return unit_run(s);
}
