/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The gate between a device and its client's memory, message by message: what goes on, what is
 * exported, and what limits do.
 */
#include <errno.h>

#include "tests/support/unit.h"
#include "tests/unit/relay/gate_rig.h"

/* ---- accesses ---- */

START_TEST(accesses_are_held_against_maps_and_flags)
{
    gate_withhold();
    ck_assert_int_eq(gate_map(1, 0x1000, 0x1000, R), DMA_STRIP);
    ck_assert_int_eq(gate_map(2, 0x2000, 0x1000, R | W), DMA_STRIP);
    ck_assert_int_eq(gate_map(3, 0x4000, 0x1000, W), DMA_STRIP);
    for (uint64_t at = 0xffe; at <= 0x5001; at++) {
        for (uint64_t n = 1; n <= 3; n++) {
            const uint64_t last = at + n - 1;

            if (at % 0x1000 > 2 && at % 0x1000 < 0xffd) {
                continue;
            }
            ck_assert_int_eq(gate_reads(at, n), at >= 0x1000 && last < 0x3000);
            ck_assert_int_eq(gate_writes(at, n),
                             (at >= 0x2000 && last < 0x3000) || (at >= 0x4000 && last < 0x5000));
        }
    }
    ck_assert(gate_reads(0x1000, 0x2000));
    ck_assert(!gate_reads(0x1000, 0x2001));
    ck_assert(!gate_reads(0xfff, 0x2001));
    ck_assert(!gate_reads(0x2fff, UINT64_MAX));
    ck_assert(!gate_writes(0x2000, 0x3000));
    gate_end();
}
END_TEST

START_TEST(a_denial_says_what_was_asked_and_what_would_be_allowed)
{
    gate_withhold();
    ck_assert_int_eq(gate_ask(9, WIRE_DMA_READ, 0x5000, 8), DMA_DROP);
    gate_expect_reply(false, 9, WIRE_DMA_READ, EFAULT);
    ck_assert(!rig.denied.some && !rig.denied.malformed);
    ck_assert_int_eq(gate_map(1, 0x1000, 0x1000, R), DMA_STRIP);
    ck_assert_uint_eq(rig.report.taint[SIDE_BACKEND], TAINT_DMA);
    ck_assert_int_eq(gate_ask(10, WIRE_DMA_READ, 0x1ff8, 16), DMA_DROP);
    gate_expect_reply(false, 10, WIRE_DMA_READ, EFAULT);
    ck_assert_uint_eq(rig.denials, 2);
    ck_assert_uint_eq(rig.denied.command, WIRE_DMA_READ);
    ck_assert_uint_eq(rig.denied.address, 0x1ff8);
    ck_assert_uint_eq(rig.denied.count, 16);
    ck_assert(rig.denied.some && rig.denied.allowed.first == 0x1000 &&
              rig.denied.allowed.last == 0x1fff);
    gate_end();
}
END_TEST

/* Whatever its header or its size claims: it does not reach further than it may. */
START_TEST(accesses_that_do_not_say_what_they_want)
{
    const struct wire_dma_access lies = {.address = 0x1000, .count = 4};
    const struct wire_hdr write = {.id = 5, .command = WIRE_DMA_WRITE, .size = 16 + 16 + 0x1001};
    const struct wire_hdr odd = {.id = 6, .command = WIRE_DMA_READ, .flags = 0x2};

    gate_withhold();
    ck_assert_int_eq(gate_map(1, 0x1000, 0x1000, R | W), DMA_STRIP);
    for (size_t n = 0; n < sizeof lies; n++) {
        const struct wire_hdr hdr = {.id = (uint16_t)n, .command = WIRE_DMA_READ};

        ck_assert_int_eq(gate_judge(TO_CLIENT, hdr, &lies, n, 0), DMA_DROP);
        gate_expect_reply(false, (uint16_t)n, WIRE_DMA_READ, EINVAL);
        ck_assert(rig.denied.malformed);
    }
    /* More data than its count says. */
    ck_assert_int_eq(gate_judge(TO_CLIENT, write, &lies, sizeof lies, 0), DMA_DROP);
    gate_expect_reply(false, 5, WIRE_DMA_WRITE, EFAULT);
    /* A type that is neither command nor reply. */
    ck_assert_int_eq(gate_judge(TO_CLIENT, odd, &lies, sizeof lies, 0), DMA_PASS);
    ck_assert_int_eq(gate_ask_flags(7, WIRE_DMA_READ, 0x900, 1, 0x2), DMA_DROP);
    gate_expect_reply(false, 7, WIRE_DMA_READ, EFAULT);
    /* No bytes are no access. */
    ck_assert_int_eq(gate_ask(8, WIRE_DMA_READ, 0x900, 0), DMA_PASS);
    gate_end();
}
END_TEST

