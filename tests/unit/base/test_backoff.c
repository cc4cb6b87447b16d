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

int main(void)
{
    Suite *const suite = suite_create("backoff");

    tcase_add_test(unit_case(suite, "backoff"), doubles_up_to_its_bound);
    return unit_run(suite);
}
