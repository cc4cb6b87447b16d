/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Two sockets on the loop: turns the needs and ends of relay directions into events and news. */
#include "proxy/relay/channel_pair.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/sock.h"
#include "proxy/ipc/turn.h"
#include "proxy/relay/gate_keep.h"

/* One direction, as its relay sees it. */
struct direction {
    struct relay_direction *direction;
    struct channel_pair_end *from;
    struct channel_pair_end *to;
    bool *done;
    enum channel_pair_wait *wait;
    bool from_client;
};

static struct direction channel_pair_direction_of(struct channel_pair *l, bool from_client)
{
    if (from_client) {
        return (struct direction){&l->to_backend,      &l->client,          &l->backend,
                                  &l->to_backend_done, &l->to_backend_wait, true};
    }
    return (struct direction){&l->to_client,      &l->backend,        &l->client,
                              &l->to_client_done, &l->to_client_wait, false};
}

void channel_pair_want_read(struct channel_pair_end *e, bool on)
{
    if (e->reading != on) {
        e->reading = on;
        (void)(on ? event_add(&e->readable, NULL) : event_del(&e->readable));
    }
}

static void channel_pair_on_writable(evutil_socket_t fd, short what, void *arg);
static void channel_pair_on_pause_over(evutil_socket_t fd, short what, void *arg);
static void channel_pair_on_delay_over(evutil_socket_t fd, short what, void *arg);

/* Returns its part for waiting, or NULL if out of memory. */
static struct channel_pair_waits *channel_pair_waits_of(struct channel_pair *l)
{
    struct event_base *const base = event_get_base(&l->client.readable);

    if (l->waits) {
        return l->waits;
    }
    l->waits = malloc(sizeof *l->waits);
    if (l->waits) {
        /* These fail only for wrong arguments. */
        (void)event_assign(&l->waits->writable[SIDE_CLIENT], base, l->client.fd,
                           EV_WRITE | EV_PERSIST, channel_pair_on_writable, &l->client);
        (void)event_assign(&l->waits->writable[SIDE_BACKEND], base, l->backend.fd,
                           EV_WRITE | EV_PERSIST, channel_pair_on_writable, &l->backend);
        (void)evtimer_assign(&l->waits->pause, base, channel_pair_on_pause_over, l);
        (void)evtimer_assign(&l->waits->delay[SIDE_CLIENT], base, channel_pair_on_delay_over,
                             &l->client);
        (void)evtimer_assign(&l->waits->delay[SIDE_BACKEND], base, channel_pair_on_delay_over,
                             &l->backend);
    }
    return l->waits;
}

static struct event *channel_pair_writable(struct channel_pair_waits *w,
                                           const struct channel_pair_end *e)
{
    return &w->writable[e == &e->channels->client ? SIDE_CLIENT : SIDE_BACKEND];
}

void channel_pair_stop_writing(struct channel_pair_end *e)
{
    if (e->writing) {
        e->writing = false;
        (void)event_del(channel_pair_writable(e->channels->waits, e));
    }
}

/* Returns false if out of memory. */
static bool channel_pair_await_writable(struct channel_pair_end *e)
{
    struct channel_pair_waits *const w = channel_pair_waits_of(e->channels);

    if (w && !e->writing) {
        e->writing = true;
        (void)event_add(channel_pair_writable(w, e), NULL);
    }
    return w != NULL;
}

static void channel_pair_notify(struct channel_pair *l, enum channel_pair_news news,
                                enum session_reason reason, bool from_client,
                                const struct relay_detail *detail)
{
    const struct channel_pair_event e = {
        .news = news, .reason = reason, .from_client = from_client, .detail = detail};

    l->fn(l, &e, l->arg);
}

static void channel_pair_finish(struct direction *d)
{
    *d->done = true;
    *d->wait = CHANNEL_PAIR_WAIT_NONE;
    channel_pair_want_read(d->from, false);
    channel_pair_stop_writing(d->to);
    relay_deinit(d->direction);
    if (d->direction->dma) {
        gate_keep_closed(d->direction->dma, !d->from_client);
        dma_gate_close(d->direction->dma, !d->from_client);
    }
}

static void channel_pair_run(struct channel_pair *l, bool from_client);

