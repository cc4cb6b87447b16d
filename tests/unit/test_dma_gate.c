/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The gate between a device and its client's memory: message by message, what goes on, what is
 * answered and in which order, what is exported, what taints.
 */
#include "proxy/dma_gate.h"

#include <errno.h>
#include <string.h>

#include "tests/support/unit.h"

#define R WIRE_DMA_READABLE
#define W WIRE_DMA_WRITEABLE

static struct report report;
static struct dma_gate gate;
static struct dma_lane lane;
static struct dma_denial denied; /* the last one */
static unsigned denials;

static void on_gate(void *arg, const struct dma_denial *d)
{
    ck_assert_ptr_eq(arg, &gate);
    if (d) {
        denied = *d;
        denials++;
    }
}

static void begin(const struct dma_settings *set, uint32_t max_maps, bool recorded)
{
    denials = 0;
    report_init(&report, recorded);
    dma_gate_init(&gate, set, max_maps, &report, on_gate, &gate);
    dma_lane_init(&lane, &gate);
}

static void withhold(void)
{
    const struct dma_settings set = {.withhold = 1};

    begin(&set, 65535, true);
}

static void end(void)
{
    dma_lane_deinit(&lane);
    dma_gate_deinit(&gate);
    report_deinit(&report);
}

/* ---- messages ---- */

#define TO_BACKEND true
#define TO_CLIENT false

static enum dma_verdict judge(bool from_client, struct wire_hdr hdr, const void *payload, size_t n,
                              unsigned n_fds)
{
    uint8_t bytes[WIRE_HDR_SIZE + 64];

    /* A larger one is told by its header alone. */
    hdr.size = hdr.size ? hdr.size : (uint32_t)(WIRE_HDR_SIZE + n);
    wire_put_hdr(bytes, &hdr);
    memcpy(bytes + WIRE_HDR_SIZE, payload, n);
    return dma_gate_judge(&lane, from_client, bytes, WIRE_HDR_SIZE + n, n_fds);
}

static enum dma_verdict map_flags(uint16_t id, uint64_t address, uint64_t size, uint32_t flags,
                                  unsigned n_fds, uint32_t hdr_flags)
{
    const struct wire_dma_map m = {
        .argsz = sizeof m, .flags = flags, .address = address, .size = size};

    return judge(TO_BACKEND,
                 (struct wire_hdr){.id = id, .command = WIRE_DMA_MAP, .flags = hdr_flags}, &m,
                 sizeof m, n_fds);
}

static enum dma_verdict map(uint16_t id, uint64_t address, uint64_t size, uint32_t flags)
{
    return map_flags(id, address, size, flags, 1, 0);
}

static enum dma_verdict unmap_flags(uint16_t id, uint64_t address, uint64_t size, uint32_t flags,
                                    uint32_t hdr_flags)
{
    const struct wire_dma_unmap u = {
        .argsz = sizeof u, .flags = flags, .address = address, .size = size};

    return judge(TO_BACKEND,
                 (struct wire_hdr){.id = id, .command = WIRE_DMA_UNMAP, .flags = hdr_flags}, &u,
                 sizeof u, 0);
}

/* A reply, empty as an error's, or as good ones that carry nothing. */
static void answer(bool from_client, uint16_t id, uint16_t command, int err)
{
    const struct wire_hdr hdr = {.id = id,
                                 .command = command,
                                 .flags = WIRE_TYPE_REPLY | (err ? WIRE_ERROR : 0),
                                 .error = (uint32_t)err};

    ck_assert_int_eq(judge(from_client, hdr, "", 0, 0), DMA_PASS);
}

static enum dma_verdict ask_flags(uint16_t id, uint16_t command, uint64_t address, uint64_t count,
                                  uint32_t hdr_flags)
{
    const struct wire_dma_access a = {.address = address, .count = count};
    struct wire_hdr hdr = {.id = id, .command = command, .flags = hdr_flags};

    if (command == WIRE_DMA_WRITE) {
        hdr.size = (uint32_t)(WIRE_HDR_SIZE + sizeof a + (count < 1u << 20 ? count : 0));
    }
    return judge(TO_CLIENT, hdr, &a, sizeof a, 0);
}

static enum dma_verdict ask(uint16_t id, uint16_t command, uint64_t address, uint64_t count)
{
    return ask_flags(id, command, address, count, 0);
}

