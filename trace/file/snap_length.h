/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * How much of a message is kept. FORMAT.trace, section 6. Pure.
 */
#ifndef POEMD_TRACE_FILE_SNAP_LENGTH_H
#define POEMD_TRACE_FILE_SNAP_LENGTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

/*
 * Of no message more than this: what a packet of LIMIT_TRACE_PACKET has room for, behind its tags
 * and its capture header. Each fd takes some more of that (pcapng_message).
 */
#define SNAP_LENGTH_MOST (LIMIT_TRACE_PACKET - 68u)

struct snap_length {
    uint32_t payload; /* bytes of a data message's data; UINT32_MAX: all */
    bool guest;       /* of guest memory as well */
};

/*
 * Bytes to be kept of a message of size bytes, the first n of which are at p: at most size, and
 * never more than SNAP_LENGTH_MOST. n may be smaller than the header.
 */
uint32_t snap_length_of(const void *p, size_t n, uint32_t size, struct snap_length how);

#endif
