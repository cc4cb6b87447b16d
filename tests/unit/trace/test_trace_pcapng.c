/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Traces written: each field comes back as it was given, each block whole or not at all, and what
 * is too long is cut where it may be.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"
#include "base/unconst.h"
#include "tests/unit/trace/trace_rig.h"
#include "trace/file/packet.h"
#include "trace/file/pcapng.h"

#define ROOM (1u << 20)

static struct trace_reader *reader_of(const struct blocks *b)
{
    struct trace_reader *const r = trace_reader_new_take(trace_rig_file(b->p, b->n));

    ck_assert_ptr_nonnull(r);
    return r;
}

/* A reader that stands before the first message of a session that was begun for it. */
static void begin_file(struct blocks *b)
{
    blocks_init(b);
    blocks_section(b);
    blocks_interface(b, "edu0/1", "{\"session\":1}");
}

static void check_message(const struct trace_message *a, const struct trace_message *b)
{
    ck_assert_uint_eq(a->session, b->session);
    ck_assert_uint_eq(a->number, b->number);
    ck_assert_uint_eq(a->read_ns, b->read_ns);
    ck_assert_uint_eq(a->passed_ns, b->passed_ns);
    ck_assert_uint_eq(a->waited_ns, b->waited_ns);
    ck_assert_uint_eq(a->size, b->size);
    ck_assert_uint_eq(a->kept, b->kept);
    ck_assert_uint_eq(a->missing, b->missing);
    ck_assert_uint_eq(a->lost, b->lost);
    ck_assert_uint_eq(a->sender, b->sender);
    ck_assert_uint_eq(a->legs, b->legs);
    ck_assert_uint_eq(a->flags, b->flags);
    ck_assert_uint_eq(a->n_fds, b->n_fds);
    for (unsigned i = 0; i < a->n_fds; i++) {
        ck_assert_uint_eq(a->fds[i].kind, b->fds[i].kind);
        ck_assert_uint_eq(a->fds[i].access, b->fds[i].access);
        ck_assert_uint_eq(a->fds[i].flags, b->fds[i].flags);
        ck_assert_uint_eq(a->fds[i].seals, b->fds[i].seals);
        ck_assert_uint_eq(a->fds[i].dev, b->fds[i].dev);
        ck_assert_uint_eq(a->fds[i].ino, b->fds[i].ino);
        ck_assert_uint_eq(a->fds[i].size, b->fds[i].size);
    }
    ck_assert(a->kept == 0 || memcmp(a->data, b->data, a->kept) == 0);
}

static struct trace_message round_trip(const struct trace_message *m, const char *comment)
{
    struct trace_reader *r;
    struct trace_item item;
    struct blocks b;

    begin_file(&b);
    blocks_message(&b, 0, m, comment);
    r = reader_of(&b);
    ck_assert_int_eq(trace_reader_next(r, &item), TRACE_SESSION);
    ck_assert_int_eq(trace_reader_next(r, &item), TRACE_MESSAGE);
    if (comment) {
        ck_assert_str_eq(item.comment, comment);
    } else {
        ck_assert_ptr_null(item.comment);
    }
    if (m->kept == item.message.kept) {
        check_message(m, &item.message);
    }
    ck_assert_int_eq(trace_reader_next(r, &item), TRACE_END);
    trace_reader_free(r);
    blocks_deinit(&b);
    return item.message;
}

START_TEST(every_field_comes_back)
{
    struct trace_fd fds[LIMIT_FDS_KERNEL];
    uint8_t data[256];
    struct trace_message m = {.session = UINT64_C(0x0102030405060708),
                              .number = UINT64_C(0x1112131415161718),
                              .read_ns = UINT64_C(0x2122232425262728),
                              .passed_ns = UINT64_C(0x3132333435363738),
                              .size = UINT32_C(0x41424344),
                              .lost = UINT32_C(0x51525354),
                              .sender = SIDE_BACKEND,
                              .legs = TRACE_LEG_BACKEND,
                              .flags = TRACE_FLAGS,
                              .fds = fds,
                              .data = data};

    for (unsigned i = 0; i < LIMIT_FDS_KERNEL; i++) {
        fds[i] = (struct trace_fd){.kind = (uint8_t)(i % TRACE_FD_KINDS),
                                   .access = (uint8_t)(i % 3),
                                   .flags = i % 2 ? TRACE_FD_WITHHELD : 0,
                                   .seals = i * 0x01010101u,
                                   .dev = i * UINT64_C(0x0102030405060708),
                                   .ino = i * UINT64_C(0x1112131415161718),
                                   .size = i * UINT64_C(0x2122232425262728)};
    }
    for (unsigned i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)i;
    }
    for (uint32_t kept = 0; kept <= sizeof data; kept++) {
        m.kept = kept;
        m.missing = kept < sizeof data && kept % 3 == 0 ? m.size - kept : 0;
        m.n_fds = (uint16_t)(kept % (LIMIT_FDS_KERNEL + 1));
        m.waited_ns = kept % 5 == 0 ? UINT64_C(0x3030303030303030) : 0;
        round_trip(&m, kept % 2 ? NULL : "a comment");
    }
}
END_TEST

