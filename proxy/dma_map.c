/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Maps by address, and what they cover together. Asking is a binary search in the merged spans;
 * these are made anew at the first question after a change, since maps change seldom.
 */
#define _GNU_SOURCE
#include "proxy/dma_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool dma_span_of(uint64_t address, uint64_t size, struct dma_span *out)
{
    if (size == 0 || size - 1 > UINT64_MAX - address) {
        return false;
    }
    *out = (struct dma_span){address, address + (size - 1)};
    return true;
}

/* Bytes of a span, the whole of all addresses counted as one less: it must fit a number. */
static uint64_t bytes_of(struct dma_span s)
{
    const uint64_t n = s.last - s.first;

    return n == UINT64_MAX ? n : n + 1;
}

void dma_maps_init(struct dma_maps *m)
{
    *m = (struct dma_maps){.maps = NULL};
}

void dma_maps_deinit(struct dma_maps *m)
{
    free(m->maps);
    free(m->readable.spans);
    free(m->writeable.spans);
    dma_maps_init(m);
}

/* ---- changes ---- */

static bool grow_spans(struct dma_cover *c, size_t room)
{
    struct dma_span *more = reallocarray(c->spans, room, sizeof *more);

    if (more) {
        c->spans = more;
    }
    return more != NULL;
}

/* Room for so many more. 0 or -ENOMEM. */
static int grow(struct dma_maps *m, size_t more)
{
    size_t room = m->room > 0 ? m->room : 8;
    struct dma_map *maps;

    if (m->room - m->n >= more) {
        return 0;
    }
    while (room - m->n < more) {
        room *= 2;
    }
    maps = reallocarray(m->maps, room, sizeof *maps);
    if (!maps) {
        return -ENOMEM;
    }
    m->maps = maps;
    if (!grow_spans(&m->readable, room) || !grow_spans(&m->writeable, room)) {
        return -ENOMEM;
    }
    m->room = room;
    return 0;
}

