/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The answers of a held session: made from what is kept, or errors when they are due. */
#include "proxy/worker/device/session_hold_answer.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sock.h"
#include "proxy/relay/gate_keep.h"
#include "proxy/worker/session.h"
#include "proxy/worker/session_attach.h"

#define SUBJECT(h) \
    &(struct log_subject) \
    { \
        .session = (h)->session->id, .route = (h)->session->route, .leg = "backend", \
        .quiet = (h)->session->quiet != IPC_LOGGED \
    }

/* Answers that wait for the client to take them: more are not made meanwhile. */
#define ANSWERS_ROOM 65536u

void session_hold_set(struct event *e, uint32_t ms)
{
    const struct timeval tv = clock_timeval(ms > 0 ? ms : 1);

    event_add(e, &tv);
}

/* Sends what waits. Returns true if all is sent. */
static bool session_hold_flush(struct session_hold *h)
{
    const int fd = h->session->channels->client.fd;

    while (h->answers_start < h->answers_end) {
        const ssize_t n = sock_send(fd, h->answers + h->answers_start,
                                    h->answers_end - h->answers_start, NULL, MSG_DONTWAIT);

        if (n == -EAGAIN) {
            event_add(&h->client_writable, NULL);
            return false;
        }
        if (n < 0) {
            /* The client is gone, as the channel pair notices once it reads. */
            break;
        }
        h->answers_start += (size_t)n;
        h->session->channels->to_client.mark->total.sent += (uint64_t)n;
    }
    free(h->answers);
    h->answers = NULL;
    h->answers_start = 0;
    h->answers_end = 0;
    return true;
}

/* Returns true if there is room for another answer. */
static bool session_hold_room(struct session_hold *h)
{
    if (!h->answers) {
        h->answers = malloc(ANSWERS_ROOM);
    }
    return h->answers && ANSWERS_ROOM - h->answers_end >= SETUP_ANSWER_MAX;
}

/* Adds replies of the gate's own, to messages that it has refused. */
static void session_hold_add_refusals(struct session_hold *h)
{
    struct dma_gate_side *const gate = &h->session->channels->dma;
    const uint8_t *bytes;
    size_t n;

    while (gate->answers && (n = dma_gate_replies(gate, true, &bytes)) > 0 &&
           session_hold_room(h)) {
        n = n < ANSWERS_ROOM - h->answers_end ? n : ANSWERS_ROOM - h->answers_end;
        memcpy(h->answers + h->answers_end, bytes, n);
        h->answers_end += n;
        gate_keep_sent(gate, true, n);
        dma_gate_replied(gate, true, n);
    }
}

static bool session_hold_is_due(const struct session_hold *h, const struct setup_request *r)
{
    return h->expired || (h->answer_ms > 0 && clock_coarse_ms() - r->since_ms >= h->answer_ms);
}

/* A request has waited for too long. */
static void session_hold_expire(struct session_hold *h)
{
    if (!h->expired) {
        log_line(LOG_WARNING, SUBJECT(h),
                 "held for %" PRIu32 " ms: what cannot be answered from what is kept gets EIO from "
                 "now on",
                 clock_coarse_ms() - h->lost_ms);
    }
    h->expired = true;
}

/* An error in the device's stead. */
static size_t session_hold_fail(struct session_hold *h, const struct setup_request *r,
                                uint8_t out[SETUP_ANSWER_MAX])
{
    const struct wire_hdr hdr = wire_error_hdr(&r->hdr, EIO);

    wire_put_hdr(out, &hdr);
    h->failed++;
    h->session->guard->page->overdue.answered++;
    return WIRE_HDR_SIZE;
}

/* Returns true if an older request with the same id waits: a reply would be taken for its own. */
static bool session_hold_is_behind(const struct session_hold *h, const struct setup_request *r)
{
    const struct setup_request *older;

    TAILQ_FOREACH(older, &h->setup->requests, link)
    {
        if (older->hdr.id == r->hdr.id) {
            return older != r;
        }
    }
    return false;
}