/* A side has closed: its direction is done. */
static void channel_pair_closed(struct channel_pair *l, struct direction *d, bool by_from,
                                bool wholly)
{
    const bool by_client = by_from == d->from_client;
    struct direction back = channel_pair_direction_of(l, !d->from_client);

    channel_pair_finish(d);
    if (l->reason == REASON_NONE) {
        l->reason = by_client ? REASON_CLIENT_CLOSED : REASON_BACKEND_CLOSED;
    }
    if (by_from) {
        shutdown(d->to->fd, SHUT_WR);
        if (wholly) {
            /* There is no reader left for anything that the other side might still send. */
            channel_pair_finish(&back);
        }
    }
    if (l->to_backend_done && l->to_client_done) {
        channel_pair_notify(l, CHANNEL_PAIR_CLOSED, l->reason, by_client, NULL);
        return;
    }
    channel_pair_notify(l, CHANNEL_PAIR_HALF_CLOSED, l->reason, by_client, NULL);
}

static enum session_reason channel_pair_reason_of(enum relay_outcome r)
{
    switch (r) {
    case RELAY_TRUNCATED:
        return REASON_TRUNCATED_MESSAGE;
    case RELAY_BAD_FRAME:
        return REASON_BAD_FRAME;
    case RELAY_TOO_MANY_FDS:
        return REASON_TOO_MANY_FDS;
    case RELAY_CUT_OFF:
        return REASON_FDS_CUT_OFF;
    case RELAY_OWN_SOCKET:
        return REASON_OWN_SOCKET;
    case RELAY_HANDED_ON:
        return REASON_HANDED_ON;
    case RELAY_INJECTED:
        return REASON_INJECTED;
    case RELAY_NO_MEMORY:
        return REASON_NO_RESOURCES;
    default:
        return REASON_IO_ERROR;
    }
}

static bool channel_pair_is_closing(int err)
{
    return err == EPIPE || err == ECONNRESET;
}

/* Returns true if the outcome is that of a backend that is gone. */
static bool channel_pair_is_loss(const struct direction *d, enum relay_outcome r,
                                 const struct relay_detail *detail)
{
    if (d->from_client) {
        return r == RELAY_TO_ERROR && channel_pair_is_closing(detail->err);
    }
    return r == RELAY_EOF || r == RELAY_TRUNCATED ||
           (r == RELAY_FROM_ERROR && channel_pair_is_closing(detail->err));
}

/*
 * The backend is gone. If only sending to it has failed, what it sent may still be under way, and
 * the other direction notices its end.
 */
static void channel_pair_lost(struct channel_pair *l, struct direction *d)
{
    if (d->from_client && sock_hung_up(l->backend.fd)) {
        channel_pair_want_read(d->from, false);
        channel_pair_stop_writing(d->to);
        return;
    }
    channel_pair_notify(l, CHANNEL_PAIR_LOST, REASON_BACKEND_CLOSED, false, NULL);
}

static void channel_pair_ended(struct channel_pair *l, struct direction *d, enum relay_outcome r,
                               const struct relay_detail *detail)
{
    if (l->keeps && l->to_client.setup->lack == SETUP_KEPT && channel_pair_is_loss(d, r, detail)) {
        channel_pair_lost(l, d);
        return;
    }
    if (r == RELAY_EOF) {
        channel_pair_closed(l, d, true, sock_hung_up(d->from->fd));
    } else if (r == RELAY_FROM_ERROR && channel_pair_is_closing(detail->err)) {
        channel_pair_closed(l, d, true, true);
    } else if (r == RELAY_TO_ERROR && channel_pair_is_closing(detail->err)) {
        /*
         * Data that the gone side sent earlier may still be under way: the other direction ends it.
         */
        channel_pair_closed(l, d, false, true);
    } else {
        channel_pair_notify(l, CHANNEL_PAIR_FAILED, channel_pair_reason_of(r), d->from_client,
                            detail);
    }
}

/*
 * Fds in flight are released as receivers read, of which there is no event. A waiting direction
 * looks again, less and less often, so that it costs the worker almost nothing. Returns false if
 * out of memory.
 */