START_TEST(who_wants_no_reply_gets_none)
{
    gate_withhold();
    ck_assert_int_eq(gate_ask_flags(1, WIRE_DMA_WRITE, 0x1000, 8, WIRE_NO_REPLY), DMA_DROP);
    ck_assert_int_eq(gate_ask_flags(1, WIRE_DMA_READ, 0x1000, 8, WIRE_NO_REPLY), DMA_DROP);
    gate_expect_no_reply(false);
    ck_assert_uint_eq(rig.denials, 2);
    ck_assert_uint_eq(rig.report.taint[SIDE_BACKEND], TAINT_DMA);
    gate_end();
}
END_TEST

/* A reply is none, whatever its command; and a client's requests are not held against its maps. */
START_TEST(only_requests_of_the_backend_are_accesses)
{
    const struct wire_dma_access a = {.address = 0x1000, .count = 4};
    const struct wire_hdr reply = {.id = 1, .command = WIRE_DMA_READ, .flags = WIRE_TYPE_REPLY};
    const struct wire_hdr request = {.id = 1, .command = WIRE_DMA_READ};

    gate_withhold();
    ck_assert_int_eq(gate_judge(TO_CLIENT, reply, &a, sizeof a, 0), DMA_PASS);
    ck_assert_int_eq(gate_judge(TO_BACKEND, request, &a, sizeof a, 0), DMA_PASS);
    ck_assert_uint_eq(rig.denials, 0);
    gate_end();
}
END_TEST

/* ---- what is alive ---- */

START_TEST(a_map_lives_until_it_is_refused)
{
    gate_withhold();
    ck_assert_int_eq(gate_map(1, 0x1000, 0x1000, R), DMA_STRIP);
    ck_assert_int_eq(gate_map(2, 0x1800, 0x1000, W), DMA_STRIP);
    ck_assert(gate_reads(0x1000, 0x1000) && gate_writes(0x1800, 0x1000));
    gate_answer(TO_CLIENT, 2, WIRE_DMA_MAP, EEXIST);
    ck_assert(gate_reads(0x1000, 0x1000));
    ck_assert(!gate_writes(0x1800, 1));
    gate_answer(TO_CLIENT, 1, WIRE_DMA_MAP, 0);
    /* Answered twice: nobody asked. */
    gate_answer(TO_CLIENT, 1, WIRE_DMA_MAP, EINVAL);
    ck_assert(gate_reads(0x1000, 0x1000));
    gate_end();
}
END_TEST

/* The same id for all, as some clients do it: replies come in the order of the requests. */
START_TEST(pipelined_maps_with_one_id)
{
    gate_withhold();
    for (uint64_t i = 0; i < 16; i++) {
        ck_assert_int_eq(gate_map(7, i * 0x2000, 0x1000, R), DMA_STRIP);
    }
    for (uint64_t i = 0; i < 16; i++) {
        gate_answer(TO_CLIENT, 7, WIRE_DMA_MAP, i % 3 == 0 ? EINVAL : 0);
    }
    for (uint64_t i = 0; i < 16; i++) {
        ck_assert_int_eq(gate_reads(i * 0x2000, 0x1000), i % 3 != 0);
    }
    gate_end();
}
END_TEST

START_TEST(an_unmapping_counts_when_the_backend_has_agreed)
{
    gate_withhold();
    ck_assert_int_eq(gate_map(1, 0x1000, 0x1000, R), DMA_STRIP);
    ck_assert_int_eq(gate_map(2, 0x2000, 0x1000, R), DMA_STRIP);
    ck_assert_int_eq(gate_unmap(3, 0x1000, 0x1000, 0, 0), DMA_PASS);
    ck_assert_int_eq(gate_unmap(4, 0x2000, 0x1000, 0, 0), DMA_PASS);
    ck_assert(gate_reads(0x1000, 0x2000));
    gate_answer(TO_CLIENT, 3, WIRE_DMA_UNMAP, EBUSY);
    ck_assert(gate_reads(0x1000, 0x2000));
    gate_answer(TO_CLIENT, 4, WIRE_DMA_UNMAP, 0);
    ck_assert(gate_reads(0x1000, 0x1000));
    ck_assert(!gate_reads(0x2000, 1));
    /* Without a reply there is nothing to wait for. */
    ck_assert_int_eq(gate_unmap(5, 0x1000, 0x1000, 0, WIRE_NO_REPLY), DMA_PASS);
    ck_assert(!gate_reads(0x1000, 1));
    gate_end();
}
END_TEST

