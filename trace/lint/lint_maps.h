/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The DMA maps of one session as the trace has shown them, sorted by address. Pure but for memory.
 */
#ifndef POEMD_TRACE_LINT_LINT_MAPS_H
#define POEMD_TRACE_LINT_LINT_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many are kept; the specification's default of max_dma_maps, and one. */
#define LINT_MAPS_MAX 65536u

struct lint_map {
    uint64_t address;
    uint64_t size; /* > 0; address + size does not wrap, but may be 2^64 */
    uint32_t flags;
    bool leaving; /* its unmapping was asked for: no more in the way, and accessed until answered */
};

struct lint_maps {
    struct lint_map *map;
    size_t n;
    size_t room;
};

void lint_maps_deinit(struct lint_maps *m);

enum lint_maps_added {
    LINT_MAPS_OK,
    LINT_MAPS_OVERLAP, /* nothing was added */
    LINT_MAPS_FULL,    /* likewise; or no memory */
};

/* Whether a range is one: not empty, not beyond 2^64. */
bool lint_maps_range(uint64_t address, uint64_t size);

/* The range must be one. Those that are leaving make room. */
enum lint_maps_added lint_maps_add(struct lint_maps *m, uint64_t address, uint64_t size,
                                   uint32_t flags) __attribute__((warn_unused_result));

/* The unmapping of exactly this range was asked for. False: it is not mapped, or leaving already.
 */
bool lint_maps_leave(struct lint_maps *m, uint64_t address, uint64_t size);

/* It was refused: the range stays. */
void lint_maps_stay(struct lint_maps *m, uint64_t address, uint64_t size);

/* Takes the range out where exactly it is mapped; leaving: only if it is that. */
void lint_maps_remove(struct lint_maps *m, uint64_t address, uint64_t size, bool leaving);

/*
 * Whether all of a range is mapped, by one map or by several side by side. Sets *flags to those
 * that all of them have.
 */
bool lint_maps_cover(const struct lint_maps *m, uint64_t address, uint64_t size, uint32_t *flags);

#endif