/* The next reply that the broker makes for that side. */
static void expect_reply(bool to_client, uint16_t id, uint16_t command, int err)
{
    const uint8_t *bytes;
    const size_t n = dma_gate_replies(&lane, to_client, &bytes);
    struct wire_hdr hdr;

    ck_assert_uint_ge(n, WIRE_HDR_SIZE);
    ck_assert_int_eq(wire_get_hdr(bytes, n, WIRE_HDR_SIZE, &hdr), WIRE_FRAME_OK);
    ck_assert_uint_eq(hdr.id, id);
    ck_assert_uint_eq(hdr.command, command);
    ck_assert_uint_eq(hdr.size, WIRE_HDR_SIZE);
    ck_assert_uint_eq(hdr.flags, WIRE_TYPE_REPLY | WIRE_ERROR);
    ck_assert_uint_eq(hdr.error, (uint32_t)err);
    dma_gate_replied(&lane, to_client, WIRE_HDR_SIZE);
}

static void expect_no_reply(bool to_client)
{
    const uint8_t *bytes;

    ck_assert_uint_eq(dma_gate_replies(&lane, to_client, &bytes), 0);
}

/* Whether the memory can be reached; a refusal is taken off. */
static bool reached(uint16_t command, uint64_t address, uint64_t count)
{
    const bool goes_on = ask(77, command, address, count) == DMA_PASS;

    if (goes_on) {
        answer(TO_BACKEND, 77, command, 0);
    } else {
        expect_reply(false, 77, command, EFAULT);
    }
    expect_no_reply(false);
    return goes_on;
}

static bool reads(uint64_t address, uint64_t count)
{
    return reached(WIRE_DMA_READ, address, count);
}

static bool writes(uint64_t address, uint64_t count)
{
    return reached(WIRE_DMA_WRITE, address, count);
}

/* The oldest range that was told of, which is forgotten. */
static void expect_export(uint64_t address, uint64_t size, uint32_t flags, enum ipc_how how)
{
    ck_assert_uint_gt(report.n, 0);
    ck_assert_uint_eq(report.ranges[0].address, address);
    ck_assert_uint_eq(report.ranges[0].size, size);
    ck_assert_uint_eq(report.ranges[0].flags, flags);
    ck_assert_uint_eq(report.ranges[0].how, how);
    memmove(report.ranges, report.ranges + 1, --report.n * sizeof *report.ranges);
}

/* ---- accesses ---- */

START_TEST(accesses_are_held_against_maps_and_flags)
{
    withhold();
    ck_assert_int_eq(map(1, 0x1000, 0x1000, R), DMA_STRIP);
    ck_assert_int_eq(map(2, 0x2000, 0x1000, R | W), DMA_STRIP);
    ck_assert_int_eq(map(3, 0x4000, 0x1000, W), DMA_STRIP);
    for (uint64_t at = 0xffe; at <= 0x5001; at++) {
        for (uint64_t n = 1; n <= 3; n++) {
            const uint64_t last = at + n - 1;

            if (at % 0x1000 > 2 && at % 0x1000 < 0xffd) {
                continue;
            }
            ck_assert_int_eq(reads(at, n), at >= 0x1000 && last < 0x3000);
            ck_assert_int_eq(writes(at, n),
                             (at >= 0x2000 && last < 0x3000) || (at >= 0x4000 && last < 0x5000));
        }
    }
    ck_assert(reads(0x1000, 0x2000));
    ck_assert(!reads(0x1000, 0x2001));
    ck_assert(!reads(0xfff, 0x2001));
    ck_assert(!reads(0x2fff, UINT64_MAX));
    ck_assert(!writes(0x2000, 0x3000));
    end();
}
END_TEST

START_TEST(a_denial_says_what_was_asked_and_what_would_be_allowed)
{
    withhold();
    ck_assert_int_eq(ask(9, WIRE_DMA_READ, 0x5000, 8), DMA_DROP);
    expect_reply(false, 9, WIRE_DMA_READ, EFAULT);
    ck_assert(!denied.some && !denied.malformed);
    ck_assert_int_eq(map(1, 0x1000, 0x1000, R), DMA_STRIP);
    ck_assert_uint_eq(report.taint, TAINT_DMA);
    ck_assert_int_eq(ask(10, WIRE_DMA_READ, 0x1ff8, 16), DMA_DROP);
    expect_reply(false, 10, WIRE_DMA_READ, EFAULT);
    ck_assert_uint_eq(denials, 2);
    ck_assert_uint_eq(denied.command, WIRE_DMA_READ);
    ck_assert_uint_eq(denied.address, 0x1ff8);
    ck_assert_uint_eq(denied.count, 16);
    ck_assert(denied.some && denied.allowed.first == 0x1000 && denied.allowed.last == 0x1fff);
    end();
}
END_TEST

