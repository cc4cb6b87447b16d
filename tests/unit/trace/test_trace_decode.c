/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What messages say: each command's arguments and results, odd and malformed ones as far as they
 * go, JSON that peers send, and messages of the other byte order. What the usual ones look like is
 * in tests/golden.
 */
#include "trace/decode/decode.h"

#include <string.h>

#include "handshake/json.h"
#include "tests/support/unit.h"
#include "tests/unit/trace/said.h"
#include "trace/decode/native.h"

static struct strbuf text;
static struct decode_scratch scratch;
static struct decode_config config;

static void setup(void)
{
    said_reset();
    strbuf_init(&text);
    memset(&config, 0, sizeof config);
}

static void teardown(void)
{
    strbuf_deinit(&text);
    decode_scratch_deinit(&scratch);
}

static const char *ended(void)
{
    strbuf_char(&text, '\0');
    return text.p;
}

static const char *args_of(const struct said *s, bool json)
{
    struct printer printer = {.t = &text, .json = json, .first = true};
    struct decode_view v;

    strbuf_clear(&text);
    decode_open(&v, &s->m, &scratch);
    ck_assert(v.has_hdr);
    decode_request(&printer, &v, &config);
    return ended();
}

static const char *args(uint16_t command, const void *p, size_t n)
{
    return args_of(said(SIDE_CLIENT, 0, 1, command, p, n), false);
}

/* What the reply says to a request with that payload; NULL: to no request that is known. */
static const char *result(uint16_t command, const void *asked, size_t asked_n, const void *p,
                          size_t n)
{
    struct printer printer = {.t = &text, .first = true};
    struct trace_pairs *pairs = trace_pairs_new();
    const struct said *reply;
    struct trace_request request;
    struct decode_view v;

    ck_assert_ptr_nonnull(pairs);
    if (asked) {
        const struct said *s = said(SIDE_CLIENT, 0, 1, command, asked, asked_n);

        ck_assert_int_eq(trace_pairs_feed(pairs, &said_session[0], &s->m, 0, &request),
                         TRACE_PAIR_REQUEST);
    }
    reply = said(SIDE_BACKEND, WIRE_TYPE_REPLY, 1, command, p, n);
    ck_assert_int_eq(trace_pairs_feed(pairs, &said_session[0], &reply->m, 0, &request),
                     asked ? TRACE_PAIR_REPLY : TRACE_PAIR_UNASKED);
    strbuf_clear(&text);
    decode_open(&v, &reply->m, &scratch);
    decode_reply(&printer, &v, asked ? &request : NULL, &config);
    trace_pairs_free(pairs);
    return ended();
}

#define ARGS(command, value, expected) \
    ck_assert_str_eq(args(command, &(value), sizeof(value)), expected)

START_TEST(arguments)
{
    const struct wire_dma_map map = {32, 0xd, 0x1000, 0x2000, 0x3000};
    const struct wire_dma_unmap unmap = {24, 1, 0x2000, 0x3000};
    const struct wire_device_info info = {16, 1, 2, 3};
    const struct wire_region_info region = {32, 0, 9, 0, 0, 0};
    const struct wire_irq_info irq = {16, 0, 7, 0};
    const struct wire_irq_set set = {20, 0, 4, 1, 2};
    const struct wire_feature feature = {8, WIRE_FEATURE_GET | 3};
    const struct wire_mig_data mig = {8, 100};

    ARGS(WIRE_DMA_MAP, map, "address=0x2000, size=0x3000, READABLE|MMAP|FILE_IO, offset=0x1000");
    ARGS(WIRE_DMA_UNMAP, unmap, "address=0x2000, size=0x3000, flags=0x1");
    ARGS(WIRE_DEVICE_GET_INFO, info, "flags=0x1, num_regions=2, num_irqs=3");
    ARGS(WIRE_DEVICE_GET_REGION_INFO, region, "region9");
    ARGS(WIRE_DEVICE_GET_IRQ_INFO, irq, "7");
    ARGS(WIRE_DEVICE_SET_IRQS, set, "REQ, flags=0x0, start=1, count=2");
    ARGS(WIRE_DEVICE_FEATURE, feature, "GET 3");
    ARGS(WIRE_MIG_DATA_READ, mig, "size=100");
}
END_TEST

