/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Licence expressions read and written: spdx_malformed.tsv, limits, positions, notes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/spdx/spdx_list.h"
#include "tests/unit/policy/spdx_rig.h"

static const struct rig_row *malformed;
static size_t n_malformed;

START_TEST(what_is_malformed_is_refused_where_it_is)
{
    const struct rig_row *row = &malformed[_i];
    const char *text = row->columns[2];
    struct spdx_error why;

    ck_assert_ptr_nonnull(text);
    (void)rig_parse(text, strlen(text), SPDX_LISTED, &why);
    ck_assert_msg(strcmp(spdx_outcome_name(why.outcome), row->columns[0]) == 0,
                  "line %d: %s: %s, not %s", row->line, text, spdx_outcome_name(why.outcome),
                  row->columns[0]);
    ck_assert_msg(why.at + 1 == strtoul(row->columns[1], NULL, 10),
                  "line %d: %s: column %zu, not %s", row->line, text, why.at + 1, row->columns[1]);
    ck_assert_uint_le(why.at + why.length, strlen(text));
    ck_assert_str_ne(why.text, "");
}
END_TEST

/* ---- white space, line breaks, NULs: what a table in a file cannot hold ---- */

static const struct {
    const char *text;
    size_t n;
    enum spdx_outcome outcome;
    size_t at;
} odd[] = {
    {"", 0, SPDX_EMPTY, 0},
    {"   ", 3, SPDX_EMPTY, 3},
    {"\t", 1, SPDX_EMPTY, 1},
    {" MIT ", 5, SPDX_OK, 0},
    {"MIT\tAND\tISC", 11, SPDX_OK, 0},
    {"MIT\nAND ISC", 11, SPDX_BAD_BYTE, 3},
    {"MIT AND\r\nISC", 12, SPDX_BAD_BYTE, 7},
    {"MIT\n", 4, SPDX_BAD_BYTE, 3},
    {"MIT\0", 4, SPDX_BAD_BYTE, 3},
    {"\0", 1, SPDX_BAD_BYTE, 0},
    {"MIT\0 AND ISC", 12, SPDX_BAD_BYTE, 3},
    {"MIT AND \xc3\xa9", 10, SPDX_BAD_BYTE, 8},
    {"MIT\xc2\xa0OR ISC", 11, SPDX_BAD_BYTE, 3},
    {"\xef\xbb\xbfMIT", 6, SPDX_BAD_BYTE, 0},
    {"MIT OR ISC and more", 6, SPDX_EXPECTED_LICENCE, 6},
    {"MIT OR ISC and more", 10, SPDX_OK, 0},
};

START_TEST(odd_bytes_are_seen_where_they_are)
{
    struct spdx_error why;

    ck_assert_int_eq(rig_parse(odd[_i].text, odd[_i].n, SPDX_LISTED, &why), odd[_i].outcome);
    ck_assert_uint_eq(why.at, odd[_i].at);
}
END_TEST

/* ---- limits: at each, and one past it ---- */

/* A text that is n times one text, then another, then m times a third. */
static char *repeat(const char *before, size_t n, const char *middle, const char *after, size_t m)
{
    char *out = calloc(1, n * strlen(before) + strlen(middle) + m * strlen(after) + 1);

    ck_assert_ptr_nonnull(out);
    while (n-- > 0) {
        strcat(out, before);
    }
    strcat(out, middle);
    while (m-- > 0) {
        strcat(out, after);
    }
    return out;
}

static enum spdx_outcome parse_and_free(char *text)
{
    struct spdx_error why;
    const enum spdx_outcome o = rig_parse(text, strlen(text), SPDX_LISTED, &why);

    free(text);
    return o;
}

