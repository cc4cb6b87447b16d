/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A table of options: every kind of storage, operands between them, and what is refused. */
#define _GNU_SOURCE
#include "base/cli.h"

#include <string.h>

#include "tests/support/unit.h"

struct values {
    bool flag;
    const char *text;
    struct cli_list list;
    enum { ONE, TWO, THREE } choice;
    uint32_t number;
    uint64_t wide;
    char read[8];
};

static bool read_short(void *values, const char *text)
{
    struct values *const v = values;

    return snprintf(v->read, sizeof v->read, "%s", text) < (int)sizeof v->read;
}

static const struct cli_option options[] = {
    {"flag", 'f', NULL, "a flag", CLI_FLAG(struct values, flag)},
    {"text", 't', "TEXT", "a text", CLI_TEXT(struct values, text)},
    {"list", 0, "ITEM", "items", CLI_LIST(struct values, list)},
    {"choice", 0, "one|two|three", "a choice", CLI_CHOICE(struct values, choice)},
    {"number", 0, "N", "a number", CLI_NUMBER(struct values, number, 1, 10)},
    {"wide", 0, "N", "a wide number", CLI_NUMBER(struct values, wide, 0, UINT64_MAX)},
    {"read", 0, "SHORT", "up to 7 bytes", CLI_READ(read_short)},
    {.name = NULL},
};

static int parse(struct values *v, char **argv)
{
    int argc = 0;

    while (argv[argc]) {
        argc++;
    }
    *v = (struct values){.number = 7};
    return cli_parse("test", options, argc, argv, v);
}

START_TEST(every_kind_is_stored)
{
    char *argv[] = {
        "x",      "a",   "-ft", "T",        "--list=1", "--choice", "three",
        "--list", "2",   "b",   "--number", "10",       "--wide",   "18446744073709551615",
        "--read", "abc", NULL};
    struct values v;
    const int first = parse(&v, argv);

    ck_assert_int_eq(first, 14);
    ck_assert_str_eq(argv[0], "x");
    ck_assert_str_eq(argv[first], "a");
    ck_assert_str_eq(argv[first + 1], "b");
    ck_assert(v.flag);
    ck_assert_str_eq(v.text, "T");
    ck_assert_uint_eq(v.list.n, 2);
    ck_assert_str_eq(v.list.items[1], "2");
    ck_assert_int_eq(v.choice, THREE);
    ck_assert_uint_eq(v.number, 10);
    ck_assert_uint_eq(v.wide, UINT64_MAX);
    ck_assert_str_eq(v.read, "abc");
}
END_TEST

START_TEST(nothing_given_changes_nothing)
{
    char *argv[] = {"x", "--", "--flag", NULL};
    struct values v;
    const int first = parse(&v, argv);

    ck_assert_str_eq(argv[first], "--flag");
    ck_assert(!v.flag);
    ck_assert_uint_eq(v.number, 7);
}
END_TEST

static const char *const wrong[] = {"--what",          "--choice=four",
                                    "--choice=o",      "--choice=",
                                    "--number=0",      "--number=11",
                                    "--number=+1",     "--number=1x",
                                    "--number=",       "--flag=yes",
                                    "--text",          "-x",
                                    "--read=12345678", "--wide=18446744073709551616"};

START_TEST(what_does_not_fit_is_refused)
{
    char word[32];
    char *argv[] = {"x", word, NULL};
    struct values v;

    snprintf(word, sizeof word, "%s", wrong[_i]);
    ck_assert_int_eq(parse(&v, argv), -1);
}
END_TEST

START_TEST(a_list_has_an_end)
{
    char *argv[CLI_LIST_MAX + 3] = {"x"};
    struct values v;

    for (unsigned i = 1; i <= CLI_LIST_MAX; i++) {
        argv[i] = "--list=a";
    }
    ck_assert_int_eq(parse(&v, argv), CLI_LIST_MAX + 1);
    argv[CLI_LIST_MAX + 1] = "--list=a";
    ck_assert_int_eq(parse(&v, argv), -1);
}
END_TEST

START_TEST(help_has_a_line_for_each)
{
    char text[1024] = "";
    FILE *const f = fmemopen(text, sizeof text, "w");

    cli_help(f, options);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_ptr_nonnull(strstr(text, "  -f, --flag            a flag\n"));
    ck_assert_ptr_nonnull(
        strstr(text, "  --choice one|two|three\n                        a choice\n"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cli");
    TCase *tc = unit_case(s, "options");

    tcase_add_test(tc, every_kind_is_stored);
    tcase_add_test(tc, nothing_given_changes_nothing);
    tcase_add_loop_test(tc, what_does_not_fit_is_refused, 0, (int)(sizeof wrong / sizeof *wrong));
    tcase_add_test(tc, a_list_has_an_end);
    tcase_add_test(tc, help_has_a_line_for_each);
    return unit_run(s);
}
