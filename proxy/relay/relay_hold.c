/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Messages that no look shows whole: taken into a queue whose place outlives the worker, and sent
 * from there (held.h has the order). Takes from from_fd, sends to to_fd.
 */
#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "proxy/relay/relay_direction.h"

static void relay_hold_set_place(struct relay_mark *m, uint32_t place)
{
    atomic_signal_fence(memory_order_seq_cst);
    *(volatile uint32_t *)&m->place = place;
    atomic_signal_fence(memory_order_seq_cst);
}

/* The queue, which is empty, is about to hold bytes. */
static void relay_hold_begin(struct relay_direction *p)
{
    struct held *const h = p->queue->held;

    *h = (struct held){.version = HELD_VERSION, .left = p->mark->left, .base = p->mark->total};
    held_set(h, HELD_STILL, 0, 0);
    relay_hold_set_place(p->mark, p->queue->place);
}

ssize_t relay_hold_take(struct relay_direction *p, size_t want)
{
    struct queue *const q = p->queue;
    struct held *const h = q->held;
    struct sock_sender from;
    ssize_t n;

    if (p->mark->place == 0) {
        relay_hold_begin(p);
    }
    h->senders = p->sender_check != NULL;
    p->pool->post->done = 0;
    held_set(h, HELD_TAKING, q->start, q->end);
    n = sock_recv_post(p->from_fd, p->pool->post, q->data + q->end, want, &q->fds, MSG_DONTWAIT,
                       p->sender_check ? &from : NULL);
    if (n > 0 && p->sender_check && !relay_check_sender(p, &from)) {
        n = -EXDEV;
    }
    h->fds = q->fds.n;
    q->end += n > 0 ? (size_t)n : 0;
    held_set(h, HELD_STILL, q->start, q->end);
    return n;
}

ssize_t relay_hold_send(struct relay_direction *p)
{
    struct queue *const q = p->queue;
    ssize_t n;

    p->pool->post->done = 0;
    held_set(q->held, HELD_SENDING, q->start, q->end);
    n = relay_send_posted(p, q->data + q->start, q->end - q->start);
    q->start += n > 0 ? (size_t)n : 0;
    held_set(q->held, HELD_STILL, q->start, q->end);
    return n;
}

void relay_hold_meter(const struct relay_direction *p, size_t bytes, unsigned fds, bool ended)
{
    const struct ipc_count more = {.messages = ended, .bytes = bytes, .fds = fds};

    tally_count(p->meter, relay_from(p), p->mark->hdr.command, &more);
    if (ended) {
        tally_time(p->meter, p->twin, relay_from(p), &p->mark->hdr);
    }
}

void relay_hold_end(struct relay_mark *m)
{
    relay_hold_set_place(m, 0);
}

/* Sets the mark's counts, as they follow from the head. */
static void relay_hold_count(struct relay_mark *m, const struct held *h)
{
    const size_t start = held_start(h);

    m->total = h->base;
    m->total.taken += held_end(h);
    m->total.sent += start;
    m->total.count.bytes += start;
    m->total.count.fds += start > 0 ? h->fds : 0;
}

/* Sets what the mark has of the current message. Returns false if the bytes cannot be of one. */
static bool relay_hold_resume_message(struct relay_direction *p)
{
    const struct queue *const q = p->queue;
    const uint64_t left = q->held->left;
    struct relay_mark *const m = p->mark;
    struct wire_hdr hdr;

    m->ending = 0;
    m->header = false;
    m->ready = false;
    if (left > 0) {
        /* A later piece: hdr and what was decided about the message are as they were. */
        if (left >= m->hdr.size || q->end > left) {
            return false;
        }
        m->left = left - q->end;
        m->ending = m->left == 0;
        m->ready = q->end > 0;
        return true;
    }
    m->left = 0;
    m->inside = false;
    if (q->end < WIRE_HDR_SIZE) {
        m->header = q->end > 0;
        return q->start == 0;
    }
    if (wire_get_hdr(q->data, q->end, LIMIT_MESSAGE, &hdr) != WIRE_FRAME_OK || hdr.size < q->end) {
        return false;
    }
    relay_begin_message(p, &hdr, q->end);
    return true;
}

/* Judges what may go on, as right after the take, unless a part of it has been sent. */
static bool relay_hold_judge(struct relay_direction *p)
{
    struct relay_detail unused;

    return !p->mark->ready || p->queue->start > 0 || !relay_must_judge(p) ||
           relay_judge(p, &unused) == RELAY_MORE;
}

enum relay_recovery relay_hold_recover(struct relay_direction *p)
{
    const struct held *h;

    p->queue = queue_adopt(p->pool, p->mark->place);
    if (!p->queue) {
        return RELAY_RECOVERY_UNSOUND;
    }
    h = p->queue->held;
    relay_hold_count(p->mark, h);
    p->mark->message_fds = h->fds;
    if (h->fds > 0 && p->queue->start == 0 && h->verdict <= DMA_PASS + 1) {
        return RELAY_RECOVERY_LOST;
    }
    if (!relay_hold_resume_message(p)) {
        return RELAY_RECOVERY_UNSOUND;
    }
    if (p->queue->end == 0) {
        relay_release(p);
        return RELAY_RECOVERED;
    }
    if (p->tap && h->left == 0) {
        tap_begin(p->tap);
        tap_read(p->tap, &p->queue->fds, 0);
    }
    return relay_hold_judge(p) ? RELAY_RECOVERED : RELAY_RECOVERY_LOST;
}