/* Whatever its header or its size claims: it does not reach further than it may. */
START_TEST(accesses_that_do_not_say_what_they_want)
{
    const struct wire_dma_access lies = {.address = 0x1000, .count = 4};
    const struct wire_hdr write = {.id = 5, .command = WIRE_DMA_WRITE, .size = 16 + 16 + 0x1001};
    const struct wire_hdr odd = {.id = 6, .command = WIRE_DMA_READ, .flags = 0x2};

    withhold();
    ck_assert_int_eq(map(1, 0x1000, 0x1000, R | W), DMA_STRIP);
    for (size_t n = 0; n < sizeof lies; n++) {
        const struct wire_hdr hdr = {.id = (uint16_t)n, .command = WIRE_DMA_READ};

        ck_assert_int_eq(judge(TO_CLIENT, hdr, &lies, n, 0), DMA_DROP);
        expect_reply(false, (uint16_t)n, WIRE_DMA_READ, EINVAL);
        ck_assert(denied.malformed);
    }
    /* More data than its count says. */
    ck_assert_int_eq(judge(TO_CLIENT, write, &lies, sizeof lies, 0), DMA_DROP);
    expect_reply(false, 5, WIRE_DMA_WRITE, EFAULT);
    /* A type that is neither command nor reply. */
    ck_assert_int_eq(judge(TO_CLIENT, odd, &lies, sizeof lies, 0), DMA_PASS);
    ck_assert_int_eq(ask_flags(7, WIRE_DMA_READ, 0x900, 1, 0x2), DMA_DROP);
    expect_reply(false, 7, WIRE_DMA_READ, EFAULT);
    /* No bytes are no access. */
    ck_assert_int_eq(ask(8, WIRE_DMA_READ, 0x900, 0), DMA_PASS);
    end();
}
END_TEST

START_TEST(who_wants_no_reply_gets_none)
{
    withhold();
    ck_assert_int_eq(ask_flags(1, WIRE_DMA_WRITE, 0x1000, 8, WIRE_NO_REPLY), DMA_DROP);
    ck_assert_int_eq(ask_flags(1, WIRE_DMA_READ, 0x1000, 8, WIRE_NO_REPLY), DMA_DROP);
    expect_no_reply(false);
    ck_assert_uint_eq(denials, 2);
    ck_assert_uint_eq(report.taint, TAINT_DMA);
    end();
}
END_TEST

/* A reply is none, whatever its command; and a client's requests are not held against its maps. */
START_TEST(only_requests_of_the_backend_are_accesses)
{
    const struct wire_dma_access a = {.address = 0x1000, .count = 4};
    const struct wire_hdr reply = {.id = 1, .command = WIRE_DMA_READ, .flags = WIRE_TYPE_REPLY};
    const struct wire_hdr request = {.id = 1, .command = WIRE_DMA_READ};

    withhold();
    ck_assert_int_eq(judge(TO_CLIENT, reply, &a, sizeof a, 0), DMA_PASS);
    ck_assert_int_eq(judge(TO_BACKEND, request, &a, sizeof a, 0), DMA_PASS);
    ck_assert_uint_eq(denials, 0);
    end();
}
END_TEST

/* ---- what is alive ---- */

START_TEST(a_map_lives_until_it_is_refused)
{
    withhold();
    ck_assert_int_eq(map(1, 0x1000, 0x1000, R), DMA_STRIP);
    ck_assert_int_eq(map(2, 0x1800, 0x1000, W), DMA_STRIP);
    ck_assert(reads(0x1000, 0x1000) && writes(0x1800, 0x1000));
    answer(TO_CLIENT, 2, WIRE_DMA_MAP, EEXIST);
    ck_assert(reads(0x1000, 0x1000));
    ck_assert(!writes(0x1800, 1));
    answer(TO_CLIENT, 1, WIRE_DMA_MAP, 0);
    /* Answered twice: nobody asked. */
    answer(TO_CLIENT, 1, WIRE_DMA_MAP, EINVAL);
    ck_assert(reads(0x1000, 0x1000));
    end();
}
END_TEST

/* The same id for all, as some clients do it: replies come in the order of the requests. */
START_TEST(pipelined_maps_with_one_id)
{
    withhold();
    for (uint64_t i = 0; i < 16; i++) {
        ck_assert_int_eq(map(7, i * 0x2000, 0x1000, R), DMA_STRIP);
    }
    for (uint64_t i = 0; i < 16; i++) {
        answer(TO_CLIENT, 7, WIRE_DMA_MAP, i % 3 == 0 ? EINVAL : 0);
    }
    for (uint64_t i = 0; i < 16; i++) {
        ck_assert_int_eq(reads(i * 0x2000, 0x1000), i % 3 != 0);
    }
    end();
}
END_TEST

