/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Which part of a message is data. Pure. */
#include "trace/file/snap_length.h"

#include "base/wire_command.h"

uint32_t snap_length_of(const void *p, size_t n, uint32_t size, struct snap_length how)
{
    const uint32_t most = size < SNAP_LENGTH_MOST ? size : SNAP_LENGTH_MOST;
    const struct wire_body *body;
    struct wire_hdr hdr;
    uint32_t before;

    if (wire_get_hdr(p, n, UINT32_MAX, &hdr) == WIRE_FRAME_SHORT) {
        return most;
    }
    body = wire_body_of(&hdr);
    if (body->tail != WIRE_TAIL_DATA && body->tail != WIRE_TAIL_WRITES) {
        return most;
    }
    before = WIRE_HDR_SIZE + body->fixed;
    if (before >= most) {
        return most;
    }
    if (wire_commands[hdr.command].guest && !how.guest) {
        return before;
    }
    return most - before > how.payload ? before + how.payload : most;
}
