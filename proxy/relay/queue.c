/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The pool of queues. Allocates when it is empty; no I/O.
 */
#include "proxy/relay/queue.h"

#include <stdlib.h>

/* Queues kept for the next turn: both directions of two sessions, without a malloc. */
#define KEEP 4

void queue_pool_init(struct queue_pool *pool, struct sock_post *post)
{
    *pool = (struct queue_pool){.post = post};
    if (!post) {
        pool->post = &pool->own;
    }
}

void queue_pool_deinit(struct queue_pool *pool)
{
    while (pool->free) {
        struct queue *q = pool->free;

        pool->free = q->next;
        free(q);
    }
    pool->n_free = 0;
}

struct queue *queue_borrow(struct queue_pool *pool)
{
    struct queue *q = pool->free;

    if (q) {
        pool->free = q->next;
        pool->n_free--;
    } else {
        q = malloc(sizeof *q);
        if (!q) {
            return NULL;
        }
        fdset_init(&q->fds);
    }
    q->start = 0;
    q->end = 0;
    return q;
}

void queue_return(struct queue_pool *pool, struct queue **q)
{
    struct queue *old = *q;

    *q = NULL;
    if (!old) {
        return;
    }
    fdset_close(&old->fds);
    if (pool->n_free == KEEP) {
        free(old);
        return;
    }
    old->next = pool->free;
    pool->free = old;
    pool->n_free++;
}
