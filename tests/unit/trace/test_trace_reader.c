/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Traces read: whole, in the other byte order, cut off at every byte, growing, and among what is
 * not the broker's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/unit.h"
#include "tests/unit/trace/trace_rig.h"
#include "trace/file/pcapng.h"
#include "trace/file/pcapng_blocks.h"

static struct trace_sample sample;

static void make_sample(void)
{
    trace_sample(&sample);
}

/* Blocks of the sample that end at or before an offset. */
static unsigned blocks_until(size_t offset)
{
    unsigned n = 0;

    while (n < sample.n_blocks && sample.ends[n] <= offset) {
        n++;
    }
    return n;
}

START_TEST(the_sample_is_read_whole)
{
    struct reading r;

    reading_of(&r, sample.p, sample.size);
    ck_assert_int_eq(r.end, TRACE_END);
    ck_assert_str_eq(r.why, "");
    /* All but the section header. */
    ck_assert_uint_eq(r.items, sample.n_blocks - 1);
    ck_assert_ptr_nonnull(strstr(r.text, "session 0 edu0/1 1 edu0 {\"session\":1,"));
    ck_assert_ptr_nonnull(strstr(r.text, "session 2 gone0/3 3 gone0 "));
    ck_assert_ptr_nonnull(strstr(r.text, "statistics edu0/1 76 3 1 {\"ended\":\"client closed\"}"));
    ck_assert_ptr_nonnull(strstr(r.text, " fd 1 2 0 6 1 4001 134217728 data 01000200"));
    ck_assert_ptr_nonnull(strstr(r.text, " unseen: interrupts by eventfd\n"));
    reading_deinit(&r);
}
END_TEST

START_TEST(the_other_byte_order_says_the_same)
{
    struct reading here;
    struct reading there;

    reading_of(&here, sample.p, sample.size);
    trace_rig_swap(sample.p, sample.size);
    reading_of(&there, sample.p, sample.size);
    ck_assert_str_eq(there.why, "");
    ck_assert_int_eq(there.end, TRACE_END);
    ck_assert_str_eq(here.text, there.text);
    reading_deinit(&here);
    reading_deinit(&there);
}
END_TEST

START_TEST(sections_follow_each_other)
{
    static struct trace_sample other;
    struct blocks b;
    struct reading r;
    struct reading one;

    trace_sample(&other);
    trace_rig_swap(other.p, other.size);
    blocks_init(&b);
    blocks_add(&b, sample.p, sample.size);
    blocks_add(&b, other.p, other.size);
    reading_of(&r, b.p, b.n);
    reading_of(&one, sample.p, sample.size);
    ck_assert_int_eq(r.end, TRACE_END);
    ck_assert_uint_eq(r.items, 2 * one.items);
    ck_assert_ptr_nonnull(strstr(r.text, "session 3 edu0/1 1 edu0 "));
    ck_assert_ptr_nonnull(strstr(r.text, "session 5 gone0/3 3 gone0 "));
    reading_deinit(&r);
    reading_deinit(&one);
    blocks_deinit(&b);
}
END_TEST

START_TEST(cut_off_at_every_byte)
{
    struct reading whole;

    reading_of(&whole, sample.p, sample.size);
    for (size_t n = 0; n < sample.size; n += unit_step(5)) {
        const unsigned blocks = blocks_until(n);
        const bool between = blocks > 0 && sample.ends[blocks - 1] == n;
        struct reading r;

        reading_of(&r, sample.p, n);
        ck_assert_int_eq(r.end, between ? TRACE_END : TRACE_CUT_OFF);
        ck_assert_uint_eq(r.items, blocks > 0 ? blocks - 1 : 0);
        ck_assert_mem_eq(r.text, whole.text, r.size);
        ck_assert_int_eq(r.why[0] == '\0', between);
        reading_deinit(&r);
    }
    reading_deinit(&whole);
}
END_TEST

START_TEST(what_is_cut_off_says_where)
{
    struct reading r;

    reading_of(&r, "", 0);
    ck_assert_str_eq(r.why, "offset 0: the file ends inside its first block");
    reading_deinit(&r);
    reading_of(&r, sample.p, sample.ends[0] + 5);
    ck_assert_int_eq(r.end, TRACE_CUT_OFF);
    ck_assert_ptr_nonnull(strstr(r.why, ": the file ends inside a block"));
    ck_assert_uint_eq(strtoul(r.why + strlen("offset "), NULL, 10), sample.ends[0]);
    reading_deinit(&r);
}
END_TEST

