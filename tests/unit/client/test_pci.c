/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Configuration space as poemctl probe reads it: fields, registers, and lists that a device made.
 */
#include "client/pci.h"

#include <string.h>

#include "tests/support/unit.h"

static struct pci_config config;
static struct pci_caps caps;

static void reset(size_t n)
{
    memset(&config, 0, sizeof config);
    config.n = n;
}

static void put16(size_t at, uint16_t v)
{
    config.bytes[at] = (uint8_t)v;
    config.bytes[at + 1] = (uint8_t)(v >> 8);
}

static void put32(size_t at, uint32_t v)
{
    put16(at, (uint16_t)v);
    put16(at + 2, (uint16_t)(v >> 16));
}

START_TEST(fields_end_with_what_was_read)
{
    reset(64);
    memset(config.bytes, 0xff, sizeof config.bytes);
    ck_assert_uint_eq(pci_u8(&config, 63), 0xff);
    ck_assert_uint_eq(pci_u8(&config, 64), 0);
    ck_assert_uint_eq(pci_u16(&config, 62), 0xffff);
    ck_assert_uint_eq(pci_u16(&config, 63), 0);
    ck_assert_uint_eq(pci_u32(&config, 60), 0xffffffff);
    ck_assert_uint_eq(pci_u32(&config, 61), 0);
    put32(4, 0x80706050);
    ck_assert_uint_eq(pci_u32(&config, 4), 0x80706050);
}
END_TEST

/* ---- base address registers ---- */

static struct pci_bar bar(unsigned i)
{
    struct pci_bar b;

    pci_bar(&config, i, &b);
    return b;
}

START_TEST(bars_of_each_kind)
{
    reset(256);
    put32(0x10, 0xfebf0000);
    put32(0x14, 0x0000c001);
    put32(0x18, 0x0000000c);
    put32(0x1c, 0x00000008);
    put32(0x20, 0xfe000008);
    ck_assert(!bar(0).io && !bar(0).is_64 && !bar(0).prefetchable);
    ck_assert_uint_eq(bar(0).address, 0xfebf0000);
    ck_assert(bar(1).io);
    ck_assert_uint_eq(bar(1).address, 0xc000);
    ck_assert(bar(2).is_64 && bar(2).prefetchable && !bar(2).upper);
    ck_assert_uint_eq(bar(2).address, 0x800000000);
    ck_assert(bar(3).upper);
    ck_assert(!bar(4).is_64 && bar(4).prefetchable && !bar(4).upper);
    ck_assert_uint_eq(bar(5).address, 0);
}
END_TEST

START_TEST(an_upper_half_is_no_register)
{
    reset(256);
    /* Each looks like the lower half of a 64-bit one: every other is, and the last has no room. */
    for (unsigned i = 0; i < PCI_BARS; i++) {
        put32(0x10 + 4 * i, 0x4);
    }
    for (unsigned i = 0; i < PCI_BARS; i++) {
        ck_assert_int_eq(bar(i).upper, i % 2 == 1);
        ck_assert_int_eq(bar(i).is_64, i % 2 == 0);
    }
    put32(0x10, 0);
    ck_assert(!bar(5).upper && !bar(5).is_64);
}
END_TEST

/* ---- lists ---- */

static void put_cap(size_t at, uint8_t id, uint8_t next)
{
    config.bytes[at] = id;
    config.bytes[at + 1] = next;
}

static void with_list(uint8_t first)
{
    reset(256);
    put16(0x06, 0x10);
    config.bytes[0x34] = first;
}

START_TEST(a_list_in_order)
{
    with_list(0x80);
    put_cap(0x80, PCI_CAP_MSIX, 0x43);
    put_cap(0x40, PCI_CAP_POWER, 0xfc);
    put_cap(0xfc, PCI_CAP_VENDOR, 0);
    pci_caps(&config, &caps);
    ck_assert_ptr_null(caps.broken);
    ck_assert_uint_eq(caps.n, 3);
    ck_assert_uint_eq(caps.cap[0].id, PCI_CAP_MSIX);
    ck_assert_uint_eq(caps.cap[1].at, 0x40);
    ck_assert_uint_eq(caps.cap[2].at, 0xfc);
    /* Without the status bit the pointer means nothing. */
    put16(0x06, 0);
    pci_caps(&config, &caps);
    ck_assert_uint_eq(caps.n, 0);
}
END_TEST

START_TEST(lists_that_are_broken)
{
    with_list(0x40);
    put_cap(0x40, 1, 0x50);
    put_cap(0x50, 2, 0x40);
    pci_caps(&config, &caps);
    ck_assert_uint_eq(caps.n, 2);
    ck_assert_str_eq(caps.broken, "the list loops");

    with_list(0x40);
    put_cap(0x40, 1, 0x3c);
    pci_caps(&config, &caps);
    ck_assert_uint_eq(caps.n, 1);
    ck_assert_str_eq(caps.broken, "the list points into the header");

    with_list(0x40);
    config.n = 0x44;
    put_cap(0x40, 1, 0x44);
    pci_caps(&config, &caps);
    ck_assert_uint_eq(caps.n, 1);
    ck_assert_str_eq(caps.broken, "the list leaves configuration space");
}
END_TEST

