/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Numbers in text: how many are read, where reading stops, and the largest.
 */
#include "base/text/numbers.h"

#include <string.h>

#include "tests/support/unit.h"

#define UNTOUCHED 77u

static const struct {
    const char *text;
    const char *between;
    size_t n;
    uint64_t numbers[3];
} rows[] = {
    {"", " ", 0, {0}},
    {"1", " ", 1, {1}},
    {"  1 22\n", " ", 2, {1, 22}},
    {"         0          0 4294967295\n", " ", 3, {0, 0, 4294967295}},
    {"1 2 3 4", " ", 3, {1, 2, 3}},
    {"\t0\t5\t7\t9", "\t", 3, {0, 5, 7}},
    {"2026-11-30T01:02:03Z", "-", 3, {2026, 11, 30}},
    {"2026-11", "-", 2, {2026, 11}},
    {"1 -2", " ", 1, {1}},
    {"+1", " ", 0, {0}},
    {"1x 2", " ", 1, {1}},
    {"0x10", " ", 1, {0}},
    {"18446744073709551615 1", " ", 2, {UINT64_MAX, 1}},
    {"1 18446744073709551616 2", " ", 1, {1}},
};

START_TEST(what_is_read)
{
    uint64_t out[3] = {UNTOUCHED, UNTOUCHED, UNTOUCHED};

    ck_assert_uint_eq(numbers_series(rows[_i].text, rows[_i].between, out, 3), rows[_i].n);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(out[i], i < rows[_i].n ? rows[_i].numbers[i] : UNTOUCHED);
    }
}
END_TEST

static const struct {
    const char *text;
    uint64_t most;
    bool decimal; /* numbers_decimal reads it, as numbers_read does */
    bool any;     /* numbers_read reads it */
    uint64_t number;
} wholes[] = {
    {"0", 0, true, true, 0},
    {"00", 0, true, true, 0},
    {"10", 10, true, true, 10},
    {"11", 10, false, false, 0},
    {"18446744073709551615", UINT64_MAX, true, true, UINT64_MAX},
    {"18446744073709551616", UINT64_MAX, false, false, 0},
    {"0x10", 16, false, true, 16},
    {"0X1f", 31, false, true, 31},
    {"0xFFFFFFFFFFFFFFFF", UINT64_MAX, false, true, UINT64_MAX},
    {"0x10000000000000000", UINT64_MAX, false, false, 0},
    {"0x", 1, false, false, 0},
    {"", 1, false, false, 0},
    {" 1", 1, false, false, 0},
    {"1 ", 1, false, false, 0},
    {"+1", 1, false, false, 0},
    {"-1", UINT64_MAX, false, false, 0},
    {"1f", 100, false, false, 0},
};

START_TEST(whole_texts)
{
    const char *const text = wholes[_i].text;
    uint64_t n = UNTOUCHED;

    ck_assert(numbers_decimal(text, wholes[_i].most, &n) == wholes[_i].decimal);
    ck_assert_uint_eq(n, wholes[_i].decimal ? wholes[_i].number : UNTOUCHED);
    n = UNTOUCHED;
    ck_assert(numbers_read(text, strlen(text), wholes[_i].most, &n) == wholes[_i].any);
    ck_assert_uint_eq(n, wholes[_i].any ? wholes[_i].number : UNTOUCHED);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("numbers");
    TCase *const tc = unit_case(suite, "read");

    tcase_add_loop_test(tc, what_is_read, 0, (int)(sizeof rows / sizeof *rows));
    tcase_add_loop_test(tc, whole_texts, 0, (int)(sizeof wholes / sizeof *wholes));
    return unit_run(suite);
}
