/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The client in QEMU 11.1: its limits, and what it prints when a device does not keep to them. */
#include "trace/lint/profile_qemu.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/unconst.h"
#include "base/wire/wire_command.h"
#include "handshake/json.h"

#define PROFILE_QEMU_TEXT 192u

/* Reports a finding; the fault is formatted. */
__attribute__((format(printf, 4, 5))) static void profile_qemu_say(const struct profile_sink *to,
                                                                   enum profile_effect effect,
                                                                   const char *prints,
                                                                   const char *fmt, ...)
{
    char text[PROFILE_QEMU_TEXT];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    to->fn(&(struct profile_finding){.effect = effect, .text = text, .prints = prints}, to->arg);
}

/* ---- VERSION ---- */

enum qemu_value { QEMU_AT_MOST, QEMU_PAGES, QEMU_BOOL, QEMU_OBJECT };

struct qemu_capability {
    const char *name;
    enum qemu_value kind;
    uint64_t most;
    const char *prints; /* if it is too large */
};

static const struct qemu_capability qemu_capabilities[] = {
    {"max_msg_fds", QEMU_AT_MOST, 16, "malformed max_msg_fds"},
    {"max_data_xfer_size", QEMU_AT_MOST, 64u << 20, "malformed max_data_xfer_size"},
    {"max_dma_maps", QEMU_AT_MOST, 65535, "max_dma_maps too large"},
    {"pgsizes", QEMU_PAGES, 0, NULL},
    {"migration", QEMU_OBJECT, 0, NULL},
    {"write_multiple", QEMU_BOOL, 0, NULL},
    {NULL, QEMU_BOOL, 0, NULL},
};

static const struct qemu_capability qemu_migration[] = {
    {"pgsize", QEMU_PAGES, 0, NULL},
    {"max_bitmap_size", QEMU_AT_MOST, 256u << 20, "max_bitmap_size too large"},
    {NULL, QEMU_BOOL, 0, NULL},
};

static void profile_qemu_malformed(const struct profile_sink *to, const char *name,
                                   const char *type)
{
    char prints[64];

    snprintf(prints, sizeof prints, "malformed %s", name);
    profile_qemu_say(to, PROFILE_REFUSES, prints, "%s is not %s", name, type);
}

static void profile_qemu_number(const struct profile_sink *to, const struct qemu_capability *c,
                                const json_t *value)
{
    char prints[64];
    uint64_t n;

    if (!json_u64(value, &n)) {
        profile_qemu_malformed(to, c->name, "a number from 0");
    } else if (c->kind == QEMU_AT_MOST && n > c->most) {
        profile_qemu_say(to, PROFILE_REFUSES, c->prints, "%s is %" PRIu64 ", more than %" PRIu64,
                         c->name, n, c->most);
    } else if (c->kind == QEMU_PAGES && (n == 0 || n % 4096 != 0)) {
        snprintf(prints, sizeof prints, "%s 0x%" PRIx64 " too small", c->name, n);
        profile_qemu_say(to, PROFILE_REFUSES, prints, "%s is %" PRIu64 ", less than 4096", c->name,
                         n);
    }
}

static void profile_qemu_object(const struct profile_sink *to, const json_t *object,
                                const struct qemu_capability *table, const char *name);

/* NOLINTNEXTLINE(misc-no-recursion): the table of migration has no objects. */
static void profile_qemu_value(const struct profile_sink *to, const struct qemu_capability *c,
                               const json_t *value)
{
    switch (c->kind) {
    case QEMU_AT_MOST:
    case QEMU_PAGES:
        profile_qemu_number(to, c, value);
        break;
    case QEMU_BOOL:
        if (!json_is_boolean(value)) {
            profile_qemu_malformed(to, c->name, "true or false");
        }
        break;
    case QEMU_OBJECT:
        profile_qemu_object(to, value, qemu_migration, c->name);
        break;
    }
}