START_TEST(the_longest_list_ends)
{
    with_list(0x40);
    for (unsigned at = 0x40; at < 0x100; at += 4) {
        put_cap(at, 9, (uint8_t)(at + 4));
    }
    pci_caps(&config, &caps);
    ck_assert_ptr_null(caps.broken);
    ck_assert_uint_eq(caps.n, PCI_CAPS_MAX);
}
END_TEST

static void put_ext(size_t at, uint16_t id, uint32_t version, uint32_t next)
{
    put32(at, id | version << 16 | next << 20);
}

START_TEST(extended_lists)
{
    reset(256);
    put_ext(0x100, 1, 1, 0);
    pci_ext_caps(&config, &caps);
    ck_assert_uint_eq(caps.n, 0);

    reset(4096);
    pci_ext_caps(&config, &caps);
    ck_assert_uint_eq(caps.n, 0);
    ck_assert_ptr_null(caps.broken);
    put32(0x100, 0xffffffff);
    pci_ext_caps(&config, &caps);
    ck_assert_uint_eq(caps.n, 0);

    put_ext(0x100, 0x01, 2, 0xffc);
    put_ext(0xffc, 0x1e, 1, 0x200);
    put_ext(0x200, 0x7777, 3, 0);
    pci_ext_caps(&config, &caps);
    ck_assert_ptr_null(caps.broken);
    ck_assert_uint_eq(caps.n, 3);
    ck_assert_uint_eq(caps.cap[0].version, 2);
    ck_assert_uint_eq(caps.cap[1].at, 0xffc);
    ck_assert_uint_eq(caps.cap[2].id, 0x7777);

    put_ext(0x200, 3, 1, 0x100);
    pci_ext_caps(&config, &caps);
    ck_assert_uint_eq(caps.n, 3);
    ck_assert_str_eq(caps.broken, "the list loops");
    put_ext(0x200, 3, 1, 0x40);
    pci_ext_caps(&config, &caps);
    ck_assert_str_eq(caps.broken, "the list points below 0x100");
    config.n = 0x202;
    put_ext(0x100, 0x01, 2, 0x200);
    pci_ext_caps(&config, &caps);
    ck_assert_uint_eq(caps.n, 1);
    ck_assert_str_eq(caps.broken, "the list leaves configuration space");
}
END_TEST

START_TEST(the_longest_extended_list_ends)
{
    reset(4096);
    for (unsigned at = 0x100; at < 0x1000; at += 4) {
        put_ext(at, 0xb, 1, at + 4 < 0x1000 ? at + 4 : 0);
    }
    pci_ext_caps(&config, &caps);
    ck_assert_ptr_null(caps.broken);
    ck_assert_uint_eq(caps.n, PCI_EXT_CAPS_MAX);
}
END_TEST

/* ---- single capabilities ---- */

START_TEST(msi_and_msix)
{
    struct pci_msi msi;
    struct pci_msix msix;

    reset(256);
    put16(0x42, 0x01ab);
    pci_msi(&config, 0x40, &msi);
    ck_assert(msi.enabled && msi.is_64 && msi.maskable);
    ck_assert_uint_eq(msi.vectors, 32);
    ck_assert_uint_eq(msi.vectors_in_use, 4);
    put16(0x62, 0xc7ff);
    put32(0x64, 0x2003);
    put32(0x68, 0x3005);
    pci_msix(&config, 0x60, &msix);
    ck_assert(msix.enabled && msix.masked);
    ck_assert_uint_eq(msix.vectors, 2048);
    ck_assert_uint_eq(msix.table_bar, 3);
    ck_assert_uint_eq(msix.table_offset, 0x2000);
    ck_assert_uint_eq(msix.pba_bar, 5);
    ck_assert_uint_eq(msix.pba_offset, 0x3000);
    put16(0x62, 0);
    pci_msix(&config, 0x60, &msix);
    ck_assert_uint_eq(msix.vectors, 1);
}
END_TEST

START_TEST(power_and_express)
{
    struct pci_power pm;
    struct pci_express e;

    reset(256);
    put16(0x42, 0x0603);
    put16(0x44, 0x000b);
    pci_power(&config, 0x40, &pm);
    ck_assert_uint_eq(pm.version, 3);
    ck_assert(pm.d1 && pm.d2 && pm.no_soft_reset);
    ck_assert_uint_eq(pm.state, 3);
    put16(0x62, 0x0092);
    put32(0x64, 0x10000002);
    put32(0x6c, 0x00000043);
    pci_express(&config, 0x60, &e);
    ck_assert_uint_eq(e.version, 2);
    ck_assert_str_eq(e.type_name, "Root Complex Integrated Endpoint");
    ck_assert_uint_eq(e.max_payload, 512);
    ck_assert(e.function_reset);
    ck_assert_uint_eq(e.link_speed, 3);
    ck_assert_uint_eq(e.link_width, 4);
    for (unsigned type = 0; type < 16; type++) {
        put16(0x62, (uint16_t)(type << 4));
        pci_express(&config, 0x60, &e);
        ck_assert_ptr_nonnull(e.type_name);
    }
    /* At the very end: what is not there is zero. */
    pci_express(&config, 0xfe, &e);
    ck_assert_uint_eq(e.link_width, 0);
}
END_TEST

