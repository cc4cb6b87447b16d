/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Names for the specification's numbers, as traces show them: tables and look-ups. */
#define _GNU_SOURCE
#include "trace/decode/names.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "base/wire.h"
#include "trace/file/message.h"

const struct name_flag name_header_flags[] = {
    {WIRE_NO_REPLY, "NO_REPLY"},
    {WIRE_ERROR, "ERROR"},
    {0, NULL},
};

const struct name_flag name_dma_flags[] = {
    {WIRE_DMA_READABLE, "READABLE"},
    {WIRE_DMA_WRITEABLE, "WRITEABLE"},
    {WIRE_DMA_MMAP, "MMAP"},
    {WIRE_DMA_FILE_IO, "FILE_IO"},
    {0, NULL},
};

const struct name_flag name_device_flags[] = {
    {WIRE_DEVICE_FLAG_RESET, "RESET"},
    {WIRE_DEVICE_FLAG_PCI, "PCI"},
    {0, NULL},
};

const struct name_flag name_region_flags[] = {
    {WIRE_REGION_FLAG_READ, "READ"},
    {WIRE_REGION_FLAG_WRITE, "WRITE"},
    {WIRE_REGION_FLAG_MMAP, "MMAP"},
    {WIRE_REGION_FLAG_CAPS, "CAPS"},
    {0, NULL},
};

const struct name_flag name_irq_flags[] = {
    {WIRE_IRQ_INFO_EVENTFD, "EVENTFD"},
    {WIRE_IRQ_INFO_MASKABLE, "MASKABLE"},
    {WIRE_IRQ_INFO_AUTOMASKED, "AUTOMASKED"},
    {WIRE_IRQ_INFO_NORESIZE, "NORESIZE"},
    {0, NULL},
};

const struct name_flag name_irq_set_flags[] = {
    {WIRE_IRQ_SET_DATA_NONE, "DATA_NONE"},
    {WIRE_IRQ_SET_DATA_BOOL, "DATA_BOOL"},
    {WIRE_IRQ_SET_DATA_EVENTFD, "DATA_EVENTFD"},
    {WIRE_IRQ_SET_ACTION_MASK, "ACTION_MASK"},
    {WIRE_IRQ_SET_ACTION_UNMASK, "ACTION_UNMASK"},
    {WIRE_IRQ_SET_ACTION_TRIGGER, "ACTION_TRIGGER"},
    {0, NULL},
};

const struct name_flag name_feature_methods[] = {
    {WIRE_FEATURE_PROBE, "PROBE"},
    {WIRE_FEATURE_GET, "GET"},
    {WIRE_FEATURE_SET, "SET"},
    {0, NULL},
};

const struct name_flag name_migration_flags[] = {
    {WIRE_MIGRATION_STOP_COPY, "STOP_COPY"},
    {WIRE_MIGRATION_P2P, "P2P"},
    {WIRE_MIGRATION_PRE_COPY, "PRE_COPY"},
    {0, NULL},
};

const struct name_flag name_seals[] = {
    {F_SEAL_SEAL, "SEAL"},
    {F_SEAL_SHRINK, "SHRINK"},
    {F_SEAL_GROW, "GROW"},
    {F_SEAL_WRITE, "WRITE"},
    {0x10, "FUTURE_WRITE"},
    {0x20, "EXEC"},
    {0, NULL},
};

#define PICK(names, i) ((i) < sizeof(names) / sizeof *(names) ? (names)[i] : NULL)

const char *name_region(uint32_t index)
{
    static const char *const names[] = {"BAR0", "BAR1", "BAR2",   "BAR3", "BAR4",
                                        "BAR5", "ROM",  "config", "VGA"};

    return PICK(names, index);
}

const char *name_irq(uint32_t index)
{
    static const char *const names[] = {"INTX", "MSI", "MSIX", "ERR", "REQ"};

    return PICK(names, index);
}

const char *name_io_fd(uint32_t type)
{
    static const char *const names[] = {"ioeventfd", "ioregionfd"};

    return PICK(names, type);
}

const char *name_feature(uint32_t index)
{
    static const char *const names[] = {
        [WIRE_FEATURE_MIGRATION] = "MIGRATION",
        [WIRE_FEATURE_MIG_DEVICE_STATE] = "MIG_DEVICE_STATE",
        [WIRE_FEATURE_DMA_LOGGING_START] = "DMA_LOGGING_START",
        [WIRE_FEATURE_DMA_LOGGING_STOP] = "DMA_LOGGING_STOP",
        [WIRE_FEATURE_DMA_LOGGING_REPORT] = "DMA_LOGGING_REPORT",
    };

    return PICK(names, index);
}

const char *name_mig_state(uint32_t state)
{
    static const char *const names[] = {
        [WIRE_MIG_ERROR] = "ERROR",       [WIRE_MIG_STOP] = "STOP",
        [WIRE_MIG_RUNNING] = "RUNNING",   [WIRE_MIG_STOP_COPY] = "STOP_COPY",
        [WIRE_MIG_RESUMING] = "RESUMING", [WIRE_MIG_RUNNING_P2P] = "RUNNING_P2P",
        [WIRE_MIG_PRE_COPY] = "PRE_COPY", [WIRE_MIG_PRE_COPY_P2P] = "PRE_COPY_P2P",
    };

    return PICK(names, state);
}

const char *name_fd_kind(uint8_t kind)
{
    static const char *const names[TRACE_FD_KINDS] = {
        [TRACE_FD_UNKNOWN] = "fd",      [TRACE_FD_MEMFD] = "memfd",   [TRACE_FD_FILE] = "file",
        [TRACE_FD_EVENTFD] = "eventfd", [TRACE_FD_SOCKET] = "socket", [TRACE_FD_PIPE] = "pipe",
        [TRACE_FD_DEVICE] = "device",   [TRACE_FD_OTHER] = "other",
    };

    return PICK(names, kind);
}

const char *name_errno(uint32_t error)
{
    return error > 0 && error <= INT_MAX ? strerrorname_np((int)error) : NULL;
}

const char *name_capability(uint16_t id)
{
    static const char *const names[] = {
        [WIRE_CAP_SPARSE_MMAP] = "sparse_mmap",
        [WIRE_CAP_TYPE] = "type",
    };

    return PICK(names, id);
}
