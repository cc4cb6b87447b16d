/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Goes on with a session of a worker that has died: checks its page, which a worker that was taken
 * over may have forged, opens the channel pairs and settles the message that was under way.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/sock.h"
#include "proxy/relay/gate_keep.h"
#include "proxy/worker/device/session_hold.h"
#include "proxy/worker/session_inject.h"
#include "proxy/worker/session_reap.h"
#include "proxy/worker/session_relay.h"
#include "proxy/worker/session_watch.h"

#define SUBJECT(s) \
    &(struct log_subject) \
    { \
        .session = (s)->id, .route = (s)->route, .quiet = (s)->quiet != IPC_LOGGED \
    }

/* Returns true if all that the session was is in its page: nothing was held by the worker alone. */
static bool session_resume_can(const struct session_guard *g, uint64_t id)
{
    const struct session_page *const p = g->page;

    return !g->page_owned && session_page_sound(p, id) && !p->outside && !p->injections.held;
}

/* Takes up the checks of senders that had not seen enough; the others stay off. */
static void session_resume_senders(struct session_guard *g, const int fds[SIDES])
{
    for (int i = 0; i < SIDES; i++) {
        if (g->watching[i] && sender_check_done(g->watching[i])) {
            g->watching[i] = NULL;
            if (sock_pass_sender(fds[i], false) < 0) {
                log_debug("worker: a socket's senders stay reported");
            }
        }
    }
}

static void session_resume_reports(struct session_guard *g)
{
    memcpy(g->report.taint, g->page->taint, sizeof g->report.taint);
    memcpy(g->report.taint_unsent, g->page->taint_unsent, sizeof g->report.taint_unsent);
    g->watch.handed_on = g->page->handed_on;
}

/*
 * The gate comes to the state in which the last worker's was. A message of memory that was handed
 * out may have got lost, or its answer: then that memory is reported once more, and marked.
 */
static bool session_resume_gate(struct session *s, const struct ipc_session *settings)
{
    struct session_guard *const g = s->guard;
    struct report *const r = &g->report;
    const uint8_t *const places =
        s->host->pages ? s->host->pages + session_page_places_at(s->host->slots) : NULL;

    if (g->gate.keep && !gate_keep_restore(g->gate.keep, places)) {
        return false;
    }
    r->unanswered = settings->exporting != 0;
    if (!r->unanswered) {
        r->again = r->sent > 0;
        r->sent = 0;
    }
    return true;
}

/* Has its capture go on behind the messages seen; relay_recover counts those that are missing. */
static void session_resume_tap(struct session *s, const struct ipc_session *settings)
{
    if (!settings->tap.on) {
        return;
    }
    s->tap = tap_session_new(s->id, &settings->tap, &s->host->tap_host);
    if (s->tap) {
        tap_session_go_on(s->tap, s->guard->page->captured);
    }
}

/* Reports what became of the message that was being sent. */
static void session_resume_report_sent(struct session *s, const struct relay_mark *m,
                                       enum ipc_doubt doubt)
{
    s->guard->resumed.doubt = doubt;
    memcpy(&s->guard->resumed.hdr, m->front, sizeof s->guard->resumed.hdr);
}

/* Recovers one direction. Returns REASON_NONE, or the reason for the session's end. */
static enum session_reason session_resume_way(struct session *s, struct channel_pair *l,
                                              enum side from)
{
    struct relay_direction *const p = from == SIDE_CLIENT ? &l->to_backend : &l->to_client;

    switch (relay_recover(p)) {
    case RELAY_RECOVERED:
        return REASON_NONE;
    case RELAY_RECOVERED_SENT:
        session_resume_report_sent(s, p->mark, IPC_DOUBT_RECEIVED);
        return REASON_NONE;
    case RELAY_RECOVERED_UNSENT:
        session_resume_report_sent(s, p->mark, IPC_DOUBT_RESENT);
        return REASON_NONE;
    default:
        return REASON_WORKER_DIED;
    }
}

static enum session_reason session_resume_ways(struct session *s)
{
    struct channel_pair *const pairs[] = {s->channels, s->twin};
    enum session_reason reason = REASON_NONE;

    for (unsigned i = 0; i < 2 && pairs[i]; i++) {
        for (int from = 0; from < SIDES && reason == REASON_NONE; from++) {
            reason = session_resume_way(s, pairs[i], (enum side)from);
        }
    }
    return reason;
}

/* Requests that no worker has read are as old as the last one may have left them. */
static void session_resume_look_back(struct session *s)
{
    uint32_t *const away_ms = &s->guard->page->overdue.away_ms;

    if (*away_ms != 0) {
        channel_pair_look_back(s->channels, *away_ms);
        *(volatile uint32_t *)away_ms = 0;
    }
}

/* Relays from its page on. Returns REASON_NONE, or the reason for its end. */
static enum session_reason session_resume_relaying(struct session *s,
                                                   const struct ipc_session *settings,
                                                   const int fds[LIMIT_FDS_PER_SESSION])
{
    enum session_reason reason;
    int err;

    session_resume_senders(s->guard, fds);
    session_resume_reports(s->guard);
    session_resume_tap(s, settings);
    if (settings->hold || settings->shares != SETUP_SHARES_ALL) {
        s->guard->hold = session_hold_new(s, settings, true);
    }
    err = session_relay_open_take(s, fds);
    if (err) {
        return err == -ENOMEM ? REASON_NO_RESOURCES : REASON_IO_ERROR;
    }
    session_relay_complete(s);
    s->guard->resumed_unsent = true;
    reason = session_resume_gate(s, settings) ? session_resume_ways(s) : REASON_WORKER_DIED;
    if (reason == REASON_NONE) {
        session_resume_look_back(s);
    }
    session_report_later(s);
    return reason;
}

int session_resume_take(struct session_host *h, uint64_t id, const struct ipc_session *settings,
                        const int fds[LIMIT_FDS_PER_SESSION])
{
    struct session_guard *const guard = session_guard_new(h, settings);
    struct session_page_head *const head = (struct session_page_head *)h->pages;
    enum session_reason reason = REASON_WORKER_DIED;
    int left[LIMIT_FDS_PER_SESSION];
    struct session *s;

    memcpy(left, fds, sizeof left);
    if (!guard) {
        for (int i = 0; i < LIMIT_FDS_PER_SESSION; i++) {
            sock_close(&left[i]);
        }
        return -ENOMEM;
    }
    if (head) {
        *(volatile uint64_t *)&head->hand = SESSION_PAGE_HAND(id, SESSION_PAGE_RESUMING);
    }
    s = guard->session;
    session_relay_prepare(guard, h, settings);
    session_enlist(s, h, id, SESSION_RELAYING);
    session_relay_adopt(s, guard, settings);
    session_inject_adopt(s);
    if (session_resume_can(guard, id)) {
        reason = session_resume_relaying(s, settings, fds);
    } else {
        for (int i = 0; i < LIMIT_FDS_PER_SESSION; i++) {
            sock_hang_up(&left[i]);
        }
    }
    if (reason != REASON_NONE) {
        log_line(LOG_ERROR, SUBJECT(s), "cannot go on in another worker: %s",
                 session_reason_word(reason));
        session_end(s, reason);
    }
    if (head) {
        *(volatile uint64_t *)&head->hand = 0;
    }
    return 0;
}