/* A pause is a part of the time that a message took. */
START_TEST(a_pause_that_is_too_long_is_cut)
{
    struct trace_message m = trace_rig_message();
    struct trace_reader *r;
    struct trace_item item;
    struct blocks b;

    m.waited_ns = m.passed_ns + 1;
    begin_file(&b);
    blocks_message(&b, 0, &m, NULL);
    r = reader_of(&b);
    ck_assert_int_eq(trace_reader_next(r, &item), TRACE_SESSION);
    ck_assert_int_eq(trace_reader_next(r, &item), TRACE_MESSAGE);
    ck_assert_uint_eq(item.message.waited_ns, m.passed_ns);
    trace_reader_free(r);
    blocks_deinit(&b);
}
END_TEST

START_TEST(each_flag_alone)
{
    struct trace_message m = trace_rig_message();

    m.flags = (uint8_t)(1u << _i);
    round_trip(&m, NULL);
    m.legs = _i % 2 ? TRACE_LEG_CLIENT : TRACE_LEG_BACKEND;
    m.sender = (uint8_t)(_i % 2);
    round_trip(&m, "");
}
END_TEST

START_TEST(as_much_of_a_message_as_wireshark_takes)
{
    static uint8_t data[LIMIT_TRACE_PACKET];
    struct trace_message m = trace_rig_message();
    uint32_t most;

    m.data = data;
    m.size = sizeof data;
    m.kept = sizeof data;
    most = round_trip(&m, NULL).kept;
    ck_assert_uint_lt(most, sizeof data);
    m.kept = most;
    ck_assert_uint_eq(round_trip(&m, NULL).kept, most);
    m.kept = most + 1;
    ck_assert_uint_eq(round_trip(&m, NULL).kept, most);
    m.n_fds = LIMIT_FDS_KERNEL;
    m.fds = calloc(LIMIT_FDS_KERNEL, sizeof *m.fds);
    ck_assert_ptr_nonnull(m.fds);
    ck_assert_uint_eq(round_trip(&m, NULL).kept, most - LIMIT_FDS_KERNEL * TRACE_CAPTURE_FD_SIZE);
    free(unconst_pointer(m.fds));
}
END_TEST

START_TEST(statistics_come_back)
{
    const struct pcapng_statistics first = {.now_ns = 5, .begin_ns = 1, .seen = 77, .lost = 3};
    const struct pcapng_statistics last = {
        .now_ns = 9, .begin_ns = 1, .seen = UINT64_MAX, .lost = UINT64_MAX - 1, .over = true};
    struct trace_reader *r;
    struct trace_item item;
    uint8_t p[512];
    struct blocks b;

    begin_file(&b);
    blocks_add(&b, p, pcapng_statistics(p, sizeof p, 0, &first, NULL));
    blocks_add(&b, p, pcapng_statistics(p, sizeof p, 0, &last, "{\"ended\":\"asked\"}"));
    r = reader_of(&b);
    ck_assert_int_eq(trace_reader_next(r, &item), TRACE_SESSION);
    ck_assert_int_eq(trace_reader_next(r, &item), TRACE_STATISTICS);
    ck_assert_uint_eq(item.session->seen, 77);
    ck_assert_uint_eq(item.session->lost, 3);
    ck_assert(!item.session->over);
    ck_assert_str_eq(item.session->ending, "");
    ck_assert_int_eq(trace_reader_next(r, &item), TRACE_STATISTICS);
    ck_assert_uint_eq(item.session->seen, UINT64_MAX);
    ck_assert_uint_eq(item.session->lost, UINT64_MAX - 1);
    ck_assert(item.session->over);
    ck_assert_str_eq(item.session->ending, "{\"ended\":\"asked\"}");
    ck_assert_int_eq(trace_reader_next(r, &item), TRACE_END);
    trace_reader_free(r);
    blocks_deinit(&b);
}
END_TEST