/* As QEMU does it: the memory is taken back and mapped again before the first reply comes. */
START_TEST(an_unmapping_does_not_concern_what_is_mapped_behind_it)
{
    gate_withhold();
    ck_assert_int_eq(gate_map(1, 0x1000, 0x4000, R), DMA_STRIP);
    gate_answer(TO_CLIENT, 1, WIRE_DMA_MAP, 0);
    ck_assert_int_eq(gate_unmap(2, 0x1000, 0x4000, 0, 0), DMA_PASS);
    ck_assert_int_eq(gate_map(3, 0x1000, 0x2000, R), DMA_STRIP);
    ck_assert_int_eq(gate_unmap(4, 0, 0, 2, 0), DMA_PASS);
    ck_assert_int_eq(gate_map(5, 0x2000, 0x2000, R), DMA_STRIP);
    ck_assert(gate_reads(0x1000, 0x4000));
    gate_answer(TO_CLIENT, 2, WIRE_DMA_UNMAP, 0);
    gate_answer(TO_CLIENT, 3, WIRE_DMA_MAP, 0);
    ck_assert(gate_reads(0x1000, 0x3000));
    ck_assert(!gate_reads(0x4000, 1));
    gate_answer(TO_CLIENT, 4, WIRE_DMA_UNMAP, 0);
    ck_assert(!gate_reads(0x1fff, 1));
    ck_assert(gate_reads(0x2000, 0x2000));
    gate_answer(TO_CLIENT, 5, WIRE_DMA_MAP, EINVAL);
    ck_assert(!gate_reads(0x2000, 1));
    gate_end();
}
END_TEST

START_TEST(all_at_once)
{
    gate_withhold();
    ck_assert_int_eq(gate_map(1, 0x1000, 0x1000, R), DMA_STRIP);
    ck_assert_int_eq(gate_map(2, UINT64_MAX - 0xfff, 0x1000, R), DMA_STRIP);
    rig.report.n = 0;
    ck_assert_int_eq(gate_unmap(3, 0, 0, 2, 0), DMA_PASS);
    ck_assert(gate_reads(0x1000, 1));
    gate_answer(TO_CLIENT, 3, WIRE_DMA_UNMAP, 0);
    ck_assert(!gate_reads(0x1000, 1));
    ck_assert(!gate_reads(UINT64_MAX, 1));
    gate_expect_export(0, UINT64_MAX, 0, IPC_UNMAPPED);
    gate_end();
}
END_TEST

/* Nothing that a client can name so is ever reached; the backend may say what it thinks of it. */
START_TEST(maps_of_nothing_and_beyond_the_end)
{
    gate_withhold();
    ck_assert_int_eq(gate_map(1, 0x1000, 0, R), DMA_STRIP);
    ck_assert_int_eq(gate_map(2, UINT64_MAX, 2, R), DMA_STRIP);
    ck_assert_int_eq(gate_unmap(3, UINT64_MAX, 2, 0, 0), DMA_PASS);
    ck_assert_uint_eq(rig.gate.maps.n, 0);
    /* Nor does its unmapping unmap anything. */
    ck_assert_int_eq(gate_map(4, 0, 0x1000, R), DMA_STRIP);
    gate_answer(TO_CLIENT, 3, WIRE_DMA_UNMAP, 0);
    ck_assert(gate_reads(0, 0x1000));
    gate_answer(TO_CLIENT, 4, WIRE_DMA_MAP, EINVAL);
    for (size_t n = 0; n < sizeof(struct wire_dma_map); n++) {
        const struct wire_dma_map m = {.argsz = sizeof m, .flags = R, .size = 0x1000};

        ck_assert_int_eq(
            gate_judge(TO_BACKEND, (struct wire_hdr){.command = WIRE_DMA_MAP}, &m, n, 1),
            DMA_STRIP);
    }
    ck_assert(!gate_reads(0, 1));
    gate_end();
}
END_TEST

/* ---- limits ---- */

