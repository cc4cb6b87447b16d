/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Finds messages in the bytes that relay directions hold, and puts them into the worker's ring.
 * Reads clocks and looks at fds; writes only to memory, except for the ring's bell.
 */
#define _GNU_SOURCE
#include "proxy/relay/tap.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "trace/file/fd.h"
#include "trace/file/snap_length.h"
#include "trace/capture/record.h"

struct tap {
    struct tap_session *session;
    enum side sender;
    bool twin;
    bool active;         /* complete since the beginning of a message */
    bool fresh;          /* the next read begins a message */
    uint16_t n_fds;      /* of the message under way */
    uint16_t passed_fds; /* … sent or withheld so far */
    uint64_t read_ns;    /* when its first bytes were read */
    uint64_t waited_ns;  /* … how long its sender has been waited for since */
    uint64_t waits_ns;   /* since when it is waited for; 0: it is not */
    size_t walk;         /* bytes of the queue that have been handled */
    uint64_t left;       /* of a message larger than the queue: bytes not yet sent */
    uint32_t size;       /* … its size */
    uint32_t want;       /* … bytes of it to keep */
    uint32_t have;       /* … kept so far, at head */
    uint8_t *head;       /* owned */
    uint32_t head_room;
    struct trace_fd *fds; /* owned, LIMIT_FDS_KERNEL of them; NULL before the first fd */
};

struct tap_session {
    uint64_t session;
    uint64_t number; /* of the last message */
    uint64_t *kept;  /* borrowed: the same; or NULL */
    uint64_t lost;   /* right before the next one */
    uint64_t offset; /* from CLOCK_MONOTONIC to the time since 1970, in ns */
    const struct tap_host *host;
    struct snap_length keep;
    bool unpublished;
    struct tap taps[SIDES][2];
};

/* ---- sessions ---- */

uint64_t tap_now(const struct tap_session *s)
{
    return clock_ns() + s->offset;
}

void tap_session_set(struct tap_session *s, const struct tap_settings *settings)
{
    s->keep = (struct snap_length){.payload = settings->payload, .guest = settings->guest != 0};
}

struct tap_session *tap_session_new(uint64_t session, const struct tap_settings *settings,
                                    const struct tap_host *host)
{
    struct tap_session *const s = calloc(1, sizeof *s);

    if (!s) {
        return NULL;
    }
    s->session = session;
    s->host = host;
    s->offset = (uint64_t)clock_time_ns() - clock_ns();
    tap_session_set(s, settings);
    for (int sender = 0; sender < SIDES; sender++) {
        for (int twin = 0; twin < 2; twin++) {
            s->taps[sender][twin] =
                (struct tap){.session = s, .sender = (enum side)sender, .twin = twin != 0};
        }
    }
    return s;
}

void tap_session_free(struct tap_session *s)
{
    if (!s) {
        return;
    }
    for (int sender = 0; sender < SIDES; sender++) {
        for (int twin = 0; twin < 2; twin++) {
            free(s->taps[sender][twin].head);
            free(s->taps[sender][twin].fds);
        }
    }
    free(s);
}

void tap_session_keep(struct tap_session *s, uint64_t *number)
{
    s->kept = number;
    *number = s->number;
}

void tap_session_go_on(struct tap_session *s, uint64_t number)
{
    s->number = number;
}

uint64_t tap_session_seen(const struct tap_session *s)
{
    return s->number;
}

struct tap *tap_of(struct tap_session *s, enum side sender, bool twin)
{
    return &s->taps[sender][twin];
}

/* ---- records ---- */

/* Cuts the kept bytes to the size that a ring can take. */
static void tap_fit(struct trace_message *m, const struct ring_writer *ring)
{
    const size_t size = record_size(m);
    const size_t most = ring_writer_most(ring);

    if (size > most) {
        const size_t over = size - most;

        m->kept = m->kept > over ? m->kept - (uint32_t)over : 0;
    }
}

