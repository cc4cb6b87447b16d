/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The edu device's BAR 2: a page of doorbell registers and a page of memory shared with the client.
 * Layout in regs.h.
 */
#ifndef POEMD_EDU_BAR2_H
#define POEMD_EDU_BAR2_H

#include <stdbool.h>
#include <stdint.h>

#include "contrib/edu/regs.h"

struct bar2 {
    int memory_fd;      /* EDU_BAR2_SIZE bytes, the first page unused: a sealed memfd, or given */
    bool given;         /* … and then it is kept for all clients */
    uint8_t *memory;    /* its mapping */
    int doorbell_fd;    /* eventfd: rung by the client's kernel */
    uint64_t doorbells; /* rings since reset */
};

/* Returns 0 or -errno. Call bar2_deinit only after a 0. */
int bar2_init(struct bar2 *b) __attribute__((warn_unused_result));
void bar2_deinit(struct bar2 *b);

/*
 * Shares the memory of this file with clients instead, as it is; an empty file is made as long as
 * it must be. Takes the fd. Returns 0, -EINVAL if it is too short, or -errno.
 */
int bar2_adopt_take(struct bar2 *b, int memory_fd) __attribute__((warn_unused_result));

/*
 * Replaces both fds by new ones with the same content: fds that a client may have kept must not
 * reach the next client's device. Memory that was given stays. Returns 0, or -errno with the old
 * ones still in use.
 */
int bar2_renew(struct bar2 *b) __attribute__((warn_unused_result));

/* Counts rings that came through the eventfd. */
void bar2_drain(struct bar2 *b);

/* Clears memory and count. */
void bar2_reset(struct bar2 *b);

/*
 * Accesses within EDU_BAR2_SIZE. Without a register at that offset and size, reads return ones and
 * writes are dropped.
 */
void bar2_read(struct bar2 *b, uint32_t offset, void *p, uint32_t n);
void bar2_write(struct bar2 *b, uint32_t offset, const void *p, uint32_t n);

/* The shared page. */
static inline uint8_t *bar2_page(const struct bar2 *b)
{
    return b->memory + EDU_PAGE;
}

#endif
