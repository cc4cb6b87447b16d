/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A capture: its blocks, its files, its counts, its end. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "trace/file/packet.h"
#include "trace/file/pcapng.h"
#include "trace/capture/tracer_parts.h"

/*
 * Time for a pipe's reader to read on when a capture ends; and after such a wait, the pause before
 * the next one, since captures that end together end one after the other.
 */
#define LAST_MS 200
#define LAST_PAUSE_MS 1000

struct tracer_capture *tracer_capture_find(struct tracer *t, uint64_t id)
{
    struct tracer_capture *c;

    LIST_FOREACH(c, &t->captures, link)
    {
        if (c->id == id) {
            return c;
        }
    }
    return NULL;
}

static uint32_t tracer_capture_why_of(int err)
{
    switch (err) {
    case -ENOSPC:
    case -EDQUOT:
        return TRACER_DISK_FULL;
    case -EFBIG:
    case -ENOMEM:
        return TRACER_LIMIT;
    case -EPIPE:
    case -ECONNRESET:
        return TRACER_READER_GONE;
    default:
        return TRACER_IO_ERROR;
    }
}

static void tracer_capture_fail(struct tracer_capture *c, int err)
{
    if (!c->failed) {
        c->failed = true;
        c->why = tracer_capture_why_of(err);
    }
}

/* ---- blocks ---- */

void *tracer_capture_room(struct tracer_capture *c, size_t n)
{
    void *p;
    int err;

    if (c->out.fd < 0 || c->failed) {
        return NULL;
    }
    p = tracer_out_room(&c->out, n, &err);
    if (err) {
        tracer_capture_fail(c, err);
    }
    return p;
}

/* n == 0: the block did not fit after all. */
static bool tracer_capture_added(struct tracer_capture *c, size_t n)
{
    tracer_out_add(&c->out, n);
    c->counts.bytes += n;
    return n > 0;
}

static char *tracer_capture_section_comment(const struct tracer_capture *c)
{
    json_t *const o = json_pack("{s:i}", "poemd-trace", 1);
    char *text = NULL;
    int bad = !o;

    if (!bad && *c->filter_text) {
        bad = json_object_set_new(o, "filter", json_string(c->filter_text));
    }
    if (!bad) {
        json_t *const payload = c->keep.payload == UINT32_MAX
                                    ? json_string(c->keep.guest ? "guest" : "all")
                                    : json_integer(c->keep.payload);

        bad = json_object_set_new(o, "payload", payload);
    }
    if (!bad) {
        text = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
    }
    json_decref(o);
    return text;
}

/* Begins a file. Returns false if that does not fit. */
static bool tracer_capture_section(struct tracer_capture *c)
{
    char *const comment = tracer_capture_section_comment(c);
    const size_t most = PCAPNG_BLOCK_MAX_OVERHEAD + (comment ? strlen(comment) : 0);
    void *const p = comment ? tracer_capture_room(c, most) : NULL;
    const bool good = p && tracer_capture_added(c, pcapng_section(p, most, comment));

    free(comment);
    c->file++;
    c->interfaces = 0;
    c->begun_ms = clock_ms();
    c->begun_bytes = tracer_out_size(&c->out);
    c->counts.files++;
    return good;
}

#define LATE ",\"late\":true}"

/*
 * Returns the session's comment, with "late" added if the capture began after the session. The
 * caller frees it.
 */
static char *tracer_capture_view_comment(const struct tracer_view *v, const char *comment)
{
    const size_t n = strlen(comment);
    char *out = NULL;

    /* Added only to an object with members: the monitor always sends session and route. */
    if (!v->late || n <= 2 || comment[n - 1] != '}' || strstr(comment, "\"late\":")) {
        return strdup(comment);
    }
    out = malloc(n - 1 + sizeof LATE);
    if (out) {
        memcpy(out, comment, n - 1);
        memcpy(out + n - 1, LATE, sizeof LATE);
    }
    return out;
}

static const char *tracer_capture_or_empty(const char *text)
{
    return text ? text : "";
}

