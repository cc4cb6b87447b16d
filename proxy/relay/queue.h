/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The bytes and fds that one direction holds between its two sockets, and the pool of such queues.
 *
 * An idle direction holds no queue. A relaying one borrows a queue for a turn and returns it when
 * all has been sent; only a slow peer keeps one. So memory is bounded by the number of slow
 * directions, and nothing is allocated per message: the pool keeps the last few.
 */
#ifndef POEMD_PROXY_RELAY_QUEUE_H
#define POEMD_PROXY_RELAY_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/fdset.h"
#include "base/limits.h"
#include "base/sock.h"

struct queue {
    struct queue *next; /* in the pool */
    size_t start;       /* data[start … end-1] is held */
    size_t end;
    struct fdset fds; /* go with data[start] */
    uint8_t data[LIMIT_QUEUE];
};

struct queue_pool {
    struct queue *free;
    unsigned n_free;
    struct sock_post *post; /* of the sends of all directions; may outlive the process */
    struct sock_post own;   /* … or does not */
};

/* post is borrowed, or NULL: nothing outlives the process. The pool must not move afterwards. */
void queue_pool_init(struct queue_pool *pool, struct sock_post *post);
void queue_pool_deinit(struct queue_pool *pool);

/* Returns an empty queue, or NULL if out of memory. */
struct queue *queue_borrow(struct queue_pool *pool) __attribute__((warn_unused_result));

/* Returns *q and makes it NULL; closes fds that it still holds. */
void queue_return(struct queue_pool *pool, struct queue **q);

#endif
