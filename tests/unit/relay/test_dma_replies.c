/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The gate's replies: their order, and what stops a side that does not take them; what is told
 * where no words are in force, and of other fds.
 */
#include <errno.h>

#include "tests/support/unit.h"
#include "tests/unit/relay/gate_rig.h"

/* ---- the order of replies ---- */

START_TEST(a_refusal_waits_for_those_before_it_with_its_id)
{
    gate_withhold();
    ck_assert_int_eq(gate_map(1, 0x1000, 0x1000, R), DMA_STRIP);
    ck_assert_int_eq(gate_ask(5, WIRE_DMA_READ, 0x1000, 4), DMA_PASS);
    ck_assert_int_eq(gate_ask(5, WIRE_DMA_READ, 0x9000, 4), DMA_DROP);
    ck_assert_int_eq(gate_ask(5, WIRE_DMA_READ, 0x1004, 4), DMA_PASS);
    ck_assert_int_eq(gate_ask(5, WIRE_DMA_READ, 0x9004, 4), DMA_DROP);
    ck_assert_int_eq(gate_ask(5, WIRE_DMA_READ, 0x9008, 4), DMA_DROP);
    /* Another id does not wait. */
    ck_assert_int_eq(gate_ask(6, WIRE_DMA_READ, 0x9000, 4), DMA_DROP);
    gate_expect_reply(false, 6, WIRE_DMA_READ, EFAULT);
    gate_expect_no_reply(false);
    gate_answer(TO_BACKEND, 5, WIRE_DMA_READ, 0);
    gate_expect_reply(false, 5, WIRE_DMA_READ, EFAULT);
    gate_expect_no_reply(false);
    gate_answer(TO_BACKEND, 5, WIRE_DMA_READ, 0);
    gate_expect_reply(false, 5, WIRE_DMA_READ, EFAULT);
    gate_expect_reply(false, 5, WIRE_DMA_READ, EFAULT);
    gate_expect_no_reply(false);
    ck_assert_int_eq(gate_ask(5, WIRE_DMA_READ, 0x9008, 4), DMA_DROP);
    gate_expect_reply(false, 5, WIRE_DMA_READ, EFAULT);
    gate_end();
}
END_TEST

START_TEST(a_refused_map_waits_as_well)
{
    const struct dma_settings set = {.max_maps = 1};

    gate_begin(&set, 65535, false);
    ck_assert_int_eq(
        gate_judge(TO_BACKEND, (struct wire_hdr){.id = 3, .command = WIRE_DEVICE_RESET}, "", 0, 0),
        DMA_PASS);
    ck_assert_int_eq(gate_map(3, 0, 0x1000, R), DMA_PASS);
    ck_assert_int_eq(gate_map(3, 0x1000, 0x1000, R), DMA_DROP);
    gate_expect_no_reply(true);
    gate_answer(TO_CLIENT, 3, WIRE_DEVICE_RESET, 0);
    gate_expect_no_reply(true);
    gate_answer(TO_CLIENT, 3, WIRE_DMA_MAP, 0);
    gate_expect_reply(true, 3, WIRE_DMA_MAP, ENOSPC);
    gate_end();
}
END_TEST

START_TEST(replies_that_nobody_takes_stop_their_side)
{
    unsigned n = 0;

    gate_withhold();
    while (!dma_gate_blocked(&rig.channels, false)) {
        ck_assert_int_eq(gate_ask((uint16_t)n++, WIRE_DMA_READ, 0x1000, 1), DMA_DROP);
    }
    ck_assert_uint_eq(n, DMA_REPLIES_FULL + 1);
    ck_assert(!dma_gate_blocked(&rig.channels, true));
    /* As many as a turn that began just before can still bring. */
    while (n < DMA_REPLIES) {
        ck_assert_int_eq(gate_ask((uint16_t)n++, WIRE_DMA_READ, 0x1000, 1), DMA_DROP);
    }
    /* Part of one has gone: the rest of it is still there. */
    dma_gate_replied(&rig.channels, false, 5);
    dma_gate_replied(&rig.channels, false, WIRE_HDR_SIZE - 5);
    for (unsigned i = 1; i < n; i++) {
        ck_assert_int_eq(dma_gate_blocked(&rig.channels, false), n - i > DMA_REPLIES_FULL);
        gate_expect_reply(false, (uint16_t)i, WIRE_DMA_READ, EFAULT);
    }
    gate_expect_no_reply(false);
    gate_end();
}
END_TEST

START_TEST(refusals_that_wait_stop_their_side_as_well)
{
    gate_withhold();
    ck_assert_int_eq(gate_map(1, 0x1000, 0x1000, R), DMA_STRIP);
    ck_assert_int_eq(gate_ask(5, WIRE_DMA_READ, 0x1000, 4), DMA_PASS);
    for (unsigned n = 0; n <= DMA_REPLIES_FULL; n++) {
        ck_assert(!dma_gate_blocked(&rig.channels, false));
        ck_assert_int_eq(gate_ask(5, WIRE_DMA_READ, 0, 4), DMA_DROP);
    }
    gate_expect_no_reply(false);
    ck_assert(dma_gate_blocked(&rig.channels, false));
    gate_answer(TO_BACKEND, 5, WIRE_DMA_READ, 0);
    for (unsigned n = 0; n <= DMA_REPLIES_FULL; n++) {
        gate_expect_reply(false, 5, WIRE_DMA_READ, EFAULT);
    }
    ck_assert(!dma_gate_blocked(&rig.channels, false));
    gate_end();
}
END_TEST

