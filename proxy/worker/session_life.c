/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A worker's sessions: states, timeouts, ends. greeting.c does the handshake, channel_pair.c the
 * relaying.
 */
#include "proxy/worker/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/sock.h"
#include "proxy/worker/session_watch.h"
#include "proxy/worker/session_adopt.h"
#include "proxy/worker/session_count.h"
#include "proxy/worker/greeting/session_evidence.h"
#include "proxy/worker/device/session_replace.h"
#include "proxy/worker/device/session_hold.h"
#include "proxy/worker/session_inject.h"
#include "proxy/worker/session_leave.h"
#include "proxy/worker/session_linger.h"
#include "proxy/worker/session_reap.h"
#include "proxy/worker/session_refuse.h"
#include "proxy/worker/session_relay.h"

#define SUBJECT(s, leg_name) \
    &(struct log_subject) \
    { \
        .session = (s)->id, .route = (s)->route, .leg = (leg_name), \
        .quiet = (s)->quiet != IPC_LOGGED \
    }

/* The only writer of a session's state. */
static void session_enter(struct session *s, enum session_state to)
{
    TAILQ_REMOVE(&s->host->lists[s->state], s, link);
    s->state = to;
    TAILQ_INSERT_TAIL(&s->host->lists[to], s, link);
}

void session_set_timer(struct session *s, unsigned ms)
{
    const struct timeval tv = clock_timeval(ms);

    event_add(&s->timer, &tv);
}

/* ---- the end ---- */

/* The only way out of a session. */
void session_end(struct session *s, enum session_reason reason)
{
    if (s->state == SESSION_DEAD) {
        return;
    }
    s->reason = reason;
    if (s->id == 0) {
        s->host->refusing--;
        TAILQ_REMOVE(&s->host->refusals, s, unsent_link);
    } else if (s->evidence_unsent) {
        s->evidence_unsent = false;
        TAILQ_REMOVE(&s->host->unsent, s, unsent_link);
    }
    session_enter(s, SESSION_DEAD);
    evtimer_del(&s->timer);
    if (s->channels) {
        channel_pair_stop(s->channels);
    }
    if (s->twin) {
        channel_pair_stop(s->twin);
    }
    if (s->guard && s->guard->hold) {
        session_hold_stop(s->guard->hold);
    }
    session_replace_stop(s);
    event_active(s->host->reap_event, 0, 0);
}

bool session_advance(struct session *s, enum session_state to)
{
    if (session_state_follows(s->state, to)) {
        session_enter(s, to);
        return true;
    }
    log_line(LOG_ERROR, SUBJECT(s, NULL),
             "internal error: state \"%s\" cannot follow \"%s\"; the session ends",
             session_state_name(to), session_state_name(s->state));
    session_end(s, REASON_INTERNAL);
    return false;
}

/* ---- relaying ---- */

static struct session_page_limits session_limits_of(const struct version_offer *o)
{
    return (struct session_page_limits){.max_fds = o->max_msg_fds,
                                        .max_data = o->max_data_xfer_size,
                                        .max_bitmap = o->max_bitmap_size};
}

static void session_complete_page(struct session *s, const struct greeting_result *r)
{
    struct session_page *const page = s->guard->page;

    page->limits[SIDE_CLIENT] = session_limits_of(&r->request);
    page->limits[SIDE_BACKEND] = session_limits_of(&r->reply);
    page->max_dma_maps = version_max_dma_maps(&r->reply);
    page->twin = r->reply.twin_supported;
    page->session = s->id;
}

