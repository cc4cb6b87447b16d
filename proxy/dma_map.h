/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The memory that a client has mapped for a device, as a set of address ranges, and the question
 * whether an access lies in it. Pure but for the memory it takes.
 *
 * Ranges may touch, overlap and be the same: what a backend would refuse is kept until it has said
 * so. An access may span several ranges. All ends are inclusive, so that a range may reach the last
 * address there is.
 */
#ifndef POEMD_PROXY_DMA_MAP_H
#define POEMD_PROXY_DMA_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/wire.h"

struct dma_span {
    uint64_t first;
    uint64_t last;
};

/*
 * The span of size bytes from address on. False: of no bytes, or beyond the last address; *out is
 * untouched.
 */
bool dma_span_of(uint64_t address, uint64_t size, struct dma_span *out)
    __attribute__((warn_unused_result));

/* What a route says of DMA; all zero: nothing ("pass"). */
struct dma_settings {
    uint32_t withhold;  /* 1: no fd of a DMA_MAP goes on */
    uint32_t max_maps;  /* alive; 0: as many as LIMIT_DMA_MAPS */
    uint64_t max_bytes; /* of those whose fd goes on; 0: any number */
    uint32_t zero;
    uint32_t n_ranges;                        /* 0: everywhere */
    struct dma_span ranges[LIMIT_DMA_RANGES]; /* in which the fd goes on */
};

/* Whether any word is in force that has the broker check what a backend asks for. */
static inline bool dma_checks(const struct dma_settings *s)
{
    return s->withhold || s->max_maps || s->max_bytes || s->n_ranges;
}

struct dma_map {
    struct dma_span span;
    uint32_t flags;  /* WIRE_DMA_READABLE, WIRE_DMA_WRITEABLE */
    bool passed;     /* the backend was given its fd */
    uint64_t number; /* greater for later ones */
};

/* Ranges of one permission, merged: in order, and neither touching nor overlapping. */
struct dma_cover {
    struct dma_span *spans; /* owned, as many as there are maps */
    size_t n;
};

struct dma_maps {
    struct dma_map *maps; /* owned; by their first address */
    size_t n;
    size_t room;
    struct dma_cover readable;
    struct dma_cover writeable;
    bool stale;      /* the covers are to be made anew */
    uint64_t passed; /* bytes of those maps that are passed */
};

void dma_maps_init(struct dma_maps *m);
void dma_maps_deinit(struct dma_maps *m);

/* Adds a map. 0 or -ENOMEM. */
int dma_maps_add(struct dma_maps *m, const struct dma_map *map) __attribute__((warn_unused_result));

/* Takes one map out that is the same as this one. False: there is none. */
bool dma_maps_remove(struct dma_maps *m, const struct dma_map *map);

/*
 * Takes away all that lies in the span, of maps whose number is below this one. A map that lies in
 * it in part keeps the rest; where that is two parts and there is no memory for the second, or
 * there are LIMIT_DMA_MAPS already, that one is lost: less is allowed, not more.
 */
void dma_maps_unmap(struct dma_maps *m, struct dma_span span, uint64_t below);

/*
 * Whether every byte of the span may be read (flag WIRE_DMA_READABLE) or written
 * (WIRE_DMA_WRITEABLE) by the backend.
 */
bool dma_maps_allow(struct dma_maps *m, struct dma_span span, uint32_t flag);

/*
 * What of that kind is allowed near the address: the merged span that begins at it or last before
 * it, or else the first one. False: there is nothing of that kind.
 */
bool dma_maps_near(struct dma_maps *m, uint64_t address, uint32_t flag, struct dma_span *out)
    __attribute__((warn_unused_result));

#endif
