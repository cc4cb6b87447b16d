/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Foreign JSON: what is read, what is refused and as what, and how it is written anew. */
#include "handshake/json.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tests/support/unit.h"

/* A text with its size, the NUL that C puts at its end included. */
#define TEXT(s) (s), sizeof(s)

/* … and without that NUL. */
#define BARE(s) (s), sizeof(s) - 1

struct refused {
    const char *text;
    size_t n;
    enum json_outcome outcome;
};

static const struct refused refused[] = {
    {"", 0, JSON_NO_NUL},
    {BARE("{}"), JSON_NO_NUL},
    {BARE("{}\n"), JSON_NO_NUL},
    {BARE("{\0}"), JSON_NO_NUL},

    {TEXT("{}\0{}"), JSON_NUL_INSIDE},
    {TEXT("{}\0 "), JSON_NUL_INSIDE},
    {TEXT("{\"a\":\"b\0c\"}"), JSON_NUL_INSIDE},
    {TEXT("\0{}"), JSON_NUL_INSIDE},
    {TEXT("{}\0\0\0x"), JSON_NUL_INSIDE},

    {TEXT("{\"a\":1,\"a\":1}"), JSON_DUPLICATE},
    {TEXT("{\"a\":1,\"b\":2,\"a\":3}"), JSON_DUPLICATE},
    {TEXT("{\"a\":1,\"\\u0061\":2}"), JSON_DUPLICATE},
    {TEXT("{\"\":1,\"\":2}"), JSON_DUPLICATE},
    {TEXT("{\"x\":{\"a\":1,\"a\":1}}"), JSON_DUPLICATE},
    {TEXT("{\"x\":{\"y\":{\"z\":{\"a\":1,\"a\":1}}}}"), JSON_DUPLICATE},
    {TEXT("{\"x\":[1,{\"a\":1,\"a\":1}]}"), JSON_DUPLICATE},

    {TEXT("[]"), JSON_NOT_OBJECT},
    {TEXT("[{}]"), JSON_NOT_OBJECT},
    {TEXT("null"), JSON_NOT_OBJECT},
    {TEXT("true"), JSON_NOT_OBJECT},
    {TEXT("17"), JSON_NOT_OBJECT},
    {TEXT("\"{}\""), JSON_NOT_OBJECT},

    {TEXT(""), JSON_SYNTAX},
    {TEXT(" \n\t"), JSON_SYNTAX},
    {TEXT("{"), JSON_SYNTAX},
    {TEXT("}"), JSON_SYNTAX},
    {TEXT("{]"), JSON_SYNTAX},
    {TEXT("{}}"), JSON_SYNTAX},
    {TEXT("{} {}"), JSON_SYNTAX},
    {TEXT("{},"), JSON_SYNTAX},
    {TEXT("{} x"), JSON_SYNTAX},
    {TEXT("{a:1}"), JSON_SYNTAX},
    {TEXT("{'a':1}"), JSON_SYNTAX},
    {TEXT("{\"a\"}"), JSON_SYNTAX},
    {TEXT("{\"a\":}"), JSON_SYNTAX},
    {TEXT("{\"a\":1,}"), JSON_SYNTAX},
    {TEXT("{\"a\":1 \"b\":2}"), JSON_SYNTAX},
    {TEXT("{1:1}"), JSON_SYNTAX},
    {TEXT("{\"a\":[1,]}"), JSON_SYNTAX},
    {TEXT("{\"a\":01}"), JSON_SYNTAX},
    {TEXT("{\"a\":+1}"), JSON_SYNTAX},
    {TEXT("{\"a\":.5}"), JSON_SYNTAX},
    {TEXT("{\"a\":0x10}"), JSON_SYNTAX},
    {TEXT("{\"a\":NaN}"), JSON_SYNTAX},
    {TEXT("{\"a\":Infinity}"), JSON_SYNTAX},
    {TEXT("{\"a\":TRUE}"), JSON_SYNTAX},
    {TEXT("{\"a\":\"b}"), JSON_SYNTAX},
    {TEXT("{\"a\":\"\n\"}"), JSON_SYNTAX},
    {TEXT("{\"a\":\"\x01\"}"), JSON_SYNTAX},
    {TEXT("{\"a\":\"\\x41\"}"), JSON_SYNTAX},
    {TEXT("{\"a\":\"\\u12\"}"), JSON_SYNTAX},
    {TEXT("/* */ {}"), JSON_SYNTAX},
    {TEXT("{} // end"), JSON_SYNTAX},

    /* a NUL by another name */
    {TEXT("{\"a\":\"\\u0000\"}"), JSON_SYNTAX},
    {TEXT("{\"a\\u0000b\":1}"), JSON_SYNTAX},

    /* numbers that JSON's grammar does not have, among those that are kept as they are */
    {TEXT("{\"a\":1.}"), JSON_SYNTAX},
    {TEXT("{\"a\":1.e5}"), JSON_SYNTAX},
    {TEXT("{\"a\":1.5e}"), JSON_SYNTAX},
    {TEXT("{\"a\":1e+}"), JSON_SYNTAX},
    {TEXT("{\"a\":1.5.5}"), JSON_SYNTAX},
    {TEXT("{\"a\":01.5}"), JSON_SYNTAX},
    {TEXT("{\"a\":-01.5}"), JSON_SYNTAX},
    {TEXT("{\"a\":--1.5}"), JSON_SYNTAX},
    {TEXT("{\"a\":-}"), JSON_SYNTAX},
    {TEXT("{\"a\":018446744073709551615}"), JSON_SYNTAX},
    {TEXT("{\"a\":18446744073709551615x}"), JSON_SYNTAX},
    {TEXT("{\"a\":1.5 2.5}"), JSON_SYNTAX},
    {TEXT("{\"a\":1.5\"b\"}"), JSON_SYNTAX},
    {TEXT("{1.5:1}"), JSON_SYNTAX},
    {TEXT("{18446744073709551615:1}"), JSON_SYNTAX},
    {TEXT("1.5"), JSON_NOT_OBJECT},
    {TEXT("18446744073709551615"), JSON_NOT_OBJECT},

    /* not UTF-8: stray, cut off, too long, surrogates, above U+10FFFF, a byte order mark */
    {TEXT("{\"a\":\"\x80\"}"), JSON_SYNTAX},
    {TEXT("{\"a\":\"\xff\"}"), JSON_SYNTAX},
    {TEXT("{\"a\":\"\xc3\"}"), JSON_SYNTAX},
    {TEXT("{\"a\":\"\xc0\xaf\"}"), JSON_SYNTAX},
    {TEXT("{\"a\":\"\xe0\x80\xaf\"}"), JSON_SYNTAX},
    {TEXT("{\"a\":\"\xed\xa0\x80\"}"), JSON_SYNTAX},
    {TEXT("{\"a\":\"\xf4\x90\x80\x80\"}"), JSON_SYNTAX},
    {TEXT("{\"\xe9\":1}"), JSON_SYNTAX},
    {TEXT("{\"a\":\"\\ud800\"}"), JSON_SYNTAX},
    {TEXT("{\"a\":\"\\udc00\\ud800\"}"), JSON_SYNTAX},
    {TEXT("\xef\xbb\xbf{}"), JSON_SYNTAX},
};