static bool channel_pair_pause(struct channel_pair *l)
{
    struct channel_pair_waits *const w = channel_pair_waits_of(l);
    struct timeval tv;

    if (!w || evtimer_pending(&w->pause, NULL)) {
        return w != NULL;
    }
    l->pause_ms = l->pause_ms ? 2 * l->pause_ms : LIMIT_PAUSE_MS;
    l->pause_ms = l->pause_ms < LIMIT_PAUSE_MAX_MS ? l->pause_ms : LIMIT_PAUSE_MAX_MS;
    tv = clock_timeval(l->pause_ms);
    event_add(&w->pause, &tv);
    return true;
}

/* A direction has gone on since its pause, unless this is the beginning of one. */
static void channel_pair_end_pause(struct channel_pair *l, enum side from, enum relay_outcome r)
{
    if (r != RELAY_FDS && r != RELAY_PAUSE && l->paused[from]) {
        l->paused[from] = false;
        l->pause_ms = 0;
    }
}

/* Has the direction that this side sends in go on after a delay. False: out of memory. */
static bool channel_pair_delay(struct channel_pair *l, enum side from, uint64_t us)
{
    const struct timeval tv = {.tv_sec = (time_t)(us / 1000000),
                               .tv_usec = (suseconds_t)(us % 1000000)};
    struct channel_pair_waits *const w = channel_pair_waits_of(l);

    if (w && !evtimer_pending(&w->delay[from], NULL)) {
        event_add(&w->delay[from], &tv);
    }
    return w != NULL;
}

static bool channel_pair_is_pausing(const struct channel_pair *l)
{
    return l->waits && evtimer_pending(&l->waits->pause, NULL);
}

/* Sets what the direction waits for; notifies the owner when it begins to wait. */
static void channel_pair_set_wait(struct channel_pair *l, struct direction *d,
                                  enum channel_pair_wait wait)
{
    const bool begins = wait != CHANNEL_PAIR_WAIT_NONE && *d->wait == CHANNEL_PAIR_WAIT_NONE;
    const struct fdroom_leg *leg = d->direction->leg;

    *d->wait = wait;
    if (begins || (leg && leg->session->extra > 0)) {
        channel_pair_notify(l, CHANNEL_PAIR_WAITS, REASON_NONE, d->from_client, NULL);
    }
}

static void channel_pair_notify_refused(struct channel_pair *l, const struct direction *d)
{
    const struct wire_hdr *hdr = &d->direction->mark->refused_hdr;
    const struct relay_detail detail = {
        .frame = WIRE_FRAME_TOO_SMALL, .hdr = *hdr, .count = hdr->size, .bound = WIRE_HDR_SIZE};

    channel_pair_notify(l, CHANNEL_PAIR_REFUSED, REASON_NONE, d->from_client, &detail);
}

static void channel_pair_turn(struct channel_pair *l, bool from_client)
{
    struct direction d = channel_pair_direction_of(l, from_client);
    struct relay_detail detail = {.err = 0};
    enum channel_pair_wait wait = CHANNEL_PAIR_WAIT_NONE;
    const enum side from = from_client ? SIDE_CLIENT : SIDE_BACKEND;
    enum relay_outcome r;
    unsigned refused;
    bool ready = true;

    if (*d.done || (from_client && l->resting)) {
        return;
    }
    refused = d.direction->mark->refused;
    r = relay_turn(d.direction, &detail);
    if (refused == 0 && d.direction->mark->refused > 0) {
        channel_pair_notify_refused(l, &d);
    }
    switch (r) {
    case RELAY_READ:
    case RELAY_MORE:
        wait = relay_holds_part(d.direction) ? CHANNEL_PAIR_WAIT_SENDER : CHANNEL_PAIR_WAIT_NONE;
        channel_pair_stop_writing(d.to);
        channel_pair_want_read(d.from, true);
        break;
    case RELAY_WRITE:
        wait = CHANNEL_PAIR_WAIT_RECEIVER;
        channel_pair_want_read(d.from, false);
        ready = channel_pair_await_writable(d.to);
        break;
    case RELAY_DELAYED:
    case RELAY_STOPPED:
    case RELAY_HOLD:
        channel_pair_want_read(d.from, false);
        channel_pair_stop_writing(d.to);
        ready = r != RELAY_DELAYED || channel_pair_delay(l, from, detail.count);
        break;
    case RELAY_FDS:
    case RELAY_PAUSE:
        wait = r == RELAY_FDS ? CHANNEL_PAIR_WAIT_FDS : CHANNEL_PAIR_WAIT_RECEIVER;
        channel_pair_want_read(d.from, false);
        channel_pair_stop_writing(d.to);
        l->paused[from] = true;
        ready = channel_pair_pause(l);
        break;
    default:
        channel_pair_ended(l, &d, r, &detail);
        return;
    }
    if (!ready) {
        channel_pair_ended(l, &d, RELAY_NO_MEMORY, &detail);
        return;
    }
    channel_pair_end_pause(l, from, r);
    channel_pair_set_wait(l, &d, wait);
    if (r == RELAY_STOPPED && !from_client) {
        channel_pair_notify(l, CHANNEL_PAIR_STOPPED, REASON_NONE, false, NULL);
    }
}

