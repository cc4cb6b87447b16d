/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The poem that is built in, against its files; other poems from bytes, and their refrains.
 */
#include "poem/poem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

/* ---- the one that is built in ---- */

/* A file of the source tree's, with a NUL behind it; the caller's. */
static char *read_source(const char *name, size_t *n)
{
    char path[512];
    FILE *f;
    char *text = calloc(1, 65536);

    ck_assert_ptr_nonnull(text);
    snprintf(path, sizeof path, "%s/poem/%s", SOURCE_DIR, name);
    f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "no %s", path);
    *n = fread(text, 1, 65535, f);
    fclose(f);
    return text;
}

START_TEST(it_is_the_file_s_every_byte)
{
    size_t n;
    char *const text = read_source("poem.txt", &n);

    ck_assert_uint_eq(n, poem_builtin.size);
    ck_assert_mem_eq(text, poem_builtin.text, n);
    ck_assert_int_eq(poem_builtin.text[n], '\0');
    ck_assert_ptr_null(strchr(text, '\r'));
    free(text);
}
END_TEST

START_TEST(its_digest_is_pinned)
{
    size_t n;
    char *const pinned = read_source("poem.txt.sha256", &n);
    char hex[POEM_DIGEST_HEX_SIZE + 1];

    ck_assert_str_eq(poem_digest_hex(&poem_builtin, hex),
                     "312c54e91ca7216cb2c0f1d1df4e33f16d964d0b2e87eb2d5a31ac3ccba888da");
    ck_assert_uint_eq(strlen(hex), POEM_DIGEST_HEX_SIZE);
    ck_assert_mem_eq(pinned, hex, POEM_DIGEST_HEX_SIZE);
    ck_assert_str_eq(pinned + POEM_DIGEST_HEX_SIZE, "  poem.txt\n");
    free(pinned);
}
END_TEST

START_TEST(reading_it_gives_the_same)
{
    struct poem poem;

    ck_assert_int_eq(poem_read(&poem, poem_builtin.text, poem_builtin.size), POEM_OK);
    ck_assert_mem_eq(poem.digest, poem_builtin.digest, sizeof poem.digest);
    ck_assert_str_eq(poem.refrain, poem_builtin.refrain);
    ck_assert_ptr_eq(poem.text, poem_builtin.text);
    ck_assert_uint_eq(poem.size, poem_builtin.size);
}
END_TEST

START_TEST(it_has_stanzas_and_a_refrain)
{
    unsigned stanzas = 0;
    unsigned refrains = 0;

    for (const char *at = poem_builtin.text; (at = strstr(at, "\n\n")); at += 2) {
        stanzas++;
    }
    for (const char *at = poem_builtin.text; (at = strstr(at, poem_builtin.refrain)); at++) {
        refrains++;
    }
    ck_assert_uint_ge(stanzas, 4);
    ck_assert_uint_eq(refrains, stanzas);
    ck_assert_str_eq(poem_builtin.refrain, "Say this aloud, in freedom's name, and pass.");
}
END_TEST

START_TEST(its_grant_is_the_file_s)
{
    size_t n;
    char *const grant = read_source("COPYRIGHT", &n);

    ck_assert_str_eq(grant, poem_builtin_grant);
    ck_assert_ptr_nonnull(strstr(poem_builtin_grant, "version 2 or (at your option)"));
    ck_assert_ptr_nonnull(strstr(poem_builtin_grant, "The poemd authors"));
    free(grant);
}
END_TEST

/* ---- others ---- */

