/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Follows the sessions that the monitor announces, and passes their messages to captures. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "trace/capture/tracer_parts.h"
#include "trace/capture/bypass.h"

static unsigned tracer_session_bucket(uint64_t number)
{
    return (unsigned)(number % TRACER_BUCKETS);
}

struct tracer_session *tracer_session_find(struct tracer *t, uint64_t number)
{
    struct tracer_session *s;

    LIST_FOREACH(s, &t->sessions[tracer_session_bucket(number)], link)
    {
        if (s->about.number == number) {
            return s;
        }
    }
    return NULL;
}

static struct tracer_session *tracer_session_new(struct tracer *t, uint64_t number)
{
    struct tracer_session *const s = calloc(1, sizeof *s);

    if (s) {
        s->about.number = number;
        LIST_INIT(&s->views);
        LIST_INSERT_HEAD(&t->sessions[tracer_session_bucket(number)], s, link);
    }
    return s;
}

static void tracer_session_set_text(char **to, const char *text)
{
    char *const copy = text ? strdup(text) : NULL;

    if (copy) {
        free(*to);
        *to = copy;
    }
}

/* The route is the part of the name before the last "/". */
static void tracer_session_set_route(struct tracer_session *s)
{
    const char *const slash = s->name ? strrchr(s->name, '/') : NULL;
    const size_t n = slash ? (size_t)(slash - s->name) : 0;

    if (n < sizeof s->about.route) {
        memcpy(s->about.route, s->name ? s->name : "", n);
        s->about.route[n] = '\0';
    }
}

void tracer_session_told(struct tracer *t)
{
    const struct tracer_msg *const m = &t->in;
    struct tracer_session *s = tracer_session_find(t, m->session);

    if (!s) {
        s = tracer_session_new(t, m->session);
    }
    if (!s) {
        log_error("tracer: out of memory: session %llu is not captured",
                  (unsigned long long)m->session);
        return;
    }
    s->worker = m->worker;
    tracer_session_set_text(&s->name, tracer_msg_text(m, 0));
    tracer_session_set_text(&s->description, tracer_msg_text(m, 1));
    tracer_session_set_text(&s->comment, tracer_msg_text(m, 2));
    tracer_session_set_route(s);
    s->about.name = s->name;
    s->about.comment = s->comment;
}

/* Returns the session's view of a capture, or NULL if that does not have the session. */
static struct tracer_view *tracer_session_view(const struct tracer_session *s,
                                               const struct tracer_capture *c)
{
    struct tracer_view *v;

    LIST_FOREACH(v, &s->views, session_link)
    {
        if (v->capture == c) {
            return v;
        }
    }
    return NULL;
}

void tracer_session_attach(struct tracer *t)
{
    struct tracer_session *const s = tracer_session_find(t, t->in.session);
    struct tracer_capture *const c = tracer_capture_find(t, t->in.capture);
    struct tracer_view *v;

    /* The next monitor repeats what the last one has sent. */
    if (!s || !c || tracer_session_view(s, c)) {
        return;
    }
    v = calloc(1, sizeof *v);
    if (!v) {
        return;
    }
    v->session = s;
    v->capture = c;
    v->late = t->in.late != 0;
    LIST_INSERT_HEAD(&s->views, v, session_link);
    LIST_INSERT_HEAD(&c->views, v, capture_link);
}

/* ---- views ---- */

static void tracer_session_view_free(struct tracer_view *v)
{
    free(v->name);
    free(v->description);
    free(v->comment);
    free(v);
}

void tracer_view_released(void *view)
{
    struct tracer_view *const v = view;

    if (--v->held == 0 && !v->session) {
        tracer_session_view_free(v);
    }
}