/* Pieces of 1 to 400 bytes, the same in every run. */
static size_t piece(uint32_t *state, size_t left)
{
    size_t n;

    *state = *state * 1664525u + 1013904223u;
    n = 1 + (*state >> 16) % 400;
    return n < left ? n : left;
}

START_TEST(a_file_that_grows_is_followed)
{
    const int fd = trace_rig_file("", 0);
    const int reader_fd = dup(fd);
    struct trace_reader *const from = trace_reader_new_take(reader_fd);
    uint32_t state = (uint32_t)_i + 1;
    struct reading whole;
    struct reading r;

    ck_assert_ptr_nonnull(from);
    reading_of(&whole, sample.p, sample.size);
    reading_init(&r);
    for (size_t at = 0; at < sample.size;) {
        const size_t n = piece(&state, sample.size - at);

        ck_assert_int_eq(pwrite(fd, sample.p + at, n, (off_t)at), (ssize_t)n);
        at += n;
        reading_go_on(&r, from);
        ck_assert(r.end == TRACE_END || r.end == TRACE_CUT_OFF);
        ck_assert_uint_eq(r.items, blocks_until(at) > 0 ? blocks_until(at) - 1 : 0);
    }
    ck_assert_int_eq(r.end, TRACE_END);
    ck_assert_str_eq(r.text, whole.text);
    reading_deinit(&r);
    reading_deinit(&whole);
    trace_reader_free(from);
    close(fd);
}
END_TEST

START_TEST(a_pipe_is_followed)
{
    uint32_t state = 99;
    struct trace_reader *from;
    struct reading whole;
    struct reading r;
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    from = trace_reader_new_take(ends[0]);
    ck_assert_ptr_nonnull(from);
    reading_of(&whole, sample.p, sample.size);
    reading_init(&r);
    for (size_t at = 0; at < sample.size;) {
        const size_t n = piece(&state, sample.size - at);

        ck_assert_int_eq(write(ends[1], sample.p + at, n), (ssize_t)n);
        at += n;
        reading_go_on(&r, from);
    }
    close(ends[1]);
    reading_go_on(&r, from);
    ck_assert_int_eq(r.end, TRACE_END);
    ck_assert_str_eq(r.text, whole.text);
    reading_deinit(&r);
    reading_deinit(&whole);
    trace_reader_free(from);
}
END_TEST

/* A block that is larger than the reader's whole buffer, and known to nobody. */
static void add_huge(struct blocks *b)
{
    const size_t n = 3 * (size_t)LIMIT_TRACE_BLOCK;
    uint8_t *const p = calloc(1, n);

    ck_assert_ptr_nonnull(p);
    blocks_raw(b, 0x0bad, p, n);
    free(p);
}

START_TEST(what_is_not_the_brokers_is_skipped)
{
    const struct trace_message m = trace_rig_message();
    static uint8_t huge[2 * LIMIT_TRACE_BLOCK];
    struct blocks b;
    struct reading r;

    blocks_init(&b);
    blocks_section(&b);
    blocks_raw(&b, 0x0bad, "abc", 3);
    blocks_foreign(&b, 1, NULL, 0);
    blocks_interface(&b, "edu0/1", "{\"session\":1,\"route\":\"edu0\"}");
    add_huge(&b);
    blocks_packet(&b, 0, 5, "an ethernet frame", 17);
    blocks_packet(&b, 0, 5, huge, sizeof huge);
    blocks_raw(&b, PCAPNG_STATISTICS, (uint8_t[12]){0}, 12);
    blocks_message(&b, 1, &m, NULL);
    /* On our interface, but another dissector's. */
    blocks_packet(&b, 1, 5, "\0\014\0\2ip\0\0\0\0", 10);
    blocks_message(&b, 1, &m, "last");
    reading_of(&r, b.p, b.n);
    ck_assert_int_eq(r.end, TRACE_END);
    ck_assert_uint_eq(r.items, 3);
    ck_assert_ptr_nonnull(strstr(r.text, "last\n"));
    reading_deinit(&r);
    blocks_deinit(&b);
}
END_TEST

