/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The state of a relay direction that outlives the worker, which may die at any instruction.
 *
 * Plain fields of a fixed size, without pointers: a mark may lie in shared memory, where another
 * worker goes on from it with the same two sockets. A zeroed one is that of a new direction.
 *
 * A message is handed on in steps, so that the sender's socket keeps it until the receiver has it:
 *
 *   look    the bytes are copied out of from_fd, which keeps them
 *   note    before = total; front, intent, intent_messages, intent_fds; then step = INTENT
 *   send    to_fd takes the bytes, or a part of them, or nothing
 *   note    intent* = the part sent; then step = SENT; or step = IDLE if nothing was sent
 *   take    the part sent is removed from from_fd
 *   note    total, left and the fields of the current message; then step = IDLE
 *
 * A worker is one thread and stores the fields in this order. So a reader that sees a step can
 * trust the fields noted before it. With SENT, total may be partly updated, but before is not:
 * relay_mark_total has the exact numbers. Apart from their order nothing is certain: a worker that
 * was taken over can write anything, so a reader checks a mark as it would a peer's bytes.
 */
#ifndef POEMD_PROXY_RELAY_RELAY_MARK_H
#define POEMD_PROXY_RELAY_RELAY_MARK_H

#include <stdint.h>

#include "base/wire/wire.h"
#include "proxy/ipc/ipc.h"

/* Changes with every change of the layout, or of a field's meaning. */
#define RELAY_MARK_VERSION 1u

/* The header and the first 16 bytes of the payload. */
#define RELAY_MARK_FRONT 32u

enum relay_mark_step {
    RELAY_MARK_IDLE,   /* nothing is under way, or only a look */
    RELAY_MARK_INTENT, /* about to be sent; in doubt if the worker was killed within sendmsg */
    RELAY_MARK_SENT,   /* to_fd has it; from_fd may still have it */
    RELAY_MARK_STEPS
};

/* Progress of a direction; never decreases. */
struct relay_mark_total {
    uint64_t taken;         /* bytes read from from_fd */
    uint64_t sent;          /* bytes that to_fd has taken, including replies of the gate */
    struct ipc_count count; /* taken by to_fd: bytes, fds, and whole messages */
};

struct relay_mark {
    uint32_t version; /* RELAY_MARK_VERSION; 0: nothing has been relayed yet */
    uint32_t step;    /* enum relay_mark_step: valid at any instruction */

    /* What is being handed on; valid unless step is IDLE. */
    uint32_t intent;          /* its bytes, at least 1 */
    uint32_t intent_messages; /* number of messages that end in them */
    uint32_t intent_fds;      /* number of fds that go with their first byte */
    uint32_t judged;          /* bytes at the front of from_fd that the gate has let pass; valid at
                               * any instruction */
    uint8_t front[RELAY_MARK_FRONT]; /* the first bytes of it, as they lie in from_fd */
    struct relay_mark_total before;  /* total, when this began */

    /* Between two steps, valid if step is IDLE. */
    struct relay_mark_total total;
    uint64_t left;               /* bytes of the current message not yet read */
    struct wire_hdr hdr;         /* of the current message, or the first one seen last */
    struct wire_hdr refused_hdr; /* the last invalid header that was answered */
    uint32_t refused;            /* number of such headers */
    uint32_t message_fds;        /* fds of the current message so far */
    uint32_t ending;             /* number of messages that end in the queue */

    /*
     * Set before bytes are taken into a queue, which only the worker has, and unset when they have
     * been sent: bytes and fds of a message that was too large to be seen whole. Valid at any
     * instruction.
     */
    uint8_t queued;
    uint8_t header;  /* bool: the queue holds part of a header, nothing else */
    uint8_t ready;   /* bool: the queue may be sent */
    uint8_t large;   /* bool: the current message exceeds LIMIT_QUEUE: it goes on in pieces */
    uint8_t noted;   /* bool: the current message's request or reply has been noted */
    uint8_t inside;  /* bool: the first piece of the current large message has been judged */
    uint8_t piece;   /* enum dma_verdict: … with this result */
    uint8_t verdict; /* enum dma_verdict: on the message behind the judged bytes; DMA_PASS: it has
                      * not been judged */
};

#endif
