/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Recognises messages that pass memory or an eventfd. Pure. */
#include "trace/capture/bypass.h"

#include <inttypes.h>
#include <stdio.h>

/* Returns true if fds were passed on with the message: withheld ones open no path. */
static bool bypass_passes_fds(const struct trace_message *m)
{
    for (unsigned i = 0; i < m->n_fds; i++) {
        if (!(m->fds[i].flags & TRACE_FD_WITHHELD)) {
            return true;
        }
    }
    return false;
}

static const char *bypass_shared_memory(const uint8_t *p, size_t n, char *out)
{
    struct wire_dma_map map;

    if (!wire_get(p, n, &map, sizeof map) || map.size == 0) {
        return NULL;
    }
    snprintf(out, BYPASS_MAX,
             "unseen: guest memory 0x%" PRIx64 "..0x%" PRIx64 " shared with the backend",
             map.address, map.address + (map.size - 1));
    return out;
}

static const char *bypass_mapped_region(const uint8_t *p, size_t n, char *out)
{
    struct wire_region_info info;

    if (!wire_get(p, n, &info, sizeof info) || !(info.flags & WIRE_REGION_FLAG_MMAP)) {
        return NULL;
    }
    snprintf(out, BYPASS_MAX, "unseen: region %" PRIu32 " can be mapped by the client", info.index);
    return out;
}

static const char *bypass_io_fds(const uint8_t *p, size_t n, char *out)
{
    struct wire_region_io_fds io;

    if (!wire_get(p, n, &io, sizeof io)) {
        return NULL;
    }
    snprintf(out, BYPASS_MAX, "unseen: writes to region %" PRIu32 " by ioeventfd", io.index);
    return out;
}

const char *bypass_comment(const struct trace_message *m, char out[BYPASS_MAX])
{
    const uint8_t *const p = m->data + WIRE_HDR_SIZE;
    struct wire_hdr hdr;
    size_t n;

    if (m->n_fds == 0 || !bypass_passes_fds(m) ||
        wire_get_hdr(m->data, m->kept, UINT32_MAX, &hdr) == WIRE_FRAME_SHORT) {
        return NULL;
    }
    n = m->kept - WIRE_HDR_SIZE;
    switch (hdr.command) {
    case WIRE_DMA_MAP:
        return wire_is_reply(&hdr) ? NULL : bypass_shared_memory(p, n, out);
    case WIRE_DEVICE_GET_REGION_INFO:
        return wire_is_reply(&hdr) ? bypass_mapped_region(p, n, out) : NULL;
    case WIRE_DEVICE_SET_IRQS:
        return wire_is_reply(&hdr) ? NULL : "unseen: interrupts by eventfd";
    case WIRE_DEVICE_GET_REGION_IO_FDS:
        return wire_is_reply(&hdr) ? bypass_io_fds(p, n, out) : NULL;
    default:
        return NULL;
    }
}
