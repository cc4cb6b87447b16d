/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The wire format against the specification's numbers, which are written out here once more, as the
 * page has them, and every outcome of the checks.
 */
#include "base/wire/wire_command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"

/* ---- the table ---- */

/* Sizes without the 16 bytes of header; "open": a list or data may follow. */
static const struct row {
    unsigned code;
    const char *name;
    enum side sender;
    unsigned request;
    bool request_open;
    unsigned reply;
    bool reply_open;
    bool request_fds;
    bool reply_fds;
} page[] = {
    {1, "VERSION", SIDE_CLIENT, 4, true, 4, true, false, true},
    {2, "DMA_MAP", SIDE_CLIENT, 32, false, 0, false, true, false},
    {3, "DMA_UNMAP", SIDE_CLIENT, 24, false, 24, false, false, false},
    {4, "DEVICE_GET_INFO", SIDE_CLIENT, 16, false, 16, false, false, false},
    {5, "DEVICE_GET_REGION_INFO", SIDE_CLIENT, 32, false, 32, true, false, true},
    {6, "DEVICE_GET_REGION_IO_FDS", SIDE_CLIENT, 16, false, 16, true, false, true},
    {7, "DEVICE_GET_IRQ_INFO", SIDE_CLIENT, 16, false, 16, false, false, false},
    {8, "DEVICE_SET_IRQS", SIDE_CLIENT, 20, true, 0, false, true, false},
    {9, "REGION_READ", SIDE_CLIENT, 16, false, 16, true, false, false},
    {10, "REGION_WRITE", SIDE_CLIENT, 16, true, 16, false, false, false},
    {11, "DMA_READ", SIDE_BACKEND, 16, false, 16, true, false, false},
    {12, "DMA_WRITE", SIDE_BACKEND, 16, true, 12, true, false, false},
    {13, "DEVICE_RESET", SIDE_CLIENT, 0, false, 0, false, false, false},
    {15, "REGION_WRITE_MULTI", SIDE_CLIENT, 8, true, 8, false, false, false},
    {16, "DEVICE_FEATURE", SIDE_CLIENT, 8, true, 8, true, false, false},
    {17, "MIG_DATA_READ", SIDE_CLIENT, 8, false, 8, true, false, false},
    {18, "MIG_DATA_WRITE", SIDE_CLIENT, 8, true, 0, false, false, false},
};

#define ROWS (sizeof page / sizeof *page)

START_TEST(table_is_the_page)
{
    const struct row *want = &page[_i];
    const struct wire_command_info *got = wire_command_find((uint16_t)want->code);
    char section[64];

    ck_assert_ptr_nonnull(got);
    ck_assert_ptr_eq(got, wire_command_at((size_t)_i));
    ck_assert_uint_eq(got->code, want->code);
    ck_assert_str_eq(got->name, want->name);
    ck_assert_str_eq(wire_command_name((uint16_t)want->code), want->name);
    snprintf(section, sizeof section, "VFIO_USER_%s", want->name);
    ck_assert_str_eq(got->section, section);
    ck_assert_int_eq(got->sender, want->sender);
    ck_assert_uint_eq(got->request.fixed, want->request);
    ck_assert_int_eq(got->request.tail != WIRE_TAIL_NONE, want->request_open);
    ck_assert_uint_eq(got->reply.fixed, want->reply);
    ck_assert_int_eq(got->reply.tail != WIRE_TAIL_NONE, want->reply_open);
    ck_assert_int_eq(got->request.fds, want->request_fds);
    ck_assert_int_eq(got->reply.fds, want->reply_fds);
}
END_TEST

START_TEST(table_has_nothing_else)
{
    unsigned known = 0;

    ck_assert_uint_eq(wire_command_count(), ROWS);
    ck_assert_ptr_null(wire_command_at(ROWS));
    for (unsigned code = 0; code <= UINT16_MAX; code++) {
        const bool is = wire_command_find((uint16_t)code) != NULL;

        known += is;
        ck_assert_int_eq(is, strcmp(wire_command_name((uint16_t)code), "?") != 0);
    }
    ck_assert_uint_eq(known, ROWS);
    ck_assert_ptr_null(wire_command_find(14));
}
END_TEST

