/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The running captures of a session, and the sessions of a capture. */
#include "proxy/monitor/tracing/tracing_group.h"

#include <stdlib.h>

#include "proxy/monitor/monitor.h"
#include "proxy/monitor/tracing/tracing_parts.h"

/* Returns the group of a capture, or NULL if its session is over, or if out of memory. */
static struct tracing_group *tracing_group_of(const struct capture *c)
{
    struct monitor_session *t;

    if (!c->session) {
        return &c->route->traced_by;
    }
    t = monitor_session_find(c->tracing->monitor, c->session);
    if (t && !t->traced_by) {
        t->traced_by = calloc(1, sizeof *t->traced_by);
        if (t->traced_by) {
            TAILQ_INIT(&t->traced_by->captures);
        }
    }
    return t ? t->traced_by : NULL;
}

static void tracing_group_add(struct tap_settings *tap, const struct tap_settings *more)
{
    tap->on |= more->on;
    tap->payload = more->payload > tap->payload ? more->payload : tap->payload;
    tap->guest |= more->guest;
}

static void tracing_group_add_capture(struct tap_settings *tap, const struct capture *c)
{
    const unsigned payload = c->how.payload;

    tracing_group_add(
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
        tracing_group_add_capture(&c->group->tap, c);
    }
}

void tracing_group_told(struct capture *c)
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
    g->tap = (struct tap_settings){.on = 0};
    TAILQ_FOREACH(other, &g->captures, group_link)
    {
        tracing_group_add_capture(&g->tap, other);
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

struct tap_settings tracing_tap(const struct monitor *m, const struct monitor_session *t)
{
    struct tap_settings tap = {.on = 0};

    (void)m;
    tracing_group_add(&tap, &t->route->traced_by.tap);
    if (t->traced_by) {
        tracing_group_add(&tap, &t->traced_by->tap);
    }
    return tap;
}

struct monitor_session *tracing_next_ticket(const struct capture *c,
                                            const struct monitor_session *t)
{
    struct monitor_session *next;

    if (c->session) {
        next = t ? NULL : monitor_session_find(c->tracing->monitor, c->session);
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
    return c->session ? tracing_next_ticket(c, NULL) != NULL : c->route->relayed;
}