bool tracer_capture_interface(struct tracer_view *v)
{
    const struct tracer_session *const s = v->session;
    const char *const name = tracer_capture_or_empty(s ? s->name : v->name);
    const char *const description = tracer_capture_or_empty(s ? s->description : v->description);
    char *comment;
    size_t most;
    void *p;

    if (v->file == v->capture->file) {
        return true;
    }
    comment = tracer_capture_view_comment(v, tracer_capture_or_empty(s ? s->comment : v->comment));
    if (!comment) {
        return false;
    }
    most = PCAPNG_BLOCK_MAX_OVERHEAD + strlen(name) + strlen(description) + strlen(comment);
    p = tracer_capture_room(v->capture, most);
    if (p &&
        tracer_capture_added(v->capture, pcapng_interface(p, most, name, description, comment))) {
        v->file = v->capture->file;
        v->interface = v->capture->interfaces++;
    }
    free(comment);
    return v->file == v->capture->file;
}

static void tracer_capture_dropped(struct tracer_view *v)
{
    v->missed++;
    v->lost++;
    v->capture->counts.lost++;
}

void tracer_capture_put(struct tracer_view *v, const struct trace_message *m, const char *comment)
{
    struct tracer_capture *const c = v->capture;
    const size_t most = PCAPNG_BLOCK_MAX_OVERHEAD + TRACE_CAPTURE_HDR_SIZE +
                        m->n_fds * TRACE_CAPTURE_FD_SIZE + m->kept +
                        (comment ? strlen(comment) : 0);
    struct trace_message mine = *m;
    size_t n = 0;
    void *p;

    mine.lost = v->missed < UINT32_MAX ? (uint32_t)v->missed : UINT32_MAX;
    if (c->memory) {
        p = tracer_memory_room(c->memory, most);
        n = p ? pcapng_message(p, most, 0, &mine, comment) : 0;
        if (n > 0) {
            tracer_memory_add(c->memory, n, v);
            v->held++;
        }
    } else if (tracer_capture_interface(v)) {
        p = tracer_capture_room(c, most);
        n = p ? pcapng_message(p, most, v->interface, &mine, comment) : 0;
        (void)tracer_capture_added(c, n);
    }
    if (n == 0) {
        tracer_capture_dropped(v);
        return;
    }
    v->missed = 0;
    c->counts.messages++;
}

void tracer_capture_statistics(struct tracer_view *v, const char *ending)
{
    struct tracer_capture *const c = v->capture;
    const size_t most = PCAPNG_BLOCK_MAX_OVERHEAD + (ending ? strlen(ending) : 0);
    const struct pcapng_statistics s = {.now_ns = (uint64_t)clock_time_ns(),
                                        .begin_ns = v->begin_ns,
                                        .seen = v->last - v->base,
                                        .lost = v->lost,
                                        .over = ending != NULL};
    void *p;
    size_t n;

    v->changed = false;
    if (!v->begin_ns) {
        return;
    }
    if (!c->memory) {
        /*
         * The filter may have selected no message; the statistics still report that messages
         * passed.
         */
        p = tracer_capture_interface(v) ? tracer_capture_room(c, most) : NULL;
        (void)tracer_capture_added(c, p ? pcapng_statistics(p, most, v->interface, &s, ending) : 0);
        return;
    }
    p = ending ? tracer_memory_room(c->memory, most) : NULL;
    n = p ? pcapng_statistics(p, most, 0, &s, ending) : 0;
    if (n > 0) {
        tracer_memory_add(c->memory, n, v);
        v->held++;
    }
}

/* ---- starting ---- */

/* Counts the messages that have not been written as lost. */
static void tracer_capture_lose_unwritten(struct tracer_capture *c)
{
    const uint64_t n = c->out.fd >= 0 ? tracer_out_unwritten(&c->out) : 0;

    c->counts.messages -= n < c->counts.messages ? n : c->counts.messages;
    c->counts.lost += n;
    c->out.start = c->out.end = 0;
}

void tracer_capture_close(struct tracer_capture *c)
{
    if (c->writable) {
        event_free(c->writable);
        c->writable = NULL;
    }
    if (c->hangup) {
        event_free(c->hangup);
        c->hangup = NULL;
    }
    tracer_capture_lose_unwritten(c);
    tracer_out_deinit(&c->out);
}

