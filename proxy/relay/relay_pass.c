/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Messages that a look shows whole: sent as copies, then taken (relay_mark.h has the order). Until
 * they have been sent, from_fd keeps them and their fds.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/sock.h"
#include "proxy/relay/relay_direction.h"

bool relay_look_bound(const struct relay_direction *p, struct relay_look *look, size_t first)
{
    /* A look ends with the bytes that the next fds came with, unless it was too short. */
    const bool to_fds = look->fds_near && look->n < LIMIT_PEEK;
    uint8_t again[LIMIT_PEEK];
    ssize_t last;

    look->with_fds = to_fds && first == look->n;
    look->bound = look->n;
    if (!look->fds_near || look->with_fds) {
        return true;
    }
    last = sock_peek_last(p->from_fd, again, look->n);
    if (last >= 0 && (size_t)last >= first) {
        look->bound = (size_t)last;
        return true;
    }
    look->with_fds = to_fds;
    look->bound = first;
    return last >= 0 && to_fds;
}

/* Copies the fds of the first message into the queue; the message is all that it holds then. */
static enum relay_outcome relay_pass_copy_fds(struct relay_direction *p, struct relay_look *look,
                                              struct relay_detail *detail)
{
    struct queue *q = p->queue;
    uint8_t again[LIMIT_PEEK];
    size_t want = look->bound;
    ssize_t n;

    if (p->leg && !relay_fds_fit(p, &want)) {
        return RELAY_FDS;
    }
    n = p->sender_check
            ? sock_recv_from(p->from_fd, again, look->bound, &q->fds, MSG_PEEK | MSG_DONTWAIT,
                             &look->from)
            : sock_recv(p->from_fd, again, look->bound, &q->fds, MSG_PEEK | MSG_DONTWAIT);
    q->end = look->bound;
    p->copied = look->bound;
    p->mark->message_fds = q->fds.n;
    relay_account(p, 0);
    detail->hdr = p->mark->hdr;
    detail->count = q->fds.n;
    detail->bound = p->max_fds;
    if (n == -EMSGSIZE) {
        return RELAY_CUT_OFF;
    }
    if (n != (ssize_t)look->bound || memcmp(again, q->data, look->bound) != 0) {
        detail->err = EPROTO;
        return RELAY_FROM_ERROR;
    }
    if (p->tap) {
        tap_read(p->tap, &q->fds, 0);
    }
    if (relay_has_own_socket(p, 0)) {
        return RELAY_OWN_SOCKET;
    }
    return q->fds.n > p->max_fds ? RELAY_TOO_MANY_FDS : RELAY_MORE;
}

/*
 * Asks the gate about the message at that place of the queue, of which n bytes are there, unless it
 * has been judged before it had to wait.
 */
static enum dma_verdict relay_pass_judge(struct relay_direction *p, size_t at,
                                         const struct wire_hdr *hdr, size_t n)
{
    struct relay_mark *m = p->mark;
    const uint64_t begin = m->total.taken + at;
    enum dma_verdict v;

    if (!p->watched) {
        return p->dma ? relay_judge_message(p, p->queue->data + at, hdr, n, begin) : DMA_PASS;
    }
    if (begin < m->judged) {
        return DMA_PASS;
    }
    if (begin == m->judged && m->verdict != DMA_PASS) {
        return (enum dma_verdict)m->verdict;
    }
    v = relay_judge_message(p, p->queue->data + at, hdr, n, begin);
    m->verdict = DMA_PASS;
    atomic_signal_fence(memory_order_seq_cst);
    m->judged = v == DMA_PASS ? begin + hdr->size : begin;
    atomic_signal_fence(memory_order_seq_cst);
    m->verdict = (uint8_t)(v == DMA_NO_MEMORY ? DMA_PASS : v);
    return v;
}

/*
 * Finds the whole messages that can be handed on together: with the same verdict, DMA_PASS if they
 * are more than one. A reply that is longer than the receiver's limits comes first, since its
 * request must not be answered before. Sets *messages to their number; they are all that the queue
 * holds then.
 */
