/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The guest's memory in a session that is played again: what was mapped where, and reading and
 * writing it as the client did for DMA_READ and DMA_WRITE.
 */
#ifndef POEMD_CTL_REPLAY_REPLAY_MEMORY_H
#define POEMD_CTL_REPLAY_REPLAY_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"

struct replay_map {
    struct wire_dma_map map;
    int fd; /* owned: of the memory, from map.offset on */
};

struct replay_memory {
    size_t n;
    size_t room;
    struct replay_map *maps;
};

void replay_memory_init(struct replay_memory *m);
void replay_memory_deinit(struct replay_memory *m);

/*
 * Maps as DMA_MAP says: the memory of fd (borrowed), or, fd being -1, memory that nobody else sees.
 * 0 or -errno.
 */
int replay_memory_map(struct replay_memory *m, const struct wire_dma_map *map, int fd)
    __attribute__((warn_unused_result));

/* Forgets what lies wholly within. */
void replay_memory_unmap(struct replay_memory *m, const struct wire_dma_unmap *unmap);

/* Moves n bytes. 0, or -EFAULT: not all of it is mapped (for that), or -errno. */
int replay_memory_read(const struct replay_memory *m, uint64_t address, void *p, size_t n)
    __attribute__((warn_unused_result));
int replay_memory_write(const struct replay_memory *m, uint64_t address, const void *p, size_t n)
    __attribute__((warn_unused_result));

#endif
