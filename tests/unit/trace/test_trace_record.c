/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Messages on their way to the tracer: as records, how much of them is kept, and where a path opens
 * that nobody sees.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"
#include "trace/file/snap_length.h"
#include "trace/capture/record.h"
#include "trace/capture/tracer_channel.h"
#include "trace/capture/bypass.h"

/* ---- records ---- */

static const struct trace_fd some_fds[2] = {
    {.kind = TRACE_FD_MEMFD, .access = O_RDWR, .seals = 3, .dev = 1, .ino = 2, .size = 4096},
    {.kind = TRACE_FD_EVENTFD, .access = O_RDWR, .flags = TRACE_FD_WITHHELD, .dev = 4, .ino = 5},
};

static struct trace_message sample(const uint8_t *data)
{
    return (struct trace_message){.session = 7,
                                  .number = 9,
                                  .read_ns = 1000,
                                  .passed_ns = 20,
                                  .waited_ns = 11,
                                  .size = 48,
                                  .kept = 32,
                                  .missing = 7,
                                  .lost = 3,
                                  .sender = SIDE_BACKEND,
                                  .legs = TRACE_LEGS,
                                  .flags = TRACE_TWIN,
                                  .n_fds = 2,
                                  .fds = some_fds,
                                  .data = data};
}

/* A record of the sample, aligned as a ring's are. */
static uint8_t *record_of(const struct trace_message *m, size_t *n)
{
    uint8_t *p;

    *n = record_size(m);
    p = malloc(*n);
    ck_assert_ptr_nonnull(p);
    record_put(p, m);
    return p;
}

START_TEST(a_record_is_the_message)
{
    uint8_t data[32];
    struct trace_message got;
    size_t n;

    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)i;
    }
    const struct trace_message m = sample(data);
    uint8_t *const p = record_of(&m, &n);

    ck_assert(record_get(p, n, &got));
    ck_assert_uint_eq(got.session, m.session);
    ck_assert_uint_eq(got.number, m.number);
    ck_assert_uint_eq(got.read_ns, m.read_ns);
    ck_assert_uint_eq(got.passed_ns, m.passed_ns);
    ck_assert_uint_eq(got.waited_ns, m.waited_ns);
    ck_assert_uint_eq(got.size, m.size);
    ck_assert_uint_eq(got.kept, m.kept);
    ck_assert_uint_eq(got.missing, m.missing);
    ck_assert_uint_eq(got.lost, m.lost);
    ck_assert_uint_eq(got.sender, m.sender);
    ck_assert_uint_eq(got.legs, m.legs);
    ck_assert_uint_eq(got.flags, m.flags);
    ck_assert_uint_eq(got.n_fds, m.n_fds);
    ck_assert_mem_eq(got.fds, m.fds, sizeof some_fds);
    ck_assert_mem_eq(got.data, data, sizeof data);
    free(p);
}
END_TEST

START_TEST(no_size_but_its_own_is_one)
{
    const uint8_t data[32] = {0};
    const struct trace_message m = sample(data);
    struct trace_message got;
    size_t n;
    uint8_t *const p = record_of(&m, &n);
    uint8_t *const more = calloc(1, n + 8);

    ck_assert_ptr_nonnull(more);
    memcpy(more, p, n);
    for (size_t i = 0; i <= n + 8; i++) {
        ck_assert_int_eq(record_get(more, i, &got), i == n);
    }
    free(more);
    free(p);
}
END_TEST

/* What a message cannot be. */
static void no_number(struct trace_message *m)
{
    m->number = 0;
}
static void more_missing_than_there_was(struct trace_message *m)
{
    m->missing = m->size - m->kept + 1;
}

static void more_kept_than_there_was(struct trace_message *m)
{
    m->size = m->kept - 1;
}
static void lost_before_the_first(struct trace_message *m)
{
    m->lost = (uint32_t)m->number;
}
static void sent_by_nobody(struct trace_message *m)
{
    m->sender = SIDES;
}
static void seen_nowhere(struct trace_message *m)
{
    m->legs = 0;
}
static void seen_elsewhere(struct trace_message *m)
{
    m->legs = 4;
}
static void unknown_flags(struct trace_message *m)
{
    m->flags = 0x10;
}

static void (*const faults[])(struct trace_message *m) = {
    no_number,
    more_missing_than_there_was,
    more_kept_than_there_was,
    lost_before_the_first,
    sent_by_nobody,
    seen_nowhere,
    seen_elsewhere,
    unknown_flags,
};

#define FAULTS ((int)(sizeof faults / sizeof *faults))

START_TEST(what_cannot_be_is_none)
{
    const uint8_t data[32] = {0};
    struct trace_message m = sample(data);
    struct trace_message got;
    uint8_t *p;
    size_t n;

    faults[_i](&m);
    p = record_of(&m, &n);
    ck_assert(!record_get(p, n, &got));
    free(p);
}
END_TEST