START_TEST(an_unmapping_counts_when_the_backend_has_agreed)
{
    withhold();
    ck_assert_int_eq(map(1, 0x1000, 0x1000, R), DMA_STRIP);
    ck_assert_int_eq(map(2, 0x2000, 0x1000, R), DMA_STRIP);
    ck_assert_int_eq(unmap_flags(3, 0x1000, 0x1000, 0, 0), DMA_PASS);
    ck_assert_int_eq(unmap_flags(4, 0x2000, 0x1000, 0, 0), DMA_PASS);
    ck_assert(reads(0x1000, 0x2000));
    answer(TO_CLIENT, 3, WIRE_DMA_UNMAP, EBUSY);
    ck_assert(reads(0x1000, 0x2000));
    answer(TO_CLIENT, 4, WIRE_DMA_UNMAP, 0);
    ck_assert(reads(0x1000, 0x1000));
    ck_assert(!reads(0x2000, 1));
    /* Without a reply there is nothing to wait for. */
    ck_assert_int_eq(unmap_flags(5, 0x1000, 0x1000, 0, WIRE_NO_REPLY), DMA_PASS);
    ck_assert(!reads(0x1000, 1));
    end();
}
END_TEST

/* As QEMU does it: the memory is taken back and mapped again before the first reply comes. */
START_TEST(an_unmapping_does_not_concern_what_is_mapped_behind_it)
{
    withhold();
    ck_assert_int_eq(map(1, 0x1000, 0x4000, R), DMA_STRIP);
    answer(TO_CLIENT, 1, WIRE_DMA_MAP, 0);
    ck_assert_int_eq(unmap_flags(2, 0x1000, 0x4000, 0, 0), DMA_PASS);
    ck_assert_int_eq(map(3, 0x1000, 0x2000, R), DMA_STRIP);
    ck_assert_int_eq(unmap_flags(4, 0, 0, 2, 0), DMA_PASS);
    ck_assert_int_eq(map(5, 0x2000, 0x2000, R), DMA_STRIP);
    ck_assert(reads(0x1000, 0x4000));
    answer(TO_CLIENT, 2, WIRE_DMA_UNMAP, 0);
    answer(TO_CLIENT, 3, WIRE_DMA_MAP, 0);
    ck_assert(reads(0x1000, 0x3000));
    ck_assert(!reads(0x4000, 1));
    answer(TO_CLIENT, 4, WIRE_DMA_UNMAP, 0);
    ck_assert(!reads(0x1fff, 1));
    ck_assert(reads(0x2000, 0x2000));
    answer(TO_CLIENT, 5, WIRE_DMA_MAP, EINVAL);
    ck_assert(!reads(0x2000, 1));
    end();
}
END_TEST

START_TEST(all_at_once)
{
    withhold();
    ck_assert_int_eq(map(1, 0x1000, 0x1000, R), DMA_STRIP);
    ck_assert_int_eq(map(2, UINT64_MAX - 0xfff, 0x1000, R), DMA_STRIP);
    report.n = 0;
    ck_assert_int_eq(unmap_flags(3, 0, 0, 2, 0), DMA_PASS);
    ck_assert(reads(0x1000, 1));
    answer(TO_CLIENT, 3, WIRE_DMA_UNMAP, 0);
    ck_assert(!reads(0x1000, 1));
    ck_assert(!reads(UINT64_MAX, 1));
    expect_export(0, UINT64_MAX, 0, IPC_UNMAPPED);
    end();
}
END_TEST

/* Nothing that a client can name so is ever reached; the backend may say what it thinks of it. */
START_TEST(maps_of_nothing_and_beyond_the_end)
{
    withhold();
    ck_assert_int_eq(map(1, 0x1000, 0, R), DMA_STRIP);
    ck_assert_int_eq(map(2, UINT64_MAX, 2, R), DMA_STRIP);
    ck_assert_int_eq(unmap_flags(3, UINT64_MAX, 2, 0, 0), DMA_PASS);
    ck_assert_uint_eq(gate.maps.n, 0);
    /* Nor does its unmapping unmap anything. */
    ck_assert_int_eq(map(4, 0, 0x1000, R), DMA_STRIP);
    answer(TO_CLIENT, 3, WIRE_DMA_UNMAP, 0);
    ck_assert(reads(0, 0x1000));
    answer(TO_CLIENT, 4, WIRE_DMA_MAP, EINVAL);
    for (size_t n = 0; n < sizeof(struct wire_dma_map); n++) {
        const struct wire_dma_map m = {.argsz = sizeof m, .flags = R, .size = 0x1000};

        ck_assert_int_eq(judge(TO_BACKEND, (struct wire_hdr){.command = WIRE_DMA_MAP}, &m, n, 1),
                         DMA_STRIP);
    }
    ck_assert(!reads(0, 1));
    end();
}
END_TEST