static void tap_session_count(struct tap_session *s, uint32_t messages)
{
    s->number += messages;
    if (s->kept) {
        *s->kept = s->number;
    }
}

/* Puts the message, with its kept bytes at data, into the ring. */
static void tap_put(struct tap_session *s, struct trace_message *m)
{
    struct ring_writer *const ring = s->host->ring;
    void *p = NULL;

    m->session = s->session;
    tap_session_count(s, 1);
    m->number = s->number;
    m->lost = s->lost < UINT32_MAX ? (uint32_t)s->lost : UINT32_MAX;
    if (ring) {
        tap_fit(m, ring);
        p = ring_reserve(ring, record_size(m));
    }
    if (!p) {
        s->lost++;
        return;
    }
    record_put(p, m);
    s->lost = 0;
    s->unpublished = true;
}

static void tap_publish(struct tap_session *s)
{
    if (s->unpublished && s->host->ring) {
        ring_publish(s->host->ring);
    }
    s->unpublished = false;
}

void tap_session_record(struct tap_session *s, struct trace_message *m)
{
    const uint32_t keep = snap_length_of(m->data, m->kept, m->size, s->keep);

    m->kept = keep < m->kept ? keep : m->kept;
    tap_put(s, m);
    tap_publish(s);
}

/* Returns the current message, with its kept bytes at data. */
static struct trace_message tap_message(const struct tap *t, const uint8_t *data, uint32_t size,
                                        uint32_t kept)
{
    return (struct trace_message){.read_ns = t->read_ns,
                                  .waited_ns = t->waited_ns,
                                  .size = size,
                                  .kept = kept,
                                  .sender = (uint8_t)t->sender,
                                  .legs = TRACE_LEGS,
                                  .flags = t->twin ? TRACE_TWIN : 0,
                                  .n_fds = t->n_fds,
                                  .fds = t->fds,
                                  .data = data};
}

/* They belonged to the message just recorded. */
static void tap_forget_fds(struct tap *t)
{
    t->n_fds = 0;
    t->passed_fds = 0;
}

/* Records a message of which n bytes are at data; adds flags to its own. */
static void tap_emit(struct tap *t, const struct wire_hdr *hdr, const uint8_t *data, size_t n,
                     uint8_t flags, uint64_t now)
{
    const uint32_t keep = snap_length_of_hdr(hdr, hdr->size, t->session->keep);
    struct trace_message m = tap_message(t, data, hdr->size, keep < n ? keep : (uint32_t)n);

    m.flags |= flags;
    m.passed_ns = now - m.read_ns;
    tap_put(t->session, &m);
    tap_forget_fds(t);
}

/* ---- a message that streams through ---- */

static void tap_stream_begin(struct tap *t, const struct wire_hdr *hdr)
{
    t->left = hdr->size;
    t->size = hdr->size;
    t->have = 0;
    t->want = snap_length_of_hdr(hdr, hdr->size, t->session->keep);
    if (t->want > t->head_room) {
        uint8_t *const more = realloc(t->head, t->want);

        if (more) {
            t->head = more;
            t->head_room = t->want;
        } else {
            /* It is recorded even so, with fewer bytes. */
            t->want = t->head_room;
        }
    }
}

/* Keeps the next n bytes of it. */
static void tap_stream_keep(struct tap *t, const uint8_t *data, size_t n)
{
    const uint32_t room = t->want - t->have;
    const uint32_t take = n < room ? (uint32_t)n : room;

    if (take > 0) {
        memcpy(t->head + t->have, data, take);
        t->have += take;
    }
}

static void tap_stream_emit(struct tap *t, uint8_t flags, uint32_t missing, uint64_t now)
{
    struct trace_message m = tap_message(t, t->head, t->size, t->have);

    m.flags |= flags;
    m.missing = missing;
    m.passed_ns = now - m.read_ns;
    tap_put(t->session, &m);
    tap_forget_fds(t);
    t->left = 0;
}

/* ---- calls of relay directions ---- */

