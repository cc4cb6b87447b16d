/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Finds requests that wait for their replies by id. Pure except for its memory.
 *
 * Each request is in two lists, both by age: one of all requests, one of its bucket. Buckets are
 * chosen so that two ids of one session, socket and sender never share one: a peer cannot make
 * look-ups slow. Places are indexes, since the pool moves when it grows.
 */
#include "trace/decode/pair.h"

#include <stdlib.h>
#include <string.h>

#include "trace/decode/native.h"

#define BUCKETS 65536u
#define POOL_FIRST 256u
#define NOWHERE 0u /* the pool's place 0 is never used */

struct waiting {
    struct trace_request r;
    uint64_t session; /* its number: the session's memory may be reused */
    uint32_t bucket;
    uint32_t next; /* in its bucket, or in the list of free places */
    uint32_t older;
    uint32_t newer;
};

struct bucket {
    uint32_t first;
    uint32_t last;
};

struct trace_pairs {
    struct waiting *pool;
    uint32_t room;
    uint32_t used; /* places taken so far */
    uint32_t free;
    uint32_t oldest;
    uint32_t newest;
    uint64_t given_up;
    struct bucket bucket[BUCKETS];
};

struct trace_pairs *trace_pairs_new(void)
{
    /* calloc, since most of the pages are never touched. */
    struct trace_pairs *p = calloc(1, sizeof *p);

    if (!p) {
        return NULL;
    }
    p->pool = malloc(POOL_FIRST * sizeof *p->pool);
    if (!p->pool) {
        free(p);
        return NULL;
    }
    p->room = POOL_FIRST;
    p->used = 1;
    return p;
}

void trace_pairs_free(struct trace_pairs *p)
{
    if (p) {
        free(p->pool);
        free(p);
    }
}

static uint32_t pair_bucket_of(uint64_t session, uint8_t flags, uint8_t sender, uint16_t id)
{
    const uint64_t family = session << 2 | (flags & TRACE_TWIN ? 2u : 0u) | (sender & 1u);

    return id ^ (uint32_t)(family * UINT64_C(0x9e3779b97f4a7c15) >> 48);
}

/* Takes the request at `at` out of both lists; `before` is its predecessor in its bucket. */
static void pair_take_out(struct trace_pairs *p, uint32_t at, uint32_t before)
{
    struct waiting *w = &p->pool[at];
    struct bucket *b = &p->bucket[w->bucket];

    if (before == NOWHERE) {
        b->first = w->next;
    } else {
        p->pool[before].next = w->next;
    }
    if (b->last == at) {
        b->last = before;
    }
    if (w->older == NOWHERE) {
        p->oldest = w->newer;
    } else {
        p->pool[w->older].newer = w->newer;
    }
    if (w->newer == NOWHERE) {
        p->newest = w->older;
    } else {
        p->pool[w->newer].older = w->older;
    }
    w->next = p->free;
    p->free = at;
}

static bool pair_grow(struct trace_pairs *p)
{
    const uint32_t most = TRACE_PENDING + 1;
    const uint32_t room = p->room * 2 < most ? p->room * 2 : most;
    struct waiting *pool;

    if (p->room >= most) {
        return false;
    }
    pool = realloc(p->pool, room * sizeof *pool);
    if (!pool) {
        return false;
    }
    p->pool = pool;
    p->room = room;
    return true;
}

/* Returns a free place, or the oldest request's if all are taken and memory has run out. */
static uint32_t pair_place(struct trace_pairs *p)
{
    uint32_t at;

    if (p->free == NOWHERE && p->used == p->room && !pair_grow(p)) {
        /* The oldest request of all is also the first of its bucket. */
        pair_take_out(p, p->oldest, NOWHERE);
        p->given_up++;
    }
    if (p->free == NOWHERE) {
        return p->used++;
    }
    at = p->free;
    p->free = p->pool[at].next;
    return at;
}

