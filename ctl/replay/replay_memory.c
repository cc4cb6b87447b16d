/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Accesses memory with pread and pwrite: the bytes are those of a mapping, and a device that
 * truncates the file does no harm.
 */
#define _GNU_SOURCE
#include "ctl/replay/replay_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/sock.h"

void replay_memory_init(struct replay_memory *m)
{
    *m = (struct replay_memory){.n = 0};
}

void replay_memory_deinit(struct replay_memory *m)
{
    for (size_t i = 0; i < m->n; i++) {
        sock_close(&m->maps[i].fd);
    }
    free(m->maps);
    replay_memory_init(m);
}

static int replay_memory_anonymous(uint64_t size)
{
    const int fd = memfd_create("poemctl-replay-private", MFD_CLOEXEC);

    if (fd >= 0 && (size > INT64_MAX || ftruncate(fd, (off_t)size) < 0)) {
        close(fd);
        return -EFBIG;
    }
    return fd < 0 ? -errno : fd;
}

int replay_memory_map(struct replay_memory *m, const struct wire_dma_map *map, int fd)
{
    struct replay_map *one;

    if (m->n == m->room) {
        const size_t room = m->room ? 2 * m->room : 16;
        struct replay_map *const more = realloc(m->maps, room * sizeof *more);

        if (!more) {
            return -ENOMEM;
        }
        m->maps = more;
        m->room = room;
    }
    one = &m->maps[m->n];
    one->map = *map;
    if (fd >= 0) {
        one->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    } else {
        one->map.offset = 0;
        one->fd = replay_memory_anonymous(map->size);
    }
    if (one->fd < 0) {
        return fd >= 0 ? -errno : one->fd;
    }
    m->n++;
    return 0;
}

void replay_memory_unmap(struct replay_memory *m, const struct wire_dma_unmap *unmap)
{
    size_t kept = 0;

    for (size_t i = 0; i < m->n; i++) {
        struct replay_map *const one = &m->maps[i];

        if (one->map.address >= unmap->address && one->map.address - unmap->address < unmap->size &&
            one->map.size <= unmap->size - (one->map.address - unmap->address)) {
            sock_close(&one->fd);
        } else {
            m->maps[kept++] = *one;
        }
    }
    m->n = kept;
}

/*
 * Returns the map that has the address and allows that access. *at: the offset in its file; *n is
 * reduced to the bytes it has from there.
 */
static const struct replay_map *replay_memory_find(const struct replay_memory *m, uint64_t address,
                                                   uint32_t flag, off_t *at, size_t *n)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct wire_dma_map *const map = &m->maps[i].map;

        if ((map->flags & flag) && address >= map->address && address - map->address < map->size) {
            const uint64_t within = address - map->address;

            *at = (off_t)(map->offset + within);
            *n = *n < map->size - within ? *n : (size_t)(map->size - within);
            return &m->maps[i];
        }
    }
    return NULL;
}

int replay_memory_read(const struct replay_memory *m, uint64_t address, void *p, size_t n)
{
    uint8_t *out = p;

    while (n > 0) {
        size_t some = n;
        off_t at;
        const struct replay_map *const map =
            replay_memory_find(m, address, WIRE_DMA_READABLE, &at, &some);
        ssize_t r;

        if (!map) {
            return -EFAULT;
        }
        r = pread(map->fd, out, some, at);
        if (r <= 0) {
            return r < 0 ? -errno : -EFAULT;
        }
        out += r;
        address += (uint64_t)r;
        n -= (size_t)r;
    }
    return 0;
}

int replay_memory_write(const struct replay_memory *m, uint64_t address, const void *p, size_t n)
{
    const uint8_t *in = p;

    while (n > 0) {
        size_t some = n;
        off_t at;
        const struct replay_map *const map =
            replay_memory_find(m, address, WIRE_DMA_WRITEABLE, &at, &some);
        ssize_t r;

        if (!map) {
            return -EFAULT;
        }
        r = pwrite(map->fd, in, some, at);
        if (r <= 0) {
            return r < 0 ? -errno : -EFAULT;
        }
        in += r;
        address += (uint64_t)r;
        n -= (size_t)r;
    }
    return 0;
}
