/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Decodes PCI configuration space. Pure: takes bytes, returns facts. Each list is followed over
 * each offset at most once, since a device may link it to itself.
 */
#include "client/pci.h"

#include <string.h>

uint8_t pci_u8(const struct pci_config *c, size_t at)
{
    return at < c->n ? c->bytes[at] : 0;
}

uint16_t pci_u16(const struct pci_config *c, size_t at)
{
    if (at + 2 > c->n) {
        return 0;
    }
    return (uint16_t)(c->bytes[at] | c->bytes[at + 1] << 8);
}

uint32_t pci_u32(const struct pci_config *c, size_t at)
{
    if (at + 4 > c->n) {
        return 0;
    }
    return (uint32_t)pci_u16(c, at) | (uint32_t)pci_u16(c, at + 2) << 16;
}

const struct pci_bit pci_command_bits[] = {
    {0x001, "I/O"},     {0x002, "Mem"},      {0x004, "BusMaster"}, {0x008, "SpecCycle"},
    {0x010, "MemWINV"}, {0x020, "VGASnoop"}, {0x040, "ParErr"},    {0x080, "Stepping"},
    {0x100, "SERR"},    {0x200, "FastB2B"},  {0x400, "DisINTx"},   {0, NULL},
};

const struct pci_bit pci_status_bits[] = {
    {0x0010, "Cap"},    {0x0020, "66MHz"},   {0x0040, "UDF"},     {0x0080, "FastB2B"},
    {0x0100, "ParErr"}, {0x0800, ">TAbort"}, {0x1000, "<TAbort"}, {0x2000, "<MAbort"},
    {0x4000, ">SERR"},  {0x8000, "<PERR"},   {0x0008, "INTx"},    {0, NULL},
};

/* ---- base address registers ---- */

static bool pci_bar_is_64(const struct pci_config *c, unsigned i)
{
    /* Bits 2:1 of a memory register: 2 means 64 bits wide. The last register has no upper half. */
    return (pci_u32(c, PCI_AT_BAR0 + 4 * i) & 0x7u) == 0x4u && i + 1 < PCI_BARS;
}

static bool pci_bar_is_upper(const struct pci_config *c, unsigned i)
{
    bool upper = false;

    /* From the front: whether a register is an upper half depends on all registers before it. */
    for (unsigned k = 0; k < i; k++) {
        upper = !upper && pci_bar_is_64(c, k);
    }
    return upper;
}

void pci_bar(const struct pci_config *c, unsigned i, struct pci_bar *out)
{
    const uint32_t raw = pci_u32(c, PCI_AT_BAR0 + 4 * i);

    *out = (struct pci_bar){0};
    if (pci_bar_is_upper(c, i)) {
        out->upper = true;
        return;
    }
    out->io = raw & 0x1u;
    if (out->io) {
        out->address = raw & ~(uint64_t)0x3u;
        return;
    }
    out->is_64 = pci_bar_is_64(c, i);
    out->prefetchable = raw & 0x8u;
    out->address = raw & ~(uint64_t)0xfu;
    if (out->is_64) {
        out->address |= (uint64_t)pci_u32(c, PCI_AT_BAR0 + 4 * (i + 1)) << 32;
    }
}

/* ---- lists ---- */

static void pci_add_cap(struct pci_caps *out, uint16_t id, size_t at, uint8_t version)
{
    out->cap[out->n++] = (struct pci_cap){.id = id, .at = (uint16_t)at, .version = version};
}

void pci_caps(const struct pci_config *c, struct pci_caps *out)
{
    bool seen[PCI_CONFIG_SIZE / 4] = {false};
    size_t at;

    out->n = 0;
    out->broken = NULL;
    if (!(pci_u16(c, PCI_AT_STATUS) & PCI_STATUS_CAPABILITIES)) {
        return;
    }
    /* The two low bits are reserved and must be masked. */
    for (at = pci_u8(c, PCI_AT_CAPABILITIES) & 0xfcu; at != 0; at = pci_u8(c, at + 1) & 0xfcu) {
        if (at < 0x40) {
            out->broken = "the list points into the header";
            return;
        }
        if (at + 2 > c->n) {
            out->broken = "the list leaves configuration space";
            return;
        }
        if (seen[at / 4]) {
            out->broken = "the list loops";
            return;
        }
        seen[at / 4] = true;
        pci_add_cap(out, pci_u8(c, at), at, 0);
    }
}

