/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The time before a process is started again. */
#include "base/backoff.h"

#include <limits.h>

#include "base/limits.h"
#include "tests/support/unit.h"

START_TEST(doubles_up_to_its_bound)
{
    ck_assert_uint_eq(backoff_ms(0), LIMIT_RESPAWN_MS);
    ck_assert_uint_eq(backoff_ms(1), 2 * LIMIT_RESPAWN_MS);
    ck_assert_uint_eq(backoff_ms(6), 64 * LIMIT_RESPAWN_MS);
    ck_assert_uint_eq(backoff_ms(7), LIMIT_RESPAWN_MAX_MS);
    ck_assert_uint_eq(backoff_ms(8), LIMIT_RESPAWN_MAX_MS);
    ck_assert_uint_eq(backoff_ms(UINT_MAX), LIMIT_RESPAWN_MAX_MS);
}
END_TEST

START_TEST(begins_anew_after_a_long_life)
{
    unsigned failures = 0;

    ck_assert_uint_eq(backoff_next_ms(&failures, 0), LIMIT_RESPAWN_MS);
    ck_assert_uint_eq(backoff_next_ms(&failures, LIMIT_RESPAWN_MAX_MS - 1), 2 * LIMIT_RESPAWN_MS);
    ck_assert_uint_eq(failures, 2);
    ck_assert_uint_eq(backoff_next_ms(&failures, LIMIT_RESPAWN_MAX_MS), LIMIT_RESPAWN_MS);
    ck_assert_uint_eq(failures, 1);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("backoff");
    TCase *const tc = unit_case(suite, "backoff");

    tcase_add_test(tc, doubles_up_to_its_bound);
    tcase_add_test(tc, begins_anew_after_a_long_life);
    return unit_run(suite);
}