static void session_begin_relaying(struct session *s)
{
    struct greeting *g = s->greeting;
    const struct greeting_result *const r = greeting_result(g);
    int fds[LIMIT_FDS_PER_SESSION] = {-1, -1, -1, -1};
    int err;

    if (!session_advance(s, SESSION_RELAYING)) {
        return;
    }
    evtimer_del(&s->timer);
    SLIST_INSERT_HEAD(&s->host->greeted, s, greeted_link);
    event_active(s->host->reap_event, 0, 0);
    fds[0] = greeting_steal(g, GREETING_CLIENT);
    fds[1] = greeting_steal(g, GREETING_BACKEND);
    if (r->reply.twin_supported) {
        fds[2] = greeting_steal(g, GREETING_CLIENT_TWIN);
        fds[3] = greeting_steal(g, GREETING_BACKEND_TWIN);
        s->guard->twin_unsent = true;
        session_report_later(s);
    }
    err = session_relay_open_take(s, fds);
    if (err) {
        log_line(LOG_ERROR, SUBJECT(s, NULL), "cannot relay: %s", strerror(-err));
        session_end(s, REASON_NO_RESOURCES);
        return;
    }
    if (s->guard->watch.gone) {
        session_watch_gone(s);
    }
}

/* ---- the handshake ---- */

static bool session_report_evidence(struct session *s)
{
    struct ipc_msg m = {.type = IPC_EVIDENCE, .session = s->id};

    session_evidence_of(greeting_result(s->greeting), &m.u.evidence);
    return s->host->send(s->host, &m);
}

/*
 * If this worker is killed during the handshake, another one can then answer instead. If the
 * channel is full this is lost, and the client's connection would be closed.
 */
static void session_report_heard(struct session *s, uint16_t id)
{
    const struct ipc_msg m = {.type = IPC_HEARD, .session = s->id, .u.heard.id = id};

    if (s->id != 0 && !s->host->send(s->host, &m)) {
        log_line(LOG_DEBUG, SUBJECT(s, "client"), "cannot send the request's id to the monitor");
    }
}

static void session_on_greeting(struct greeting *g, enum greeting_news news, void *arg)
{
    struct session *s = arg;
    const struct greeting_result *r = greeting_result(g);

    switch (news) {
    case GREETING_HEARD:
        session_report_heard(s, r->request_id);
        break;
    case GREETING_EVIDENCE:
        if (s->guard && s->guard->hold) {
            session_hold_promised(s->guard->hold, &r->reply);
        }
        if (session_advance(s, SESSION_DECIDING)) {
            if (!session_report_evidence(s)) {
                s->evidence_unsent = true;
                TAILQ_INSERT_TAIL(&s->host->unsent, s, unsent_link);
            }
        }
        break;
    case GREETING_ANSWERS:
        if (s->guard) {
            session_complete_page(s, r);
        }
        break;
    case GREETING_DONE:
        /* First of all: from now on the session can outlive this worker. */
        session_relay_complete(s);
        if (s->guard->hold) {
            session_hold_greeted(s->guard->hold, s->greeting);
        }
        if (r->said > RECITER_REFRAIN) {
            log_line(LOG_WARNING, SUBJECT(s, "client"),
                     "recited: %s (device's reply: %u bytes, request: %u bytes)",
                     reciter_said_text(r->said), r->reply_size, r->request_size);
        } else {
            log_line(LOG_INFO, SUBJECT(s, "client"), "recited: %s", reciter_said_text(r->said));
        }
        session_begin_relaying(s);
        break;
    case GREETING_FAILED:
        s->err = r->err;
        if (s->id != 0) {
            log_line(LOG_WARNING, SUBJECT(s, r->by_backend ? "backend" : "client"), "%s: %s%s%s",
                     session_reason_word(r->reason), r->why,
                     r->err ? "; error sent to the client: " : "", r->err ? strerror(r->err) : "");
        }
        session_end(s, r->reason);
        break;
    }
}

bool session_decide(struct session_host *h, uint64_t id, int err, enum session_reason reason)
{
    struct session *const s = session_of(h, id);

    if (s && s->state == SESSION_RELAYING) {
        return session_replace_decide(s, err, reason) ||
               session_hold_decide(s->guard->hold, err, reason);
    }
    if (!s || s->state != SESSION_DECIDING) {
        return false;
    }
    s->quiet = err == 0 && s->quiet == IPC_QUIET ? IPC_LOGGED : s->quiet;
    greeting_decide(s->greeting, err, reason);
    return true;
}

