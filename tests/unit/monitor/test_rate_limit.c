/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A burst, then one each interval. */
#include "proxy/ipc/rate_limit.h"

#include "tests/support/unit.h"

#define BURST 4u
#define EVERY 100u

static bool take(struct rate_limit *r, uint64_t now)
{
    const bool may = rate_limit_may(r, now, BURST, EVERY);

    if (may) {
        rate_limit_take(r, now, EVERY);
    }
    return may;
}

START_TEST(a_burst_and_no_more)
{
    struct rate_limit r = {0};

    for (unsigned i = 0; i < BURST; i++) {
        ck_assert(take(&r, 1000));
    }
    ck_assert(!take(&r, 1000));
    ck_assert(!take(&r, 1000 + EVERY - 1));
    ck_assert(take(&r, 1000 + EVERY));
    ck_assert(!take(&r, 1000 + EVERY));
}
END_TEST

START_TEST(a_burst_comes_back)
{
    struct rate_limit r = {0};

    for (unsigned i = 0; i < BURST; i++) {
        ck_assert(take(&r, 1000));
    }
    for (unsigned i = 0; i < BURST; i++) {
        ck_assert(take(&r, 1000 + BURST * EVERY));
    }
    ck_assert(!take(&r, 1000 + BURST * EVERY));
}
END_TEST

/* What was taken beyond the burst is paid back first. */
START_TEST(a_debt_is_waited_for)
{
    struct rate_limit r = {0};

    for (unsigned i = 0; i < BURST + 10; i++) {
        rate_limit_take(&r, 1000, EVERY);
    }
    ck_assert(!rate_limit_may(&r, 1000 + 11 * EVERY - 1, BURST, EVERY));
    ck_assert(rate_limit_may(&r, 1000 + 11 * EVERY, BURST, EVERY));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rate_limit");
    TCase *tc = unit_case(s, "rate");

    tcase_add_test(tc, a_burst_and_no_more);
    tcase_add_test(tc, a_burst_comes_back);
    tcase_add_test(tc, a_debt_is_waited_for);
    return unit_run(s);
}
