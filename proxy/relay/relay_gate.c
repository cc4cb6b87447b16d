/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A relay direction with a gate: bytes read are judged before they are sent, and the gate's replies
 * leave between two messages. Sends these replies; all other system calls are in relay_direction.c.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fdinfo.h"
#include "base/sock.h"
#include "proxy/relay/gate_keep.h"
#include "proxy/relay/relay_direction.h"

/* Closes the fds of a message that goes on without them, or not at all. */
static void relay_gate_withhold(struct relay_direction *p)
{
    if (p->tap && p->queue->fds.n > 0) {
        tap_withheld(p->tap);
    }
    fdset_close(&p->queue->fds);
}

void relay_gate_strip(struct relay_direction *p, const struct wire_hdr *hdr, uint8_t *bytes,
                      size_t n)
{
    struct wire_dma_map m;

    relay_gate_withhold(p);
    /* The flags refer to an fd: a device may refuse a map that promises a missing one. */
    if (hdr->command == WIRE_DMA_MAP && !wire_is_reply(hdr) && n >= WIRE_HDR_SIZE &&
        wire_get(bytes + WIRE_HDR_SIZE, n - WIRE_HDR_SIZE, &m, sizeof m)) {
        m.flags &= ~(WIRE_DMA_MMAP | WIRE_DMA_FILE_IO);
        wire_put(bytes + WIRE_HDR_SIZE, &m, sizeof m);
    }
    if (p->setup && setup_strips(p->setup, relay_from(p), hdr)) {
        setup_strip(bytes, n);
    }
}

/* Returns the held fds; asks the kernel about their kind only if that matters. */
static struct dma_fds relay_gate_fds(const struct relay_direction *p)
{
    const struct fdset *set = &p->queue->fds;
    const struct dma_gate *gate = p->dma->gate;
    struct dma_fds fds = {.n = set->n, .eventfds = p->from_client && gate->withholds};

    for (unsigned i = 0; i < set->n && fds.eventfds; i++) {
        fds.eventfds = fdinfo_is_eventfd(gate->fdinfo_fd, set->fds[i]);
    }
    return fds;
}

/* Discards the held bytes. */
static void relay_gate_discard(struct relay_direction *p)
{
    relay_release(p);
    p->mark->ready = false;
    p->mark->ending = 0;
}

/* Judges a message with n_fds fds that the receiver would get. */
static enum dma_verdict relay_gate_judge(const struct relay_direction *p, const uint8_t *bytes,
                                         const struct wire_hdr *hdr, size_t n, unsigned n_fds,
                                         uint64_t position)
{
    const uint8_t *const payload = bytes + WIRE_HDR_SIZE;
    struct dma_fds fds = {.n = 0};
    enum dma_verdict v;

    if (!p->watched) {
        if (n_fds > 0) {
            dma_gate_fds(p->dma, p->from_client);
        }
        return DMA_PASS;
    }
    if (!dma_gate_cares(p->dma->gate, hdr, n_fds)) {
        return DMA_PASS;
    }
    if (n_fds > 0) {
        fds = relay_gate_fds(p);
    }
    gate_keep_before(p->dma);
    v = dma_gate_judge(p->dma, p->from_client, hdr, payload, n - WIRE_HDR_SIZE, fds);
    if (v != DMA_NO_MEMORY) {
        gate_keep_seen(p->dma, p->from_client, position, hdr, payload, n - WIRE_HDR_SIZE, fds);
    }
    return v;
}

enum dma_verdict relay_judge_message(const struct relay_direction *p, const uint8_t *bytes,
                                     const struct wire_hdr *hdr, size_t n, uint64_t position)
{
    const bool strips = p->setup && setup_strips(p->setup, relay_from(p), hdr);
    enum dma_verdict v;

    if (p->setup && p->from_client && setup_is_stale(p->setup, hdr)) {
        return DMA_DROP;
    }
    /* The client does not get a late reply's fds. */
    v = relay_gate_judge(p, bytes, hdr, n, strips || relay_is_late(p, hdr) ? 0 : p->queue->fds.n,
                         position);
    return v == DMA_PASS && strips ? DMA_STRIP : v;
}

enum dma_verdict relay_judge_time(struct relay_direction *p, const struct wire_hdr *hdr,
                                  uint64_t position, enum dma_verdict v)
{
    if (!p->overdue || v == DMA_NO_MEMORY || v == DMA_DROP) {
        return v;
    }
    if (p->from_client) {
        overdue_note_request(p->overdue, hdr, position, p->now_ms);
    }
    return relay_is_late(p, hdr) ? DMA_DROP : v;
}

/* The message that begins at the queue's front may go on, or part of it. */
static enum dma_verdict relay_gate_judge_front(struct relay_direction *p)
{
    const struct queue *q = p->queue;
    const struct wire_hdr *hdr = &p->mark->hdr;
    const uint64_t position = p->mark->total.taken - q->end;
    struct held *const h = q->held;
    enum dma_verdict v;

    if (h->verdict > 0) {
        /* By a worker that has died. */
        v = (enum dma_verdict)(h->verdict - 1);
    } else {
        /* It may have been judged when its beginning was seen. */
        v = position == p->mark->judged && p->mark->verdict != DMA_PASS
                ? (enum dma_verdict)p->mark->verdict
                : relay_judge_message(p, q->data, hdr, q->end, position);
        v = relay_judge_time(p, hdr, position, v);
        if (p->inject && v == DMA_PASS) {
            v = relay_inject_judge(p, q->data, hdr, q->end, position);
        }
    }
    if (v != DMA_NO_MEMORY) {
        *(volatile uint32_t *)&h->verdict = v + 1u;
        relay_note_reply(p, hdr);
    }
    return v;
}