START_TEST(a_foreign_block_cut_off_at_every_byte)
{
    const struct trace_message m = trace_rig_message();
    struct blocks b;
    size_t begin;
    size_t end;

    blocks_init(&b);
    blocks_section(&b);
    blocks_interface(&b, "edu0/1", "{\"session\":1,\"route\":\"edu0\"}");
    begin = b.n;
    blocks_raw(&b, 0x0bad, "foreign bytes", 13);
    end = b.n;
    blocks_message(&b, 0, &m, NULL);
    for (size_t n = begin + 1; n < end; n++) {
        struct reading r;

        reading_of(&r, b.p, n);
        ck_assert_int_eq(r.end, TRACE_CUT_OFF);
        ck_assert_uint_eq(r.items, 1);
        reading_deinit(&r);
    }
    blocks_deinit(&b);
}
END_TEST

START_TEST(a_session_that_does_not_say_so_begins_with_its_first_message)
{
    struct trace_message m = trace_rig_message();
    struct blocks b;
    struct reading r;

    blocks_init(&b);
    blocks_section(&b);
    blocks_interface(&b, "nameless", "not JSON");
    blocks_raw(&b, PCAPNG_STATISTICS, (uint8_t[12]){0}, 12);
    blocks_packet(&b, 0, 5, "\0\014\0\2ip\0\0\0\0", 10);
    blocks_message(&b, 0, &m, NULL);
    blocks_message(&b, 0, &m, NULL);
    reading_of(&r, b.p, b.n);
    ck_assert_int_eq(r.end, TRACE_END);
    ck_assert_uint_eq(r.items, 3);
    ck_assert_int_eq(strncmp(r.text, "session 0 nameless 0  not JSON\nmessage ", 39), 0);
    reading_deinit(&r);
    blocks_deinit(&b);
}
END_TEST

static const struct {
    const char *name;
    const char *comment;
    const char *want;
} names[] = {
    {"edu0/7", "{\"session\":9,\"route\":\"other\"}", "session 0 edu0/7 9 other "},
    {"edu0/7", "{\"session\":9}", "session 0 edu0/7 9 edu0 "},
    {"a/b/7", "{\"session\":7}", "session 0 a/b/7 7 a/b "},
    {"edu0/7x", "{\"session\":1}", "session 0 edu0/7x 1  "},
    {"/7", "{\"session\":1}", "session 0 /7 1  "},
    {"edu0/7", "{\"session\":1,\"route\":\"\"}", "session 0 edu0/7 1 edu0 "},
    {"x",
     "{\"session\":1,\"route\":\"0123456789012345678901234567890123456789012345678901234567890123"
     "\"}",
     "session 0 x 1 0123456789012345678901234567890123456789012345678901234567890123 "},
    {"x",
     "{\"session\":1,\"route\":\"01234567890123456789012345678901234567890123456789012345678901234"
     "\"}",
     "session 0 x 1  "},
};

START_TEST(who_a_session_is)
{
    struct blocks b;
    struct reading r;

    blocks_init(&b);
    blocks_section(&b);
    blocks_interface(&b, names[_i].name, names[_i].comment);
    reading_of(&r, b.p, b.n);
    ck_assert_int_eq(r.end, TRACE_END);
    ck_assert_uint_eq(r.items, 1);
    ck_assert_int_eq(strncmp(r.text, names[_i].want, strlen(names[_i].want)), 0);
    reading_deinit(&r);
    blocks_deinit(&b);
}
END_TEST

/* Options of an interface, and what its time 0x1_00000003 comes to. */
static const struct {
    uint8_t resolution;
    bool said;
    int64_t offset_s;
    uint64_t want;
} times[] = {
    {0, false, 0, UINT64_C(4294967299000)},
    {9, true, 0, UINT64_C(4294967299)},
    {9, true, 2, UINT64_C(6294967299)},
    {9, true, -1, UINT64_C(3294967299)},
    {6, true, 0, UINT64_C(4294967299000)},
    {0, true, 0, UINT64_C(4294967299000000000)},
    {12, true, 0, UINT64_C(4294967)},
    {0x80, true, 0, UINT64_C(4294967299000000000)},
    {0xa0, true, 0, UINT64_C(1000000000)},
    {0xff, true, 0, 0},
    {0x7f, true, 0, 0},
};