START_TEST(parentheses_go_as_deep_as_the_limit)
{
    const size_t deep = LIMIT_SPDX_DEPTH;

    ck_assert_int_eq(parse_and_free(repeat("(", deep, "MIT", ")", deep)), SPDX_OK);
    ck_assert_int_eq(parse_and_free(repeat("(", deep + 1, "MIT", ")", deep + 1)), SPDX_TOO_DEEP);
    ck_assert_int_eq(parse_and_free(repeat("(", LIMIT_SPDX_TEXT, "", "", 0)), SPDX_TOO_DEEP);
    /* with all the operators that can wait at each depth */
    ck_assert_int_eq(parse_and_free(repeat("MIT OR ISC AND (", deep, "MIT", ")", deep)), SPDX_OK);
    ck_assert_int_eq(
        parse_and_free(repeat("MIT OR ISC AND (", deep, "0BSD OR X11 AND MIT", ")", deep)),
        SPDX_OK);
    ck_assert_int_eq(parse_and_free(repeat("MIT OR ISC AND (", deep + 1, "MIT", ")", deep + 1)),
                     SPDX_TOO_DEEP);
    /* one after another they are not deep */
    ck_assert_int_eq(parse_and_free(repeat("(MIT) OR ", 2 * deep, "MIT", "", 0)), SPDX_OK);
}
END_TEST

START_TEST(licences_are_as_many_as_the_limit)
{
    const size_t n = LIMIT_SPDX_TERMS;

    ck_assert_int_eq(parse_and_free(repeat("MIT OR ", n - 1, "MIT", "", 0)), SPDX_OK);
    ck_assert_uint_eq(rig_expression()->n_terms, n);
    ck_assert_uint_eq(rig_expression()->n_nodes, 2 * n - 1);
    ck_assert_int_eq(parse_and_free(repeat("MIT OR ", n, "MIT", "", 0)), SPDX_TOO_MANY);
}
END_TEST

START_TEST(a_text_is_as_long_as_the_limit)
{
    const size_t n = LIMIT_SPDX_TEXT;

    ck_assert_int_eq(parse_and_free(repeat(" ", n - 3, "MIT", "", 0)), SPDX_OK);
    ck_assert_int_eq(parse_and_free(repeat(" ", n - 2, "MIT", "", 0)), SPDX_TOO_LONG);
    ck_assert_int_eq(parse_and_free(repeat("x", n - 11, "", "", 0)), SPDX_UNLISTED_LICENCE);
    ck_assert_int_eq(parse_and_free(repeat("", 0, "LicenseRef-", "x", n - 11)), SPDX_OK);
    ck_assert_int_eq(parse_and_free(repeat("", 0, "LicenseRef-", "x", n - 10)), SPDX_TOO_LONG);
}
END_TEST

/* ---- writing ---- */

START_TEST(the_canonical_text_is_its_own)
{
    static const char *const texts[] = {
        "mit", "(mit or isc) and zlib", "mit or (isc and (zlib or x11))",
        "gpl-2.0+ with bison-exception-2.2 or gpl-2.0-with-classpath-exception",
        "LicenseRef-a and DocumentRef-b:LicenseRef-c with AdditionRef-d and none"};
    char once[256];

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        strcpy(once, rig_canonical(texts[i]));
        ck_assert_str_eq(rig_canonical(once), once);
    }
}
END_TEST

START_TEST(a_cut_text_is_whole_as_far_as_it_goes)
{
    char out[16];

    ck_assert_uint_eq(spdx_canonical(rig_must_parse("mit or apache-2.0"), out, 8), 17);
    ck_assert_str_eq(out, "MIT OR ");
    ck_assert_uint_eq(spdx_canonical(rig_expression(), out, 1), 17);
    ck_assert_str_eq(out, "");
    out[0] = 'x';
    ck_assert_uint_eq(spdx_canonical(rig_expression(), out, 0), 17);
    ck_assert_int_eq(out[0], 'x');
    ck_assert_uint_eq(spdx_term_text(rig_expression(), 1, out, sizeof out), 10);
    ck_assert_str_eq(out, "Apache-2.0");
}
END_TEST

static void change_case(char *text, char from, char to)
{
    for (; *text; text++) {
        *text = (char)(*text >= from && *text < from + 26 ? *text - from + to : *text);
    }
}

