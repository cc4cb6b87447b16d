/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Two sockets on the loop: turns what a pipe waits for into events, and what ends it into news.
 */
#include "proxy/relay/lane.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/sock.h"

/* One direction, seen from its pipe. */
struct direction {
    struct pipe *pipe;
    struct lane_end *from;
    struct lane_end *to;
    bool *done;
    enum lane_wait *wait;
    bool from_client;
};

static struct direction direction_of(struct lane *l, bool from_client)
{
    if (from_client) {
        return (struct direction){&l->to_backend,      &l->client,          &l->backend,
                                  &l->to_backend_done, &l->to_backend_wait, true};
    }
    return (struct direction){&l->to_client,      &l->backend,        &l->client,
                              &l->to_client_done, &l->to_client_wait, false};
}

/* The loop is only told of changes: a system call each. */
static void want_read(struct lane_end *e, bool on)
{
    if (e->reading != on) {
        e->reading = on;
        (void)(on ? event_add(&e->readable, NULL) : event_del(&e->readable));
    }
}

static void want_write(struct lane_end *e, bool on)
{
    if (e->writing != on) {
        e->writing = on;
        (void)(on ? event_add(&e->writable, NULL) : event_del(&e->writable));
    }
}

static void tell(struct lane *l, enum lane_news news, enum session_reason reason, bool from_client,
                 const struct pipe_detail *detail)
{
    const struct lane_event e = {
        .news = news, .reason = reason, .from_client = from_client, .detail = detail};

    l->fn(l, &e, l->arg);
}

static void finish(struct direction *d)
{
    *d->done = true;
    *d->wait = LANE_WAIT_NONE;
    want_read(d->from, false);
    want_write(d->to, false);
    pipe_deinit(d->pipe);
    if (d->pipe->dma) {
        dma_gate_close(d->pipe->dma, !d->from_client);
    }
}

static void run(struct lane *l, bool from_client);

/* A side has closed: its direction is done. */
static void closed(struct lane *l, struct direction *d, bool by_from, bool wholly)
{
    const bool by_client = by_from == d->from_client;
    struct direction back = direction_of(l, !d->from_client);

    finish(d);
    if (l->reason == REASON_NONE) {
        l->reason = by_client ? REASON_CLIENT_CLOSED : REASON_BACKEND_CLOSED;
    }
    if (by_from) {
        shutdown(d->to->fd, SHUT_WR);
        if (wholly) {
            /* Nobody is left to read what the other side might still send. */
            finish(&back);
        }
    }
    if (l->to_backend_done && l->to_client_done) {
        tell(l, LANE_CLOSED, l->reason, by_client, NULL);
        return;
    }
    tell(l, LANE_HALF_CLOSED, l->reason, by_client, NULL);
}

static enum session_reason reason_of(enum pipe_outcome r)
{
    switch (r) {
    case PIPE_TRUNCATED:
        return REASON_TRUNCATED_MESSAGE;
    case PIPE_BAD_FRAME:
        return REASON_BAD_FRAME;
    case PIPE_TOO_MANY_FDS:
        return REASON_TOO_MANY_FDS;
    case PIPE_CUT_OFF:
        return REASON_FDS_CUT_OFF;
    case PIPE_OWN_SOCKET:
        return REASON_OWN_SOCKET;
    case PIPE_HANDED_ON:
        return REASON_HANDED_ON;
    case PIPE_NO_MEMORY:
        return REASON_NO_RESOURCES;
    default:
        return REASON_IO_ERROR;
    }
}

static bool is_closing(int err)
{
    return err == EPIPE || err == ECONNRESET;
}

static void ended(struct lane *l, struct direction *d, enum pipe_outcome r,
                  const struct pipe_detail *detail)
{
    if (r == PIPE_EOF) {
        closed(l, d, true, sock_hung_up(d->from->fd));
    } else if (r == PIPE_FROM_ERROR && is_closing(detail->err)) {
        closed(l, d, true, true);
    } else if (r == PIPE_TO_ERROR && is_closing(detail->err)) {
        /* What the gone side sent before it went may still be under way: the other pipe ends it. */
        closed(l, d, false, true);
    } else {
        tell(l, LANE_FAILED, reason_of(r), d->from_client, detail);
    }
}