/* Each command's payload cut off everywhere: nothing is read behind it, and it says so. */
START_TEST(cut_off_everywhere)
{
    uint8_t bytes[128];

    memset(bytes, 1, sizeof bytes);
    for (uint16_t command = 0; command < 20; command++) {
        for (size_t n = 0; n < sizeof bytes; n++) {
            const char *const a = args(command, bytes, n);
            size_t length = strlen(a);

            ck_assert_uint_eq(length + 1, text.n);
            length = strlen(result(command, bytes, n, bytes, n));
            ck_assert_uint_eq(length + 1, text.n);
        }
    }
}
END_TEST

START_TEST(as_far_as_it_goes)
{
    const struct wire_dma_map map = {32, 1, 0, 0x2000, 0x3000};
    uint8_t longer[40] = {0};

    ck_assert_str_eq(args(WIRE_DMA_MAP, &map, 24), "address=0x2000, READABLE, offset=0x0");
    ck_assert_str_eq(args(WIRE_DMA_MAP, &map, 8), "READABLE");
    ck_assert_str_eq(args(WIRE_DMA_MAP, &map, 2), "");
    memcpy(longer, &map, sizeof map);
    longer[32] = 0xff;
    ck_assert_str_eq(args(WIRE_DMA_MAP, longer, 34),
                     "address=0x2000, size=0x3000, READABLE, offset=0x0, 0x00ff");
    ck_assert_str_eq(args(WIRE_REGION_READ, "\1\2\3", 3), "010203 (3 bytes)");
    ck_assert_str_eq(args(WIRE_DEVICE_RESET, "\1", 1), "0x01");
    ck_assert_str_eq(args(99, "\1\2\3\4\5", 5), "0102030405 (5 bytes)");
}
END_TEST

START_TEST(results)
{
    const struct wire_region_access a = {0x10, 2, 4};
    const struct wire_region_access b = {0x14, 2, 2};
    const struct wire_dma_access d = {0x1000, 4};
    const struct wire_write_multi two = {2};
    uint8_t bytes[32];

    memcpy(bytes, &a, sizeof a);
    memcpy(bytes + sizeof a, "\x78\x56\x34\x12", 4);
    ck_assert_str_eq(result(WIRE_REGION_READ, &a, sizeof a, bytes, 20), "0x12345678");
    ck_assert_str_eq(result(WIRE_REGION_READ, &b, sizeof b, bytes, 20),
                     "{BAR2+0x10, count=4, 0x12345678}");
    ck_assert_str_eq(result(WIRE_REGION_READ, NULL, 0, bytes, 19),
                     "{BAR2+0x10, count=4, 785634 (3 bytes)}");
    ck_assert_str_eq(result(WIRE_REGION_WRITE, bytes, 20, &a, sizeof a), "4");
    ck_assert_str_eq(result(WIRE_REGION_WRITE, bytes, 20, &b, sizeof b), "{BAR2+0x14, count=2}");
    ck_assert_str_eq(result(WIRE_DMA_MAP, NULL, 0, NULL, 0), "0");
    ck_assert_str_eq(result(WIRE_DMA_MAP, NULL, 0, "abc", 3), "{616263 (3 bytes)}");
    ck_assert_str_eq(result(WIRE_DMA_WRITE, &d, sizeof d, &d, WIRE_DMA_WRITE_REPLY_MIN), "4");
    ck_assert_str_eq(result(WIRE_DMA_WRITE, &d, sizeof d, &d, sizeof d), "4");
    ck_assert_str_eq(result(WIRE_DMA_WRITE, NULL, 0, &d, sizeof d), "{address=0x1000, count=4}");
    ck_assert_str_eq(result(WIRE_REGION_WRITE_MULTI, NULL, 0, &two, sizeof two), "2");
    ck_assert_str_eq(result(99, NULL, 0, NULL, 0), "0");
}
END_TEST

START_TEST(capabilities_of_regions)
{
    const struct {
        struct wire_region_info i;
        struct wire_cap a;
        struct wire_cap_type type;
        struct wire_cap b;
    } r = {{56, WIRE_REGION_FLAG_CAPS, 9, 32, 16, 0}, {WIRE_CAP_TYPE, 1, 48}, {7, 8}, {77, 2, 0}};

    ck_assert_str_eq(result(WIRE_DEVICE_GET_REGION_INFO, NULL, 0, &r, sizeof r),
                     "{CAPS, size=0x10, offset=0x0, caps=[{type, type=0x7, subtype=0x8}, "
                     "{77, version=2}]}");
}
END_TEST

/* ---- configuration space ---- */