/* Returns the name of a member that the table does not have, or NULL. */
static const char *profile_qemu_unknown(const json_t *object, const struct qemu_capability *table)
{
    for (void *i = json_object_iter(unconst_pointer(object)); i;
         i = json_object_iter_next(unconst_pointer(object), i)) {
        const struct qemu_capability *c = table;

        while (c->name && strcmp(c->name, json_object_iter_key(i)) != 0) {
            c++;
        }
        if (!c->name) {
            return json_object_iter_key(i);
        }
    }
    return NULL;
}

/* Judges the members of an object by a table; others make QEMU warn, once for each object. */
/* NOLINTNEXTLINE(misc-no-recursion): the table of migration has no objects. */
static void profile_qemu_object(const struct profile_sink *to, const json_t *object,
                                const struct qemu_capability *table, const char *name)
{
    const char *const unknown = profile_qemu_unknown(object, table);
    char shown[64];

    if (!json_is_object(object)) {
        profile_qemu_malformed(to, name, "an object");
        return;
    }
    if (unknown) {
        profile_qemu_say(to, PROFILE_WARNS, "spurious capabilities",
                         "%s has \"%s\", which it does not know", name,
                         log_escape(shown, sizeof shown, unknown, strlen(unknown)));
    }
    for (; table->name; table++) {
        const json_t *const value = json_object_get(object, table->name);

        if (value) {
            profile_qemu_value(to, table, value);
        }
    }
}

void profile_qemu_version(const struct profile_sink *to, const struct profile_version *v)
{
    const json_t *const capabilities = json_object_get(v->json, "capabilities");

    if (v->size > PROFILE_QEMU_VERSION_ROOM) {
        profile_qemu_say(to, PROFILE_REFUSES, "reply larger than recv buffer",
                         "the VERSION reply has %zu bytes, more than %u", v->size,
                         PROFILE_QEMU_VERSION_ROOM);
    }
    if (v->n_fds > 0) {
        profile_qemu_say(to, PROFILE_REFUSES, "unexpected FDs in reply", "%u fd%s with VERSION",
                         v->n_fds, v->n_fds == 1 ? "" : "s");
    }
    if (capabilities) {
        profile_qemu_object(to, capabilities, qemu_capabilities, "capabilities");
    }
}

/* ---- replies ---- */

/* Returns true for commands that QEMU sends. */
static bool profile_qemu_sends(uint16_t command)
{
    return command >= WIRE_VERSION && command <= WIRE_DEVICE_RESET && command != WIRE_DMA_READ &&
           command != WIRE_DMA_WRITE && command != WIRE_DEVICE_GET_REGION_IO_FDS;
}

void profile_qemu_reply(const struct profile_sink *to, uint16_t command, size_t size, size_t room,
                        unsigned n_fds)
{
    const unsigned fds = command == WIRE_DEVICE_GET_REGION_INFO ? 1 : 0;

    /* VERSION has its own check. */
    if (command == WIRE_VERSION || !profile_qemu_sends(command)) {
        return;
    }
    if (size > room) {
        profile_qemu_say(to, PROFILE_REFUSES, "reply larger than recv buffer",
                         "the reply to %s has %zu bytes, more than %zu", wire_command_name(command),
                         size, room);
    }
    if (n_fds > fds) {
        profile_qemu_say(to, PROFILE_REFUSES, "unexpected FDs in reply",
                         "%u fd%s with the reply to %s, more than %u", n_fds, n_fds == 1 ? "" : "s",
                         wire_command_name(command), fds);
    }
}

