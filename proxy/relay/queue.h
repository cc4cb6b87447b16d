/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The bytes and fds that one direction holds between its two sockets, and the pool of such queues.
 *
 * An idle direction holds no queue. A relaying one borrows a queue for a turn and returns it when
 * all has been sent; only a slow peer keeps one. So memory is bounded by the number of slow
 * directions, and nothing is allocated per message: the pool keeps the last few.
 *
 * The bytes lie in places of the worker's file of session pages, where another worker finds them
 * (proxy/ipc/held.h), as long as there are places; others are allocated.
 */
#ifndef POEMD_PROXY_RELAY_QUEUE_H
#define POEMD_PROXY_RELAY_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/fdset.h"
#include "base/limits.h"
#include "base/sock.h"
#include "proxy/ipc/held.h"

/* The number of a place that is in no file. */
#define QUEUE_NOWHERE UINT32_MAX

struct queue {
    struct queue *next; /* in the pool */
    struct held *held;  /* the head of its place */
    uint8_t *data;      /* data[start … end-1] is held; LIMIT_QUEUE bytes */
    uint32_t place;     /* its number, from 1 on */
    size_t start;
    size_t end;
    struct fdset fds; /* go with data[start] */
};

struct queue_pool {
    struct queue *free; /* with their memory */
    struct queue *cold; /* whose memory the kernel has back */
    unsigned n_free;
    uint8_t *places;        /* borrowed, or NULL: queues are allocated */
    uint32_t n_places;      /* numbers for the pool's queues, from 1 on */
    uint32_t n_landings;    /* further ones, for those of dead workers */
    uint32_t n_used;        /* places that have a queue */
    struct sock_post *post; /* of the calls of all directions; may outlive the process */
    struct sock_post own;   /* … or does not */
};

/* Initializes a pool that outlives nothing. It must not move afterwards. */
void queue_pool_init(struct queue_pool *pool);

/*
 * Has places for so many queues at places, and others behind them for queues of dead workers, and
 * post for all calls; both are borrowed, zeroed or as a dead worker left them. Call before the
 * first queue is borrowed.
 */
void queue_pool_share(struct queue_pool *pool, uint8_t *places, uint32_t n, uint32_t landings,
                      struct sock_post *post);

void queue_pool_deinit(struct queue_pool *pool);

/* Returns an empty queue, or NULL if out of memory. */
struct queue *queue_borrow(struct queue_pool *pool) __attribute__((warn_unused_result));

/*
 * Returns the queue of a dead worker in that place, which may be any number: NULL if there is none,
 * or it is not sound, or if out of memory.
 */
struct queue *queue_adopt(struct queue_pool *pool, uint32_t place)
    __attribute__((warn_unused_result));

/* Returns *q and makes it NULL; closes fds that it still holds. */
void queue_return(struct queue_pool *pool, struct queue **q);

#endif
