/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Traces that are damaged or made to harm: refused with a word about where and why, after all that
 * stood before; and the bounds of what a reader holds, at each and one past it.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/trace/trace_rig.h"
#include "trace/file/packet.h"
#include "trace/file/pcapng.h"
#include "trace/file/pcapng_blocks.h"

/* The first message's block in the file of begin_file. */
static size_t first_message;

static void begin_file(struct blocks *b)
{
    const struct trace_message m = trace_rig_message();

    blocks_init(b);
    blocks_section(b);
    blocks_interface(b, "edu0/1", "{\"session\":1,\"route\":\"edu0\"}");
    first_message = b->n;
    blocks_message(b, 0, &m, NULL);
}

/* What was read before stays read, and the reader says the same again. */
static void check_refused(const struct blocks *b, size_t items, const char *why)
{
    struct trace_reader *const from = trace_reader_new_take(trace_rig_file(b->p, b->n));
    struct trace_item item;
    struct reading r;

    ck_assert_ptr_nonnull(from);
    reading_init(&r);
    reading_go_on(&r, from);
    ck_assert_int_eq(r.end, TRACE_MALFORMED);
    ck_assert_uint_eq(r.items, items);
    ck_assert_msg(strstr(r.why, why), "%s", r.why);
    ck_assert_int_eq(trace_reader_next(from, &item), TRACE_MALFORMED);
    ck_assert_str_eq(trace_reader_why(from), r.why);
    reading_deinit(&r);
    trace_reader_free(from);
}

static void put16(struct blocks *b, size_t at, uint16_t v)
{
    memcpy(b->p + at, &v, sizeof v);
}

static void put32(struct blocks *b, size_t at, uint32_t v)
{
    memcpy(b->p + at, &v, sizeof v);
}

START_TEST(what_is_no_trace)
{
    static const char *const files[] = {"x", "\n\r\rx", "GIF89a......",
                                        "\xd4\xc3\xb2\xa1 old pcap"};
    struct blocks b;

    blocks_init(&b);
    blocks_add(&b, files[_i], strlen(files[_i]));
    check_refused(&b, 0, "offset 0: this is no pcapng file");
    blocks_deinit(&b);
}
END_TEST

START_TEST(sections_that_are_none)
{
    struct blocks b;

    begin_file(&b);
    put32(&b, 8, 0x1a2b3c4e);
    check_refused(&b, 0, "offset 0: a section header without its magic");
    put32(&b, 8, PCAPNG_MAGIC);
    put16(&b, 12, 2);
    check_refused(&b, 0, "a version of pcapng other than 1");
    b.n = 0;
    blocks_raw(&b, PCAPNG_SECTION, (uint32_t[2]){PCAPNG_MAGIC, 1}, 8);
    check_refused(&b, 0, "a section header that is too short");
    blocks_deinit(&b);
}
END_TEST

START_TEST(lengths_that_are_none)
{
    static const uint32_t lengths[] = {0, 4, 8, 11, 13, 18, 0xffffffff};
    struct blocks b;

    begin_file(&b);
    put32(&b, first_message + 4, lengths[_i]);
    check_refused(&b, 1, "a block of an impossible length");
    blocks_deinit(&b);
}
END_TEST

START_TEST(lengths_that_do_not_agree)
{
    struct blocks b;

    begin_file(&b);
    put32(&b, b.n - 4, 12);
    check_refused(&b, 1, "a block whose two lengths do not agree");
    b.n = first_message;
    blocks_raw(&b, 0x0bad, "abc", 3);
    put32(&b, b.n - 4, 12);
    check_refused(&b, 1, "a block whose two lengths do not agree");
    blocks_deinit(&b);
}
END_TEST

