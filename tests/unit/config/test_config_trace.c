/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The words of captures in poemd.conf(5): what they mean, and what is wrong with them. */
#include <stddef.h>

#include "tests/support/unit.h"
#include "tests/unit/config/parsed.h"

START_TEST(without_a_word_nothing_is_captured)
{
    struct parsed x = parse_good(ROUTE);

    ck_assert_ptr_null(x.c.routes[0].trace_file);
    ck_assert_uint_eq(x.c.trace_buffer_mib, CONFIG_TRACE_BUFFER_DEFAULT);
    let_go(&x);
}
END_TEST

START_TEST(a_file_alone_has_the_defaults)
{
    struct parsed x = parse_good(IN_ROUTE("trace /t"));
    const struct config_trace *const t = &x.c.routes[0].trace;

    ck_assert_str_eq(x.c.routes[0].trace_file, "/t");
    ck_assert_uint_eq(t->payload, CONFIG_PAYLOAD_DEFAULT);
    ck_assert_uint_eq(t->rotate_mib + t->every_ms + t->keep + t->memory_mib, 0);
    ck_assert_ptr_null(t->filter);
    let_go(&x);
}
END_TEST

START_TEST(every_word)
{
    struct parsed x = parse_good(
        "trace-buffer 32\n" IN_ROUTE("trace /t filter \"command=dma_map !errors\" memory 16 keep 3 "
                                     "every 10m rotate 256 payload 100"));
    const struct config_trace *const t = &x.c.routes[0].trace;

    ck_assert_uint_eq(x.c.trace_buffer_mib, 32);
    ck_assert_uint_eq(t->payload, 100);
    ck_assert_uint_eq(t->rotate_mib, 256);
    ck_assert_uint_eq(t->every_ms, 600000);
    ck_assert_uint_eq(t->keep, 3);
    ck_assert_uint_eq(t->memory_mib, 16);
    ck_assert_str_eq(t->filter, "command=dma_map !errors");
    let_go(&x);
}
END_TEST

static const struct {
    const char *text;
    enum config_pack pack;
    const char *file;
} packs[] = {
    {IN_ROUTE("trace /t"), CONFIG_PACK_NO, "/t"},
    {IN_ROUTE("trace /t.zst"), CONFIG_PACK_ZSTD, "/t.zst"},
    {IN_ROUTE("trace /t.zst pack no"), CONFIG_PACK_NO, "/t.zst"},
    {IN_ROUTE("trace /t pack zstd"), CONFIG_PACK_ZSTD, "/t.zst"},
    {IN_ROUTE("trace /t rotate 1"), CONFIG_PACK_ZSTD, "/t.zst"},
    {IN_ROUTE("trace /t every 1m"), CONFIG_PACK_ZSTD, "/t.zst"},
    {IN_ROUTE("trace /t every 1m pack no"), CONFIG_PACK_NO, "/t"},
    {IN_ROUTE("trace /.zst rotate 1"), CONFIG_PACK_ZSTD, "/.zst"},
    {IN_ROUTE("trace /t memory 1"), CONFIG_PACK_NO, "/t"},
};

START_TEST(rotated_files_are_packed_and_named_so)
{
    struct parsed x = parse_good(packs[_i].text);

    ck_assert_int_eq(x.c.routes[0].trace.pack, packs[_i].pack);
    ck_assert_str_eq(x.c.routes[0].trace_file, packs[_i].file);
    let_go(&x);
}
END_TEST

static const struct {
    const char *text;
    unsigned payload;
} payloads[] = {
    {IN_ROUTE("trace /t payload 0"), 0},
    {IN_ROUTE("trace /t payload 2147483647"), CONFIG_PAYLOAD_MOST},
    {IN_ROUTE("trace /t payload all"), CONFIG_PAYLOAD_ALL},
    {IN_ROUTE("trace /t payload guest"), CONFIG_PAYLOAD_GUEST},
};

START_TEST(payloads_are_read)
{
    struct parsed x = parse_good(payloads[_i].text);

    ck_assert_uint_eq(x.c.routes[0].trace.payload, payloads[_i].payload);
    let_go(&x);
}
END_TEST

static const struct wrong wrongs[] = {
    {IN_ROUTE("trace"), 4, 6, "missing FILE after \"trace\"", "trace FILE"},
    {IN_ROUTE("trace t"), 4, 7, "not an absolute path", "begins with"},
    {IN_ROUTE("trace /t payload 2147483648"), 4, 18, "not a payload", "\"guest\""},
    {IN_ROUTE("trace /t payload some"), 4, 18, "not a payload", "\"all\""},
    {IN_ROUTE("trace /t payload"), 4, 17, "missing BYTES after", ""},
    {IN_ROUTE("trace /t every 500ms"), 4, 16, "out of range", "1s"},
    {IN_ROUTE("trace /t pack gzip"), 4, 15, "gzip", "zstd"},
    {IN_ROUTE("trace /t rotate 1") "route b {\nlisten /m\nbackend /b\ntrace /t.zst\n}\n", 9, 7,
     "another route's trace", "line 4"},
    {IN_ROUTE("trace /t keep 0"), 4, 15, "out of range", "1 to"},
    {IN_ROUTE("trace /t filtre x"), 4, 10, "unknown word", "did you mean \"filter\"?"},
    {IN_ROUTE("trace /t filter \"command=\""), 4, 17, "", "poemctl-trace(1)"},
    {IN_ROUTE("trace /t\ntrace /u"), 5, 1, "duplicate \"trace\"", "line 4"},
    {IN_ROUTE("trace /t") "route b {\nlisten /m\nbackend /b\ntrace //t\n}\n", 9, 7,
     "another route's trace is written to this file", "line 4"},
    {"trace /t\n" ROUTE, 1, 1, "unexpected", "route"},
    {"trace-buffer 0\n" ROUTE, 1, 14, "out of range", "1 to 1024"},
};

START_TEST(each_error_has_its_place)
{
    struct parsed x = parse(wrongs[_i].text);

    must_be_wrong(&x, &wrongs[_i]);
    let_go(&x);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("config_trace");
    TCase *tc = unit_case(s, "words");

    tcase_add_test(tc, without_a_word_nothing_is_captured);
    tcase_add_test(tc, a_file_alone_has_the_defaults);
    tcase_add_test(tc, every_word);
    tcase_add_loop_test(tc, payloads_are_read, 0, COUNT(payloads));
    tc = unit_case(s, "errors");
    tcase_add_loop_test(tc, rotated_files_are_packed_and_named_so, 0, COUNT(packs));
    tcase_add_loop_test(tc, each_error_has_its_place, 0, COUNT(wrongs));
    return unit_run(s);
}