static const struct {
    const char *text;
    size_t n;
    enum poem_outcome outcome;
} texts[] = {
    {"", 0, POEM_EMPTY},
    {"x", 1, POEM_OK},
    {"\n", 1, POEM_OK},
    {"a\0b", 3, POEM_NUL},
    {"\0", 1, POEM_NUL},
    {"ab\0", 3, POEM_NUL},
    /* UTF-8: one, two, three and four bytes, at the ends of what each can say */
    {"\x7f", 1, POEM_OK},
    {"\xc2\x80", 2, POEM_OK},
    {"\xdf\xbf", 2, POEM_OK},
    {"\xe0\xa0\x80", 3, POEM_OK},
    {"\xed\x9f\xbf", 3, POEM_OK},
    {"\xee\x80\x80", 3, POEM_OK},
    {"\xef\xbf\xbf", 3, POEM_OK},
    {"\xf0\x90\x80\x80", 4, POEM_OK},
    {"\xf4\x8f\xbf\xbf", 4, POEM_OK},
    /* longer than need be */
    {"\xc0\x80", 2, POEM_NOT_UTF8},
    {"\xc1\xbf", 2, POEM_NOT_UTF8},
    {"\xe0\x9f\xbf", 3, POEM_NOT_UTF8},
    {"\xf0\x8f\xbf\xbf", 4, POEM_NOT_UTF8},
    /* surrogates, and beyond the last character */
    {"\xed\xa0\x80", 3, POEM_NOT_UTF8},
    {"\xed\xbf\xbf", 3, POEM_NOT_UTF8},
    {"\xf4\x90\x80\x80", 4, POEM_NOT_UTF8},
    {"\xf8\x88\x80\x80\x80", 5, POEM_NOT_UTF8},
    /* cut, or out of place */
    {"\xc3", 1, POEM_NOT_UTF8},
    {"\xe2\x80", 2, POEM_NOT_UTF8},
    {"\xf0\x9f\x98", 3, POEM_NOT_UTF8},
    {"\xc3x", 2, POEM_NOT_UTF8},
    {"\xe2\x80x", 3, POEM_NOT_UTF8},
    {"\x80", 1, POEM_NOT_UTF8},
    {"ab\xbf", 3, POEM_NOT_UTF8},
    {"\xff", 1, POEM_NOT_UTF8},
    {"\xfe", 1, POEM_NOT_UTF8},
};

/* Reads from memory of just the text's size, which is the caller's. */
static enum poem_outcome read_copy(struct poem *poem, const char *text, size_t n, char **copy)
{
    *copy = malloc(n > 0 ? n : 1);
    ck_assert_ptr_nonnull(*copy);
    memcpy(*copy, text, n);
    return poem_read(poem, *copy, n);
}

START_TEST(bytes_are_a_poem_or_not)
{
    static const struct poem none;
    struct poem poem;
    char *copy;
    const enum poem_outcome o = read_copy(&poem, texts[_i].text, texts[_i].n, &copy);

    ck_assert_msg(o == texts[_i].outcome, "%s", poem_outcome_text(o));
    if (o != POEM_OK) {
        ck_assert_mem_eq(&poem, &none, sizeof none);
    }
    free(copy);
}
END_TEST

START_TEST(a_poem_at_its_limit_and_one_past)
{
    static char text[POEM_SIZE_MAX + 1];
    struct poem poem;
    char *copy;

    memset(text, 'x', sizeof text);
    ck_assert_int_eq(read_copy(&poem, text, POEM_SIZE_MAX, &copy), POEM_OK);
    ck_assert_uint_eq(poem.size, POEM_SIZE_MAX);
    free(copy);
    ck_assert_int_eq(read_copy(&poem, text, POEM_SIZE_MAX + 1, &copy), POEM_TOO_LONG);
    free(copy);
}
END_TEST

