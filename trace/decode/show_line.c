/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Decides which message is shown on which line. Lines are held in a ring, in their order, until the
 * oldest one's reply is there; each place of the ring keeps its buffers for the next line.
 */
#include "trace/decode/show_line.h"

#include <stdlib.h>

#include "base/log.h"

/*
 * Output is written in pieces of this size, and a place of the ring keeps at most this much memory.
 */
#define WRITTEN_AT_ONCE 65536u
#define PLACE_KEEPS 16384u

struct held {
    struct strbuf line;
    struct strbuf after; /* lines that follow below it */
    uint64_t read_ns;
    bool done;
};

struct show {
    struct show_look look;
    show_write_fn *write;
    void *arg;
    bool failed;
    struct trace_pairs *pairs;
    struct decode_scratch scratch;
    struct strbuf out;
    struct strbuf after; /* of a line that is not held */
    uint64_t first;      /* serial number of the oldest held line */
    uint64_t next;       /* of the next line */
    unsigned base;       /* the oldest line's place */
    uint64_t flushed;    /* the oldest line at the last flush that found another one than before */
    uint64_t flushed_ms; /* the time of that */
    size_t bytes;        /* of all held lines */
    struct held held[SHOW_HELD_MAX];
};

struct show *show_new(const struct show_options *o, show_write_fn *write, void *arg)
{
    struct show *s = calloc(1, sizeof *s);

    if (!s) {
        return NULL;
    }
    s->pairs = trace_pairs_new();
    if (!s->pairs) {
        free(s);
        return NULL;
    }
    s->look.o = *o;
    s->write = write;
    s->arg = arg;
    return s;
}

void show_free(struct show *s)
{
    if (!s) {
        return;
    }
    for (unsigned i = 0; i < SHOW_HELD_MAX; i++) {
        strbuf_deinit(&s->held[i].line);
        strbuf_deinit(&s->held[i].after);
    }
    strbuf_deinit(&s->out);
    strbuf_deinit(&s->after);
    decode_scratch_deinit(&s->scratch);
    trace_pairs_free(s->pairs);
    free(s);
}

bool show_failed(const struct show *s)
{
    return s->failed;
}

void show_begin(struct show *s, uint64_t ns)
{
    if (!s->look.begun) {
        s->look.begun = true;
        s->look.first_ns = ns;
    }
}

/* ---- output ---- */

static void show_write_out(struct show *s)
{
    if (!s->failed && s->out.n > 0 && !s->write(s->out.p, s->out.n, s->arg)) {
        s->failed = true;
    }
    s->failed = s->failed || s->out.failed || s->after.failed;
    strbuf_clear(&s->out);
}

static void show_write_enough(struct show *s)
{
    if (s->out.n >= WRITTEN_AT_ONCE) {
        show_write_out(s);
    }
}

/* ---- the ring ---- */

static struct held *show_place_of(struct show *s, uint64_t serial)
{
    return &s->held[(s->base + (unsigned)(serial - s->first)) % SHOW_HELD_MAX];
}

static void show_end_line(struct show *s, struct strbuf *line, enum show_end end)
{
    if (s->look.o.json) {
        show_json_end(line, end);
    } else {
        show_text_end(&s->look, line, end);
    }
}

static void show_empty(struct show *s, struct strbuf *t)
{
    s->failed = s->failed || t->failed;
    s->bytes -= t->n;
    if (t->room > PLACE_KEEPS) {
        strbuf_deinit(t);
    }
    strbuf_clear(t);
}

/* Writes the oldest line, which is complete or given up for the reason `end`. */
static void show_release(struct show *s, enum show_end end)
{
    struct held *h = show_place_of(s, s->first);

    strbuf_put(&s->out, h->line.p, h->line.n);
    if (!h->done) {
        show_end_line(s, &s->out, end);
    }
    if (h->after.n > 0) {
        strbuf_put(&s->out, h->after.p, h->after.n);
    }
    show_empty(s, &h->line);
    show_empty(s, &h->after);
    s->first++;
    s->base = s->first == s->next ? 0 : (s->base + 1) % SHOW_HELD_MAX;
    show_write_enough(s);
}

static void show_release_done(struct show *s)
{
    while (s->first < s->next && show_place_of(s, s->first)->done) {
        show_release(s, SHOW_ANSWERED);
    }
}

/* Makes room for one more line at time now_ns. */
static void show_make_room(struct show *s, uint64_t now_ns)
{
    while (s->first < s->next) {
        const struct held *h = show_place_of(s, s->first);
        const bool old = now_ns > h->read_ns && now_ns - h->read_ns > SHOW_HELD_NS;

        if (!old && s->next - s->first < SHOW_HELD_MAX && s->bytes < SHOW_HELD_BYTES) {
            return;
        }
        show_release(s, SHOW_UNFINISHED);
        show_release_done(s);
    }
}

/* Appends a line to the ring. */
static struct held *show_hold(struct show *s, uint64_t now_ns, bool done)
{
    struct held *h;

    show_make_room(s, now_ns);
    h = show_place_of(s, s->next++);
    h->read_ns = now_ns;
    h->done = done;
    return h;
}

