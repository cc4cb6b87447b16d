/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Names of the registers of configuration space, short forms of those in linux/pci_regs.h: the
 * registers of the type 0 header and of common capabilities. Tables and look-ups.
 */
#include "client/pci.h"

#include <stdio.h>
#include <string.h>

struct reg {
    uint16_t at;
    uint16_t width;
    const char *name;
};

static const struct reg header[] = {
    {0x00, 2, "VENDOR_ID"},     {0x02, 2, "DEVICE_ID"},
    {0x04, 2, "COMMAND"},       {0x06, 2, "STATUS"},
    {0x08, 1, "REVISION"},      {0x09, 3, "CLASS"},
    {0x0c, 1, "CACHE_LINE"},    {0x0d, 1, "LATENCY"},
    {0x0e, 1, "HEADER_TYPE"},   {0x0f, 1, "BIST"},
    {0x10, 4, "BAR0"},          {0x14, 4, "BAR1"},
    {0x18, 4, "BAR2"},          {0x1c, 4, "BAR3"},
    {0x20, 4, "BAR4"},          {0x24, 4, "BAR5"},
    {0x28, 4, "CARDBUS_CIS"},   {0x2c, 2, "SUBSYSTEM_VENDOR_ID"},
    {0x2e, 2, "SUBSYSTEM_ID"},  {0x30, 4, "ROM"},
    {0x34, 1, "CAPABILITIES"},  {0x3c, 1, "INTERRUPT_LINE"},
    {0x3d, 1, "INTERRUPT_PIN"}, {0x3e, 1, "MIN_GNT"},
    {0x3f, 1, "MAX_LAT"},       {0, 0, NULL},
};

/* Each capability's registers after its id and its link. */
static const struct reg power[] = {
    {2, 2, "CAP"}, {4, 2, "CTRL"}, {6, 1, "BRIDGE"}, {7, 1, "DATA"}, {0, 0, NULL},
};
/* In the layout of a 64-bit capability, the usual one. */
static const struct reg msi[] = {
    {2, 2, "CTRL"},  {4, 4, "ADDRESS"},  {8, 4, "ADDRESS_HI"}, {12, 2, "DATA"},
    {16, 4, "MASK"}, {20, 4, "PENDING"}, {0, 0, NULL},
};
static const struct reg msix[] = {
    {2, 2, "CTRL"},
    {4, 4, "TABLE"},
    {8, 4, "PBA"},
    {0, 0, NULL},
};
static const struct reg express[] = {
    {2, 2, "CAP"},      {4, 4, "DEVCAP"},   {8, 2, "DEVCTL"},   {10, 2, "DEVSTA"},
    {12, 4, "LNKCAP"},  {16, 2, "LNKCTL"},  {18, 2, "LNKSTA"},  {20, 4, "SLTCAP"},
    {24, 2, "SLTCTL"},  {26, 2, "SLTSTA"},  {28, 2, "RTCTL"},   {30, 2, "RTCAP"},
    {32, 4, "RTSTA"},   {36, 4, "DEVCAP2"}, {40, 2, "DEVCTL2"}, {42, 2, "DEVSTA2"},
    {44, 4, "LNKCAP2"}, {48, 2, "LNKCTL2"}, {50, 2, "LNKSTA2"}, {0, 0, NULL},
};
static const struct reg vendor[] = {
    {2, 1, "LENGTH"},
    {0, 0, NULL},
};
static const struct reg aer[] = {
    {4, 4, "UNCOR_STATUS"}, {8, 4, "UNCOR_MASK"}, {12, 4, "UNCOR_SEVER"}, {16, 4, "COR_STATUS"},
    {20, 4, "COR_MASK"},    {24, 4, "CTRL"},      {0, 0, NULL},
};
static const struct reg serial[] = {
    {4, 4, "LOW"},
    {8, 4, "HIGH"},
    {0, 0, NULL},
};
static const struct reg sriov[] = {
    {4, 4, "CAP"},        {8, 2, "CTRL"},     {10, 2, "STATUS"},    {12, 2, "INITIAL_VFS"},
    {14, 2, "TOTAL_VFS"}, {16, 2, "NUM_VFS"}, {18, 1, "FUNC_LINK"}, {20, 2, "VF_OFFSET"},
    {22, 2, "VF_STRIDE"}, {26, 2, "VF_DID"},  {0, 0, NULL},
};

