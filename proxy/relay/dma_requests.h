/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Requests of one side whose replies are awaited, by their id: the oldest of an id is found and
 * taken in constant time, however many wait. Allocates; no I/O.
 *
 * A sender may use an id again while it is unanswered, and matches replies in their order: so an id
 * is a queue. Ids that share a bucket are 16 at most, whatever a peer chooses: there are 16 buckets
 * where no more than 16 requests wait, and 4,096 for the 65,536 ids otherwise.
 */
#ifndef POEMD_PROXY_RELAY_DMA_REQUESTS_H
#define POEMD_PROXY_RELAY_DMA_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/relay/dma_map.h"

/* What the reply to a request is awaited for. */
struct dma_request {
    uint16_t id;
    uint16_t command;
    int refused;        /* an errno: it did not go on, and is answered when those before it are */
    bool unmaps;        /* what was mapped in map.span before */
    bool all;           /* … which is everything */
    struct dma_map map; /* … with the number of the last one before; of a DMA_MAP: that */
};

struct dma_requests_slot;

struct dma_requests {
    struct dma_requests_slot *slots; /* owned; room of them */
    uint16_t *buckets;               /* owned; the first slot of each */
    size_t n;                        /* requests that wait */
    size_t refused;                  /* of them */
    size_t room;
    uint16_t mask; /* the number of buckets, less one */
    uint16_t free; /* the first slot that is free */
};

/* All zero: none. */
void dma_requests_init(struct dma_requests *q);

/* Forgets them all and frees what they had. It may be used again. */
void dma_requests_clear(struct dma_requests *q);

/* Keeps a request. False: LIMIT_DMA_REQUESTS wait, or there is no memory. */
bool dma_requests_add(struct dma_requests *q, const struct dma_request *r)
    __attribute__((warn_unused_result));

/* The oldest one of the id; NULL: none. Good until the next change. */
const struct dma_request *dma_requests_oldest(const struct dma_requests *q, uint16_t id);

/* Forgets the oldest one of the id, which there is. */
void dma_requests_drop(struct dma_requests *q, uint16_t id);

#endif
