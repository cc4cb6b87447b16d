/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The relay of one direction. It only makes system calls on its two sockets; of a message it knows
 * the size in the header and, for data-carrying commands, the limits that apply.
 *
 * A relay direction is in one of these states:
 *   nothing held, between messages     look; send whole messages, then take them
 *   copies of messages held            send them, then take them
 *   part of a header held              read up to the header's end
 *   part of a message held, not ready  read up to the message's end
 *   ready                              send; nothing is read meanwhile
 *   nothing held, inside a message     read the next piece of a message that streams through
 *
 * relay_pass.c has the way of messages that a look shows whole, relay_gate.c the part for DMA
 * gates.
 */
#include "proxy/relay/relay_direction.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/sock.h"

void relay_init(struct relay_direction *p, int from_fd, int to_fd, uint32_t max_fds,
                const struct wire_takes *takes, struct queue_pool *pool, struct relay_mark *mark)
{
    *p = (struct relay_direction){.from_fd = from_fd,
                                  .to_fd = to_fd,
                                  .max_fds = max_fds,
                                  .takes = *takes,
                                  .pool = pool,
                                  .mark = mark};
    if (mark->version == 0) {
        mark->version = RELAY_MARK_VERSION;
    }
    /* A receiver may declare more than can be sent. */
    if (p->max_fds > LIMIT_FDS_KERNEL) {
        p->max_fds = LIMIT_FDS_KERNEL;
    }
}

void relay_guard(struct relay_direction *p, struct dma_gate_side *l, bool from_client)
{
    p->dma = l;
    p->watched = l->gate->watches;
    p->from_client = from_client;
}

void relay_count_fds(struct relay_direction *p, struct fdroom_leg *leg)
{
    p->leg = leg;
}

void relay_account(struct relay_direction *p, unsigned sent)
{
    if (p->leg) {
        fdroom_hold(p->leg, p->queue ? p->queue->fds.n : 0, sent);
    }
}

void relay_watch(struct relay_direction *p, struct overdue *o)
{
    p->overdue = o;
}

void relay_measure(struct relay_direction *p, const struct tally_meter *m, bool twin)
{
    p->meter = m;
    p->twin = twin;
}

void relay_keep_setup(struct relay_direction *p, struct setup *s)
{
    p->setup = s;
}

void relay_inject(struct relay_direction *p, struct injector_way *w)
{
    p->inject = w;
}

void relay_discard(struct relay_direction *p)
{
    p->to_fd = -1;
    p->discards = true;
}

bool relay_is_whole(const struct relay_direction *p)
{
    return p->mark->left == 0 || (p->queue && !p->mark->large);
}

void relay_redirect(struct relay_direction *p, int from_fd, int to_fd)
{
    struct relay_mark *const m = p->mark;

    p->discards = false;
    p->to_fd = to_fd;
    if (p->leg) {
        fdroom_redirect(p->leg, to_fd);
    }
    if (p->from_fd != from_fd) {
        p->from_fd = from_fd;
        m->left = 0;
        m->header = false;
        m->ready = false;
        m->ending = 0;
        m->judged = m->total.taken;
        m->verdict = DMA_PASS;
    }
    if (p->inject) {
        injector_way_redirect(p->inject, m->total.taken);
    }
}

void relay_stop_at(struct relay_direction *p, enum relay_stop stops, uint16_t id)
{
    p->stops = (uint8_t)stops;
    p->stop_id = id;
    p->stopped = false;
}

ssize_t relay_send_posted(const struct relay_direction *p, const uint8_t *bytes, size_t n)
{
    return p->discards
               ? (ssize_t)n
               : sock_send_post(p->to_fd, p->pool->post, bytes, n, &p->queue->fds, MSG_DONTWAIT);
}

void relay_ask(struct relay_direction *p, struct asked *asks, struct asked *asked)
{
    p->asks = asks;
    p->asked = asked;
}

void relay_release(struct relay_direction *p)
{
    relay_hold_end(p->mark);
    queue_return(p->pool, &p->queue);
    p->copied = 0;
}

