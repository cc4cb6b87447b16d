/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A process's heap: when it is to be given back, and that libevent's memory is as good as before.
 */
#define _GNU_SOURCE
#include "proxy/ipc/heap_pool.h"

#include <errno.h>
#include <event2/event.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/confine/confine.h"
#include "base/limits.h"
#include "proxy/ipc/heap.h"
#include "tests/support/unit.h"

#define PAIRS 200

static void heap_count(evutil_socket_t fd, short what, void *arg)
{
    char byte;

    (void)what;
    ck_assert_int_eq(read(fd, &byte, 1), 1);
    ++*(unsigned *)arg;
}

START_TEST(it_rests_after_many_changes_and_not_after_one_less)
{
    struct event_base *base;
    struct heap heap;

    heap_init();
    base = event_base_new();
    ck_assert_int_eq(heap_watch(&heap, base), 0);
    for (unsigned i = 1; i < LIMIT_HEAP_CHANGES; i++) {
        heap_changed(&heap);
        ck_assert(!event_pending(heap.rest, EV_TIMEOUT, NULL));
    }
    heap_changed(&heap);
    ck_assert(event_pending(heap.rest, EV_TIMEOUT, NULL));
    ck_assert_int_eq(event_base_dispatch(base), 1);
    ck_assert_uint_eq(heap.changes, 0);
    heap_unwatch(&heap);
    event_base_free(base);
}
END_TEST

/* Zeroed, usable to the last byte, and freed by their size. */
START_TEST(pages_of_their_own)
{
    static const size_t sizes[] = {1, 2896, 4096, 4097, 50000};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *const p = heap_pages_new(sizes[i]);

        ck_assert_ptr_nonnull(p);
        for (size_t k = 0; k < sizes[i]; k++) {
            ck_assert_uint_eq(p[k], 0);
            p[k] = 1;
        }
        heap_pages_free(p, sizes[i]);
    }
    heap_pages_free(NULL, 1);
}
END_TEST

#define ITEMS 100

/* Returns the number of different pages on which the items are. */
static unsigned heap_count_pages(uint8_t *const items[ITEMS], size_t size)
{
    unsigned n = 0;

    for (int i = 0; i < ITEMS; i++) {
        bool seen = false;

        for (int k = 0; k < i; k++) {
            seen = seen || (uintptr_t)items[k] / size == (uintptr_t)items[i] / size;
        }
        n += !seen;
    }
    return n;
}

/* Takes an item, which must be zeroed, and fills it. */
static uint8_t *heap_fill_item(struct heap_pool *p, size_t size)
{
    uint8_t *const item = heap_pool_new(p);

    ck_assert_ptr_nonnull(item);
    for (size_t i = 0; i < size; i++) {
        ck_assert_uint_eq(item[i], 0);
    }
    memset(item, 0xff, size);
    return item;
}

/* Places that were given back are taken first; pages return with their last item. */
START_TEST(items_share_pages)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    static const size_t sizes[] = {1, 100, HEAP_POOL_HALF, HEAP_POOL_HALF + 1,
                                   4096 - HEAP_POOL_HEAD};
    uint8_t *items[ITEMS];
    struct heap_pool pool;
    unsigned char resident;
    unsigned n;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        heap_pool_init(&pool, sizes[i]);
        for (int k = 0; k < ITEMS; k++) {
            items[k] = heap_fill_item(&pool, sizes[i]);
        }
        n = heap_count_pages(items, page);
        for (int k = 0; k < ITEMS; k += 3) {
            heap_pool_free(&pool, items[k]);
        }
        for (int k = 0; k < ITEMS; k += 3) {
            items[k] = heap_fill_item(&pool, sizes[i]);
        }
        if (!confine_keeps_eyes()) {
            ck_assert_uint_eq(n, (ITEMS + pool.per_page - 1) / pool.per_page);
            ck_assert_uint_eq(heap_count_pages(items, page), n);
        }
        for (int k = 0; k < ITEMS; k++) {
            heap_pool_free(&pool, items[k]);
        }
        heap_pool_free(&pool, NULL);
        ck_assert(LIST_EMPTY(&pool.open));
    }
    /* The last page is gone, too. */
    items[0] = heap_fill_item(&pool, 1);
    items[1] = (uint8_t *)((uintptr_t)items[0] & ~(uintptr_t)(page - 1));
    heap_pool_free(&pool, items[0]);
    ck_assert(confine_keeps_eyes() || (mincore(items[1], page, &resident) < 0 && errno == ENOMEM));
}
END_TEST

/* Its pieces of all sizes: made, grown, given back, taken again. */
START_TEST(a_loop_of_many_sockets)
{
    static int pairs[PAIRS][2];
    static struct event *events[PAIRS];
    struct event_base *base;

    heap_init();
    for (int round = 0; round < 3; round++) {
        unsigned heard = 0;

        base = event_base_new();
        for (int i = 0; i < PAIRS; i++) {
            ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[i]), 0);
            events[i] = event_new(base, pairs[i][0], EV_READ, heap_count, &heard);
            ck_assert_int_eq(event_add(events[i], NULL), 0);
            ck_assert_int_eq(write(pairs[i][1], "", 1), 1);
        }
        ck_assert_int_eq(event_base_dispatch(base), 1);
        ck_assert_uint_eq(heard, PAIRS);
        for (int i = 0; i < PAIRS; i++) {
            event_free(events[i]);
            close(pairs[i][0]);
            close(pairs[i][1]);
        }
        event_base_free(base);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("heap");
    TCase *tc = unit_case(s, "heap");

    tcase_add_test(tc, it_rests_after_many_changes_and_not_after_one_less);
    tcase_add_test(tc, pages_of_their_own);
    tcase_add_test(tc, items_share_pages);
    tcase_add_test(tc, a_loop_of_many_sockets);
    return unit_run(s);
}
