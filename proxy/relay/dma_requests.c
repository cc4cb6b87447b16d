/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A hash table of queues, in one array of slots that refer to each other by index.
 *
 *   A bucket is a list of ids. Each id is represented by the slot of its oldest request, which
 * leads to the later ones of the same id, and knows the last of them.
 */
#define _GNU_SOURCE
#include "proxy/relay/dma_requests.h"

#include <stdlib.h>
#include <string.h>

#define DMA_REQUESTS_NONE UINT16_MAX

/* Initial number of slots, and of their buckets. */
#define DMA_REQUESTS_FEW 16u

/* Buckets for more slots: 16 ids share one. */
#define DMA_REQUESTS_BUCKETS 4096u

_Static_assert(LIMIT_DMA_REQUESTS < DMA_REQUESTS_NONE, "slots have numbers of 16 bits");

struct dma_requests_slot {
    struct dma_request request;
    uint16_t
        next_id;   /* in the bucket, for the oldest of an id; for a free slot: the next free one */
    uint16_t next; /* of the same id */
    uint16_t last; /* … for the oldest: the latest */
};

void dma_requests_init(struct dma_requests *q)
{
    *q = (struct dma_requests){.slots = NULL};
}

void dma_requests_clear(struct dma_requests *q)
{
    free(q->slots);
    free(q->buckets);
    dma_requests_init(q);
}

/* Returns the link to the oldest slot of the id, or the link to set for it. */
static uint16_t *dma_requests_link(const struct dma_requests *q, uint16_t id)
{
    uint16_t *link = &q->buckets[id & q->mask];

    while (*link != DMA_REQUESTS_NONE && q->slots[*link].request.id != id) {
        link = &q->slots[*link].next_id;
    }
    return link;
}

/* Distributes all ids over n buckets. Returns false, with no change, if out of memory. */
static bool dma_requests_rehash(struct dma_requests *q, size_t n)
{
    uint16_t *const old = q->buckets;
    const size_t n_old = old ? (size_t)q->mask + 1 : 0;
    uint16_t *const buckets = malloc(n * sizeof *buckets);

    if (!buckets) {
        return false;
    }
    memset(buckets, UINT8_MAX, n * sizeof *buckets);
    q->buckets = buckets;
    q->mask = (uint16_t)(n - 1);
    for (size_t i = 0; i < n_old; i++) {
        uint16_t at = old[i];

        while (at != DMA_REQUESTS_NONE) {
            const uint16_t next = q->slots[at].next_id;
            uint16_t *const link = dma_requests_link(q, q->slots[at].request.id);

            q->slots[at].next_id = *link;
            *link = at;
            at = next;
        }
    }
    free(old);
    return true;
}

/* Makes room for one more. */
static bool dma_requests_grow(struct dma_requests *q)
{
    const size_t room = q->room > 0 ? 2 * q->room : DMA_REQUESTS_FEW;
    struct dma_requests_slot *more;

    if (room > LIMIT_DMA_REQUESTS) {
        return false;
    }
    more = reallocarray(q->slots, room, sizeof *more);
    if (!more) {
        return false;
    }
    q->slots = more;
    if (q->room <= DMA_REQUESTS_FEW &&
        !dma_requests_rehash(q, q->room > 0 ? DMA_REQUESTS_BUCKETS : DMA_REQUESTS_FEW)) {
        return false;
    }
    q->free = (uint16_t)q->room;
    for (size_t i = q->room; i < room; i++) {
        q->slots[i].next_id = i + 1 < room ? (uint16_t)(i + 1) : DMA_REQUESTS_NONE;
    }
    q->room = room;
    return true;
}

bool dma_requests_add(struct dma_requests *q, const struct dma_request *r)
{
    uint16_t *link;
    uint16_t at;

    if (q->n == q->room && !dma_requests_grow(q)) {
        return false;
    }
    at = q->free;
    q->free = q->slots[at].next_id;
    q->slots[at] = (struct dma_requests_slot){
        .request = *r, .next_id = DMA_REQUESTS_NONE, .next = DMA_REQUESTS_NONE, .last = at};
    link = dma_requests_link(q, r->id);
    if (*link == DMA_REQUESTS_NONE) {
        *link = at;
    } else {
        struct dma_requests_slot *const oldest = &q->slots[*link];

        q->slots[oldest->last].next = at;
        oldest->last = at;
    }
    q->n++;
    q->refused += r->refused != 0;
    return true;
}

const struct dma_request *dma_requests_oldest(const struct dma_requests *q, uint16_t id)
{
    const uint16_t at = q->n > 0 ? *dma_requests_link(q, id) : DMA_REQUESTS_NONE;

    return at != DMA_REQUESTS_NONE ? &q->slots[at].request : NULL;
}

void dma_requests_each(const struct dma_requests *q,
                       void (*fn)(void *arg, const struct dma_request *r), void *arg)
{
    for (size_t i = 0; q->n > 0 && i <= q->mask; i++) {
        for (uint16_t id = q->buckets[i]; id != DMA_REQUESTS_NONE; id = q->slots[id].next_id) {
            for (uint16_t at = id; at != DMA_REQUESTS_NONE; at = q->slots[at].next) {
                fn(arg, &q->slots[at].request);
            }
        }
    }
}

void dma_requests_drop(struct dma_requests *q, uint16_t id)
{
    uint16_t *const link = dma_requests_link(q, id);
    const uint16_t at = *link;
    struct dma_requests_slot *const s = &q->slots[at];

    q->n--;
    q->refused -= s->request.refused != 0;
    if (q->n == 0 && q->room > DMA_REQUESTS_FEW) {
        /* A burst is over. */
        dma_requests_clear(q);
        return;
    }
    if (s->next != DMA_REQUESTS_NONE) {
        q->slots[s->next].last = s->last;
        q->slots[s->next].next_id = s->next_id;
        *link = s->next;
    } else {
        *link = s->next_id;
    }
    s->next_id = q->free;
    q->free = at;
}