/* The queue holds a piece of a large message, the first or a later one. */
static enum relay_outcome relay_gate_judge_piece(struct relay_direction *p, bool first,
                                                 struct relay_detail *detail)
{
    enum relay_outcome r = RELAY_MORE;
    struct queue *q = p->queue;

    if (first) {
        p->mark->piece = (uint8_t)relay_gate_judge_front(p);
    } else if (q->fds.n > 0 && p->mark->piece != DMA_DROP) {
        dma_gate_fds(p->dma, p->from_client);
    }
    if (p->mark->piece == DMA_NO_MEMORY) {
        return RELAY_NO_MEMORY;
    }
    if (first && p->setup && p->mark->piece != DMA_DROP) {
        setup_note_large(p->setup, relay_from(p), &p->mark->hdr, p->now_ms);
    }
    /* Fds that a client sends after a message's beginning would not be judged. */
    if (first && p->mark->piece == DMA_STRIP) {
        relay_gate_strip(p, &p->mark->hdr, q->data, q->end);
    } else if (p->mark->piece == DMA_STRIP || (!first && p->from_client && p->dma->gate->checks)) {
        relay_gate_withhold(p);
    }
    if (p->mark->piece == DMA_DROP) {
        if (p->tap && first) {
            tap_kept_back(p->tap, &p->mark->hdr, q->data, q->end);
        }
        if (p->inject && first) {
            r = relay_inject_make(p, detail);
        }
        relay_gate_discard(p);
    }
    return r;
}

/* Judges the whole message in the queue, which has been taken. */
static enum relay_outcome relay_gate_judge_whole(struct relay_direction *p,
                                                 struct relay_detail *detail)
{
    enum relay_outcome r = RELAY_MORE;
    struct queue *q = p->queue;

    switch (relay_gate_judge_front(p)) {
    case DMA_NO_MEMORY:
        return RELAY_NO_MEMORY;
    case DMA_DROP:
        if (p->tap) {
            tap_kept_back(p->tap, &p->mark->hdr, q->data, q->end);
        }
        if (p->setup && p->from_client) {
            setup_drop_stale(p->setup, &p->mark->hdr);
        }
        if (p->inject) {
            r = relay_inject_make(p, detail);
        }
        relay_gate_discard(p);
        break;
    case DMA_STRIP:
        relay_gate_strip(p, &p->mark->hdr, q->data, q->end);
        break;
    case DMA_PASS:
        break;
    }
    return r;
}

enum relay_outcome relay_judge(struct relay_direction *p, struct relay_detail *detail)
{
    const bool first = !p->mark->inside;

    p->mark->inside = p->mark->left > 0;
    return first && p->mark->left == 0 ? relay_gate_judge_whole(p, detail)
                                       : relay_gate_judge_piece(p, first, detail);
}

/* Returns true if the receiver is inside a message, or will be before the next read. */
static bool relay_gate_midway(const struct relay_direction *p)
{
    return p->mark->ready || (p->mark->left > 0 && !p->queue && p->mark->piece != DMA_DROP);
}

bool relay_has_replies(const struct relay_direction *p)
{
    const uint8_t *bytes;

    return p->dma && p->dma->answers && !relay_gate_midway(p) &&
           dma_gate_replies(p->dma, !p->from_client, &bytes) > 0;
}

bool relay_can_refuse(const struct relay_direction *p)
{
    return p->dma && p->dma->gate && !wire_is_reply(&p->mark->hdr);
}

enum relay_outcome relay_refuse(struct relay_direction *p)
{
    bool good;

    if (p->tap) {
        tap_refused(p->tap, &p->mark->hdr, p->queue->data);
    }
    p->mark->refused++;
    p->mark->refused_hdr = p->mark->hdr;
    gate_keep_before(p->dma);
    good = dma_gate_invalid(p->dma, p->from_client, &p->mark->hdr);
    gate_keep_invalid(p->dma, p->from_client, p->mark->total.taken - p->queue->end, &p->mark->hdr);
    relay_gate_discard(p);
    return good ? RELAY_MORE : RELAY_NO_MEMORY;
}

/*
 * Captures replies of which the first byte has been sent, among n bytes of headers (the first may
 * be partial) of which sent bytes are sent. The rest of one is sent before anything else.
 */
static void relay_gate_tap_replies(struct tap *t, const uint8_t *bytes, size_t n, size_t sent)
{
    for (size_t at = n % WIRE_HDR_SIZE; at < sent; at += WIRE_HDR_SIZE) {
        tap_made(t, bytes + at, WIRE_HDR_SIZE);
    }
}

enum relay_outcome relay_reply(struct relay_direction *p, struct relay_detail *detail)
{
    const uint8_t *bytes;
    size_t n;

    if (p->mark->ready) {
        return RELAY_MORE;
    }
    while (!relay_gate_midway(p) && (n = dma_gate_replies(p->dma, !p->from_client, &bytes)) > 0) {
        ssize_t sent;

        p->pool->post->done = 0;
        gate_keep_sending(p->dma, !p->from_client);
        sent = sock_send_post(p->to_fd, p->pool->post, bytes, n, NULL, MSG_DONTWAIT);
        gate_keep_sent(p->dma, !p->from_client, sent > 0 ? (size_t)sent : 0);
        if (sent == -EAGAIN) {
            return RELAY_WRITE;
        }
        if (sent < 0) {
            detail->err = (int)-sent;
            return RELAY_TO_ERROR;
        }
        if (p->tap) {
            relay_gate_tap_replies(p->tap, bytes, n, (size_t)sent);
        }
        p->mark->total.sent += (uint64_t)sent;
        dma_gate_replied(p->dma, !p->from_client, (size_t)sent);
    }
    return dma_gate_blocked(p->dma, p->from_client) ? RELAY_HOLD : RELAY_MORE;
}