/*
 * One direction's turn may concern the other: it has replies of the gate to send, or it was held
 * and may go on.
 */
static void channel_pair_balance(struct channel_pair *l, bool from_client)
{
    struct direction d = channel_pair_direction_of(l, from_client);

    if (*d.done || (from_client && l->resting) || d.direction->stopped ||
        relay_holds_made(d.direction)) {
        return;
    }
    if (relay_has_replies(d.direction)) {
        if (!channel_pair_await_writable(d.to)) {
            channel_pair_ended(l, &d, RELAY_NO_MEMORY, &(struct relay_detail){.err = ENOMEM});
        }
    } else if (!d.from->reading && !d.to->writing && !channel_pair_is_pausing(l) &&
               !dma_gate_blocked(&l->dma, from_client)) {
        channel_pair_want_read(d.from, true);
    }
}

void channel_pair_rest(struct channel_pair *l, bool on)
{
    l->resting = on;
    if (!l->to_backend_done) {
        channel_pair_want_read(&l->client, !on);
    }
}

void channel_pair_resume(struct channel_pair *l)
{
    if (l->dma.answers) {
        channel_pair_balance(l, true);
        channel_pair_balance(l, false);
    }
}

/*
 * Returns true if requests can be answered. Not while the client does not take what it has been
 * sent, which may be the very replies.
 */
static bool channel_pair_can_answer(const struct channel_pair *l)
{
    return !l->to_client_done && l->to_client_wait != CHANNEL_PAIR_WAIT_RECEIVER;
}

/* Returns true if the client's requests are not read for now. */
static bool channel_pair_holds_client(const struct channel_pair *l)
{
    return !l->client.reading && !l->to_backend_done;
}

/*
 * Sets the timer for the oldest request that waits, or for the next look at those that cannot be
 * read. A timer that is set already may be too early; then it only looks. So a message costs no
 * more than a test, and an idle session no wake-ups.
 */
static void channel_pair_await_reply(struct channel_pair *l)
{
    const bool ahead = channel_pair_holds_client(l);
    struct timeval tv;
    uint32_t ms;

    if (!l->overdue || (l->overdue->n == 0 && !ahead) || !channel_pair_can_answer(l) ||
        (evtimer_pending(&l->overdue_event, NULL) && (l->looks_ahead || !ahead))) {
        return;
    }
    l->looks_ahead = ahead;
    ms = overdue_wait_ms(l->overdue, clock_coarse_ms());
    if (ahead && ms > LIMIT_LOOK_AHEAD_MS) {
        ms = LIMIT_LOOK_AHEAD_MS;
    }
    tv = clock_timeval(ms > 0 ? ms : 1);
    event_add(&l->overdue_event, &tv);
}

/* Answers the requests that have waited for too long, as far as there is room for answers. */
static void channel_pair_answer_overdue(struct channel_pair *l, uint32_t now)
{
    struct overdue_request r;

    while (channel_pair_can_answer(l) && overdue_take(l->overdue, now, &r)) {
        const struct relay_detail detail = {.hdr = {.id = r.id, .command = r.command}};

        gate_keep_before(&l->dma);
        if (dma_gate_answer(&l->dma, true, r.id, r.command, ETIMEDOUT)) {
            gate_keep_answered(&l->dma, true, r.id, r.command, ETIMEDOUT);
            channel_pair_notify(l, CHANNEL_PAIR_OVERDUE, REASON_NONE, false, &detail);
        }
    }
}

