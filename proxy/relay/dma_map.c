/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Maps as the edges of a red-black tree (libbsd's) with sums in its nodes.
 *
 *   Each map has two edges: +1 at its beginning, -1 behind its end. The sum of all edges up to an
 *   address is the number of maps that contain it. Memory is mapped without a gap from one address
 * to another if that sum does not become 0 in between, which the lowest sum of each subtree
 * answers.
 *
 * Among edges at the same address, beginnings come before ends. So the sum does not become 0 at an
 * address at which one map ends and the next begins.
 */
#define _GNU_SOURCE

/* The tree's macros call this for each node with changed children. */
#define RB_AUGMENT(e) dma_edge_sum(e)

#include "proxy/relay/dma_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/unconst.h"

/* Maps are allocated in slabs, so that they are freed together, in few calls. */
#define DMA_SLAB_ITEMS 200u

#define DMA_PERMITS (WIRE_DMA_READABLE | WIRE_DMA_WRITEABLE)

struct dma_item {
    struct dma_map map; /* first: a map in the tree is cast to its item */
    struct dma_edge begin;
    struct dma_edge end;
    struct dma_item *next_free;
};

struct dma_slab {
    struct dma_slab *next;
    struct dma_item items[DMA_SLAB_ITEMS];
};

bool dma_span_of(uint64_t address, uint64_t size, struct dma_span *out)
{
    if (size == 0 || size - 1 > UINT64_MAX - address) {
        return false;
    }
    *out = (struct dma_span){address, address + (size - 1)};
    return true;
}

/* Returns the number of bytes of a span; the whole address space counts as one less, to fit. */
static uint64_t dma_span_bytes(struct dma_span s)
{
    const uint64_t n = s.last - s.first;

    return n == UINT64_MAX ? n : n + 1;
}

/* ---- sums ---- */

/* Returns the change of depth at the edge. */
static int32_t dma_edge_step(const struct dma_edge *e, enum dma_depth d)
{
    const bool counts = d == DMA_DEPTH_ANY ||
                        (e->flags & (d == DMA_DEPTH_READ ? WIRE_DMA_READABLE : WIRE_DMA_WRITEABLE));
    const int32_t step = e->map ? counts : -counts;

    return d == DMA_DEPTH_ANY ? -step : step;
}

static int32_t dma_edge_total(const struct dma_edge *e, enum dma_depth d)
{
    return e ? e->sum[d] : 0;
}

static int32_t dma_edge_min(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static void dma_edge_sum_depth(struct dma_edge *e, enum dma_depth d)
{
    const struct dma_edge *const left = RB_LEFT(e, link);
    const struct dma_edge *const right = RB_RIGHT(e, link);
    const int32_t here = dma_edge_total(left, d) + dma_edge_step(e, d);

    e->sum[d] = here + dma_edge_total(right, d);
    e->low[d] = left ? dma_edge_min(left->low[d], here) : here;
    if (right) {
        e->low[d] = dma_edge_min(e->low[d], here + right->low[d]);
    }
}

/* Computes the sums of a node from its own edge and its children's sums. */
static void dma_edge_sum(struct dma_edge *e)
{
    const struct dma_edge *const children[] = {RB_LEFT(e, link), RB_RIGHT(e, link)};

    for (int d = 0; d < DMA_DEPTHS; d++) {
        dma_edge_sum_depth(e, (enum dma_depth)d);
    }
    e->begun = e->map ? e->flags : 0;
    e->reach = e->map ? e->map->span.last : 0;
    e->oldest = e->map ? e->map->number : UINT64_MAX;
    for (int i = 0; i < 2; i++) {
        const struct dma_edge *const c = children[i];

        if (c) {
            e->begun |= c->begun;
            e->reach = c->reach > e->reach ? c->reach : e->reach;
            e->oldest = c->oldest < e->oldest ? c->oldest : e->oldest;
        }
    }
}

static int dma_edge_compare(const struct dma_edge *a, const struct dma_edge *b)
{
    if (a->at != b->at) {
        return a->at < b->at ? -1 : 1;
    }
    if (!a->map != !b->map) {
        return a->map ? -1 : 1;
    }
    /* Equal edges have an arbitrary but stable order. */
    return a == b ? 0 : (uintptr_t)a < (uintptr_t)b ? -1 : 1;
}

TREE_GENERATE(dma_edges, dma_edge, link, dma_edge_compare)

static void dma_edge_sum_path(struct dma_edge *e)
{
    for (; e; e = RB_PARENT(e, link)) {
        dma_edge_sum(e);
    }
}

static void dma_edge_put(struct dma_edges *t, struct dma_edge *e)
{
    (void)dma_edges_RB_INSERT(t, e);
    dma_edge_sum_path(e);
}

static void dma_edge_take(struct dma_edges *t, struct dma_edge *e)
{
    struct dma_edge *const above = RB_PARENT(e, link);

    (void)dma_edges_RB_REMOVE(t, e);
    dma_edge_sum_path(above);
}

/* ---- memory ---- */

void dma_maps_init(struct dma_maps *m)
{
    *m = (struct dma_maps){.slabs = NULL};
    RB_INIT(&m->edges);
}

void dma_maps_deinit(struct dma_maps *m)
{
    struct dma_slab *slab;

    while ((slab = m->slabs)) {
        m->slabs = slab->next;
        free(slab);
    }
    dma_maps_init(m);
}

static struct dma_item *dma_item_new(struct dma_maps *m)
{
    struct dma_item *i = m->free;

    if (!i) {
        struct dma_slab *const slab = calloc(1, sizeof *slab);

        if (!slab) {
            return NULL;
        }
        slab->next = m->slabs;
        m->slabs = slab;
        for (size_t k = 0; k < DMA_SLAB_ITEMS; k++) {
            slab->items[k].next_free = m->free;
            m->free = &slab->items[k];
        }
        i = m->free;
    }
    m->free = i->next_free;
    return i;
}

/* ---- changes ---- */

/* An exact 128-bit sum: an absurd map must not make room for others. */
static void dma_maps_count(struct dma_maps *m, const struct dma_map *map, bool more)
{
    const uint64_t n = map->passed ? dma_span_bytes(map->span) : 0;

    if (more) {
        m->passed[0] += n;
        m->passed[1] += m->passed[0] < n;
    } else {
        m->passed[1] -= m->passed[0] < n;
        m->passed[0] -= n;
    }
}

uint64_t dma_maps_passed(const struct dma_maps *m)
{
    return m->passed[1] ? UINT64_MAX : m->passed[0];
}

static void dma_item_put(struct dma_maps *m, struct dma_item *i, const struct dma_map *map)
{
    i->map = *map;
    i->begin = (struct dma_edge){
        .at = map->span.first, .map = &i->map, .flags = (uint8_t)(map->flags & DMA_PERMITS)};
    dma_edge_put(&m->edges, &i->begin);
    if (map->span.last != UINT64_MAX) {
        i->end = (struct dma_edge){.at = map->span.last + 1, .flags = i->begin.flags};
        dma_edge_put(&m->edges, &i->end);
    }
    m->n++;
    dma_maps_count(m, map, true);
}

/* Removes the item from the tree; the caller owns it. */
static void dma_item_take(struct dma_maps *m, struct dma_item *i)
{
    dma_edge_take(&m->edges, &i->begin);
    if (i->map.span.last != UINT64_MAX) {
        dma_edge_take(&m->edges, &i->end);
    }
    m->n--;
    dma_maps_count(m, &i->map, false);
}

/* All memory is freed together, once there are no maps. */
static void dma_item_free(struct dma_maps *m, struct dma_item *i)
{
    i->next_free = m->free;
    m->free = i;
    if (m->n == 0) {
        dma_maps_deinit(m);
    }
}

static void dma_item_drop(struct dma_maps *m, struct dma_item *i)
{
    dma_item_take(m, i);
    dma_item_free(m, i);
}

/* ---- depths ---- */

/* A place between two edges. */
struct dma_place {
    struct dma_edge *next;     /* the first edge after the address, or NULL */
    int32_t depth[DMA_DEPTHS]; /* at the address */
};

static struct dma_place dma_place_of(const struct dma_maps *m, uint64_t address)
{
    struct dma_place p = {.next = NULL};
    struct dma_edge *e = RB_ROOT(&m->edges);

    while (e) {
        if (e->at > address) {
            p.next = e;
            e = RB_LEFT(e, link);
            continue;
        }
        for (int d = 0; d < DMA_DEPTHS; d++) {
            p.depth[d] += dma_edge_total(RB_LEFT(e, link), (enum dma_depth)d) +
                          dma_edge_step(e, (enum dma_depth)d);
        }
        e = RB_RIGHT(e, link);
    }
    return p;
}

/* Returns the first edge of the subtree after which the depth is at most this. There is one. */
static const struct dma_edge *dma_edge_fall_in(const struct dma_edge *e, enum dma_depth d,
                                               int32_t depth, int32_t most)
{
    for (;;) {
        const struct dma_edge *const left = RB_LEFT(e, link);

        if (left && depth + left->low[d] <= most) {
            e = left;
            continue;
        }
        depth += dma_edge_total(left, d) + dma_edge_step(e, d);
        if (depth <= most) {
            return e;
        }
        e = RB_RIGHT(e, link);
    }
}

/* Returns the edge that follows the whole subtree, or NULL. */
static struct dma_edge *dma_edge_up(struct dma_edge *e)
{
    while (RB_PARENT(e, link) && RB_RIGHT(RB_PARENT(e, link), link) == e) {
        e = RB_PARENT(e, link);
    }
    return RB_PARENT(e, link);
}

/* Returns the first edge after the place at which the depth falls to at most this, or NULL. */
static const struct dma_edge *dma_place_fall(const struct dma_place *p, enum dma_depth d,
                                             int32_t most)
{
    int32_t depth = p->depth[d];

    for (struct dma_edge *e = p->next; e; e = dma_edge_up(e)) {
        const struct dma_edge *const right = RB_RIGHT(e, link);

        depth += dma_edge_step(e, d);
        if (depth <= most) {
            return e;
        }
        if (right && depth + right->low[d] <= most) {
            return dma_edge_fall_in(right, d, depth, most);
        }
        depth += dma_edge_total(right, d);
    }
    return NULL;
}

/* Returns true if the depth stays above this in the whole span. */
static bool dma_maps_above(const struct dma_maps *m, struct dma_span span, enum dma_depth d,
                           int32_t most)
{
    const struct dma_place p = dma_place_of(m, span.first);
    const struct dma_edge *fall;

    if (p.depth[d] <= most) {
        return false;
    }
    fall = dma_place_fall(&p, d, most);
    return !fall || fall->at > span.last;
}

int dma_maps_add(struct dma_maps *m, const struct dma_map *map)
{
    struct dma_item *i;

    if (!dma_maps_above(m, map->span, DMA_DEPTH_ANY, -LIMIT_DMA_OVERLAP)) {
        return -ENOSPC;
    }
    i = dma_item_new(m);
    if (!i) {
        return -ENOMEM;
    }
    m->newest = map->number > m->newest ? map->number : m->newest;
    dma_item_put(m, i, map);
    return 0;
}

static bool dma_map_same(const struct dma_map *a, const struct dma_map *b)
{
    return a->span.first == b->span.first && a->span.last == b->span.last && a->flags == b->flags &&
           a->passed == b->passed && a->number == b->number;
}

/* ---- maps one by one ---- */

/* The maps to find: those older than a number that reach an address. */
struct dma_search {
    uint64_t below;
    uint64_t reach;
};

static bool dma_search_may(const struct dma_search *s, const struct dma_edge *subtree)
{
    return subtree && subtree->oldest < s->below && subtree->reach >= s->reach;
}

static bool dma_search_is(const struct dma_search *s, const struct dma_edge *e)
{
    return e->map && e->map->number < s->below && e->map->span.last >= s->reach;
}

/* Returns the subtree's first node from which on there may be one. */
static struct dma_edge *dma_search_down(const struct dma_search *s, struct dma_edge *e)
{
    while (dma_search_may(s, RB_LEFT(e, link))) {
        e = RB_LEFT(e, link);
    }
    return e;
}

/* Returns the next node, skipping subtrees without any. */
static struct dma_edge *dma_search_on(const struct dma_search *s, struct dma_edge *e)
{
    struct dma_edge *const right = RB_RIGHT(e, link);

    return dma_search_may(s, right) ? dma_search_down(s, right) : dma_edge_up(e);
}

static struct dma_edge *dma_search_from(const struct dma_search *s, struct dma_edge *e)
{
    while (e && !dma_search_is(s, e)) {
        e = dma_search_on(s, e);
    }
    return e;
}

static struct dma_edge *dma_search_first(const struct dma_search *s, const struct dma_maps *m)
{
    struct dma_edge *const root = RB_ROOT(&m->edges);

    return root ? dma_search_from(s, dma_search_down(s, root)) : NULL;
}

const struct dma_map *dma_maps_find(const struct dma_maps *m, struct dma_span span, uint64_t below)
{
    const struct dma_search s = {.below = below, .reach = span.first};
    const struct dma_edge *const e = dma_search_first(&s, m);

    return e && e->at <= span.last ? e->map : NULL;
}

bool dma_maps_remove(struct dma_maps *m, const struct dma_map *map)
{
    const struct dma_search s = {.below = UINT64_MAX, .reach = map->span.first};
    struct dma_edge *e = dma_search_first(&s, m);

    /* Passes at most LIMIT_DMA_OVERLAP maps, since all of them contain the map's first address. */
    while (e && e->at <= map->span.first && !dma_map_same(e->map, map)) {
        e = dma_search_from(&s, dma_search_on(&s, e));
    }
    if (!e || e->at > map->span.first) {
        return false;
    }
    dma_item_drop(m, unconst_pointer(e->map));
    return true;
}

void dma_maps_each(const struct dma_maps *m, void (*fn)(void *arg, const struct dma_map *map),
                   void *arg)
{
    const struct dma_search all = {.below = UINT64_MAX, .reach = 0};

    for (struct dma_edge *e = dma_search_first(&all, m); e;
         e = dma_search_from(&all, dma_search_on(&all, e))) {
        fn(arg, e->map);
    }
}

/* ---- unmapping ---- */

/* Returns true if everything mapped lies in the span and is older than this number. */
static bool dma_maps_within(struct dma_maps *m, struct dma_span span, uint64_t below)
{
    const struct dma_edge *const first = dma_edges_RB_MINMAX(&m->edges, RB_NEGINF);

    return first && first->at >= span.first && RB_ROOT(&m->edges)->reach <= span.last &&
           m->newest < below;
}

/* Removes the map, except for its parts before and behind the span. */
static void dma_item_cut(struct dma_maps *m, struct dma_item *i, struct dma_span span)
{
    const struct dma_map whole = i->map;
    struct dma_map rest = whole;
    struct dma_item *second;

    dma_item_take(m, i);
    if (whole.span.first < span.first) {
        rest.span.last = span.first - 1;
        dma_item_put(m, i, &rest);
        i = NULL;
    }
    if (whole.span.last > span.last) {
        rest.span = (struct dma_span){span.last + 1, whole.span.last};
        second = i ? i : m->n < LIMIT_DMA_MAPS ? dma_item_new(m) : NULL;
        if (second) {
            dma_item_put(m, second, &rest);
        }
        i = NULL;
    }
    if (i) {
        dma_item_free(m, i);
    }
}

void dma_maps_unmap(struct dma_maps *m, struct dma_span span, uint64_t below)
{
    const struct dma_map *map;

    if (dma_maps_within(m, span, below)) {
        dma_maps_deinit(m);
        return;
    }
    while ((map = dma_maps_find(m, span, below))) {
        dma_item_cut(m, unconst_pointer(map), span);
    }
}

/* ---- queries ---- */

static enum dma_depth dma_depth_of(uint32_t flag)
{
    return flag == WIRE_DMA_READABLE ? DMA_DEPTH_READ : DMA_DEPTH_WRITE;
}

bool dma_maps_allow(const struct dma_maps *m, struct dma_span span, uint32_t flag)
{
    return dma_maps_above(m, span, dma_depth_of(flag), 0);
}

/* Returns the last, or first, map in the subtree that permits this. There is one. */
static const struct dma_map *dma_edge_outermost(const struct dma_edge *e, uint32_t flag, bool last)
{
    for (;;) {
        const struct dma_edge *const near = last ? RB_RIGHT(e, link) : RB_LEFT(e, link);

        if (near && (near->begun & flag)) {
            e = near;
        } else if (e->map && (e->flags & flag)) {
            return e->map;
        } else {
            e = last ? RB_LEFT(e, link) : RB_RIGHT(e, link);
        }
    }
}

/* Returns the last permitting map that begins at the address or before, or NULL. */
static const struct dma_map *dma_maps_begun_by(const struct dma_maps *m, uint64_t address,
                                               uint32_t flag)
{
    const struct dma_edge *left = NULL; /* the last such subtree before the address */
    const struct dma_map *map = NULL;   /* … or a later map */
    const struct dma_edge *e = RB_ROOT(&m->edges);

    while (e) {
        if (e->at > address) {
            e = RB_LEFT(e, link);
            continue;
        }
        if (e->map && (e->flags & flag)) {
            map = e->map;
        } else if (RB_LEFT(e, link) && (RB_LEFT(e, link)->begun & flag)) {
            left = RB_LEFT(e, link);
            map = NULL;
        }
        e = RB_RIGHT(e, link);
    }
    return map || !left ? map : dma_edge_outermost(left, flag, true);
}

bool dma_maps_near(const struct dma_maps *m, uint64_t address, uint32_t flag, struct dma_span *out)
{
    const struct dma_edge *const root = RB_ROOT(&m->edges);
    const struct dma_map *map;
    const struct dma_edge *fall;
    struct dma_place p;

    if (!root || !(root->begun & flag)) {
        return false;
    }
    map = dma_maps_begun_by(m, address, flag);
    map = map ? map : dma_edge_outermost(root, flag, false);
    p = dma_place_of(m, map->span.first);
    fall = dma_place_fall(&p, dma_depth_of(flag), 0);
    *out = (struct dma_span){map->span.first, fall ? fall->at - 1 : UINT64_MAX};
    return true;
}
