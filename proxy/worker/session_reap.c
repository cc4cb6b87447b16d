/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Reports of a worker's sessions to the monitor, and the dismantling of dead ones: at the end of
 * the loop's turn, and in as many turns as that takes.
 */
#include "proxy/worker/session_reap.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/relay/gate_keep.h"
#include "proxy/worker/session_count.h"
#include "proxy/worker/session_fault.h"
#include "proxy/worker/device/session_replace.h"
#include "proxy/worker/device/session_hold.h"
#include "proxy/worker/session_inject.h"
#include "proxy/worker/session_linger.h"
#include "proxy/worker/session_refuse.h"
#include "proxy/ipc/turn.h"

#define SUBJECT(s, leg_name) \
    &(struct log_subject) \
    { \
        .session = (s)->id, .route = (s)->route, .leg = (leg_name), \
        .quiet = (s)->quiet != IPC_LOGGED \
    }

static void session_close_channels(struct session *s, struct channel_pair **l)
{
    if (*l) {
        session_count_channels(*l, &s->to_backend, &s->to_client);
        if (s->left) {
            channel_pair_let_go(*l);
        } else {
            channel_pair_deinit(*l);
        }
        if (*l != s->guard->channels) {
            free(*l);
        }
        *l = NULL;
    }
}

/* ---- reports while it relays ---- */

/* Keeps the taint that has been reported, and that is still to be, in the session's page. */
static void session_keep_taint(struct session *s)
{
    const struct report *const r = &s->guard->report;
    struct session_page *const p = s->guard->page;

    memcpy(p->taint, r->taint, sizeof p->taint);
    memcpy(p->taint_unsent, r->taint_unsent, sizeof p->taint_unsent);
}

void session_report_later(struct session *s)
{
    session_keep_taint(s);
    if (!s->reporting) {
        s->reporting = true;
        TAILQ_INSERT_TAIL(&s->host->reporting, s, reporting_link);
    }
    event_active(s->host->reap_event, 0, 0);
}

static bool session_send(struct session_host *h, const struct ipc_msg *m)
{
    h->full = !h->send(h, m);
    return !h->full;
}

/* The session can be resumed, unless its worker holds what another would lack. */
static void session_keep_gate(struct session *s)
{
    const struct session_guard *const g = s->guard;
    const bool alone = session_hold_holds(g->hold) || g->replace != NULL;

    if (s->channels && g->gate.watches) {
        g->page->outside = !gate_keep_rest(g->gate.keep) || alone;
    } else if (s->channels) {
        g->page->outside = alone;
    }
}

/*
 * Sends the monitor copies of the twin sockets, for another worker. Returns false if the channel is
 * full.
 */
static bool session_report_twin(struct session *s)
{
    const struct ipc_msg m = {.type = IPC_TWIN, .session = s->id};
    struct session_host *const h = s->host;

    if (!s->guard) {
        return true;
    }
    if (s->guard->twin_unsent && s->twin) {
        const int fds[SIDES] = {s->twin->client.fd, s->twin->backend.fd};

        h->full = !h->send_fds(h, &m, fds, SIDES);
        s->guard->twin_unsent = h->full;
    }
    return !s->guard->twin_unsent || !s->twin;
}

/* Sends all reports that may be sent. Returns false if the channel is full. */
static bool session_report_now(struct session *s)
{
    struct ipc_msg m = {.type = IPC_RESUMED, .session = s->id};

    if (!session_report_twin(s)) {
        return false;
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): only those that refuse lack a guard. */
    if (s->guard->resumed_unsent) {
        m.u.resumed = s->guard->resumed;
        if (!session_send(s->host, &m)) {
            return false;
        }
        s->guard->resumed_unsent = false;
        s->guard->resumed_sent = true;
    }
    if (!session_replace_report(s) || (s->guard->hold && !session_hold_report(s->guard->hold))) {
        s->host->full = true;
        return false;
    }
    while (report_next(&s->guard->report, &m)) {
        m.session = s->id;
        if (m.type == IPC_EXPORT) {
            gate_keep_exporting(s->guard->gate.keep, m.u.exports.n);
        }
        if (!session_send(s->host, &m)) {
            return false;
        }
        report_sent(&s->guard->report, &m);
        session_keep_taint(s);
    }
    if (s->state == SESSION_RELAYING || s->state == SESSION_DRAINING) {
        channel_pair_resume(s->channels);
        if (s->twin) {
            channel_pair_resume(s->twin);
        }
    }
    session_keep_gate(s);
    if (s->reporting) {
        s->reporting = false;
        TAILQ_REMOVE(&s->host->reporting, s, reporting_link);
    }
    return true;
}

