/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Logs of gates (proxy/ipc/gate_entry.h) in the worker's chunks. Memory; gives that of large logs
 * back to the kernel, no other I/O.
 */
#ifndef POEMD_PROXY_RELAY_GATE_LOG_H
#define POEMD_PROXY_RELAY_GATE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/ipc/gate_entry.h"

/* A worker's chunks. All zero: there are none. */
struct gate_chunks {
    struct gate_chunk *at; /* borrowed: GATE_LAST_CHUNK of them */
    uint32_t n_used;       /* of the worker's own, those that a log has had */
    uint32_t n_free;       /* … and those that none has any more */
    uint32_t *free;        /* owned: their numbers */
};

/* at is borrowed, zeroed or as a dead worker left it. Returns false if out of memory. */
bool gate_chunks_init(struct gate_chunks *c, struct gate_chunk *at)
    __attribute__((warn_unused_result));
void gate_chunks_deinit(struct gate_chunks *c);

/* A log that is written. All zero but for chunks: an empty one. */
struct gate_log {
    struct gate_chunks *chunks; /* borrowed */
    uint32_t first;             /* chunk; 0: none */
    uint32_t last;
    uint32_t n; /* entries */
};

/*
 * Appends an entry. Returns false, with no change, if there is no chunk for it: a log may have at
 * most as many as are free, so that no session can use up those of others.
 */
bool gate_log_add(struct gate_log *l, const struct gate_entry *e)
    __attribute__((warn_unused_result));

/* Returns the word that a page has of it. */
static inline uint64_t gate_log_word(const struct gate_log *l)
{
    return GATE_LOG(l->first, l->n);
}

/* Returns a log's first chunk, or NULL if it is empty, or its number is not one. */
struct gate_chunk *gate_log_head(const struct gate_chunks *c, uint64_t log);

/* Gives its chunks back: an empty log. */
void gate_log_drop(struct gate_log *l);

/* Returns false to stop. last: no entry follows. */
typedef bool gate_log_fn(void *arg, const struct gate_entry *e, bool last);

/*
 * Calls fn for each entry of the log that a page has. Both may be anything that a worker which was
 * taken over could have left. Returns false if the chunks cannot be those of a log, or fn did.
 */
bool gate_log_read(const struct gate_chunks *c, uint64_t log, gate_log_fn *fn, void *arg)
    __attribute__((warn_unused_result));

#endif