struct capability {
    uint16_t id;
    const char *name;
    const struct reg *regs;
};

static const struct reg none[] = {{0, 0, NULL}};

static const struct capability capabilities[] = {
    {PCI_CAP_POWER, "PM", power},
    {0x03, "VPD", none},
    {PCI_CAP_MSI, "MSI", msi},
    {PCI_CAP_VENDOR, "VENDOR", vendor},
    {PCI_CAP_EXPRESS, "EXPRESS", express},
    {PCI_CAP_MSIX, "MSIX", msix},
    {0x13, "AF", none},
    {0, "CAP", none},
};

static const struct capability ext_capabilities[] = {
    {0x01, "AER", aer},  {0x03, "SERIAL", serial}, {0x0b, "VENDOR", none}, {0x0d, "ACS", none},
    {0x0e, "ARI", none}, {0x0f, "ATS", none},      {0x10, "SRIOV", sriov}, {0x15, "REBAR", none},
    {0x18, "LTR", none}, {0x19, "SECPCI", none},   {0x1b, "PASID", none},  {0x1e, "L1SS", none},
    {0x1f, "PTM", none}, {0x23, "DVSEC", none},    {0, "EXTCAP", none},
};

/* The register at an offset; name is NULL if unknown. */
struct found {
    const char *capability; /* NULL for the header */
    const char *name;
    size_t begin; /* offset of its start in configuration space */
    size_t end;
};

static bool pci_registers_find_in(const struct reg *r, size_t base, size_t at, struct found *out)
{
    for (; r->name; r++) {
        if (at >= base + r->at && at < base + r->at + r->width) {
            out->name = r->name;
            out->begin = base + r->at;
            out->end = out->begin + r->width;
            return true;
        }
    }
    return false;
}

/* The capability that begins last before `at`. */
static const struct pci_cap *pci_registers_owner(const struct pci_cap *caps, size_t n, size_t at)
{
    const struct pci_cap *best = NULL;

    for (size_t i = 0; i < n; i++) {
        if (caps[i].at <= at && (caps[i].at >= PCI_CONFIG_SIZE) == (at >= PCI_CONFIG_SIZE) &&
            (!best || caps[i].at > best->at)) {
            best = &caps[i];
        }
    }
    return best;
}

static bool pci_registers_find_in_cap(const struct pci_cap *cap, size_t at, struct found *out)
{
    static const struct reg head[] = {{0, 1, "ID"}, {1, 1, "NEXT"}, {0, 0, NULL}};
    static const struct reg ext_head[] = {{0, 2, "ID"}, {2, 2, "NEXT"}, {0, 0, NULL}};
    const bool ext = cap->at >= PCI_CONFIG_SIZE;
    const struct capability *c = ext ? ext_capabilities : capabilities;

    while (c->id && c->id != cap->id) {
        c++;
    }
    out->capability = c->name;
    return pci_registers_find_in(ext ? ext_head : head, cap->at, at, out) ||
           pci_registers_find_in(c->regs, cap->at, at, out);
}

static bool pci_registers_find(const struct pci_cap *caps, size_t n, size_t at, struct found *out)
{
    const struct pci_cap *cap;

    out->capability = NULL;
    if (at < 0x40) {
        return pci_registers_find_in(header, 0, at, out);
    }
    cap = pci_registers_owner(caps, n, at);
    return cap && pci_registers_find_in_cap(cap, at, out);
}

const char *pci_register_names(const struct pci_cap *caps, size_t n_caps, size_t at, size_t n,
                               char *out, size_t size)
{
    const size_t end = at + n;
    size_t used = 0;

    out[0] = '\0';
    if (n > PCI_NAMED_ACCESS) {
        return out;
    }
    while (at < end) {
        struct found f;
        char inside[24] = "";
        int wrote;

        if (!pci_registers_find(caps, n_caps, at, &f)) {
            at++;
            continue;
        }
        if (at > f.begin) {
            snprintf(inside, sizeof inside, "+%zu", at - f.begin);
        }
        wrote = snprintf(out + used, size - used, "%s%s%s%s%s", used ? "," : "",
                         f.capability ? f.capability : "", f.capability ? "." : "", f.name, inside);
        if (wrote < 0 || (size_t)wrote >= size - used) {
            out[used] = '\0';
            return out;
        }
        used += (size_t)wrote;
        at = f.end;
    }
    return out;
}
