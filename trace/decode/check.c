/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Checks captured messages against the specification, including truncated ones. Pure. */
#include "trace/decode/check.h"

#include "base/wire/wire_command.h"

/* Checks a truncated message: n of its `total` payload bytes were kept. */
static enum wire_check check_part(const struct wire_hdr *hdr, const void *p, size_t n, size_t total)
{
    /* Stands in for the payload: for a fixed part alone, wire_check looks only at its sizes. */
    static const uint8_t nothing[sizeof(struct wire_region_info)];
    const struct wire_command_info *c = wire_command_find(hdr->command);
    const bool reply = wire_is_reply(hdr);
    const struct wire_body *body;
    enum wire_check head;

    if (!c || (!reply && (hdr->flags & WIRE_TYPE_MASK) != WIRE_TYPE_COMMAND) ||
        (hdr->flags & ~WIRE_FLAGS_KNOWN) || (reply && (hdr->flags & WIRE_ERROR))) {
        head = wire_check(hdr, nothing, total > 0 ? 1 : 0);
        return head;
    }
    body = reply ? &c->reply : &c->request;
    if (total < body->fixed) {
        return WIRE_PAYLOAD_SHORT;
    }
    if (total > body->fixed && body->tail == WIRE_TAIL_NONE) {
        return WIRE_PAYLOAD_LONG;
    }
    if (body->tail != WIRE_TAIL_DATA || n < body->fixed) {
        return WIRE_OK;
    }
    return total - body->fixed == wire_field_value(c->structure->count, p, n) ? WIRE_OK
                                                                              : WIRE_COUNT_MISMATCH;
}

enum wire_check check_message(const struct trace_message *m, const struct wire_hdr *hdr,
                              const void *p, size_t n)
{
    const size_t total = m->size >= WIRE_HDR_SIZE ? m->size - WIRE_HDR_SIZE : 0;

    return n >= total ? wire_check(hdr, p, n) : check_part(hdr, p, n, total);
}
