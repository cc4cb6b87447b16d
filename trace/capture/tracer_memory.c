/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Keeps blocks in a ring of memory. No block wraps: a skip entry fills the rest at the ring's end.
 * The ring and its entries are multiples of GRAIN, so any rest has room for that entry.
 */
#include "trace/capture/tracer_memory.h"

#include <stdbool.h>
#include <stdlib.h>

struct entry {
    size_t size; /* of the entry, to the next one */
    size_t n;    /* of the block; 0: skips to the beginning */
    void *owner;
};

#define GRAIN 32u

_Static_assert(sizeof(struct entry) <= GRAIN, "any rest of the ring holds a skip entry");

struct tracer_memory {
    uint8_t *data;
    size_t size;
    size_t first; /* offset of the oldest entry */
    size_t next;  /* offset of the next one */
    size_t used;  /* bytes of entries */
    uint64_t added;
    uint64_t gone_by;
    tracer_memory_gone *gone;
};

static size_t tracer_memory_entry_size(size_t n)
{
    return (sizeof(struct entry) + n + GRAIN - 1) & ~(size_t)(GRAIN - 1);
}

static struct entry *tracer_memory_entry_at(const struct tracer_memory *m, size_t at)
{
    return (struct entry *)(void *)(m->data + at);
}

struct tracer_memory *tracer_memory_new(uint64_t size, tracer_memory_gone *gone)
{
    struct tracer_memory *const m = calloc(1, sizeof *m);

    if (!m) {
        return NULL;
    }
    m->size = (size_t)size & ~(size_t)(GRAIN - 1);
    m->data = malloc(m->size);
    m->gone = gone;
    if (!m->data) {
        free(m);
        return NULL;
    }
    return m;
}

void tracer_memory_free(struct tracer_memory *m)
{
    if (!m) {
        return;
    }
    while (m->used > 0) {
        tracer_memory_drop(m);
    }
    free(m->data);
    free(m);
}

/* Drops the first entry. Returns true if it was a block. */
static bool tracer_memory_drop_entry(struct tracer_memory *m)
{
    const struct entry e = *tracer_memory_entry_at(m, m->first);

    m->used -= e.size;
    m->first = m->first + e.size == m->size ? 0 : m->first + e.size;
    if (m->used == 0) {
        m->first = m->next = 0;
    }
    if (e.n > 0) {
        m->gone_by++;
        m->gone(e.owner);
    }
    return e.n > 0;
}

void tracer_memory_drop(struct tracer_memory *m)
{
    while (m->used > 0 && !tracer_memory_drop_entry(m)) {
    }
}

/* Contiguous free bytes from next on. */
static size_t tracer_memory_free_from_next(const struct tracer_memory *m)
{
    if (m->used == 0) {
        return m->size;
    }
    return m->next > m->first ? m->size - m->next : m->first - m->next;
}

void *tracer_memory_room(struct tracer_memory *m, size_t n)
{
    const size_t want = tracer_memory_entry_size(n);

    if (want > m->size) {
        return NULL;
    }
    while (tracer_memory_free_from_next(m) < want) {
        if (m->used > 0 && m->next > m->first && m->next < m->size) {
            /* The rest is too short and is skipped. */
            *tracer_memory_entry_at(m, m->next) = (struct entry){.size = m->size - m->next};
            m->used += m->size - m->next;
            m->next = 0;
        } else if (m->next == m->size) {
            m->next = 0;
        } else {
            tracer_memory_drop(m);
        }
    }
    return m->data + m->next + sizeof(struct entry);
}

void tracer_memory_add(struct tracer_memory *m, size_t n, void *owner)
{
    struct entry *const e = tracer_memory_entry_at(m, m->next);

    *e = (struct entry){.size = tracer_memory_entry_size(n), .n = n, .owner = owner};
    m->used += e->size;
    m->next += e->size;
    m->added++;
}

uint64_t tracer_memory_added(const struct tracer_memory *m)
{
    return m->added;
}

uint64_t tracer_memory_gone_by(const struct tracer_memory *m)
{
    return m->gone_by;
}

void *tracer_memory_oldest(const struct tracer_memory *m, size_t *n, void **owner)
{
    size_t at = m->first;

    if (m->used == 0) {
        return NULL;
    }
    if (tracer_memory_entry_at(m, at)->n == 0) {
        at = 0;
        if (tracer_memory_entry_at(m, m->first)->size == m->used) {
            return NULL;
        }
    }
    *n = tracer_memory_entry_at(m, at)->n;
    *owner = tracer_memory_entry_at(m, at)->owner;
    return (uint8_t *)tracer_memory_entry_at(m, at) + sizeof(struct entry);
}
