/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * BAR 2: the memfd and the eventfd that a client receives. Sends nothing itself.
 *
 * The client maps the memfd and can change the page at any time: it is copied, never parsed. Its
 * size is sealed, so that no process can make the device fault on its own memory; but for memory
 * that was given, which its giver must not shorten.
 */
#define _GNU_SOURCE
#include "contrib/edu/bar2.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sock.h"

static int edu_bar2_make_memory(struct bar2 *b)
{
    b->memory_fd = memfd_create("edu-bar2", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (b->memory_fd < 0 || ftruncate(b->memory_fd, EDU_BAR2_SIZE) < 0 ||
        fcntl(b->memory_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
        return -errno;
    }
    b->memory = mmap(NULL, EDU_BAR2_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, b->memory_fd, 0);
    return b->memory == MAP_FAILED ? -errno : 0;
}

int bar2_adopt_take(struct bar2 *b, int memory_fd)
{
    struct stat st;
    void *memory;

    if (fstat(memory_fd, &st) < 0 || (st.st_size == 0 && ftruncate(memory_fd, EDU_BAR2_SIZE) < 0)) {
        return -errno;
    }
    if (st.st_size > 0 && st.st_size < EDU_BAR2_SIZE) {
        return -EINVAL;
    }
    memory = mmap(NULL, EDU_BAR2_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    munmap(b->memory, EDU_BAR2_SIZE);
    sock_close(&b->memory_fd);
    b->memory = memory;
    b->memory_fd = memory_fd;
    b->given = true;
    return 0;
}

int bar2_init(struct bar2 *b)
{
    int err;

    *b = (struct bar2){.memory_fd = -1, .memory = MAP_FAILED, .doorbell_fd = -1};
    err = edu_bar2_make_memory(b);
    if (!err) {
        b->doorbell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        err = b->doorbell_fd < 0 ? -errno : 0;
    }
    if (err) {
        bar2_deinit(b);
    }
    return err;
}

void bar2_deinit(struct bar2 *b)
{
    if (b->memory != MAP_FAILED) {
        munmap(b->memory, EDU_BAR2_SIZE);
    }
    sock_close(&b->memory_fd);
    sock_close(&b->doorbell_fd);
}

int bar2_renew(struct bar2 *b)
{
    struct bar2 fresh;
    int err;

    if (b->given) {
        return 0;
    }
    err = bar2_init(&fresh);
    if (err) {
        return err;
    }
    bar2_drain(b);
    fresh.doorbells = b->doorbells;
    memcpy(bar2_page(&fresh), bar2_page(b), EDU_PAGE_SIZE);
    bar2_deinit(b);
    *b = fresh;
    return 0;
}

void bar2_drain(struct bar2 *b)
{
    uint64_t rings;

    if (read(b->doorbell_fd, &rings, sizeof rings) == (ssize_t)sizeof rings) {
        b->doorbells += rings;
    }
}

void bar2_reset(struct bar2 *b)
{
    bar2_drain(b);
    b->doorbells = 0;
    memset(bar2_page(b), 0, EDU_PAGE_SIZE);
}

void bar2_read(struct bar2 *b, uint32_t offset, void *p, uint32_t n)
{
    memset(p, 0xff, n);
    if (offset >= EDU_PAGE) {
        memcpy(p, b->memory + offset, n);
    } else if (offset == EDU_DOORBELL_COUNT && (n == 4 || n == 8)) {
        /* A client that rings and then reads must find its ring counted. */
        bar2_drain(b);
        memcpy(p, &b->doorbells, n);
    }
}

void bar2_write(struct bar2 *b, uint32_t offset, const void *p, uint32_t n)
{
    if (offset >= EDU_PAGE) {
        memcpy(b->memory + offset, p, n);
    } else if (offset == EDU_DOORBELL && n == 4) {
        b->doorbells++;
    }
}