START_TEST(nor_is_an_fd_of_no_kind)
{
    const uint8_t data[32] = {0};
    struct trace_fd fds[2] = {some_fds[0], some_fds[1]};
    struct trace_message m = sample(data);
    struct trace_message got;
    uint8_t *p;
    size_t n;

    fds[1].kind = TRACE_FD_KINDS;
    m.fds = fds;
    p = record_of(&m, &n);
    ck_assert(!record_get(p, n, &got));
    free(p);
}
END_TEST

/* ---- what is kept ---- */

#define ALL UINT32_MAX

static const struct {
    uint16_t command;
    bool reply;
    uint32_t size;
    struct snap_length how;
    uint32_t kept;
} keeps[] = {
    /* Control messages whole. */
    {WIRE_VERSION, false, 214, {0, false}, 214},
    {WIRE_DMA_MAP, false, 48, {0, false}, 48},
    {WIRE_DEVICE_SET_IRQS, false, 2084, {0, false}, 2084},
    {WIRE_REGION_READ, false, 32, {0, false}, 32},
    {WIRE_REGION_WRITE, true, 32, {0, false}, 32},
    {WIRE_DMA_READ, false, 32, {0, false}, 32},
    {WIRE_DMA_WRITE, true, 32, {0, false}, 32},
    {WIRE_DEVICE_FEATURE, true, 5000, {0, false}, 5000},
    {999, false, 5000, {0, false}, 5000},
    /* Data: the fixed part, and as much as is asked for. */
    {WIRE_REGION_READ, true, 32 + 4096, {64, false}, 96},
    {WIRE_REGION_READ, true, 32 + 4096, {0, false}, 32},
    {WIRE_REGION_READ, true, 32 + 4096, {ALL, false}, 32 + 4096},
    {WIRE_REGION_READ, true, 36, {64, false}, 36},
    {WIRE_REGION_READ, true, 32 + 64, {64, false}, 96},
    {WIRE_REGION_READ, true, 32 + 65, {64, false}, 96},
    {WIRE_REGION_WRITE, false, 32 + 4096, {64, false}, 96},
    {WIRE_REGION_WRITE_MULTI, false, 24 + 2400, {24, false}, 48},
    {WIRE_MIG_DATA_READ, true, 24 + 4096, {8, false}, 32},
    {WIRE_MIG_DATA_WRITE, false, 24 + 4096, {8, false}, 32},
    /* Guest memory only where it is asked for. */
    {WIRE_DMA_READ, true, 32 + 4096, {ALL, false}, 32},
    {WIRE_DMA_READ, true, 32 + 4096, {64, true}, 96},
    {WIRE_DMA_WRITE, false, 32 + 4096, {64, false}, 32},
    {WIRE_DMA_WRITE, false, 32 + 4096, {ALL, true}, 32 + 4096},
    /* Of nothing too much. */
    {WIRE_REGION_READ, true, 64u << 20, {ALL, false}, SNAP_LENGTH_MOST},
    {WIRE_DEVICE_FEATURE, true, UINT32_MAX, {0, false}, SNAP_LENGTH_MOST},
    {WIRE_REGION_READ, true, SNAP_LENGTH_MOST, {ALL, false}, SNAP_LENGTH_MOST},
    {WIRE_REGION_READ, true, SNAP_LENGTH_MOST + 1, {ALL, false}, SNAP_LENGTH_MOST},
};

#define KEEPS ((int)(sizeof keeps / sizeof *keeps))

START_TEST(so_much_is_kept)
{
    uint8_t bytes[WIRE_HDR_SIZE];
    const struct wire_hdr hdr = {.command = keeps[_i].command,
                                 .size = keeps[_i].size,
                                 .flags = keeps[_i].reply ? WIRE_TYPE_REPLY : WIRE_TYPE_COMMAND};

    wire_put_hdr(bytes, &hdr);
    ck_assert_uint_eq(snap_length_of(bytes, sizeof bytes, keeps[_i].size, keeps[_i].how),
                      keeps[_i].kept);
}
END_TEST

START_TEST(half_a_header_is_kept_as_it_is)
{
    const uint8_t bytes[WIRE_HDR_SIZE] = {0};

    ck_assert_uint_eq(snap_length_of(bytes, 9, 9, (struct snap_length){0, false}), 9);
}
END_TEST

/* ---- what nobody sees ---- */

static uint8_t bytes_of[256];

/* A message with this payload and its first n_fds of some_fds. */
static struct trace_message message(uint16_t command, bool reply, const void *payload, size_t n,
                                    uint16_t n_fds)
{
    const struct wire_hdr hdr = {.command = command,
                                 .size = (uint32_t)(WIRE_HDR_SIZE + n),
                                 .flags = reply ? WIRE_TYPE_REPLY : WIRE_TYPE_COMMAND};

    wire_put_hdr(bytes_of, &hdr);
    memcpy(bytes_of + WIRE_HDR_SIZE, payload, n);
    return (struct trace_message){
        .size = hdr.size, .kept = hdr.size, .n_fds = n_fds, .fds = some_fds, .data = bytes_of};
}