START_TEST(numbers_of_the_page)
{
    ck_assert_uint_eq(WIRE_TYPE_COMMAND, 0);
    ck_assert_uint_eq(WIRE_TYPE_REPLY, 1);
    ck_assert_uint_eq(WIRE_NO_REPLY, 1u << 4);
    ck_assert_uint_eq(WIRE_ERROR, 1u << 5);
    ck_assert_uint_eq(WIRE_IRQ_SET_DATA_EVENTFD, 1u << 2);
    ck_assert_uint_eq(WIRE_IRQ_SET_ACTION_TRIGGER, 1u << 5);
    ck_assert_uint_eq(WIRE_FEATURE_GET, 1u << 16);
    ck_assert_uint_eq(WIRE_FEATURE_SET, 1u << 17);
    ck_assert_uint_eq(WIRE_FEATURE_PROBE, 1u << 18);
    ck_assert_uint_eq(WIRE_MIG_PRE_COPY_P2P, 7);
    ck_assert_uint_eq(WIRE_PCI_CONFIG, 7);
}
END_TEST

/* ---- the header ---- */

START_TEST(header_is_16_bytes_in_order)
{
    const struct wire_hdr h = {
        .id = 0x0201, .command = 0x0403, .size = 0x11, .flags = 0x21, .error = 0x10};
    uint8_t raw[WIRE_HDR_SIZE];
    struct wire_hdr back;
    uint16_t u16;
    uint32_t u32;

    wire_put_hdr(raw, &h);
    memcpy(&u16, raw, 2);
    ck_assert_uint_eq(u16, 0x0201);
    memcpy(&u16, raw + 2, 2);
    ck_assert_uint_eq(u16, 0x0403);
    memcpy(&u32, raw + 4, 4);
    ck_assert_uint_eq(u32, 0x11);
    memcpy(&u32, raw + 8, 4);
    ck_assert_uint_eq(u32, 0x21);
    memcpy(&u32, raw + 12, 4);
    ck_assert_uint_eq(u32, 0x10);
    ck_assert_int_eq(wire_get_hdr(raw, sizeof raw, 0x11, &back), WIRE_FRAME_OK);
    ck_assert_mem_eq(&back, &h, sizeof h);
}
END_TEST

START_TEST(header_at_and_past_its_limits)
{
    static const struct {
        uint32_t size;
        uint32_t max;
        enum wire_frame want;
    } cases[] = {
        {0, 64, WIRE_FRAME_TOO_SMALL},
        {15, 64, WIRE_FRAME_TOO_SMALL},
        {16, 64, WIRE_FRAME_OK},
        {64, 64, WIRE_FRAME_OK},
        {65, 64, WIRE_FRAME_TOO_BIG},
        {UINT32_MAX, 64, WIRE_FRAME_TOO_BIG},
        {UINT32_MAX, UINT32_MAX, WIRE_FRAME_OK},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct wire_hdr h = {.command = 1, .size = cases[i].size};
        uint8_t raw[WIRE_HDR_SIZE];
        struct wire_hdr back = {.id = 9};

        wire_put_hdr(raw, &h);
        ck_assert_int_eq(wire_get_hdr(raw, sizeof raw, cases[i].max, &back), cases[i].want);
        ck_assert_uint_eq(back.size, cases[i].size);
        /* A byte short of a header nothing is told of it. */
        back = (struct wire_hdr){.id = 9};
        ck_assert_int_eq(wire_get_hdr(raw, sizeof raw - 1, cases[i].max, &back), WIRE_FRAME_SHORT);
        ck_assert_uint_eq(back.size, 0);
    }
}
END_TEST

START_TEST(replies_echo_the_request)
{
    const struct wire_hdr request = {
        .id = 77, .command = WIRE_REGION_READ, .size = 32, .flags = 0, .error = 3};
    const struct wire_hdr good = wire_reply_hdr(&request, 20);
    const struct wire_hdr bad = wire_error_hdr(&request, EACCES);

    ck_assert(!wire_is_reply(&request));
    ck_assert(wire_is_reply(&good) && wire_is_reply(&bad));
    ck_assert_uint_eq(good.id, 77);
    ck_assert_uint_eq(good.command, WIRE_REGION_READ);
    ck_assert_uint_eq(good.size, 36);
    ck_assert_uint_eq(good.flags, 1);
    ck_assert_uint_eq(good.error, 0);
    ck_assert_uint_eq(bad.id, 77);
    ck_assert_uint_eq(bad.size, 16);
    ck_assert_uint_eq(bad.flags, 0x21);
    ck_assert_uint_eq(bad.error, EACCES);
}
END_TEST