START_TEST(every_listed_identifier_is_read_in_any_case)
{
    char text[128];

    for (int i = 0; i < (int)spdx_list_licences(); i++) {
        const struct spdx_licence *l = spdx_licence_at(i);

        strcpy(text, l->id);
        if (!l->deprecated) {
            ck_assert_str_eq(rig_canonical(text), l->id);
        }
        rig_must_parse(text);
        ck_assert_uint_eq(spdx_notes(rig_expression()), l->deprecated ? SPDX_NOTE_DEPRECATED : 0);
        change_case(text, 'a', 'A');
        ck_assert_int_eq(rig_must_parse(text)->terms[0].licence, i);
        change_case(text, 'A', 'a');
        ck_assert_int_eq(rig_must_parse(text)->terms[0].licence, i);
    }
}
END_TEST

START_TEST(every_listed_exception_is_read_in_any_case)
{
    char canonical[128];
    char text[128];

    for (int i = 0; i < (int)spdx_list_exceptions(); i++) {
        sprintf(canonical, "MIT WITH %s", spdx_exception_at(i)->id);
        strcpy(text, canonical);
        change_case(text + 9, 'a', 'A');
        ck_assert_str_eq(rig_canonical(text), canonical);
        change_case(text + 9, 'A', 'a');
        ck_assert_str_eq(rig_canonical(text), canonical);
    }
}
END_TEST

/* ---- notes, hints, and lists that are older than a peer's ---- */

START_TEST(what_a_reader_should_know_is_noted)
{
    ck_assert_uint_eq(spdx_notes(rig_must_parse("MIT AND GPL-2.0-only")), 0);
    ck_assert_uint_eq(spdx_notes(rig_must_parse("GPL-2.0+ OR MIT")), SPDX_NOTE_DEPRECATED);
    ck_assert_uint_eq(spdx_notes(rig_must_parse("GPL-2.0-or-later+")), SPDX_NOTE_PLUS_REDUNDANT);
    ck_assert_uint_eq(spdx_notes(rig_must_parse("MIT OR GPL-2.0-only+")), SPDX_NOTE_PLUS_CONTRARY);
    ck_assert_uint_eq(spdx_notes(rig_must_parse("GPL-2.0 WITH Nokia-Qt-exception-1.1")),
                      SPDX_NOTE_DEPRECATED | SPDX_NOTE_DEPRECATED_ADD);
    for (unsigned bit = 1; bit <= SPDX_NOTE_PLUS_CONTRARY; bit <<= 1) {
        ck_assert_str_ne(spdx_note_text((enum spdx_note)bit), "");
    }
}
END_TEST

START_TEST(what_is_not_listed_may_be_kept)
{
    static const char text[] = "MIT AND Newer-1.0+ WITH Newer-exception";
    struct spdx_error why;
    char out[64];

    ck_assert_int_eq(rig_parse(text, strlen(text), SPDX_LISTED, &why), SPDX_UNLISTED_LICENCE);
    ck_assert_int_eq(rig_parse(text, strlen(text), SPDX_ANY, &why), SPDX_OK);
    ck_assert_uint_eq(spdx_notes(rig_expression()), SPDX_NOTE_UNLISTED | SPDX_NOTE_UNLISTED_ADD);
    spdx_canonical(rig_expression(), out, sizeof out);
    ck_assert_str_eq(out, text);
    /* but not what is malformed, nor what stands in the wrong place */
    ck_assert_int_eq(rig_parse("Newer OR", 8, SPDX_ANY, &why), SPDX_EXPECTED_LICENCE);
    ck_assert_int_eq(rig_parse("licenseref-x", 12, SPDX_ANY, &why), SPDX_BAD_REFERENCE);
    ck_assert_int_eq(rig_parse("Bison-exception-2.2", 19, SPDX_ANY, &why), SPDX_EXPECTED_LICENCE);
    ck_assert_int_eq(rig_parse("MIT WITH ISC", 12, SPDX_ANY, &why), SPDX_EXPECTED_ADDITION);
}
END_TEST

#define UNLISTED "a licence that is not listed is written LicenseRef-NAME"