/* Bodies that are shorter than their blocks must be, or lie. */
static const struct {
    uint32_t type;
    uint32_t body[6];
    size_t n;
    const char *why;
} bodies[] = {
    {PCAPNG_INTERFACE, {252}, 4, "an interface description that is too short"},
    {PCAPNG_PACKET, {0, 0, 0, 0}, 16, "a packet that is too short"},
    {PCAPNG_PACKET, {0, 0, 0, 5, 5, 0}, 24, "a packet that is longer than its block"},
    {PCAPNG_PACKET, {0, 0, 0, UINT32_MAX, 5, 0}, 24, "a packet that is longer than its block"},
    {PCAPNG_PACKET, {1, 0, 0, 0, 0}, 20, "a block of an interface that was not described"},
    {PCAPNG_PACKET, {0, 0, 0, 0, 0}, 20, "tags without an end"},
    {PCAPNG_STATISTICS, {0, 0}, 8, "statistics that are too short"},
    {PCAPNG_STATISTICS, {9, 0, 0}, 12, "a block of an interface that was not described"},
    {PCAPNG_STATISTICS, {0, 0, 0, 0x00090001, 0}, 20, "an option that is longer than its block"},
    {PCAPNG_STATISTICS, {0, 0, 0, 0xffff0004, 0, 0}, 24, "an option that is longer than its block"},
    {PCAPNG_INTERFACE, {252, 0, 0xfffc0002}, 12, "an option that is longer than its block"},
};

START_TEST(bodies_that_lie)
{
    struct blocks b;

    begin_file(&b);
    blocks_raw(&b, bodies[_i].type, bodies[_i].body, bodies[_i].n);
    check_refused(&b, 2, bodies[_i].why);
    blocks_deinit(&b);
}
END_TEST

START_TEST(an_option_list_may_end_with_its_block)
{
    struct blocks b;
    struct reading r;

    begin_file(&b);
    blocks_raw(&b, PCAPNG_STATISTICS, (uint32_t[6]){0, 0, 0, 0x00080004, 5, 0}, 24);
    reading_of(&r, b.p, b.n);
    ck_assert_int_eq(r.end, TRACE_END);
    ck_assert_ptr_nonnull(strstr(r.text, "statistics edu0/1 5 0 0 \n"));
    reading_deinit(&r);
    blocks_deinit(&b);
}
END_TEST

/* One byte of the capture header, by its offset, made another. */
static const struct {
    unsigned offset;
    uint8_t value;
    const char *why;
} headers[] = {
    {0, 2, "a capture header of another version"},
    {1, 0x10, "invalid values"},
    {2, 41, "length does not agree"},
    {2, 72, "length does not agree"},
    {4, 0, "invalid values"},
    {4, 4, "invalid values"},
    {5, 2, "invalid values"},
    {6, 1, "length does not agree"},
    {6, 254, "more fds than a message can have"},
    {24, 15, "more bytes kept than the message had"},
};

START_TEST(capture_headers_that_lie)
{
    /* The packet's data behind its block's head, the tags behind that. */
    const size_t header = 28 + packet_head_size(0) - TRACE_CAPTURE_HDR_SIZE;
    struct blocks b;

    begin_file(&b);
    b.p[first_message + header + headers[_i].offset] = headers[_i].value;
    check_refused(&b, 1, headers[_i].why);
    blocks_deinit(&b);
}
END_TEST

START_TEST(fds_that_lie)
{
    const struct trace_fd fd = {.kind = TRACE_FD_OTHER};
    struct trace_message m = trace_rig_message();
    struct blocks b;

    begin_file(&b);
    b.n = first_message;
    m.fds = &fd;
    m.n_fds = 1;
    blocks_message(&b, 0, &m, NULL);
    b.p[first_message + 28 + packet_head_size(0)] = TRACE_FD_KINDS;
    check_refused(&b, 1, "an fd of an unknown kind");
    blocks_deinit(&b);
}
END_TEST

/* No byte, whatever is made of it, does harm; what stood before it has been read. */
START_TEST(any_byte_may_be_damaged)
{
    static const uint8_t makes[] = {0x01, 0x80, 0xff};
    static struct trace_sample s;

    trace_sample(&s);
    for (size_t at = 0; at < s.size; at += unit_step(5)) {
        const uint8_t was = s.p[at];
        unsigned before = 0;
        struct reading r;

        while (s.ends[before] <= at) {
            before++;
        }
        s.p[at] = was ^ makes[at % sizeof makes];
        reading_of(&r, s.p, s.size);
        ck_assert_int_ge(r.end, TRACE_END);
        ck_assert_int_ne(r.end, TRACE_FAILED);
        ck_assert_uint_ge(r.items, before > 0 ? before - 1 : 0);
        reading_deinit(&r);
        s.p[at] = was;
    }
}
END_TEST

