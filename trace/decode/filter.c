/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Judges messages by a filter's terms. Pure except for its memory: the requests kept until their
 * replies are bounded in bytes and in number.
 */
#define _POSIX_C_SOURCE 200809L
#include "trace/decode/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire/wire_command.h"
#include "trace/decode/filter_terms.h"
#include "trace/decode/native.h"

/* Requests kept at once: as many of the smallest size as fit into LIMIT_FILTER_KEPT. */
#define KEPT_MAX 16384u
#define NOWHERE UINT32_MAX

/*
 * Bytes of a request that are searched for its regions: the first 170 writes of a
 * REGION_WRITE_MULTI.
 */
#define LOOKED_AT 4096u

/* A request kept until its reply decides whether it is wanted. */
struct kept {
    struct trace_message m; /* its pointers lead into bytes */
    const char *comment;
    size_t size; /* of the whole allocation */
    _Alignas(struct trace_fd) uint8_t bytes[];
};

struct slot {
    struct kept *kept; /* NULL: free */
    uint64_t generation;
    uint32_t older; /* or the next free slot */
    uint32_t newer;
};

struct filter {
    struct terms terms;
    char *text; /* the terms' names point into it */
    bool waits;
    bool regions; /* a term asks for regions */
    bool begun;
    uint64_t first_ns;
    struct trace_pairs *pairs; /* NULL: no term needs pairs */
    struct slot *slot;
    uint32_t slots_used;
    uint32_t free;
    uint32_t oldest;
    uint32_t newest;
    size_t kept_bytes;
    uint64_t given_up;
};

static bool filter_prepare(struct filter *f)
{
    for (unsigned i = 0; i < f->terms.n; i++) {
        const enum term_kind k = f->terms.term[i].kind;

        f->waits = f->waits || k == TERM_ERRORS || k == TERM_SLOWER;
        f->regions = f->regions || k == TERM_REGION;
    }
    f->free = f->oldest = f->newest = NOWHERE;
    if ((f->waits || f->regions) && !(f->pairs = trace_pairs_new())) {
        return false;
    }
    return !f->waits || (f->slot = calloc(KEPT_MAX, sizeof *f->slot));
}

struct filter *filter_new(const char *text, char *why, size_t n)
{
    struct filter *f = calloc(1, sizeof *f);

    if (!f || !(f->text = strdup(text))) {
        free(f);
        snprintf(why, n, "out of memory");
        return NULL;
    }
    if (!filter_terms_read(&f->terms, f->text, why, n)) {
        filter_free(f);
        return NULL;
    }
    if (!filter_prepare(f)) {
        snprintf(why, n, "out of memory");
        filter_free(f);
        return NULL;
    }
    return f;
}

void filter_free(struct filter *f)
{
    if (!f) {
        return;
    }
    for (uint32_t i = 0; i < f->slots_used; i++) {
        free(f->slot[i].kept);
    }
    free(f->slot);
    trace_pairs_free(f->pairs);
    free(f->text);
    free(f);
}

bool filter_waits(const struct filter *f)
{
    return f->waits;
}

uint64_t filter_given_up(const struct filter *f)
{
    return f->given_up;
}

/* ---- kept requests ---- */

/* The tag that pairs remembers with a request: the region terms that it meets, and its slot. */
#define TAG_TERMS 0xffffu
#define TAG_SLOT_SHIFT 16
#define TAG_GENERATION_SHIFT 30
#define TAG_GENERATION_MASK ((UINT64_C(1) << (64 - TAG_GENERATION_SHIFT)) - 1)
#define TAG_KEPT_NOT (TAG_GENERATION_MASK << TAG_GENERATION_SHIFT)

static struct kept *filter_forget(struct filter *f, uint32_t at)
{
    struct slot *s = &f->slot[at];
    struct kept *const k = s->kept;

    if (s->older == NOWHERE) {
        f->oldest = s->newer;
    } else {
        f->slot[s->older].newer = s->newer;
    }
    if (s->newer == NOWHERE) {
        f->newest = s->older;
    } else {
        f->slot[s->newer].older = s->older;
    }
    f->kept_bytes -= k ? k->size : 0;
    s->kept = NULL;
    s->generation++;
    s->older = f->free;
    f->free = at;
    return k;
}

static struct kept *filter_copy(const struct trace_message *m, const char *comment)
{
    const size_t fds = m->n_fds * sizeof *m->fds;
    const size_t words_n = comment ? strlen(comment) + 1 : 0;
    const size_t size = sizeof(struct kept) + fds + m->kept + words_n;
    struct kept *k = size <= LIMIT_FILTER_KEPT ? malloc(size) : NULL;

