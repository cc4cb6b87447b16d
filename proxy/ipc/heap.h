/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The heap of a process with thousands of sessions: it should be little larger than they need, and
 * return to the kernel when they end.
 *
 * A session's beginning takes about 40 KiB and many small allocations for a moment, its life 2 KiB.
 * The large allocation is mapped on its own. The pages of small ones are returned all at once, a
 * while after many sessions have begun or ended.
 */
#ifndef POEMD_PROXY_IPC_HEAP_H
#define POEMD_PROXY_IPC_HEAP_H

#include <event2/event.h>

/* All zero: not used yet. */
struct heap {
    struct event *rest; /* pending: there may be memory to return */
    unsigned changes;   /* since the last return */
};

/* Makes malloc map large allocations one by one. Call once, when the process begins. */
void heap_init(void);

/* Returns 0 or -ENOMEM. */
int heap_watch(struct heap *h, struct event_base *base) __attribute__((warn_unused_result));
void heap_unwatch(struct heap *h);

/* A session's handshake, or the session, is over. */
void heap_changed(struct heap *h);

#endif
