/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Finds the part of a message that is data. Pure. */
#include "trace/file/snap_length.h"

#include "base/wire/wire_command.h"

static uint32_t snap_length_most(uint32_t size)
{
    return size < SNAP_LENGTH_MOST ? size : SNAP_LENGTH_MOST;
}

uint32_t snap_length_of_hdr(const struct wire_hdr *hdr, uint32_t size, struct snap_length how)
{
    const struct wire_body *const body = wire_body_of(hdr);
    const uint32_t most = snap_length_most(size);
    const uint32_t before = WIRE_HDR_SIZE + body->fixed;

    if ((body->tail != WIRE_TAIL_DATA && body->tail != WIRE_TAIL_WRITES) || before >= most) {
        return most;
    }
    if (wire_commands[hdr->command].guest && !how.guest) {
        return before;
    }
    return most - before > how.payload ? before + how.payload : most;
}

uint32_t snap_length_of(const void *p, size_t n, uint32_t size, struct snap_length how)
{
    struct wire_hdr hdr;

    return wire_get_hdr(p, n, UINT32_MAX, &hdr) == WIRE_FRAME_SHORT
               ? snap_length_most(size)
               : snap_length_of_hdr(&hdr, size, how);
}
