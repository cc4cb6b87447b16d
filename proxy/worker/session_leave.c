/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A session can go on in another worker if all that it is lies in its page, as after a worker's
 * death; but nothing is in doubt. If it cannot be left now, because a message is held until it is
 * whole or an answer is awaited, it is tried again after a moment.
 */
#include "proxy/worker/session_leave.h"

#include "base/clock.h"

static bool session_leave_can(const struct session *s)
{
    const struct session_guard *const g = s->guard;

    return s->state == SESSION_RELAYING && !g->page->outside && !g->page->injections.held &&
           !g->resumed_unsent && !g->twin_unsent && report_done(&g->report) &&
           !g->report.unanswered && channel_pair_rests(s->channels) &&
           (!s->twin || channel_pair_rests(s->twin));
}

/* Returns false if it must be tried again. */
static bool session_leave_try(struct session *s)
{
    if (s->state == SESSION_RELAYING && !session_leave_can(s)) {
        return false;
    }
    s->leaving = false;
    s->host->leaving--;
    if (s->state == SESSION_RELAYING) {
        s->left = true;
        session_end(s, REASON_UPGRADE);
    }
    return true;
}

static void session_leave_later(struct session_host *h)
{
    const struct timeval tv = clock_timeval(LIMIT_LEAVE_MS);

    event_add(h->leave_event, &tv);
}

static void session_leave_on_time(evutil_socket_t fd, short what, void *arg)
{
    struct session_host *const h = arg;

    (void)fd;
    (void)what;
    for (struct session *s = session_behind(h, 0); s && h->leaving > 0;
         s = session_behind(h, s->id)) {
        if (s->leaving) {
            (void)session_leave_try(s);
        }
    }
    if (h->leaving > 0) {
        session_leave_later(h);
    }
}

void session_leave(struct session_host *h, uint64_t id)
{
    struct session *const s = session_of(h, id);

    if (!s || s->state != SESSION_RELAYING || s->leaving || s->guard->page_owned) {
        return;
    }
    s->leaving = true;
    h->leaving++;
    if (!session_leave_try(s)) {
        session_leave_later(h);
    }
}

bool session_leave_init(struct session_host *h)
{
    h->leave_event = evtimer_new(h->base, session_leave_on_time, h);
    return h->leave_event != NULL;
}

void session_leave_deinit(struct session_host *h)
{
    if (h->leave_event) {
        event_free(h->leave_event);
        h->leave_event = NULL;
    }
}