START_TEST(as_many_maps_as_may_be_and_one_more)
{
    const struct dma_settings set = {.max_maps = 3};

    gate_begin(&set, 65535, true);
    for (uint16_t i = 0; i < 3; i++) {
        ck_assert_int_eq(gate_map(i, i * 0x1000u, 0x1000, R), DMA_PASS);
        gate_expect_export(i * 0x1000u, 0x1000, R, IPC_PASSED);
    }
    ck_assert_int_eq(gate_map(9, 0x9000, 0x1000, R), DMA_DROP);
    gate_expect_export(0x9000, 0x1000, R, IPC_REFUSED);
    gate_expect_reply(true, 9, WIRE_DMA_MAP, ENOSPC);
    ck_assert(!gate_reads(0x9000, 1));
    /* One that the backend has refused, or given back, makes room. */
    gate_answer(TO_CLIENT, 1, WIRE_DMA_MAP, EINVAL);
    ck_assert_int_eq(gate_map(9, 0x9000, 0x1000, R), DMA_PASS);
    ck_assert_int_eq(gate_map(10, 0xa000, 0x1000, R), DMA_DROP);
    gate_expect_reply(true, 10, WIRE_DMA_MAP, ENOSPC);
    ck_assert_int_eq(gate_unmap(11, 0, 0x1000, 0, 0), DMA_PASS);
    gate_answer(TO_CLIENT, 11, WIRE_DMA_UNMAP, 0);
    ck_assert_int_eq(gate_map(10, 0xa000, 0x1000, R), DMA_PASS);
    gate_expect_no_reply(true);
    /* Who wants no reply gets none; the map is refused all the same. */
    ck_assert_int_eq(gate_map_flags(12, 0xb000, 0x1000, R, 1, WIRE_NO_REPLY), DMA_DROP);
    gate_expect_no_reply(true);
    gate_end();
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

        gate_begin(&set, cases[i].agreed, false);
        ck_assert_uint_eq(rig.gate.max_maps, cases[i].is);
        gate_end();
    }
}
END_TEST

START_TEST(bytes_are_counted_while_they_are_mapped)
{
    const struct dma_settings set = {.max_bytes = 0x3000};

    gate_begin(&set, 65535, true);
    ck_assert_int_eq(gate_map(1, 0, 0x2000, R), DMA_PASS);
    ck_assert_int_eq(gate_map(2, 0x2000, 0x1001, R), DMA_STRIP);
    ck_assert_int_eq(gate_map(3, 0x4000, 0x1000, R), DMA_PASS);
    ck_assert_int_eq(gate_map(4, 0x5000, 1, R), DMA_STRIP);
    ck_assert_int_eq(gate_map(5, 0, UINT64_MAX, R), DMA_STRIP);
    gate_expect_export(0, 0x2000, R, IPC_PASSED);
    gate_expect_export(0x2000, 0x1001, R, IPC_WITHHELD);
    gate_expect_export(0x4000, 0x1000, R, IPC_PASSED);
    gate_expect_export(0x5000, 1, R, IPC_WITHHELD);
    gate_expect_export(0, UINT64_MAX, R, IPC_WITHHELD);
    /* What comes without an fd exports nothing. */
    ck_assert_int_eq(gate_map_flags(6, 0x6000, 0x100000, R, 0, 0), DMA_PASS);
    gate_expect_export(0x6000, 0x100000, R, IPC_WITHOUT);
    gate_answer(TO_CLIENT, 1, WIRE_DMA_MAP, EINVAL);
    ck_assert_int_eq(gate_map(7, 0, 0x2001, R), DMA_STRIP);
    ck_assert_int_eq(gate_map(8, 0x200000, 0x2000, R), DMA_PASS);
    /* Withheld ones are alive none the less. */
    ck_assert(gate_reads(0x2000, 0x1001));
    gate_end();
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
        gate_begin(&set, 65535, true);
        ck_assert_int_eq(gate_map(1, cases[i].address, cases[i].size, R), cases[i].is);
        gate_expect_export(cases[i].address, cases[i].size, R,
                           cases[i].is == DMA_PASS ? IPC_PASSED : IPC_WITHHELD);
        gate_end();
    }
}
END_TEST