/* ---- bounds ---- */

START_TEST(the_largest_block)
{
    static uint8_t packet[LIMIT_TRACE_BLOCK];
    const size_t fits = LIMIT_TRACE_BLOCK - 32;
    const struct trace_message m = {.session = 1, .size = UINT32_MAX, .legs = TRACE_LEGS};
    struct blocks b;
    struct reading r;

    packet_put_head(packet, &m);
    begin_file(&b);
    blocks_packet(&b, 0, 0, packet, fits);
    reading_of(&r, b.p, b.n);
    ck_assert_int_eq(r.end, TRACE_END);
    ck_assert_uint_eq(r.items, 3);
    reading_deinit(&r);
    blocks_packet(&b, 0, 0, packet, fits + 4);
    check_refused(&b, 3, "a block larger than any of a trace");
    blocks_deinit(&b);
}
END_TEST

START_TEST(the_most_interfaces)
{
    struct blocks b;
    struct reading r;

    blocks_init(&b);
    blocks_section(&b);
    for (size_t i = 0; i < LIMIT_TRACE_INTERFACES; i++) {
        blocks_foreign(&b, 1, NULL, 0);
    }
    reading_of(&r, b.p, b.n);
    ck_assert_int_eq(r.end, TRACE_END);
    reading_deinit(&r);
    /* Another section does not give room for more. */
    blocks_section(&b);
    blocks_foreign(&b, 1, NULL, 0);
    check_refused(&b, 0, "than a reader holds");
    blocks_deinit(&b);
}
END_TEST

START_TEST(the_longest_texts)
{
    /* 32 KiB each: 2,048 of them are what may be held. */
    const uint16_t head[2] = {PCAPNG_OPT_COMMENT, 1u << 15};
    const size_t size = head[1];
    uint8_t *const option = malloc(sizeof head + size);
    struct blocks b;
    struct reading r;

    ck_assert_ptr_nonnull(option);
    memset(option, 'x', sizeof head + size);
    memcpy(option, head, sizeof head);
    blocks_init(&b);
    blocks_section(&b);
    for (size_t i = 0; i <= LIMIT_TRACE_TEXTS / size; i++) {
        blocks_foreign(&b, PCAPNG_LINKTYPE_UPPER_PDU, option, sizeof head + size);
    }
    reading_of(&r, b.p, b.n);
    ck_assert_int_eq(r.end, TRACE_END);
    reading_deinit(&r);
    blocks_foreign(&b, PCAPNG_LINKTYPE_UPPER_PDU, option, sizeof head + size);
    check_refused(&b, 0, "than a reader holds");
    free(option);
    blocks_deinit(&b);
}
END_TEST

#define COUNT(table) (sizeof(table) / sizeof *(table))

int main(void)
{
    Suite *s = suite_create("trace_damaged");
    TCase *c = unit_case(s, "damaged");

    tcase_add_loop_test(c, what_is_no_trace, 0, 4);
    tcase_add_test(c, sections_that_are_none);
    tcase_add_loop_test(c, lengths_that_are_none, 0, 7);
    tcase_add_test(c, lengths_that_do_not_agree);
    tcase_add_loop_test(c, bodies_that_lie, 0, COUNT(bodies));
    tcase_add_test(c, an_option_list_may_end_with_its_block);
    tcase_add_loop_test(c, capture_headers_that_lie, 0, COUNT(headers));
    tcase_add_test(c, fds_that_lie);
    tcase_add_test(c, any_byte_may_be_damaged);
    tcase_add_test(c, the_largest_block);
    tcase_add_test(c, the_most_interfaces);
    tcase_add_test(c, the_longest_texts);
    return unit_run(s);
}