START_TEST(every_outcome_has_a_text)
{
    for (int f = WIRE_FRAME_OK; f <= WIRE_FRAME_TOO_BIG; f++) {
        ck_assert_str_ne(wire_frame_text((enum wire_frame)f), "?");
    }
    for (int c = WIRE_OK; c <= WIRE_BAD_OFFSET; c++) {
        ck_assert_str_ne(wire_check_text((enum wire_check)c), "?");
    }
}
END_TEST

/* ---- wire_check: sizes ---- */

static enum wire_check check(uint32_t flags, unsigned command, const void *p, size_t n)
{
    const struct wire_hdr h = {
        .command = (uint16_t)command, .size = (uint32_t)(WIRE_HDR_SIZE + n), .flags = flags};

    return wire_check(&h, p, n);
}

/* A payload of n bytes that is right but for its size, of a command, as request or reply. */
static void fill(unsigned command, bool reply, uint8_t *p, size_t n)
{
    const struct wire_region_access region = {.count = 0};
    const struct wire_irq_set irqs = {.flags =
                                          WIRE_IRQ_SET_DATA_NONE | WIRE_IRQ_SET_ACTION_TRIGGER};
    const struct wire_feature feature = {.flags = WIRE_FEATURE_GET | 1};

    memset(p, 0, n);
    if (command == WIRE_DEVICE_SET_IRQS && n >= sizeof irqs) {
        wire_put(p, &irqs, sizeof irqs);
    } else if (command == WIRE_DEVICE_FEATURE && n >= sizeof feature) {
        wire_put(p, &feature, sizeof feature);
    } else if (command == WIRE_REGION_READ && reply && n >= sizeof region) {
        wire_put(p, &region, sizeof region);
    }
}

START_TEST(fixed_sizes_at_and_past)
{
    const struct row *row = &page[_i];

    for (int reply = 0; reply < 2; reply++) {
        const unsigned fixed = reply ? row->reply : row->request;
        const bool open = reply ? row->reply_open : row->request_open;
        uint8_t p[64];

        fill(row->code, reply, p, fixed);
        ck_assert_int_eq(check((uint32_t)reply, row->code, p, fixed), WIRE_OK);
        if (fixed > 0) {
            fill(row->code, reply, p, fixed - 1);
            ck_assert_int_eq(check((uint32_t)reply, row->code, p, fixed - 1), WIRE_PAYLOAD_SHORT);
            ck_assert_int_eq(check((uint32_t)reply, row->code, p, 0), WIRE_PAYLOAD_SHORT);
        }
        if (!open) {
            fill(row->code, reply, p, fixed + 1);
            ck_assert_int_eq(check((uint32_t)reply, row->code, p, fixed + 1), WIRE_PAYLOAD_LONG);
        }
    }
    ck_assert_int_eq(check(0x21, row->code, NULL, 0), WIRE_OK);
    ck_assert_int_eq(check(0x21, row->code, "x", 1), WIRE_ERROR_PAYLOAD);
}
END_TEST

START_TEST(unknown_commands_types_and_flags)
{
    ck_assert_int_eq(check(0, 14, NULL, 0), WIRE_UNKNOWN_COMMAND);
    ck_assert_int_eq(check(0, 0, NULL, 0), WIRE_UNKNOWN_COMMAND);
    ck_assert_int_eq(check(1, 19, NULL, 0), WIRE_UNKNOWN_COMMAND);
    for (uint32_t type = 2; type <= 0xf; type++) {
        ck_assert_int_eq(check(type, WIRE_DEVICE_RESET, NULL, 0), WIRE_UNKNOWN_TYPE);
    }
    for (unsigned bit = 6; bit < 32; bit++) {
        ck_assert_int_eq(check(1u << bit, WIRE_DEVICE_RESET, NULL, 0), WIRE_BAD_FLAGS);
        ck_assert_int_eq(check(1u << bit | 1, WIRE_DEVICE_RESET, NULL, 0), WIRE_BAD_FLAGS);
    }
    ck_assert_int_eq(check(WIRE_NO_REPLY, WIRE_DEVICE_RESET, NULL, 0), WIRE_OK);
}
END_TEST

/* ---- wire_check: counts and flags ---- */

