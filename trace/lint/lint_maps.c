/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A sorted array of ranges that do not overlap. Compares last bytes, never ends, since 2^64 wraps
 * to 0.
 */
#include "trace/lint/lint_maps.h"

#include <stdlib.h>
#include <string.h>

void lint_maps_deinit(struct lint_maps *m)
{
    free(m->map);
    *m = (struct lint_maps){.map = NULL};
}

bool lint_maps_range(uint64_t address, uint64_t size)
{
    return size > 0 && size - 1 <= UINT64_MAX - address;
}

static uint64_t lint_maps_last(const struct lint_map *e)
{
    return e->address + (e->size - 1);
}

/* Index of the first map that ends at or behind the address, or n. */
static size_t lint_maps_find(const struct lint_maps *m, uint64_t address)
{
    size_t low = 0;
    size_t high = m->n;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (lint_maps_last(&m->map[mid]) < address) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static bool lint_maps_grow(struct lint_maps *m)
{
    const size_t room = m->room ? 2 * m->room : 16;
    struct lint_map *map;

    if (m->n < m->room) {
        return true;
    }
    if (m->n >= LINT_MAPS_MAX) {
        return false;
    }
    map = realloc(m->map, room * sizeof *map);
    if (!map) {
        return false;
    }
    m->map = map;
    m->room = room;
    return true;
}

static void lint_maps_take_out(struct lint_maps *m, size_t at)
{
    m->posted -= m->map[at].posted > 0;
    m->n--;
    memmove(&m->map[at], &m->map[at + 1], (m->n - at) * sizeof *m->map);
}

enum lint_maps_added lint_maps_add(struct lint_maps *m, uint64_t address, uint64_t size,
                                   uint32_t flags)
{
    const size_t at = lint_maps_find(m, address);
    const uint64_t end = address + (size - 1);
    size_t i;

    for (i = at; i < m->n && m->map[i].address <= end; i++) {
        if (!m->map[i].leaving) {
            return LINT_MAPS_OVERLAP;
        }
    }
    while (i-- > at) {
        lint_maps_take_out(m, i);
    }
    if (!lint_maps_grow(m)) {
        return LINT_MAPS_FULL;
    }
    memmove(&m->map[at + 1], &m->map[at], (m->n - at) * sizeof *m->map);
    m->map[at] = (struct lint_map){.address = address, .size = size, .flags = flags};
    m->n++;
    return LINT_MAPS_OK;
}

/* Returns the map of exactly this range, or NULL. */
static struct lint_map *lint_maps_exact(const struct lint_maps *m, uint64_t address, uint64_t size)
{
    const size_t at = lint_maps_find(m, address);

    return at < m->n && m->map[at].address == address && m->map[at].size == size ? &m->map[at]
                                                                                 : NULL;
}

/* Marks the map of exactly this range as leaving. Returns it, or NULL if there is none. */
static struct lint_map *lint_maps_begin_leave(struct lint_maps *m, uint64_t address, uint64_t size)
{
    struct lint_map *const e = lint_maps_exact(m, address, size);

    if (!e || e->leaving) {
        return NULL;
    }
    e->leaving = true;
    return e;
}

bool lint_maps_leave(struct lint_maps *m, uint64_t address, uint64_t size)
{
    return lint_maps_begin_leave(m, address, size) != NULL;
}

bool lint_maps_post_leave(struct lint_maps *m, uint64_t address, uint64_t size, uint64_t number)
{
    struct lint_map *const e = lint_maps_begin_leave(m, address, size);

    if (!e) {
        return false;
    }
    e->posted = number;
    m->posted++;
    return true;
}

void lint_maps_settle(struct lint_maps *m, uint64_t number)
{
    for (size_t i = m->n; i-- > 0 && m->posted > 0;) {
        if (m->map[i].posted > 0 && m->map[i].posted < number) {
            lint_maps_take_out(m, i);
        }
    }
}

void lint_maps_stay(struct lint_maps *m, uint64_t address, uint64_t size)
{
    struct lint_map *e = lint_maps_exact(m, address, size);

    if (e) {
        e->leaving = false;
    }
}

void lint_maps_remove(struct lint_maps *m, uint64_t address, uint64_t size, bool leaving)
{
    const struct lint_map *e = lint_maps_exact(m, address, size);

    if (e && (e->leaving || !leaving)) {
        lint_maps_take_out(m, (size_t)(e - m->map));
    }
}

bool lint_maps_cover(const struct lint_maps *m, uint64_t address, uint64_t size, uint32_t *flags)
{
    const uint64_t end = address + (size - 1);
    size_t at = lint_maps_find(m, address);

    *flags = UINT32_MAX;
    if (at == m->n || m->map[at].address > address) {
        return false;
    }
    for (;;) {
        *flags &= m->map[at].flags;
        if (lint_maps_last(&m->map[at]) >= end) {
            return true;
        }
        if (at + 1 == m->n || m->map[at + 1].address != lint_maps_last(&m->map[at]) + 1) {
            return false;
        }
        at++;
    }
}
