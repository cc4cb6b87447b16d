/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The table of DMA ranges. Owns their fds; neither reads nor writes memory. */
#define _DEFAULT_SOURCE
#include "contrib/edu/dma_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/sock.h"

void dma_table_init(struct dma_table *t, size_t max)
{
    *t = (struct dma_table){.max = max};
}

void dma_table_clear(struct dma_table *t)
{
    for (size_t i = 0; i < t->n; i++) {
        sock_close(&t->ranges[i].range_fd);
    }
    t->n = 0;
}

void dma_table_deinit(struct dma_table *t)
{
    dma_table_clear(t);
    free(t->ranges);
    t->ranges = NULL;
    t->room = 0;
}

/* Index of the first range that ends after address, or n. */
static size_t edu_dma_table_position(const struct dma_table *t, uint64_t address)
{
    size_t low = 0;
    size_t high = t->n;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        /* size - 1, since the last range may end with the address space. */
        if (t->ranges[mid].address + (t->ranges[mid].size - 1) < address) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static int edu_dma_table_grow(struct dma_table *t)
{
    const size_t room = t->room ? 2 * t->room : 16;
    struct dma_range *ranges;

    if (t->n < t->room) {
        return 0;
    }
    ranges = reallocarray(t->ranges, room, sizeof *ranges);
    if (!ranges) {
        return -ENOMEM;
    }
    t->ranges = ranges;
    t->room = room;
    return 0;
}

static int edu_dma_table_check_map(const struct wire_dma_map *map)
{
    const uint32_t access = map->flags & (WIRE_DMA_READABLE | WIRE_DMA_WRITEABLE);

    if (map->argsz != sizeof *map || access == 0 || (map->flags & ~WIRE_DMA_KNOWN) ||
        map->size == 0 || map->address % DMA_PAGE != 0 || map->size % DMA_PAGE != 0 ||
        map->address > UINT64_MAX - (map->size - 1)) {
        return -EINVAL;
    }
    return 0;
}

/* Returns true if the range's bytes can be read and written at their offset in the file. */
static int edu_dma_table_usable(const struct wire_dma_map *map, int fd)
{
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
           map->offset <= (uint64_t)INT64_MAX && map->size <= (uint64_t)INT64_MAX - map->offset;
}

int dma_table_map(struct dma_table *t, const struct wire_dma_map *map, int *fd)
{
    size_t at;
    int err = edu_dma_table_check_map(map);

    if (err) {
        return err;
    }
    at = edu_dma_table_position(t, map->address);
    if (at < t->n && t->ranges[at].address <= map->address + (map->size - 1)) {
        return -EEXIST;
    }
    if (t->n >= t->max) {
        return -ENOSPC;
    }
    err = edu_dma_table_grow(t);
    if (err) {
        return err;
    }
    memmove(&t->ranges[at + 1], &t->ranges[at], (t->n - at) * sizeof *t->ranges);
    t->n++;
    /*
     * Other than regular files (a device, a pipe) could block or behave differently: they are
     * reached by messages.
     */
    if (!edu_dma_table_usable(map, *fd)) {
        sock_close(fd);
    }
    t->ranges[at] = (struct dma_range){.address = map->address,
                                       .size = map->size,
                                       .offset = map->offset,
                                       .flags = map->flags,
                                       .range_fd = *fd};
    *fd = -1;
    return 0;
}

int dma_table_unmap(struct dma_table *t, uint64_t address, uint64_t size)
{
    const size_t at = edu_dma_table_position(t, address);

    if (at == t->n || t->ranges[at].address != address || t->ranges[at].size != size) {
        return -EINVAL;
    }
    sock_close(&t->ranges[at].range_fd);
    t->n--;
    memmove(&t->ranges[at], &t->ranges[at + 1], (t->n - at) * sizeof *t->ranges);
    return 0;
}

const struct dma_range *dma_table_find(const struct dma_table *t, uint64_t address)
{
    const size_t at = edu_dma_table_position(t, address);

    return at < t->n && t->ranges[at].address <= address ? &t->ranges[at] : NULL;
}
