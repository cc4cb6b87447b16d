/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The longest common subsequence, against the table of textbooks. */
#define _GNU_SOURCE
#include "trace/report/diff_lcs.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"

#define SMALL 24u

static struct diff_lcs lcs;
static uint32_t a[DIFF_LCS_MAX];
static uint32_t b[DIFF_LCS_MAX];
static bool only_a[DIFF_LCS_MAX];
static bool only_b[DIFF_LCS_MAX];

static void run(size_t n, size_t m)
{
    memset(only_a, 0, sizeof only_a);
    memset(only_b, 0, sizeof only_b);
    diff_lcs_run(&lcs, a, n, b, m, only_a, only_b);
}

/* What is not marked is the same on both sides. Returns how much that is. */
static unsigned common(size_t n, size_t m)
{
    unsigned length = 0;
    size_t j = 0;

    for (size_t i = 0; i < n; i++) {
        if (only_a[i]) {
            continue;
        }
        while (j < m && only_b[j]) {
            j++;
        }
        ck_assert_uint_lt(j, m);
        ck_assert_uint_eq(a[i], b[j]);
        j++;
        length++;
    }
    for (; j < m; j++) {
        ck_assert(only_b[j]);
    }
    return length;
}

static unsigned longest(size_t n, size_t m)
{
    unsigned table[SMALL + 1][SMALL + 1] = {{0}};

    for (size_t i = 1; i <= n; i++) {
        for (size_t j = 1; j <= m; j++) {
            if (a[i - 1] == b[j - 1]) {
                table[i][j] = table[i - 1][j - 1] + 1;
            } else {
                table[i][j] = table[i - 1][j] > table[i][j - 1] ? table[i - 1][j] : table[i][j - 1];
            }
        }
    }
    return table[n][m];
}

START_TEST(as_long_as_can_be)
{
    srandom((unsigned)_i + 1);
    for (unsigned round = 0; round < 2000; round++) {
        const size_t n = (size_t)random() % (SMALL + 1);
        const size_t m = (size_t)random() % (SMALL + 1);
        const uint32_t kinds = (uint32_t)random() % 6 + 1;

        for (size_t i = 0; i < SMALL; i++) {
            a[i] = (uint32_t)random() % kinds;
            b[i] = (uint32_t)random() % kinds;
        }
        run(n, m);
        ck_assert_uint_eq(common(n, m), longest(n, m));
    }
}
END_TEST

START_TEST(at_the_limit)
{
    for (uint32_t i = 0; i < DIFF_LCS_MAX; i++) {
        a[i] = i;
        b[i] = DIFF_LCS_MAX + i;
    }
    run(DIFF_LCS_MAX, DIFF_LCS_MAX);
    ck_assert_uint_eq(common(DIFF_LCS_MAX, DIFF_LCS_MAX), 0);
    memcpy(b, a, sizeof b);
    run(DIFF_LCS_MAX, DIFF_LCS_MAX);
    ck_assert_uint_eq(common(DIFF_LCS_MAX, DIFF_LCS_MAX), DIFF_LCS_MAX);
    /* One moved from the beginning to the end. */
    memmove(b, b + 1, (DIFF_LCS_MAX - 1) * sizeof *b);
    b[DIFF_LCS_MAX - 1] = 0;
    run(DIFF_LCS_MAX, DIFF_LCS_MAX);
    ck_assert_uint_eq(common(DIFF_LCS_MAX, DIFF_LCS_MAX), DIFF_LCS_MAX - 1);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("trace_lcs");
    TCase *const c = unit_case(s, "lcs");

    tcase_add_loop_test(c, as_long_as_can_be, 0, 10);
    tcase_add_test(c, at_the_limit);
    return unit_run(s);
}