void session_taint(struct session *s, enum side by, uint32_t bits)
{
    if (report_taint(&s->guard->report, by, bits)) {
        session_report_later(s);
    }
}

void session_recorded(struct session_host *h, uint64_t id)
{
    struct session *const s = session_of(h, id);

    if (s && s->state >= SESSION_RELAYING) {
        gate_keep_recorded(s->guard->gate.keep, s->guard->report.sent);
        report_answered(&s->guard->report);
        session_report_later(s);
    }
}

/* ---- dead ---- */

/* Closes all fds of a dead session. */
static void session_tear_down(struct session *s)
{
    /* The next worker of a session that goes on sees itself what its peers have not received. */
    struct session_lingerer *const left = s->guard && !s->left ? session_linger_new(s) : NULL;

    if (s->guard) {
        dma_denial_log_rest(&s->guard->denials, SUBJECT(s, "backend"));
        session_fault_log_overdue_rest(s);
        session_inject_log_rest(s);
    }
    greeting_free(s->greeting);
    s->greeting = NULL;
    session_close_channels(s, &s->channels);
    session_close_channels(s, &s->twin);
    if (s->guard) {
        fdroom_leave(&s->guard->fds);
        s->unread += session_linger_begin_take(s->host, left);
    }
    if (s->tap) {
        s->captured = tap_session_seen(s->tap);
        tap_session_free(s->tap);
        s->tap = NULL;
    }
}

/* One allocation: two sessions to a page of 4 KiB. */
struct session_memory {
    struct session_guard guard; /* first: it is what is freed */
    struct session session;
    struct channel_pair channels;
};

/* Returns the page in the slot, or NULL if there is none. */
static struct session_page *session_page_at(const struct session_host *h, uint32_t slot)
{
    return slot < h->slots
               ? (void *)(h->pages + SESSION_PAGE_HEAD + (size_t)slot * SESSION_PAGE_SIZE)
               : NULL;
}

_Static_assert(sizeof(struct session_memory) <= HEAP_POOL_HALF, "one session to a page");

void session_guard_init_memory(struct session_host *h)
{
    heap_pool_init(&h->memory, sizeof(struct session_memory));
    heap_pool_init(&h->dma_memory, sizeof(struct dma_settings));
    heap_pool_init(&h->keep_memory, sizeof(struct gate_keep));
    RB_INIT(&h->routes);
}

/* Returns false if out of memory. */
static bool session_guard_keep_dma(struct session_host *h, struct session_guard *guard,
                                   const struct dma_settings *settings)
{
    if (!session_settings_check_dma(settings)) {
        return true;
    }
    guard->dma = heap_pool_new(&h->dma_memory);
    if (guard->dma) {
        *guard->dma = *settings;
    }
    return guard->dma != NULL;
}

struct session_guard *session_guard_new(struct session_host *h, const struct ipc_session *settings)
{
    struct session_memory *const m = heap_pool_new(&h->memory);

    if (!m) {
        return NULL;
    }
    m->guard.session = &m->session;
    m->guard.channels = &m->channels;
    m->guard.page = session_page_at(h, settings->slot);
    if (!m->guard.page) {
        m->guard.page_owned = true;
        m->guard.page = calloc(1, sizeof *m->guard.page);
    }
    m->guard.route = session_route_hold(&h->routes, settings->route);
    if (!m->guard.page || !m->guard.route ||
        !session_guard_keep_dma(h, &m->guard, &settings->dma)) {
        session_guard_free(h, &m->guard);
        return NULL;
    }
    m->session.route = m->guard.route->name;
    return &m->guard;
}

void session_guard_free(struct session_host *h, struct session_guard *guard)
{
    if (guard->page_owned) {
        free(guard->page);
    }
    heap_pool_free(&h->dma_memory, guard->dma);
    session_route_release(&h->routes, guard->route);
    heap_pool_free(&h->memory, guard);
}

/* The next worker of a session that was handed over has yet to read its log, which stays. */
static void session_forget_gate(struct session *s)
{
    struct gate_keep *const keep = s->guard->gate.keep;

    if (keep && !s->left) {
        gate_keep_deinit(keep);
    }
    heap_pool_free(&s->host->keep_memory, keep);
    dma_gate_deinit(&s->guard->gate);
}

