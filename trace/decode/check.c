/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Checks captured messages against the specification, including truncated ones. Pure. */
#include "trace/decode/check.h"

#include <string.h>

/*
 * Reads the count in a fixed part that must equal the number of bytes behind it. Returns false if
 * the message has no such count.
 */
static bool check_data_count(const struct wire_hdr *hdr, const void *p, size_t n, uint64_t *out)
{
    struct wire_region_access a;
    struct wire_dma_access d;
    struct wire_mig_data g;

    switch (hdr->command) {
    case WIRE_REGION_READ:
    case WIRE_REGION_WRITE:
        *out = wire_get(p, n, &a, sizeof a) ? a.count : 0;
        return n >= sizeof a;
    case WIRE_DMA_READ:
    case WIRE_DMA_WRITE:
        *out = wire_get(p, n, &d, sizeof d) ? d.count : 0;
        return n >= sizeof d;
    case WIRE_MIG_DATA_READ:
    case WIRE_MIG_DATA_WRITE:
        *out = wire_get(p, n, &g, sizeof g) ? g.size : 0;
        return n >= sizeof g;
    default:
        return false;
    }
}

/* Checks a truncated message: n of its `total` payload bytes were kept. */
static enum wire_check check_part(const struct wire_hdr *hdr, const void *p, size_t n, size_t total)
{
    /* Stands in for the payload: for a fixed part alone, wire_check looks only at its sizes. */
    static const uint8_t nothing[sizeof(struct wire_region_info)];
    const struct wire_command_info *c = wire_command_find(hdr->command);
    const bool reply = wire_is_reply(hdr);
    const struct wire_size *size;
    enum wire_check head;
    uint64_t count;

    if (!c || (!reply && (hdr->flags & WIRE_TYPE_MASK) != WIRE_TYPE_COMMAND) ||
        (hdr->flags & ~WIRE_FLAGS_KNOWN) || (reply && (hdr->flags & WIRE_ERROR))) {
        head = wire_check(hdr, nothing, total > 0 ? 1 : 0);
        return head;
    }
    size = reply ? &c->reply : &c->request;
    if (total < size->fixed) {
        return WIRE_PAYLOAD_SHORT;
    }
    if (total > size->fixed && !size->open) {
        return WIRE_PAYLOAD_LONG;
    }
    if (!size->open || !check_data_count(hdr, p, n, &count) ||
        (hdr->command == WIRE_DMA_WRITE && reply)) {
        return WIRE_OK;
    }
    return total - size->fixed == count ? WIRE_OK : WIRE_COUNT_MISMATCH;
}

enum wire_check check_message(const struct trace_message *m, const struct wire_hdr *hdr,
                              const void *p, size_t n)
{
    const size_t total = m->size >= WIRE_HDR_SIZE ? m->size - WIRE_HDR_SIZE : 0;

    return n >= total ? wire_check(hdr, p, n) : check_part(hdr, p, n, total);
}
