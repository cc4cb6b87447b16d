/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * One direction of a session: relays messages from one socket to another, exactly.
 *
 * Its rules:
 * - Each fd arrives with the message that brought it. The kernel merges the bytes in a socket's
 *   queue and delivers fds with any bytes read, so a relay direction first looks (MSG_PEEK, which
 *   also shows that fds are near).
 * - Messages that a look shows whole are sent, and only then taken: all of them if they are without
 *   fds, or a single one with its fds, of which a look makes copies. So a small message costs three
 *   system calls, and so do a hundred, and nothing is lost or sent twice if the worker dies
 *   (relay_mark.h).
 * - Another message up to LIMIT_QUEUE bytes is taken and held until it is complete, and leaves by
 *   one sendmsg if the socket takes it; a larger one streams through.
 * - A slow reader stops the writer: nothing is taken while bytes wait to be sent, and no queue is
 *   held for messages that a look shows, unless they have been judged by a gate, or are captured.
 * - Nothing is changed, answered or left out. Only broken framing ends the session; a command with
 *   a size below that of its header is treated as a bare header, and answered with EINVAL as by
 *   libvfio-user, if there is a channel pair to answer on.
 * - The sender is bound by the receiver's declared limits, a reply also by its request.
 * - Counts are of delivered messages.
 * - Exception: faults on purpose (injector.h), if the session has rules for them.
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
#include "proxy/relay/injector.h"
#include "proxy/ipc/ipc.h"
#include "proxy/ipc/overdue.h"
#include "proxy/relay/queue.h"
#include "proxy/ipc/relay_mark.h"
#include "proxy/ipc/session_state.h"
#include "proxy/relay/tap.h"
#include "proxy/relay/sender_check.h"
#include "proxy/relay/setup/setup.h"
#include "proxy/ipc/tally.h"

struct relay_direction {
    int from_fd;             /* borrowed, non-blocking */
    int to_fd;               /* borrowed, non-blocking */
    uint32_t max_fds;        /* the receiver's max_msg_fds */
    struct wire_takes takes; /* the receiver's other limits */
    unsigned awaited_fds;    /* number of next fds, for which there is no room yet; 0: unknown */
    struct queue_pool *pool; /* borrowed */
    struct queue *queue;     /* the held bytes, or NULL */
    size_t copied;           /* bytes in the queue that from_fd still has: whole messages */
    uint32_t copied_messages;
    bool from_client;
    bool stopped;                      /* see stops: such a message is next in from_fd */
    bool watched;                      /* dma->gate->watches */
    bool discards;                     /* to_fd is gone: what would be sent to it is only noted */
    bool twin;                         /* of twin sockets; for the meter */
    uint8_t stops;                     /* enum relay_stop: at which messages it stops */
    uint16_t stop_id;                  /* of RELAY_STOPS_REPLY */
    uint32_t now_ms;                   /* clock_coarse_ms of this turn, for overdue and setup */
    struct relay_mark *mark;           /* borrowed */
    struct dma_gate_side *dma;         /* borrowed, or NULL */
    struct tap *tap;                   /* borrowed; NULL: not captured */
    struct overdue *overdue;           /* borrowed; NULL: requests are not watched */
    struct setup *setup;               /* borrowed; NULL: nothing is kept for another device */
    struct injector_way *inject;       /* borrowed; NULL: no faults are injected */
    struct sender_check *sender_check; /* borrowed; NULL: senders are not checked */
    struct fdroom_leg *leg;            /* borrowed; NULL: its fds are not counted */
    struct asked *asks;                /* borrowed: the sender's requests; NULL: not kept */
    struct asked *asked;               /* borrowed: the receiver's requests; NULL: not kept */
    const struct tally_meter *meter;   /* borrowed; NULL: nothing is counted but in the mark */
};

/* Messages that are left in the socket, with all that follows: the owner has use for them. */
enum relay_stop {
    RELAY_STOPS_NOT,
    RELAY_STOPS_REQUEST, /* any request */
    RELAY_STOPS_REPLY,   /* the reply with stop_id, to a request of the owner's */
};

