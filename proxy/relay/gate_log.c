/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Chains of chunks. Memory that others can read; no I/O but madvise. */
#define _GNU_SOURCE
#include "proxy/relay/gate_log.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Logs with more chunks give their memory back: a guest with a few hundred maps has fewer. */
#define GATE_LOG_WARM 16u

bool gate_chunks_init(struct gate_chunks *c, struct gate_chunk *at)
{
    *c = (struct gate_chunks){.at = at};
    c->free = malloc(LIMIT_GATE_CHUNKS * sizeof *c->free);
    return c->free != NULL;
}

void gate_chunks_deinit(struct gate_chunks *c)
{
    free(c->free);
    *c = (struct gate_chunks){.at = NULL};
}

static struct gate_chunk *gate_chunks_of(const struct gate_chunks *c, uint32_t number)
{
    return &c->at[number - 1];
}

/* Returns a chunk's number for a log that has so many, or 0. */
static uint32_t gate_chunks_take(struct gate_chunks *c, uint32_t has)
{
    const uint32_t left = LIMIT_GATE_CHUNKS - c->n_used + c->n_free;

    if (!c->free || left == 0 || has > left) {
        return 0;
    }
    return c->n_free > 0 ? c->free[--c->n_free] : ++c->n_used;
}

struct gate_chunk *gate_log_head(const struct gate_chunks *c, uint64_t log)
{
    const uint32_t first = gate_log_first(log);

    return c->at && first > 0 && first <= GATE_LAST_CHUNK ? gate_chunks_of(c, first) : NULL;
}

bool gate_log_add(struct gate_log *l, const struct gate_entry *e)
{
    const uint32_t at = l->n % GATE_CHUNK_ENTRIES;
    uint32_t next;

    if (at == 0) {
        next = gate_chunks_take(l->chunks, gate_log_chunks(l->n));
        if (next == 0) {
            return false;
        }
        if (l->n > 0) {
            gate_chunks_of(l->chunks, l->last)->next = next;
        } else {
            l->first = next;
            memset(gate_chunks_of(l->chunks, next), 0, offsetof(struct gate_chunk, entries));
        }
        l->last = next;
    }
    gate_chunks_of(l->chunks, l->last)->entries[at] = *e;
    l->n++;
    return true;
}

void gate_log_drop(struct gate_log *l)
{
    struct gate_chunks *const c = l->chunks;
    const uint32_t n = gate_log_chunks(l->n);
    uint32_t at = l->first;

    for (uint32_t i = 0; i < n && at > 0 && at <= LIMIT_GATE_CHUNKS; i++) {
        struct gate_chunk *const chunk = gate_chunks_of(c, at);

        c->free[c->n_free++] = at;
        at = chunk->next;
        if (n > GATE_LOG_WARM) {
            (void)madvise(chunk, sizeof *chunk, MADV_REMOVE);
        }
    }
    *l = (struct gate_log){.chunks = c};
}

bool gate_log_read(const struct gate_chunks *c, uint64_t log, gate_log_fn *fn, void *arg)
{
    const uint32_t n = gate_log_entries(log);
    uint32_t at = gate_log_first(log);

    for (uint32_t i = 0; i < n; i++) {
        const uint32_t in = i % GATE_CHUNK_ENTRIES;
        struct gate_entry e;

        if (in == 0 && i > 0) {
            at = gate_chunks_of(c, at)->next;
        }
        if (!c->at || at == 0 || at > GATE_LAST_CHUNK ||
            n > LIMIT_GATE_CHUNKS * GATE_CHUNK_ENTRIES) {
            return false;
        }
        e = gate_chunks_of(c, at)->entries[in];
        if (!fn(arg, &e, i + 1 == n)) {
            return false;
        }
    }
    return true;
}