void tracer_view_leave(struct tracer_view *v)
{
    if (!v->session) {
        return;
    }
    if (v->held > 0) {
        tracer_session_set_text(&v->name, v->session->name);
        tracer_session_set_text(&v->description, v->session->description);
        tracer_session_set_text(&v->comment, v->session->comment);
    }
    LIST_REMOVE(v, session_link);
    LIST_REMOVE(v, capture_link);
    v->session = NULL;
    if (v->held == 0) {
        tracer_session_view_free(v);
    }
}

/* ---- the end ---- */

static void session_free(struct tracer_session *s)
{
    struct tracer_view *v;

    while ((v = LIST_FIRST(&s->views))) {
        tracer_view_leave(v);
    }
    LIST_REMOVE(s, link);
    free(s->name);
    free(s->description);
    free(s->comment);
    free(s);
}

/* Counts as lost: the worker counted more messages than have come. */
static void tracer_session_count_tail(struct tracer_view *v, uint64_t seen)
{
    if (v->begin_ns && seen > v->last) {
        const uint64_t tail = seen - v->last;

        v->lost += tail;
        v->capture->counts.lost += tail;
        v->last = seen;
    }
}

void tracer_session_ended(struct tracer *t)
{
    struct tracer_session *const s = tracer_session_find(t, t->in.session);
    const char *const reason = tracer_msg_text(&t->in, 0);
    const struct tracer_ended ended = t->in.u.ended;
    char comment[96];
    struct tracer_view *v;

    if (!s) {
        return;
    }
    snprintf(comment, sizeof comment, "{\"ended\":\"%s\"}", reason ? reason : "?");
    tracer_ring_drain(t, s->worker);
    while ((v = LIST_FIRST(&s->views))) {
        struct tracer_capture *const c = v->capture;

        tracer_session_count_tail(v, ended.seen);
        tracer_capture_statistics(v, comment);
        tracer_view_leave(v);
        if (ended.bad && c->memory) {
            tracer_flight_dump(c);
        }
        if (c->settings.once && !c->failed) {
            c->failed = true;
            c->why = TRACER_SESSION_ENDED;
        }
    }
    t->freed = true;
    session_free(s);
}

void tracer_sessions_free(struct tracer *t)
{
    for (unsigned i = 0; i < TRACER_BUCKETS; i++) {
        struct tracer_session *s;

        while ((s = LIST_FIRST(&t->sessions[i]))) {
            session_free(s);
        }
    }
}

/* ---- messages ---- */

/* Counts messages lost before this one: lost ones have numbers, too. */
static void tracer_session_count_gap(struct tracer_view *v, const struct trace_message *m)
{
    uint64_t gap;

    if (!v->begin_ns) {
        v->begin_ns = m->read_ns ? m->read_ns : 1;
        v->base = v->late ? m->number - 1 : 0;
        v->last = v->base;
    }
    /* The tap was removed and installed again: it counts from 1. */
    gap = m->number > v->last ? m->number - v->last - 1 : m->lost;
    v->missed += gap;
    v->lost += gap;
    v->capture->counts.lost += gap;
    v->last = m->number;
    v->changed = true;
}

static void tracer_session_on_wanted(const struct trace_session *s, const struct trace_message *m,
                                     const char *comment, void *arg)
{
    (void)s;
    tracer_capture_put(arg, m, comment);
}

void tracer_session_message(const struct tracer_session *s, const struct trace_message *m)
{
    char text[BYPASS_MAX];
    const char *const comment = bypass_comment(m, text);
    struct tracer_view *v;

    LIST_FOREACH(v, &s->views, session_link)
    {
        struct trace_message mine = *m;
        struct tracer_capture *const c = v->capture;

        if (c->failed) {
            continue;
        }
        tracer_session_count_gap(v, m);
        mine.lost = 0;
        mine.kept = snap_length_of(m->data, m->kept, m->size, c->keep);
        mine.kept = mine.kept < m->kept ? mine.kept : m->kept;
        if (c->filter) {
            filter_feed(c->filter, &s->about, &mine, comment, tracer_session_on_wanted, v);
        } else {
            tracer_capture_put(v, &mine, comment);
        }
    }
}
