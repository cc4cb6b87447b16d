/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Comparing sides that are longer than a window: everything is told once and in order. */
#define _GNU_SOURCE
#include "trace/report/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"

#define SIDE_MAX 40000u

/* A side is a list of numbers; a line's digest is one of them. */
static uint32_t sides[2][SIDE_MAX];
static size_t n[2];
static size_t taken[2];
static size_t told[2];
static size_t counts[3];
static size_t fail_at;

/* ck_assert writes something for each that holds; these are asked too often for it. */
static void must(bool holds, const char *what)
{
    if (!holds) {
        ck_abort_msg("%s", what);
    }
}

static int next(unsigned side, struct diff_line **out, void *arg)
{
    struct diff_line *line;

    must(arg == NULL, "the argument");
    if (side == 1 && taken[1] == fail_at) {
        return -EIO;
    }
    if (taken[side] == n[side]) {
        return 0;
    }
    line = calloc(1, sizeof *line + 1);
    must(line != NULL, "memory");
    line->message = taken[side];
    memcpy(line->digest, &sides[side][taken[side]++], sizeof **sides);
    *out = line;
    return 1;
}

static void tell(enum diff_kind kind, const struct diff_line *a, const struct diff_line *b,
                 void *arg)
{
    must(arg == NULL, "the argument");
    must((a == NULL) == (kind == DIFF_ONLY_B), "a is there where it should be");
    must((b == NULL) == (kind == DIFF_ONLY_A), "b is there where it should be");
    if (a) {
        must(a->message == told[0]++, "a goes on");
    }
    if (b) {
        must(b->message == told[1]++, "b goes on");
    }
    if (a && b) {
        must(memcmp(a->digest, b->digest, sizeof a->digest) == 0, "both are the same");
    }
    counts[kind]++;
}

static const struct diff_calls calls = {.next = next, .tell = tell};

static void compare(void)
{
    memset(taken, 0, sizeof taken);
    memset(told, 0, sizeof told);
    memset(counts, 0, sizeof counts);
    fail_at = SIZE_MAX;
    ck_assert_int_eq(diff_run(&calls, NULL), 0);
    ck_assert_uint_eq(told[0], n[0]);
    ck_assert_uint_eq(told[1], n[1]);
}

static void fill(size_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        sides[0][i] = sides[1][i] = i % 977;
    }
    n[0] = n[1] = length;
}

/* So many lines more on a side, from a place on. */
static void insert(unsigned side, size_t at, size_t more)
{
    memmove(&sides[side][at + more], &sides[side][at], (n[side] - at) * sizeof **sides);
    for (size_t i = 0; i < more; i++) {
        sides[side][at + i] = (uint32_t)(1000000 + i);
    }
    n[side] += more;
}

START_TEST(the_same)
{
    static const size_t lengths[] = {0, 1, DIFF_WINDOW, 30000};

    fill(lengths[_i]);
    compare();
    ck_assert_uint_eq(counts[DIFF_BOTH], lengths[_i]);
}
END_TEST

START_TEST(one_side_is_empty)
{
    fill(10000);
    n[_i] = 0;
    compare();
    ck_assert_uint_eq(counts[DIFF_BOTH], 0);
    ck_assert_uint_eq(counts[_i == 0 ? DIFF_ONLY_B : DIFF_ONLY_A], 10000);
}
END_TEST

START_TEST(what_was_put_in_is_found)
{
    static const size_t places[] = {0, 100, DIFF_WINDOW - 1, DIFF_WINDOW, 20000, 30000};

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        fill(30000);
        insert(1, places[i], 1 + i * 600);
        compare();
        ck_assert_uint_eq(counts[DIFF_ONLY_A], 0);
        ck_assert_uint_eq(counts[DIFF_ONLY_B], 1 + i * 600);
    }
}
END_TEST

START_TEST(many_small_differences)
{
    fill(30000);
    for (size_t i = 0; i < 30000; i += 500) {
        sides[0][i] = 500000 + (uint32_t)i;
    }
    insert(0, 15000, 7);
    compare();
    ck_assert_uint_eq(counts[DIFF_ONLY_B], 60);
    ck_assert_uint_eq(counts[DIFF_ONLY_A], 67);
}
END_TEST

START_TEST(nothing_in_common)
{
    fill(30000);
    for (size_t i = 0; i < 30000; i++) {
        sides[1][i] += 1000000;
    }
    compare();
    ck_assert_uint_eq(counts[DIFF_BOTH], 0);
    ck_assert_uint_eq(counts[DIFF_ONLY_A], 30000);
    ck_assert_uint_eq(counts[DIFF_ONLY_B], 30000);
}
END_TEST

START_TEST(more_than_a_window_and_then_alike_again)
{
    fill(20000);
    insert(1, 5000, 3 * DIFF_WINDOW);
    compare();
    /* Not the least that could be told, but whole, and alike again in the end. */
    ck_assert_uint_ge(counts[DIFF_BOTH], 5000);
    ck_assert_uint_eq(counts[DIFF_ONLY_B] - counts[DIFF_ONLY_A], 3 * DIFF_WINDOW);
}
END_TEST

START_TEST(random_sides)
{
    srandom((unsigned)_i);
    fill(12000);
    for (unsigned i = 0; i < 200; i++) {
        sides[random() % 2][random() % 12000] = (uint32_t)random() % 977;
    }
    compare();
    ck_assert_uint_gt(counts[DIFF_BOTH], 11000);
}
END_TEST

START_TEST(what_fails_is_told)
{
    fill(10000);
    sides[0][50] = 1;
    memset(taken, 0, sizeof taken);
    memset(told, 0, sizeof told);
    fail_at = 3000;
    ck_assert_int_eq(diff_run(&calls, NULL), -EIO);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("trace_diff");
    TCase *const c = unit_case(s, "diff");

    tcase_add_loop_test(c, the_same, 0, 4);
    tcase_add_loop_test(c, one_side_is_empty, 0, 2);
    tcase_add_test(c, what_was_put_in_is_found);
    tcase_add_test(c, many_small_differences);
    tcase_add_test(c, nothing_in_common);
    tcase_add_test(c, more_than_a_window_and_then_alike_again);
    tcase_add_loop_test(c, random_sides, 0, 10);
    tcase_add_test(c, what_fails_is_told);
    return unit_run(s);
}
