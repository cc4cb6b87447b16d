/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Finds each reply's request: first in, first out per session, socket, leg, direction and id, since
 * ids belong to their sender and may repeat even at the same time. Pure but for its memory, which
 * is bounded: of more than TRACE_PENDING requests without a reply the oldest are given up.
 */
#ifndef POEMD_TRACE_DECODE_PAIR_H
#define POEMD_TRACE_DECODE_PAIR_H

#include "trace/file/message.h"
#include "trace/file/reader.h"

/* Requests that may wait for their replies at once, in a whole trace. */
#define TRACE_PENDING 65536u

/* Of a request's bytes so many are remembered: the fixed part of every command. */
#define TRACE_REMEMBERED 64u

struct trace_request {
    const struct trace_session *session;
    struct wire_hdr hdr; /* in this machine's byte order, unlike head */
    uint64_t number;
    uint64_t read_ns;
    uint64_t passed_ns;
    uint32_t kept; /* bytes at head, at most TRACE_REMEMBERED */
    uint16_t n_fds;
    uint8_t sender;
    uint8_t legs;
    uint8_t flags;
    uint64_t tag; /* the caller's: as it was given to trace_pairs_feed */
    uint8_t head[TRACE_REMEMBERED];
};

enum trace_pairing {
    TRACE_PAIR_REQUEST, /* remembered, unless it asks for no reply */
    TRACE_PAIR_REPLY,   /* *request is what it answers */
    TRACE_PAIR_UNASKED, /* a reply to nothing that was seen */
    TRACE_PAIR_NEITHER, /* no header, or of neither type */
};

struct trace_pairs;

struct trace_pairs *trace_pairs_new(void) __attribute__((warn_unused_result));
void trace_pairs_free(struct trace_pairs *p);

/*
 * Takes a message in the order of the file. tag is remembered with a request. request is filled
 * for TRACE_PAIR_REPLY only. A VERSION request is seen once on each leg: its replies find the one
 * on their own leg. An error of type command with the id and command of a waiting request is its
 * reply, whose sender forgot the type. The session is remembered, never looked into.
 */
enum trace_pairing trace_pairs_feed(struct trace_pairs *p, const struct trace_session *s,
                                    const struct trace_message *m, uint64_t tag,
                                    struct trace_request *request)
    __attribute__((warn_unused_result));

/*
 * Nanoseconds from when a request's first bytes were read until its reply's were: what is called
 * latency everywhere in this room.
 */
static inline uint64_t trace_latency(const struct trace_request *request,
                                     const struct trace_message *reply)
{
    return reply->read_ns > request->read_ns ? reply->read_ns - request->read_ns : 0;
}

/* Requests given up for want of room. */
uint64_t trace_pairs_given_up(const struct trace_pairs *p);

/*
 * Calls fn for each request that still waits for its reply, in the order of the file: at its end.
 * Those with No_reply are none.
 */
void trace_pairs_waiting(const struct trace_pairs *p,
                         void (*fn)(const struct trace_request *request, void *arg), void *arg);

#endif
