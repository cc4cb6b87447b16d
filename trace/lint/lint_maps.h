/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Follows the DMA maps of one session as the trace shows them, sorted by address. Pure except for
 * memory.
 */
#ifndef POEMD_TRACE_LINT_LINT_MAPS_H
#define POEMD_TRACE_LINT_LINT_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Maps that are followed: the specification's default of max_dma_maps, and one more. */
#define LINT_MAPS_MAX 65536u

struct lint_map {
    uint64_t address;
    uint64_t size; /* > 0; address + size does not wrap, but may be 2^64 */
    uint32_t flags;
    /* an unmap was requested: a new map may replace it; accesses are fine until the reply */
    bool leaving;
    uint64_t posted; /* … by this message, which wants no reply; 0: the reply will remove it */
};

struct lint_maps {
    struct lint_map *map;
    size_t n;
    size_t room;
    size_t posted; /* maps that leave by a posted unmap */
};

void lint_maps_deinit(struct lint_maps *m);

enum lint_maps_added {
    LINT_MAPS_OK,
    LINT_MAPS_OVERLAP, /* nothing was added */
    LINT_MAPS_FULL,    /* likewise; or memory ran out */
};

/* Returns true if a range is not empty and does not reach beyond 2^64. */
bool lint_maps_range(uint64_t address, uint64_t size);

/* Adds a range, which must pass lint_maps_range. Replaces maps that are leaving. */
enum lint_maps_added lint_maps_add(struct lint_maps *m, uint64_t address, uint64_t size,
                                   uint32_t flags) __attribute__((warn_unused_result));

/*
 * Marks the map of exactly this range as leaving: an unmap was requested. Returns false if there is
 * no such map or it is leaving already.
 */
bool lint_maps_leave(struct lint_maps *m, uint64_t address, uint64_t size);

/*
 * The same for an unmap with No_reply, the message with this number: the map goes when the device
 * has shown that it has read that far.
 */
bool lint_maps_post_leave(struct lint_maps *m, uint64_t address, uint64_t size, uint64_t number);

/* The device has answered the message with this number: removes what was posted before it. */
void lint_maps_settle(struct lint_maps *m, uint64_t number);

/* The unmap was refused: the map stays. */
void lint_maps_stay(struct lint_maps *m, uint64_t address, uint64_t size);

/* Removes the map of exactly this range, if `leaving` is set only one that is leaving. */
void lint_maps_remove(struct lint_maps *m, uint64_t address, uint64_t size, bool leaving);

/*
 * Returns true if the whole range is mapped, by one map or by several adjoining ones. Sets *flags
 * to the flags that all of them have.
 */
bool lint_maps_cover(const struct lint_maps *m, uint64_t address, uint64_t size, uint32_t *flags);

#endif
