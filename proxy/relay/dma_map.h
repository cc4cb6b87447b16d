/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The memory that a client has mapped for a device, as a set of address ranges, and the question
 * whether an access lies in it. Pure but for the memory it takes.
 *
 * Ranges may touch, overlap and be the same: what a backend would refuse is kept until it has said
 * so. An access may span several ranges. All ends are inclusive, so that a range may reach the last
 * address there is.
 *
 * A change and a question take O(log n); an unmapping as often as there are maps that it ends or
 * cuts, each of which has been mapped before. So no peer makes others wait by the number of its
 * maps.
 */
#ifndef POEMD_PROXY_RELAY_DMA_MAP_H
#define POEMD_PROXY_RELAY_DMA_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/tree.h"
#include "base/wire.h"
#include "proxy/ipc/session_settings.h"

/*
 * The span of size bytes from address on. False: of no bytes, or beyond the last address; *out is
 * untouched.
 */
bool dma_span_of(uint64_t address, uint64_t size, struct dma_span *out)
    __attribute__((warn_unused_result));

struct dma_map {
    struct dma_span span;
    uint32_t flags;  /* WIRE_DMA_READABLE, WIRE_DMA_WRITEABLE */
    bool passed;     /* the backend was given its fd */
    uint64_t number; /* greater for later ones */
};

/*
 * Where a map begins, or the address behind its end: a node of a tree by address. Each node has
 * sums over its subtree, from which the tree answers without visiting the maps one by one.
 */
enum dma_depth {
    DMA_DEPTH_READ,  /* maps that permit reading */
    DMA_DEPTH_WRITE, /* … writing */
    DMA_DEPTH_ANY,   /* all maps, counted downwards: one more makes it smaller */
    DMA_DEPTHS,
};

struct dma_edge {
    RB_ENTRY(dma_edge) link;
    uint64_t at;
    const struct dma_map *map; /* that begins here; NULL: one has ended right before */
    uint8_t flags;             /* the map's */
    uint8_t begun;             /* flags of all maps that begin in the subtree */
    int32_t sum[DMA_DEPTHS];   /* how much deeper it is behind the subtree than before it */
    int32_t low[DMA_DEPTHS];   /* the smallest such number behind any of its nodes */
    uint64_t reach;            /* the greatest last address of the maps that begin in the subtree */
    uint64_t oldest;           /* the smallest of their numbers; UINT64_MAX: none begins there */
};

RB_HEAD(dma_edges, dma_edge);

struct dma_slab;

struct dma_maps {
    struct dma_edges edges; /* two for each map, but for one that reaches the last address */
    struct dma_slab *slabs; /* owned: the memory of all maps */
    struct dma_item *free;  /* in them */
    size_t n;
    uint64_t newest;    /* no map has a number above it */
    uint64_t passed[2]; /* bytes of those maps that are passed: low and high half */
};

void dma_maps_init(struct dma_maps *m);
void dma_maps_deinit(struct dma_maps *m);

/*
 * Adds a map. 0, -ENOMEM, or -ENOSPC: LIMIT_DMA_OVERLAP others have an address of its own in
 * common.
 */
int dma_maps_add(struct dma_maps *m, const struct dma_map *map) __attribute__((warn_unused_result));

/* Takes one map out that is the same as this one. False: there is none. */
bool dma_maps_remove(struct dma_maps *m, const struct dma_map *map);

/*
 * Takes away all that lies in the span, of maps whose number is below this one. A map that lies in
 * it in part keeps the rest; where that is two parts and there is no memory for the second, or
 * there are LIMIT_DMA_MAPS already, that one is lost: less is allowed, not more.
 */
void dma_maps_unmap(struct dma_maps *m, struct dma_span span, uint64_t below);

/* Bytes of the maps that are passed; UINT64_MAX where a number cannot hold them. */
uint64_t dma_maps_passed(const struct dma_maps *m);

/*
 * The map that begins first of those that have an address of the span and a number below this one;
 * NULL: none. Good until the next change.
 */
const struct dma_map *dma_maps_find(const struct dma_maps *m, struct dma_span span, uint64_t below);

/*
 * Whether every byte of the span may be read (flag WIRE_DMA_READABLE) or written
 * (WIRE_DMA_WRITEABLE) by the backend.
 */
bool dma_maps_allow(const struct dma_maps *m, struct dma_span span, uint32_t flag);

/*
 * Memory that is allowed near the address: from the begin of the map of that kind that begins at it
 * or last before it, or else of the first one, as far as maps of that kind reach without a gap.
 * False: there is nothing of that kind.
 */
bool dma_maps_near(const struct dma_maps *m, uint64_t address, uint32_t flag, struct dma_span *out)
    __attribute__((warn_unused_result));

#endif