/* Read from memory of just its size, so that reading past its end is seen. */
static enum json_outcome read_exact(const void *p, size_t n, json_t **out)
{
    void *const copy = malloc(n > 0 ? n : 1);
    enum json_outcome o;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, p, n);
    *out = json_true();
    o = json_read(copy, n, out);
    free(copy);
    ck_assert_int_eq(*out != NULL, o == JSON_OK);
    return o;
}

START_TEST(what_is_not_strict_json_is_refused)
{
    const struct refused *const r = &refused[_i];
    json_t *out;
    const enum json_outcome o = read_exact(r->text, r->n, &out);

    ck_assert_msg(o == r->outcome, "%s: \"%s\", not \"%s\"", r->text, json_outcome_text(o),
                  json_outcome_text(r->outcome));
}
END_TEST

static const struct {
    const char *text;
    size_t n;
    const char *anew;
} taken[] = {
    {TEXT("{}"), "{}"},
    {TEXT("{}\0"), "{}"},
    {TEXT("{}\0\0\0\0\0\0"), "{}"},
    {TEXT(" \t\r\n{ } \n"), "{}"},
    {TEXT("{}\n\0\0"), "{}"},
    {TEXT("{\"a\" : [ 1 , 2 ] , \"b\" : { } }"), "{\"a\":[1,2],\"b\":{}}"},
    /* unknown keys stay, in the order in which they came */
    {TEXT("{\"z\":1,\"a\":2,\"m\":{\"y\":null,\"b\":true,\"k\":false}}"),
     "{\"z\":1,\"a\":2,\"m\":{\"y\":null,\"b\":true,\"k\":false}}"},
    /* the same key in different objects, and keys that differ in case alone */
    {TEXT("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}"),
     "{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}"},
    {TEXT("{\"a\":1,\"A\":2}"), "{\"a\":1,\"A\":2}"},
    {TEXT("{\"a\":[{\"a\":1},{\"a\":2}]}"), "{\"a\":[{\"a\":1},{\"a\":2}]}"},
    {TEXT("{\"\":1}"), "{\"\":1}"},
    /* numbers at the ends of their range */
    {TEXT("{\"a\":9223372036854775807,\"b\":-9223372036854775808}"),
     "{\"a\":9223372036854775807,\"b\":-9223372036854775808}"},
    /* … and beyond it, of reals and of zeros: digit for digit */
    {TEXT("{\"a\":18446744073709551615,\"b\":9223372036854775808}"),
     "{\"a\":18446744073709551615,\"b\":9223372036854775808}"},
    {TEXT("{\"a\":18446744073709547520}"), "{\"a\":18446744073709547520}"},
    {TEXT("{\"a\":-9223372036854775809}"), "{\"a\":-9223372036854775809}"},
    {TEXT("{\"a\":99999999999999999999999999999999999999}"),
     "{\"a\":99999999999999999999999999999999999999}"},
    {TEXT("{\"a\":999999999999999999,\"b\":1000000000000000000}"),
     "{\"a\":999999999999999999,\"b\":1000000000000000000}"},
    {TEXT("{\"a\":1e300,\"b\":0.1,\"c\":1E+2,\"d\":1.50e-07}"),
     "{\"a\":1e300,\"b\":0.1,\"c\":1E+2,\"d\":1.50e-07}"},
    {TEXT("{\"a\":1e999,\"b\":-1e999}"), "{\"a\":1e999,\"b\":-1e999}"},
    {TEXT("{\"a\":0.5,\"b\":-0,\"c\":-0.0,\"d\":0}"), "{\"a\":0.5,\"b\":-0,\"c\":-0.0,\"d\":0}"},
    {TEXT("{\"a\":[1.5, [ 2.5,{ \"b\" : 3.5 } ] , 4.5 ]}"), "{\"a\":[1.5,[2.5,{\"b\":3.5}],4.5]}"},
    /* what looks like a number, or like what is made of one, is a string where it is one */
    {TEXT("{\"a\":\"1.5\",\"1.5\":\"18446744073709551615\"}"),
     "{\"a\":\"1.5\",\"1.5\":\"18446744073709551615\"}"},
    {TEXT("{\"a\":\"\\\\u00001.5\",\"b\":\"\\\"\\\\u00001.5\\\"\"}"),
     "{\"a\":\"\\\\u00001.5\",\"b\":\"\\\"\\\\u00001.5\\\"\"}"},
    /* escapes are resolved where JSON needs none */
    {TEXT("{\"\\u0061\":\"\\u0041\\/\\n\\\"\\\\\"}"), "{\"a\":\"A/\\n\\\"\\\\\"}"},
    {TEXT("{\"a\":\"\\u00e9\\ud83d\\ude00\"}"), "{\"a\":\"\xc3\xa9\xf0\x9f\x98\x80\"}"},
    {TEXT("{\"\xc3\xa9\":\"\xe2\x82\xac\"}"), "{\"\xc3\xa9\":\"\xe2\x82\xac\"}"},
    {TEXT("{\"a\":\"\\u0001\x7f\"}"), "{\"a\":\"\\u0001\x7f\"}"},
    /* brackets and quotes in strings are text */
    {TEXT("{\"a\":\"{{{{{{{{{{{{{{{{{{[[[[[[[[\"}"), "{\"a\":\"{{{{{{{{{{{{{{{{{{[[[[[[[[\"}"},
    {TEXT("{\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[\"}"), "{\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[\"}"},
    {TEXT("{\"[[[[[[[[[[[[[[[[[[[[[[[[\\\\\":1}"), "{\"[[[[[[[[[[[[[[[[[[[[[[[[\\\\\":1}"},
    {TEXT("{\"a\":\"]]]]\",\"b\":[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]}"),
     "{\"a\":\"]]]]\",\"b\":[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]}"},
};