static void tracer_capture_free(struct tracer_capture *c)
{
    c->tracer->freed = true;
    LIST_REMOVE(c, link);
    while (LIST_FIRST(&c->views)) {
        tracer_view_leave(LIST_FIRST(&c->views));
    }
    tracer_memory_free(c->memory);
    tracer_capture_close(c);
    filter_free(c->filter);
    free(c->filter_text);
    free(c);
}

static void tracer_capture_on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct tracer_capture *const c = arg;
    struct tracer *const t = c->tracer;

    (void)fd;
    (void)what;
    tracer_captures_turn(t);
    tracer_captures_reap(t);
}

/*
 * A pipe's reader has gone: an error counts as readable. A socket or a terminal may be readable for
 * other reasons, and is not looked at again.
 */
static void tracer_capture_on_hangup(evutil_socket_t fd, short what, void *arg)
{
    struct tracer_capture *const c = arg;
    struct tracer *const t = c->tracer;
    struct pollfd p = {.fd = fd};

    (void)what;
    if (poll(&p, 1, 0) > 0) {
        tracer_capture_fail(c, -EPIPE);
        tracer_captures_reap(t);
    }
}

/* Starts to write to a file. Takes fd. */
static void tracer_capture_open_take(struct tracer_capture *c, int fd)
{
    const int err = tracer_out_init_take(&c->out, fd, c->settings.pack != 0);

    if (err) {
        tracer_capture_fail(c, err);
        return;
    }
    if (c->out.pipe) {
        c->writable = event_new(c->tracer->base, fd, EV_WRITE, tracer_capture_on_writable, c);
        c->hangup = event_new(c->tracer->base, fd, EV_READ, tracer_capture_on_hangup, c);
        if (c->hangup) {
            (void)event_add(c->hangup, NULL);
        }
    }
    (void)tracer_capture_section(c);
}

static bool tracer_capture_set_filter(struct tracer_capture *c, const char *text)
{
    char why[256];

    c->filter_text = strdup(text ? text : "");
    if (!c->filter_text || !*c->filter_text) {
        return c->filter_text != NULL;
    }
    c->filter = filter_new(c->filter_text, why, sizeof why);
    return c->filter != NULL;
}

void tracer_capture_begin_take(struct tracer *t, int fd)
{
    const struct tracer_settings *const s = &t->in.u.settings;
    struct tracer_capture *const c = calloc(1, sizeof *c);
    bool good;

    if (!c) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    c->tracer = t;
    c->id = t->in.capture;
    c->settings = *s;
    c->keep = (struct snap_length){.payload = s->payload, .guest = s->guest != 0};
    c->out.fd = -1;
    LIST_INIT(&c->views);
    LIST_INSERT_HEAD(&t->captures, c, link);
    good = tracer_capture_set_filter(c, tracer_msg_text(&t->in, 0));
    if (good && s->memory > 0) {
        c->memory = tracer_memory_new(s->memory, tracer_view_released);
        good = c->memory != NULL;
    }
    if (!good) {
        tracer_capture_fail(c, -ENOMEM);
    }
    if (fd >= 0) {
        tracer_capture_open_take(c, fd);
    }
}

/* ---- files ---- */

static void tracer_capture_all_statistics(struct tracer_capture *c, const char *ending)
{
    struct tracer_view *v;

    LIST_FOREACH(v, &c->views, capture_link)
    {
        tracer_capture_statistics(v, ending);
    }
}

void tracer_capture_flush(struct tracer_capture *c)
{
    int err;

    if (c->out.fd < 0 || c->out.start == c->out.end) {
        return;
    }
    err = tracer_out_flush(&c->out);
    if (c->out.full && !c->memory) {
        /* It goes on when there is room. A flight recorder writes once, and fails. */
        return;
    }
    if (err == -EAGAIN && c->writable) {
        (void)event_add(c->writable, NULL);
    } else if (err) {
        tracer_capture_fail(c, err);
    }
}