START_TEST(data_agrees_with_its_count)
{
    static const struct {
        unsigned command;
        uint32_t flags;
    } region[] = {{WIRE_REGION_WRITE, 0}, {WIRE_REGION_READ, 1}};
    static const struct {
        unsigned command;
        uint32_t flags;
    } dma[] = {{WIRE_DMA_WRITE, 0}, {WIRE_DMA_READ, 1}};
    static const struct {
        unsigned command;
        uint32_t flags;
    } mig[] = {{WIRE_MIG_DATA_WRITE, 0}, {WIRE_MIG_DATA_READ, 1}};
    const struct wire_region_access ra = {.count = 4};
    const struct wire_dma_access da = {.count = 4};
    const struct wire_dma_access huge = {.count = (uint64_t)1 << 32 | 4};
    const struct wire_mig_data md = {.size = 4};
    uint8_t p[32] = {0};

    for (int i = 0; i < 2; i++) {
        wire_put(p, &ra, sizeof ra);
        ck_assert_int_eq(check(region[i].flags, region[i].command, p, 20), WIRE_OK);
        ck_assert_int_eq(check(region[i].flags, region[i].command, p, 19), WIRE_COUNT_MISMATCH);
        ck_assert_int_eq(check(region[i].flags, region[i].command, p, 21), WIRE_COUNT_MISMATCH);
        wire_put(p, &da, sizeof da);
        ck_assert_int_eq(check(dma[i].flags, dma[i].command, p, 20), WIRE_OK);
        ck_assert_int_eq(check(dma[i].flags, dma[i].command, p, 19), WIRE_COUNT_MISMATCH);
        ck_assert_int_eq(check(dma[i].flags, dma[i].command, p, 21), WIRE_COUNT_MISMATCH);
        /* A count of 64 bits is not cut to 32. */
        wire_put(p, &huge, sizeof huge);
        ck_assert_int_eq(check(dma[i].flags, dma[i].command, p, 20), WIRE_COUNT_MISMATCH);
        wire_put(p, &md, sizeof md);
        ck_assert_int_eq(check(mig[i].flags, mig[i].command, p, 12), WIRE_OK);
        ck_assert_int_eq(check(mig[i].flags, mig[i].command, p, 11), WIRE_COUNT_MISMATCH);
        ck_assert_int_eq(check(mig[i].flags, mig[i].command, p, 13), WIRE_COUNT_MISMATCH);
    }
}
END_TEST

START_TEST(dma_write_replies_of_both_lengths)
{
    const uint8_t p[20] = {0};

    ck_assert_int_eq(check(1, WIRE_DMA_WRITE, p, 11), WIRE_PAYLOAD_SHORT);
    ck_assert_int_eq(check(1, WIRE_DMA_WRITE, p, 12), WIRE_OK);
    ck_assert_int_eq(check(1, WIRE_DMA_WRITE, p, 13), WIRE_PAYLOAD_LONG);
    ck_assert_int_eq(check(1, WIRE_DMA_WRITE, p, 16), WIRE_OK);
    ck_assert_int_eq(check(1, WIRE_DMA_WRITE, p, 17), WIRE_PAYLOAD_LONG);
}
END_TEST

static enum wire_check check_irqs(uint32_t flags, uint32_t count, size_t n)
{
    const struct wire_irq_set s = {.flags = flags, .count = count};
    uint8_t p[40] = {0};

    wire_put(p, &s, sizeof s);
    return check(0, WIRE_DEVICE_SET_IRQS, p, n);
}

START_TEST(set_irqs_has_one_data_and_one_action)
{
    for (uint32_t flags = 0; flags < 0x100; flags++) {
        const uint32_t data = flags & 0x7;
        const uint32_t action = flags & 0x38;
        const bool ok = (data == 1 || data == 2 || data == 4) &&
                        (action == 8 || action == 0x10 || action == 0x20) && !(flags & ~0x3fu);

        ck_assert_int_eq(check_irqs(flags, 0, 20), ok ? WIRE_OK : WIRE_BAD_FLAGS);
    }
    ck_assert_int_eq(check_irqs(0x80000021, 0, 20), WIRE_BAD_FLAGS);
}
END_TEST