/* ---- sessions ---- */

static void show_notify(struct show *s, const struct trace_session *session)
{
    struct show_session *const shown = session->user;
    struct held *const h = show_hold(s, 0, true);

    shown->told = true;
    if (s->look.o.json) {
        show_json_session(&h->line, session);
    } else {
        show_text_session(&s->look, &h->line, shown, session);
    }
    s->bytes += h->line.n;
    show_release_done(s);
}

void show_session(struct show *s, struct trace_session *session)
{
    struct show_session *const shown = calloc(1, sizeof *shown);

    session->user = shown;
    if (!shown) {
        s->failed = true;
        return;
    }
    log_escape(shown->label, sizeof shown->label, session->name, strlen(session->name));
    if (!s->look.o.lazy) {
        show_notify(s, session);
    }
}

void show_forget(struct trace_session *session)
{
    struct show_session *shown = session->user;

    if (shown) {
        free(shown->config);
        free(shown);
        session->user = NULL;
    }
}

void show_statistics(struct show *s, struct trace_session *session)
{
    struct show_session *shown = session->user;
    struct held *h;

    if (!session->over || !shown || !shown->told) {
        return;
    }
    h = show_hold(s, 0, true);
    if (s->look.o.json) {
        show_json_statistics(&h->line, session);
    } else {
        show_text_statistics(&s->look, &h->line, shown, session);
    }
    s->bytes += h->line.n;
    show_release_done(s);
    free(shown->config);
    shown->config = NULL;
}

/* ---- messages ---- */

static void show_learn(struct show_session *shown, const struct decode_view *v)
{
    if (!decode_teaches(v)) {
        return;
    }
    if (!shown->config) {
        shown->config = calloc(1, sizeof *shown->config);
    }
    if (shown->config) {
        decode_learn(shown->config, v);
    }
}

static void show_put_head(struct show *s, struct held *h, const struct show_item *i)
{
    if (s->look.o.json) {
        show_json_head(&s->look, &h->line, i);
    } else {
        show_text_head(&s->look, &h->line, &h->after, i);
    }
}

static void show_new_line(struct show *s, const struct show_item *i, bool waits, enum show_end end)
{
    struct held *h = show_hold(s, i->v->m->read_ns, !waits);

    show_put_head(s, h, i);
    if (!waits) {
        show_end_line(s, &h->line, end);
    }
    s->bytes += h->line.n + h->after.n;
    show_release_done(s);
}

/*
 * Adds a reply to the line of its request, or prints it on a line of its own if that line is gone.
 */
static void show_reply(struct show *s, const struct show_item *i)
{
    const uint64_t serial = i->request->tag;
    struct held *h;
    size_t before;

    if (serial < s->first) {
        show_new_line(s, i, false, SHOW_ANSWERED);
        return;
    }
    h = show_place_of(s, serial);
    before = h->line.n + h->after.n;
    if (s->look.o.json) {
        show_json_reply(&s->look, &h->line, i);
    } else {
        show_text_reply(&s->look, &h->line, &h->after, i);
    }
    show_end_line(s, &h->line, SHOW_ANSWERED);
    h->done = true;
    s->bytes += h->line.n + h->after.n - before;
    show_release_done(s);
}

void show_message(struct show *s, const struct trace_session *session,
                  const struct trace_message *m, const char *comment)
{
    struct show_session *const shown = session->user;
    struct trace_request request;
    struct decode_view v;
    struct show_item i = {.shown = shown, .session = session, .v = &v, .comment = comment};
    enum trace_pairing pairing;

    if (!shown) {
        return;
    }
    if (!shown->told) {
        show_notify(s, session);
    }
    show_begin(s, m->read_ns);
    decode_open(&v, m, &s->scratch);
    /* If this is a request, its tag is the number of the next line, which will show it. */
    show_make_room(s, m->read_ns);
    pairing = trace_pairs_feed(s->pairs, session, m, s->next, &request);
    switch (pairing) {
    case TRACE_PAIR_REPLY:
        i.request = &request;
        show_reply(s, &i);
        show_learn(shown, &v);
        break;
    case TRACE_PAIR_REQUEST:
        show_new_line(s, &i, !(v.hdr.flags & WIRE_NO_REPLY), SHOW_POSTED);
        break;
    case TRACE_PAIR_UNASKED:
    case TRACE_PAIR_NEITHER:
        show_new_line(s, &i, false, SHOW_ANSWERED);
        break;
    }
}

void show_flush(struct show *s, uint64_t now_ms)
{
    if (s->first == s->next || s->first != s->flushed || s->flushed_ms == 0) {
        s->flushed = s->first;
        s->flushed_ms = now_ms;
    } else if (now_ms - s->flushed_ms >= SHOW_PATIENCE_MS) {
        show_pause(s);
        return;
    }
    show_write_out(s);
}

void show_pause(struct show *s)
{
    while (s->first < s->next) {
        show_release(s, SHOW_UNFINISHED);
    }
    show_write_out(s);
}

void show_end(struct show *s)
{
    while (s->first < s->next) {
        show_release(s, SHOW_NEVER);
    }
    show_write_out(s);
}
