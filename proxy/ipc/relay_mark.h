/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The state of a relay direction that outlives the worker, which may die at any instruction.
 *
 * Plain fields of a fixed size, without pointers: a mark may lie in shared memory, where another
 * worker goes on from it with the same two sockets. A zeroed one is that of a new direction.
 *
 * Whole messages are handed on in steps, so that the sender's socket keeps them until the receiver
 * has them:
 *
 *   look    the bytes are copied out of from_fd, which keeps them, and judged
 *   note    before = total; front and intent*; then step = INTENT
 *   send    to_fd takes the bytes, or their beginning, or nothing; the kernel itself notes which
 *           (struct sock_post)
 *   note    intent* = the part sent, left and hdr if it ends in a message; then step = SENT; if
 *           nothing was sent, step = IDLE
 *   take    the part sent is removed from from_fd
 *   note    total; then step = IDLE
 *
 * So a send is never in doubt: a process that is killed leaves the kernel's code only at the end of
 * the call. The monitor looks at the kernel's note of a worker that has died, and replaces INTENT
 * by POSTED or UNPOSTED (relay_mark_settle).
 *
 * A worker is one thread and stores the fields in this order. So a reader that sees a step can
 * trust the fields noted before it, and of two values that change together, such as total, one is
 * always whole: relay_mark_progress. Apart from that a reader checks a mark as it would a peer's
 * bytes (relay_mark_sound), since a worker that was taken over can write anything.
 */
#ifndef POEMD_PROXY_IPC_RELAY_MARK_H
#define POEMD_PROXY_IPC_RELAY_MARK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/wire/wire.h"
#include "proxy/ipc/ipc.h"

/* Changes with every change of the layout, or of a field's meaning. */
#define RELAY_MARK_VERSION 3u

/* The header and the first 16 bytes of the payload. */
#define RELAY_MARK_FRONT 32u

/* Verdicts that can be kept: DMA_PASS, DMA_STRIP, DMA_DROP of enum dma_verdict. */
#define RELAY_MARK_VERDICTS 3u

enum relay_mark_step {
    RELAY_MARK_IDLE,   /* nothing is under way, or only a look */
    RELAY_MARK_INTENT, /* being sent: the kernel's note shows whether it was */
    RELAY_MARK_SENT,   /* to_fd has it; from_fd may still have it */
    /* Only after the worker's death: */
    RELAY_MARK_POSTED,   /* to_fd has these bytes, which may end within a message; so has from_fd */
    RELAY_MARK_UNPOSTED, /* to_fd has none of it */
    RELAY_MARK_STEPS
};

/* Progress of a direction; never decreases. */
struct relay_mark_total {
    uint64_t taken;         /* bytes read from from_fd */
    uint64_t sent;          /* bytes that to_fd has taken, including replies of the gate */
    struct ipc_count count; /* taken by to_fd: bytes, fds, and whole messages */
};

struct relay_mark {
    uint32_t version; /* RELAY_MARK_VERSION; 0: zeroed, nothing has been relayed yet */
    uint32_t step;    /* enum relay_mark_step: valid at any instruction */

    /* What is being handed on; valid unless step is IDLE. */
    uint32_t intent;                 /* its bytes, at least 1 */
    uint32_t intent_messages;        /* number of messages that end in them */
    uint32_t intent_fds;             /* number of fds that go with their first byte */
    uint8_t front[RELAY_MARK_FRONT]; /* the first bytes of it, as they lie in from_fd */

    /*
     * Bytes have been taken and not all been sent: the number of their place (held.h), from which
     * all about the current message follows; 0: there are none. Valid at any instruction.
     */
    uint32_t place;
    struct relay_mark_total before; /* total, when this began */

    struct relay_mark_total total; /* valid if step is IDLE */

    /*
     * The gate has let pass all messages up to this number of bytes read; verdict, unless it is
     * DMA_PASS, is on the message that begins there. Valid at any instruction: verdict is DMA_PASS
     * whenever judged changes.
     */
    uint64_t judged;

    /* Of the current message, valid if step is IDLE and place is 0. */
    uint64_t left;               /* bytes of it not yet read; 0: between two messages */
    struct wire_hdr hdr;         /* of it, or the first one seen last */
    struct wire_hdr refused_hdr; /* the last invalid header that was answered */
    uint32_t refused;            /* number of such headers */
    uint32_t message_fds;        /* fds of it so far */
    uint32_t ending;             /* number of messages that end in the queue */

    uint8_t verdict; /* enum dma_verdict: see judged */
    uint8_t dropped; /* bool: with SENT, not sent but only taken: the gate answers it */
    uint8_t header;  /* bool: the queue holds part of a header, nothing else */
    uint8_t ready;   /* bool: the queue may be sent */
    uint8_t large;   /* bool: the current message exceeds LIMIT_QUEUE: it goes on in pieces */
    uint8_t noted;   /* bool: the current message's request or reply has been noted */
    uint8_t inside;  /* bool: the first piece of the current large message has been judged */
    uint8_t piece;   /* enum dma_verdict: … with this result */
};

/* Stores the step after all that was stored before it, and before all that is stored later. */
void relay_mark_set(struct relay_mark *m, enum relay_mark_step step);

/* Notes that bytes will be handed on, and total as it is; front has been stored. */
void relay_mark_intend(struct relay_mark *m, uint32_t bytes, uint32_t messages, uint32_t fds);

/*
 * The worker has died, and the kernel had noted that so many bytes were sent: an intent becomes
 * POSTED or UNPOSTED. A number that cannot be leaves it as it is.
 */
void relay_mark_settle(struct relay_mark *m, uint32_t sent);

/*
 * Of the messages at data, have bytes, only the first n have been sent: the intent ends there, and
 * the rest of a message that is cut streams. Returns false if these are not messages.
 */
bool relay_mark_cut(struct relay_mark *m, const uint8_t *data, size_t n, size_t have)
    __attribute__((warn_unused_result));

/* Returns the progress at this instruction: exact, apart from a send that is not settled. */
struct relay_mark_total relay_mark_progress(const struct relay_mark *m);

/* The bytes handed on have been taken: updates total. */
void relay_mark_finish(struct relay_mark *m);

/*
 * Returns true if n bytes at the front of from_fd, or a negative errno, still contain all bytes of
 * the intent, as far as front can show.
 */
bool relay_mark_is_front(const struct relay_mark *m, const uint8_t *data, ssize_t n);

/* Returns true if the fields are possible: any combination of them is safe to go on from. */
bool relay_mark_sound(const struct relay_mark *m);

#endif
