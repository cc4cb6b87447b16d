/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The memory that a client has mapped for a device, as a set of address ranges, and the check
 * whether an access lies within it. Pure, apart from its memory.
 *
 * Ranges may touch, overlap and be equal: one that a backend will refuse is kept until its refusal.
 * An access may span several ranges. All ends are inclusive, so that a range may reach the last
 * possible address.
 *
 * A change or a query takes O(log n); an unmapping takes that for each map that it ends or cuts,
 * each of which has been mapped before. So no peer can delay others by the number of its maps.
 */
#ifndef POEMD_PROXY_RELAY_DMA_MAP_H
#define POEMD_PROXY_RELAY_DMA_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/tree.h"
#include "base/wire/wire.h"
#include "proxy/ipc/session_settings.h"

/*
 * Computes the span of size bytes from address on. Returns false, with *out untouched, if it has no
 * bytes or exceeds the last address.
 */
bool dma_span_of(uint64_t address, uint64_t size, struct dma_span *out)
    __attribute__((warn_unused_result));

struct dma_map {
    struct dma_span span;
    uint32_t flags;  /* WIRE_DMA_READABLE, WIRE_DMA_WRITEABLE */
    bool passed;     /* the backend got its fd */
    uint64_t number; /* greater for later ones */
};

/*
 * A map's beginning, or the address behind its end: a node of a tree sorted by address. Each node
 * has sums over its subtree, so that queries need not visit the maps one by one.
 */
enum dma_depth {
    DMA_DEPTH_READ,  /* maps that permit reading */
    DMA_DEPTH_WRITE, /* … writing */
    DMA_DEPTH_ANY,   /* all maps, counted downwards: each further one makes it smaller */
    DMA_DEPTHS,
};

struct dma_edge {
    RB_ENTRY(dma_edge) link;
    uint64_t at;
    const struct dma_map *map; /* the map that begins here; NULL: one has ended right before */
    uint8_t flags;             /* the map's */
    uint8_t begun;             /* flags of all maps that begin in the subtree */
    int32_t sum[DMA_DEPTHS];   /* change of depth across the subtree */
    int32_t low[DMA_DEPTHS];   /* the smallest such change after any of its nodes */
    uint64_t reach;            /* the greatest last address of maps that begin in the subtree */
    uint64_t oldest;           /* the smallest of their numbers, or UINT64_MAX */
};

RB_HEAD(dma_edges, dma_edge);

struct dma_slab;

struct dma_maps {
    struct dma_edges edges; /* two for each map, or one if it reaches the last address */
    struct dma_slab *slabs; /* owned: the memory of all maps */
    struct dma_item *free;  /* unused ones */
    size_t n;
    uint64_t newest;    /* the greatest number ever added */
    uint64_t passed[2]; /* bytes of passed maps: low and high half */
};

void dma_maps_init(struct dma_maps *m);
void dma_maps_deinit(struct dma_maps *m);

/*
 * Adds a map. Returns 0, -ENOMEM, or -ENOSPC if LIMIT_DMA_OVERLAP others already share one of its
 * addresses.
 */
int dma_maps_add(struct dma_maps *m, const struct dma_map *map) __attribute__((warn_unused_result));

/* Removes one map that equals this one. Returns false if there is none. */
bool dma_maps_remove(struct dma_maps *m, const struct dma_map *map);

/*
 * Removes everything in the span from maps with a number below this one. A map that lies only
 * partly in it keeps the rest; if that is two parts and there is no memory for the second, or there
 * are LIMIT_DMA_MAPS already, that part is lost: this allows less, never more.
 */
void dma_maps_unmap(struct dma_maps *m, struct dma_span span, uint64_t below);

/* Calls fn for each map, by its beginning. fn must not change them. */
void dma_maps_each(const struct dma_maps *m, void (*fn)(void *arg, const struct dma_map *map),
                   void *arg);

/* Returns the bytes of the passed maps, or UINT64_MAX if a number cannot hold them. */
uint64_t dma_maps_passed(const struct dma_maps *m);

/*
 * Returns the first map, by its beginning, with an address in the span and a number below this one,
 * or NULL. Valid until the next change.
 */
const struct dma_map *dma_maps_find(const struct dma_maps *m, struct dma_span span, uint64_t below);

/*
 * Returns true if the backend may read (flag WIRE_DMA_READABLE) or write (WIRE_DMA_WRITEABLE) every
 * byte of the span.
 */
bool dma_maps_allow(const struct dma_maps *m, struct dma_span span, uint32_t flag);

/*
 * Finds allowed memory near the address: from the beginning of the last map of that kind at or
 * before it, otherwise of the first one, as far as maps of that kind reach without a gap. Returns
 * false if there is none of that kind.
 */
bool dma_maps_near(const struct dma_maps *m, uint64_t address, uint32_t flag, struct dma_span *out)
    __attribute__((warn_unused_result));

#endif