/* The number of maps that begin before address, or at it. */
static size_t begin_by(const struct dma_maps *m, uint64_t address)
{
    size_t low = 0;
    size_t high = m->n;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (m->maps[mid].span.first <= address) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

/* A sum that stays at the largest number: an absurd map must not make room for others. */
static uint64_t plus(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static void count_passed(struct dma_maps *m)
{
    m->passed = 0;
    for (size_t i = 0; i < m->n; i++) {
        if (m->maps[i].passed) {
            m->passed = plus(m->passed, bytes_of(m->maps[i].span));
        }
    }
}

int dma_maps_add(struct dma_maps *m, const struct dma_map *map)
{
    size_t i;

    if (grow(m, 1) < 0) {
        return -ENOMEM;
    }
    i = begin_by(m, map->span.first);
    memmove(m->maps + i + 1, m->maps + i, (m->n - i) * sizeof *m->maps);
    m->maps[i] = *map;
    m->n++;
    m->stale = true;
    if (map->passed) {
        m->passed = plus(m->passed, bytes_of(map->span));
    }
    return 0;
}

static bool same(const struct dma_map *a, const struct dma_map *b)
{
    return a->span.first == b->span.first && a->span.last == b->span.last && a->flags == b->flags &&
           a->passed == b->passed && a->number == b->number;
}

bool dma_maps_remove(struct dma_maps *m, const struct dma_map *map)
{
    for (size_t i = begin_by(m, map->span.first);
         i > 0 && m->maps[i - 1].span.first == map->span.first; i--) {
        if (same(&m->maps[i - 1], map)) {
            memmove(m->maps + i - 1, m->maps + i, (m->n - i) * sizeof *m->maps);
            m->n--;
            m->stale = true;
            count_passed(m);
            return true;
        }
    }
    return false;
}

/*
 * Copies what maps with smaller numbers have behind the span, n of them at most; returns how many
 * there are.
 */
static size_t rests(const struct dma_maps *m, struct dma_span span, uint64_t below,
                    struct dma_map *out, size_t n)
{
    size_t found = 0;

    for (size_t i = 0; i < m->n && m->maps[i].span.first <= span.last; i++) {
        if (m->maps[i].span.last > span.last && m->maps[i].number < below) {
            if (found < n) {
                out[found] = m->maps[i];
                out[found].span.first = span.last + 1;
            }
            found++;
        }
    }
    return found;
}

/*
 * Cuts off what maps with smaller numbers have in the span or behind it, where they begin before
 * its end.
 */
static void cut(struct dma_maps *m, struct dma_span span, uint64_t below)
{
    size_t kept = 0;

    for (size_t i = 0; i < m->n; i++) {
        struct dma_map map = m->maps[i];

        if (map.number < below && map.span.first < span.first && map.span.last >= span.first) {
            map.span.last = span.first - 1;
        } else if (map.number < below && map.span.first >= span.first &&
                   map.span.first <= span.last) {
            continue;
        }
        m->maps[kept++] = map;
    }
    m->n = kept;
}

/*
 * Puts in maps that all begin at the same address, at which no other does, or behind those that do.
 * No more than there may be, and as memory allows: whoever maps the same memory again and again and
 * unmaps its middle would have ever more of them.
 */
static void put_back(struct dma_maps *m, const struct dma_map *maps, size_t n)
{
    size_t i;

    if (m->n >= LIMIT_DMA_MAPS) {
        return;
    }
    n = n < LIMIT_DMA_MAPS - m->n ? n : LIMIT_DMA_MAPS - m->n;
    if (n == 0 || grow(m, n) < 0) {
        return;
    }
    i = begin_by(m, maps->span.first);
    memmove(m->maps + i + n, m->maps + i, (m->n - i) * sizeof *m->maps);
    memcpy(m->maps + i, maps, n * sizeof *maps);
    m->n += n;
}

void dma_maps_unmap(struct dma_maps *m, struct dma_span span, uint64_t below)
{
    const size_t n = rests(m, span, below, NULL, 0);
    struct dma_map *behind = n > 0 ? calloc(n, sizeof *behind) : NULL;

    if (behind) {
        (void)rests(m, span, below, behind, n);
    }
    cut(m, span, below);
    if (behind) {
        put_back(m, behind, n);
    }
    free(behind);
    m->stale = true;
    count_passed(m);
}

/* ---- questions ---- */

/* Merges the maps of one kind; room is as for maps. */
static void merge(struct dma_cover *c, const struct dma_maps *m, uint32_t flag)
{
    c->n = 0;
    for (size_t i = 0; i < m->n; i++) {
        const struct dma_span s = m->maps[i].span;
        struct dma_span *last = c->n > 0 ? &c->spans[c->n - 1] : NULL;

        if (!(m->maps[i].flags & flag)) {
            continue;
        }
        /* Touching counts: what begins at the next byte goes on. */
        if (last && (s.first <= last->last || s.first - 1 == last->last)) {
            last->last = s.last > last->last ? s.last : last->last;
        } else {
            c->spans[c->n++] = s;
        }
    }
}

static const struct dma_cover *cover_of(struct dma_maps *m, uint32_t flag)
{
    if (m->stale) {
        merge(&m->readable, m, WIRE_DMA_READABLE);
        merge(&m->writeable, m, WIRE_DMA_WRITEABLE);
        m->stale = false;
    }
    return flag == WIRE_DMA_READABLE ? &m->readable : &m->writeable;
}

/* The last span that begins before address, or at it; NULL: none. */
static const struct dma_span *span_by(const struct dma_cover *c, uint64_t address)
{
    size_t low = 0;
    size_t high = c->n;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (c->spans[mid].first <= address) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low > 0 ? &c->spans[low - 1] : NULL;
}

bool dma_maps_allow(struct dma_maps *m, struct dma_span span, uint32_t flag)
{
    const struct dma_span *s = span_by(cover_of(m, flag), span.first);

    return s && s->last >= span.last;
}

bool dma_maps_near(struct dma_maps *m, uint64_t address, uint32_t flag, struct dma_span *out)
{
    const struct dma_cover *c = cover_of(m, flag);
    const struct dma_span *s = span_by(c, address);

    if (c->n == 0) {
        return false;
    }
    *out = s ? *s : c->spans[0];
    return true;
}