void profile_qemu_error(const struct profile_sink *to, uint16_t command, uint32_t index,
                        uint32_t error)
{
    char prints[128];

    switch (command) {
    case WIRE_VERSION:
        snprintf(prints, sizeof prints, "version reply: %s", strerror((int)error));
        profile_qemu_say(to, PROFILE_REFUSES, prints, "VERSION was refused");
        break;
    case WIRE_DEVICE_GET_INFO:
        profile_qemu_say(to, PROFILE_REFUSES, "VFIO_USER_DEVICE_GET_INFO failed",
                         "DEVICE_GET_INFO was refused");
        break;
    case WIRE_DEVICE_GET_REGION_INFO:
        if (index < PCI_BARS) {
            snprintf(prints, sizeof prints, "failed to get region %" PRIu32 " info", index);
            profile_qemu_say(to, PROFILE_REFUSES, prints, "the size of BAR%" PRIu32 " was refused",
                             index);
        } else if (index == WIRE_PCI_CONFIG) {
            profile_qemu_say(to, PROFILE_REFUSES, "failed to get config info",
                             "the size of the configuration space was refused");
        }
        break;
    case WIRE_DEVICE_SET_IRQS:
        if (index == WIRE_PCI_INTX) {
            profile_qemu_say(to, PROFILE_REFUSES,
                             "Failed to set up TRIGGER eventfd signaling for interrupt INTX-0",
                             "SET_IRQS of INTx was refused");
        }
        break;
    case WIRE_REGION_READ:
        if (index == WIRE_PCI_CONFIG) {
            profile_qemu_say(to, PROFILE_REFUSES, "failed to read device config space",
                             "reading the configuration space was refused");
        }
        break;
    case WIRE_DMA_MAP:
        profile_qemu_say(to, PROFILE_FAILS, "error reply on async request: command 2",
                         "DMA_MAP was refused, so the device has no such memory");
        break;
    default:
        break;
    }
}

/* ---- the device ---- */

void profile_qemu_info(const struct profile_sink *to, const struct wire_device_info *i)
{
    char prints[64];

    if (!(i->flags & WIRE_DEVICE_FLAG_PCI)) {
        profile_qemu_say(to, PROFILE_REFUSES, "this isn't a PCI device",
                         "the device does not have the flag PCI");
    }
    if (i->num_regions > 100 || i->num_irqs > 50) {
        profile_qemu_say(to, PROFILE_REFUSES, "invalid reply: Invalid argument",
                         "%" PRIu32 " regions and %" PRIu32 " types of interrupts, more than 100 "
                         "or 50",
                         i->num_regions, i->num_irqs);
    } else if (i->num_regions <= WIRE_PCI_CONFIG) {
        snprintf(prints, sizeof prints, "unexpected number of io regions %" PRIu32, i->num_regions);
        profile_qemu_say(to, PROFILE_REFUSES, prints, "%" PRIu32 " regions, fewer than %u",
                         i->num_regions, WIRE_PCI_CONFIG + 1u);
    } else if (i->num_irqs <= WIRE_PCI_MSIX) {
        snprintf(prints, sizeof prints, "unexpected number of irqs %" PRIu32, i->num_irqs);
        profile_qemu_say(to, PROFILE_REFUSES, prints,
                         "%" PRIu32 " types of interrupts, fewer than %u", i->num_irqs,
                         WIRE_PCI_MSIX + 1u);
    }
}

void profile_qemu_region(const struct profile_sink *to, const struct wire_region_info *i)
{
    char prints[96];

    if (i->index == WIRE_PCI_CONFIG && i->size == 0) {
        profile_qemu_say(to, PROFILE_CRASHES, "", "the configuration space has 0 bytes");
    }
    if (i->index < PCI_BARS && i->size > 0 && (i->size & (i->size - 1)) != 0) {
        profile_qemu_say(
            to, PROFILE_ABORTS, "pci_register_bar: Assertion `is_power_of_2(size)' failed.",
            "BAR%" PRIu32 " has %" PRIu64 " bytes, not a power of two", i->index, i->size);
    }
    if ((i->flags & WIRE_REGION_FLAG_CAPS) &&
        (i->cap_offset < sizeof *i || i->cap_offset > i->argsz)) {
        snprintf(prints, sizeof prints, "failed to get region %" PRIu32 " info: Invalid argument",
                 i->index);
        profile_qemu_say(to, PROFILE_REFUSES, prints,
                         "cap_offset %" PRIu32 " of region %" PRIu32
                         " is not between %zu and argsz",
                         i->cap_offset, i->index, sizeof *i);
    }
}