static enum dma_verdict relay_pass_gather(struct relay_direction *p, const struct relay_look *look,
                                          uint32_t *messages)
{
    struct queue *q = p->queue;
    struct relay_detail judged;
    enum dma_verdict v = DMA_PASS;
    size_t at = 0;

    *messages = 0;
    while (v == DMA_PASS && (at == 0 || !look->with_fds) &&
           relay_judge_header(p, q->data + at, look->bound - at, &judged) == WIRE_FRAME_OK &&
           judged.hdr.size <= look->bound - at && !(p->stops && relay_stops_at(p, &judged.hdr)) &&
           (at == 0 || judged.hdr.size <= wire_bound(&judged.hdr, &p->takes))) {
        v = relay_judge_time(p, &judged.hdr, p->mark->total.taken + at,
                             relay_pass_judge(p, at, &judged.hdr, judged.hdr.size));
        if (p->inject && v == DMA_PASS) {
            v = relay_inject_judge(p, q->data + at, &judged.hdr, judged.hdr.size,
                                   p->mark->total.taken + at);
        }
        if (v == DMA_PASS || at == 0) {
            at += judged.hdr.size;
            ++*messages;
        } else if (v != DMA_NO_MEMORY) {
            /* It is judged, and comes next. */
            v = DMA_PASS;
            break;
        }
    }
    q->end = at;
    p->copied = at;
    return v;
}

/*
 * Takes the bytes of the intent. They are those in the queue, unless the socket has another reader:
 * a twin socket comes from a peer, which may have kept it (and SO_PEEK_OFF shifts only the look).
 */
static enum relay_outcome relay_pass_take(struct relay_direction *p, struct relay_detail *detail)
{
    struct relay_mark *m = p->mark;
    const size_t front = m->intent < sizeof m->front ? m->intent : sizeof m->front;
    /* Of a register that is shown otherwise, the copy has been changed behind the front. */
    const bool changed = p->setup && setup_strips(p->setup, relay_from(p), &m->hdr);
    uint8_t taken[LIMIT_PEEK];

    if (sock_take(p->from_fd, taken, m->intent) != (ssize_t)m->intent ||
        memcmp(taken, m->front, front) != 0 ||
        (!changed && memcmp(taken + front, p->queue->data + front, m->intent - front) != 0)) {
        detail->err = EPROTO;
        return RELAY_FROM_ERROR;
    }
    relay_mark_finish(m);
    return RELAY_MORE;
}

/* The copied messages are about to be sent: from here on the kernel's note is about them. */
static void relay_pass_intend(struct relay_direction *p, uint32_t messages, uint32_t fds)
{
    p->pool->post->done = 0;
    relay_mark_intend(p->mark, (uint32_t)p->copied, messages, fds);
}

/* The only message in the queue does not go on: the gate answers it, or it is a late reply. */
static enum relay_outcome relay_pass_drop(struct relay_direction *p, struct relay_detail *detail)
{
    struct relay_mark *m = p->mark;
    enum relay_outcome r;

    if (p->inject) {
        r = relay_inject_make(p, detail);
        if (r != RELAY_MORE) {
            return r;
        }
        if (p->asks && !wire_is_reply(&m->hdr) && relay_holds_made(p)) {
            asked_note(p->asks, &m->hdr, p->queue->data + WIRE_HDR_SIZE,
                       p->queue->end - WIRE_HDR_SIZE);
        }
    }
    if (p->tap) {
        tap_kept_back(p->tap, &m->hdr, p->queue->data, p->queue->end);
    }
    relay_pass_intend(p, 0, 0);
    m->dropped = true;
    relay_mark_set(m, RELAY_MARK_SENT);
    r = relay_pass_take(p, detail);
    if (r == RELAY_MORE) {
        relay_note_dropped(p, &m->hdr);
        relay_release(p);
    }
    return r;
}

enum relay_outcome relay_unsent(ssize_t err, struct relay_detail *detail)
{
    if (err == -EAGAIN) {
        return RELAY_WRITE;
    }
    if (err == -ETOOMANYREFS) {
        return RELAY_PAUSE;
    }
    detail->err = (int)-err;
    return RELAY_TO_ERROR;
}

/*
 * The receiver takes nothing now. Copies are kept only for the gate and the tap, which know them.
 */
static enum relay_outcome relay_pass_wait(struct relay_direction *p, ssize_t err,
                                          struct relay_detail *detail)
{
    const struct relay_mark *m = p->mark;
    const bool judged =
        m->judged > m->total.taken || (m->judged == m->total.taken && m->verdict != DMA_PASS);

