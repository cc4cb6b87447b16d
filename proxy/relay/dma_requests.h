/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Requests of one side that await replies, by their id: the oldest of an id is found and taken in
 * constant time, however many wait. Allocates; no I/O.
 *
 * A sender may use an id again while it is unanswered, and matches replies in their order: so an id
 * is a queue. At most 16 ids share a bucket, whatever ids a peer chooses: there are 16 buckets for
 * up to 16 waiting requests, otherwise 4,096 for the 65,536 ids.
 */
#ifndef POEMD_PROXY_RELAY_DMA_REQUESTS_H
#define POEMD_PROXY_RELAY_DMA_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/relay/dma_map.h"

/* A request, with the effects of its reply. */
struct dma_request {
    uint16_t id;
    uint16_t command;
    int refused; /* an errno: refused, to be answered after earlier ones */
    bool unmaps; /* removes earlier maps in map.span */
    bool all;    /* … which is everything */
    struct dma_map
        map; /* … with the number of the last earlier one; for a DMA_MAP: the map itself */
};

struct dma_requests_slot;

struct dma_requests {
    struct dma_requests_slot *slots; /* owned; room of them */
    uint16_t *buckets;               /* owned; the first slot of each */
    size_t n;                        /* requests that wait */
    size_t refused;                  /* the refused ones among them */
    size_t room;
    uint16_t mask; /* the number of buckets, minus one */
    uint16_t free; /* the first free slot */
};

/* Initializes an empty table; all zero does, too. */
void dma_requests_init(struct dma_requests *q);

/* Drops all requests and frees the memory. May be used again. */
void dma_requests_clear(struct dma_requests *q);

/* Adds a request. Returns false if LIMIT_DMA_REQUESTS wait, or if out of memory. */
bool dma_requests_add(struct dma_requests *q, const struct dma_request *r)
    __attribute__((warn_unused_result));

/* Returns the oldest request of the id, or NULL. Valid until the next change. */
const struct dma_request *dma_requests_oldest(const struct dma_requests *q, uint16_t id);

/* Calls fn for each request; those of an id in their order. fn must not change them. */
void dma_requests_each(const struct dma_requests *q,
                       void (*fn)(void *arg, const struct dma_request *r), void *arg);

/* Drops the oldest request of the id, which must exist. */
void dma_requests_drop(struct dma_requests *q, uint16_t id);

#endif
