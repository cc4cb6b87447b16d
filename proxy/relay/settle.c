/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Judges headers. Pure. */
#include "proxy/relay/settle.h"

#include <string.h>

/*
 * The id of questions: beyond those of devices, which count from 0, and only compared together with
 * a command that a client sends while it starts.
 */
#define QUESTION_ID 0xfffeu

/* Bytes to read of guest memory: any answer will do, also an error. */
#define QUESTION_READ 4u

static uint16_t settle_command(enum side receiver)
{
    return receiver == SIDE_CLIENT ? WIRE_DMA_READ : WIRE_DEVICE_GET_INFO;
}

bool settle_find(struct settle_side *side, const uint8_t *data, size_t n, struct wire_hdr *hdr)
{
    struct wire_hdr h;
    bool found = false;

    for (size_t at = 0;
         wire_get_hdr(data + at, n - at, UINT32_MAX, &h) == WIRE_FRAME_OK && h.size <= n - at;
         at += h.size) {
        const bool request = !wire_is_reply(&h) && !(h.flags & WIRE_NO_REPLY);

        if (request || (wire_is_reply(&h) && !found)) {
            side->by_request = request;
            side->id = h.id;
            side->command = h.command;
            *hdr = h;
            found = true;
        }
        if (request) {
            return true;
        }
    }
    return found;
}

void settle_question(enum side receiver, uint8_t out[SETTLE_QUESTION_SIZE])
{
    const struct wire_hdr hdr = {
        .id = QUESTION_ID, .command = settle_command(receiver), .size = SETTLE_QUESTION_SIZE};
    const struct wire_dma_access access = {.address = 0, .count = QUESTION_READ};
    const struct wire_device_info info = {.argsz = sizeof info};

    _Static_assert(sizeof access == SETTLE_QUESTION_SIZE - WIRE_HDR_SIZE &&
                       sizeof info == SETTLE_QUESTION_SIZE - WIRE_HDR_SIZE,
                   "a question of another size");
    wire_put_hdr(out, &hdr);
    if (receiver == SIDE_CLIENT) {
        memcpy(out + WIRE_HDR_SIZE, &access, sizeof access);
    } else {
        memcpy(out + WIRE_HDR_SIZE, &info, sizeof info);
    }
}

/*
 * Returns true if such a request from the receiver of a reply in doubt shows that it has it: it
 * waits for one reply before it sends the next request. QEMU sends mappings without waiting.
 */
static bool settle_shows(const struct settle_side *side, const struct wire_hdr *request)
{
    return !side->by_request && !(request->flags & WIRE_NO_REPLY) &&
           side->command != WIRE_DMA_MAP && side->command != WIRE_DMA_UNMAP;
}

bool settle_swallow(struct settle *s, enum side from, const struct wire_hdr *hdr)
{
    struct settle_side *const side = &s->sides[from];

    if (!wire_is_reply(hdr)) {
        if (side->open && settle_shows(side, hdr)) {
            side->open = false;
            s->fn(s->arg, from, true);
        }
        return false;
    }
    if (side->open && side->by_request && hdr->id == side->id && hdr->command == side->command) {
        side->open = false;
        s->fn(s->arg, from, true);
        return false;
    }
    if (*side->due == 0 || hdr->id != QUESTION_ID || hdr->command != settle_command(from)) {
        return false;
    }
    --*side->due;
    if (side->open) {
        side->open = false;
        s->fn(s->arg, from, !side->by_request);
    }
    return true;
}

bool settle_over(const struct settle *s)
{
    for (int i = 0; i < SIDES; i++) {
        if (s->sides[i].open || *s->sides[i].due > 0) {
            return false;
        }
    }
    return true;
}