    relay_mark_set(p->mark, RELAY_MARK_IDLE);
    if (!p->tap && !judged) {
        relay_release(p);
        relay_account(p, 0);
    }
    return relay_unsent(err, detail);
}

/* Notes what the messages that begin in the first n copied bytes set up. */
static void relay_pass_note_setup(struct relay_direction *p, size_t n)
{
    const uint8_t *const data = p->queue->data;
    struct wire_hdr hdr;

    for (size_t at = 0; at < n; at += hdr.size) {
        if (wire_get_hdr(data + at, p->copied - at, UINT32_MAX, &hdr) != WIRE_FRAME_OK) {
            return;
        }
        /* One with fds is alone. */
        setup_note(p->setup, relay_from(p), data + at, p->copied - at, &p->queue->fds, p->now_ms);
    }
}

/* The first n copied bytes have been sent, with the fds: counts their messages. */
static void relay_pass_meter(const struct relay_direction *p, size_t n, unsigned fds)
{
    const enum side from = relay_from(p);
    struct wire_hdr hdr;

    for (size_t at = 0; at < n; at += hdr.size) {
        struct ipc_count more = {.messages = 1, .fds = at == 0 ? fds : 0};

        if (wire_get_hdr(p->queue->data + at, p->copied - at, UINT32_MAX, &hdr) != WIRE_FRAME_OK) {
            return;
        }
        more.bytes = hdr.size;
        if (hdr.size > n - at) {
            /* The rest is counted when it is sent. */
            more.bytes = n - at;
            more.messages = 0;
        } else {
            tally_time(p->meter, p->twin, from, &hdr);
        }
        tally_count(p->meter, from, hdr.command, &more);
    }
}

enum relay_outcome relay_pass_on(struct relay_direction *p, struct relay_detail *detail)
{
    struct relay_mark *m = p->mark;
    struct queue *q = p->queue;
    const unsigned fds = q->fds.n;
    enum relay_outcome r;
    bool cut;
    ssize_t n;

    relay_pass_intend(p, p->copied_messages, fds);
    n = relay_send_posted(p, q->data, p->copied);
    if (n == -EAGAIN || n == -ETOOMANYREFS) {
        return relay_pass_wait(p, n, detail);
    }
    if (n < 0) {
        relay_mark_set(m, RELAY_MARK_IDLE);
        return relay_unsent(n, detail);
    }
    cut = (size_t)n < p->copied;
    if ((cut || p->copied_messages == 0) && !relay_mark_cut(m, q->data, (size_t)n, p->copied)) {
        detail->err = EPROTO;
        return RELAY_TO_ERROR;
    }
    relay_mark_set(m, RELAY_MARK_SENT);
    if (p->tap) {
        tap_sent_part(p->tap, q->data, (size_t)n, p->copied);
    }
    if (p->meter) {
        relay_pass_meter(p, (size_t)n, fds);
    }
    relay_note_messages(p, q->data, (size_t)n, p->copied);
    if (p->setup) {
        relay_pass_note_setup(p, (size_t)n);
    }
    r = relay_pass_take(p, detail);
    if (r != RELAY_MORE) {
        return r;
    }
    relay_release(p);
    relay_account(p, fds);
    return cut && m->left > 0 ? RELAY_WRITE : RELAY_MORE;
}

enum relay_outcome relay_pass_seen(struct relay_direction *p, struct relay_look *look,
                                   struct relay_detail *detail, bool *drained)
{
    struct relay_mark *m = p->mark;
    enum relay_outcome r = RELAY_MORE;

    if (look->with_fds) {
        r = relay_pass_copy_fds(p, look, detail);
        if (r != RELAY_MORE) {
            return r;
        }
    } else if (p->tap) {
        tap_read(p->tap, &p->queue->fds, 0);
    }
    if (p->sender_check && !relay_check_sender(p, &look->from)) {
        return RELAY_HANDED_ON;
    }
    memcpy(m->front, p->queue->data, look->bound < sizeof m->front ? look->bound : sizeof m->front);
    switch (relay_pass_gather(p, look, &p->copied_messages)) {
    case DMA_NO_MEMORY:
        return RELAY_NO_MEMORY;
    case DMA_DROP:
        return relay_pass_drop(p, detail);
    case DMA_STRIP:
        relay_gate_strip(p, &m->hdr, p->queue->data, p->queue->end);
        break;
    case DMA_PASS:
        break;
    }
    *drained = !look->fds_near && p->copied == look->n && look->n < LIMIT_PEEK;
    return relay_pass_on(p, detail);
}