static void teach(uint64_t offset, const void *p, uint32_t n)
{
    const struct wire_region_access a = {offset, WIRE_PCI_CONFIG, n};
    uint8_t bytes[512];
    struct decode_view v;

    memcpy(bytes, &a, sizeof a);
    memcpy(bytes + sizeof a, p, n);
    decode_open(&v,
                &said(SIDE_BACKEND, WIRE_TYPE_REPLY, 1, WIRE_REGION_READ, bytes, sizeof a + n)->m,
                &scratch);
    ck_assert(decode_teaches(&v));
    decode_learn(&config, &v);
}

START_TEST(registers_are_named_once_they_are_known)
{
    const struct wire_region_access a = {0x52, WIRE_PCI_CONFIG, 2};

    ARGS(WIRE_REGION_READ, a, "config+0x52, 2");
    teach(6, "\x10\0", 2);
    teach(0x34, "\x40", 1);
    teach(0x40, "\x01\x50", 2);
    ARGS(WIRE_REGION_READ, a, "config+0x52, 2");
    teach(0x50, "\x05\0", 2);
    ARGS(WIRE_REGION_READ, a, "config+0x52 MSI.CTRL, 2");
    ck_assert_uint_eq(config.n_caps, 2);
    /* A list that loops, and reads behind the end of the space. */
    teach(0x50, "\x05\x40", 2);
    ARGS(WIRE_REGION_READ, a, "config+0x52 MSI.CTRL, 2");
    teach(4094, "\x05\x40\1\1", 4);
    teach(UINT64_MAX, "\x05\x40\1\1", 4);
    ARGS(WIRE_REGION_READ, a, "config+0x52 MSI.CTRL, 2");
}
END_TEST

START_TEST(only_good_replies_teach)
{
    const struct wire_region_access a = {0, WIRE_PCI_BAR0, 0};
    struct decode_view v;

    decode_open(&v, &said(SIDE_BACKEND, WIRE_TYPE_REPLY, 1, WIRE_REGION_READ, &a, 16)->m, &scratch);
    ck_assert(!decode_teaches(&v));
    decode_open(&v,
                &said(SIDE_BACKEND, WIRE_TYPE_REPLY | WIRE_ERROR, 1, WIRE_REGION_READ, NULL, 0)->m,
                &scratch);
    ck_assert(!decode_teaches(&v));
    decode_open(&v, &said(SIDE_CLIENT, 0, 1, WIRE_REGION_READ, &a, 16)->m, &scratch);
    ck_assert(!decode_teaches(&v));
}
END_TEST

/* ---- JSON of peers ---- */

static const char *version(const char *json, size_t n, bool for_programs)
{
    const struct wire_version v = {0, 1};
    uint8_t bytes[1024];

    memcpy(bytes, &v, sizeof v);
    memcpy(bytes + sizeof v, json, n);
    return args_of(said(SIDE_CLIENT, 0, 1, WIRE_VERSION, bytes, sizeof v + n), for_programs);
}

#define LONG_TEXT "0123456789012345678901234567890123456789"

