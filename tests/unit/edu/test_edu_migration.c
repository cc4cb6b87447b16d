/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The edu device's migration: the state machine, the stream, the saved state. */
#include "contrib/edu/migration.h"

#include <errno.h>
#include <string.h>

#include "tests/support/unit.h"

static struct device from;
static struct device to;
static struct migration m;

static void setup(void)
{
    ck_assert_int_eq(device_init(&from, EDU_DMA_MASK_DEFAULT, 4), 0);
    ck_assert_int_eq(device_init(&to, EDU_DMA_MASK_DEFAULT, 4), 0);
    migration_init(&m);
}

static void teardown(void)
{
    device_deinit(&from);
    device_deinit(&to);
}

static void put(struct device *d, uint32_t region, uint64_t offset, uint64_t v, uint32_t n)
{
    ck_assert_int_eq(device_write(d, region, offset, &v, n), 0);
}

static uint64_t get(struct device *d, uint32_t region, uint64_t offset, uint32_t n)
{
    uint64_t v = 0;

    ck_assert_int_eq(device_read(d, region, offset, &v, n), 0);
    return v;
}

/* Brings m to a state; data that is loaded meanwhile is a valid one. */
static void bring(uint32_t state)
{
    ck_assert_int_eq(migration_set(&m, &from, state), 0);
    if (state == WIRE_MIG_RESUMING) {
        uint8_t saved[STATE_SIZE];

        state_save(&from, saved);
        ck_assert_int_eq(migration_write(&m, saved, sizeof saved), 0);
    }
}

static const uint32_t states[] = {WIRE_MIG_STOP, WIRE_MIG_RUNNING, WIRE_MIG_STOP_COPY,
                                  WIRE_MIG_RESUMING};

/* Every state can be reached from every other, by way of STOP. */
START_TEST(transition)
{
    const uint32_t first = states[_i / 4];
    const uint32_t then = states[_i % 4];

    bring(first);
    ck_assert_uint_eq(m.state, first);
    ck_assert_int_eq(migration_set(&m, &from, then), 0);
    ck_assert_uint_eq(m.state, then);
    ck_assert_int_eq(from.running, then == WIRE_MIG_RUNNING);
}
END_TEST

static const uint32_t never[] = {
    WIRE_MIG_ERROR, WIRE_MIG_RUNNING_P2P, WIRE_MIG_PRE_COPY, WIRE_MIG_PRE_COPY_P2P, 8, UINT32_MAX};

START_TEST(no_such_state)
{
    ck_assert_int_eq(migration_set(&m, &from, never[_i]), -EINVAL);
    ck_assert_uint_eq(m.state, WIRE_MIG_RUNNING);
    ck_assert(from.running);
}
END_TEST

START_TEST(error_needs_a_reset)
{
    ck_assert_int_eq(migration_set(&m, &from, WIRE_MIG_RESUMING), 0);
    ck_assert_int_eq(migration_set(&m, &from, WIRE_MIG_STOP), -EINVAL);
    ck_assert_uint_eq(m.state, WIRE_MIG_ERROR);
    for (unsigned i = 0; i < sizeof states / sizeof *states; i++) {
        ck_assert_int_eq(migration_set(&m, &from, states[i]), -EINVAL);
    }
    ck_assert(!from.running);
    device_reset(&from);
    migration_init(&m);
    ck_assert(from.running);
    ck_assert_int_eq(migration_set(&m, &from, WIRE_MIG_STOP_COPY), 0);
}
END_TEST

START_TEST(stream_only_in_its_state)
{
    uint8_t byte = 0;

    ck_assert_int_eq(migration_read(&m, &byte, 1), -EINVAL);
    ck_assert_int_eq(migration_write(&m, &byte, 1), -EINVAL);
    bring(WIRE_MIG_STOP_COPY);
    ck_assert_int_eq(migration_write(&m, &byte, 1), -EINVAL);
    bring(WIRE_MIG_STOP);
    ck_assert_int_eq(migration_read(&m, &byte, 1), -EINVAL);
    ck_assert_int_eq(migration_set(&m, &from, WIRE_MIG_RESUMING), 0);
    ck_assert_int_eq(migration_read(&m, &byte, 1), -EINVAL);
    ck_assert_int_eq(migration_write(&m, &byte, 1), 0);
}
END_TEST

START_TEST(stream_ends)
{
    uint8_t data[STATE_SIZE + 1];
    size_t n = 0;

    bring(WIRE_MIG_STOP_COPY);
    for (ssize_t got = 1000; got == 1000; n += (size_t)got) {
        got = migration_read(&m, data + n, 1000);
        ck_assert_int_ge(got, 0);
    }
    ck_assert_uint_eq(n, STATE_SIZE);
    ck_assert_int_eq(migration_read(&m, data, 1), 0);
    /* Leaving the state ends the session: the next begins at the beginning. */
    bring(WIRE_MIG_STOP);
    bring(WIRE_MIG_STOP_COPY);
    ck_assert_int_eq(migration_read(&m, data, sizeof data), STATE_SIZE);

    ck_assert_int_eq(migration_set(&m, &from, WIRE_MIG_RESUMING), 0);
    ck_assert_int_eq(migration_write(&m, data, STATE_SIZE), 0);
    ck_assert_int_eq(migration_write(&m, data, 1), -EINVAL);
    ck_assert_int_eq(migration_set(&m, &from, WIRE_MIG_RUNNING), 0);
}
END_TEST

