/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Reads the workers' rings: when a bell rings, then every few milliseconds as long as records come.
 * A worker's records count only for that worker's sessions, and a damaged ring is never read again.
 */
#include <errno.h>
#include <malloc.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "trace/capture/record.h"
#include "trace/capture/tracer_parts.h"

/* Interval between two looks at the rings while records flow. */
static const struct timeval look_time = {.tv_usec = 20000};

/* Empty looks after which the tracer sleeps until a bell rings. */
#define EMPTY_LOOKS 5u

/*
 * Looks for which the tracer waits for a session that the monitor has not announced yet, since its
 * channel may be full. Then the message is dropped.
 */
#define STALLS 50u

/* Bytes read from one ring before the others have their turn. */
#define TURN (16u << 20)

/* Interval of reports of the counts to the monitor, in ms. */
#define TELL_MS 1000u

static void tracer_rings_ring_close(struct tracer_ring *r)
{
    if (r->bell) {
        event_free(r->bell);
        r->bell = NULL;
    }
    ring_reader_free(r->reader);
    r->reader = NULL;
    r->stalls = 0;
}

static void tracer_rings_ring_broken(struct tracer_ring *r)
{
    struct tracer *const t = r->tracer;
    const uint32_t worker = (uint32_t)(r - t->rings);

    log_error("tracer: the ring of worker %u is damaged; its sessions are no longer captured",
              worker);
    tracer_rings_ring_close(r);
    tracer_msg_init(&t->out, TRACER_BROKEN);
    t->out.worker = worker;
    tracer_say(t);
}

/*
 * Handles one record of a ring; s is NULL if the session is unknown. Returns false if the record
 * must be read again later.
 */
static bool tracer_rings_take_record(struct tracer_ring *r, const struct tracer_session *s,
                                     const struct trace_message *m)
{
    if (!s && r->stalls < STALLS) {
        r->stalls++;
        ring_unread(r->reader);
        return false;
    }
    r->stalls = 0;
    if (s) {
        tracer_session_message(s, m);
    }
    return true;
}

/* Reads up to `most` bytes of records from a ring. Returns true if there were any. */
static bool tracer_rings_drain(struct tracer_ring *r, size_t most)
{
    struct trace_message m;
    const void *p;
    size_t taken = 0;
    size_t n;
    int got;

    if (!r->reader) {
        return false;
    }
    while (taken < most && (got = ring_read(r->reader, &p, &n)) != 0) {
        const struct tracer_session *s;

        if (got == -ENOMEM) {
            break;
        }
        if (got < 0 || !record_get(p, n, &m)) {
            tracer_rings_ring_broken(r);
            return true;
        }
        s = tracer_session_find(r->tracer, m.session);
        if (s && s->worker != (uint32_t)(r - r->tracer->rings)) {
            tracer_rings_ring_broken(r);
            return true;
        }
        if (!tracer_rings_take_record(r, s, &m)) {
            break;
        }
        taken += n;
    }
    ring_release(r->reader);
    return taken > 0 || r->stalls > 0;
}

void tracer_ring_drain(struct tracer *t, uint32_t worker)
{
    if (worker < TRACER_WORKERS) {
        (void)tracer_rings_drain(&t->rings[worker], RING_SIZE_MAX);
    }
}

/* Sets the wait mode of all rings. Returns false if one is not empty. */
static bool tracer_rings_wait_all(struct tracer *t, enum ring_wait how)
{
    bool good = true;

    for (unsigned i = 0; i < TRACER_WORKERS; i++) {
        if (t->rings[i].reader) {
            good = ring_wait(t->rings[i].reader, how) && good;
        }
    }
    return good;
}

static void tracer_rings_look(struct tracer *t)
{
    bool some = false;

    for (unsigned i = 0; i < TRACER_WORKERS; i++) {
        some = tracer_rings_drain(&t->rings[i], TURN) || some;
    }
    tracer_captures_turn(t);
    t->empty_looks = some ? 0 : t->empty_looks + 1;
    if (t->empty_looks >= EMPTY_LOOKS && tracer_rings_wait_all(t, RING_ASLEEP)) {
        tracer_captures_notify(t);
        tracer_captures_reap(t);
        return;
    }
    (void)tracer_rings_wait_all(t, RING_LOOKING);
    (void)event_add(t->look, &look_time);
    if (clock_ms() - t->told_ms >= TELL_MS) {
        tracer_captures_notify(t);
    }
    tracer_captures_reap(t);
}

static void tracer_rings_on_look(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    tracer_rings_look(arg);
}

static void tracer_rings_on_bell(evutil_socket_t fd, short what, void *arg)
{
    struct tracer_ring *const r = arg;

    (void)fd;
    (void)what;
    ring_hear(r->reader);
    r->tracer->empty_looks = 0;
    tracer_rings_look(r->tracer);
}

void tracer_ring_take(struct tracer *t, int ring_fd, int bell_fd)
{
    const uint32_t worker = t->in.worker;
    struct tracer_ring *const r = worker < TRACER_WORKERS ? &t->rings[worker] : &t->rings[0];
    int err;

    if (r->reader) {
        /* Records that the worker left behind when it died. */
        (void)tracer_rings_drain(r, RING_SIZE_MAX);
        tracer_rings_ring_close(r);
    }
    err = ring_reader_new_take(&r->reader, ring_fd, bell_fd);
    if (!err) {
        r->bell = event_new(t->base, ring_reader_bell(r->reader), EV_READ | EV_PERSIST,
                            tracer_rings_on_bell, r);
        err = r->bell && event_add(r->bell, NULL) == 0 ? 0 : -ENOMEM;
    }
    if (err) {
        log_error("tracer: cannot read the ring of worker %u: %s", worker, strerror(-err));
        tracer_rings_ring_close(r);
        return;
    }
    t->empty_looks = 0;
    tracer_rings_look(t);
}

/* The C library keeps what lies below a block that is still in use, until it is asked. */
static void tracer_rings_give_memory_back(struct tracer *t)
{
    if (t->freed) {
        t->freed = false;
        (void)malloc_trim(0);
    }
}

static void tracer_rings_on_statistics(evutil_socket_t fd, short what, void *arg)
{
    struct tracer *const t = arg;
    struct tracer_capture *c;

    (void)fd;
    (void)what;
    LIST_FOREACH(c, &t->captures, link)
    {
        struct tracer_view *v;

        LIST_FOREACH(v, &c->views, capture_link)
        {
            if (v->changed && !c->failed) {
                tracer_capture_statistics(v, NULL);
            }
        }
    }
    tracer_captures_turn(t);
    tracer_captures_notify(t);
    tracer_captures_reap(t);
    tracer_rings_give_memory_back(t);
}

int tracer_rings_init(struct tracer *t)
{
    const struct timeval seldom = {.tv_sec = TRACER_STATISTICS_MS / 1000};

    for (unsigned i = 0; i < TRACER_WORKERS; i++) {
        t->rings[i].tracer = t;
    }
    t->look = evtimer_new(t->base, tracer_rings_on_look, t);
    t->statistics = event_new(t->base, -1, EV_PERSIST, tracer_rings_on_statistics, t);
    if (!t->look || !t->statistics || event_add(t->statistics, &seldom) < 0) {
        return -ENOMEM;
    }
    return 0;
}

void tracer_rings_free(struct tracer *t)
{
    for (unsigned i = 0; i < TRACER_WORKERS; i++) {
        tracer_rings_ring_close(&t->rings[i]);
    }
    if (t->look) {
        event_free(t->look);
    }
    if (t->statistics) {
        event_free(t->statistics);
    }
}
