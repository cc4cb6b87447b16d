/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Bytes that a worker has taken from a sender's socket and not passed on yet, in memory that
 * outlives it: those of messages that no look shows whole (proxy/relay/queue.h).
 *
 * A place in a worker's file of session pages has this head, then the bytes, as many as a queue
 * holds. The mark of the direction has the place's number. All that the direction is in the middle
 * of follows from the head and the bytes, so their stores need no order but these:
 *
 *   begin   base, left and state are stored; then the mark's place
 *   take    state = TAKING; recvmmsg, of which the kernel notes the number of bytes; state = STILL
 *           with the new end
 *   judge   verdict, before it has any consequence
 *   send    state = SENDING; sendmmsg, likewise; state = STILL with the new start
 *   end     the mark's total and left are stored; then the mark's place = 0
 *
 * Fds that came with the bytes are in the worker alone, until the first byte is sent.
 */
#ifndef POEMD_PROXY_IPC_HELD_H
#define POEMD_PROXY_IPC_HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/sock.h"
#include "proxy/ipc/relay_mark.h"

/* Changes with every change of the layout, or of a field's meaning. */
#define HELD_VERSION 1u

/* The head's room: a page of memory, so that the bytes begin at one. */
#define HELD_HEAD 4096u

/* Bytes of a place. */
#define HELD_PLACE (HELD_HEAD + LIMIT_QUEUE)

enum held_step {
    HELD_STILL,
    HELD_TAKING,  /* bytes are being added */
    HELD_SENDING, /* bytes are being sent */
    HELD_STEPS
};

struct held {
    uint32_t version;
    uint32_t verdict;             /* 1 + enum dma_verdict; 0: not judged */
    uint64_t state;               /* HELD_STATE; valid at any instruction */
    uint64_t left;                /* of the message, before the first byte; 0: it begins with one */
    struct relay_mark_total base; /* the mark's total, before the first byte */
    uint32_t fds;                 /* number of fds that came with the bytes, at least */
    uint32_t senders;             /* bool: senders were reported with the last bytes */
};

/* One store for values that change together: a step, and the bytes from start to end. */
#define HELD_STATE(step, start, end) \
    ((uint64_t)(step) << 60 | (uint64_t)(start) << 30 | (uint64_t)(end))

/* Stores the state after all that was stored before it, and before all that is stored later. */
void held_set(struct held *h, enum held_step step, size_t start, size_t end);

static inline enum held_step held_step_of(const struct held *h)
{
    return (enum held_step)(h->state >> 60);
}

static inline size_t held_start(const struct held *h)
{
    return (size_t)(h->state >> 30 & 0x3fffffffu);
}

static inline size_t held_end(const struct held *h)
{
    return (size_t)(h->state & 0x3fffffffu);
}

/*
 * The worker has died, and this was the kernel's note of its last call: completes what was under
 * way, of which a number that cannot be makes the head unsound.
 */
void held_settle(struct held *h, const struct sock_post *post);

/* Returns true if the head is settled, and its numbers are possible. */
bool held_sound(const struct held *h);

#endif