/* The receiver is gone with part of the queue: counts the messages that it has received whole. */
static void relay_settle(struct relay_direction *p)
{
    const struct queue *q = p->queue;
    struct wire_hdr hdr;

    for (size_t at = 0; q && p->mark->ending > 0 && !p->mark->large; at += hdr.size) {
        if (wire_get_hdr(q->data + at, q->start - at, UINT32_MAX, &hdr) != WIRE_FRAME_OK ||
            hdr.size > q->start - at) {
            break;
        }
        p->mark->total.count.messages++;
    }
    p->mark->ending = 0;
}

void relay_deinit(struct relay_direction *p)
{
    relay_settle(p);
    if (p->tap) {
        tap_end(p->tap, p->queue ? p->queue->data : NULL, p->queue ? p->queue->end : 0);
    }
    relay_release(p);
    relay_account(p, 0);
    if (p->inject) {
        injector_way_drop(p->inject);
    }
}

enum wire_frame relay_judge_header(const struct relay_direction *p, const uint8_t *data, size_t n,
                                   struct relay_detail *detail)
{
    enum wire_frame f = wire_get_hdr(data, n, UINT32_MAX, &detail->hdr);

    if (f == WIRE_FRAME_OK) {
        detail->bound = wire_bound(&detail->hdr, &p->takes);
        if (detail->hdr.size > detail->bound && p->asked) {
            detail->bound = asked_bound(p->asked, &detail->hdr);
        }
        if (detail->hdr.size > detail->bound) {
            f = WIRE_FRAME_TOO_BIG;
        }
    } else {
        detail->bound = WIRE_HDR_SIZE;
    }
    detail->count = f == WIRE_FRAME_SHORT ? 0 : detail->hdr.size;
    detail->frame = f;
    return f;
}

/*
 * Returns true if the held part of the current message may be sent. A message that fits is held
 * until it is complete. Of a larger one each piece goes on, the first as soon as it can be judged:
 * by its header alone, unless the gate judges its body.
 */