/* Looks whether a relaying session must end, or can be held. */
static void session_on_look(struct session *s)
{
    const enum session_reason reason = session_watch_turn(s);

    if (reason != REASON_NONE &&
        (reason != REASON_BACKEND_DIED || !session_replace_lose(s, reason))) {
        session_end(s, reason);
    }
}

static void session_on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct session *s = arg;

    (void)fd;
    (void)what;
    if (s->state == SESSION_RELAYING) {
        session_on_look(s);
    } else if (s->state != SESSION_DRAINING) {
        greeting_abort(s->greeting, REASON_HANDSHAKE_TIMEOUT, ETIMEDOUT,
                       "the handshake took too long");
    } else if (session_watch_died(s) != REASON_NONE) {
        session_end(s, session_watch_died(s));
    } else if (session_count_taken(s) != s->drained) {
        /* Bytes still pass: the timeout is for silence. */
        s->drained = session_count_taken(s);
        session_set_timer(s, s->drain_ms);
    } else {
        session_end(s, REASON_DRAIN_TIMEOUT);
    }
}

void session_enlist(struct session *s, struct session_host *h, uint64_t id,
                    enum session_state state)
{
    s->host = h;
    s->id = id;
    s->state = state;
    evtimer_assign(&s->timer, h->base, session_on_timer, s);
    TAILQ_INSERT_TAIL(&h->lists[state], s, link);
    if (id != 0) {
        session_index_add(s);
    }
}

/* Returns a session in RECITING with a greeting, or NULL if out of memory (sockets closed). */
static struct session *session_new_reciting(struct session_host *h, uint64_t id,
                                            struct session_guard *guard, int client_fd,
                                            int backend_fd,
                                            const struct greeting_settings *settings)
{
    struct session *s = guard ? guard->session : calloc(1, sizeof *s);

    if (!s) {
        sock_close(&client_fd);
        sock_close(&backend_fd);
        return NULL;
    }
    s->greeting =
        greeting_new_take(h->base, client_fd, backend_fd, settings, session_on_greeting, s);
    if (!s->greeting) {
        if (!guard) {
            free(s);
        }
        return NULL;
    }
    session_enlist(s, h, id, SESSION_RECITING);
    if (id == 0) {
        TAILQ_INSERT_TAIL(&h->refusals, s, unsent_link);
        h->refusing++;
    }
    return s;
}

int session_begin(struct session_host *h, uint64_t id, const struct ipc_session *settings,
                  int client_fd, int backend_fd)
{
    struct greeting_settings how = {.poem = &h->poem,
                                    .self = settings->self,
                                    .recite = (enum config_recite)settings->recite,
                                    .ask = (enum reciter_wants)settings->ask_backend,
                                    .keep = settings->hold || settings->shares != SETUP_SHARES_ALL};
    struct session_guard *guard = session_guard_new(h, settings);
    struct session *s;

    if (!guard) {
        sock_close(&client_fd);
        sock_close(&backend_fd);
        return -ENOMEM;
    }
    memset(guard->page, 0, sizeof *guard->page);
    session_relay_prepare(guard, h, settings);
    memcpy(how.sender_check, guard->watching, sizeof how.sender_check);
    how.page = guard->page;
    how.post = h->pool.post;
    if (settings->tap.on) {
        /* If out of memory, the session goes on uncaptured. */
        how.tap = tap_session_new(id, &settings->tap, &h->tap_host);
    }
    s = session_new_reciting(h, id, guard, client_fd, backend_fd, &how);
    if (!s) {
        tap_session_free(how.tap);
        session_guard_free(h, guard);
        return -ENOMEM;
    }
    s->tap = how.tap;
    overdue_init(&guard->page->overdue, settings->answer_ms);
    session_relay_adopt(s, guard, settings);
    session_inject_adopt(s);
    if (settings->hold || settings->shares != SETUP_SHARES_ALL) {
        /* If out of memory, the session ends with its device. */
        guard->hold = session_hold_new(s, settings, false);
    }
    session_set_timer(s, settings->handshake_ms);
    return 0;
}