/* ---- limits ---- */

START_TEST(as_many_maps_as_may_be_and_one_more)
{
    const struct dma_settings set = {.max_maps = 3};

    begin(&set, 65535, true);
    for (uint16_t i = 0; i < 3; i++) {
        ck_assert_int_eq(map(i, i * 0x1000u, 0x1000, R), DMA_PASS);
        expect_export(i * 0x1000u, 0x1000, R, IPC_PASSED);
    }
    ck_assert_int_eq(map(9, 0x9000, 0x1000, R), DMA_DROP);
    expect_export(0x9000, 0x1000, R, IPC_REFUSED);
    expect_reply(true, 9, WIRE_DMA_MAP, ENOSPC);
    ck_assert(!reads(0x9000, 1));
    /* One that the backend has refused, or given back, makes room. */
    answer(TO_CLIENT, 1, WIRE_DMA_MAP, EINVAL);
    ck_assert_int_eq(map(9, 0x9000, 0x1000, R), DMA_PASS);
    ck_assert_int_eq(map(10, 0xa000, 0x1000, R), DMA_DROP);
    expect_reply(true, 10, WIRE_DMA_MAP, ENOSPC);
    ck_assert_int_eq(unmap_flags(11, 0, 0x1000, 0, 0), DMA_PASS);
    answer(TO_CLIENT, 11, WIRE_DMA_UNMAP, 0);
    ck_assert_int_eq(map(10, 0xa000, 0x1000, R), DMA_PASS);
    expect_no_reply(true);
    /* Who wants no reply gets none; the map is refused all the same. */
    ck_assert_int_eq(map_flags(12, 0xb000, 0x1000, R, 1, WIRE_NO_REPLY), DMA_DROP);
    expect_no_reply(true);
    end();
}
END_TEST

/* What is agreed binds, too, and the broker's own limit. */
START_TEST(the_smallest_limit_binds)
{
    static const struct {
        uint32_t said, agreed;
        size_t is;
    } cases[] = {{0, 5, 5},
                 {3, 5, 3},
                 {5, 3, 3},
                 {0, UINT32_MAX, LIMIT_DMA_MAPS},
                 {LIMIT_DMA_MAPS, UINT32_MAX, LIMIT_DMA_MAPS},
                 {4, 0, 0}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct dma_settings set = {.withhold = 1, .max_maps = cases[i].said};

        begin(&set, cases[i].agreed, false);
        ck_assert_uint_eq(gate.max_maps, cases[i].is);
        end();
    }
}
END_TEST

START_TEST(bytes_are_counted_while_they_are_mapped)
{
    const struct dma_settings set = {.max_bytes = 0x3000};

    begin(&set, 65535, true);
    ck_assert_int_eq(map(1, 0, 0x2000, R), DMA_PASS);
    ck_assert_int_eq(map(2, 0x2000, 0x1001, R), DMA_STRIP);
    ck_assert_int_eq(map(3, 0x4000, 0x1000, R), DMA_PASS);
    ck_assert_int_eq(map(4, 0x5000, 1, R), DMA_STRIP);
    ck_assert_int_eq(map(5, 0, UINT64_MAX, R), DMA_STRIP);
    expect_export(0, 0x2000, R, IPC_PASSED);
    expect_export(0x2000, 0x1001, R, IPC_WITHHELD);
    expect_export(0x4000, 0x1000, R, IPC_PASSED);
    expect_export(0x5000, 1, R, IPC_WITHHELD);
    expect_export(0, UINT64_MAX, R, IPC_WITHHELD);
    /* What comes without an fd exports nothing. */
    ck_assert_int_eq(map_flags(6, 0x6000, 0x100000, R, 0, 0), DMA_PASS);
    expect_export(0x6000, 0x100000, R, IPC_WITHOUT);
    answer(TO_CLIENT, 1, WIRE_DMA_MAP, EINVAL);
    ck_assert_int_eq(map(7, 0, 0x2001, R), DMA_STRIP);
    ck_assert_int_eq(map(8, 0x200000, 0x2000, R), DMA_PASS);
    /* Withheld ones are alive none the less. */
    ck_assert(reads(0x2000, 0x1001));
    end();
}
END_TEST