START_TEST(names)
{
    ck_assert_str_eq(pci_class_name(0x01, 0x08), "Non-Volatile memory controller");
    ck_assert_str_eq(pci_class_name(0x00, 0xff), "Unclassified device");
    ck_assert_str_eq(pci_class_name(0x02, 0x99), "Network controller");
    ck_assert_str_eq(pci_class_name(0xff, 0x00), "Unassigned class");
    ck_assert_ptr_null(pci_class_name(0x77, 0x00));
    ck_assert_str_eq(pci_cap_name(PCI_CAP_MSIX), "MSI-X");
    ck_assert_ptr_null(pci_cap_name(0));
    ck_assert_ptr_null(pci_cap_name(0xff));
    ck_assert_str_eq(pci_ext_cap_name(0x10), "Single Root I/O Virtualization");
    ck_assert_ptr_null(pci_ext_cap_name(0xffff));
}
END_TEST

START_TEST(register_names)
{
    static const struct pci_cap list[] = {
        {.id = PCI_CAP_MSI, .at = 0x40}, {.id = PCI_CAP_MSIX, .at = 0x60}, {.id = 0x7f, .at = 0x80},
        {.id = 0x01, .at = 0x100},       {.id = 0x7f, .at = 0x200},
    };
    static const struct {
        size_t at;
        size_t n;
        const char *names;
    } rows[] = {
        {0x00, 4, "VENDOR_ID,DEVICE_ID"},
        {0x04, 2, "COMMAND"},
        {0x07, 1, "STATUS+1"},
        {0x08, 4, "REVISION,CLASS"},
        {0x12, 2, "BAR0+2"},
        {0x24, 4, "BAR5"},
        {0x33, 4, "ROM+3,CAPABILITIES"},
        {0x38, 4, ""},
        {0x3c, 1, "INTERRUPT_LINE"},
        {0x3f, 2, "MAX_LAT,MSI.ID"},
        {0x40, 4, "MSI.ID,MSI.NEXT,MSI.CTRL"},
        {0x44, 8, "MSI.ADDRESS,MSI.ADDRESS_HI"},
        {0x5c, 4, ""},
        {0x62, 2, "MSIX.CTRL"},
        {0x81, 1, "CAP.NEXT"},
        {0x84, 4, ""},
        {0xfc, 4, ""},
        {0x104, 4, "AER.UNCOR_STATUS"},
        {0x202, 2, "EXTCAP.NEXT"},
        {0x00, 9, ""},
        {0x04, 0, ""},
        {0xfffe, 8, ""},
    };
    char out[PCI_NAMES_MAX];
    char small[9];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_str_eq(pci_register_names(list, sizeof list / sizeof *list, rows[i].at, rows[i].n,
                                            out, sizeof out),
                         rows[i].names);
    }
    ck_assert_str_eq(pci_register_names(NULL, 0, 0x40, 4, out, sizeof out), "");
    /* What does not fit is left out whole. */
    ck_assert_str_eq(pci_register_names(NULL, 0, 0, 4, small, sizeof small), "");
    ck_assert_str_eq(pci_register_names(NULL, 0, 4, 4, small, sizeof small), "COMMAND");
    /* The most names that there can be. */
    for (size_t at = 0; at < PCI_CONFIG_SIZE_EXPRESS; at++) {
        ck_assert_uint_lt(strlen(pci_register_names(list, sizeof list / sizeof *list, at,
                                                    PCI_NAMED_ACCESS, out, sizeof out)),
                          sizeof out - 30);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pci");
    TCase *tc = unit_case(s, "registers");

    tcase_add_test(tc, fields_end_with_what_was_read);
    tcase_add_test(tc, bars_of_each_kind);
    tcase_add_test(tc, an_upper_half_is_no_register);
    tc = unit_case(s, "lists");
    tcase_add_test(tc, a_list_in_order);
    tcase_add_test(tc, lists_that_are_broken);
    tcase_add_test(tc, the_longest_list_ends);
    tcase_add_test(tc, extended_lists);
    tcase_add_test(tc, the_longest_extended_list_ends);
    tc = unit_case(s, "capabilities");
    tcase_add_test(tc, msi_and_msix);
    tcase_add_test(tc, power_and_express);
    tcase_add_test(tc, names);
    tcase_add_test(tc, register_names);
    return unit_run(s);
}