/* A device with something in every register and memory. */
static void fill(struct device *d)
{
    put(d, WIRE_PCI_CONFIG, 0x10, 0xe0000000, 4);
    put(d, WIRE_PCI_CONFIG, 4, 0x406, 2);
    put(d, WIRE_PCI_CONFIG, EDU_CONFIG_MSI + 4, 0xfee00000, 4);
    put(d, WIRE_PCI_BAR0, EDU_LIVENESS, 1, 4);
    put(d, WIRE_PCI_BAR0, EDU_STATUS, EDU_STATUS_IRQ, 4);
    put(d, WIRE_PCI_BAR0, EDU_FACTORIAL, 6, 4);
    put(d, WIRE_PCI_BAR0, EDU_IRQ_RAISE, 0x30, 4);
    put(d, WIRE_PCI_BAR0, EDU_DMA_SRC, EDU_BUFFER, 8);
    put(d, WIRE_PCI_BAR0, EDU_DMA_DST, 0x123456789abcdef0, 8);
    put(d, WIRE_PCI_BAR0, EDU_DMA_COUNT, 77, 8);
    put(d, WIRE_PCI_BAR0, EDU_DMA_CMD, 7, 8);
    put(d, 2, EDU_DOORBELL, 0, 4);
    put(d, 2, EDU_PAGE + 99, 0x77, 1);
    memset(d->dma.buffer, 0x11, sizeof d->dma.buffer);
}

START_TEST(round_trip)
{
    uint8_t saved[STATE_SIZE];
    uint8_t again[STATE_SIZE];

    fill(&from);
    device_stop(&from);
    state_save(&from, saved);
    device_stop(&to);
    ck_assert_int_eq(state_load(&to, saved, sizeof saved), 0);
    state_save(&to, again);
    ck_assert_mem_eq(saved, again, STATE_SIZE);
    ck_assert_uint_eq(get(&to, WIRE_PCI_CONFIG, 0x10, 4), 0xe0000000);
    ck_assert_uint_eq(get(&to, WIRE_PCI_CONFIG, 4, 2), 0x406);
    ck_assert_uint_eq(get(&to, WIRE_PCI_BAR0, EDU_LIVENESS, 4), ~1u);
    ck_assert_uint_eq(get(&to, WIRE_PCI_BAR0, EDU_IRQ_STATUS, 4), 0x30);
    ck_assert_uint_eq(get(&to, WIRE_PCI_BAR0, EDU_DMA_DST, 8), 0x123456789abcdef0);
    ck_assert_uint_eq(get(&to, 2, EDU_DOORBELL_COUNT, 8), 1);
    ck_assert_uint_eq(get(&to, 2, EDU_PAGE + 99, 1), 0x77);
    ck_assert_uint_eq(to.dma.buffer[4095], 0x11);
    /* What was set in motion there goes on here. */
    ck_assert_uint_eq(get(&to, WIRE_PCI_BAR0, EDU_STATUS, 4), 0x81);
    device_resume(&to);
    device_work(&to);
    ck_assert_uint_eq(get(&to, WIRE_PCI_BAR0, EDU_STATUS, 4), 0x80);
    ck_assert_uint_eq(get(&to, WIRE_PCI_BAR0, EDU_FACTORIAL, 4), 720);
    ck_assert_uint_eq(get(&to, WIRE_PCI_BAR0, EDU_IRQ_STATUS, 4), 0x131);
}
END_TEST

/* One damaged byte, wherever it is, is noticed, and the device is as it was. */
START_TEST(damage)
{
    uint8_t saved[STATE_SIZE];
    uint8_t before[STATE_SIZE];
    uint8_t after[STATE_SIZE];

    fill(&from);
    state_save(&from, saved);
    state_save(&to, before);
    for (unsigned i = 0; i < STATE_SIZE; i += i < 96 ? 1 : 61) {
        saved[i] ^= 0x10;
        ck_assert_msg(state_load(&to, saved, sizeof saved) == -EINVAL, "byte %u", i);
        saved[i] ^= 0x10;
    }
    ck_assert_int_eq(state_load(&to, saved, sizeof saved - 1), -EINVAL);
    ck_assert_int_eq(state_load(&to, saved, 0), -EINVAL);
    state_save(&to, after);
    ck_assert_mem_eq(before, after, STATE_SIZE);
}
END_TEST

/* Well-formed, but of no state that the device can be in. */
START_TEST(impossible)
{
    uint8_t saved[STATE_SIZE];

    switch (_i) {
    case 0:
        from.regs.status = 2;
        break;
    case 1:
        from.regs.dma_cmd = 8;
        break;
    case 2:
        from.dma.done = 5; /* of a transfer that is not going on */
        break;
    case 3:
        from.regs.dma_cmd = 1;
        from.regs.dma_count = 5;
        from.dma.done = 5;
        break;
    case 4:
        from.regs.dma_cmd = 1;
        from.regs.dma_count = 0x100000;
        from.dma.done = EDU_BUFFER_SIZE;
        break;
    case 5:
        from.dma_mask = UINT64_MAX; /* another device than to */
        break;
    default:
        from.config.bytes[0] ^= 1;
        break;
    }
    state_save(&from, saved);
    ck_assert_int_eq(state_load(&to, saved, sizeof saved), -EINVAL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("edu migration");
    TCase *tc = unit_case(s, "migration");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, transition, 0, 16);
    tcase_add_loop_test(tc, no_such_state, 0, sizeof never / sizeof *never);
    tcase_add_test(tc, error_needs_a_reset);
    tcase_add_test(tc, stream_only_in_its_state);
    tcase_add_test(tc, stream_ends);
    tcase_add_test(tc, round_trip);
    tcase_add_test(tc, damage);
    tcase_add_loop_test(tc, impossible, 0, 7);
    return unit_run(s);
}