START_TEST(a_side_that_is_gone_needs_no_replies)
{
    gate_withhold();
    ck_assert_int_eq(gate_map(1, 0x1000, 0x1000, R), DMA_STRIP);
    ck_assert_int_eq(gate_ask(5, WIRE_DMA_READ, 0x1000, 4), DMA_PASS);
    ck_assert_int_eq(gate_ask(5, WIRE_DMA_READ, 0, 4), DMA_DROP);
    ck_assert_int_eq(gate_ask(6, WIRE_DMA_READ, 0, 4), DMA_DROP);
    dma_gate_close(&rig.channels, false);
    gate_expect_no_reply(false);
    for (unsigned n = 0; n < 4 * DMA_REPLIES; n++) {
        ck_assert_int_eq(gate_ask(7, WIRE_DMA_READ, 0, 4), DMA_DROP);
    }
    ck_assert(!dma_gate_blocked(&rig.channels, false));
    gate_expect_no_reply(false);
    /* Those that are allowed still go on. */
    ck_assert_int_eq(gate_ask(5, WIRE_DMA_READ, 0x1000, 4), DMA_PASS);
    gate_end();
}
END_TEST

/* ---- without words in force ---- */

START_TEST(pass_lets_everything_pass_and_tells_of_it)
{
    const struct dma_settings set = {.withhold = 0};

    gate_begin(&set, 2, true);
    ck_assert(rig.gate.watches && !rig.gate.checks);
    for (uint16_t i = 0; i < 5; i++) {
        ck_assert_int_eq(gate_map_flags(i, i, 1, i % 4u, i % 2u, 0), DMA_PASS);
        gate_expect_export(i, 1, i % 4u, i % 2u ? IPC_PASSED : IPC_WITHOUT);
    }
    /* Flags that the page does not have are not told. */
    ck_assert_int_eq(gate_map(6, 1, 1, 0xfffffff1), DMA_PASS);
    gate_expect_export(1, 1, R, IPC_PASSED);
    ck_assert_int_eq(gate_ask(1, WIRE_DMA_READ, 0x9000, 1), DMA_PASS);
    ck_assert_int_eq(gate_unmap(7, 0x1000, 0x2000, 0, 0), DMA_PASS);
    /* The id alone does not tell: other commands are not followed. */
    gate_answer(TO_CLIENT, 7, WIRE_DEVICE_RESET, 0);
    ck_assert_uint_eq(rig.report.n, 0);
    gate_answer(TO_CLIENT, 7, WIRE_DMA_UNMAP, 0);
    gate_expect_export(0x1000, 0x2000, 0, IPC_UNMAPPED);
    ck_assert_uint_eq(rig.report.taint[SIDE_BACKEND], 0);
    ck_assert_uint_eq(rig.gate.maps.n, 0);
    gate_end();
}
END_TEST

START_TEST(without_a_record_nothing_is_watched)
{
    const struct dma_settings set = {.withhold = 0};

    gate_begin(&set, 65535, false);
    ck_assert(!rig.gate.watches && !rig.gate.checks);
    gate_end();
}
END_TEST

START_TEST(what_waits_to_be_recorded_stops_both_sides)
{
    const struct dma_settings set = {.withhold = 0};

    gate_begin(&set, 65535, true);
    while (!dma_gate_blocked(&rig.channels, true)) {
        ck_assert_int_eq(gate_map(1, 0, 1, R), DMA_PASS);
    }
    ck_assert(dma_gate_blocked(&rig.channels, false));
    ck_assert_uint_eq(rig.report.n, REPORT_FULL + 1);
    gate_end();
}
END_TEST

/* ---- other fds ---- */

START_TEST(what_a_backend_hands_out_is_a_second_path)
{
    static const struct {
        bool from_client;
        uint16_t command;
        bool checked; /* by "max-maps": the route counts maps, and withholds nothing */
        bool taints;
    } cases[] = {
        {false, WIRE_DEVICE_GET_REGION_INFO, false, true},
        {false, WIRE_DEVICE_GET_REGION_IO_FDS, false, true},
        {false, WIRE_DEVICE_GET_REGION_INFO, true, true},
        {true, WIRE_DEVICE_SET_IRQS, false, false},
        {true, WIRE_DEVICE_SET_IRQS, true, false},
        {true, WIRE_DMA_MAP, false, false},
        {true, WIRE_DMA_MAP, true, false},
        /* A client may hand out memory by any message; where it is counted, that is told. */
        {true, WIRE_REGION_WRITE, false, false},
        {true, WIRE_REGION_WRITE, true, true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct dma_settings set = {.max_maps = cases[i].checked ? 16 : 0};
        const struct wire_hdr hdr = {.command = cases[i].command,
                                     .flags = cases[i].from_client ? 0 : WIRE_TYPE_REPLY};

        gate_begin(&set, 65535, true);
        (void)gate_judge(cases[i].from_client, hdr, "", 0, 0);
        ck_assert_uint_eq(rig.report.taint[SIDE_BACKEND], 0);
        (void)gate_judge(cases[i].from_client, hdr, "", 0, 1);
        ck_assert_uint_eq(rig.report.taint[SIDE_CLIENT] | rig.report.taint[SIDE_BACKEND],
                          cases[i].taints ? TAINT_UNOBSERVED : 0);
        gate_end();
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("dma_replies");
    TCase *tc = unit_case(s, "order");

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