void session_refuse(struct session_host *h, const struct ipc_refuse *settings, int client_fd)
{
    const struct greeting_settings how = {.poem = &h->poem, .refuse_err = (int)settings->err};
    struct session *s;

    if (settings->heard) {
        session_refuse_heard_take(h, settings, client_fd);
        return;
    }
    if (h->refusing == LIMIT_REFUSALS) {
        s = TAILQ_FIRST(&h->refusals);
        greeting_abort(s->greeting, REASON_REFUSED, 0, "too many are being refused");
    }
    s = session_new_reciting(h, 0, NULL, client_fd, -1, &how);
    if (!s) {
        (void)session_report_refused(h, settings->number);
        return;
    }
    s->refusal = settings->number;
    session_set_timer(s, settings->handshake_ms);
}

void session_end_one(struct session_host *h, uint64_t id)
{
    struct session *const s = session_of(h, id);

    if (!s) {
        return;
    }
    if (s->state <= SESSION_DECIDING) {
        greeting_abort(s->greeting, REASON_OPERATOR, ECONNABORTED, "ended by the operator");
    } else {
        session_end(s, REASON_OPERATOR);
    }
}

void session_end_all(struct session_host *h, enum session_reason reason)
{
    for (int state = 0; state < SESSION_DEAD; state++) {
        struct session *s;
        struct session *next;

        TAILQ_FOREACH_SAFE(s, &h->lists[state], link, next)
        {
            session_end(s, reason);
        }
    }
}

void session_host_resume(struct session_host *h)
{
    struct session *s;

    session_reap(-1, 0, h);
    session_adopt_resume(h);
    session_count_resume(h);
    while ((s = TAILQ_FIRST(&h->unsent)) && session_report_evidence(s)) {
        s->evidence_unsent = false;
        TAILQ_REMOVE(&h->unsent, s, unsent_link);
    }
}

int session_host_init(struct session_host *h)
{
    queue_pool_init(&h->pool);
    if (h->pages) {
        queue_pool_share(&h->pool, h->pages + session_page_places_at(h->slots), LIMIT_HELD,
                         LIMIT_HELD, &((struct session_page_head *)h->pages)->post);
    }
    h->chunks = (struct gate_chunks){.at = NULL};
    if (h->pages && !gate_chunks_init(
                        &h->chunks, (struct gate_chunk *)(void *)(h->pages + session_page_chunk_at(
                                                                                 h->slots, 1)))) {
        return -ENOMEM;
    }
    session_guard_init_memory(h);
    for (int state = 0; state < SESSION_STATES; state++) {
        TAILQ_INIT(&h->lists[state]);
    }
    SLIST_INIT(&h->greeted);
    TAILQ_INIT(&h->reporting);
    h->refusing = 0;
    RB_INIT(&h->by_id);
    TAILQ_INIT(&h->closed);
    h->full = false;
    TAILQ_INIT(&h->refusals);
    TAILQ_INIT(&h->unsent);
    h->count_after = 0;
    h->count_unsent = false;
    h->adopt_unsent = false;
    h->leaving = 0;
    h->reap_event = event_new(h->base, -1, 0, session_reap, h);
    return session_linger_init(h) && session_leave_init(h) && h->reap_event &&
                   heap_watch(&h->heap, h->base) == 0
               ? 0
               : -ENOMEM;
}

void session_host_deinit(struct session_host *h)
{
    if (!h->reap_event) {
        return;
    }
    session_end_all(h, REASON_SHUTDOWN);
    session_reap_all(h);
    heap_unwatch(&h->heap);
    session_linger_deinit(h);
    session_leave_deinit(h);
    session_inject_deinit(h);
    event_free(h->reap_event);
    queue_pool_deinit(&h->pool);
    gate_chunks_deinit(&h->chunks);
}

bool session_host_closed(const struct session_host *h)
{
    for (int state = 0; state < SESSION_STATES; state++) {
        if (!TAILQ_EMPTY(&h->lists[state])) {
            return false;
        }
    }
    return true;
}

bool session_host_empty(const struct session_host *h)
{
    return session_host_closed(h) && TAILQ_EMPTY(&h->closed);
}
