/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The heap of a process that has thousands of sessions: it is to be little larger than they need,
 * and to go back to the kernel when they end.
 *
 * A session's beginning takes some 40 KiB and many small pieces for a moment, its life 2 KiB. The
 * large piece is taken from the kernel by itself. The pages on which only small ones were are given
 * back a while after many sessions have begun or ended, all at once.
 */
#ifndef POEMD_PROXY_IPC_HEAP_H
#define POEMD_PROXY_IPC_HEAP_H

#include <event2/event.h>

/* All zero: not used yet. */
struct heap {
    struct event *rest; /* pending: there is something to give back */
    unsigned changes;   /* since that was done last */
};

/* Has malloc take large pieces from the kernel one by one. Once, at the process's beginning. */
void heap_init(void);

/* 0 or -ENOMEM. */
int heap_watch(struct heap *h, struct event_base *base) __attribute__((warn_unused_result));
void heap_unwatch(struct heap *h);

/* A session's handshake is over, or the session is. */
void heap_changed(struct heap *h);

#endif