static const struct {
    const char *text, *hint;
} hints[] = {
    {"GPLv2", "is GPL-2.0-only meant?"},
    {"GPLv2+", "is GPL-2.0-or-later meant?"},
    {"GPL2+", "is GPL-2.0-or-later meant?"},
    {"LGPLv2.1+", "is LGPL-2.1-or-later meant?"},
    {"GPL", "is GPL-1.0-or-later meant?"},
    {"apache2", "is Apache-2.0 meant?"},
    {"Apache-2", "is Apache-2.0 meant?"},
    {"MTI", "is MIT meant?"},
    {"Aapche-2.0", "is Apache-2.0 meant?"},
    {"Apach-1.1+", "is Apache-1.1+ meant?"},
    {"BSD-3-Clauses", "is BSD-3-Clause meant?"},
    {"GPL-2.0-onyl", "is GPL-2.0-only meant?"},
    {"GPL-2.0-onyl+", "is GPL-2.0-or-later meant?"},
    {"GPL-2.0-only WITH Clspath-exception-2.0", "is Classpath-exception-2.0 meant?"},
    /* Another version, another licence, or another word: nothing that is meant. */
    {"MQQ", UNLISTED},
    {"MPL", UNLISTED},
    {"ZPL", UNLISTED},
    {"BSL", UNLISTED},
    {"BSD", UNLISTED},
    {"Artistic", UNLISTED},
    {"Apache", UNLISTED},
    {"Apache-3.0", UNLISTED},
    {"GPL-4.0-only", UNLISTED},
    {"AGPL-2.0-only", UNLISTED},
    {"CC-BY-NA-4.0", UNLISTED},
    {"BSD-5-Clause", UNLISTED},
    {"UNLICENSED", "npm's word for a program that nobody may use: LicenseRef-proprietary"},
    {"GPL-2.0 or later", "\"or later\" is a part of the identifier: GPL-2.0-or-later"},
    {"Proprietary", "a licence that is proprietary is written LicenseRef-proprietary"},
    {"Classpath-exception-2.0", "an exception is added to a licence by WITH"},
    {"MIT WITH ISC", "another licence is joined by AND or OR"},
};

START_TEST(a_hint_keeps_the_meaning)
{
    struct spdx_error why;

    ck_assert_int_ne(rig_parse(hints[_i].text, strlen(hints[_i].text), SPDX_LISTED, &why), SPDX_OK);
    ck_assert_str_eq(why.hint, hints[_i].hint);
}
END_TEST

START_TEST(foreign_bytes_are_quoted_as_ascii)
{
    struct spdx_error why;

    ck_assert_int_eq(rig_parse("MIT \x1b[2J", 8, SPDX_LISTED, &why), SPDX_BAD_BYTE);
    ck_assert_str_eq(why.text, "\"\\x1b\" is not allowed in a licence expression");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("spdx_parse");
    TCase *t = unit_case(s, "reading");

    malformed = rig_rows("spdx_malformed.tsv", &n_malformed);
    tcase_add_loop_test(t, what_is_malformed_is_refused_where_it_is, 0, (int)n_malformed);
    tcase_add_loop_test(t, odd_bytes_are_seen_where_they_are, 0, sizeof odd / sizeof *odd);
    tcase_add_test(t, parentheses_go_as_deep_as_the_limit);
    tcase_add_test(t, licences_are_as_many_as_the_limit);
    tcase_add_test(t, a_text_is_as_long_as_the_limit);
    tcase_add_test(t, what_a_reader_should_know_is_noted);
    tcase_add_test(t, what_is_not_listed_may_be_kept);
    tcase_add_loop_test(t, a_hint_keeps_the_meaning, 0, sizeof hints / sizeof *hints);
    tcase_add_test(t, foreign_bytes_are_quoted_as_ascii);
    t = unit_case(s, "writing");
    tcase_add_test(t, the_canonical_text_is_its_own);
    tcase_add_test(t, a_cut_text_is_whole_as_far_as_it_goes);
    tcase_add_test(t, every_listed_identifier_is_read_in_any_case);
    tcase_add_test(t, every_listed_exception_is_read_in_any_case);
    return unit_run(s);
}