/*
 * Fds in flight are released as receivers read, of which no event tells: a direction that waits for
 * it looks again, ever less often, so that it costs the worker next to nothing.
 */
static void lane_pause(struct lane *l)
{
    struct timeval tv;

    if (evtimer_pending(&l->pause, NULL)) {
        return;
    }
    l->pause_ms = l->pause_ms ? 2 * l->pause_ms : LIMIT_PAUSE_MS;
    l->pause_ms = l->pause_ms < LIMIT_PAUSE_MAX_MS ? l->pause_ms : LIMIT_PAUSE_MAX_MS;
    tv = (struct timeval){.tv_usec = l->pause_ms * 1000L};
    event_add(&l->pause, &tv);
}

/* What the direction waits for; the owner is told when something begins to. */
static void lane_set_wait(struct lane *l, struct direction *d, enum lane_wait wait)
{
    const bool begins = wait != LANE_WAIT_NONE && *d->wait == LANE_WAIT_NONE;
    const struct fdroom_leg *leg = d->pipe->leg;

    *d->wait = wait;
    if (begins || (leg && leg->session->extra > 0)) {
        tell(l, LANE_WAITS, REASON_NONE, d->from_client, NULL);
    }
}

static void lane_tell_refused(struct lane *l, const struct direction *d)
{
    const struct wire_hdr *hdr = &d->pipe->refused_hdr;
    const struct pipe_detail detail = {
        .frame = WIRE_FRAME_TOO_SMALL, .hdr = *hdr, .count = hdr->size, .bound = WIRE_HDR_SIZE};

    tell(l, LANE_REFUSED, REASON_NONE, d->from_client, &detail);
}

static void turn(struct lane *l, bool from_client)
{
    struct direction d = direction_of(l, from_client);
    struct pipe_detail detail = {.err = 0};
    enum lane_wait wait = LANE_WAIT_NONE;
    enum pipe_outcome r;
    unsigned refused;

    if (*d.done) {
        return;
    }
    refused = d.pipe->refused;
    r = pipe_turn(d.pipe, &detail);
    if (refused == 0 && d.pipe->refused > 0) {
        lane_tell_refused(l, &d);
    }
    switch (r) {
    case PIPE_READ:
    case PIPE_MORE:
        wait = pipe_holds_part(d.pipe) ? LANE_WAIT_SENDER : LANE_WAIT_NONE;
        want_write(d.to, false);
        want_read(d.from, true);
        break;
    case PIPE_WRITE:
        wait = LANE_WAIT_RECEIVER;
        want_read(d.from, false);
        want_write(d.to, true);
        break;
    case PIPE_HOLD:
        want_read(d.from, false);
        want_write(d.to, false);
        break;
    case PIPE_FDS:
    case PIPE_PAUSE:
        wait = r == PIPE_FDS ? LANE_WAIT_FDS : LANE_WAIT_RECEIVER;
        want_read(d.from, false);
        want_write(d.to, false);
        lane_pause(l);
        break;
    default:
        ended(l, &d, r, &detail);
        return;
    }
    if (r != PIPE_FDS && r != PIPE_PAUSE && *d.wait != LANE_WAIT_NONE) {
        l->pause_ms = 0;
    }
    lane_set_wait(l, &d, wait);
}

/*
 * What one direction did may concern the other: replies of the gate's are to be sent there, or it
 * was held and may go on.
 */
static void balance(struct lane *l, bool from_client)
{
    struct direction d = direction_of(l, from_client);

    if (*d.done) {
        return;
    }
    if (pipe_has_replies(d.pipe)) {
        want_write(d.to, true);
    } else if (!d.from->reading && !d.to->writing && !evtimer_pending(&l->pause, NULL) &&
               !dma_gate_blocked(&l->dma, from_client)) {
        want_read(d.from, true);
    }
}

