/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * One direction of a session: messages from one socket to another, exactly.
 *
 * What it keeps to:
 * - Each fd arrives with the message that brought it. The kernel glues what lies in a socket's
 * queue and hands over fds with whatever was read, so a pipe first looks (MSG_PEEK, which also
 * tells that fds are near), then takes: messages without fds as many as are whole, a message near
 *   which fds are alone. So a small message costs two reads, and so do a hundred.
 * - A message up to LIMIT_QUEUE bytes is held until it is whole and leaves by one sendmsg where the
 *   socket takes it; a larger one streams through.
 * - A writer is stopped by a slow reader: nothing is read while something waits to be sent.
 * - Nothing is changed, answered or left out. Only what breaks framing ends the session; a command
 *   that claims to be shorter than its header is taken for that header, and answered with EINVAL as
 *   libvfio-user does, where there is a lane to answer on.
 * - The sender is bound by what the receiver has said that it takes, a reply also by its request.
 * - What is counted has been delivered.
 * - But for a gate (dma_gate.h), where the route has one: what it does not let go on is taken and
 *   thrown away, or goes on without its fds, and its replies leave between two messages.
 *
 * A pipe knows two sockets and no event loop: relay_turn says what to wait for.
 */
#ifndef POEMD_PROXY_RELAY_RELAY_DIRECTION_H
#define POEMD_PROXY_RELAY_RELAY_DIRECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wire.h"
#include "proxy/relay/asked.h"
#include "proxy/relay/dma_gate.h"
#include "proxy/relay/fdroom.h"
#include "proxy/ipc/ipc.h"
#include "proxy/relay/queue.h"
#include "proxy/ipc/session_state.h"
#include "proxy/relay/tap.h"
#include "proxy/relay/sender_check.h"

struct relay_direction {
    int from_fd;             /* borrowed, non-blocking */
    int to_fd;               /* borrowed, non-blocking */
    uint32_t max_fds;        /* the receiver's max_msg_fds */
    struct wire_takes takes; /* what else the receiver takes */
    struct queue_pool *pool; /* borrowed */
    struct queue *queue;     /* what is held; NULL: nothing */
    struct wire_hdr hdr;     /* of the current message, or of the first that was seen last */
    uint64_t left;           /* bytes of the current message not yet read */
    uint32_t message_fds;    /* fds of the current message so far */
    bool header;             /* the queue holds part of a header, nothing else */
    bool ready;              /* what the queue holds may be sent */
    bool large;              /* the message under way is above LIMIT_QUEUE: it goes on in pieces */
    bool noted;              /* what it asks for has been noted */
    bool from_client;
    bool watched;                      /* dma->gate->watches */
    struct dma_gate_side *dma;         /* borrowed; NULL: none */
    struct tap *tap;                   /* borrowed; NULL: what passes is not captured */
    enum dma_verdict piece;            /* what was judged of the large message under way */
    bool inside;                       /* … of which the first piece has been judged */
    struct sender_check *sender_check; /* borrowed; NULL: nobody asks who sends */
    struct fdroom_leg *leg;            /* borrowed; NULL: its fds are not counted */
    unsigned awaited_fds;              /* come next, and have no room yet; 0: not known */
    uint64_t sent;                     /* bytes that to_fd has taken */
    struct asked *asks;          /* borrowed; what the sender asks for; NULL: it is not kept */
    struct asked *asked;         /* borrowed; what the receiver has asked for; NULL: nothing */
    unsigned ending;             /* messages that end in the queue */
    unsigned refused;            /* headers that were answered here, and are no messages */
    struct wire_hdr refused_hdr; /* the last of them */
    uint64_t taken;              /* bytes that were read from from_fd */
    struct ipc_count count;      /* of what to_fd has taken: bytes, fds, and whole messages */
};