START_TEST(times_of_any_resolution)
{
    const uint8_t resolution[8] = {PCAPNG_IF_TSRESOL, 0, 1, 0, times[_i].resolution};
    uint8_t options[20];
    const struct trace_message m = trace_rig_message();
    uint8_t packet[128];
    struct trace_reader *from;
    struct trace_item item;
    struct blocks b;
    size_t n;

    memcpy(options, (uint8_t[4]){PCAPNG_IF_TSOFFSET, 0, 8, 0}, 4);
    memcpy(options + 4, &times[_i].offset_s, 8);
    memcpy(options + 12, resolution, sizeof resolution);
    blocks_init(&b);
    blocks_message(&b, 0, &m, NULL);
    memcpy(&n, (uint64_t[1]){0}, sizeof n);
    memcpy(&n, b.p + 20, 4);
    memcpy(packet, b.p + 28, n);
    b.n = 0;
    blocks_section(&b);
    blocks_foreign(&b, PCAPNG_LINKTYPE_UPPER_PDU, options, times[_i].said ? 20 : 12);
    blocks_packet(&b, 0, UINT64_C(0x100000003), packet, n);
    from = trace_reader_new_take(trace_rig_file(b.p, b.n));
    ck_assert_ptr_nonnull(from);
    ck_assert_int_eq(trace_reader_next(from, &item), TRACE_SESSION);
    ck_assert_int_eq(trace_reader_next(from, &item), TRACE_MESSAGE);
    ck_assert_uint_eq(item.message.read_ns, times[_i].want);
    ck_assert_int_eq(trace_reader_next(from, &item), TRACE_END);
    trace_reader_free(from);
    blocks_deinit(&b);
}
END_TEST

START_TEST(the_section_tells_of_itself)
{
    struct trace_reader *const from = trace_reader_new_take(trace_rig_file(sample.p, sample.size));
    struct trace_item item;

    ck_assert_ptr_nonnull(from);
    ck_assert_str_eq(trace_reader_section(from), "");
    ck_assert_int_eq(trace_reader_next(from, &item), TRACE_SESSION);
    ck_assert_str_eq(trace_reader_section(from), "{\"poemd-trace\":1,\"payload\":64}");
    ck_assert_uint_eq(item.offset, sample.ends[0]);
    ck_assert_ptr_null(item.session->user);
    trace_reader_free(from);
}
END_TEST

START_TEST(reading_that_fails_says_so)
{
    struct trace_reader *const from = trace_reader_new_take(open("/", O_RDONLY | O_CLOEXEC));
    struct trace_item item;

    ck_assert_ptr_nonnull(from);
    ck_assert_int_eq(trace_reader_next(from, &item), TRACE_FAILED);
    ck_assert_int_eq(trace_reader_error(from), -EISDIR);
    ck_assert_str_eq(trace_reader_why(from), "offset 0: Is a directory");
    ck_assert_int_eq(trace_reader_next(from, &item), TRACE_FAILED);
    trace_reader_free(from);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("trace_reader");
    TCase *c = unit_case(s, "reader");

    tcase_add_checked_fixture(c, make_sample, NULL);
    tcase_add_test(c, the_sample_is_read_whole);
    tcase_add_test(c, the_other_byte_order_says_the_same);
    tcase_add_test(c, sections_follow_each_other);
    tcase_add_test(c, cut_off_at_every_byte);
    tcase_add_test(c, what_is_cut_off_says_where);
    tcase_add_loop_test(c, a_file_that_grows_is_followed, 0, 20);
    tcase_add_test(c, a_pipe_is_followed);
    tcase_add_test(c, what_is_not_the_brokers_is_skipped);
    tcase_add_test(c, a_foreign_block_cut_off_at_every_byte);
    tcase_add_test(c, a_session_that_does_not_say_so_begins_with_its_first_message);
    tcase_add_loop_test(c, who_a_session_is, 0, sizeof names / sizeof *names);
    tcase_add_loop_test(c, times_of_any_resolution, 0, sizeof times / sizeof *times);
    tcase_add_test(c, the_section_tells_of_itself);
    tcase_add_test(c, reading_that_fails_says_so);
    return unit_run(s);
}