static void channel_pair_run(struct channel_pair *l, bool from_client)
{
    if (l->hand) {
        *l->hand = l->in_hand[from_client ? SIDE_CLIENT : SIDE_BACKEND];
    }
    if (!from_client && l->overdue) {
        const uint32_t now = clock_coarse_ms();

        /* Replies that lie there may be as late as this process. */
        if (overdue_has_expired(l->overdue, now)) {
            channel_pair_answer_overdue(l, now);
        }
    }
    channel_pair_turn(l, from_client);
    if (l->busy_poll_us) {
        turn_stay_awake(l->busy_poll_us);
    }
    channel_pair_resume(l);
    channel_pair_await_reply(l);
    if (l->detached && from_client && !l->to_backend_done) {
        channel_pair_notify(l, CHANNEL_PAIR_TAKEN, REASON_NONE, true, NULL);
    }
    if (l->observed && channel_pair_is_quiet(l)) {
        channel_pair_notify(l, CHANNEL_PAIR_QUIET, REASON_NONE, from_client, NULL);
    }
    if (l->hand) {
        *l->hand = 0;
    }
}

static void channel_pair_on_overdue(evutil_socket_t fd, short what, void *arg)
{
    struct channel_pair *l = arg;
    const uint32_t now = clock_coarse_ms();

    (void)fd;
    (void)what;
    if (channel_pair_holds_client(l)) {
        relay_look_ahead(&l->to_backend, now - LIMIT_LOOK_AHEAD_MS);
    }
    channel_pair_answer_overdue(l, now);
    channel_pair_run(l, false);
}

static void channel_pair_on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct channel_pair_end *e = arg;

    (void)fd;
    (void)what;
    channel_pair_run(e->channels, e == &e->channels->client);
}

static void channel_pair_on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct channel_pair_end *e = arg;

    (void)fd;
    (void)what;
    channel_pair_run(e->channels, e == &e->channels->backend);
}

static void channel_pair_on_delay_over(evutil_socket_t fd, short what, void *arg)
{
    struct channel_pair_end *e = arg;

    (void)fd;
    (void)what;
    channel_pair_run(e->channels, e == &e->channels->client);
}

static void channel_pair_on_pause_over(evutil_socket_t fd, short what, void *arg)
{
    struct channel_pair *l = arg;

    (void)fd;
    (void)what;
    for (int from = 0; from < SIDES; from++) {
        const struct direction d = channel_pair_direction_of(l, from == SIDE_CLIENT);

        /* One that rests was not woken during the pause; the others have their events. */
        if (l->paused[from] || (!d.from->reading && !d.to->writing)) {
            channel_pair_run(l, d.from_client);
        }
    }
}

int channel_pair_end_init(struct channel_pair_end *e, struct channel_pair *l,
                          struct event_base *base, int fd)
{
    e->channels = l;
    e->fd = fd;
    if (event_assign(&e->readable, base, fd, EV_READ | EV_PERSIST, channel_pair_on_readable, e) <
            0 ||
        event_add(&e->readable, NULL) < 0) {
        return -ENOMEM;
    }
    e->reading = true;
    return 0;
}

int channel_pair_init_take(struct channel_pair *l, struct event_base *base, int client_fd,
                           int backend_fd, const struct channel_pair_limits limits[SIDES],
                           const struct channel_pair_page *page, struct queue_pool *pool,
                           struct dma_gate *gate, channel_pair_fn *fn, void *arg)
{
    const struct channel_pair_limits *const client = &limits[SIDE_CLIENT];
    const struct channel_pair_limits *const backend = &limits[SIDE_BACKEND];
    int err;
    int err_backend;

    *l = (struct channel_pair){.fn = fn, .arg = arg, .reason = REASON_NONE, .hand = page->hand};
    memcpy(l->in_hand, page->in_hand, sizeof l->in_hand);
    asked_init(&l->client_asked, &client->takes, page->client_asked);
    asked_init(&l->backend_asked, &backend->takes, page->backend_asked);
    relay_init(&l->to_backend, client_fd, backend_fd, backend->max_fds, &backend->takes, pool,
               page->to_backend);
    relay_init(&l->to_client, backend_fd, client_fd, client->max_fds, &client->takes, pool,
               page->to_client);
    relay_ask(&l->to_backend, &l->client_asked, &l->backend_asked);
    relay_ask(&l->to_client, &l->backend_asked, &l->client_asked);
    dma_gate_side_init(&l->dma, gate);
    if (gate) {
        relay_guard(&l->to_backend, &l->dma, true);
        relay_guard(&l->to_client, &l->dma, false);
    }
    evtimer_assign(&l->overdue_event, base, channel_pair_on_overdue, l);
    err = channel_pair_end_init(&l->client, l, base, client_fd);
    err_backend = channel_pair_end_init(&l->backend, l, base, backend_fd);
    return err ? err : err_backend;
}

