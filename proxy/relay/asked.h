/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The replies requested by one side of a channel pair that are larger than the side's declared
 * limit: a reply is judged by its request. Other requests are not kept.
 *
 * libvfio-user's sample client declares max_data_xfer_size 1,024 and then reads 12,288 bytes; a
 * server that answers does nothing wrong. Pure, apart from its memory, which is bounded by
 * LIMIT_ASKED.
 */
#ifndef POEMD_PROXY_RELAY_ASKED_H
#define POEMD_PROXY_RELAY_ASKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire/wire.h"
#include "proxy/ipc/session_page.h"

struct asked {
    struct wire_takes takes; /* the side's declared limits */
    struct asked_kept *kept; /* borrowed */
};

/* kept is borrowed for its life, and may contain requests already. */
void asked_init(struct asked *a, const struct wire_takes *takes, struct asked_kept *kept);

/*
 * A request of this side goes on; n bytes of its payload are at p, all of them or the fixed part.
 */
void asked_note(struct asked *a, const struct wire_hdr *hdr, const void *p, size_t n);

/* Returns true if a request is kept. */
static inline bool asked_any(const struct asked *a)
{
    return a->kept->n > 0;
}

/* Returns the largest size, with its header, that this side accepts now for such a reply. */
uint32_t asked_bound(const struct asked *a, const struct wire_hdr *hdr);

/* A reply goes on to this side, so its request is answered. */
void asked_answered(struct asked *a, const struct wire_hdr *hdr);

#endif
