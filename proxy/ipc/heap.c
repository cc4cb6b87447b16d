/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Settings of glibc's malloc, the return of memory to the kernel, and an obstacle to it.
 *
 * libevent keeps a few bytes for every fd number ever used, until the process ends. In the heap
 * they would lie between the allocations of a session that begins at the same time, and hold their
 * pages. So libevent's small allocations have a place of their own.
 */
#define _GNU_SOURCE
#include "proxy/ipc/heap.h"

#include <errno.h>
#include <event2/event.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/confine/confine.h"
#include "base/limits.h"

/* Below the messages of a handshake and the tables of a loop. */
#define HEAP_LARGE 4096

/* Largest of libevent's small allocations, and the room for them; only used pages count. */
#define HEAP_SMALL 48u
#define HEAP_SMALL_BYTES ((size_t)LIMIT_SESSIONS * LIMIT_FDS_PER_SESSION * HEAP_SMALL)

union heap_piece {
    union heap_piece *next;
    uint8_t bytes[HEAP_SMALL];
};

/* Static, since libevent's memory functions have no argument for it. */
static struct {
    union heap_piece *first; /* NULL if there is no such place */
    size_t used;
    union heap_piece *free;
} heap_small;

static bool heap_is_small(const void *p)
{
    const uintptr_t first = (uintptr_t)heap_small.first;

    return first && (uintptr_t)p >= first && (uintptr_t)p < first + HEAP_SMALL_BYTES;
}

static void *heap_take(size_t n)
{
    union heap_piece *p = heap_small.free;

    if (n > HEAP_SMALL || !heap_small.first) {
        return malloc(n);
    }
    if (p) {
        heap_small.free = p->next;
        return p;
    }
    if (heap_small.used == HEAP_SMALL_BYTES / sizeof *p) {
        return malloc(n);
    }
    return heap_small.first + heap_small.used++;
}

static void heap_give(void *p)
{
    union heap_piece *const piece = p;

    if (!heap_is_small(p)) {
        free(p);
        return;
    }
    piece->next = heap_small.free;
    heap_small.free = piece;
}

static void *heap_resize(void *p, size_t n)
{
    void *more;

    if (!heap_is_small(p)) {
        return realloc(p, n);
    }
    more = malloc(n);
    if (more) {
        memcpy(more, p, n < HEAP_SMALL ? n : HEAP_SMALL);
        heap_give(p);
    }
    return more;
}

/* Sanitizers see faults and leaks only of memory from malloc. */
void *heap_pages_new(size_t n)
{
    void *p;

    if (confine_keeps_eyes()) {
        return calloc(1, n);
    }
    p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

void heap_pages_free(void *p, size_t n)
{
    if (confine_keeps_eyes()) {
        free(p);
    } else if (p) {
        munmap(p, n);
    }
}

static const struct timeval heap_rest_time = {.tv_sec = LIMIT_HEAP_REST_MS / 1000};

void heap_init(void)
{
    /* Fails only for values out of range. */
    (void)mallopt(M_MMAP_THRESHOLD, HEAP_LARGE);
    if (heap_small.first) {
        return;
    }
    heap_small.first = mmap(NULL, HEAP_SMALL_BYTES, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (heap_small.first == MAP_FAILED) {
        heap_small.first = NULL;
    }
    event_set_mem_functions(heap_take, heap_resize, heap_give);
}

static void heap_on_rest(evutil_socket_t fd, short what, void *arg)
{
    struct heap *const h = arg;

    (void)fd;
    (void)what;
    h->changes = 0;
    (void)malloc_trim(0);
}

int heap_watch(struct heap *h, struct event_base *base)
{
    *h = (struct heap){.rest = evtimer_new(base, heap_on_rest, h)};
    return h->rest ? 0 : -ENOMEM;
}

void heap_unwatch(struct heap *h)
{
    if (h->rest) {
        event_free(h->rest);
        h->rest = NULL;
    }
}

void heap_changed(struct heap *h)
{
    if (++h->changes == LIMIT_HEAP_CHANGES) {
        /* If that fails the memory stays, to be used again. */
        (void)evtimer_add(h->rest, &heap_rest_time);
    }
}
