/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Asks receivers, and keeps the time. One timer for each session in doubt. */
#include "proxy/worker/session_settle.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/sock.h"

struct session_settle {
    struct session *session;
    struct settle settle;
    struct event timer;
    uint64_t since_ms;
    bool unasked[SIDES]; /* its socket was full */
    struct wire_hdr hdr[SIDES];
};

/* Interval of tries to send a question. */
#define RETRY_MS 10u

/* ---- the result ---- */

static struct relay_direction *session_settle_way(const struct session *s, enum side receiver)
{
    return receiver == SIDE_CLIENT ? &s->channels->to_client : &s->channels->to_backend;
}

static void session_settle_report(struct session *s, enum ipc_doubt doubt,
                                  const struct wire_hdr *hdr)
{
    s->guard->resumed = (struct ipc_resumed){.doubt = doubt, .hdr = *hdr};
    s->guard->resumed_unsent = true;
    session_report_later(s);
}

/* Called while the other direction is being relayed: its own rests. */
static void session_settle_on_known(void *arg, enum side receiver, bool arrived)
{
    struct session_settle *const g = arg;
    struct session *const s = g->session;

    if (!relay_resolve(session_settle_way(s, receiver), arrived)) {
        /* The sender's socket has not what it had: somebody else reads from it. */
        session_end(s, REASON_IO_ERROR);
        return;
    }
    session_settle_report(s, arrived ? IPC_DOUBT_RECEIVED : IPC_DOUBT_RESENT, &g->hdr[receiver]);
    channel_pair_hold(s->channels, side_other(receiver), false);
}

/* ---- asking ---- */

static void session_settle_set_timer(struct session_settle *g, unsigned ms)
{
    const struct timeval tv = clock_timeval(ms);

    event_add(&g->timer, &tv);
}

/* Sends the question. Returns false if the session has to end. */
static bool session_settle_ask(struct session_settle *g, enum side receiver)
{
    uint8_t question[SETTLE_QUESTION_SIZE];
    ssize_t n;

    settle_question(receiver, question);
    ++*g->settle.sides[receiver].due;
    n = sock_send(session_settle_way(g->session, receiver)->to_fd, question, sizeof question, NULL,
                  MSG_DONTWAIT);
    g->unasked[receiver] = n == -EAGAIN;
    if (n == (ssize_t)sizeof question) {
        return true;
    }
    --*g->settle.sides[receiver].due;
    /* A receiver that is gone: its direction finds that out itself. */
    return n < 0;
}

/* Its own time-out: asks again what could not be asked, or concludes from silence. */
static void session_settle_on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct session_settle *const g = arg;
    const uint64_t waited = clock_ms() - g->since_ms;

    (void)fd;
    (void)what;
    if (g->session->state == SESSION_DEAD) {
        return;
    }
    for (int i = 0; i < SIDES; i++) {
        struct settle_side *const side = &g->settle.sides[i];
        const unsigned limit = side->by_request ? LIMIT_SETTLE_MS : LIMIT_SETTLE_REPLY_MS;

        if (side->open && g->unasked[i] && !session_settle_ask(g, (enum side)i)) {
            session_end(g->session, REASON_IN_DOUBT);
            return;
        }
        if (!side->open || waited < limit) {
            continue;
        }
        if (side->by_request || g->unasked[i]) {
            session_end(g->session, REASON_IN_DOUBT);
            return;
        }
        /* It waits for the reply, so it has not got it. */
        side->open = false;
        session_settle_on_known(g, (enum side)i, false);
    }
    if (g->settle.sides[SIDE_CLIENT].open || g->settle.sides[SIDE_BACKEND].open) {
        session_settle_set_timer(g, RETRY_MS);
        return;
    }
    if (!settle_over(&g->settle)) {
        session_settle_set_timer(g, LIMIT_STALL_LOOK_MS);
        return;
    }
    relay_settle_by(&g->session->channels->to_backend, NULL);
    relay_settle_by(&g->session->channels->to_client, NULL);
}

/* Returns the session's, or NULL if out of memory. */
static struct session_settle *session_settle_get(struct session *s)
{
    struct session_settle *g = s->guard->settle;

    if (g) {
        return g;
    }
    g = calloc(1, sizeof *g);
    if (!g) {
        return NULL;
    }
    g->session = s;
    g->settle.fn = session_settle_on_known;
    g->settle.arg = g;
    for (int i = 0; i < SIDES; i++) {
        g->settle.sides[i].due = &s->guard->page->due[i];
    }
    g->since_ms = clock_ms();
    evtimer_assign(&g->timer, s->host->base, session_settle_on_timer, g);
    session_settle_set_timer(g, RETRY_MS);
    relay_settle_by(&s->channels->to_backend, &g->settle);
    relay_settle_by(&s->channels->to_client, &g->settle);
    s->guard->settle = g;
    return g;
}

void session_settle_free(struct session_settle *g)
{
    if (g) {
        evtimer_del(&g->timer);
        free(g);
    }
}

enum session_reason session_settle_go_on(struct session *s)
{
    const struct session_page *const p = s->guard->page;

    if (p->due[SIDE_CLIENT] == 0 && p->due[SIDE_BACKEND] == 0) {
        return REASON_NONE;
    }
    return session_settle_get(s) ? REASON_NONE : REASON_NO_RESOURCES;
}

/* Returns the bytes of whole messages that are in doubt, or 0 if its sender's socket has others. */
static size_t session_settle_look(const struct relay_direction *p, uint8_t *data, size_t room)
{
    const struct relay_mark *const m = p->mark;
    bool fds_near;
    const ssize_t n = sock_peek(p->from_fd, data, room, &fds_near);

    return relay_mark_is_front(m, data, n) ? m->intent : 0;
}

enum session_reason session_settle_begin(struct session *s, struct channel_pair *l, enum side from)
{
    struct relay_direction *const p = from == SIDE_CLIENT ? &l->to_backend : &l->to_client;
    const enum side receiver = side_other(from);
    struct settle_side side = {.open = true};
    uint8_t data[LIMIT_PEEK];
    const size_t n = session_settle_look(p, data, sizeof data);
    struct session_settle *g;
    struct wire_hdr hdr;

    if (n == 0) {
        return REASON_WORKER_DIED;
    }
    if (!settle_find(&side, data, n, &hdr)) {
        /* Posted writes: nothing shows whether they came, and a lost doorbell stops a device. */
        if (wire_get_hdr(data, n, UINT32_MAX, &hdr) != WIRE_FRAME_OK || !relay_resolve(p, false)) {
            return REASON_IO_ERROR;
        }
        session_settle_report(s, IPC_DOUBT_DOUBLED, &hdr);
        return REASON_NONE;
    }
    /* With a twin socket, requests to the client go there, and its replies are not in one order. */
    if (s->twin || s->guard->page->due[receiver] >= SESSION_PAGE_DUE_MOST) {
        return REASON_IN_DOUBT;
    }
    g = session_settle_get(s);
    if (!g) {
        return REASON_NO_RESOURCES;
    }
    side.due = g->settle.sides[receiver].due;
    g->settle.sides[receiver] = side;
    g->hdr[receiver] = hdr;
    s->guard->resumed_unsent = false;
    channel_pair_hold(l, from, true);
    return session_settle_ask(g, receiver) ? REASON_NONE : REASON_IN_DOUBT;
}