START_TEST(strict_json_is_written_anew)
{
    char out[256];
    json_t *json;
    size_t n;

    ck_assert_int_eq(read_exact(taken[_i].text, taken[_i].n, &json), JSON_OK);
    n = json_write(json, out, sizeof out);
    ck_assert_str_eq(out, taken[_i].anew);
    ck_assert_uint_eq(n, strlen(taken[_i].anew) + 1);
    json_decref(json);
}
END_TEST

/* How an integer is read where one is wanted. */
static const struct {
    const char *digits;
    bool is_u64;
    uint64_t value;
} integers[] = {
    {"0", true, 0},
    {"4096", true, 4096},
    {"9223372036854775807", true, INT64_MAX},
    {"9223372036854775808", true, (uint64_t)INT64_MAX + 1},
    {"18446744073709547520", true, 0xfffffffffffff000u},
    {"18446744073709551615", true, UINT64_MAX},
    {"18446744073709551616", true, UINT64_MAX},
    {"99999999999999999999999999", true, UINT64_MAX},
    {"-1", false, 0},
    {"-9223372036854775809", false, 0},
    {"1.0", false, 0},
    {"1e3", false, 0},
    {"\"4096\"", false, 0},
    {"\"\"", false, 0},
    {"null", false, 0},
    {"[]", false, 0},
};