void tap_begin(struct tap *t)
{
    t->active = true;
    t->fresh = true;
    t->waits_ns = 0;
    t->walk = 0;
    t->left = 0;
    tap_forget_fds(t);
}

void tap_missed(struct tap *t, uint32_t messages)
{
    t->session->lost += messages;
    tap_session_count(t->session, messages);
}

void tap_read(struct tap *t, const struct fdset *fds, unsigned before)
{
    if (!t->active) {
        return;
    }
    if (t->fresh) {
        t->fresh = false;
        t->waited_ns = 0;
        t->read_ns = tap_now(t->session);
    } else if (t->waits_ns > 0) {
        t->waited_ns += tap_now(t->session) - t->waits_ns;
    }
    t->waits_ns = 0;
    if (fds->n > before && !t->fds) {
        t->fds = calloc(LIMIT_FDS_KERNEL, sizeof *t->fds);
    }
    for (unsigned i = before; i < fds->n && t->fds && t->n_fds < LIMIT_FDS_KERNEL; i++) {
        t->fds[t->n_fds++] = tap_describe(t->session, fds->fds[i]);
    }
}

void tap_wait(struct tap *t)
{
    if (t->active && !t->fresh && t->waits_ns == 0) {
        t->waits_ns = tap_now(t->session);
    }
}

void tap_sent(struct tap *t, const uint8_t *data, size_t start, size_t end)
{
    const uint64_t now = t->active ? tap_now(t->session) : 0;

    while (t->active && t->walk < start) {
        const uint8_t *const at = data + t->walk;
        struct wire_hdr hdr;

        if (t->left > 0) {
            const size_t n = t->left < start - t->walk ? (size_t)t->left : start - t->walk;

            tap_stream_keep(t, at, n);
            t->left -= n;
            t->walk += n;
            if (t->left == 0) {
                tap_stream_emit(t, 0, 0, now);
            }
            continue;
        }
        if (wire_get_hdr(at, end - t->walk, UINT32_MAX, &hdr) != WIRE_FRAME_OK) {
            t->active = false;
        } else if (hdr.size > end - t->walk) {
            tap_stream_begin(t, &hdr);
        } else if (hdr.size > start - t->walk) {
            break;
        } else {
            tap_emit(t, &hdr, at, hdr.size, 0, now);
            t->walk += hdr.size;
        }
    }
    t->passed_fds = t->n_fds;
    if (start == end) {
        t->walk = 0;
    }
    tap_publish(t->session);
}

void tap_sent_part(struct tap *t, const uint8_t *data, size_t start, size_t end)
{
    struct wire_hdr hdr;

    tap_sent(t, data, start, end);
    if (t->active && start < end && t->walk < start) {
        memcpy(&hdr, data + t->walk, sizeof hdr);
        tap_stream_begin(t, &hdr);
        tap_stream_keep(t, data + t->walk, start - t->walk);
        t->left -= start - t->walk;
    }
    t->walk = 0;
}

/*
 * Records the n bytes of a message that was not delivered. If they begin it, and are not behind
 * others that were not delivered either, its sender sent no more of it.
 */
static void tap_end_message(struct tap *t, const struct wire_hdr *hdr, const uint8_t *data,
                            size_t n, bool first, uint64_t now)
{
    const uint32_t keep = snap_length_of_hdr(hdr, hdr->size, t->session->keep);
    struct trace_message m = tap_message(t, data, hdr->size, keep < n ? keep : (uint32_t)n);

    m.flags |= TRACE_UNDELIVERED;
    m.missing = first ? hdr->size - (uint32_t)n : 0;
    m.passed_ns = now - m.read_ns;
    tap_put(t->session, &m);
    tap_forget_fds(t);
}