START_TEST(set_irqs_booleans_agree_with_the_count)
{
    ck_assert_int_eq(check_irqs(0x22, 5, 25), WIRE_OK);
    ck_assert_int_eq(check_irqs(0x22, 5, 24), WIRE_COUNT_MISMATCH);
    ck_assert_int_eq(check_irqs(0x22, 5, 26), WIRE_COUNT_MISMATCH);
    /* No data on the wire otherwise, whatever the count. */
    ck_assert_int_eq(check_irqs(0x24, 2048, 20), WIRE_OK);
    ck_assert_int_eq(check_irqs(0x24, 1, 21), WIRE_PAYLOAD_LONG);
    ck_assert_int_eq(check_irqs(0x21, 1, 24), WIRE_PAYLOAD_LONG);
}
END_TEST

START_TEST(write_multi_counts_and_lengths)
{
    struct wire_write_multi m = {.wr_cnt = 2};
    struct wire_single_write w[2] = {{.count = 1}, {.count = 8}};
    uint8_t p[sizeof m + sizeof w + 1] = {0};

    memcpy(p, &m, sizeof m);
    memcpy(p + sizeof m, w, sizeof w);
    ck_assert_int_eq(check(0, WIRE_REGION_WRITE_MULTI, p, 8 + 48), WIRE_OK);
    ck_assert_int_eq(check(0, WIRE_REGION_WRITE_MULTI, p, 8 + 47), WIRE_COUNT_MISMATCH);
    ck_assert_int_eq(check(0, WIRE_REGION_WRITE_MULTI, p, 8 + 49), WIRE_COUNT_MISMATCH);
    ck_assert_int_eq(check(0, WIRE_REGION_WRITE_MULTI, p, 8 + 24), WIRE_COUNT_MISMATCH);
    w[1].count = 9;
    memcpy(p + sizeof m, w, sizeof w);
    ck_assert_int_eq(check(0, WIRE_REGION_WRITE_MULTI, p, 8 + 48), WIRE_COUNT_MISMATCH);
    w[1].count = 0;
    memcpy(p + sizeof m, w, sizeof w);
    ck_assert_int_eq(check(0, WIRE_REGION_WRITE_MULTI, p, 8 + 48), WIRE_COUNT_MISMATCH);
    m.wr_cnt = UINT64_MAX;
    memcpy(p, &m, sizeof m);
    ck_assert_int_eq(check(0, WIRE_REGION_WRITE_MULTI, p, 8 + 48), WIRE_COUNT_MISMATCH);
}
END_TEST

START_TEST(feature_flags)
{
    static const struct {
        uint32_t flags;
        enum wire_check want;
    } cases[] = {
        {1, WIRE_BAD_FLAGS},           {0x10001, WIRE_OK},        {0x20001, WIRE_OK},
        {0x30001, WIRE_BAD_FLAGS},     {0x40001, WIRE_OK},        {0x70001, WIRE_OK},
        {0x80001, WIRE_BAD_FLAGS},     {0x90001, WIRE_BAD_FLAGS}, {0x1ffff, WIRE_OK},
        {0x80010001u, WIRE_BAD_FLAGS},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct wire_feature f = {.flags = cases[i].flags};

        ck_assert_int_eq(check(0, WIRE_DEVICE_FEATURE, &f, sizeof f), cases[i].want);
        ck_assert_int_eq(check(1, WIRE_DEVICE_FEATURE, &f, sizeof f), cases[i].want);
    }
}
END_TEST

/* ---- lists ---- */

/* A region info of n bytes with a list that starts at first. */
static size_t region_info(uint8_t *p, size_t n, uint32_t first)
{
    const struct wire_region_info info = {
        .argsz = (uint32_t)n, .flags = WIRE_REGION_FLAG_CAPS, .cap_offset = first};

    memset(p, 0, n);
    wire_put(p, &info, sizeof info);
    return n;
}

static void put_cap(uint8_t *p, uint32_t at, uint16_t id, uint32_t next)
{
    const struct wire_cap cap = {.id = id, .version = 1, .next = next};

    wire_put(p + at, &cap, sizeof cap);
}

struct seen {
    unsigned n;
    uint16_t id[8];
    size_t left[8];
};

static void see(const struct wire_cap *cap, const void *p, size_t n, void *arg)
{
    struct seen *s = arg;

    ck_assert_uint_lt(s->n, 8);
    ck_assert_mem_eq(p, cap, sizeof *cap);
    s->left[s->n] = n;
    s->id[s->n++] = cap->id;
}