enum relay_outcome {
    RELAY_READ,      /* wait until from_fd can be read */
    RELAY_WRITE,     /* wait until to_fd can be written */
    RELAY_PAUSE,     /* the kernel holds too many fds in flight: try again a little later */
    RELAY_FDS,       /* no room for the next fds: try again a little later */
    RELAY_DELAYED,   /* on purpose: go on after count us */
    RELAY_STOPPED,   /* the next message is one at which it stops, or only its beginning is there */
    RELAY_HOLD,      /* nothing may be read until the gate is no longer blocked */
    RELAY_MORE,      /* its turn is over, but there is more: continue after others */
    RELAY_EOF,       /* from_fd has ended between two messages, and all has been sent */
    RELAY_TRUNCATED, /* from_fd ended inside a message: hdr, count, bound */
    RELAY_BAD_FRAME, /* frame has the fault: hdr, count, bound */
    RELAY_TOO_MANY_FDS, /* more than the receiver accepts: hdr, count, bound */
    RELAY_CUT_OFF,      /* MSG_CTRUNC: fds were lost on the way in: hdr, count, bound */
    RELAY_OWN_SOCKET,   /* one of the fds leads to this broker */
    RELAY_HANDED_ON,    /* another process used from_fd, and the session must end */
    RELAY_INJECTED,     /* the session must end, on purpose: hdr */
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
 * The limits are the receiver's. Borrows the sockets, the pool and the mark for its life; the mark
 * is zeroed for a new direction.
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

/*
 * Notes the requests that pass, or, to the client, discards late replies; o is borrowed for its
 * life. Needs relay_guard. Call before the first turn.
 */
void relay_watch(struct relay_direction *p, struct overdue *o);

/*
 * Counts messages, and measures requests; m is borrowed for its life. Needs relay_guard. Call
 * before the first turn.
 */
void relay_measure(struct relay_direction *p, const struct tally_meter *m, bool twin);

/*
 * Notes the requests that from_fd has, as far as a look shows them, while to_fd takes nothing; they
 * have waited since since_ms at least. Needs relay_watch.
 */
void relay_look_ahead(struct relay_direction *p, uint32_t since_ms);

/*
 * Has what passes noted in s, which is borrowed for its life. Needs relay_guard. Call before the
 * first turn.
 */
void relay_keep_setup(struct relay_direction *p, struct setup *s);

/* Injects faults; w is borrowed, and may be set between any two turns. Needs relay_guard. */
void relay_inject(struct relay_direction *p, struct injector_way *w);

/* Returns true if it holds a replacement of an injection. */
static inline bool relay_holds_made(const struct relay_direction *p)
{
    return p->inject && injector_holds(p->inject);
}

/*
 * The receiver is gone: messages to it are judged, noted and taken as before, but not sent, until
 * there is another one. Needs relay_keep_setup.
 */
void relay_discard(struct relay_direction *p);

/*
 * Returns true if the sender is between two messages, or inside one that is still held: another
 * receiver would get whole messages.
 */
bool relay_is_whole(const struct relay_direction *p);

/*
 * Another receiver, or another sender, takes the place of the one that is gone: borrows its socket.
 * Of the other one's last message nothing may have gone on, or all of it.
 */
void relay_redirect(struct relay_direction *p, int from_fd, int to_fd);

/* Has it stop at these messages; id is that of RELAY_STOPS_REPLY. Goes on in the next turn. */
void relay_stop_at(struct relay_direction *p, enum relay_stop stops, uint16_t id);

/* Returns true if it stops at a message with this header. */
static inline bool relay_stops_at(const struct relay_direction *p, const struct wire_hdr *hdr)
{
    return p->stops == RELAY_STOPS_REQUEST
               ? !wire_is_reply(hdr)
               : p->stops == RELAY_STOPS_REPLY && wire_is_reply(hdr) && hdr->id == p->stop_id;
}

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

/* Returns true if all that the direction is lies in its mark, and nothing is under way. */
bool relay_rests(const struct relay_direction *p);

/* The state in which a worker that died has left a direction. */
enum relay_recovery {
    RELAY_RECOVERED,        /* nothing was being sent */
    RELAY_RECOVERED_SENT,   /* the receiver has what was being sent */
    RELAY_RECOVERED_UNSENT, /* the receiver has nothing of it: a turn sends it */
    RELAY_RECOVERY_LOST,    /* bytes or fds that only the worker had are lost */
    RELAY_RECOVERY_UNSOUND, /* the mark is not one that a direction writes */
};

/*
 * Goes on from p's mark, in which another worker has left it, and which is settled
 * (relay_mark_settle). Call once, after relay_init and what else is called before the first turn.
 * If it has recovered, nothing was lost or sent twice, and a turn goes on; otherwise none must
 * follow. The header of the first message that was being sent is at the mark's front.
 */
enum relay_recovery relay_recover(struct relay_direction *p) __attribute__((warn_unused_result));

/* ---- between the files of a relay direction (relay_*.c) only ---- */

/* The result of a look. */
struct relay_look {
    size_t n;                /* bytes seen */
    size_t bound;            /* of these may be handed on together */
    bool fds_near;           /* fds may come with some of the bytes seen, or behind them */
    bool with_fds;           /* fds come with the first message, which is seen whole */
    struct sock_sender from; /* if senders are checked */
};

/*
 * Sets bound and with_fds; the first message has first bytes, at most look->n. Returns false if it
 * is uncertain whether fds come with it.
 */
bool relay_look_bound(const struct relay_direction *p, struct relay_look *look, size_t first)
    __attribute__((warn_unused_result));

/*
 * Hands on the messages seen, which are in the queue, and at least one of which is whole. Sets
 * *drained if nothing is left. Returns RELAY_MORE to go on.
 */
enum relay_outcome relay_pass_seen(struct relay_direction *p, struct relay_look *look,
                                   struct relay_detail *detail, bool *drained)
    __attribute__((warn_unused_result));

/*
 * Hands on the beginning of a message, as far as it is seen, with its fds, if it has any: they
 * would otherwise be the worker's alone until the message is whole. Returns false, with nothing
 * done, if it has to be taken first; otherwise sets *outcome, RELAY_MORE to go on.
 */
bool relay_pass_beginning(struct relay_direction *p, struct relay_look *look,
                          const struct wire_hdr *hdr, struct relay_detail *detail,
                          enum relay_outcome *outcome) __attribute__((warn_unused_result));

/* Sends the copied messages, then takes them. Returns RELAY_MORE to go on. */
enum relay_outcome relay_pass_on(struct relay_direction *p, struct relay_detail *detail)
    __attribute__((warn_unused_result));

/*
 * Sends bytes with the queue's fds, as sock_send_post does; if it discards, nothing is sent, and
 * all of it counts as sent.
 */
ssize_t relay_send_posted(const struct relay_direction *p, const uint8_t *bytes, size_t n)
    __attribute__((warn_unused_result));

/* A message has begun: its header is valid, and have bytes of it are in the queue. */
void relay_begin_message(struct relay_direction *p, const struct wire_hdr *hdr, size_t have);

/*
 * Takes at most want bytes into the queue, behind those that it holds. Returns the bytes, 0 at the
 * end of the stream, or -errno: -EXDEV if they come from a process other than the judged one.
 */
ssize_t relay_hold_take(struct relay_direction *p, size_t want) __attribute__((warn_unused_result));

/* Sends the bytes that the queue holds, with its fds. Returns the bytes sent, or -errno. */
ssize_t relay_hold_send(struct relay_direction *p) __attribute__((warn_unused_result));

/* A send has failed with err: returns what to wait for; RELAY_TO_ERROR with its errno in detail. */
enum relay_outcome relay_unsent(ssize_t err, struct relay_detail *detail);

/* Bytes that the queue holds have been sent, with so many fds; ended: so has the message's end. */
void relay_hold_meter(const struct relay_direction *p, size_t bytes, unsigned fds, bool ended);

/* What the queue holds has been sent or discarded, or was copies. */
void relay_hold_end(struct relay_mark *m);

/*
 * Goes on with the bytes that a dead worker has held: the queue and the mark are as if this worker
 * had just taken them, or sent a part of them.
 */
enum relay_recovery relay_hold_recover(struct relay_direction *p)
    __attribute__((warn_unused_result));

/* Returns the queue: its bytes have been sent or discarded, or were copies. */
void relay_release(struct relay_direction *p);

/* Updates the session's account with the queue's fds, after sent of them have left it. */
void relay_account(struct relay_direction *p, unsigned sent);

/* Reads and judges the header at data, of which n bytes are there. */
enum wire_frame relay_judge_header(const struct relay_direction *p, const uint8_t *data, size_t n,
                                   struct relay_detail *detail);

/*
 * The messages that begin in the first n of the have bytes at data go on: notes each request with
 * its reply's size, and that a request is answered.
 */
void relay_note_messages(struct relay_direction *p, const uint8_t *data, size_t n, size_t have);

/*
 * Returns true if there is room for the fds that the next read of *want bytes may bring. If that is
 * uncertain, counts them first, and cuts *want to the bytes looked at.
 */
bool relay_fds_fit(struct relay_direction *p, size_t *want);

/*
 * Has sender_check, which is not NULL, look at a sender, and drops it once it has seen enough.
 * Returns false if the bytes come from a process other than the judged one.
 */
bool relay_check_sender(struct relay_direction *p, const struct sock_sender *from)
    __attribute__((warn_unused_result));

/* Returns true if one of the queue's fds from index first on leads to this broker. */
bool relay_has_own_socket(const struct relay_direction *p, unsigned first);

/*
 * Judges the message at bytes, of which n are there, with the queue's fds; position counts the
 * bytes that its sender sent before it. Needs relay_guard.
 */
enum dma_verdict relay_judge_message(const struct relay_direction *p, const uint8_t *bytes,
                                     const struct wire_hdr *hdr, size_t n, uint64_t position);

/*
 * A message is about to go on by the verdict v; position counts the bytes that its sender sent
 * before it. Notes a request of the client's. Returns v, or DMA_DROP for a late reply.
 */
enum dma_verdict relay_judge_time(struct relay_direction *p, const struct wire_hdr *hdr,
                                  uint64_t position, enum dma_verdict v);

/* Returns the side that sends. Needs relay_guard. */
static inline enum side relay_from(const struct relay_direction *p)
{
    return p->from_client ? SIDE_CLIENT : SIDE_BACKEND;
}

/* Returns true if the message is a reply to a request that the broker has answered. */
static inline bool relay_is_late(const struct relay_direction *p, const struct wire_hdr *hdr)
{
    return p->overdue && !p->from_client && overdue_is_late(p->overdue, hdr);
}

/* The message, if it is a reply of the device's, goes on, or has been discarded. */
static inline void relay_note_reply(struct relay_direction *p, const struct wire_hdr *hdr)
{
    if (p->overdue && !p->from_client) {
        overdue_note_reply(p->overdue, hdr);
    }
}

/* The whole message has been discarded: its request no longer awaits it, if it is a late reply. */
void relay_note_dropped(struct relay_direction *p, const struct wire_hdr *hdr);

/* Lets the message at bytes, of which n are there, go on without its fds, which are the queue's. */
void relay_gate_strip(struct relay_direction *p, const struct wire_hdr *hdr, uint8_t *bytes,
                      size_t n);

/* Returns true if bytes that may be sent now must be judged before. */
static inline bool relay_must_judge(const struct relay_direction *p)
{
    return p->dma && (p->watched || p->overdue || p->setup || p->inject || p->queue->fds.n > 0);
}

/*
 * Judges the bytes just read that may be sent now, and removes refused messages from the queue.
 * Returns RELAY_MORE or RELAY_NO_MEMORY.
 */
enum relay_outcome relay_judge(struct relay_direction *p, struct relay_detail *detail)
    __attribute__((warn_unused_result));

/* Sends the gate's replies if the receiver is between two messages. Returns RELAY_MORE to go on. */
enum relay_outcome relay_reply(struct relay_direction *p, struct relay_detail *detail)
    __attribute__((warn_unused_result));

/*
 * A message may go on, n bytes of which are at bytes; position counts the bytes that its sender
 * sent before it. Returns DMA_PASS, or DMA_DROP if a fault is injected. Needs inject.
 */
enum dma_verdict relay_inject_judge(const struct relay_direction *p, const uint8_t *bytes,
                                    const struct wire_hdr *hdr, size_t n, uint64_t position);

/*
 * The message at the queue's front is dropped: makes its replacement, if a fault is
 * injected. Needs inject. Returns RELAY_MORE, RELAY_INJECTED or RELAY_NO_MEMORY.
 */
enum relay_outcome relay_inject_make(struct relay_direction *p, struct relay_detail *detail)
    __attribute__((warn_unused_result));

/* Sends the replacement, if the receiver is between two messages. Returns RELAY_MORE to go on. */
enum relay_outcome relay_inject_send(struct relay_direction *p, struct relay_detail *detail)
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