START_TEST(ranges_bind_from_their_first_byte_to_their_last)
{
    const struct dma_settings set = {.n_ranges = 2, .ranges = {{0x1000, 0x2fff}, {0x5000, 0x5fff}}};
    static const struct {
        uint64_t address, size;
        enum dma_verdict is;
    } cases[] = {{0x1000, 0x2000, DMA_PASS},  {0x0fff, 2, DMA_STRIP},
                 {0x0fff, 0x2001, DMA_STRIP}, {0x2fff, 1, DMA_PASS},
                 {0x2fff, 2, DMA_STRIP},      {0x5000, 0x1000, DMA_PASS},
                 {0x1000, 0x5000, DMA_STRIP}, {0, UINT64_MAX, DMA_STRIP}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(&set, 65535, true);
        ck_assert_int_eq(map(1, cases[i].address, cases[i].size, R), cases[i].is);
        expect_export(cases[i].address, cases[i].size, R,
                      cases[i].is == DMA_PASS ? IPC_PASSED : IPC_WITHHELD);
        end();
    }
}
END_TEST

START_TEST(more_requests_than_are_kept)
{
    withhold();
    for (uint32_t i = 0; i < LIMIT_DMA_REQUESTS; i++) {
        ck_assert_int_eq(map((uint16_t)i, i * UINT64_C(0x1000), 0x1000, R), DMA_STRIP);
        report.n = 0;
    }
    /* Whether one more lives could never be told. */
    ck_assert_int_eq(map(5, 0x10000000, 0x1000, R), DMA_DROP);
    expect_reply(true, 5, WIRE_DMA_MAP, ENOSPC);
    ck_assert_uint_eq(gate.maps.n, LIMIT_DMA_REQUESTS);
    report.n = 0;
    /* An unmapping that cannot be followed counts at once. */
    ck_assert(reads(0, 0x1000));
    ck_assert_int_eq(unmap_flags(6, 0, 0x1000, 0, 0), DMA_PASS);
    ck_assert(!reads(0, 1));
    report.n = 0;
    for (uint32_t i = 0; i < LIMIT_DMA_REQUESTS; i++) {
        answer(TO_CLIENT, (uint16_t)i, WIRE_DMA_MAP, 0);
    }
    ck_assert_int_eq(map(7, 0x10000000, 0x1000, R), DMA_STRIP);
    end();
}
END_TEST

/* ---- the order of replies ---- */

START_TEST(a_refusal_waits_for_those_before_it_with_its_id)
{
    withhold();
    ck_assert_int_eq(map(1, 0x1000, 0x1000, R), DMA_STRIP);
    ck_assert_int_eq(ask(5, WIRE_DMA_READ, 0x1000, 4), DMA_PASS);
    ck_assert_int_eq(ask(5, WIRE_DMA_READ, 0x9000, 4), DMA_DROP);
    ck_assert_int_eq(ask(5, WIRE_DMA_READ, 0x1004, 4), DMA_PASS);
    ck_assert_int_eq(ask(5, WIRE_DMA_READ, 0x9004, 4), DMA_DROP);
    ck_assert_int_eq(ask(5, WIRE_DMA_READ, 0x9008, 4), DMA_DROP);
    /* Another id does not wait. */
    ck_assert_int_eq(ask(6, WIRE_DMA_READ, 0x9000, 4), DMA_DROP);
    expect_reply(false, 6, WIRE_DMA_READ, EFAULT);
    expect_no_reply(false);
    answer(TO_BACKEND, 5, WIRE_DMA_READ, 0);
    expect_reply(false, 5, WIRE_DMA_READ, EFAULT);
    expect_no_reply(false);
    answer(TO_BACKEND, 5, WIRE_DMA_READ, 0);
    expect_reply(false, 5, WIRE_DMA_READ, EFAULT);
    expect_reply(false, 5, WIRE_DMA_READ, EFAULT);
    expect_no_reply(false);
    ck_assert_int_eq(ask(5, WIRE_DMA_READ, 0x9008, 4), DMA_DROP);
    expect_reply(false, 5, WIRE_DMA_READ, EFAULT);
    end();
}
END_TEST

START_TEST(a_refused_map_waits_as_well)
{
    const struct dma_settings set = {.max_maps = 1};

    begin(&set, 65535, false);
    ck_assert_int_eq(
        judge(TO_BACKEND, (struct wire_hdr){.id = 3, .command = WIRE_DEVICE_RESET}, "", 0, 0),
        DMA_PASS);
    ck_assert_int_eq(map(3, 0, 0x1000, R), DMA_PASS);
    ck_assert_int_eq(map(3, 0x1000, 0x1000, R), DMA_DROP);
    expect_no_reply(true);
    answer(TO_CLIENT, 3, WIRE_DEVICE_RESET, 0);
    expect_no_reply(true);
    answer(TO_CLIENT, 3, WIRE_DMA_MAP, 0);
    expect_reply(true, 3, WIRE_DMA_MAP, ENOSPC);
    end();
}
END_TEST