START_TEST(json_for_people)
{
    static const struct {
        const char *json;
        const char *shown;
    } rows[] = {
        {"{}", "0.1, {}"},
        {" { \"a\" : [ 1 , true ] } ", "0.1, {a=[1, true]}"},
        {"{\"poem\":{\"v\":1,\"recital\":{\"licence\":\"GPL-2.0-only\"}}}",
         "0.1, {poem={v=1, recital={licence=\"GPL-2.0-only\"}}}"},
        {"{\"t\":\"" LONG_TEXT "\"}", "0.1, {t=\"" LONG_TEXT "\"}"},
        {"{\"t\":\"" LONG_TEXT "x\"}", "0.1, {t=\"012345678901234567890123\"... (41 bytes)}"},
        {"{\"t\":\"01234567890123456789012\\\"56789012345678901\"}",
         "0.1, {t=\"01234567890123456789012\\\"\"... (42 bytes)}"},
        /* What is no JSON, or would drive a terminal. */
        {"{\"a", "0.1, {\"a\""},
        {"{\"a\\", "0.1, {\"a\\\""},
        {"\"", "0.1, \"\""},
        {"\x1b[31m\xc3\xa4", "0.1, \\x1b[31m\\xc3\\xa4"},
        {"{\"\x1b\":\"\n\"}", "0.1, {\\x1b=\"\\x0a\"}"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_str_eq(version(rows[i].json, strlen(rows[i].json) + 1, false), rows[i].shown);
    }
    ck_assert_str_eq(version("{}\0\0", 5, false), "0.1, {}");
    ck_assert_str_eq(version("{}\0{}", 6, false), "0.1, {}\\x00{}");
}
END_TEST

START_TEST(json_for_programs)
{
    ck_assert_str_eq(version("{\"a\" : [1, \"\xc3\xa4\"]}", 18, true),
                     "\"version\":\"0.1\",\"data\":{\"a\":[1,\"\\u00E4\"]}");
    ck_assert_str_eq(version("{\"a\x7f\":\"\x7f\"}", 11, true),
                     "\"version\":\"0.1\",\"data\":{\"a\\u007f\":\"\\u007f\"}");
    ck_assert_str_eq(version("{\"a\"", 5, true),
                     "\"version\":\"0.1\",\"data\":\"{\\u0022a\\u0022\\u0000\","
                     "\"wrong\":\"not JSON in UTF-8\"");
}
END_TEST

/* ---- lists and fds ---- */

START_TEST(long_lists_are_cut)
{
    struct {
        struct wire_write_multi m;
        struct wire_single_write w[20];
    } many = {.m = {20}};
    const struct wire_write_multi liar = {UINT64_MAX};
    struct said *s;

    for (unsigned i = 0; i < 20; i++) {
        many.w[i] = (struct wire_single_write){.offset = i, .count = 1};
    }
    ck_assert_ptr_nonnull(strstr(args(WIRE_REGION_WRITE_MULTI, &many, sizeof many),
                                 "{BAR0+0xf, 1, 0x00}, ... 4 more]"));
    ck_assert_str_eq(args(WIRE_REGION_WRITE_MULTI, &liar, sizeof liar),
                     "wr_cnt=18446744073709551615, writes=[... 18446744073709551615 more]");
    ck_assert_str_eq(
        args_of(said(SIDE_CLIENT, 0, 1, WIRE_REGION_WRITE_MULTI, &liar, sizeof liar), true),
        "\"wr_cnt\":\"18446744073709551615\",\"writes\":["
        "{\"more\":\"18446744073709551615\"}]");
    s = said(SIDE_CLIENT, 0, 1, WIRE_DMA_MAP, NULL, 0);
    said_fds(s, 20, TRACE_FD_EVENTFD);
    s->fds[0].kind = 99;
    s->fds[1].access = 7;
    strbuf_clear(&text);
    printer_fds(&(struct printer){.t = &text, .first = true}, &s->m);
    ck_assert_ptr_nonnull(strstr(ended(), "fds=[fd:100 4096 bytes, eventfd:101 4096 bytes, "));
    ck_assert_ptr_nonnull(strstr(text.p, ", ... 4 more]"));
}
END_TEST

/* ---- the other byte order ---- */

static void turn(uint8_t *p, const char *widths)
{
    for (; *widths; widths++) {
        const unsigned n = (unsigned)(*widths - '0');

        for (unsigned i = 0; i < n / 2; i++) {
            const uint8_t b = p[i];

            p[i] = p[n - 1 - i];
            p[n - 1 - i] = b;
        }
        p += n;
    }
}

/* A message is the same whichever machine captured it. */
static void same_both_ways(uint32_t flags, uint16_t command, const void *p, size_t n,
                           const char *widths)
{
    char here[1024];
    struct said *s = said(SIDE_BACKEND, flags, 1, command, p, n);
    struct printer printer = {.t = &text, .json = true, .first = true};
    struct decode_view v;

    for (unsigned i = 0; i < 2; i++) {
        strbuf_clear(&text);
        decode_open(&v, &s->m, &scratch);
        ck_assert_int_eq(v.check, WIRE_OK);
        printer.first = true;
        if (flags & WIRE_TYPE_REPLY) {
            decode_reply(&printer, &v, NULL, NULL);
        } else {
            decode_request(&printer, &v, NULL);
        }
        (void)ended();
        if (i == 0) {
            ck_assert_uint_lt(text.n, sizeof here);
            memcpy(here, text.p, text.n);
            said_turn_hdr(s);
            turn(s->bytes + WIRE_HDR_SIZE, widths);
        } else {
            ck_assert_str_eq(text.p, here);
        }
    }
}

START_TEST(the_other_byte_order)
{
    const struct wire_dma_map map = {32, 3, 0x1000, 0x2000, 0x3000};
    const struct {
        struct wire_region_info i;
        struct wire_cap cap;
        struct wire_sparse sparse;
        struct wire_sparse_area area[2];
    } region = {{80, 15, 2, 32, 8192, 1}, {WIRE_CAP_SPARSE_MMAP, 1, 0}, {2, 0}, {{1, 2}, {3, 4}}};
    const struct {
        struct wire_region_io_fds f;
        struct wire_io_fd sub;
    } io = {{56, 0, 1, 1}, {8, 4, 0, 1, 2, 0, 99}};
    const struct {
        struct wire_write_multi m;
        struct wire_single_write w[2];
    } multi = {{2}, {{1, 2, 3, {1, 2, 3}}, {4, 5, 6, {1, 2, 3, 4, 5, 6}}}};
    const struct {
        struct wire_feature f;
        struct wire_dma_logging l;
        struct wire_dma_logging_range r[2];
    } logging = {
        {56, WIRE_FEATURE_SET | WIRE_FEATURE_DMA_LOGGING_START}, {4096, 2, 0}, {{1, 2}, {3, 4}}};
    const struct wire_dma_access dma = {0x1000, 16};

    same_both_ways(0, WIRE_DMA_MAP, &map, sizeof map, "44888");
    same_both_ways(WIRE_TYPE_REPLY, WIRE_DEVICE_GET_REGION_INFO, &region, sizeof region,
                   "444488224448888");
    same_both_ways(WIRE_TYPE_REPLY, WIRE_DEVICE_GET_REGION_IO_FDS, &io, sizeof io, "44448844448");
    same_both_ways(0, WIRE_REGION_WRITE_MULTI, &multi, sizeof multi, "88441111111184411111111");
    same_both_ways(0, WIRE_DEVICE_FEATURE, &logging, sizeof logging, "448448888");
    same_both_ways(WIRE_TYPE_REPLY, WIRE_DMA_WRITE, &dma, 12, "84");
    same_both_ways(WIRE_TYPE_REPLY, WIRE_DMA_WRITE, &dma, 16, "88");
}
END_TEST

/* Cut off anywhere, what is turned stays within its bytes. */
START_TEST(turning_what_is_cut_off)
{
    uint8_t bytes[128];
    uint8_t out[128];

    memset(bytes, 1, sizeof bytes);
    for (uint16_t command = 0; command < 20; command++) {
        for (size_t n = 0; n < sizeof bytes - WIRE_HDR_SIZE; n++) {
            struct said *s = said(SIDE_CLIENT, 0, 1, command, bytes, n);
            struct wire_hdr hdr;

            said_turn_hdr(s);
            ck_assert(native_header(&s->m, &hdr));
            memset(out, 0xee, sizeof out);
            ck_assert_uint_eq(native_payload(&s->m, &hdr, out, sizeof out), n);
            ck_assert_uint_eq(out[n], 0xee);
        }
    }
}
END_TEST

START_TEST(texts)
{
    strbuf_clear(&text);
    strbuf_duration(&text, 999);
    strbuf_char(&text, ' ');
    strbuf_duration(&text, 1000);
    strbuf_char(&text, ' ');
    strbuf_duration(&text, 999999);
    strbuf_char(&text, ' ');
    strbuf_duration(&text, 2500000);
    strbuf_char(&text, ' ');
    strbuf_duration(&text, UINT64_MAX);
    strbuf_char(&text, ' ');
    strbuf_hex_in(&text, 0x1234, 2);
    strbuf_char(&text, ' ');
    strbuf_hex_in(&text, 0, 20);
    strbuf_char(&text, ' ');
    strbuf_dec_in(&text, 42, 5, '0');
    strbuf_json(&text, "a\"\\\x7f", 4);
    ck_assert_str_eq(ended(), "999 ns 1.0 us 999.9 us 2.5 ms 18446744073.7 s 0x1234 "
                              "0x0000000000000000 00042\"a\\u0022\\u005c\\u007f\"");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("trace decode");
    TCase *tc = unit_case(s, "decode");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, arguments);
    tcase_add_test(tc, cut_off_everywhere);
    tcase_add_test(tc, as_far_as_it_goes);
    tcase_add_test(tc, results);
    tcase_add_test(tc, capabilities_of_regions);
    tcase_add_test(tc, registers_are_named_once_they_are_known);
    tcase_add_test(tc, only_good_replies_teach);
    tcase_add_test(tc, json_for_people);
    tcase_add_test(tc, json_for_programs);
    tcase_add_test(tc, long_lists_are_cut);
    tcase_add_test(tc, the_other_byte_order);
    tcase_add_test(tc, turning_what_is_cut_off);
    tcase_add_test(tc, texts);
    return unit_run(s);
}
