/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A flight recorder's memory: keeps the newest blocks of a capture and drops the oldest. */
#ifndef POEMD_TRACE_CAPTURE_TRACER_MEMORY_H
#define POEMD_TRACE_CAPTURE_TRACER_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct tracer_memory;

/* Called for each dropped block: its owner has one block less. */
typedef void tracer_memory_gone(void *owner);

/* Allocates size bytes in all. Returns NULL if memory runs out. */
struct tracer_memory *tracer_memory_new(uint64_t size, tracer_memory_gone *gone)
    __attribute__((warn_unused_result));

/* Drops all blocks, calling gone for each. m may be NULL. */
void tracer_memory_free(struct tracer_memory *m);

/*
 * Returns room for a block of n bytes, dropping the oldest as needed; NULL if it is larger than all
 * memory.
 */
void *tracer_memory_room(struct tracer_memory *m, size_t n) __attribute__((warn_unused_result));

/* Adds the block written there; n may be smaller than requested. */
void tracer_memory_add(struct tracer_memory *m, size_t n, void *owner);

/* Numbers of blocks added, and dropped, since the beginning. */
uint64_t tracer_memory_added(const struct tracer_memory *m);
uint64_t tracer_memory_gone_by(const struct tracer_memory *m);

/* Returns the oldest block, of *n bytes, or NULL. Valid until the next call of room or drop. */
void *tracer_memory_oldest(const struct tracer_memory *m, size_t *n, void **owner);

/* Drops the oldest block, calling gone. */
void tracer_memory_drop(struct tracer_memory *m);

#endif