START_TEST(replies_that_nobody_takes_stop_their_side)
{
    unsigned n = 0;

    withhold();
    while (!dma_gate_blocked(&lane, false)) {
        ck_assert_int_eq(ask((uint16_t)n++, WIRE_DMA_READ, 0x1000, 1), DMA_DROP);
    }
    ck_assert_uint_eq(n, DMA_REPLIES_FULL + 1);
    ck_assert(!dma_gate_blocked(&lane, true));
    /* As many as a turn that began just before can still bring. */
    while (n < DMA_REPLIES) {
        ck_assert_int_eq(ask((uint16_t)n++, WIRE_DMA_READ, 0x1000, 1), DMA_DROP);
    }
    /* Part of one has gone: the rest of it is still there. */
    dma_gate_replied(&lane, false, 5);
    dma_gate_replied(&lane, false, WIRE_HDR_SIZE - 5);
    for (unsigned i = 1; i < n; i++) {
        ck_assert_int_eq(dma_gate_blocked(&lane, false), n - i > DMA_REPLIES_FULL);
        expect_reply(false, (uint16_t)i, WIRE_DMA_READ, EFAULT);
    }
    expect_no_reply(false);
    end();
}
END_TEST

START_TEST(refusals_that_wait_stop_their_side_as_well)
{
    withhold();
    ck_assert_int_eq(map(1, 0x1000, 0x1000, R), DMA_STRIP);
    ck_assert_int_eq(ask(5, WIRE_DMA_READ, 0x1000, 4), DMA_PASS);
    for (unsigned n = 0; n <= DMA_REPLIES_FULL; n++) {
        ck_assert(!dma_gate_blocked(&lane, false));
        ck_assert_int_eq(ask(5, WIRE_DMA_READ, 0, 4), DMA_DROP);
    }
    expect_no_reply(false);
    ck_assert(dma_gate_blocked(&lane, false));
    answer(TO_BACKEND, 5, WIRE_DMA_READ, 0);
    for (unsigned n = 0; n <= DMA_REPLIES_FULL; n++) {
        expect_reply(false, 5, WIRE_DMA_READ, EFAULT);
    }
    ck_assert(!dma_gate_blocked(&lane, false));
    end();
}
END_TEST

START_TEST(a_side_that_is_gone_needs_no_replies)
{
    withhold();
    ck_assert_int_eq(map(1, 0x1000, 0x1000, R), DMA_STRIP);
    ck_assert_int_eq(ask(5, WIRE_DMA_READ, 0x1000, 4), DMA_PASS);
    ck_assert_int_eq(ask(5, WIRE_DMA_READ, 0, 4), DMA_DROP);
    ck_assert_int_eq(ask(6, WIRE_DMA_READ, 0, 4), DMA_DROP);
    dma_gate_close(&lane, false);
    expect_no_reply(false);
    for (unsigned n = 0; n < 4 * DMA_REPLIES; n++) {
        ck_assert_int_eq(ask(7, WIRE_DMA_READ, 0, 4), DMA_DROP);
    }
    ck_assert(!dma_gate_blocked(&lane, false));
    expect_no_reply(false);
    /* Those that are allowed still go on. */
    ck_assert_int_eq(ask(5, WIRE_DMA_READ, 0x1000, 4), DMA_PASS);
    end();
}
END_TEST

/* ---- without words in force ---- */

START_TEST(pass_lets_everything_pass_and_tells_of_it)
{
    const struct dma_settings set = {.withhold = 0};

    begin(&set, 2, true);
    ck_assert(gate.watches && !gate.checks);
    for (uint16_t i = 0; i < 5; i++) {
        ck_assert_int_eq(map_flags(i, i, 1, i % 4u, i % 2u, 0), DMA_PASS);
        expect_export(i, 1, i % 4u, i % 2u ? IPC_PASSED : IPC_WITHOUT);
    }
    /* Flags that the page does not have are not told. */
    ck_assert_int_eq(map(6, 1, 1, 0xfffffff1), DMA_PASS);
    expect_export(1, 1, R, IPC_PASSED);
    ck_assert_int_eq(ask(1, WIRE_DMA_READ, 0x9000, 1), DMA_PASS);
    ck_assert_int_eq(unmap_flags(7, 0x1000, 0x2000, 0, 0), DMA_PASS);
    /* The id alone does not tell: other commands are not followed. */
    answer(TO_CLIENT, 7, WIRE_DEVICE_RESET, 0);
    ck_assert_uint_eq(report.n, 0);
    answer(TO_CLIENT, 7, WIRE_DMA_UNMAP, 0);
    expect_export(0x1000, 0x2000, 0, IPC_UNMAPPED);
    ck_assert_uint_eq(report.taint, 0);
    ck_assert_uint_eq(gate.maps.n, 0);
    end();
}
END_TEST

