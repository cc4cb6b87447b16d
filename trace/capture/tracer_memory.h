/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A flight recorder's memory: the newest blocks of a capture, the oldest of which give way.
 */
#ifndef POEMD_TRACE_CAPTURE_TRACER_MEMORY_H
#define POEMD_TRACE_CAPTURE_TRACER_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct tracer_memory;

/* Told of each block that gives way: its owner has one block less. */
typedef void tracer_memory_gone(void *owner);

/* size bytes in all. NULL: no memory. */
struct tracer_memory *tracer_memory_new(uint64_t size, tracer_memory_gone *gone)
    __attribute__((warn_unused_result));

/* Forgets all blocks; gone is told of each. NULL is allowed. */
void tracer_memory_free(struct tracer_memory *m);

/* Room for a block of n bytes, for which the oldest give way. NULL: it is larger than all. */
void *tracer_memory_room(struct tracer_memory *m, size_t n) __attribute__((warn_unused_result));

/* The block has been put there: it has n bytes, at most as many as were asked for. */
void tracer_memory_add(struct tracer_memory *m, size_t n, void *owner);

/* Blocks that have been added, and that have gone again, since the beginning. */
uint64_t tracer_memory_added(const struct tracer_memory *m);
uint64_t tracer_memory_gone_by(const struct tracer_memory *m);

/* The oldest block, n bytes; NULL: there is none. Good until something is asked for or dropped. */
void *tracer_memory_oldest(const struct tracer_memory *m, size_t *n, void **owner);

/* Forgets the oldest block; gone is told. */
void tracer_memory_drop(struct tracer_memory *m);

#endif