/* Each kind of block, into n bytes. */
static size_t write_block(int kind, void *p, size_t n)
{
    static const struct trace_fd fd = {.kind = TRACE_FD_FILE};
    const struct pcapng_statistics s = {.now_ns = 1, .over = true};
    struct trace_message m = trace_rig_message();

    m.fds = &fd;
    m.n_fds = 1;
    m.lost = 1;
    switch (kind) {
    case 0:
        return pcapng_section(p, n, "{}");
    case 1:
        return pcapng_interface(p, n, "name", "description", "comment");
    case 2:
        return pcapng_message(p, n, 0, &m, "comment");
    case 3:
        return pcapng_message(p, n, 0, &m, NULL);
    case 4:
        return pcapng_statistics(p, n, 0, &s, "comment");
    default:
        return pcapng_interface(p, n, "", NULL, "");
    }
}

START_TEST(a_block_is_written_whole_or_not_at_all)
{
    uint8_t p[512];
    const size_t n = write_block(_i, p, sizeof p);

    ck_assert_uint_gt(n, 0);
    ck_assert_uint_eq(n % 4, 0);
    ck_assert_uint_le(n, PCAPNG_BLOCK_MAX_OVERHEAD);
    for (size_t room = 0; room <= n; room++) {
        /* Of just this size, so that a byte too many is seen by who looks. */
        uint8_t *const q = malloc(room ? room : 1);

        ck_assert_ptr_nonnull(q);
        memset(q, 0xa5, room);
        ck_assert_uint_eq(write_block(_i, q, room), room < n ? 0 : n);
        for (size_t i = 0; room < n && i < room; i++) {
            ck_assert_uint_eq(q[i], 0xa5);
        }
        ck_assert(room < n || memcmp(p, q, n) == 0);
        free(q);
    }
}
END_TEST

/* The comment of a message that was given text. */
static void check_comment(const char *text, size_t want)
{
    const struct trace_message m = trace_rig_message();
    struct trace_reader *r;
    struct trace_item item;
    struct blocks b;

    begin_file(&b);
    blocks_message(&b, 0, &m, text);
    r = reader_of(&b);
    ck_assert_int_eq(trace_reader_next(r, &item), TRACE_SESSION);
    ck_assert_int_eq(trace_reader_next(r, &item), TRACE_MESSAGE);
    ck_assert_uint_eq(strlen(item.comment), want);
    ck_assert_mem_eq(item.comment, text, want);
    trace_reader_free(r);
    blocks_deinit(&b);
}

START_TEST(a_comment_is_cut_at_a_characters_end)
{
    char *const text = malloc(PCAPNG_COMMENT_MAX + 8);

    ck_assert_ptr_nonnull(text);
    memset(text, 'x', PCAPNG_COMMENT_MAX + 8);
    text[PCAPNG_COMMENT_MAX] = '\0';
    check_comment(text, PCAPNG_COMMENT_MAX);
    memcpy(text + PCAPNG_COMMENT_MAX, "x", 2);
    check_comment(text, PCAPNG_COMMENT_MAX);
    memcpy(text + PCAPNG_COMMENT_MAX - 1, "\xc3\xa4", 3);
    check_comment(text, PCAPNG_COMMENT_MAX - 1);
    memcpy(text + PCAPNG_COMMENT_MAX - 2, "\xf0\x9f\x93\x9c", 5);
    check_comment(text, PCAPNG_COMMENT_MAX - 2);
    free(text);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("trace_pcapng");
    TCase *c = unit_case(s, "pcapng");

    tcase_add_test(c, every_field_comes_back);
    tcase_add_test(c, a_pause_that_is_too_long_is_cut);
    tcase_add_loop_test(c, each_flag_alone, 0, 4);
    tcase_add_test(c, as_much_of_a_message_as_wireshark_takes);
    tcase_add_test(c, statistics_come_back);
    tcase_add_loop_test(c, a_block_is_written_whole_or_not_at_all, 0, 6);
    tcase_add_test(c, a_comment_is_cut_at_a_characters_end);
    return unit_run(s);
}
