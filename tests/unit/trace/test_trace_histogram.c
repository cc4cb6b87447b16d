/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* How near a histogram's numbers are to the true ones. */
#define _GNU_SOURCE
#include "trace/report/stats_histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"

#define VALUES 20000u

static struct stats_histogram h;
static uint64_t values[VALUES];

static void setup(void)
{
    memset(&h, 0, sizeof h);
    srandom(1);
}

static int by_value(const void *p, const void *q)
{
    const uint64_t a = *(const uint64_t *)p;
    const uint64_t b = *(const uint64_t *)q;

    return a < b ? -1 : a > b;
}

static void check_quantiles(void)
{
    static const unsigned asked[] = {1, 10, 250, 500, 900, 990, 999, 1000};

    qsort(values, VALUES, sizeof *values, by_value);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        const uint64_t truth = values[(VALUES * asked[i] + 999) / 1000 - 1];
        const uint64_t told = stats_histogram_quantile(&h, asked[i]);
        const double off = fabs((double)told - (double)truth);

        ck_assert_msg(off <= (double)truth / 256, "%u: %lu, not %lu", asked[i], (unsigned long)told,
                      (unsigned long)truth);
    }
    ck_assert_uint_eq(h.min, values[0]);
    ck_assert_uint_eq(h.max, values[VALUES - 1]);
    ck_assert_uint_eq(h.count, VALUES);
}

/* Of numbers of every size: uniform in their logarithms, up to 2^exponent. */
static void check_up_to(unsigned exponent)
{
    for (size_t i = 0; i < VALUES; i++) {
        const unsigned bits = (unsigned)random() % exponent + 1;
        const uint64_t any =
            (uint64_t)random() << 33 ^ (uint64_t)random() << 11 ^ (uint64_t)random();

        values[i] = any >> (64 - bits);
        stats_histogram_add(&h, values[i]);
    }
    check_quantiles();
}

START_TEST(quantiles_are_within_one_in_256)
{
    check_up_to(8u * (unsigned)_i + 8);
}
END_TEST

START_TEST(small_numbers_are_exact)
{
    for (size_t i = 0; i < VALUES; i++) {
        values[i] = (uint64_t)random() % 128;
        stats_histogram_add(&h, values[i]);
    }
    qsort(values, VALUES, sizeof *values, by_value);
    for (unsigned permille = 1; permille <= 1000; permille++) {
        ck_assert_uint_eq(stats_histogram_quantile(&h, permille),
                          values[(VALUES * permille + 999) / 1000 - 1]);
    }
}
END_TEST

START_TEST(nothing_and_the_ends)
{
    ck_assert_uint_eq(stats_histogram_quantile(&h, 500), 0);
    stats_histogram_add(&h, UINT64_MAX);
    ck_assert_uint_eq(h.min, UINT64_MAX);
    ck_assert_uint_eq(stats_histogram_quantile(&h, 500), UINT64_MAX);
    stats_histogram_add(&h, 0);
    ck_assert_uint_eq(h.min, 0);
    ck_assert_uint_eq(stats_histogram_quantile(&h, 500), 0);
    ck_assert_uint_ge(stats_histogram_quantile(&h, 501), UINT64_MAX - UINT64_MAX / 256);
}
END_TEST

START_TEST(a_value_lies_in_its_step)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < 64; i++) {
        for (int64_t d = -1; d <= 1; d++) {
            const uint64_t v = ((uint64_t)1 << i) + (uint64_t)d;
            const unsigned step = stats_histogram_step(v);

            ck_assert_uint_lt(step, STATS_HISTOGRAM_STEPS);
            ck_assert_uint_le(stats_histogram_step_low(step), v);
            ck_assert(v < stats_histogram_step_low(step + 1) || v == UINT64_MAX);
            stats_histogram_add(&h, v);
        }
    }
    for (unsigned i = 0; i < STATS_HISTOGRAM_STEPS; i++) {
        ck_assert_uint_lt(stats_histogram_step_low(i), stats_histogram_step_low(i + 1));
        sum += stats_histogram_step_count(&h, i);
    }
    ck_assert_uint_eq(sum, h.count);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("trace_histogram");
    TCase *const c = unit_case(s, "histogram");

    tcase_add_checked_fixture(c, setup, NULL);
    tcase_add_loop_test(c, quantiles_are_within_one_in_256, 0, 8);
    tcase_add_test(c, small_numbers_are_exact);
    tcase_add_test(c, nothing_and_the_ends);
    tcase_add_test(c, a_value_lies_in_its_step);
    return unit_run(s);
}
