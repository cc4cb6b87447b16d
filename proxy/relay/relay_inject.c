/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A relay direction with an injector: the replacement of a message leaves before anything
 * that follows it. Sends that; all other system calls are elsewhere.
 */
#include <sys/socket.h>

#include "base/sock.h"
#include "proxy/relay/relay_direction.h"

enum dma_verdict relay_inject_judge(const struct relay_direction *p, const uint8_t *bytes,
                                    const struct wire_hdr *hdr, size_t n, uint64_t position)
{
    return injector_decide(p->inject, position, hdr, bytes, n, p->queue->fds.n) ? DMA_DROP
                                                                                : DMA_PASS;
}

enum relay_outcome relay_inject_make(struct relay_direction *p, struct relay_detail *detail)
{
    struct queue *const q = p->queue;

    switch (injector_make(p->inject, &p->mark->hdr, q->data, q->end, &q->fds)) {
    case INJECTOR_CLOSES:
        detail->hdr = p->mark->hdr;
        return RELAY_INJECTED;
    case INJECTOR_NO_MEMORY:
        return RELAY_NO_MEMORY;
    default:
        return RELAY_MORE;
    }
}

/* Captures and notes the messages that begin to be sent, and are whole. */
static void relay_inject_note(const struct relay_direction *p)
{
    const struct injector_way *const w = p->inject;
    struct wire_hdr hdr;

    for (size_t at = 0; at < w->made_end; at += hdr.size) {
        if (wire_get_hdr(w->made + at, w->made_end - at, UINT32_MAX, &hdr) != WIRE_FRAME_OK) {
            return;
        }
        if (p->tap) {
            tap_made(p->tap, w->made + at, w->made_end - at);
        }
        if (p->setup && at == 0) {
            setup_note(p->setup, relay_from(p), w->made, hdr.size, &w->fds, p->now_ms);
        }
    }
}

static ssize_t relay_inject_post(const struct relay_direction *p)
{
    const struct injector_way *const w = p->inject;
    const size_t n = w->made_end - w->made_start;

    return p->discards ? (ssize_t)n
                       : sock_send(p->to_fd, w->made + w->made_start, n, &w->fds, MSG_DONTWAIT);
}

enum relay_outcome relay_inject_send(struct relay_direction *p, struct relay_detail *detail)
{
    struct injector_way *const w = p->inject;

    if (!injector_holds(w) || p->mark->ready) {
        return RELAY_MORE;
    }
    detail->count = injector_wait_us(w);
    if (detail->count > 0) {
        return RELAY_DELAYED;
    }
    while (injector_holds(w)) {
        const ssize_t n = relay_inject_post(p);

        if (n < 0) {
            return relay_unsent(n, detail);
        }
        if (w->made_start == 0) {
            relay_inject_note(p);
        }
        p->mark->total.sent += (uint64_t)n;
        injector_sent(w, (size_t)n);
    }
    return RELAY_MORE;
}
