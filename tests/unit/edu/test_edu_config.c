/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The edu device's PCI configuration space: identity, sizing of BARs, what stays as it is. */
#include "contrib/edu/config_space.h"

#include <string.h>

#include "tests/support/unit.h"

static struct config_space space;

static uint32_t read_n(uint32_t offset, uint32_t n)
{
    uint32_t v = 0;

    config_space_read(&space, offset, &v, n);
    return v;
}

static void write_n(uint32_t offset, uint32_t v, uint32_t n)
{
    config_space_write(&space, offset, &v, n);
}

START_TEST(identity)
{
    config_space_init(&space);
    ck_assert_uint_eq(read_n(0x00, 4), 0x11e81234);
    ck_assert_uint_eq(read_n(0x08, 4), 0x00ff0010);
    ck_assert_uint_eq(read_n(0x0e, 1), 0);
    ck_assert_uint_eq(read_n(0x2c, 4), 0x11001af4);
    ck_assert_uint_eq(read_n(0x3d, 1), 1);
    ck_assert_uint_eq(read_n(0x06, 2), 0x10);
}
END_TEST

START_TEST(msi_capability)
{
    const uint32_t at = EDU_CONFIG_MSI;

    config_space_init(&space);
    ck_assert_uint_eq(read_n(0x34, 1), at);
    ck_assert_uint_eq(read_n(at, 4), 0x00800005);
    ck_assert(!config_space_msi_enabled(&space));
    write_n(at + 2, 0xffff, 2);
    ck_assert_uint_eq(read_n(at + 2, 2), 0x81);
    ck_assert(config_space_msi_enabled(&space));
    write_n(at + 4, 0xffffffff, 4);
    write_n(at + 8, 0xffffffff, 4);
    write_n(at + 12, 0xffffffff, 4);
    ck_assert_uint_eq(read_n(at + 4, 4), 0xfffffffc);
    ck_assert_uint_eq(read_n(at + 8, 4), 0xffffffff);
    ck_assert_uint_eq(read_n(at + 12, 4), 0xffff);
}
END_TEST

static const struct {
    uint32_t offset;
    uint32_t sized;
} bars[] = {
    {0x10, 0xfff00000}, {0x14, 0}, {0x18, 0xffffe000}, {0x1c, 0}, {0x20, 0}, {0x24, 0}, {0x30, 0},
};

START_TEST(bar_size)
{
    config_space_init(&space);
    ck_assert_uint_eq(read_n(bars[_i].offset, 4), 0);
    write_n(bars[_i].offset, 0xffffffff, 4);
    ck_assert_uint_eq(read_n(bars[_i].offset, 4), bars[_i].sized);
}
END_TEST

START_TEST(bar_by_bytes)
{
    config_space_init(&space);
    write_n(0x13, 0xe0, 1);
    write_n(0x12, 0x1f, 1);
    ck_assert_uint_eq(read_n(0x10, 4), 0xe0100000);
}
END_TEST

START_TEST(command)
{
    config_space_init(&space);
    ck_assert(!config_space_bus_master(&space));
    ck_assert(!config_space_intx_disabled(&space));
    write_n(0x04, 0xffffffff, 4);
    ck_assert_uint_eq(read_n(0x04, 4), 0x00100546);
    ck_assert(config_space_bus_master(&space));
    ck_assert(config_space_intx_disabled(&space));
    write_n(0x04, 0, 2);
    ck_assert_uint_eq(read_n(0x04, 2), 0);
}
END_TEST

START_TEST(interrupt_status)
{
    config_space_init(&space);
    config_space_set_interrupt_status(&space, true);
    ck_assert_uint_eq(read_n(0x06, 2), 0x18);
    write_n(0x06, 0, 2);
    ck_assert_uint_eq(read_n(0x06, 2), 0x18);
    config_space_set_interrupt_status(&space, false);
    ck_assert_uint_eq(read_n(0x06, 2), 0x10);
}
END_TEST

/* Every byte outside of the writable ones keeps its value, whatever is written. */
START_TEST(read_only)
{
    uint8_t before[EDU_CONFIG_SIZE];
    uint8_t ones[EDU_CONFIG_SIZE];
    uint8_t zeros[EDU_CONFIG_SIZE] = {0};
    struct config_space cleared;

    config_space_init(&space);
    memcpy(before, space.bytes, sizeof before);
    memset(ones, 0xff, sizeof ones);
    config_space_write(&space, 0, ones, sizeof ones);
    cleared = space;
    config_space_write(&cleared, 0, zeros, sizeof zeros);
    for (unsigned i = 0; i < EDU_CONFIG_SIZE; i++) {
        const uint8_t changes = space.bytes[i] ^ cleared.bytes[i];

        ck_assert_msg(((space.bytes[i] ^ before[i]) & ~changes) == 0, "byte 0x%x", i);
    }
    ck_assert_uint_eq(cleared.bytes[0x50], 0);
    ck_assert_uint_eq(space.bytes[0x50], 0);
}
END_TEST

START_TEST(load)
{
    struct config_space other;

    config_space_init(&space);
    config_space_init(&other);
    write_n(0x10, 0xe0000000, 4);
    write_n(0x04, 6, 2);
    config_space_set_interrupt_status(&space, true);
    ck_assert(config_space_load(&other, space.bytes));
    ck_assert_mem_eq(other.bytes, space.bytes, EDU_CONFIG_SIZE);

    space.bytes[0x02] ^= 1;
    ck_assert(!config_space_load(&other, space.bytes));
    space.bytes[0x02] ^= 1;
    space.bytes[0x50] = 1;
    ck_assert(!config_space_load(&other, space.bytes));
    ck_assert_uint_eq(other.bytes[0x50], 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("edu config space");
    TCase *tc = unit_case(s, "config space");

    tcase_add_test(tc, identity);
    tcase_add_test(tc, msi_capability);
    tcase_add_loop_test(tc, bar_size, 0, sizeof bars / sizeof *bars);
    tcase_add_test(tc, bar_by_bytes);
    tcase_add_test(tc, command);
    tcase_add_test(tc, interrupt_status);
    tcase_add_test(tc, read_only);
    tcase_add_test(tc, load);
    return unit_run(s);
}