static void pair_remember(struct trace_pairs *p, const struct trace_session *s,
                          const struct trace_message *m, const struct wire_hdr *hdr, uint64_t tag)
{
    const uint32_t at = pair_place(p);
    struct waiting *w = &p->pool[at];
    struct bucket *b;

    w->r = (struct trace_request){.session = s,
                                  .hdr = *hdr,
                                  .number = m->number,
                                  .read_ns = m->read_ns,
                                  .passed_ns = m->passed_ns,
                                  .broker_ns = trace_message_broker_ns(m),
                                  .kept = m->kept < TRACE_REMEMBERED ? m->kept : TRACE_REMEMBERED,
                                  .n_fds = m->n_fds,
                                  .sender = m->sender,
                                  .legs = m->legs,
                                  .flags = m->flags,
                                  .tag = tag};
    memcpy(w->r.head, m->data, w->r.kept);
    w->session = m->session;
    w->bucket = pair_bucket_of(m->session, m->flags, m->sender, hdr->id);
    w->next = NOWHERE;
    w->newer = NOWHERE;
    w->older = p->newest;
    b = &p->bucket[w->bucket];
    if (b->last == NOWHERE) {
        b->first = at;
    } else {
        p->pool[b->last].next = at;
    }
    b->last = at;
    if (p->newest == NOWHERE) {
        p->oldest = at;
    } else {
        p->pool[p->newest].newer = at;
    }
    p->newest = at;
}

/*
 * Finds the oldest request that m answers, and takes it out; command 0 matches any command. If the
 * broker has answered it in the device's stead, it still waits on the device's leg.
 */
static bool pair_find(struct trace_pairs *p, const struct trace_session *s,
                      const struct trace_message *m, uint16_t id, uint16_t command,
                      struct trace_request *out)
{
    const uint8_t asker = (uint8_t)side_other(m->sender);
    uint32_t before = NOWHERE;

    for (uint32_t at = p->bucket[pair_bucket_of(m->session, m->flags, asker, id)].first;
         at != NOWHERE; before = at, at = p->pool[at].next) {
        struct waiting *w = &p->pool[at];

        if (w->r.hdr.id == id && w->session == m->session && w->r.session == s &&
            w->r.sender == asker && (w->r.legs & m->legs) &&
            (w->r.flags & TRACE_TWIN) == (m->flags & TRACE_TWIN) &&
            (command == 0 || w->r.hdr.command == command)) {
            *out = w->r;
            if (trace_in_stead(&w->r, m)) {
                w->r.legs &= (uint8_t)~m->legs;
            } else {
                pair_take_out(p, at, before);
            }
            return true;
        }
    }
    return false;
}

enum trace_pairing trace_pairs_feed(struct trace_pairs *p, const struct trace_session *s,
                                    const struct trace_message *m, uint64_t tag,
                                    struct trace_request *request)
{
    struct wire_hdr hdr;

    if (!native_header(m, &hdr)) {
        return TRACE_PAIR_NEITHER;
    }
    switch (hdr.flags & WIRE_TYPE_MASK) {
    case WIRE_TYPE_REPLY:
        return pair_find(p, s, m, hdr.id, 0, request) ? TRACE_PAIR_REPLY : TRACE_PAIR_UNASKED;
    case WIRE_TYPE_COMMAND:
        /* Some peers do not set the reply type in their error replies. */
        if ((hdr.flags & WIRE_ERROR) && pair_find(p, s, m, hdr.id, hdr.command, request)) {
            return TRACE_PAIR_REPLY;
        }
        if (!(hdr.flags & WIRE_NO_REPLY)) {
            pair_remember(p, s, m, &hdr, tag);
        }
        return TRACE_PAIR_REQUEST;
    default:
        return TRACE_PAIR_NEITHER;
    }
}

uint64_t trace_pairs_given_up(const struct trace_pairs *p)
{
    return p->given_up;
}

void trace_pairs_waiting(const struct trace_pairs *p,
                         void (*fn)(const struct trace_request *request, void *arg), void *arg)
{
    for (uint32_t at = p->oldest; at != NOWHERE; at = p->pool[at].newer) {
        fn(&p->pool[at].r, arg);
    }
}