START_TEST(a_map_over_too_many_others_is_refused)
{
    gate_withhold();
    for (uint16_t i = 0; i < LIMIT_DMA_OVERLAP; i++) {
        ck_assert_int_eq(gate_map(i, 0x1000, 0x1000, R), DMA_STRIP);
        gate_expect_export(0x1000, 0x1000, R, IPC_WITHHELD);
        gate_answer(TO_CLIENT, i, WIRE_DMA_MAP, 0);
    }
    ck_assert_int_eq(gate_map(99, 0x1fff, 0x1000, R), DMA_DROP);
    gate_expect_reply(true, 99, WIRE_DMA_MAP, ENOSPC);
    gate_expect_export(0x1fff, 0x1000, R, IPC_REFUSED);
    ck_assert_int_eq(gate_map(99, 0x2000, 0x1000, R), DMA_STRIP);
    gate_expect_export(0x2000, 0x1000, R, IPC_WITHHELD);
    gate_end();
}
END_TEST

START_TEST(more_requests_than_are_kept)
{
    gate_withhold();
    for (uint32_t i = 0; i < LIMIT_DMA_REQUESTS; i++) {
        ck_assert_int_eq(gate_map((uint16_t)i, i * UINT64_C(0x1000), 0x1000, R), DMA_STRIP);
        rig.report.n = 0;
    }
    /* Whether one more lives could never be told. */
    ck_assert_int_eq(gate_map(5, 0x10000000, 0x1000, R), DMA_DROP);
    gate_expect_reply(true, 5, WIRE_DMA_MAP, ENOSPC);
    ck_assert_uint_eq(rig.gate.maps.n, LIMIT_DMA_REQUESTS);
    rig.report.n = 0;
    /* An unmapping that cannot be followed counts at once. */
    ck_assert(gate_reads(0, 0x1000));
    ck_assert_int_eq(gate_unmap(6, 0, 0x1000, 0, 0), DMA_PASS);
    ck_assert(!gate_reads(0, 1));
    rig.report.n = 0;
    for (uint32_t i = 0; i < LIMIT_DMA_REQUESTS; i++) {
        gate_answer(TO_CLIENT, (uint16_t)i, WIRE_DMA_MAP, 0);
    }
    ck_assert_int_eq(gate_map(7, 0x10000000, 0x1000, R), DMA_STRIP);
    gate_end();
}
END_TEST

/* ---- fds beside other messages ---- */

/* Commands, types and shapes: a way round "withhold" for each that were let pass. */
static const struct {
    uint16_t command;
    uint32_t flags;
    size_t n; /* of a DMA_MAP's body */
} carriers[] = {
    {WIRE_DMA_MAP, WIRE_TYPE_REPLY, sizeof(struct wire_dma_map)},
    {WIRE_DMA_MAP, 0x2, sizeof(struct wire_dma_map)},
    {WIRE_DMA_MAP, WIRE_NO_REPLY, sizeof(struct wire_dma_map)},
    {WIRE_DMA_MAP, WIRE_ERROR, sizeof(struct wire_dma_map)},
    {WIRE_DMA_MAP, 0, 8},
    {WIRE_DMA_MAP, 0, 0},
    {WIRE_DMA_MAP | 0x100, 0, sizeof(struct wire_dma_map)},
    {WIRE_DMA_UNMAP, 0, sizeof(struct wire_dma_unmap)},
    {WIRE_DEVICE_SET_IRQS, 0, sizeof(struct wire_irq_set)},
    {WIRE_DEVICE_SET_IRQS, WIRE_TYPE_REPLY, sizeof(struct wire_irq_set)},
    {WIRE_REGION_WRITE, 0, 20},
    {WIRE_DEVICE_FEATURE, 0, 8},
    {WIRE_DMA_READ, WIRE_TYPE_REPLY, 16},
    {WIRE_VERSION, 0, 4},
    {99, 0, 4},
};

START_TEST(no_fd_of_the_client_s_is_a_way_round)
{
    static const struct dma_settings sets[] = {
        {.withhold = 1}, {.max_bytes = 4096}, {.n_ranges = 1, .ranges = {{0x100000, 0x1fffff}}}};
    const struct wire_dma_map m = {.argsz = sizeof m, .flags = R | W, .size = 1u << 20};
    const struct wire_hdr hdr = {.command = carriers[_i].command, .flags = carriers[_i].flags};

    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        gate_begin(&sets[i], 65535, false);
        ck_assert_int_eq(gate_judge(TO_BACKEND, hdr, &m, carriers[_i].n, 1), DMA_STRIP);
        ck_assert(!(rig.report.taint[SIDE_BACKEND] & TAINT_UNOBSERVED));
        ck_assert_int_eq(gate_judge(TO_BACKEND, hdr, &m, carriers[_i].n, 0), DMA_PASS);
        gate_end();
    }
}
END_TEST

