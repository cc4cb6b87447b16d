/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The guest's memory in a replayed session: follows DMA maps, and reads and writes the memory as
 * the client does for DMA_READ and DMA_WRITE.
 */
#ifndef POEMD_CTL_REPLAY_REPLAY_MEMORY_H
#define POEMD_CTL_REPLAY_REPLAY_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire/wire.h"

struct replay_map {
    struct wire_dma_map map;
    int fd; /* owned: the memory, from map.offset on */
};

struct replay_memory {
    size_t n;
    size_t room;
    struct replay_map *maps;
};

void replay_memory_init(struct replay_memory *m);
void replay_memory_deinit(struct replay_memory *m);

/*
 * Maps memory as DMA_MAP asks: of fd (borrowed), or private memory if fd is -1. Returns 0 or
 * -errno.
 */
int replay_memory_map(struct replay_memory *m, const struct wire_dma_map *map, int fd)
    __attribute__((warn_unused_result));

/* Forgets the maps that lie wholly within the range. */
void replay_memory_unmap(struct replay_memory *m, const struct wire_dma_unmap *unmap);

/*
 * Read or write n bytes. Return 0, -EFAULT if not all of it is mapped for that access, or -errno.
 */
int replay_memory_read(const struct replay_memory *m, uint64_t address, void *p, size_t n)
    __attribute__((warn_unused_result));
int replay_memory_write(const struct replay_memory *m, uint64_t address, const void *p, size_t n)
    __attribute__((warn_unused_result));

#endif
