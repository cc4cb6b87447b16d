/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Scripts for replays: messages copied from a trace, sorted, paired, and ordered so that they wait
 * for each other as in the recording. Uses no fd and no clock.
 */
#include "trace/replay/replay_script.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire/wire_command.h"
#include "base/unconst.h"
#include "trace/decode/native.h"
#include "trace/decode/pair.h"

#define ROOM_FIRST 256u

void replay_script_init(struct replay_script *s)
{
    *s = (struct replay_script){.n = 0};
}

static void replay_script_message_free(struct replay_message *m)
{
    free(unconst_pointer(m->data));
    free(unconst_pointer(m->fds));
}

void replay_script_deinit(struct replay_script *s)
{
    for (size_t i = 0; i < s->n; i++) {
        replay_script_message_free(&s->messages[i]);
    }
    free(s->messages);
    replay_script_init(s);
}

const char *replay_name(const struct replay_message *m, char *out, size_t size)
{
    const struct wire_command_info *const info = wire_command_find(m->hdr.command);

    if (info) {
        snprintf(out, size, "message %" PRIu64 " (%s%s)", m->number, info->name,
                 m->reply ? " reply" : "");
    } else {
        snprintf(out, size, "message %" PRIu64 " (command %u%s)", m->number, m->hdr.command,
                 m->reply ? " reply" : "");
    }
    return out;
}

struct trace_message replay_captured(const struct replay_message *m)
{
    return (struct trace_message){.number = m->number,
                                  .size = m->hdr.size,
                                  .kept = m->kept,
                                  .sender = m->sender,
                                  .legs = m->legs,
                                  .flags = m->flags,
                                  .data = m->data};
}

/* ---- adding ---- */

static int replay_script_reserve(struct replay_script *s)
{
    struct replay_message *more;
    const size_t room = s->room ? 2 * s->room : ROOM_FIRST;

    if (s->n < s->room) {
        return 0;
    }
    more = realloc(s->messages, room * sizeof *more);
    if (!more) {
        return -ENOMEM;
    }
    s->messages = more;
    s->room = room;
    return 0;
}

/* Copies n bytes; returns NULL if n is 0 or memory runs out. */
static void *replay_script_copy(const void *p, size_t n)
{
    void *const c = n > 0 ? malloc(n) : NULL;

    return c ? memcpy(c, p, n) : NULL;
}

static void replay_script_read_header(struct replay_message *r, const struct trace_message *m)
{
    if (!native_header(m, &r->hdr)) {
        r->hdr = (struct wire_hdr){.size = m->size};
    }
    /* The trace's size counts, whatever size the header has. */
    r->hdr.size = m->size;
    r->reply = wire_is_reply(&r->hdr);
}

int replay_script_add(struct replay_script *s, const struct trace_message *m)
{
    const size_t fds_size = m->n_fds * sizeof *m->fds;
    struct replay_message *r;

    s->bytes += sizeof *r + m->kept + fds_size;
    if (s->bytes > LIMIT_REPLAY_BYTES) {
        return -EFBIG;
    }
    if (replay_script_reserve(s)) {
        return -ENOMEM;
    }
    r = &s->messages[s->n];
    *r = (struct replay_message){
        .number = m->number,
        .read_ns = m->read_ns,
        .delivered_ns = m->flags & TRACE_UNDELIVERED ? UINT64_MAX : m->read_ns + m->passed_ns,
        .partner = REPLAY_NONE,
        .kept = m->kept,
        .n_fds = m->n_fds,
        .sender = m->sender,
        .legs = m->legs,
        .flags = m->flags,
        .socket = m->flags & TRACE_TWIN ? REPLAY_TWIN : REPLAY_MAIN,
        .data = replay_script_copy(m->data, m->kept),
        .fds = replay_script_copy(m->fds, fds_size)};
    s->n++;
    if ((m->kept > 0 && !r->data) || (m->n_fds > 0 && !r->fds)) {
        return -ENOMEM;
    }
    replay_script_read_header(r, m);
    return 0;
}

/* ---- order ---- */

static int replay_script_by_number(const void *a, const void *b)
{
    const struct replay_message *const x = a;
    const struct replay_message *const y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

/* Counts the numbers that are missing. */
static void replay_script_count_missing(struct replay_script *s)
{
    uint64_t next = 1;

    for (size_t i = 0; i < s->n; i++) {
        const uint64_t number = s->messages[i].number;

        if (number > next) {
            s->missing_near = s->missing ? s->missing_near : number;
            s->missing += number - next;
        }
        next = number + 1;
    }
}

/* Drops messages that were not seen on the leg, or that the client's side never delivered. */
static void replay_script_keep_leg(struct replay_script *s, unsigned leg)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->n; i++) {
        struct replay_message *const m = &s->messages[i];

        if (m->legs & leg) {
            s->messages[kept++] = *m;
        } else {
            replay_script_message_free(m);
        }
    }
    s->n = kept;
}