static void expect_unseen(struct trace_message m, const char *want)
{
    char out[BYPASS_MAX];
    const char *const got = bypass_comment(&m, out);

    if (want) {
        ck_assert_str_eq(got, want);
        /* Without an fd, or with one that was withheld, nothing opens. */
        m.n_fds = 0;
        ck_assert_ptr_null(bypass_comment(&m, out));
        m.n_fds = 1;
        m.fds = &some_fds[1];
        ck_assert_ptr_null(bypass_comment(&m, out));
        /* What is cut off says nothing. */
        m.n_fds = 1;
        m.fds = some_fds;
        m.kept = WIRE_HDR_SIZE - 1;
        ck_assert_ptr_null(bypass_comment(&m, out));
    } else {
        ck_assert_ptr_null(got);
    }
}

START_TEST(paths_that_nobody_sees_are_told)
{
    const struct wire_dma_map map = {.address = 0x1000, .size = 0x2000};
    const struct wire_dma_map last = {.address = UINT64_MAX - 0xfff, .size = 0x1000};
    const struct wire_region_info mapped = {.flags = WIRE_REGION_FLAG_MMAP, .index = 2};
    const struct wire_region_info plain = {.flags = WIRE_REGION_FLAG_READ, .index = 2};
    const struct wire_irq_set irqs = {.flags = WIRE_IRQ_SET_DATA_EVENTFD};
    const struct wire_region_io_fds io = {.index = 4, .count = 1};

    expect_unseen(message(WIRE_DMA_MAP, false, &map, sizeof map, 1),
                  "unseen: guest memory 0x1000..0x2fff shared with the backend");
    expect_unseen(message(WIRE_DMA_MAP, false, &last, sizeof last, 1),
                  "unseen: guest memory 0xfffffffffffff000..0xffffffffffffffff shared with the "
                  "backend");
    expect_unseen(message(WIRE_DEVICE_GET_REGION_INFO, true, &mapped, sizeof mapped, 1),
                  "unseen: region 2 can be mapped by the client");
    expect_unseen(message(WIRE_DEVICE_SET_IRQS, false, &irqs, sizeof irqs, 1),
                  "unseen: interrupts by eventfd");
    expect_unseen(message(WIRE_DEVICE_GET_REGION_IO_FDS, true, &io, sizeof io, 1),
                  "unseen: writes to region 4 by ioeventfd");
    expect_unseen(message(WIRE_DEVICE_GET_REGION_INFO, true, &plain, sizeof plain, 1), NULL);
    expect_unseen(message(WIRE_DEVICE_GET_REGION_INFO, false, &mapped, sizeof mapped, 1), NULL);
    expect_unseen(message(WIRE_DMA_MAP, true, &map, 0, 1), NULL);
    expect_unseen(message(WIRE_DMA_MAP, false, &map, sizeof map - 1, 1), NULL);
    expect_unseen(message(WIRE_REGION_READ, false, &map, 16, 1), NULL);
}
END_TEST

/* ---- the channel ---- */

START_TEST(texts_of_a_message)
{
    static struct tracer_msg m;
    static char large[TRACER_TEXT_MAX];

    tracer_msg_init(&m, TRACER_SESSION);
    ck_assert_ptr_null(tracer_msg_text(&m, 0));
    ck_assert(tracer_msg_add(&m, "one"));
    ck_assert(tracer_msg_add(&m, ""));
    ck_assert(tracer_msg_add(&m, "three"));
    ck_assert_str_eq(tracer_msg_text(&m, 0), "one");
    ck_assert_str_eq(tracer_msg_text(&m, 1), "");
    ck_assert_str_eq(tracer_msg_text(&m, 2), "three");
    ck_assert_ptr_null(tracer_msg_text(&m, 3));
    memset(large, 'x', sizeof large - 1);
    ck_assert(!tracer_msg_add(&m, large));
    tracer_msg_init(&m, TRACER_SESSION);
    ck_assert(tracer_msg_add(&m, large));
    ck_assert(!tracer_msg_add(&m, ""));
}
END_TEST

START_TEST(every_why_has_its_word)
{
    for (uint32_t i = 0; i < TRACER_WHYS; i++) {
        ck_assert_str_ne(tracer_why_word(i), "?");
    }
    ck_assert_str_eq(tracer_why_word(TRACER_WHYS), "?");
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("trace_record");
    TCase *tc = unit_case(s, "records");

    tcase_add_test(tc, a_record_is_the_message);
    tcase_add_test(tc, no_size_but_its_own_is_one);
    tcase_add_loop_test(tc, what_cannot_be_is_none, 0, FAULTS);
    tcase_add_test(tc, nor_is_an_fd_of_no_kind);
    tc = unit_case(s, "kept");
    tcase_add_loop_test(tc, so_much_is_kept, 0, KEEPS);
    tcase_add_test(tc, half_a_header_is_kept_as_it_is);
    tc = unit_case(s, "unseen");
    tcase_add_test(tc, paths_that_nobody_sees_are_told);
    tc = unit_case(s, "channel");
    tcase_add_test(tc, texts_of_a_message);
    tcase_add_test(tc, every_why_has_its_word);
    return unit_run(s);
}
