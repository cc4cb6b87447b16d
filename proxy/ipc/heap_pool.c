/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Divides pages among items of one size. */
#include "proxy/ipc/heap_pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/confine/confine.h"
#include "proxy/ipc/heap.h"

#define HEAP_POOL_ALIGN 16u

struct heap_pool_item {
    struct heap_pool_item *next;
};

/* At the beginning of each page; HEAP_POOL_HEAD bytes later, the items. */
struct heap_pool_page {
    LIST_ENTRY(heap_pool_page) link; /* in the pool's list, unless it is full */
    struct heap_pool_item *free;
    size_t used;  /* items */
    size_t begun; /* items that have been used at some time: those behind them were never touched */
};

_Static_assert(sizeof(struct heap_pool_page) <= HEAP_POOL_HEAD, "the head is too large");

void heap_pool_init(struct heap_pool *p, size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);

    size = (size + HEAP_POOL_ALIGN - 1) / HEAP_POOL_ALIGN * HEAP_POOL_ALIGN;
    *p = (struct heap_pool){.size = size, .page = page, .per_page = (page - HEAP_POOL_HEAD) / size};
    LIST_INIT(&p->open);
}

/* Returns an item of the page, which has room. */
static void *heap_pool_take(struct heap_pool *p, struct heap_pool_page *page)
{
    struct heap_pool_item *item = page->free;

    if (item) {
        page->free = item->next;
        memset(item, 0, p->size);
    } else {
        item = (void *)((uint8_t *)page + HEAP_POOL_HEAD + page->begun++ * p->size);
    }
    if (++page->used == p->per_page) {
        LIST_REMOVE(page, link);
    }
    return item;
}

void *heap_pool_new(struct heap_pool *p)
{
    struct heap_pool_page *page = LIST_FIRST(&p->open);

    if (confine_keeps_eyes()) {
        return calloc(1, p->size);
    }
    if (!page) {
        page = heap_pages_new(p->page);
        if (!page) {
            return NULL;
        }
        LIST_INSERT_HEAD(&p->open, page, link);
    }
    return heap_pool_take(p, page);
}

void heap_pool_free(struct heap_pool *p, void *item)
{
    struct heap_pool_page *const page = (void *)((uintptr_t)item & ~(uintptr_t)(p->page - 1));
    struct heap_pool_item *const freed = item;

    if (!item || confine_keeps_eyes()) {
        free(item);
        return;
    }
    if (page->used-- == p->per_page) {
        LIST_INSERT_HEAD(&p->open, page, link);
    }
    if (page->used == 0) {
        LIST_REMOVE(page, link);
        heap_pages_free(page, p->page);
        return;
    }
    freed->next = page->free;
    page->free = freed;
}
