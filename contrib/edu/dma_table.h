/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The DMA ranges that a client has mapped: sorted, disjoint, limited in number. */
#ifndef POEMD_EDU_DMA_TABLE_H
#define POEMD_EDU_DMA_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/wire/wire.h"

/* The page size of DMA_MAP: both ends of a range are multiples of it. */
#define DMA_PAGE 4096u

struct dma_range {
    uint64_t address;
    uint64_t size;
    uint64_t offset; /* in the file */
    uint32_t flags;  /* WIRE_DMA_* */
    int range_fd;    /* owned; -1: reachable only by messages */
};

struct dma_table {
    struct dma_range *ranges; /* owned, ordered by address */
    size_t n;
    size_t room;
    size_t max; /* largest number of ranges */
};

void dma_table_init(struct dma_table *t, size_t max);
void dma_table_deinit(struct dma_table *t);

/* Forgets all ranges and closes their fds. */
void dma_table_clear(struct dma_table *t);

/*
 * "VFIO_USER_DMA_MAP". Takes *fd (-1 if none) only if it returns 0. -EINVAL: argsz, flags,
 * alignment, empty or beyond the address space; -EEXIST: overlaps a range; -ENOSPC: too many
 * ranges; -ENOMEM.
 */
int dma_table_map(struct dma_table *t, const struct wire_dma_map *map, int *fd)
    __attribute__((warn_unused_result));

/* "VFIO_USER_DMA_UNMAP": unmaps exactly one range as it was mapped. Returns 0 or -EINVAL. */
int dma_table_unmap(struct dma_table *t, uint64_t address, uint64_t size)
    __attribute__((warn_unused_result));

/* Returns the range that holds address, or NULL. Valid until the table changes. */
const struct dma_range *dma_table_find(const struct dma_table *t, uint64_t address);

#endif