START_TEST(eventfds_go_on_with_any_other_message)
{
    gate_withhold();
    rig.eventfds = true;
    for (uint16_t command = 0; command < 20; command++) {
        const struct wire_hdr hdr = {.command = command};

        if (command != WIRE_DMA_MAP) {
            ck_assert_int_eq(gate_judge(TO_BACKEND, hdr, "", 0, 3), DMA_PASS);
        }
    }
    ck_assert_uint_eq(rig.told[DMA_FDS_WITHHELD], 0);
    rig.eventfds = false;
    ck_assert_int_eq(
        gate_judge(TO_BACKEND, (struct wire_hdr){.command = WIRE_DEVICE_SET_IRQS}, "", 0, 3),
        DMA_STRIP);
    ck_assert_uint_eq(rig.told[DMA_FDS_WITHHELD], 1);
    gate_end();
}
END_TEST

/* Where memory is limited, a map passes one fd: nobody says what a second one is of. */
START_TEST(a_map_passes_one_fd)
{
    const struct dma_settings set = {.max_bytes = 1u << 20};

    gate_begin(&set, 65535, false);
    ck_assert_int_eq(gate_map_flags(1, 0x1000, 0x1000, R, 1, 0), DMA_PASS);
    ck_assert_int_eq(gate_map_flags(2, 0x3000, 0x1000, R, 2, 0), DMA_STRIP);
    gate_end();
}
END_TEST

START_TEST(file_io_is_withheld_by_its_flag)
{
    const struct dma_settings set = {.withhold_file_io = 1};

    gate_begin(&set, 65535, true);
    ck_assert_int_eq(gate_map(1, 0x1000, 0x1000, R | W), DMA_PASS);
    ck_assert_int_eq(gate_map(2, 0x2000, 0x1000, R | W | WIRE_DMA_MMAP), DMA_PASS);
    ck_assert_int_eq(gate_map(3, 0x3000, 0x1000, R | W | WIRE_DMA_FILE_IO), DMA_STRIP);
    gate_expect_export(0x1000, 0x1000, R | W, IPC_PASSED);
    gate_expect_export(0x2000, 0x1000, R | W | WIRE_DMA_MMAP, IPC_PASSED);
    gate_expect_export(0x3000, 0x1000, R | W | WIRE_DMA_FILE_IO, IPC_WITHHELD);
    ck_assert(gate_reads(0x3000, 0x1000));
    ck_assert(!gate_reads(0x4000, 1));
    gate_end();
}
END_TEST

/* The device fails what it needs memory for: told once, and only where memory was withheld. */
START_TEST(a_device_that_misses_its_memory_is_noticed)
{
    gate_withhold();
    gate_answer(TO_CLIENT, 5, WIRE_REGION_WRITE, EINVAL);
    ck_assert_uint_eq(rig.told[DMA_MEMORY_MISSING], 0);
    ck_assert_int_eq(gate_map(1, 0x1000, 0x1000, R), DMA_STRIP);
    gate_answer(TO_CLIENT, 1, WIRE_DMA_MAP, 0);
    gate_answer(TO_CLIENT, 5, WIRE_REGION_READ, EINVAL);
    ck_assert_uint_eq(rig.told[DMA_MEMORY_MISSING], 0);
    gate_answer(TO_CLIENT, 5, WIRE_DEVICE_FEATURE, EINVAL);
    gate_answer(TO_CLIENT, 6, WIRE_REGION_WRITE, EINVAL);
    ck_assert_uint_eq(rig.told[DMA_MEMORY_MISSING], 1);
    gate_end();
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
    tcase_add_test(tc, a_map_over_too_many_others_is_refused);
    tcase_add_test(tc, more_requests_than_are_kept);
    tc = unit_case(s, "fds");
    tcase_add_loop_test(tc, no_fd_of_the_client_s_is_a_way_round, 0,
                        sizeof carriers / sizeof carriers[0]);
    tcase_add_test(tc, eventfds_go_on_with_any_other_message);
    tcase_add_test(tc, a_map_passes_one_fd);
    tcase_add_test(tc, file_io_is_withheld_by_its_flag);
    tcase_add_test(tc, a_device_that_misses_its_memory_is_noticed);
    return unit_run(s);
}
