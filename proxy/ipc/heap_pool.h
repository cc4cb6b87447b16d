/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Items of one size, several to a page, on pages with nothing else: a page returns to the kernel
 * with its last item. In malloc's heap, thousands of items that live long would keep everything
 * that was allocated between them.
 *
 * With sanitizers, each item is an allocation of its own, so that they see faults and leaks.
 */
#ifndef POEMD_PROXY_IPC_HEAP_POOL_H
#define POEMD_PROXY_IPC_HEAP_POOL_H

#include <stddef.h>
#include <sys/queue.h>

struct heap_pool_page;
LIST_HEAD(heap_pool_pages, heap_pool_page);

struct heap_pool {
    size_t size;                 /* of an item */
    size_t page;                 /* the kernel's page size */
    size_t per_page;             /* number of items */
    struct heap_pool_pages open; /* pages with room */
};

/* Size of the head of each page, and the largest item that shares a page of 4 KiB with another. */
#define HEAP_POOL_HEAD 64u
#define HEAP_POOL_HALF ((4096u - HEAP_POOL_HEAD) / 2)

/* Items of this size, at least 1 and at most 4096 - HEAP_POOL_HEAD bytes, aligned to 16. */
void heap_pool_init(struct heap_pool *p, size_t size);

/* Returns a zeroed item, or NULL if out of memory. All must be freed before p is dropped. */
void *heap_pool_new(struct heap_pool *p) __attribute__((warn_unused_result));

/* NULL is allowed. */
void heap_pool_free(struct heap_pool *p, void *item);

#endif