/* Returns true if n bytes at an offset are within a BAR. */
static bool profile_qemu_within(const struct profile_pci *d, unsigned bar, uint64_t offset,
                                uint64_t n)
{
    return bar < PCI_BARS && offset <= d->bar[bar] && n <= d->bar[bar] - offset;
}

static void profile_qemu_msix(const struct profile_sink *to, const struct profile_pci *d, size_t at)
{
    struct pci_msix m;
    uint64_t table;
    uint64_t pending;

    pci_msix(d->config, at, &m);
    table = 16u * (uint64_t)m.vectors;
    pending = (uint64_t)((m.vectors + 63u) / 64u) * 8u;
    if (!d->bars_known) {
        return;
    }
    if (!profile_qemu_within(d, m.pba_bar, m.pba_offset, 1)) {
        profile_qemu_say(
            to, PROFILE_REFUSES,
            "hardware reports invalid configuration, MSIX PBA outside of specified BAR",
            "the pending bits of MSI-X are at 0x%" PRIx32 " of BAR%u, outside of it", m.pba_offset,
            m.pba_bar);
    } else if (!profile_qemu_within(d, m.table_bar, m.table_offset, table) ||
               !profile_qemu_within(d, m.pba_bar, m.pba_offset, pending) ||
               (m.table_bar == m.pba_bar && m.table_offset < m.pba_offset + pending &&
                m.pba_offset < m.table_offset + table)) {
        profile_qemu_say(to, PROFILE_REFUSES,
                         "table & pba overlap, or they don't fit in BARs, or don't align",
                         "the table of MSI-X (%" PRIu64 " bytes at 0x%" PRIx32
                         " of BAR%u) and its pending bits (at 0x%" PRIx32 " of BAR%u) overlap, or "
                         "are outside of a BAR",
                         table, m.table_offset, m.table_bar, m.pba_offset, m.pba_bar);
    }
}

void profile_qemu_pci(const struct profile_sink *to, const struct profile_pci *d)
{
    const uint8_t pin = pci_u8(d->config, PCI_AT_INTERRUPT_PIN);
    const uint8_t type = pci_u8(d->config, PCI_AT_HEADER_TYPE) & 0x7fu;
    struct pci_caps caps;
    char prints[64];

    if (pin > 4) {
        snprintf(prints, sizeof prints, "invalid PCI interrupt pin %u", pin);
        profile_qemu_say(to, PROFILE_REFUSES, prints, "interrupt pin %u, more than 4", pin);
    } else if (pin > 0 && d->intx_known && d->intx == 0) {
        profile_qemu_say(to, PROFILE_WARNS, "",
                         "interrupt pin %c, but no INTx interrupt: it sends SET_IRQS for it, and "
                         "refuses the device if that fails",
                         'A' + pin - 1);
    }
    if (type == 1) {
        profile_qemu_say(to, PROFILE_ABORTS,
                         "pci_register_bar: Assertion `hdr_type != PCI_HEADER_TYPE_BRIDGE || "
                         "region_num < 2' failed.",
                         "header type 1, a bridge");
    }
    pci_caps(d->config, &caps);
    if (caps.broken && strstr(caps.broken, "loops")) {
        profile_qemu_say(to, PROFILE_HANGS, "", "the list of capabilities loops");
    }
    for (unsigned i = 0; i < caps.n; i++) {
        if (caps.cap[i].id == PCI_CAP_MSIX && caps.cap[i].at + 12u <= d->config->n) {
            profile_qemu_msix(to, d, caps.cap[i].at);
        }
    }
}
