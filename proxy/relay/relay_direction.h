/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * One direction of a session: relays messages from one socket to another, exactly.
 *
 * Its rules:
 * - Each fd arrives with the message that brought it. The kernel merges the bytes in a socket's
 *   queue and delivers fds with any bytes read, so a relay direction first looks (MSG_PEEK, which
 *   also shows that fds are near), then takes: all complete messages if they are without fds, or a
 *   single message if fds are near. So a small message costs two reads, and so do a hundred.
 * - A message up to LIMIT_QUEUE bytes is held until it is complete and leaves by one sendmsg if the
 *   socket takes it; a larger one streams through.
 * - A slow reader stops the writer: nothing is read while bytes wait to be sent.
 * - Nothing is changed, answered or left out. Only broken framing ends the session; a command with
 *   a size below that of its header is treated as a bare header, and answered with EINVAL as by
 *   libvfio-user, if there is a channel pair to answer on.
 * - The sender is bound by the receiver's declared limits, a reply also by its request.
 * - Counts are of delivered messages.
 * - Exception: a gate (dma_gate.h), if the route has one. Messages that it refuses are taken and
 *   discarded, or go on without their fds, and its replies leave between two messages.
 *
 * A relay direction knows two sockets but no event loop: relay_turn returns what to wait for.
 */
#ifndef POEMD_PROXY_RELAY_RELAY_DIRECTION_H
#define POEMD_PROXY_RELAY_RELAY_DIRECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wire/wire.h"
#include "proxy/relay/asked.h"
#include "proxy/relay/dma_gate.h"
#include "proxy/relay/fdroom.h"
#include "proxy/ipc/ipc.h"
#include "proxy/relay/queue.h"
#include "proxy/relay/relay_mark.h"
#include "proxy/ipc/session_state.h"
#include "proxy/relay/tap.h"
#include "proxy/relay/sender_check.h"

struct relay_direction {
    int from_fd;             /* borrowed, non-blocking */
    int to_fd;               /* borrowed, non-blocking */
    uint32_t max_fds;        /* the receiver's max_msg_fds */
    struct wire_takes takes; /* the receiver's other limits */
    struct queue_pool *pool; /* borrowed */
    struct queue *queue;     /* the held bytes, or NULL */
    struct relay_mark own;
    struct relay_mark *mark; /* own, or borrowed */
    bool from_client;
    bool watched;                      /* dma->gate->watches */
    struct dma_gate_side *dma;         /* borrowed, or NULL */
    struct tap *tap;                   /* borrowed; NULL: not captured */
    struct sender_check *sender_check; /* borrowed; NULL: senders are not checked */
    struct fdroom_leg *leg;            /* borrowed; NULL: its fds are not counted */
    unsigned awaited_fds;              /* number of next fds, for which there is no room yet; 0:
                                        * unknown */
    struct asked *asks;                /* borrowed: the sender's requests; NULL: not kept */
    struct asked *asked;               /* borrowed: the receiver's requests; NULL: not kept */
};

enum relay_outcome {
    RELAY_READ,         /* wait until from_fd can be read */
    RELAY_WRITE,        /* wait until to_fd can be written */
    RELAY_PAUSE,        /* the kernel holds too many fds in flight: try again a little later */
    RELAY_FDS,          /* no room for the next fds: try again a little later */
    RELAY_HOLD,         /* nothing may be read until the gate is no longer blocked */
    RELAY_MORE,         /* its turn is over, but there is more: continue after others */
    RELAY_EOF,          /* from_fd has ended between two messages, and all has been sent */
    RELAY_TRUNCATED,    /* from_fd ended inside a message: hdr, count, bound */
    RELAY_BAD_FRAME,    /* frame has the fault: hdr, count, bound */
    RELAY_TOO_MANY_FDS, /* more than the receiver accepts: hdr, count, bound */
    RELAY_CUT_OFF,      /* MSG_CTRUNC: fds were lost on the way in: hdr, count, bound */
    RELAY_OWN_SOCKET,   /* one of the fds leads to this broker */
    RELAY_HANDED_ON,    /* another process used from_fd, and the session must end */
    RELAY_FROM_ERROR,   /* from_fd failed: err */
    RELAY_TO_ERROR,     /* to_fd failed or is gone (EPIPE): err */
    RELAY_NO_MEMORY,
};

/* Details of an outcome. */
struct relay_detail {
    int err;               /* errno of RELAY_FROM_ERROR and RELAY_TO_ERROR */
    enum wire_frame frame; /* of RELAY_BAD_FRAME */
    struct wire_hdr hdr;   /* of the message at fault; size 0: unknown */
    uint64_t count;        /* its bytes, or the number of its bytes or fds that came */
    uint64_t bound;        /* … and the limit, or the number that had to come */
};

/*
 * The limits are the receiver's. Borrows the sockets and the pool for its life, and mark: zeroed
 * for a new direction; NULL: one of its own. Must not be moved afterwards.
 */
void relay_init(struct relay_direction *p, int from_fd, int to_fd, uint32_t max_fds,
                const struct wire_takes *takes, struct queue_pool *pool, struct relay_mark *mark);

/*
 * Has replies judged by their requests: the sender's requests are noted in asks, replies are
 * compared with the receiver's requests in asked. Both are borrowed for its life. Call before the
 * first turn.
 */
void relay_ask(struct relay_direction *p, struct asked *asks, struct asked *asked);

/* Has a gate judge the messages; l is borrowed for its life. Call before the first turn. */
void relay_guard(struct relay_direction *p, struct dma_gate_side *l, bool from_client);

/* Counts the fds; leg is borrowed for its life, NULL: not counted. Call before the first turn. */
void relay_count_fds(struct relay_direction *p, struct fdroom_leg *leg);

/* Returns the queue, closing fds that were not delivered. */
void relay_deinit(struct relay_direction *p);

/*
 * Relays as much as possible without blocking, in at most LIMIT_TURNS reads. Fills in detail if the
 * outcome has any.
 */
enum relay_outcome relay_turn(struct relay_direction *p, struct relay_detail *detail)
    __attribute__((warn_unused_result));

/*
 * Returns true if it holds part of a message that cannot go on before more of it comes: until it is
 * complete, or can be judged.
 */
static inline bool relay_holds_part(const struct relay_direction *p)
{
    return p->queue && !p->mark->ready && (p->mark->header || p->mark->left > 0);
}

/* Returns true if the gate has replies that a turn would send now, if to_fd takes them. */
bool relay_has_replies(const struct relay_direction *p);

/* ---- relay_gate.c, for relay_direction.c only ---- */

/*
 * Judges the bytes just read that may be sent now, and removes refused messages from the queue.
 * Returns RELAY_MORE or RELAY_NO_MEMORY.
 */
enum relay_outcome relay_judge(struct relay_direction *p) __attribute__((warn_unused_result));

/* Sends the gate's replies if the receiver is between two messages. Returns RELAY_MORE to go on. */
enum relay_outcome relay_reply(struct relay_direction *p, struct relay_detail *detail)
    __attribute__((warn_unused_result));

/*
 * Returns true if a header with too small a size can be answered, or dropped, and relaying goes on.
 */
bool relay_can_refuse(const struct relay_direction *p);

/*
 * Answers such a header, mark->hdr, which fills the queue. Returns RELAY_MORE or RELAY_NO_MEMORY.
 */
enum relay_outcome relay_refuse(struct relay_direction *p) __attribute__((warn_unused_result));

#endif