    if (!k) {
        return NULL;
    }
    k->m = *m;
    k->size = size;
    k->m.fds = (const struct trace_fd *)k->bytes;
    k->m.data = k->bytes + fds;
    k->comment = comment ? (const char *)k->bytes + fds + m->kept : NULL;
    if (fds > 0) {
        memcpy(k->bytes, m->fds, fds);
    }
    if (m->kept > 0) {
        memcpy(k->bytes + fds, m->data, m->kept);
    }
    if (comment) {
        memcpy(k->bytes + fds + m->kept, comment, words_n);
    }
    return k;
}

/* Keeps a request; returns the part of the tag that finds it again. */
static uint64_t filter_keep(struct filter *f, const struct trace_message *m, const char *comment)
{
    struct kept *k = filter_copy(m, comment);
    struct slot *s;
    uint32_t at;

    if (!k) {
        f->given_up++;
        return TAG_KEPT_NOT;
    }
    while (f->oldest != NOWHERE && (f->kept_bytes + k->size > LIMIT_FILTER_KEPT ||
                                    (f->free == NOWHERE && f->slots_used == KEPT_MAX))) {
        free(filter_forget(f, f->oldest));
        f->given_up++;
    }
    at = f->free != NOWHERE ? f->free : f->slots_used++;
    s = &f->slot[at];
    if (f->free != NOWHERE) {
        f->free = s->older;
    }
    s->kept = k;
    s->newer = NOWHERE;
    s->older = f->newest;
    if (f->newest == NOWHERE) {
        f->oldest = at;
    } else {
        f->slot[f->newest].newer = at;
    }
    f->newest = at;
    f->kept_bytes += k->size;
    return (s->generation & TAG_GENERATION_MASK) << TAG_GENERATION_SHIFT | (uint64_t)at
                                                                               << TAG_SLOT_SHIFT;
}

/*
 * Returns the request kept under this tag, which the caller then owns, or NULL if none was kept or
 * it has been given up.
 */
static struct kept *filter_recall(struct filter *f, uint64_t tag)
{
    const uint32_t at = (uint32_t)(tag >> TAG_SLOT_SHIFT) & (KEPT_MAX - 1);
    const struct slot *s = &f->slot[at];

    if (!s->kept || (s->generation & TAG_GENERATION_MASK) != tag >> TAG_GENERATION_SHIFT) {
        return NULL;
    }
    return filter_forget(f, at);
}

/* ---- judging ---- */

struct judged {
    const struct trace_session *s;
    const struct trace_message *m;
    struct wire_hdr hdr;
    bool has_hdr;
    bool reply;
    size_t n; /* of the payload */
    uint8_t payload[LOOKED_AT];
};

static bool filter_has_number(const struct term *t, uint64_t v)
{
    for (unsigned i = 0; i < t->n; i++) {
        if (t->value[i].number == v) {
            return true;
        }
    }
    return false;
}