enum relay_outcome {
    RELAY_READ,         /* wait until from_fd can be read */
    RELAY_WRITE,        /* wait until to_fd can be written */
    RELAY_PAUSE,        /* the kernel holds too many fds in flight: come again a little later */
    RELAY_FDS,          /* no room for the fds that come next: come again a little later */
    RELAY_HOLD,         /* nothing may be read until the gate is no longer blocked */
    RELAY_MORE,         /* its turn is over, but there is more: come again after others */
    RELAY_EOF,          /* from_fd has ended between two messages, and all has been sent */
    RELAY_TRUNCATED,    /* from_fd ended inside a message: hdr, count, bound */
    RELAY_BAD_FRAME,    /* frame says how: hdr, count, bound */
    RELAY_TOO_MANY_FDS, /* more than the receiver takes: hdr, count, bound */
    RELAY_CUT_OFF,      /* MSG_CTRUNC: fds were lost on the way in: hdr, count, bound */
    RELAY_OWN_SOCKET,   /* among the fds was one that leads to this broker */
    RELAY_HANDED_ON,    /* from_fd was used by another process, for which the session is to end */
    RELAY_FROM_ERROR,   /* from_fd failed: *err */
    RELAY_TO_ERROR,     /* to_fd failed or is gone (EPIPE): *err */
    RELAY_NO_MEMORY,
};

/* Why a turn ended as it did, where there is more to say. */
struct relay_detail {
    int err;               /* errno of RELAY_FROM_ERROR and RELAY_TO_ERROR */
    enum wire_frame frame; /* of RELAY_BAD_FRAME */
    struct wire_hdr hdr;   /* of the message at fault; size 0: not known */
    uint64_t count;        /* its bytes, or of it the bytes or fds that came */
    uint64_t bound;        /* … and how many may be, or must have come */
};

/* The limits are the receiver's. The sockets and the pool are borrowed for the pipe's life. */
void relay_init(struct relay_direction *p, int from_fd, int to_fd, uint32_t max_fds,
                const struct wire_takes *takes, struct queue_pool *pool);

/*
 * Has replies judged by their requests: requests of the sender's are noted in asks, replies are
 * held against what the receiver has asked for. Both borrowed for the pipe's life. Before the first
 * turn.
 */
void relay_ask(struct relay_direction *p, struct asked *asks, struct asked *asked);

/* Has a gate judge what passes; l is borrowed for the pipe's life. Before the first turn. */
void relay_guard(struct relay_direction *p, struct dma_gate_side *l, bool from_client);

/* Counts the fds that pass; borrowed for the pipe's life, NULL: none are. Before the first turn. */
void relay_count_fds(struct relay_direction *p, struct fdroom_leg *leg);

/* Gives the queue back, closing fds that were not delivered. */
void relay_deinit(struct relay_direction *p);

/*
 * Moves what can be moved without waiting, for at most LIMIT_TURNS reads. detail is filled where
 * the outcome has more to say.
 */
enum relay_outcome relay_turn(struct relay_direction *p, struct relay_detail *detail)
    __attribute__((warn_unused_result));

/*
 * Whether it holds part of a message that does not go on before more of it comes: until it is
 * whole, or can be judged.
 */
static inline bool relay_holds_part(const struct relay_direction *p)
{
    return p->queue && !p->ready && (p->header || p->left > 0);
}

/* Whether the gate has replies that a turn would send now, if to_fd takes them. */
bool relay_has_replies(const struct relay_direction *p);

/* ---- relay_gate.c, for relay_direction.c alone ---- */

/*
 * Judges what has just been read and may be sent now: takes out of the queue what does not go on.
 * RELAY_MORE or RELAY_NO_MEMORY.
 */
enum relay_outcome relay_judge(struct relay_direction *p) __attribute__((warn_unused_result));

/* Sends the gate's replies, if the receiver is between two messages. RELAY_MORE: go on. */
enum relay_outcome relay_reply(struct relay_direction *p, struct relay_detail *detail)
    __attribute__((warn_unused_result));

/* Whether a header with too small a size can be answered, or dropped, and the stream goes on. */
bool relay_can_refuse(const struct relay_direction *p);

/* The queue holds just such a header, p->hdr: answers it. RELAY_MORE or RELAY_NO_MEMORY. */
enum relay_outcome relay_refuse(struct relay_direction *p) __attribute__((warn_unused_result));

#endif