void channel_pair_watch(struct channel_pair *l, struct overdue *o)
{
    l->overdue = o;
    relay_watch(&l->to_backend, o);
    relay_watch(&l->to_client, o);
    channel_pair_await_reply(l);
}

bool channel_pair_detach(struct channel_pair *l)
{
    const struct relay_mark *const m = l->to_client.mark;
    const bool whole = m->left == 0 || (l->to_client.queue && !m->large);

    if (!whole || m->ready || l->to_client_done ||
        (l->to_client.inject && l->to_client.inject->made_start > 0)) {
        return false;
    }
    l->detached = true;
    channel_pair_want_read(&l->backend, false);
    channel_pair_stop_writing(&l->backend);
    channel_pair_stop_writing(&l->client);
    relay_deinit(&l->to_client);
    l->to_client_done = true;
    l->to_client_wait = CHANNEL_PAIR_WAIT_NONE;
    l->to_backend_wait = CHANNEL_PAIR_WAIT_NONE;
    l->paused[SIDE_BACKEND] = false;
    gate_keep_replace(&l->dma);
    dma_gate_replace_backend(&l->dma);
    relay_discard(&l->to_backend);
    sock_hang_up(&l->backend.fd);
    channel_pair_want_read(&l->client, !l->resting);
    /* It may hold a message that could not be sent. */
    event_active(&l->client.readable, EV_READ, 0);
    return true;
}

bool channel_pair_may_attach(const struct channel_pair *l)
{
    return relay_is_whole(&l->to_backend);
}

void channel_pair_move_waits(struct channel_pair *l)
{
    if (l->waits) {
        (void)event_assign(&l->waits->writable[SIDE_BACKEND], event_get_base(&l->client.readable),
                           l->backend.fd, EV_WRITE | EV_PERSIST, channel_pair_on_writable,
                           &l->backend);
    }
}

int channel_pair_attach_take(struct channel_pair *l, int backend_fd)
{
    struct event_base *const base = event_get_base(&l->client.readable);
    const int err = channel_pair_end_init(&l->backend, l, base, backend_fd);

    channel_pair_move_waits(l);
    l->detached = false;
    l->to_client_done = false;
    relay_redirect(&l->to_backend, l->client.fd, backend_fd);
    relay_redirect(&l->to_client, backend_fd, l->client.fd);
    channel_pair_rest(l, false);
    channel_pair_await_reply(l);
    return err;
}

void channel_pair_stop(struct channel_pair *l)
{
    l->to_backend_done = true;
    l->to_client_done = true;
    channel_pair_want_read(&l->client, false);
    channel_pair_stop_writing(&l->client);
    channel_pair_want_read(&l->backend, false);
    channel_pair_stop_writing(&l->backend);
    if (l->waits) {
        evtimer_del(&l->waits->pause);
        evtimer_del(&l->waits->delay[SIDE_CLIENT]);
        evtimer_del(&l->waits->delay[SIDE_BACKEND]);
    }
    evtimer_del(&l->overdue_event);
}

/* All but the sockets. */
static void channel_pair_dismantle(struct channel_pair *l)
{
    channel_pair_stop(l);
    free(l->waits);
    l->waits = NULL;
    relay_deinit(&l->to_backend);
    relay_deinit(&l->to_client);
    dma_gate_side_deinit(&l->dma);
}

void channel_pair_deinit(struct channel_pair *l)
{
    channel_pair_dismantle(l);
    sock_hang_up(&l->client.fd);
    sock_hang_up(&l->backend.fd);
}

bool channel_pair_rests(const struct channel_pair *l)
{
    const uint8_t *replies;

    return relay_rests(&l->to_backend) && relay_rests(&l->to_client) &&
           dma_gate_replies(&l->dma, true, &replies) == 0 &&
           dma_gate_replies(&l->dma, false, &replies) == 0;
}

void channel_pair_let_go(struct channel_pair *l)
{
    channel_pair_dismantle(l);
    sock_close(&l->client.fd);
    sock_close(&l->backend.fd);
}