static bool relay_direction_may_go(const struct relay_direction *p)
{
    if (p->mark->left == 0 || !p->mark->large) {
        return p->mark->left == 0;
    }
    if (!p->watched || p->queue->end >= DMA_GATE_HEAD) {
        return true;
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a watched direction has a gate. */
    return !dma_gate_reads(p->dma->gate, p->from_client, &p->mark->hdr);
}

/* The first n bytes after the header are at payload. */
static void relay_direction_note(struct relay_direction *p, const struct wire_hdr *hdr,
                                 const uint8_t *payload, size_t n)
{
    if (!wire_is_reply(hdr)) {
        asked_note(p->asks, hdr, payload, n);
    } else if (asked_any(p->asked)) {
        asked_answered(p->asked, hdr);
    }
}

void relay_note_messages(struct relay_direction *p, const uint8_t *data, size_t n, size_t have)
{
    struct wire_hdr hdr;

    for (size_t at = 0; p->asks && at < n; at += hdr.size) {
        if (wire_get_hdr(data + at, have - at, UINT32_MAX, &hdr) != WIRE_FRAME_OK) {
            return;
        }
        relay_direction_note(p, &hdr, data + at + WIRE_HDR_SIZE,
                             (hdr.size < have - at ? hdr.size : have - at) - WIRE_HDR_SIZE);
        relay_note_reply(p, &hdr);
    }
}

void relay_note_dropped(struct relay_direction *p, const struct wire_hdr *hdr)
{
    if (asked_any(p->asked) && (relay_is_late(p, hdr) || (p->inject && wire_is_reply(hdr)))) {
        asked_answered(p->asked, hdr);
    }
    if (p->setup && p->from_client) {
        setup_drop_stale(p->setup, hdr);
    }
    relay_note_reply(p, hdr);
}

/* The current message has been read to its end. */
static void relay_direction_end_message(struct relay_direction *p)
{
    const struct queue *q = p->queue;

    p->mark->ending = 1;
    /* A large request asks for a reply no larger than itself. */
    if (p->asks && !p->mark->large && !p->mark->noted) {
        relay_direction_note(p, &p->mark->hdr, q->data + WIRE_HDR_SIZE, q->end - WIRE_HDR_SIZE);
    }
}

void relay_begin_message(struct relay_direction *p, const struct wire_hdr *hdr, size_t have)
{
    p->mark->hdr = *hdr;
    p->mark->left = hdr->size - have;
    p->mark->header = false;
    p->mark->large = hdr->size > LIMIT_QUEUE;
    p->mark->noted = p->asks && wire_is_reply(hdr);
    if (p->mark->noted) {
        relay_direction_note(p, hdr, NULL, 0);
    }
    p->mark->ending = 0;
    if (p->mark->left == 0) {
        relay_direction_end_message(p);
    }
    p->mark->ready = relay_direction_may_go(p);
}

bool relay_fds_fit(struct relay_direction *p, size_t *want)
{
    const unsigned most = p->max_fds < LIMIT_FDS_KERNEL ? p->max_fds + 1 : LIMIT_FDS_KERNEL;
    uint8_t seen[LIMIT_PEEK];
    ssize_t n;

    if (p->awaited_fds > 0 && !fdroom_has(p->leg, p->awaited_fds)) {
        return false;
    }
    p->awaited_fds = 0;
    if (fdroom_has(p->leg, most)) {
        return true;
    }
    n = sock_peek_fds(p->from_fd, seen, *want < sizeof seen ? *want : sizeof seen, &p->awaited_fds);
    if (n > 0 && (size_t)n < *want) {
        *want = (size_t)n;
    }
    if (n == -EMFILE || (p->awaited_fds > 0 && !fdroom_has(p->leg, p->awaited_fds))) {
        return false;
    }
    p->awaited_fds = 0;
    return true;
}

bool relay_check_sender(struct relay_direction *p, const struct sock_sender *from)
{
    if (!sender_check_look(p->sender_check, from)) {
        return false;
    }
    if (sender_check_done(p->sender_check) && sock_pass_sender(p->from_fd, false) == 0) {
        p->sender_check = NULL;
    }
    return true;
}

bool relay_has_own_socket(const struct relay_direction *p, unsigned first)
{
    const struct fdset *fds = &p->queue->fds;

    for (unsigned i = first; p->leg && i < fds->n; i++) {
        if (fdroom_is_ours(p->leg->session->room, fds->fds[i])) {
            return true;
        }
    }
    return false;
}

/*
 * Reads at most want bytes behind the held ones. Returns the bytes read, 0 at the end of the
 * stream, or -errno: -E2BIG if there are more fds than the receiver's limit; -ENOTSUP if one is a
 * socket of ours; -EDQUOT if there is no room for fds, with nothing read. fds_near is false if
 * there are certainly none.
 */
static ssize_t relay_direction_read_some(struct relay_direction *p, size_t want, bool fds_near)
{
    struct queue *q = p->queue;
    const unsigned before = q->fds.n;
    ssize_t n;

    if (fds_near && p->leg && !relay_fds_fit(p, &want)) {
        return -EDQUOT;
    }
    n = relay_hold_take(p, want);
    p->mark->message_fds += q->fds.n - before;
    if (n > 0) {
        p->mark->total.taken += (uint64_t)n;
        if (p->tap) {
            tap_read(p->tap, &q->fds, before);
        }
    }
    if (q->fds.n > before) {
        relay_account(p, 0);
        if (relay_has_own_socket(p, before)) {
            return -ENOTSUP;
        }
    }
    return p->mark->message_fds > p->max_fds ? -E2BIG : n;
}

/* Returns the outcome for a read that brought nothing, or too much. */
static enum relay_outcome relay_direction_read_failed(const struct relay_direction *p, ssize_t n,
                                                      struct relay_detail *detail)
{
    detail->hdr = p->mark->header ? (struct wire_hdr){.size = 0} : p->mark->hdr;
    detail->count = p->mark->message_fds;
    detail->bound = p->max_fds;
    switch (n) {
    case 0:
        detail->count = p->mark->header ? p->queue->end : p->mark->hdr.size - p->mark->left;
        detail->bound = p->mark->header ? WIRE_HDR_SIZE : p->mark->hdr.size;
        return p->mark->header || p->mark->left > 0 ? RELAY_TRUNCATED : RELAY_EOF;
    case -EAGAIN:
        return RELAY_READ;
    case -EDQUOT:
        return RELAY_FDS;
    case -ENOTSUP:
        return RELAY_OWN_SOCKET;
    case -E2BIG:
        return RELAY_TOO_MANY_FDS;
    case -EMSGSIZE:
        return RELAY_CUT_OFF;
    case -EXDEV:
        return RELAY_HANDED_ON;
    default:
        detail->err = (int)-n;
        return RELAY_FROM_ERROR;
    }
}

/*
 * Returns true if the n bytes taken begin with those seen. They do unless the socket has another
 * reader: a twin socket comes from a peer, which may have kept it (and SO_PEEK_OFF shifts only the
 * look). The judged bytes would then not be those passed on.
 */
static bool relay_direction_as_seen(const struct relay_direction *p, const uint8_t *seen,
                                    size_t n_seen, size_t n, struct relay_detail *detail)
{
    detail->err = EPROTO;
    return memcmp(p->queue->data, seen, n < n_seen ? n : n_seen) == 0;
}

/*
 * Takes the beginning of a message that is incomplete, or too large to be seen whole. The n bytes
 * seen are in the queue.
 */
static enum relay_outcome relay_direction_take_part(struct relay_direction *p, size_t n,
                                                    bool fds_near, struct relay_detail *detail)
{
    uint8_t seen[LIMIT_PEEK];
    const enum wire_frame f = detail->frame;
    const bool refuse = f == WIRE_FRAME_TOO_SMALL && relay_can_refuse(p);
    size_t want = n;
    ssize_t got;

    if (refuse) {
        want = WIRE_HDR_SIZE;
    } else if (f == WIRE_FRAME_TOO_SMALL || f == WIRE_FRAME_TOO_BIG) {
        if (p->tap) {
            tap_refused(p->tap, &detail->hdr, p->queue->data);
        }
        return RELAY_BAD_FRAME;
    }
    if (f == WIRE_FRAME_OK) {
        want = detail->hdr.size < LIMIT_QUEUE ? detail->hdr.size : LIMIT_QUEUE;
    }
    memcpy(seen, p->queue->data, n);
    got = relay_direction_read_some(p, want, fds_near || want > n);
    if (got <= 0) {
        return relay_direction_read_failed(p, got, detail);
    }
    if (!relay_direction_as_seen(p, seen, n, (size_t)got, detail)) {
        return RELAY_FROM_ERROR;
    }
    if (f == WIRE_FRAME_SHORT || (size_t)got < WIRE_HDR_SIZE) {
        p->mark->header = true;
        return RELAY_MORE;
    }
    if (refuse) {
        return relay_refuse(p);
    }
    relay_begin_message(p, &detail->hdr, (size_t)got);
    return p->mark->ready ? RELAY_MORE : RELAY_READ;
}

/* Reads the rest of a header of which a part, or nothing, is held, and not a byte more. */
static enum relay_outcome relay_direction_read_header(struct relay_direction *p,
                                                      struct relay_detail *detail)
{
    struct queue *q = p->queue;
    const ssize_t n = relay_direction_read_some(p, WIRE_HDR_SIZE - q->end, true);
    enum wire_frame f;

    p->mark->header = q->end > 0;
    if (n <= 0) {
        return relay_direction_read_failed(p, n, detail);
    }
    if (q->end < WIRE_HDR_SIZE) {
        return RELAY_MORE;
    }
    f = relay_judge_header(p, q->data, q->end, detail);
    p->mark->hdr = detail->hdr;
    if (f == WIRE_FRAME_TOO_SMALL && relay_can_refuse(p)) {
        p->mark->header = false;
        return relay_refuse(p);
    }
    if (f != WIRE_FRAME_OK) {
        if (p->tap) {
            tap_refused(p->tap, &detail->hdr, q->data);
        }
        return RELAY_BAD_FRAME;
    }
    relay_begin_message(p, &detail->hdr, q->end);
    return RELAY_MORE;
}

/* Looks at the next messages; their bytes are in the queue, of which none is held. */
static ssize_t relay_direction_look(struct relay_direction *p, struct relay_look *look)
{
    ssize_t n;

    if (p->sender_check) {
        n = sock_peek_passed(p->from_fd, p->queue->data, LIMIT_PEEK, &look->fds_near, &look->from);
    } else {
        n = sock_peek(p->from_fd, p->queue->data, LIMIT_PEEK, &look->fds_near);
    }
    look->n = n > 0 ? (size_t)n : 0;
    return n;
}

/*
 * Looks, and hands on the messages seen, if nothing is held between two messages. woken: the loop
 * has reported the socket as readable.
 */
static enum relay_outcome relay_direction_look_and_pass(struct relay_direction *p, bool woken,
                                                        struct relay_detail *detail, bool *drained)
{
    struct relay_look look;
    struct relay_detail judged = *detail;
    enum relay_outcome r;
    ssize_t n;

    p->queue = queue_borrow(p->pool);
    if (!p->queue) {
        return RELAY_NO_MEMORY;
    }
    n = relay_direction_look(p, &look);
    if (n <= 0 && (n != -EAGAIN || !woken)) {
        return relay_direction_read_failed(p, n, detail);
    }
    p->mark->message_fds = 0;
    if (p->tap) {
        tap_begin(p->tap);
    }
    if (n <= 0) {
        /*
         * An urgent byte (MSG_OOB) is not shown; only reading removes it, and stops the wake-ups.
         */
        return relay_direction_read_header(p, detail);
    }
    relay_judge_header(p, p->queue->data, look.n, &judged);
    if (p->stops && (judged.frame == WIRE_FRAME_SHORT || relay_stops_at(p, &judged.hdr))) {
        p->stopped = true;
        return RELAY_STOPPED;
    }
    p->mark->hdr = judged.frame == WIRE_FRAME_SHORT ? (struct wire_hdr){.size = 0} : judged.hdr;
    if (judged.frame == WIRE_FRAME_OK && judged.hdr.size <= look.n &&
        relay_look_bound(p, &look, judged.hdr.size)) {
        return relay_pass_seen(p, &look, detail, drained);
    }
    if (judged.frame == WIRE_FRAME_OK && judged.hdr.size > look.n &&
        relay_pass_beginning(p, &look, &judged.hdr, detail, &r)) {
        return r;
    }
    *detail = judged;
    r = relay_direction_take_part(p, look.n, look.fds_near, detail);
    *drained = r == RELAY_MORE && p->mark->ready && p->mark->left == 0;
    return r;
}

/* Inside a message: reads more of it, as much as can be held or streamed at once. */
static enum relay_outcome relay_direction_read_body(struct relay_direction *p,
                                                    struct relay_detail *detail, bool *drained)
{
    const bool streams = !p->queue;
    size_t want;
    ssize_t n;

    if (streams) {
        p->queue = queue_borrow(p->pool);
        if (!p->queue) {
            return RELAY_NO_MEMORY;
        }
    }
    want = LIMIT_QUEUE - p->queue->end;
    want = p->mark->left < want ? (size_t)p->mark->left : want;
    n = relay_direction_read_some(p, want, true);
    if (n <= 0) {
        return relay_direction_read_failed(p, n, detail);
    }
    p->mark->left -= (uint64_t)n;
    if (p->mark->left == 0) {
        relay_direction_end_message(p);
    }
    p->mark->ready = streams || relay_direction_may_go(p);
    /* Usually nothing follows a message yet; if something does, the loop reports it. */
    *drained = (size_t)n < want || p->mark->left == 0;
    return RELAY_MORE;
}

/* Sends the held bytes. Returns RELAY_MORE if all are sent. */
static enum relay_outcome relay_direction_push(struct relay_direction *p,
                                               struct relay_detail *detail)
{
    struct queue *q = p->queue;

    while (q->start < q->end) {
        const size_t before = q->start;
        const unsigned fds = q->fds.n;
        const ssize_t n = relay_hold_send(p);

        if (n < 0) {
            return relay_unsent(n, detail);
        }
        if (p->setup && before == 0 && q->end == p->mark->hdr.size) {
            setup_note(p->setup, relay_from(p), q->data, q->end, &q->fds, p->now_ms);
        }
        /* The fds went with the first byte. Sent again, they would arrive twice. */
        if (fds > 0) {
            p->mark->total.count.fds += fds;
            fdset_close(&q->fds);
            relay_account(p, fds);
        }
        p->mark->total.count.bytes += (uint64_t)n;
        p->mark->total.sent += (uint64_t)n;
        if (p->meter) {
            relay_hold_meter(p, (size_t)n, fds, q->start == q->end && p->mark->ending > 0);
        }
        if (p->tap) {
            tap_sent(p->tap, q->data, q->start, q->end);
        }
    }
    p->mark->ready = false;
    p->mark->total.count.messages += p->mark->ending;
    p->mark->ending = 0;
    relay_release(p);
    return RELAY_MORE;
}

/* Returns an empty queue, so that a direction that only waits keeps none. */
static enum relay_outcome relay_direction_rest(struct relay_direction *p, enum relay_outcome r)
{
    if (p->queue && p->queue->end == 0 && p->queue->fds.n == 0) {
        relay_release(p);
    }
    if (p->tap && r == RELAY_READ && (p->mark->header || p->mark->left > 0)) {
        tap_wait(p->tap);
    }
    /* The gate may have closed some. */
    if (p->leg && p->leg->held > 0) {
        relay_account(p, 0);
    }
    return r;
}

/* Reads the next bytes, and has them judged if they may be sent now. */
static enum relay_outcome relay_direction_take(struct relay_direction *p, bool woken,
                                               struct relay_detail *detail, bool *drained)
{
    enum relay_outcome r;

    if (p->mark->header) {
        r = relay_direction_read_header(p, detail);
    } else if (p->mark->left > 0) {
        r = relay_direction_read_body(p, detail, drained);
    } else if (p->copied > 0) {
        return relay_pass_on(p, detail);
    } else {
        r = relay_direction_look_and_pass(p, woken, detail, drained);
    }
    return p->mark->ready && relay_must_judge(p) ? relay_judge(p, detail) : r;
}

/*
 * Returns true if the next fds still have no room. Each look at them would cost the kernel as much
 * as passing them on, 20 us for 253.
 */
static bool relay_direction_awaits_fds(const struct relay_direction *p)
{
    return p->leg && p->awaited_fds > 0 && !fdroom_has(p->leg, p->awaited_fds);
}

enum relay_outcome relay_turn(struct relay_direction *p, struct relay_detail *detail)
{
    if ((p->overdue || p->setup) && p->from_client) {
        p->now_ms = clock_coarse_ms();
    }
    if (p->meter) {
        tally_look(clock_ns());
    }
    for (int turn = 0; turn < LIMIT_TURNS; turn++) {
        enum relay_outcome r = p->dma && p->dma->answers ? relay_reply(p, detail) : RELAY_MORE;
        bool drained = false;

        if (p->inject && r == RELAY_MORE) {
            r = relay_inject_send(p, detail);
        }
        if (r == RELAY_MORE && !p->mark->ready) {
            r = relay_direction_awaits_fds(p)
                    ? RELAY_FDS
                    : relay_direction_take(p, turn == 0, detail, &drained);
        }
        if (r == RELAY_MORE && p->mark->ready) {
            r = relay_direction_push(p, detail);
        }
        if (r != RELAY_MORE) {
            return relay_direction_rest(p, r);
        }
        if (drained && !relay_holds_made(p)) {
            return relay_direction_rest(p, RELAY_READ);
        }
    }
    return relay_direction_rest(p, RELAY_MORE);
}
