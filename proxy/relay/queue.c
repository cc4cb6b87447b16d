/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The pool of queues. Allocates when it is empty, and gives memory of a file back; no other I/O.
 */
#define _GNU_SOURCE
#include "proxy/relay/queue.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Queues kept for the next turn: both directions of two sessions, without a malloc. */
#define KEEP 4

void queue_pool_init(struct queue_pool *pool)
{
    *pool = (struct queue_pool){.free = NULL};
    pool->post = &pool->own;
}

void queue_pool_share(struct queue_pool *pool, uint8_t *places, uint32_t n, uint32_t landings,
                      struct sock_post *post)
{
    pool->places = places;
    pool->n_places = n;
    pool->n_landings = landings;
    pool->post = post;
}

static void queue_free(struct queue *q)
{
    if (q->place == QUEUE_NOWHERE) {
        free(q->held);
    }
    free(q);
}

void queue_pool_deinit(struct queue_pool *pool)
{
    struct queue **const lists[] = {&pool->free, &pool->cold};

    for (int i = 0; i < 2; i++) {
        while (*lists[i]) {
            struct queue *const q = *lists[i];

            *lists[i] = q->next;
            queue_free(q);
        }
    }
    pool->n_free = 0;
}

/* Returns a queue at this place, or at NOWHERE, or NULL if out of memory. */
static struct queue *queue_new(const struct queue_pool *pool, uint32_t place)
{
    struct queue *const q = malloc(sizeof *q);

    if (!q) {
        return NULL;
    }
    q->held = place == QUEUE_NOWHERE ? malloc(HELD_PLACE)
                                     : (void *)(pool->places + (size_t)(place - 1) * HELD_PLACE);
    if (!q->held) {
        free(q);
        return NULL;
    }
    q->data = (uint8_t *)q->held + HELD_HEAD;
    q->place = place;
    fdset_init(&q->fds);
    return q;
}

/* Returns a queue that the pool has not had yet, or NULL if out of memory. */
static struct queue *queue_another(struct queue_pool *pool)
{
    struct queue *q;

    if (pool->n_used == pool->n_places) {
        return queue_new(pool, QUEUE_NOWHERE);
    }
    q = queue_new(pool, pool->n_used + 1);
    pool->n_used += q != NULL;
    return q;
}

struct queue *queue_borrow(struct queue_pool *pool)
{
    struct queue *q = pool->free;

    if (q) {
        pool->free = q->next;
        pool->n_free--;
    } else if (pool->cold) {
        q = pool->cold;
        pool->cold = q->next;
    } else {
        q = queue_another(pool);
        if (!q) {
            return NULL;
        }
    }
    q->start = 0;
    q->end = 0;
    return q;
}

struct queue *queue_adopt(struct queue_pool *pool, uint32_t place)
{
    struct queue *q;

    if (!pool->places || place <= pool->n_places || place - pool->n_places > pool->n_landings) {
        return NULL;
    }
    q = queue_new(pool, place);
    if (q && !held_sound(q->held)) {
        queue_return(pool, &q);
    }
    if (q) {
        q->start = held_start(q->held);
        q->end = held_end(q->held);
    }
    return q;
}

/* Gives the memory of its place back to the kernel. */
static void queue_cool(const struct queue *q)
{
    if (q->place != QUEUE_NOWHERE) {
        (void)madvise(q->held, HELD_PLACE, MADV_REMOVE);
    }
}

void queue_return(struct queue_pool *pool, struct queue **q)
{
    struct queue *old = *q;

    *q = NULL;
    if (!old) {
        return;
    }
    fdset_close(&old->fds);
    if (pool->places && old->place > pool->n_places) {
        /* Of a dead worker, or beyond the places. */
        queue_cool(old);
        queue_free(old);
    } else if (pool->n_free < KEEP) {
        old->next = pool->free;
        pool->free = old;
        pool->n_free++;
    } else if (pool->places) {
        queue_cool(old);
        old->next = pool->cold;
        pool->cold = old;
    } else {
        queue_free(old);
    }
}
