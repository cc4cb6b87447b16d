/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The running captures of a session, and the sessions of a capture. */
#include "proxy/monitor/tracing/tracing_group.h"

#include <stdlib.h>

#include "proxy/monitor/routes/route.h"

/* Returns the group of a capture, or NULL if its session is over, or if out of memory. */
static struct tracing_group *tracing_group_of(const struct capture *c)
{
    struct monitor_session *t;

    if (!c->session) {
        return c->route->traced_by;
    }
    t = monitor_session_find(c->tracing->sessions, c->session);
    if (t && !t->traced_by) {
        t->traced_by = calloc(1, sizeof *t->traced_by);
        if (t->traced_by) {
            TAILQ_INIT(&t->traced_by->captures);
            t->traced_by->tap = &t->tap;
        }
    }
    return t ? t->traced_by : NULL;
}

static void tracing_group_add_capture(struct tap_settings *tap, const struct capture *c)
{
    const unsigned payload = c->how.payload;

    session_settings_add_tap(
        tap, &(struct tap_settings){.on = 1,
                                    .payload = payload >= CONFIG_PAYLOAD_ALL ? UINT32_MAX : payload,
                                    .guest = payload == CONFIG_PAYLOAD_GUEST});
}

void tracing_group_join(struct capture *c)
{
    c->group = tracing_group_of(c);
    if (c->group) {
        /* The tracer does not know it yet. */
        TAILQ_INSERT_HEAD(&c->group->captures, c, group_link);
        tracing_group_add_capture(c->group->tap, c);
    }
}

void tracing_group_notified(struct capture *c)
{
    if (c->group) {
        TAILQ_REMOVE(&c->group->captures, c, group_link);
        TAILQ_INSERT_TAIL(&c->group->captures, c, group_link);
    }
}

void tracing_group_leave(struct capture *c)
{
    struct tracing_group *const g = c->group;
    const struct capture *other;

    if (!g) {
        return;
    }
    TAILQ_REMOVE(&g->captures, c, group_link);
    c->group = NULL;
    *g->tap = (struct tap_settings){.on = 0};
    TAILQ_FOREACH(other, &g->captures, group_link)
    {
        tracing_group_add_capture(g->tap, other);
    }
}

void tracing_group_session_ended(struct monitor_session *t)
{
    struct capture *c;

    if (!t->traced_by) {
        return;
    }
    while ((c = TAILQ_FIRST(&t->traced_by->captures))) {
        TAILQ_REMOVE(&t->traced_by->captures, c, group_link);
        c->group = NULL;
    }
    free(t->traced_by);
    t->traced_by = NULL;
}

struct monitor_session *tracing_group_next_session(const struct capture *c,
                                                   const struct monitor_session *t)
{
    struct monitor_session *next;

    if (c->session) {
        next = t ? NULL : monitor_session_find(c->tracing->sessions, c->session);
        return next && next->member ? next : NULL;
    }
    next = t ? TAILQ_NEXT(t, route_link) : TAILQ_FIRST(&c->route->monitor_sessions);
    while (next && !next->member) {
        next = TAILQ_NEXT(next, route_link);
    }
    return next;
}

unsigned tracing_sessions(const struct capture *c)
{
    if (c->state != TRACING_RUNNING) {
        return 0;
    }
    return c->session ? tracing_group_next_session(c, NULL) != NULL : c->route->relayed;
}

void tracing_group_route_begun(void *arg, struct route *r, bool *bad)
{
    (void)arg;
    r->traced_by = calloc(1, sizeof *r->traced_by);
    if (!r->traced_by) {
        *bad = true;
        return;
    }
    TAILQ_INIT(&r->traced_by->captures);
    r->traced_by->tap = &r->tap;
}

void tracing_group_route_ended(void *arg, struct route *r)
{
    (void)arg;
    free(r->traced_by);
    r->traced_by = NULL;
}