static void session_forget(struct session *s)
{
    TAILQ_REMOVE(s->closed ? &s->host->closed : &s->host->lists[s->state], s, link);
    if (s->id != 0) {
        session_index_remove(s);
    }
    if (s->reporting) {
        TAILQ_REMOVE(&s->host->reporting, s, reporting_link);
    }
    s->host->leaving -= s->leaving;
    if (s->guard) {
        session_forget_gate(s);
        report_deinit(&s->guard->report);
        session_replace_free(s);
        session_hold_free(s->guard->hold);
        session_inject_free(s);
        session_guard_free(s->host, s->guard);
        return;
    }
    free(s);
}

static bool session_report_left(struct session *s)
{
    const struct ipc_msg m = {.type = IPC_HANDED_OVER, .session = s->id};

    return session_send(s->host, &m);
}

static bool session_report_end(struct session *s)
{
    const struct ipc_msg m = {
        .type = IPC_ENDED,
        .session = s->id,
        .u.ended = {.reason = s->reason,
                    .by = s->by,
                    .err = (uint32_t)s->err,
                    .to_backend = s->to_backend,
                    .to_client = s->to_client,
                    .unread = s->unread,
                    .overdue = s->guard ? s->guard->page->overdue.answered : 0,
                    .captured = s->captured,
                    .injected = session_inject_count(s)}};

    if (s->id == 0) {
        return s->refusal == 0 || session_report_refused(s->host, s->refusal);
    }
    if (s->left) {
        return session_report_left(s);
    }
    /* Its taints and exports must be recorded before its end. */
    if (!session_report_now(s) || !report_done(&s->guard->report)) {
        return false;
    }
    if (s->guard->gate.keep) {
        gate_keep_end(s->guard->gate.keep);
    }
    return session_send(s->host, &m);
}

/*
 * Each of these does at least one step, more while the turn is short. Returns false if more remain.
 */

/* Frees greetings that are over: an idle session must be small. */
static bool session_reap_greetings(struct session_host *h)
{
    struct session *s;

    while ((s = SLIST_FIRST(&h->greeted))) {
        SLIST_REMOVE_HEAD(&h->greeted, greeted_link);
        greeting_free(s->greeting);
        s->greeting = NULL;
        heap_changed(&h->heap);
        if (turn_is_long()) {
            return SLIST_EMPTY(&h->greeted);
        }
    }
    return true;
}

/* Closes the fds of dead sessions, even if the monitor cannot be notified yet. */
static bool session_reap_sockets(struct session_host *h)
{
    struct session *s;

    while ((s = TAILQ_FIRST(&h->lists[SESSION_DEAD]))) {
        session_tear_down(s);
        s->closed = true;
        TAILQ_REMOVE(&h->lists[SESSION_DEAD], s, link);
        TAILQ_INSERT_TAIL(&h->closed, s, link);
        if (turn_is_long()) {
            return TAILQ_EMPTY(&h->lists[SESSION_DEAD]);
        }
    }
    return true;
}

/* Reports closed sessions. One that cannot be reported yet stays, so its number is not lost. */
static bool session_reap_closed(struct session_host *h)
{
    struct session *s;
    struct session *next;

    TAILQ_FOREACH_SAFE(s, &h->closed, link, next)
    {
        if (session_report_end(s)) {
            session_forget(s);
            heap_changed(&h->heap);
            if (turn_is_long()) {
                return next == NULL;
            }
        } else if (h->full) {
            return true;
        }
    }
    return true;
}

static bool session_report_all(struct session_host *h)
{
    struct session *s;
    struct session *next;

    TAILQ_FOREACH_SAFE(s, &h->reporting, reporting_link, next)
    {
        if (!session_report_now(s)) {
            return true;
        }
        if (turn_is_long()) {
            return next == NULL;
        }
    }
    return true;
}

void session_reap(evutil_socket_t fd, short what, void *arg)
{
    struct session_host *h = arg;

    (void)fd;
    (void)what;
    h->full = false;
    if (!session_reap_greetings(h) || !session_reap_sockets(h) || !session_reap_closed(h) ||
        !session_report_all(h)) {
        event_active(h->reap_event, 0, 0);
    }
}

void session_reap_all(struct session_host *h)
{
    struct session *s;

    while ((s = TAILQ_FIRST(&h->lists[SESSION_DEAD]))) {
        session_tear_down(s);
        session_forget(s);
    }
    while ((s = TAILQ_FIRST(&h->closed))) {
        session_forget(s);
    }
}