void pci_ext_caps(const struct pci_config *c, struct pci_caps *out)
{
    bool seen[PCI_CONFIG_SIZE_EXPRESS / 4] = {false};
    size_t at = PCI_CONFIG_SIZE;

    out->n = 0;
    out->broken = NULL;
    if (c->n <= PCI_CONFIG_SIZE) {
        return;
    }
    while (at != 0) {
        const uint32_t head = pci_u32(c, at);

        if (at < PCI_CONFIG_SIZE) {
            out->broken = "the list points below 0x100";
            return;
        }
        if (at + 4 > c->n) {
            out->broken = "the list leaves configuration space";
            return;
        }
        if (seen[at / 4]) {
            out->broken = "the list loops";
            return;
        }
        /* All zeros or all ones in the first header mean an empty list. */
        if (at == PCI_CONFIG_SIZE && (head == 0 || head == UINT32_MAX)) {
            return;
        }
        seen[at / 4] = true;
        pci_add_cap(out, (uint16_t)(head & 0xffffu), at, (uint8_t)(head >> 16 & 0xfu));
        at = head >> 20 & 0xffcu;
    }
}

/* ---- single capabilities ---- */

void pci_power(const struct pci_config *c, size_t at, struct pci_power *out)
{
    const uint16_t pmc = pci_u16(c, at + 2);
    const uint16_t pmcsr = pci_u16(c, at + 4);

    out->version = pmc & 0x7u;
    out->d1 = pmc & 0x200u;
    out->d2 = pmc & 0x400u;
    out->state = pmcsr & 0x3u;
    out->no_soft_reset = pmcsr & 0x8u;
}

void pci_msi(const struct pci_config *c, size_t at, struct pci_msi *out)
{
    const uint16_t control = pci_u16(c, at + 2);

    out->enabled = control & 0x1u;
    out->vectors = 1u << (control >> 1 & 0x7u);
    out->vectors_in_use = 1u << (control >> 4 & 0x7u);
    out->is_64 = control & 0x80u;
    out->maskable = control & 0x100u;
}

void pci_msix(const struct pci_config *c, size_t at, struct pci_msix *out)
{
    const uint16_t control = pci_u16(c, at + 2);
    const uint32_t table = pci_u32(c, at + 4);
    const uint32_t pba = pci_u32(c, at + 8);

    out->enabled = control & 0x8000u;
    out->masked = control & 0x4000u;
    out->vectors = (control & 0x7ffu) + 1u;
    out->table_bar = table & 0x7u;
    out->table_offset = table & ~0x7u;
    out->pba_bar = pba & 0x7u;
    out->pba_offset = pba & ~0x7u;
}

static const char *pci_express_type(unsigned type)
{
    static const char *const names[] = {
        [0] = "Endpoint",
        [1] = "Legacy Endpoint",
        [4] = "Root Port",
        [5] = "Upstream Port",
        [6] = "Downstream Port",
        [7] = "PCI Express to PCI bridge",
        [8] = "PCI to PCI Express bridge",
        [9] = "Root Complex Integrated Endpoint",
        [10] = "Root Complex Event Collector",
    };

    return type < sizeof names / sizeof *names && names[type] ? names[type] : "unknown type";
}

void pci_express(const struct pci_config *c, size_t at, struct pci_express *out)
{
    const uint16_t flags = pci_u16(c, at + 2);
    const uint32_t device = pci_u32(c, at + 4);
    const uint32_t link = pci_u32(c, at + 12);

    out->version = flags & 0xfu;
    out->type = flags >> 4 & 0xfu;
    out->type_name = pci_express_type(out->type);
    out->max_payload = 128u << (device & 0x7u);
    out->function_reset = device >> 28 & 0x1u;
    out->link_speed = link & 0xfu;
    out->link_width = link >> 4 & 0x3fu;
}
