/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Decides how many bytes of a message are kept. FORMAT.trace, section 6. Pure. */
#ifndef POEMD_TRACE_FILE_SNAP_LENGTH_H
#define POEMD_TRACE_FILE_SNAP_LENGTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/wire/wire.h"

/*
 * Upper limit for any message: the room that LIMIT_TRACE_PACKET leaves behind a packet's tags and
 * capture header. Each fd takes some more of it (pcapng_message).
 */
#define SNAP_LENGTH_MOST (LIMIT_TRACE_PACKET - 68u)

struct snap_length {
    uint32_t payload; /* bytes of a message's data; UINT32_MAX: all */
    /* also keep data of guest memory */
    bool guest;
};

/*
 * Returns the bytes to keep of a message of size bytes that begins with the n bytes at p: at most
 * size, and at most SNAP_LENGTH_MOST. n may be smaller than the header.
 */
uint32_t snap_length_of(const void *p, size_t n, uint32_t size, struct snap_length how);

/* The same of a message whose header has been read. */
uint32_t snap_length_of_hdr(const struct wire_hdr *hdr, uint32_t size, struct snap_length how);

#endif
