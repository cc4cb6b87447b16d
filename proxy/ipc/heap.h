/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The heap of a process with thousands of sessions: it should be little larger than they need, and
 * return to the kernel when they end.
 *
 * A session's beginning takes about 50 KiB and many small allocations for a moment, its life 2 KiB.
 * The large allocations have pages of their own, and the workers' pieces of sessions share theirs
 * with nothing else (heap_pool.h): malloc would put them into holes, and small ones behind them.
 * The pages of small ones are returned all at once, a while after many sessions have begun or
 * ended.
 */
#ifndef POEMD_PROXY_IPC_HEAP_H
#define POEMD_PROXY_IPC_HEAP_H

#include <event2/event.h>
#include <stddef.h>

/* All zero: not used yet. */
struct heap {
    struct event *rest; /* pending: there may be memory to return */
    unsigned changes;   /* since the last return */
};

/*
 * Returns n zeroed bytes on pages of their own, or NULL without memory. To be freed by
 * heap_pages_free.
 */
void *heap_pages_new(size_t n) __attribute__((warn_unused_result));

/* n: as passed to heap_pages_new. p may be NULL. */
void heap_pages_free(void *p, size_t n);

/* Makes malloc map large allocations one by one. Call once, when the process begins. */
void heap_init(void);

/* Returns 0 or -ENOMEM. */
int heap_watch(struct heap *h, struct event_base *base) __attribute__((warn_unused_result));
void heap_unwatch(struct heap *h);

/* A session's handshake, or the session, is over. */
void heap_changed(struct heap *h);

#endif
