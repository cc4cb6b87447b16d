/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The names that poemctl probe prints for the specification's numbers: tables and look-ups. */
#define _GNU_SOURCE
#include "ctl/probe/probe.h"

#include <string.h>

const struct probe_flag probe_device_flags[] = {
    {WIRE_DEVICE_FLAG_RESET, "reset"},
    {WIRE_DEVICE_FLAG_PCI, "pci"},
    {0, NULL},
};

const struct probe_flag probe_region_flags[] = {
    {WIRE_REGION_FLAG_READ, "read"},
    {WIRE_REGION_FLAG_WRITE, "write"},
    {WIRE_REGION_FLAG_MMAP, "mmap"},
    {WIRE_REGION_FLAG_CAPS, "caps"},
    {0, NULL},
};

const struct probe_flag probe_irq_flags[] = {
    {WIRE_IRQ_INFO_EVENTFD, "eventfd"},
    {WIRE_IRQ_INFO_MASKABLE, "maskable"},
    {WIRE_IRQ_INFO_AUTOMASKED, "automasked"},
    {WIRE_IRQ_INFO_NORESIZE, "noresize"},
    {0, NULL},
};

const struct probe_flag probe_migration_flags[] = {
    {WIRE_MIGRATION_STOP_COPY, "stop_copy"},
    {WIRE_MIGRATION_P2P, "p2p"},
    {WIRE_MIGRATION_PRE_COPY, "pre_copy"},
    {0, NULL},
};

#define PICK(names, i) ((i) < sizeof(names) / sizeof *(names) ? (names)[i] : NULL)

const char *probe_region_name(uint32_t index)
{
    static const char *const names[WIRE_PCI_NUM_REGIONS] = {
        "BAR 0", "BAR 1", "BAR 2", "BAR 3", "BAR 4", "BAR 5", "ROM", "configuration space", "VGA"};

    return PICK(names, index);
}

const char *probe_irq_name(uint32_t index)
{
    static const char *const names[WIRE_PCI_NUM_IRQS] = {"INTx", "MSI", "MSI-X", "error",
                                                         "request"};

    return PICK(names, index);
}

const char *probe_state_name(uint32_t state)
{
    static const char *const names[] = {
        [WIRE_MIG_ERROR] = "ERROR",       [WIRE_MIG_STOP] = "STOP",
        [WIRE_MIG_RUNNING] = "RUNNING",   [WIRE_MIG_STOP_COPY] = "STOP_COPY",
        [WIRE_MIG_RESUMING] = "RESUMING", [WIRE_MIG_RUNNING_P2P] = "RUNNING_P2P",
        [WIRE_MIG_PRE_COPY] = "PRE_COPY", [WIRE_MIG_PRE_COPY_P2P] = "PRE_COPY_P2P",
    };

    return PICK(names, state);
}

const char *probe_io_name(uint32_t type)
{
    static const char *const names[] = {
        [WIRE_IO_FD_IOEVENTFD] = "ioeventfd",
        [WIRE_IO_FD_IOREGIONFD] = "ioregionfd",
    };

    return PICK(names, type);
}

const char *probe_errno_name(int error, char *out, size_t size)
{
    const char *name = strerrorname_np(error);

    if (name) {
        snprintf(out, size, "%s", name);
    } else {
        snprintf(out, size, "%d", error);
    }
    return out;
}

uint64_t probe_bar_size(const struct probe *p, uint32_t i)
{
    const struct probe_region *r = &p->region[i];

    return i < p->device.num_regions && r->answer == PROBE_ANSWERED ? r->info.size : 0;
}