static bool filter_has_name(const struct term *t, const char *name)
{
    for (unsigned i = 0; i < t->n; i++) {
        if (strcmp(t->value[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool filter_writes_to(const struct term *t, const uint8_t *p, size_t n)
{
    struct wire_single_write w;

    for (size_t at = sizeof(struct wire_write_multi);
         at < n && wire_get(p + at, n - at, &w, sizeof w); at += sizeof w) {
        if (filter_has_number(t, w.region)) {
            return true;
        }
    }
    return false;
}

/* Returns true if the message itself names one of the term's regions. */
static bool filter_names_region(const struct term *t, const struct judged *j)
{
    const struct wire_command_info *const c = wire_command_find(j->hdr.command);
    const struct wire_field *const region =
        c && c->structure ? wire_field_find(c->structure, WIRE_REGION) : NULL;

    if (region) {
        return wire_field_whole(region, j->n) &&
               filter_has_number(t, wire_field_value(region, j->payload, j->n));
    }
    return c && !j->reply && c->request.tail == WIRE_TAIL_WRITES &&
           filter_writes_to(t, j->payload, j->n);
}

static bool filter_holds(const struct filter *f, unsigned i, const struct judged *j,
                         uint64_t regions)
{
    const struct term *t = &f->terms.term[i];

    switch (t->kind) {
    case TERM_COMMAND:
        return j->has_hdr && filter_has_number(t, j->hdr.command);
    case TERM_FROM:
        return filter_has_number(t, j->m->sender);
    case TERM_REGION:
        return regions >> i & 1u;
    case TERM_SESSION:
        return filter_has_number(t, j->m->session);
    case TERM_ROUTE:
        return filter_has_name(t, j->s->route);
    case TERM_ID:
        return j->has_hdr && filter_has_number(t, j->hdr.id);
    case TERM_AFTER:
        return j->m->read_ns >= f->first_ns && j->m->read_ns - f->first_ns >= t->value[0].number;
    case TERM_BEFORE:
        return j->m->read_ns < f->first_ns || j->m->read_ns - f->first_ns < t->value[0].number;
    case TERM_SINCE:
        return j->m->read_ns >= t->value[0].number;
    case TERM_UNTIL:
        return j->m->read_ns < t->value[0].number;
    case TERM_FDS:
        return j->m->n_fds > 0;
    case TERM_ERRORS:
    case TERM_SLOWER:
        break;
    }
    return false;
}

static bool filter_waiting_kind(enum term_kind k)
{
    return k == TERM_ERRORS || k == TERM_SLOWER;
}

/* Returns true if the message meets all terms that it can be judged by alone. */
static bool filter_wanted_itself(const struct filter *f, const struct judged *j, uint64_t regions)
{
    for (unsigned i = 0; i < f->terms.n; i++) {
        if (!filter_waiting_kind(f->terms.term[i].kind) &&
            filter_holds(f, i, j, regions) == f->terms.term[i].negated) {
            return false;
        }
    }
    return true;
}

/*
 * Returns true if the message meets all terms that need both request and reply. request may be
 * NULL.
 */
static bool filter_wanted_exchange(const struct filter *f, const struct judged *j,
                                   const struct trace_request *request)
{
    for (unsigned i = 0; i < f->terms.n; i++) {
        const struct term *t = &f->terms.term[i];
        const bool met = t->kind == TERM_ERRORS
                             ? j->hdr.flags & WIRE_ERROR
                             : request && trace_latency(request, j->m) > t->value[0].number;

        if (filter_waiting_kind(t->kind) && met == t->negated) {
            return false;
        }
    }
    return true;
}

static uint64_t filter_regions_named(const struct filter *f, const struct judged *j)
{
    uint64_t regions = 0;

    for (unsigned i = 0; i < f->terms.n; i++) {
        if (f->terms.term[i].kind == TERM_REGION && filter_names_region(&f->terms.term[i], j)) {
            regions |= UINT64_C(1) << i;
        }
    }
    return regions;
}

static void filter_judge_init(struct judged *j, const struct trace_session *s,
                              const struct trace_message *m, bool payload)
{
    j->s = s;
    j->m = m;
    j->n = 0;
    j->hdr = (struct wire_hdr){0};
    j->has_hdr = native_header(m, &j->hdr);
    j->reply = false;
    if (j->has_hdr && payload) {
        j->n = native_payload(m, &j->hdr, j->payload, sizeof j->payload);
    }
}

static void filter_remember(struct filter *f, const struct judged *j, uint64_t tag)
{
    struct trace_request unused;
    const enum trace_pairing pairing = trace_pairs_feed(f->pairs, j->s, j->m, tag, &unused);

    (void)pairing;
}

static void filter_feed_request(struct filter *f, const struct judged *j, const char *comment,
                                filter_fn *fn, void *arg)
{
    const uint64_t regions = filter_regions_named(f, j);
    const bool wanted = filter_wanted_itself(f, j, regions);
    const bool answered = !(j->hdr.flags & WIRE_NO_REPLY);

    if (wanted && f->waits && answered) {
        filter_remember(f, j, regions | filter_keep(f, j->m, comment));
        return;
    }
    if (answered) {
        filter_remember(f, j, regions | TAG_KEPT_NOT);
    }
    if (wanted && filter_wanted_exchange(f, j, NULL)) {
        fn(j->s, j->m, comment, arg);
    }
}

/*
 * Judges a reply or a message of unknown type; request is NULL if no captured request matches it.
 */
static void filter_feed_other(struct filter *f, const struct judged *j,
                              const struct trace_request *request, const char *comment,
                              filter_fn *fn, void *arg)
{
    const uint64_t regions = filter_regions_named(f, j) | (request ? request->tag & TAG_TERMS : 0);
    struct kept *const k = request && f->waits ? filter_recall(f, request->tag) : NULL;

    if (filter_wanted_exchange(f, j, request)) {
        if (k) {
            fn(j->s, &k->m, k->comment, arg);
        }
        if (filter_wanted_itself(f, j, regions)) {
            fn(j->s, j->m, comment, arg);
        }
    }
    free(k);
}

void filter_feed(struct filter *f, const struct trace_session *s, const struct trace_message *m,
                 const char *comment, filter_fn *fn, void *arg)
{
    struct trace_request request;
    struct judged j;

    if (!f->begun) {
        f->begun = true;
        f->first_ns = m->read_ns;
    }
    filter_judge_init(&j, s, m, f->regions);
    if (!f->pairs) {
        if (filter_wanted_itself(f, &j, 0)) {
            fn(s, m, comment, arg);
        }
        return;
    }
    if (j.has_hdr && (j.hdr.flags & WIRE_TYPE_MASK) == WIRE_TYPE_COMMAND &&
        !(j.hdr.flags & WIRE_ERROR)) {
        filter_feed_request(f, &j, comment, fn, arg);
        return;
    }
    j.reply = trace_pairs_feed(f->pairs, s, m, TAG_KEPT_NOT, &request) == TRACE_PAIR_REPLY;
    filter_feed_other(f, &j, j.reply ? &request : NULL, comment, fn, arg);
}
