/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Which part of a message is data. Pure. */
#include "trace/file/snap_length.h"

#include "base/wire.h"

/* Bytes before the data of a message that carries data, or 0. */
static uint32_t snap_length_before_data(const struct wire_hdr *h, bool *guest)
{
    const bool reply = wire_is_reply(h);

    *guest = h->command == WIRE_DMA_READ || h->command == WIRE_DMA_WRITE;
    switch (h->command) {
    case WIRE_REGION_READ:
        return reply ? WIRE_HDR_SIZE + sizeof(struct wire_region_access) : 0;
    case WIRE_REGION_WRITE:
        return reply ? 0 : WIRE_HDR_SIZE + sizeof(struct wire_region_access);
    case WIRE_REGION_WRITE_MULTI:
        return reply ? 0 : WIRE_HDR_SIZE + sizeof(struct wire_write_multi);
    case WIRE_DMA_READ:
        return reply ? WIRE_HDR_SIZE + sizeof(struct wire_dma_access) : 0;
    case WIRE_DMA_WRITE:
        return reply ? 0 : WIRE_HDR_SIZE + sizeof(struct wire_dma_access);
    case WIRE_MIG_DATA_READ:
        return reply ? WIRE_HDR_SIZE + sizeof(struct wire_mig_data) : 0;
    case WIRE_MIG_DATA_WRITE:
        return reply ? 0 : WIRE_HDR_SIZE + sizeof(struct wire_mig_data);
    default:
        return 0;
    }
}

uint32_t snap_length_of(const void *p, size_t n, uint32_t size, struct snap_length how)
{
    const uint32_t most = size < SNAP_LENGTH_MOST ? size : SNAP_LENGTH_MOST;
    struct wire_hdr hdr;
    uint32_t before;
    bool guest;

    if (wire_get_hdr(p, n, UINT32_MAX, &hdr) == WIRE_FRAME_SHORT) {
        return most;
    }
    before = snap_length_before_data(&hdr, &guest);
    if (before == 0 || before >= most) {
        return most;
    }
    if (guest && !how.guest) {
        return before;
    }
    return most - before > how.payload ? before + how.payload : most;
}
