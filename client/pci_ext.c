/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The content of extended capabilities, by a table of their fields. Pure. */
#include "client/pci.h"

static const struct pci_ext_field aer[] = {
    {"UESta", "uncorrectable_status", 4, 0, 8, UINT32_MAX},
    {"UEMsk", "uncorrectable_mask", 8, 0, 8, UINT32_MAX},
    {"UESvrt", "uncorrectable_severity", 12, 0, 8, UINT32_MAX},
    {"CESta", "correctable_status", 16, 0, 8, UINT32_MAX},
    {"CEMsk", "correctable_mask", 20, 0, 8, UINT32_MAX},
    {NULL, NULL, 0, 0, 0, 0},
};
static const struct pci_ext_field vendor[] = {
    {"ID", "id", 4, 0, 4, 0xffff},
    {"Rev", "revision", 4, 16, 0, 0xf},
    {"Len", "length", 4, 20, 3, 0xfff},
    {NULL, NULL, 0, 0, 0, 0},
};
static const struct pci_ext_field ari[] = {
    {"NextFunction", "next_function", 4, 8, 0, 0xff},
    {NULL, NULL, 0, 0, 0, 0},
};
static const struct pci_ext_field ats[] = {
    {"InvalidateQueueDepth", "invalidate_queue_depth", 4, 0, 0, 0x1f},
    {NULL, NULL, 0, 0, 0, 0},
};
static const struct pci_ext_field sriov[] = {
    {"InitialVFs", "initial_vfs", 12, 0, 0, 0xffff},
    {"TotalVFs", "total_vfs", 12, 16, 0, 0xffff},
    {"NumVFs", "num_vfs", 16, 0, 0, 0xffff},
    {NULL, NULL, 0, 0, 0, 0},
};
static const struct pci_ext_field ltr[] = {
    {"MaxSnoop", "max_snoop", 4, 0, 4, 0xffff},
    {"MaxNoSnoop", "max_no_snoop", 4, 16, 4, 0xffff},
    {NULL, NULL, 0, 0, 0, 0},
};
static const struct pci_ext_field pasid[] = {
    {"MaxWidth", "max_width", 4, 8, 0, 0x1f},
    {NULL, NULL, 0, 0, 0, 0},
};
static const struct pci_ext_field dvsec[] = {
    {"Vendor", "vendor", 4, 0, 4, 0xffff},
    {"ID", "id", 8, 0, 4, 0xffff},
    {"Rev", "revision", 4, 16, 0, 0xf},
    {"Len", "length", 4, 20, 3, 0xfff},
    {NULL, NULL, 0, 0, 0, 0},
};

static const struct {
    uint16_t id;
    const struct pci_ext_field *fields;
} capabilities[] = {
    {0x01, aer},   {0x0b, vendor}, {0x0e, ari},   {0x0f, ats},
    {0x10, sriov}, {0x18, ltr},    {0x1b, pasid}, {0x23, dvsec},
};

const struct pci_ext_field *pci_ext_fields(uint16_t id)
{
    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++) {
        if (capabilities[i].id == id) {
            return capabilities[i].fields;
        }
    }
    return NULL;
}

uint32_t pci_ext_value(const struct pci_config *c, size_t at, const struct pci_ext_field *f)
{
    return pci_u32(c, at + f->at) >> f->shift & f->mask;
}

uint64_t pci_serial(const struct pci_config *c, size_t at)
{
    return (uint64_t)pci_u32(c, at + 8) << 32 | pci_u32(c, at + 4);
}