START_TEST(caps_are_walked_in_order)
{
    uint8_t p[64];
    const size_t n = region_info(p, sizeof p, 32);
    struct seen s = {0};

    put_cap(p, 32, WIRE_CAP_TYPE, 48);
    put_cap(p, 48, WIRE_CAP_SPARSE_MMAP, 0);
    ck_assert_int_eq(wire_region_caps(p, n, see, &s), WIRE_OK);
    ck_assert_uint_eq(s.n, 2);
    ck_assert_uint_eq(s.id[0], WIRE_CAP_TYPE);
    ck_assert_uint_eq(s.id[1], WIRE_CAP_SPARSE_MMAP);
    ck_assert_uint_eq(s.left[0], 32);
    ck_assert_uint_eq(s.left[1], 16);
    ck_assert_int_eq(check(1, WIRE_DEVICE_GET_REGION_INFO, p, n), WIRE_OK);
}
END_TEST

START_TEST(caps_that_leave_or_loop)
{
    static const struct {
        uint32_t first;
        uint32_t next;
        enum wire_check want;
    } cases[] = {
        {32, 0, WIRE_OK},          /* in its place */
        {56, 0, WIRE_OK},          /* ends with the message */
        {57, 0, WIRE_BAD_OFFSET},  /* one byte past */
        {64, 0, WIRE_BAD_OFFSET},  /* behind the message */
        {31, 0, WIRE_BAD_OFFSET},  /* in the fixed part */
        {1, 0, WIRE_BAD_OFFSET},   /* … */
        {32, 32, WIRE_BAD_OFFSET}, /* to itself */
        {40, 32, WIRE_BAD_OFFSET}, /* backwards */
        {32, 39, WIRE_BAD_OFFSET}, /* into itself */
        {32, 40, WIRE_OK},         /* right behind */
        {32, 0xffffffffu, WIRE_BAD_OFFSET},
        {0xfffffff8u, 0, WIRE_BAD_OFFSET},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t p[64];
        const size_t n = region_info(p, sizeof p, cases[i].first);

        if (cases[i].first >= 32 && cases[i].first <= 56) {
            put_cap(p, cases[i].first, WIRE_CAP_TYPE, cases[i].next);
        }
        ck_assert_msg(wire_region_caps(p, n, NULL, NULL) == cases[i].want, "case %zu", i);
        ck_assert_msg(check(1, WIRE_DEVICE_GET_REGION_INFO, p, n) == cases[i].want, "case %zu", i);
    }
}
END_TEST

START_TEST(caps_that_are_not_there)
{
    struct wire_region_info info = {.argsz = 96, .flags = WIRE_REGION_FLAG_CAPS, .cap_offset = 32};
    uint8_t p[40] = {0};

    /* The server was given too little room: no list to walk, and no fault. */
    ck_assert_int_eq(wire_region_caps(&info, sizeof info, NULL, NULL), WIRE_OK);
    info.argsz = 32;
    ck_assert_int_eq(wire_region_caps(&info, sizeof info, NULL, NULL), WIRE_BAD_OFFSET);
    /* Without the flag the offset means nothing. */
    info.flags = 0;
    wire_put(p, &info, sizeof info);
    ck_assert_int_eq(wire_region_caps(p, sizeof p, NULL, NULL), WIRE_OK);
    ck_assert_int_eq(wire_region_caps(p, 31, NULL, NULL), WIRE_PAYLOAD_SHORT);
}
END_TEST

START_TEST(sparse_areas)
{
    const struct wire_sparse_area areas[2] = {{.offset = 0x1000, .size = 0x2000},
                                              {.offset = 0x8000, .size = 0x1000}};
    struct wire_sparse s = {.nr_areas = 2};
    struct wire_sparse_area a;
    uint8_t p[8 + 8 + 32];

    put_cap(p, 0, WIRE_CAP_SPARSE_MMAP, 0);
    wire_put(p + 8, &s, sizeof s);
    wire_put(p + 16, areas, sizeof areas);
    ck_assert(wire_sparse_area_at(p, sizeof p, 0, &a));
    ck_assert_mem_eq(&a, &areas[0], sizeof a);
    ck_assert(wire_sparse_area_at(p, sizeof p, 1, &a));
    ck_assert_mem_eq(&a, &areas[1], sizeof a);
    ck_assert(!wire_sparse_area_at(p, sizeof p, 2, &a));
    /* Cut off: the first is there, the second not; the list's head not. */
    ck_assert(wire_sparse_area_at(p, sizeof p - 1, 0, &a));
    ck_assert(!wire_sparse_area_at(p, sizeof p - 1, 1, &a));
    ck_assert(!wire_sparse_area_at(p, 15, 0, &a));
    /* A count that promises more than there is. */
    s.nr_areas = UINT32_MAX;
    wire_put(p + 8, &s, sizeof s);
    ck_assert(wire_sparse_area_at(p, sizeof p, 1, &a));
    ck_assert(!wire_sparse_area_at(p, sizeof p, 2, &a));
    ck_assert(!wire_sparse_area_at(p, sizeof p, UINT32_MAX - 1, &a));
}
END_TEST