START_TEST(the_digest_is_the_bytes_own)
{
    struct poem poem;
    char hex[POEM_DIGEST_HEX_SIZE + 1];

    /* FIPS 180-2's example. */
    ck_assert_int_eq(poem_read(&poem, "abc", 3), POEM_OK);
    ck_assert_str_eq(poem_digest_hex(&poem, hex),
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

/* ---- refrains ---- */

#define LONG118 \
    "1234567890123456789012345678901234567890123456789012345678901234567890" \
    "123456789012345678901234567890123456789012345678"
#define LONG112 \
    "1234567890123456789012345678901234567890123456789012345678901234567890" \
    "123456789012345678901234567890123456789012"

static const struct {
    const char *text;
    const char *refrain;
} refrains[] = {
    {"a\nb\na\n", "a"},
    {"a\nb\na", "a"},
    {"a\nb\nc\n", ""},
    {"a\na", "a"},
    {"a", ""},
    {"b\na\na\nb\n", "b"},
    {"a\nab\nabc\n", ""},
    {"ab\na\nb\n", ""},
    /* blank lines come again in any poem */
    {"a\n\nb\n\nc\n", ""},
    {"a\n\nb\n\nb\n", "b"},
    {" \t\na\n \t\na\n", "a"},
    {"\n\n\n\n", ""},
    /* line ends of both kinds are no part of it, other white space is */
    {"a\r\nb\r\na\r\n", "a"},
    {"a\r\nb\na", "a"},
    {" a\na\n", ""},
    {" a\n a\n", " a"},
    {"a \nb\na\n", ""},
    /* as a JSON string it has at most 120 bytes */
    {LONG118 "\n" LONG118 "\n", LONG118},
    {LONG118 "x\n" LONG118 "x\n", ""},
    {LONG118 "x\n" LONG118 "x\na\na\n", "a"},
    {LONG112 "123\"x\n" LONG112 "123\"x\n", LONG112 "123\"x"},
    {LONG112 "1234\"x\n" LONG112 "1234\"x\n", ""},
    {LONG112 "123\\x\n" LONG112 "123\\x\n", LONG112 "123\\x"},
    {LONG112 "1234\\x\n" LONG112 "1234\\x\n", ""},
    {LONG112 "1234\t\n" LONG112 "1234\t\n", LONG112 "1234\t"},
    {LONG112 "12345\t\n" LONG112 "12345\t\n", ""},
    {LONG112 "\x01\n" LONG112 "\x01\n", LONG112 "\x01"},
    {LONG112 "1\x1f\n" LONG112 "1\x1f\n", ""},
    {LONG112 "12345\x7f\n" LONG112 "12345\x7f\n", LONG112 "12345\x7f"},
    {LONG112 "1234\xc3\xa9\n" LONG112 "1234\xc3\xa9\n", LONG112 "1234\xc3\xa9"},
    {LONG112 "12345\xc3\xa9\n" LONG112 "12345\xc3\xa9\n", ""},
};

START_TEST(the_first_line_that_comes_again)
{
    struct poem poem;
    char *copy;

    ck_assert_int_eq(read_copy(&poem, refrains[_i].text, strlen(refrains[_i].text), &copy),
                     POEM_OK);
    ck_assert_str_eq(poem.refrain, refrains[_i].refrain);
    free(copy);
}
END_TEST

START_TEST(every_outcome_has_its_text)
{
    for (int o = POEM_OK; o <= POEM_NO_DIGEST; o++) {
        const char *const text = poem_outcome_text((enum poem_outcome)o);

        ck_assert_str_ne(text, "?");
        for (int other = 0; other < o; other++) {
            ck_assert_str_ne(text, poem_outcome_text((enum poem_outcome)other));
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("poem");
    TCase *tc = unit_case(s, "built in");

    tcase_add_test(tc, it_is_the_file_s_every_byte);
    tcase_add_test(tc, its_digest_is_pinned);
    tcase_add_test(tc, reading_it_gives_the_same);
    tcase_add_test(tc, it_has_stanzas_and_a_refrain);
    tcase_add_test(tc, its_grant_is_the_file_s);
    tc = unit_case(s, "others");
    tcase_add_loop_test(tc, bytes_are_a_poem_or_not, 0, ROWS(texts));
    tcase_add_test(tc, a_poem_at_its_limit_and_one_past);
    tcase_add_test(tc, the_digest_is_the_bytes_own);
    tcase_add_loop_test(tc, the_first_line_that_comes_again, 0, ROWS(refrains));
    tcase_add_test(tc, every_outcome_has_its_text);
    return unit_run(s);
}