/*
 * Returns true if fds certainly came with the message's first byte, and all of it came with them,
 * or it goes on in pieces anyway. A look ends behind bytes that fds came with, but shows those that
 * come right behind it as well, so this one reaches beyond the message.
 */
static bool relay_pass_begins_with_fds(struct relay_direction *p, const struct wire_hdr *hdr)
{
    const size_t most = hdr->size < LIMIT_QUEUE ? (size_t)hdr->size + 1 : LIMIT_QUEUE;
    bool fds_near = false;
    const ssize_t n = sock_peek(p->from_fd, p->queue->data, most, &fds_near);

    return n > 0 && (size_t)n < most && fds_near &&
           ((size_t)n == hdr->size || hdr->size > LIMIT_QUEUE) &&
           sock_peek_last(p->from_fd, p->queue->data, (size_t)n) == 0;
}

/* Returns true if the beginning of a message that is seen can go on before the rest of it. */
static bool relay_pass_may_begin(struct relay_direction *p, const struct relay_look *look,
                                 const struct wire_hdr *hdr)
{
    if (!look->fds_near || p->setup || p->inject || relay_is_late(p, hdr)) {
        return false;
    }
    if (p->watched && look->n < DMA_GATE_HEAD &&
        dma_gate_reads(p->dma->gate, p->from_client, hdr)) {
        return false;
    }
    return relay_pass_begins_with_fds(p, hdr);
}

/* The queue's bytes and fds are no copies that go on: it is empty again. */
static void relay_pass_forget(struct relay_direction *p)
{
    fdset_close(&p->queue->fds);
    p->queue->end = 0;
    p->copied = 0;
    p->mark->message_fds = 0;
    relay_account(p, 0);
    if (p->tap) {
        tap_begin(p->tap);
    }
}

bool relay_pass_beginning(struct relay_direction *p, struct relay_look *look,
                          const struct wire_hdr *hdr, struct relay_detail *detail,
                          enum relay_outcome *outcome)
{
    struct relay_mark *m = p->mark;
    enum dma_verdict v;

    if (!relay_pass_may_begin(p, look, hdr)) {
        return false;
    }
    look->bound = look->n;
    *outcome = relay_pass_copy_fds(p, look, detail);
    if (*outcome != RELAY_MORE) {
        return true;
    }
    v = p->queue->fds.n > 0 ? relay_pass_judge(p, 0, hdr, look->n) : DMA_DROP;
    if (v != DMA_PASS) {
        relay_pass_forget(p);
        *outcome = RELAY_NO_MEMORY;
        return v == DMA_NO_MEMORY;
    }
    if (p->sender_check && !relay_check_sender(p, &look->from)) {
        *outcome = RELAY_HANDED_ON;
        return true;
    }
    /* A late reply does not begin here. */
    (void)relay_judge_time(p, hdr, m->total.taken, v);
    memcpy(m->front, p->queue->data, look->bound < sizeof m->front ? look->bound : sizeof m->front);
    p->copied_messages = 0;
    *outcome = relay_pass_on(p, detail);
    return true;
}

void relay_look_ahead(struct relay_direction *p, uint32_t since_ms)
{
    const struct relay_mark *m = p->mark;
    uint8_t seen[LIMIT_PEEK];
    struct wire_hdr hdr;
    bool fds_near;
    const ssize_t n = m->header ? 0 : sock_peek(p->from_fd, seen, sizeof seen, &fds_near);

    for (uint64_t at = m->left; n > 0 && at < (uint64_t)n; at += hdr.size) {
        if (wire_get_hdr(seen + at, (size_t)n - at, UINT32_MAX, &hdr) != WIRE_FRAME_OK ||
            (p->watched && hdr.command == WIRE_DMA_MAP)) {
            /* Not one that the gate may answer itself. */
            return;
        }
        overdue_note_request(p->overdue, &hdr, m->total.taken + at, since_ms);
    }
}