/* Writes IO fds of count entries, stride bytes apart, their offset being 0x100 times the index. */
static size_t put_io_fds(uint8_t *p, uint32_t count, size_t stride, uint32_t entries)
{
    const struct wire_region_io_fds f = {.count = count};
    uint8_t *at = wire_put(p, &f, sizeof f);

    for (uint32_t i = 0; i < entries; i++) {
        const struct wire_io_fd io = {.offset = 0x100u * i, .fd_index = i};

        memset(at, 0, stride);
        memcpy(at, &io, stride < sizeof io ? stride : sizeof io);
        at += stride;
    }
    return sizeof f + stride * entries;
}

START_TEST(io_fds_by_their_own_stride)
{
    static const size_t strides[] = {40, 48};

    for (int k = 0; k < 2; k++) {
        uint8_t p[256];
        const size_t n = put_io_fds(p, 3, strides[k], 3);
        struct wire_io_fd io;

        ck_assert_int_eq(check(1, WIRE_DEVICE_GET_REGION_IO_FDS, p, n), WIRE_OK);
        for (uint32_t i = 0; i < 3; i++) {
            ck_assert(wire_io_fd_at(p, n, i, &io));
            ck_assert_uint_eq(io.offset, 0x100u * i);
            ck_assert_uint_eq(io.fd_index, i);
        }
        ck_assert(!wire_io_fd_at(p, n, 3, &io));
    }
}
END_TEST

START_TEST(io_fds_that_disagree)
{
    uint8_t p[256];
    struct wire_io_fd io;
    size_t n = put_io_fds(p, 3, 40, 3);

    ck_assert_int_eq(check(1, WIRE_DEVICE_GET_REGION_IO_FDS, p, n - 1), WIRE_COUNT_MISMATCH);
    ck_assert_int_eq(check(1, WIRE_DEVICE_GET_REGION_IO_FDS, p, n - 40), WIRE_COUNT_MISMATCH);
    ck_assert(!wire_io_fd_at(p, n - 40, 0, &io));
    /* No entries at all: argsz was too small for them. */
    ck_assert_int_eq(check(1, WIRE_DEVICE_GET_REGION_IO_FDS, p, 16), WIRE_OK);
    ck_assert(!wire_io_fd_at(p, 16, 0, &io));
    ck_assert(!wire_io_fd_at(p, 15, 0, &io));
    /* Entries below the size of one. */
    n = put_io_fds(p, 3, 39, 3);
    ck_assert_int_eq(check(1, WIRE_DEVICE_GET_REGION_IO_FDS, p, n), WIRE_COUNT_MISMATCH);
    ck_assert(!wire_io_fd_at(p, n, 0, &io));
    /* A count of none with bytes behind it must not divide by it. */
    n = put_io_fds(p, 0, 40, 1);
    ck_assert_int_eq(check(1, WIRE_DEVICE_GET_REGION_IO_FDS, p, n), WIRE_COUNT_MISMATCH);
    ck_assert(!wire_io_fd_at(p, n, 0, &io));
    n = put_io_fds(p, UINT32_MAX, 40, 1);
    ck_assert_int_eq(check(1, WIRE_DEVICE_GET_REGION_IO_FDS, p, n), WIRE_COUNT_MISMATCH);
    ck_assert(!wire_io_fd_at(p, n, UINT32_MAX - 1, &io));
}
END_TEST

START_TEST(get_copies_all_or_nothing)
{
    const uint8_t p[5] = {1, 2, 3, 4, 5};
    uint8_t out[4] = {9, 9, 9, 9};

    ck_assert(!wire_get(p, 3, out, 4));
    ck_assert_uint_eq(out[0], 9);
    ck_assert(wire_get(p + 1, 4, out, 4));
    ck_assert_uint_eq(out[0], 2);
    ck_assert_ptr_eq(wire_put(out, p, 3), out + 3);
    ck_assert_uint_eq(out[2], 3);
}
END_TEST