/* Writes the answer to a request. Returns its size, or 0 if the request waits. */
static size_t session_hold_make_answer(struct session_hold *h, const struct setup_request *r,
                                       uint8_t out[SETUP_ANSWER_MAX])
{
    const bool sets_up = h->state == HOLD_SETS_UP;
    /* An answer would change the record, which the next process is being given. */
    const size_t n = sets_up ? 0 : setup_answer(h->setup, r, out);

    if (n == 0 && session_hold_is_due(h, r)) {
        session_hold_expire(h);
        return session_hold_fail(h, r, out);
    }
    /* The next process will not get it. */
    return sets_up && !r->whole ? session_hold_fail(h, r, out) : n;
}

/* Answers the request if that is possible, or due. */
static void session_hold_answer_one(struct session_hold *h, const struct setup_request *r)
{
    uint8_t *const out = h->answers + h->answers_end;
    const size_t n = session_hold_is_behind(h, r) ? 0 : session_hold_make_answer(h, r, out);

    h->answers_end += n;
    if (n > 0 && !channel_pair_answers(h->session->channels, out, n)) {
        session_end(h->session, REASON_NO_RESOURCES);
    }
}

/* Sets the timer for the oldest request that waits. */
static void session_hold_await_due(struct session_hold *h)
{
    const struct setup_request *const r = TAILQ_FIRST(&h->setup->requests);
    uint32_t age;

    evtimer_del(&h->due);
    if (r && h->answer_ms > 0 && !h->expired) {
        age = clock_coarse_ms() - r->since_ms;
        session_hold_set(&h->due, age < h->answer_ms ? h->answer_ms - age : 1);
    }
}

/* Answers the requests, as far as there is room. Returns false if there was too little. */
static bool session_hold_answer_all(struct session_hold *h)
{
    const struct session *const s = h->session;
    struct setup_request *r;
    struct setup_request *next;
    bool room = true;

    if (h->attach && session_attach_repeats(h->attach)) {
        return true;
    }
    TAILQ_FOREACH_SAFE(r, &h->setup->requests, link, next)
    {
        room = session_hold_room(h);
        if (!room) {
            break;
        }
        session_hold_answer_one(h, r);
        if (h->setup->lack != SETUP_KEPT || s->state != SESSION_RELAYING) {
            break;
        }
    }
    return room;
}

void session_hold_answer_now(struct session_hold *h)
{
    struct session *const s = h->session;
    bool room;

    if (h->state == HOLD_RELAYS || s->state != SESSION_RELAYING) {
        return;
    }
    session_hold_add_refusals(h);
    room = session_hold_answer_all(h);
    if (h->setup->lack != SETUP_KEPT) {
        log_line(LOG_WARNING, SUBJECT(h), "cannot be held any longer: %s",
                 setup_lack_text(h->setup->lack));
        session_end(s, REASON_BACKEND_CLOSED);
        return;
    }
    if (s->state == SESSION_RELAYING) {
        if (session_hold_flush(h) && !room) {
            /* Goes on with those that had no room. */
            event_add(&h->client_writable, NULL);
        }
        channel_pair_rest(s->channels, h->answers || h->state == HOLD_SETS_UP);
        session_hold_await_due(h);
    }
}

void session_hold_fail_all(struct session_hold *h)
{
    const int client_fd = h->session->channels->client.fd;
    struct setup_request *r;
    struct setup_request *next;

    shutdown(client_fd, SHUT_RD);
    h->expired = true;
    TAILQ_FOREACH_SAFE(r, &h->setup->requests, link, next)
    {
        if (h->setup->lack != SETUP_KEPT || !session_hold_room(h)) {
            break;
        }
        session_hold_answer_one(h, r);
    }
    if (session_hold_flush(h)) {
        shutdown(client_fd, SHUT_WR);
    }
}
