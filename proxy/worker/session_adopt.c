/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor takes what is sent before the first IPC_ADOPTED for the last one's, and ignores what
 * is repeated. So nothing is repeated before that has been sent.
 */
#include "proxy/worker/session_adopt.h"

#include <errno.h>

#include "proxy/worker/device/session_replace.h"
#include "proxy/worker/device/session_hold.h"
#include "proxy/worker/session_meter.h"

/* ---- repeating ---- */

static void session_adopt_repeat(struct session *s)
{
    struct session_guard *const g = s->guard;

    if (s->state < SESSION_RELAYING) {
        return;
    }
    if (!session_replace_repeat(s)) {
        session_end(s, REASON_MONITOR_GONE);
        return;
    }
    report_again(&g->report);
    g->twin_unsent = s->twin != NULL;
    g->resumed_unsent = g->resumed_unsent || g->resumed_sent;
    if (g->hold) {
        session_hold_repeat(g->hold);
    }
    session_report_later(s);
}

static void session_adopt_repeat_all(struct session_host *h)
{
    for (struct session *s = session_behind(h, 0); s; s = session_behind(h, s->id)) {
        session_adopt_repeat(s);
    }
}

/* ---- the list ---- */

/* Sends the next sessions, as many as a message holds. Returns false if the channel is full. */
static bool session_adopt_send(struct session_host *h)
{
    struct ipc_msg m = {.type = IPC_ADOPTED};
    struct ipc_adopted *const a = &m.u.adopted;
    const struct session *s = session_behind(h, h->adopt_after);

    for (; s && a->n < IPC_HELD; s = session_behind(h, s->id)) {
        a->held[a->n++] = (struct ipc_held){
            .session = s->id, .state = s->state, .tally = session_meter_number(s)};
    }
    a->last = !s;
    if (!h->send(h, &m)) {
        return false;
    }
    h->adopt_after = a->n > 0 ? a->held[a->n - 1].session : h->adopt_after;
    h->adopt_unsent = !a->last;
    if (!h->adopt_begun) {
        h->adopt_begun = true;
        session_adopt_repeat_all(h);
    }
    return true;
}

void session_adopt_resume(struct session_host *h)
{
    while (h->adopt_unsent && session_adopt_send(h)) {
    }
}

/* ---- what the last monitor had begun ---- */

static void session_adopt_refuse_handshakes(struct session_host *h)
{
    for (int state = SESSION_RECITING; state <= SESSION_DECIDING; state++) {
        struct session *s;
        struct session *next;

        TAILQ_FOREACH_SAFE(s, &h->lists[state], link, next)
        {
            if (s->id != 0) {
                greeting_refuse(s->greeting, REASON_MONITOR_GONE, ECONNABORTED,
                                "the monitor that was to decide has gone");
            }
        }
    }
}

/* The next monitor does not know these clients, nor their numbers. */
static void session_adopt_forget_refusals(struct session_host *h)
{
    struct session *s;

    TAILQ_FOREACH(s, &h->refusals, unsent_link)
    {
        s->refusal = 0;
    }
    TAILQ_FOREACH(s, &h->closed, link)
    {
        s->refusal = 0;
    }
    TAILQ_FOREACH(s, &h->lists[SESSION_DEAD], link)
    {
        s->refusal = 0;
    }
}

void session_adopt(struct session_host *h)
{
    session_adopt_refuse_handshakes(h);
    session_adopt_forget_refusals(h);
    h->count_unsent = false;
    h->adopt_after = 0;
    h->adopt_unsent = true;
    h->adopt_begun = false;
    session_adopt_resume(h);
}