/* ---- sizes ---- */

/* The words of a request's body, as 32 bits each, and the reply that it asks for. */
static const struct {
    uint16_t command;
    size_t n;
    uint32_t words[6];
    uint32_t asks;
} asking[] = {
    {WIRE_REGION_READ, 16, {0, 0, 2, 12288}, 16 + 16 + 12288},
    {WIRE_REGION_READ, 16, {0, 0, 2, 0}, 16 + 16},
    {WIRE_REGION_READ, 16, {0, 0, 2, UINT32_MAX}, UINT32_MAX},
    {WIRE_REGION_READ, 15, {0, 0, 2, 12288}, 0},
    {WIRE_DMA_READ, 16, {0, 0, 4096, 0}, 16 + 16 + 4096},
    {WIRE_DMA_READ, 16, {0, 0, 4096, 1}, UINT32_MAX},
    {WIRE_DMA_READ, 16, {0, 0, UINT32_MAX, UINT32_MAX}, UINT32_MAX},
    {WIRE_MIG_DATA_READ, 8, {1000, 5000}, 16 + 8 + 5000},
    {WIRE_MIG_DATA_READ, 8, {6000, 5000}, 16 + 6000},
    {WIRE_MIG_DATA_READ, 8, {8, UINT32_MAX}, UINT32_MAX},
    {WIRE_DEVICE_FEATURE, 8, {2097184, 0x10008}, 16 + 2097184},
    {WIRE_DEVICE_FEATURE, 3, {2097184}, 0},
    {WIRE_DMA_UNMAP, 24, {2097192, 1}, 16 + 2097192},
    {WIRE_DEVICE_GET_REGION_INFO, 32, {80}, 16 + 80},
    {WIRE_DEVICE_GET_REGION_IO_FDS, 16, {UINT32_MAX}, UINT32_MAX},
    {WIRE_REGION_WRITE, 16, {0, 0, 2, 12288}, 0},
    {WIRE_DMA_MAP, 24, {32, 3}, 0},
    {WIRE_DEVICE_SET_IRQS, 20, {20}, 0},
    {99, 16, {5000, 5000, 5000, 5000}, 0},
};

START_TEST(a_request_asks_for_a_reply_of_a_size)
{
    const struct wire_hdr hdr = {.command = asking[_i].command};

    ck_assert_uint_eq(wire_asks(&hdr, asking[_i].words, asking[_i].n), asking[_i].asks);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wire");
    TCase *tc = unit_case(s, "table");

    tcase_add_loop_test(tc, table_is_the_page, 0, ROWS);
    tcase_add_test(tc, table_has_nothing_else);
    tcase_add_test(tc, numbers_of_the_page);
    tc = unit_case(s, "header");
    tcase_add_test(tc, header_is_16_bytes_in_order);
    tcase_add_test(tc, header_at_and_past_its_limits);
    tcase_add_test(tc, replies_echo_the_request);
    tcase_add_test(tc, every_outcome_has_a_text);
    tc = unit_case(s, "check");
    tcase_add_loop_test(tc, fixed_sizes_at_and_past, 0, ROWS);
    tcase_add_test(tc, unknown_commands_types_and_flags);
    tcase_add_test(tc, data_agrees_with_its_count);
    tcase_add_test(tc, dma_write_replies_of_both_lengths);
    tcase_add_test(tc, set_irqs_has_one_data_and_one_action);
    tcase_add_test(tc, set_irqs_booleans_agree_with_the_count);
    tcase_add_test(tc, write_multi_counts_and_lengths);
    tcase_add_test(tc, feature_flags);
    tc = unit_case(s, "lists");
    tcase_add_test(tc, caps_are_walked_in_order);
    tcase_add_test(tc, caps_that_leave_or_loop);
    tcase_add_test(tc, caps_that_are_not_there);
    tcase_add_test(tc, sparse_areas);
    tcase_add_test(tc, io_fds_by_their_own_stride);
    tcase_add_test(tc, io_fds_that_disagree);
    tcase_add_test(tc, get_copies_all_or_nothing);
    tc = unit_case(s, "sizes");
    tcase_add_loop_test(tc, a_request_asks_for_a_reply_of_a_size, 0,
                        sizeof asking / sizeof asking[0]);
    return unit_run(s);
}