START_TEST(an_integer_has_up_to_64_bits)
{
    char text[64];
    json_t *json;
    uint64_t got = 0;

    snprintf(text, sizeof text, "{\"a\":%s}", integers[_i].digits);
    ck_assert_int_eq(read_exact(text, strlen(text) + 1, &json), JSON_OK);
    ck_assert_int_eq(json_u64(json_object_get(json, "a"), &got), integers[_i].is_u64);
    ck_assert(!integers[_i].is_u64 || got == integers[_i].value);
    ck_assert(!json_u64(NULL, &got));
    json_decref(json);
}
END_TEST

/* Text of n bytes, of the shortest numbers that are kept, is written as it came. */
START_TEST(a_text_of_nothing_but_kept_numbers)
{
    const size_t n = LIMIT_VERSION_JSON;
    char *const text = malloc(n);
    char *const out = malloc(n);
    json_t *json;
    size_t at;

    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_nonnull(out);
    memcpy(text, "{\"a\":[-0", at = 8);
    for (; at + 6 < n; at += 3) {
        memcpy(text + at, ",-0", 3);
    }
    memcpy(text + at, "]}", 3);
    ck_assert_int_eq(read_exact(text, at + 3, &json), JSON_OK);
    ck_assert_uint_eq(json_write(json, out, n), at + 3);
    ck_assert_str_eq(out, text);
    json_decref(json);
    free(text);
    free(out);
}
END_TEST

START_TEST(writing_needs_room_for_all_and_the_nul)
{
    static const char text[] = "{\"a\":[1,2.5]}";
    char out[sizeof text + 1];
    json_t *json;

    ck_assert_int_eq(read_exact(text, sizeof text, &json), JSON_OK);
    for (size_t size = 0; size < sizeof text; size++) {
        out[size] = 'x';
        ck_assert_uint_eq(json_write(json, out, size), 0);
        ck_assert_int_eq(out[size], 'x');
    }
    out[sizeof text] = 'x';
    ck_assert_uint_eq(json_write(json, out, sizeof text), sizeof text);
    ck_assert_int_eq(out[sizeof text], 'x');
    ck_assert_str_eq(out, text);
    json_decref(json);
}
END_TEST