void tap_end(struct tap *t, const uint8_t *data, size_t end)
{
    const uint64_t now = t->active ? tap_now(t->session) : 0;
    struct wire_hdr hdr = {.size = WIRE_HDR_SIZE};
    bool first = true;

    if (t->active && t->waits_ns > 0) {
        t->waited_ns += now - t->waits_ns;
        t->waits_ns = 0;
    }
    if (t->active && t->left > 0) {
        const size_t n = end - t->walk < t->left ? end - t->walk : (size_t)t->left;

        if (n > 0) {
            tap_stream_keep(t, data + t->walk, n);
        }
        t->walk += n;
        /* Bytes that were held back show a slow receiver: the sender may have sent the rest. */
        tap_stream_emit(t, TRACE_UNDELIVERED, n > 0 ? 0 : (uint32_t)t->left, now);
        first = false;
    }
    while (t->active && t->walk < end &&
           wire_get_hdr(data + t->walk, end - t->walk, UINT32_MAX, &hdr) == WIRE_FRAME_OK) {
        const size_t n = hdr.size < end - t->walk ? hdr.size : end - t->walk;

        tap_end_message(t, &hdr, data + t->walk, n, first, now);
        t->walk += n;
        first = false;
    }
    if (t->active && first && end - t->walk > 0 && end - t->walk < WIRE_HDR_SIZE) {
        hdr.size = WIRE_HDR_SIZE;
        tap_end_message(t, &hdr, data + t->walk, end - t->walk, true, now);
    }
    t->active = false;
    tap_publish(t->session);
}

void tap_refused(struct tap *t, const struct wire_hdr *hdr, const uint8_t *data)
{
    struct wire_hdr shown = *hdr;

    if (!t->active) {
        return;
    }
    if (t->fresh) {
        t->read_ns = tap_now(t->session);
    }
    /* Its size may be the fault, so only the header certainly belongs to it. */
    shown.size = hdr->size < WIRE_HDR_SIZE ? WIRE_HDR_SIZE : hdr->size;
    tap_emit(t, &shown, data, WIRE_HDR_SIZE, TRACE_UNDELIVERED, tap_now(t->session));
    t->active = false;
    tap_publish(t->session);
}

void tap_withheld(struct tap *t)
{
    for (; t->passed_fds < t->n_fds; t->passed_fds++) {
        t->fds[t->passed_fds].flags |= TRACE_FD_WITHHELD;
    }
}

/* Records a message on one leg (TRACE_LEG_*), the one it was seen on. */
static void tap_emit_on(struct tap *t, const struct wire_hdr *hdr, const uint8_t *data, size_t n,
                        uint8_t leg, uint8_t flags)
{
    struct trace_message m;
    uint32_t keep;

    n = hdr->size < n ? hdr->size : n;
    keep = snap_length_of_hdr(hdr, hdr->size, t->session->keep);
    m = tap_message(t, data, hdr->size, keep < n ? keep : (uint32_t)n);
    m.legs = leg;
    m.flags |= flags;
    if (flags & TRACE_BROKER) {
        m.read_ns = tap_now(t->session);
        m.waited_ns = 0;
        m.n_fds = 0;
    } else {
        m.passed_ns = tap_now(t->session) - m.read_ns;
        tap_forget_fds(t);
    }
    tap_put(t->session, &m);
    tap_publish(t->session);
}

void tap_kept_back(struct tap *t, const struct wire_hdr *hdr, const uint8_t *data, size_t n)
{
    if (t->active) {
        tap_withheld(t);
        tap_emit_on(t, hdr, data, n,
                    t->sender == SIDE_CLIENT ? TRACE_LEG_CLIENT : TRACE_LEG_BACKEND, 0);
    }
}

void tap_made(struct tap *t, const uint8_t *data, size_t n)
{
    struct wire_hdr hdr;

    memcpy(&hdr, data, sizeof hdr);
    tap_emit_on(t, &hdr, data, n, t->sender == SIDE_CLIENT ? TRACE_LEG_BACKEND : TRACE_LEG_CLIENT,
                TRACE_BROKER);
}

struct trace_fd tap_describe(const struct tap_session *s, int fd)
{
    return trace_fd_describe(fd, s->host->fdinfo_fd);
}