void tracer_capture_file_take(struct tracer *t, int fd)
{
    struct tracer_capture *const c = tracer_capture_find(t, t->in.capture);

    if (!c) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    c->wants_file = false;
    if (fd < 0) {
        /*
         * The monitor has logged why. The old file is used further; a flight recorder does not
         * dump.
         */
        c->dumping = false;
        c->begun_ms = clock_ms();
        c->begun_bytes = tracer_out_size(&c->out);
        return;
    }
    if (c->out.fd >= 0) {
        tracer_capture_all_statistics(c, NULL);
        tracer_capture_flush(c);
        tracer_capture_close(c);
    }
    tracer_capture_open_take(c, fd);
    if (c->dumping) {
        tracer_flight_write(c);
    }
}

static bool tracer_capture_next_is_due(const struct tracer_capture *c)
{
    const struct tracer_settings *const s = &c->settings;

    if (s->given || c->memory || c->wants_file || c->interfaces == 0) {
        return false;
    }
    return (s->rotate > 0 && tracer_out_size(&c->out) - c->begun_bytes >= s->rotate) ||
           (s->every_ms > 0 && clock_ms() - c->begun_ms >= s->every_ms);
}

void tracer_capture_notify(struct tracer_capture *c, enum tracer_type type, uint32_t why)
{
    struct tracer *const t = c->tracer;

    tracer_msg_init(&t->out, type);
    t->out.capture = c->id;
    t->out.error = why;
    t->out.u.counts = c->counts;
    c->told = c->counts;
    tracer_say(t);
}

void tracer_captures_turn(struct tracer *t)
{
    struct tracer_capture *c;

    LIST_FOREACH(c, &t->captures, link)
    {
        if (c->failed) {
            continue;
        }
        tracer_capture_flush(c);
        if (tracer_flight_unwritten(c)) {
            tracer_flight_write(c);
        }
        if (!c->failed && c->full != c->out.full) {
            c->full = c->out.full;
            tracer_capture_notify(c, TRACER_FULL, c->full);
        }
        if (!c->failed && tracer_capture_next_is_due(c)) {
            c->wants_file = true;
            tracer_msg_init(&t->out, TRACER_WANT_FILE);
            t->out.capture = c->id;
            tracer_say(t);
        }
    }
}

/* ---- the end ---- */

/* Gives the reader of a full pipe a moment to read the rest. */
static void tracer_capture_last_flush(struct tracer_capture *c)
{
    struct pollfd p = {.fd = c->out.fd, .events = POLLOUT};
    struct tracer *const t = c->tracer;
    uint64_t now = clock_ms();
    const uint64_t end = now < t->patient_ms ? now : now + LAST_MS;

    while (tracer_out_flush(&c->out) == -EAGAIN && (now = clock_ms()) < end) {
        t->patient_ms = now + LAST_PAUSE_MS;
        (void)poll(&p, 1, (int)(end - now));
    }
}

void tracer_capture_stop(struct tracer_capture *c, uint32_t why)
{
    char ending[64];

    snprintf(ending, sizeof ending, "{\"stopped\":\"%s\"}", tracer_why_word(why));
    if (c->out.fd >= 0) {
        /* If the disk was full, cutting the last block may have made room for these. */
        c->failed = false;
        tracer_capture_all_statistics(c, ending);
        c->out.retry_ms = 0;
        tracer_capture_last_flush(c);
        why = c->out.full ? TRACER_DISK_FULL : why;
        tracer_capture_lose_unwritten(c);
    }
    tracer_capture_notify(c, TRACER_STOPPED, why);
    tracer_capture_free(c);
}

void tracer_captures_reap(struct tracer *t)
{
    struct tracer_capture *c;
    struct tracer_capture *next;

    LIST_FOREACH_SAFE(c, &t->captures, link, next)
    {
        if (c->failed && !c->dumping) {
            tracer_capture_stop(c, c->why);
        }
    }
}

void tracer_captures_notify(struct tracer *t)
{
    struct tracer_capture *c;

    t->told_ms = clock_ms();
    LIST_FOREACH(c, &t->captures, link)
    {
        if (memcmp(&c->told, &c->counts, sizeof c->told) != 0) {
            tracer_capture_notify(c, TRACER_COUNTS, 0);
        }
    }
}
