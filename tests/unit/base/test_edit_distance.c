/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Typing mistakes between two words. */
#include "base/text/edit_distance.h"

#include <string.h>

#include "tests/support/unit.h"

/* As long as is compared, and one byte longer. */
#define LONGEST "0123456789abcdef0123456789abcdef0123456789abcdef"

_Static_assert(sizeof LONGEST - 1 == EDIT_DISTANCE_MAX, "the longest that is compared");

static const struct {
    const char *a;
    const char *b;
    size_t mistakes;
} rows[] = {
    {"", "", 0},           {"", "route", 5},
    {"route", "route", 0}, {"ROUTE", "route", 0},
    {"rout", "route", 1},  {"rroute", "route", 1},
    {"roude", "route", 1}, {"ruote", "route", 1},
    {"etuor", "route", 4}, {LONGEST, "x" LONGEST, EDIT_DISTANCE_MAX + 1},
    {LONGEST, LONGEST, 0},
};

START_TEST(mistakes_are_counted)
{
    const size_t a_n = strlen(rows[_i].a);
    const size_t b_n = strlen(rows[_i].b);

    ck_assert_uint_eq(edit_distance(rows[_i].a, a_n, rows[_i].b, b_n), rows[_i].mistakes);
    /* NOLINTNEXTLINE(readability-suspicious-call-argument): it is the same in both directions. */
    ck_assert_uint_eq(edit_distance(rows[_i].b, b_n, rows[_i].a, a_n), rows[_i].mistakes);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("edit_distance");
    TCase *const tc = unit_case(suite, "edit_distance");

    tcase_add_loop_test(tc, mistakes_are_counted, 0, (int)(sizeof rows / sizeof *rows));
    return unit_run(suite);
}