START_TEST(without_a_record_nothing_is_watched)
{
    const struct dma_settings set = {.withhold = 0};

    begin(&set, 65535, false);
    ck_assert(!gate.watches && !gate.checks);
    end();
}
END_TEST

START_TEST(what_waits_to_be_recorded_stops_both_sides)
{
    const struct dma_settings set = {.withhold = 0};

    begin(&set, 65535, true);
    while (!dma_gate_blocked(&lane, true)) {
        ck_assert_int_eq(map(1, 0, 1, R), DMA_PASS);
    }
    ck_assert(dma_gate_blocked(&lane, false));
    ck_assert_uint_eq(report.n, REPORT_FULL + 1);
    end();
}
END_TEST

/* ---- other fds ---- */

START_TEST(what_a_backend_hands_out_is_a_second_path)
{
    static const struct {
        bool from_client;
        uint16_t command;
        bool withheld;
        bool taints;
    } cases[] = {
        {false, WIRE_DEVICE_GET_REGION_INFO, false, true},
        {false, WIRE_DEVICE_GET_REGION_IO_FDS, false, true},
        {false, WIRE_DEVICE_GET_REGION_INFO, true, true},
        {true, WIRE_DEVICE_SET_IRQS, false, false},
        {true, WIRE_DEVICE_SET_IRQS, true, false},
        {true, WIRE_DMA_MAP, false, false},
        {true, WIRE_DMA_MAP, true, false},
        /* A client may hand out memory by any message; where it is withheld, that is told. */
        {true, WIRE_REGION_WRITE, false, false},
        {true, WIRE_REGION_WRITE, true, true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct dma_settings set = {.withhold = cases[i].withheld};
        const struct wire_hdr hdr = {.command = cases[i].command,
                                     .flags = cases[i].from_client ? 0 : WIRE_TYPE_REPLY};

        begin(&set, 65535, true);
        (void)judge(cases[i].from_client, hdr, "", 0, 0);
        ck_assert_uint_eq(report.taint, 0);
        (void)judge(cases[i].from_client, hdr, "", 0, 1);
        ck_assert_uint_eq(report.taint, cases[i].taints ? TAINT_UNOBSERVED : 0);
        end();
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("dma_gate");
    TCase *tc = unit_case(s, "accesses");

    tcase_add_test(tc, accesses_are_held_against_maps_and_flags);
    tcase_add_test(tc, a_denial_says_what_was_asked_and_what_would_be_allowed);
    tcase_add_test(tc, accesses_that_do_not_say_what_they_want);
    tcase_add_test(tc, who_wants_no_reply_gets_none);
    tcase_add_test(tc, only_requests_of_the_backend_are_accesses);
    tc = unit_case(s, "alive");
    tcase_add_test(tc, a_map_lives_until_it_is_refused);
    tcase_add_test(tc, pipelined_maps_with_one_id);
    tcase_add_test(tc, an_unmapping_counts_when_the_backend_has_agreed);
    tcase_add_test(tc, an_unmapping_does_not_concern_what_is_mapped_behind_it);
    tcase_add_test(tc, all_at_once);
    tcase_add_test(tc, maps_of_nothing_and_beyond_the_end);
    tc = unit_case(s, "limits");
    tcase_add_test(tc, as_many_maps_as_may_be_and_one_more);
    tcase_add_test(tc, the_smallest_limit_binds);
    tcase_add_test(tc, bytes_are_counted_while_they_are_mapped);
    tcase_add_test(tc, ranges_bind_from_their_first_byte_to_their_last);
    tcase_add_test(tc, more_requests_than_are_kept);
    tc = unit_case(s, "order");
    tcase_add_test(tc, a_refusal_waits_for_those_before_it_with_its_id);
    tcase_add_test(tc, a_refused_map_waits_as_well);
    tcase_add_test(tc, replies_that_nobody_takes_stop_their_side);
    tcase_add_test(tc, refusals_that_wait_stop_their_side_as_well);
    tcase_add_test(tc, a_side_that_is_gone_needs_no_replies);
    tc = unit_case(s, "pass");
    tcase_add_test(tc, pass_lets_everything_pass_and_tells_of_it);
    tcase_add_test(tc, without_a_record_nothing_is_watched);
    tcase_add_test(tc, what_waits_to_be_recorded_stops_both_sides);
    tcase_add_test(tc, what_a_backend_hands_out_is_a_second_path);
    return unit_run(s);
}
