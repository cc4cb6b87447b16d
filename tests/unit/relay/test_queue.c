/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The pool of queues: empty when borrowed, closed when returned, a few kept, no more. */
#define _GNU_SOURCE
#include "proxy/relay/queue.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/support/peer.h"
#include "tests/support/unit.h"

/* How many the pool keeps: both directions of two sessions. */
#define KEPT 4

static struct queue_pool pool;

static void open_pool(void)
{
    queue_pool_init(&pool);
}

static void close_pool(void)
{
    queue_pool_deinit(&pool);
    ck_assert_ptr_null(pool.free);
    ck_assert_uint_eq(pool.n_free, 0);
}

static struct queue *borrow(void)
{
    struct queue *const q = queue_borrow(&pool);

    ck_assert_ptr_nonnull(q);
    ck_assert_uint_eq(q->start, 0);
    ck_assert_uint_eq(q->end, 0);
    ck_assert_uint_eq(q->fds.n, 0);
    return q;
}

START_TEST(a_returned_queue_is_lent_again_and_empty)
{
    struct queue *q = borrow();
    const struct queue *const first = q;

    q->start = 7;
    q->end = LIMIT_QUEUE;
    queue_return(&pool, &q);
    ck_assert_ptr_null(q);
    ck_assert_uint_eq(pool.n_free, 1);
    q = borrow();
    ck_assert_ptr_eq(q, first);
    ck_assert_uint_eq(pool.n_free, 0);
    queue_return(&pool, &q);
}
END_TEST

START_TEST(fds_that_are_held_are_closed)
{
    struct queue *q = borrow();
    int fd;

    peer_memfds(&q->fds, 2);
    fd = q->fds.fds[1];
    queue_return(&pool, &q);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
    q = borrow();
    queue_return(&pool, &q);
}
END_TEST

START_TEST(no_queue_can_be_returned)
{
    struct queue *none = NULL;

    queue_return(&pool, &none);
    ck_assert_uint_eq(pool.n_free, 0);
}
END_TEST

START_TEST(the_pool_keeps_a_few)
{
    struct queue *q[KEPT + 2];

    for (size_t i = 0; i < KEPT + 2; i++) {
        q[i] = borrow();
        for (size_t other = 0; other < i; other++) {
            ck_assert_ptr_ne(q[i], q[other]);
        }
    }
    for (size_t i = 0; i < KEPT + 2; i++) {
        queue_return(&pool, &q[i]);
        ck_assert_uint_eq(pool.n_free, i < KEPT ? i + 1 : KEPT);
    }
}
END_TEST

/* ---- places that outlive the process ---- */

#define PLACES 6

static uint8_t *places;
static struct sock_post post;

static void open_shared_pool(void)
{
    places = mmap(NULL, 2 * PLACES * HELD_PLACE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                  -1, 0);
    ck_assert_ptr_ne(places, MAP_FAILED);
    queue_pool_init(&pool);
    queue_pool_share(&pool, places, PLACES, PLACES, &post);
}

static void close_shared_pool(void)
{
    queue_pool_deinit(&pool);
    munmap(places, 2 * PLACES * HELD_PLACE);
}

/* Each has a place of its own; those beyond the places are allocated, and freed at once. */
START_TEST(queues_have_places_as_long_as_there_are_any)
{
    struct queue *q[PLACES + 2];

    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < PLACES + 2; i++) {
            q[i] = borrow();
            ck_assert_int_eq(q[i]->place == QUEUE_NOWHERE, i >= PLACES);
            for (size_t other = 0; other < i && i < PLACES; other++) {
                ck_assert_uint_ne(q[i]->place, q[other]->place);
            }
            memset(q[i]->data, 1, LIMIT_QUEUE);
        }
        for (size_t i = PLACES + 2; i > 0; i--) {
            queue_return(&pool, &q[i - 1]);
        }
        ck_assert_uint_eq(pool.n_free, KEPT);
    }
}
END_TEST

static struct held *held_at(uint32_t place)
{
    return (struct held *)(void *)(places + (size_t)(place - 1) * HELD_PLACE);
}

START_TEST(a_dead_worker_s_queue_is_adopted_if_it_is_sound)
{
    const uint32_t place = PLACES + 2;
    struct queue *q;

    ck_assert_ptr_null(queue_adopt(&pool, 0));
    ck_assert_ptr_null(queue_adopt(&pool, PLACES));
    ck_assert_ptr_null(queue_adopt(&pool, 2 * PLACES + 1));
    ck_assert_ptr_null(queue_adopt(&pool, QUEUE_NOWHERE));
    ck_assert_ptr_null(queue_adopt(&pool, place));
    *held_at(place) = (struct held){.version = HELD_VERSION};
    held_set(held_at(place), HELD_TAKING, 3, 40);
    ck_assert_ptr_null(queue_adopt(&pool, place));
    *held_at(place) = (struct held){.version = HELD_VERSION};
    held_set(held_at(place), HELD_STILL, 3, 40);
    q = queue_adopt(&pool, place);
    ck_assert_ptr_nonnull(q);
    ck_assert_uint_eq(q->start, 3);
    ck_assert_uint_eq(q->end, 40);
    queue_return(&pool, &q);
    ck_assert_uint_eq(pool.n_free, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("queue");
    TCase *tc = unit_case(s, "pool");

    tcase_add_checked_fixture(tc, open_pool, close_pool);
    tcase_add_test(tc, a_returned_queue_is_lent_again_and_empty);
    tcase_add_test(tc, fds_that_are_held_are_closed);
    tcase_add_test(tc, no_queue_can_be_returned);
    tcase_add_test(tc, the_pool_keeps_a_few);
    tc = unit_case(s, "places");
    tcase_add_checked_fixture(tc, open_shared_pool, close_shared_pool);
    tcase_add_test(tc, queues_have_places_as_long_as_there_are_any);
    tcase_add_test(tc, a_dead_worker_s_queue_is_adopted_if_it_is_sound);
    return unit_run(s);
}