/* ---- pairing ---- */

static bool replay_script_pair_all(struct replay_script *s)
{
    static const struct trace_session session = {.name = ""};
    struct trace_pairs *const pairs = trace_pairs_new();
    struct trace_request request;

    if (!pairs) {
        return false;
    }
    for (size_t i = 0; i < s->n; i++) {
        struct replay_message *const r = &s->messages[i];
        const struct trace_message m = replay_captured(r);

        if (trace_pairs_feed(pairs, &session, &m, i, &request) == TRACE_PAIR_REPLY) {
            r->reply = true;
            r->partner = request.tag;
            s->messages[request.tag].partner = i;
        }
    }
    trace_pairs_free(pairs);
    return true;
}

/* ---- order of messages ---- */

/* Delivery times of one sender's messages on one socket, made monotonic. */
struct deliveries {
    size_t n;
    uint64_t *ns;
};

static bool replay_script_deliveries_init(struct deliveries *d, const struct replay_script *s,
                                          unsigned sender, unsigned socket)
{
    d->n = 0;
    d->ns = malloc((s->n + 1) * sizeof *d->ns);
    if (!d->ns) {
        return false;
    }
    for (size_t i = 0; i < s->n; i++) {
        struct replay_message *const m = &s->messages[i];

        if (m->sender == sender && m->socket == socket) {
            const uint64_t before = d->n > 0 ? d->ns[d->n - 1] : 0;

            m->ordinal = d->n;
            d->ns[d->n++] = m->delivered_ns > before ? m->delivered_ns : before;
        }
    }
    return true;
}

/* Number of messages delivered at time ns. */
static size_t replay_script_delivered_by(const struct deliveries *d, uint64_t ns)
{
    size_t low = 0;
    size_t high = d->n;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (d->ns[mid] <= ns && d->ns[mid] != UINT64_MAX) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

/*
 * Returns the pause before a message: the time since its sender's side last sent (*said) or
 * received one.
 */
static uint64_t replay_script_pause_before(const struct replay_message *m,
                                           const struct deliveries *other, uint64_t *said)
{
    uint64_t last = *said;

    for (unsigned socket = 0; socket < REPLAY_SOCKETS; socket++) {
        const size_t n = m->after[socket];

        if (n > 0 && other[socket].ns[n - 1] > last) {
            last = other[socket].ns[n - 1];
        }
    }
    *said = m->read_ns;
    return last > 0 && m->read_ns > last ? m->read_ns - last : 0;
}

static bool replay_script_find_waits(struct replay_script *s)
{
    uint64_t said[SIDES] = {0};
    struct deliveries d[SIDES][REPLAY_SOCKETS] = {{{0}}};
    bool ok = true;

    for (unsigned sender = 0; sender < SIDES; sender++) {
        for (unsigned socket = 0; socket < REPLAY_SOCKETS; socket++) {
            ok = replay_script_deliveries_init(&d[sender][socket], s, sender, socket) && ok;
        }
    }
    for (size_t i = 0; ok && i < s->n; i++) {
        struct replay_message *const m = &s->messages[i];

        for (unsigned socket = 0; socket < REPLAY_SOCKETS; socket++) {
            m->after[socket] = replay_script_delivered_by(&d[!m->sender][socket], m->read_ns);
        }
        m->pause_ns = replay_script_pause_before(m, d[!m->sender], &said[m->sender]);
    }
    for (unsigned i = 0; i < SIDES * REPLAY_SOCKETS; i++) {
        free(d[i / REPLAY_SOCKETS][i % REPLAY_SOCKETS].ns);
    }
    return ok;
}

/* ---- checks ---- */

static bool replay_script_has_version(const struct replay_script *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->messages[i].hdr.command == WIRE_VERSION) {
            return true;
        }
    }
    return false;
}

bool replay_script_finish(struct replay_script *s, unsigned leg, char *why, size_t size)
{
    if (s->n > 0) {
        qsort(s->messages, s->n, sizeof *s->messages, replay_script_by_number);
    }
    replay_script_count_missing(s);
    replay_script_keep_leg(s, leg);
    for (size_t i = 0; i < s->n; i++) {
        const struct replay_message *const r = &s->messages[i];
        const struct trace_message m = {.flags = r->flags};
        char name[64];

        if (native_foreign(&m)) {
            snprintf(why, size, "%s has another byte order than this machine",
                     replay_name(r, name, sizeof name));
            return false;
        }
        if (r->kept < WIRE_HDR_SIZE) {
            snprintf(why, size, "%s has no header", replay_name(r, name, sizeof name));
            return false;
        }
    }
    if (!replay_script_has_version(s)) {
        snprintf(why, size,
                 "the trace has no VERSION message: the capture began after the session, or left "
                 "it out; start it before the client connects");
        return false;
    }
    if (!replay_script_pair_all(s) || !replay_script_find_waits(s)) {
        snprintf(why, size, "out of memory");
        return false;
    }
    return true;
}