void lane_resume(struct lane *l)
{
    if (l->dma.answers) {
        balance(l, true);
        balance(l, false);
    }
}

static void run(struct lane *l, bool from_client)
{
    turn(l, from_client);
    lane_resume(l);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct lane_end *e = arg;

    (void)fd;
    (void)what;
    run(e->lane, e == &e->lane->client);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct lane_end *e = arg;

    (void)fd;
    (void)what;
    run(e->lane, e == &e->lane->backend);
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
    struct lane *l = arg;

    (void)fd;
    (void)what;
    /* Whichever did not pause only finds that it has to wait on. */
    run(l, true);
    run(l, false);
}

static int end_init(struct lane_end *e, struct lane *l, struct event_base *base, int fd)
{
    e->lane = l;
    e->fd = fd;
    if (event_assign(&e->readable, base, fd, EV_READ | EV_PERSIST, on_readable, e) < 0 ||
        event_assign(&e->writable, base, fd, EV_WRITE | EV_PERSIST, on_writable, e) < 0 ||
        event_add(&e->readable, NULL) < 0) {
        return -ENOMEM;
    }
    e->reading = true;
    return 0;
}

int lane_init_take(struct lane *l, struct event_base *base, int client_fd, int backend_fd,
                   struct lane_limits client, struct lane_limits backend, struct queue_pool *pool,
                   struct dma_gate *gate, lane_fn *fn, void *arg)
{
    int err;
    int err_backend;

    *l = (struct lane){.fn = fn, .arg = arg, .reason = REASON_NONE};
    asked_init(&l->client_asked, &client.takes);
    asked_init(&l->backend_asked, &backend.takes);
    pipe_init(&l->to_backend, client_fd, backend_fd, backend.max_fds, &backend.takes, pool);
    pipe_init(&l->to_client, backend_fd, client_fd, client.max_fds, &client.takes, pool);
    pipe_ask(&l->to_backend, &l->client_asked, &l->backend_asked);
    pipe_ask(&l->to_client, &l->backend_asked, &l->client_asked);
    dma_lane_init(&l->dma, gate);
    if (gate) {
        pipe_guard(&l->to_backend, &l->dma, true);
        pipe_guard(&l->to_client, &l->dma, false);
    }
    evtimer_assign(&l->pause, base, on_pause_over, l);
    err = end_init(&l->client, l, base, client_fd);
    err_backend = end_init(&l->backend, l, base, backend_fd);
    return err ? err : err_backend;
}

void lane_count_fds(struct lane *l, struct fdroom_session *s)
{
    pipe_count_fds(&l->to_backend, fdroom_leg(s, l->backend.fd));
    pipe_count_fds(&l->to_client, fdroom_leg(s, l->client.fd));
}

void lane_witness(struct lane *l, struct witness *client, struct witness *backend)
{
    l->to_backend.witness = client;
    l->to_client.witness = backend;
}

void lane_tap(struct lane *l, struct tap *to_backend, struct tap *to_client)
{
    l->to_backend.tap = to_backend;
    l->to_client.tap = to_client;
}

void lane_stop(struct lane *l)
{
    l->to_backend_done = true;
    l->to_client_done = true;
    want_read(&l->client, false);
    want_write(&l->client, false);
    want_read(&l->backend, false);
    want_write(&l->backend, false);
    evtimer_del(&l->pause);
}

void lane_deinit(struct lane *l)
{
    lane_stop(l);
    pipe_deinit(&l->to_backend);
    pipe_deinit(&l->to_client);
    dma_lane_deinit(&l->dma);
    asked_deinit(&l->client_asked);
    asked_deinit(&l->backend_asked);
    sock_hang_up(&l->client.fd);
    sock_hang_up(&l->backend.fd);
}