/* {"a":{"a":… or {"a":[[… nested so many levels. */
static char *nested(unsigned levels, bool arrays)
{
    char *const text = calloc(1, levels * 8 + 1);

    ck_assert_ptr_nonnull(text);
    for (unsigned i = 0; i < levels; i++) {
        strcat(text, i == 0 || !arrays ? (i + 1 < levels ? "{\"a\":" : "{") : "[");
    }
    for (unsigned i = levels; i-- > 0;) {
        strcat(text, i == 0 || !arrays ? "}" : "]");
    }
    return text;
}

START_TEST(depth_is_bounded)
{
    static const struct {
        unsigned levels;
        enum json_outcome outcome;
    } rows[] = {
        {1, JSON_OK},          {LIMIT_JSON_DEPTH, JSON_OK}, {LIMIT_JSON_DEPTH + 1, JSON_TOO_DEEP},
        {1000, JSON_TOO_DEEP}, {2000, JSON_TOO_DEEP},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *const text = nested(rows[i].levels, _i);
        json_t *json;

        ck_assert_msg(read_exact(text, strlen(text) + 1, &json) == rows[i].outcome, "%u levels",
                      rows[i].levels);
        json_decref(json);
        free(text);
    }
}
END_TEST

START_TEST(depth_counts_levels_not_brackets)
{
    char text[512] = "{\"a\":[";
    json_t *json;

    for (unsigned i = 0; i < 2 * LIMIT_JSON_DEPTH; i++) {
        strcat(text, "{},[],");
    }
    strcat(text, "0]}");
    ck_assert_int_eq(read_exact(text, strlen(text) + 1, &json), JSON_OK);
    json_decref(json);
}
END_TEST

/* Unclosed, so that a parser which only counts closed levels would go down all the way. */
START_TEST(a_depth_bomb_is_refused_before_it_is_parsed)
{
    char *const text = malloc(LIMIT_VERSION_JSON);
    json_t *json;

    ck_assert_ptr_nonnull(text);
    memset(text, _i ? '[' : '{', LIMIT_VERSION_JSON);
    text[LIMIT_VERSION_JSON - 1] = '\0';
    ck_assert_int_eq(read_exact(text, LIMIT_VERSION_JSON, &json), JSON_TOO_DEEP);
    free(text);
}
END_TEST

START_TEST(length_is_bounded)
{
    char *const text = malloc(LIMIT_VERSION_JSON + 1);
    json_t *json;

    ck_assert_ptr_nonnull(text);
    memset(text, ' ', LIMIT_VERSION_JSON + 1);
    memcpy(text, "{}", 2);
    text[LIMIT_VERSION_JSON - 1] = '\0';
    text[LIMIT_VERSION_JSON] = '\0';
    ck_assert_int_eq(read_exact(text, LIMIT_VERSION_JSON, &json), JSON_OK);
    json_decref(json);
    ck_assert_int_eq(read_exact(text, LIMIT_VERSION_JSON + 1, &json), JSON_TOO_LONG);
    free(text);
}
END_TEST

START_TEST(every_outcome_has_its_text)
{
    for (int o = JSON_OK; o <= JSON_SYNTAX; o++) {
        const char *const text = json_outcome_text((enum json_outcome)o);

        ck_assert_str_ne(text, "?");
        for (int other = 0; other < o; other++) {
            ck_assert_str_ne(text, json_outcome_text((enum json_outcome)other));
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("json");
    TCase *tc = unit_case(s, "read");

    tcase_add_loop_test(tc, what_is_not_strict_json_is_refused, 0,
                        sizeof refused / sizeof refused[0]);
    tcase_add_loop_test(tc, strict_json_is_written_anew, 0, sizeof taken / sizeof taken[0]);
    tcase_add_loop_test(tc, an_integer_has_up_to_64_bits, 0, sizeof integers / sizeof integers[0]);
    tcase_add_test(tc, a_text_of_nothing_but_kept_numbers);
    tcase_add_test(tc, writing_needs_room_for_all_and_the_nul);
    tc = unit_case(s, "limits");
    tcase_add_loop_test(tc, depth_is_bounded, 0, 2);
    tcase_add_test(tc, depth_counts_levels_not_brackets);
    tcase_add_loop_test(tc, a_depth_bomb_is_refused_before_it_is_parsed, 0, 2);
    tcase_add_test(tc, length_is_bounded);
    tcase_add_test(tc, every_outcome_has_its_text);
    return unit_run(s);
}
