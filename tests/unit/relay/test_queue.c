/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The pool of queues: empty when borrowed, closed when returned, a few kept, no more. */
#define _GNU_SOURCE
#include "proxy/relay/queue.h"

#include <fcntl.h>

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

int main(void)
{
    Suite *s = suite_create("queue");
    TCase *tc = unit_case(s, "pool");

    tcase_add_checked_fixture(tc, open_pool, close_pool);
    tcase_add_test(tc, a_returned_queue_is_lent_again_and_empty);
    tcase_add_test(tc, fds_that_are_held_are_closed);
    tcase_add_test(tc, no_queue_can_be_returned);
    tcase_add_test(tc, the_pool_keeps_a_few);
    return unit_run(s);
}
