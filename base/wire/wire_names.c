/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Tables of names, with their look-up functions. */
#include "base/wire/wire_names.h"

#include <stddef.h>

#include "base/wire/wire.h"

const struct wire_name wire_header_flags[] = {
    {WIRE_NO_REPLY, "NO_REPLY", NULL},
    {WIRE_ERROR, "ERROR", NULL},
    {0, NULL, NULL},
};

const struct wire_name wire_dma_flags[] = {
    {WIRE_DMA_READABLE, "READABLE", NULL},
    {WIRE_DMA_WRITEABLE, "WRITEABLE", NULL},
    {WIRE_DMA_MMAP, "MMAP", NULL},
    {WIRE_DMA_FILE_IO, "FILE_IO", NULL},
    {0, NULL, NULL},
};

const struct wire_name wire_device_flags[] = {
    {WIRE_DEVICE_FLAG_RESET, "RESET", "reset"},
    {WIRE_DEVICE_FLAG_PCI, "PCI", "pci"},
    {0, NULL, NULL},
};

const struct wire_name wire_region_flags[] = {
    {WIRE_REGION_FLAG_READ, "READ", "read"},
    {WIRE_REGION_FLAG_WRITE, "WRITE", "write"},
    {WIRE_REGION_FLAG_MMAP, "MMAP", "mmap"},
    {WIRE_REGION_FLAG_CAPS, "CAPS", "caps"},
    {0, NULL, NULL},
};

const struct wire_name wire_irq_flags[] = {
    {WIRE_IRQ_INFO_EVENTFD, "EVENTFD", "eventfd"},
    {WIRE_IRQ_INFO_MASKABLE, "MASKABLE", "maskable"},
    {WIRE_IRQ_INFO_AUTOMASKED, "AUTOMASKED", "automasked"},
    {WIRE_IRQ_INFO_NORESIZE, "NORESIZE", "noresize"},
    {0, NULL, NULL},
};

const struct wire_name wire_irq_set_flags[] = {
    {WIRE_IRQ_SET_DATA_NONE, "DATA_NONE", NULL},
    {WIRE_IRQ_SET_DATA_BOOL, "DATA_BOOL", NULL},
    {WIRE_IRQ_SET_DATA_EVENTFD, "DATA_EVENTFD", NULL},
    {WIRE_IRQ_SET_ACTION_MASK, "ACTION_MASK", NULL},
    {WIRE_IRQ_SET_ACTION_UNMASK, "ACTION_UNMASK", NULL},
    {WIRE_IRQ_SET_ACTION_TRIGGER, "ACTION_TRIGGER", NULL},
    {0, NULL, NULL},
};

const struct wire_name wire_feature_methods[] = {
    {WIRE_FEATURE_PROBE, "PROBE", NULL},
    {WIRE_FEATURE_GET, "GET", NULL},
    {WIRE_FEATURE_SET, "SET", NULL},
    {0, NULL, NULL},
};

const struct wire_name wire_migration_flags[] = {
    {WIRE_MIGRATION_STOP_COPY, "STOP_COPY", "stop_copy"},
    {WIRE_MIGRATION_P2P, "P2P", "p2p"},
    {WIRE_MIGRATION_PRE_COPY, "PRE_COPY", "pre_copy"},
    {0, NULL, NULL},
};

const struct wire_name wire_regions[] = {
    {WIRE_PCI_BAR0, "BAR0", "BAR 0"},
    {1, "BAR1", "BAR 1"},
    {2, "BAR2", "BAR 2"},
    {3, "BAR3", "BAR 3"},
    {4, "BAR4", "BAR 4"},
    {WIRE_PCI_BAR5, "BAR5", "BAR 5"},
    {WIRE_PCI_ROM, "ROM", NULL},
    {WIRE_PCI_CONFIG, "config", "configuration space"},
    {WIRE_PCI_VGA, "VGA", NULL},
    {0, NULL, NULL},
};

const struct wire_name wire_irqs[] = {
    {WIRE_PCI_INTX, "INTX", "INTx"},  {WIRE_PCI_MSI, "MSI", NULL},
    {WIRE_PCI_MSIX, "MSIX", "MSI-X"}, {WIRE_PCI_ERR, "ERR", "error"},
    {WIRE_PCI_REQ, "REQ", "request"}, {0, NULL, NULL},
};

const struct wire_name wire_io_fd_types[] = {
    {WIRE_IO_FD_IOEVENTFD, "ioeventfd", NULL},
    {WIRE_IO_FD_IOREGIONFD, "ioregionfd", NULL},
    {0, NULL, NULL},
};

const struct wire_name wire_mig_states[] = {
    {WIRE_MIG_ERROR, "ERROR", NULL},
    {WIRE_MIG_STOP, "STOP", NULL},
    {WIRE_MIG_RUNNING, "RUNNING", NULL},
    {WIRE_MIG_STOP_COPY, "STOP_COPY", NULL},
    {WIRE_MIG_RESUMING, "RESUMING", NULL},
    {WIRE_MIG_RUNNING_P2P, "RUNNING_P2P", NULL},
    {WIRE_MIG_PRE_COPY, "PRE_COPY", NULL},
    {WIRE_MIG_PRE_COPY_P2P, "PRE_COPY_P2P", NULL},
    {0, NULL, NULL},
};

static const struct wire_name *wire_names_find(const struct wire_name *table, uint64_t value)
{
    while (table->name && table->value != value) {
        table++;
    }
    return table;
}

const char *wire_name_of(const struct wire_name *table, uint64_t value)
{
    return wire_names_find(table, value)->name;
}

const char *wire_title_of(const struct wire_name *table, uint64_t value)
{
    const struct wire_name *const row = wire_names_find(table, value);

    return row->title ? row->title : row->name;
}
