/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Taint: its letters read and written, and what the manual says of them. */
#include <stdio.h>
#include <string.h>

#include "policy/rules/rules.h"
#include "tests/support/unit.h"

START_TEST(every_set_is_written_and_read)
{
    for (uint32_t set = 0; set < 1u << TAINT_COUNT; set++) {
        char text[TAINT_COUNT + 1];
        uint32_t back = ~0u;
        char bad;

        ck_assert_ptr_eq(taint_text(set, text), text);
        ck_assert(taint_read(text, &back, &bad));
        ck_assert_uint_eq(back, set);
        ck_assert_uint_eq(strlen(text), set ? (size_t)__builtin_popcount(set) : 1);
    }
}
END_TEST

START_TEST(letters)
{
    static const struct {
        const char *text;
        bool good;
        uint32_t set;
        char bad;
    } rows[] = {
        {"-", true, 0, 0},
        {"P", true, TAINT_PROPRIETARY, 0},
        {"EU", true, TAINT_UNKNOWN | TAINT_UNSIGNED, 0},
        {"UE", true, TAINT_UNKNOWN | TAINT_UNSIGNED, 0},
        {"UU", true, TAINT_UNKNOWN, 0},
        {"PUEOIRHMVDAXCF", true, (1u << TAINT_COUNT) - 1, 0},
        {"", false, 0, 0},
        {"p", false, 0, 'p'},
        {"PY", false, 0, 'Y'},
        {"P-", false, 0, '-'},
        {"-P", false, 0, '-'},
        {" P", false, 0, ' '},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t set = 12345;
        char bad = '?';

        ck_assert_msg(taint_read(rows[i].text, &set, &bad) == rows[i].good, "%s", rows[i].text);
        ck_assert_uint_eq(set, rows[i].good ? rows[i].set : 12345);
        ck_assert_int_eq(bad, rows[i].bad);
    }
}
END_TEST

START_TEST(each_letter_is_its_own_and_has_a_meaning)
{
    for (unsigned i = 0; i < TAINT_COUNT; i++) {
        for (unsigned k = 0; k < i; k++) {
            ck_assert_int_ne(taint_letter(i), taint_letter(k));
            ck_assert_str_ne(taint_meaning(i), taint_meaning(k));
        }
        ck_assert_uint_gt(strlen(taint_meaning(i)), 10);
    }
    ck_assert_int_eq(taint_letter(TAINT_COUNT), '?');
    ck_assert_str_eq(taint_meaning(TAINT_COUNT), "?");
}
END_TEST

START_TEST(every_letter_stands_in_the_manual_with_its_bit)
{
    static char page[16384];
    FILE *f = fopen(SOURCE_DIR "/docs/man/poemctl-taint.1", "r");
    unsigned entries = 0;
    char line[64];

    ck_assert_ptr_nonnull(f);
    page[fread(page, 1, sizeof page - 1, f)] = '\0';
    fclose(f);
    for (unsigned i = 0; i < TAINT_COUNT; i++) {
        snprintf(line, sizeof line, "\n.It Sy %c Pq 0x%x\n", taint_letter(i), 1u << i);
        ck_assert_msg(strstr(page, line) != NULL, "poemctl-taint(1) lacks%s", line);
    }
    for (const char *at = page; (at = strstr(at, "\n.It Sy ")); at++) {
        entries++;
    }
    ck_assert_uint_eq(entries, TAINT_COUNT);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("taint");
    TCase *tc = unit_case(s, "letters");

    tcase_add_test(tc, every_set_is_written_and_read);
    tcase_add_test(tc, letters);
    tcase_add_test(tc, each_letter_is_its_own_and_has_a_meaning);
    tcase_add_test(tc, every_letter_stands_in_the_manual_with_its_bit);
    return unit_run(s);
}
