/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The replies that one side of a lane has asked for, where they are larger than the side has said
 * that it takes: a reply is judged by its request. Of all other requests nothing is kept.
 *
 * libvfio-user's sample client says max_data_xfer_size 1,024 and then reads 12,288 bytes; whoever
 * answers it does nothing wrong. Pure but for its memory, which is bounded by LIMIT_ASKED.
 */
#ifndef POEMD_PROXY_RELAY_ASKED_H
#define POEMD_PROXY_RELAY_ASKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"

struct asked_reply {
    uint32_t size; /* with its header */
    uint16_t id;
    uint16_t command;
};

struct asked {
    struct wire_takes takes;     /* what the side has said that it takes */
    struct asked_reply *replies; /* owned; the n oldest first; NULL: none was ever that large */
    unsigned n;
};

void asked_init(struct asked *a, const struct wire_takes *takes);
void asked_deinit(struct asked *a);

/*
 * A request of this side's goes on; n bytes of its payload are at p, all of them or the fixed part.
 * Without memory nothing is kept, and a reply above what the side takes is then refused.
 */
void asked_note(struct asked *a, const struct wire_hdr *hdr, const void *p, size_t n);

/* The largest reply with this header that this side takes now, in bytes with its header. */
uint32_t asked_bound(const struct asked *a, const struct wire_hdr *hdr);

/* A reply goes on to this side: its request is answered. */
void asked_answered(struct asked *a, const struct wire_hdr *hdr);

#endif
