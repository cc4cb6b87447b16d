/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Finds each reply's request: first in, first out per session, socket, leg, direction and id, since
 * ids belong to their sender and may repeat even at the same time. Pure except for its memory,
 * which is bounded: beyond TRACE_PENDING requests without a reply, the oldest are given up.
 */
#ifndef POEMD_TRACE_DECODE_PAIR_H
#define POEMD_TRACE_DECODE_PAIR_H

#include <stdbool.h>

#include "trace/file/message.h"
#include "trace/file/reader.h"

/* Requests that may wait for their replies at once, in a whole trace. */
#define TRACE_PENDING 65536u

/* Bytes of a request that are remembered: enough for the fixed part of every command. */
#define TRACE_REMEMBERED 64u

struct trace_request {
    const struct trace_session *session;
    struct wire_hdr hdr; /* in this machine's byte order, unlike head */
    uint64_t number;
    uint64_t read_ns;
    uint64_t passed_ns;
    uint64_t broker_ns; /* trace_message_broker_ns */
    uint32_t kept;      /* bytes at head, at most TRACE_REMEMBERED */
    uint16_t n_fds;
    uint8_t sender;
    uint8_t legs;
    uint8_t flags;
    uint64_t tag; /* the caller's, from trace_pairs_feed */
    uint8_t head[TRACE_REMEMBERED];
};

enum trace_pairing {
    TRACE_PAIR_REQUEST, /* remembered, unless No_reply is set */
    TRACE_PAIR_REPLY,   /* request is the one that it answers */
    TRACE_PAIR_UNASKED, /* no captured request matches */
    TRACE_PAIR_NEITHER, /* no header, or of neither type */
};

struct trace_pairs;

struct trace_pairs *trace_pairs_new(void) __attribute__((warn_unused_result));
void trace_pairs_free(struct trace_pairs *p);

/*
 * Takes the next message in the order of the file. tag is remembered with a request. request is
 * filled for TRACE_PAIR_REPLY only. A VERSION request is seen once on each leg; its reply is
 * matched on its own leg. A request that the broker has answered in the device's stead, after its
 * time, has two replies: the broker's on one leg, the device's late one on the other. An error of
 * type command with the id and command of a waiting request counts as its reply, since some senders
 * do not set the type. The session is remembered as an address only.
 */
enum trace_pairing trace_pairs_feed(struct trace_pairs *p, const struct trace_session *s,
                                    const struct trace_message *m, uint64_t tag,
                                    struct trace_request *request)
    __attribute__((warn_unused_result));

/*
 * Nanoseconds from reading a request's first bytes until reading its reply's: the latency that all
 * of this room reports.
 */
static inline uint64_t trace_latency(const struct trace_request *request,
                                     const struct trace_message *reply)
{
    return reply->read_ns > request->read_ns ? reply->read_ns - request->read_ns : 0;
}

/*
 * Returns true if the reply is the broker's, sent in the stead of a device that was late: the
 * device's own may follow.
 */
static inline bool trace_in_stead(const struct trace_request *request,
                                  const struct trace_message *reply)
{
    return (reply->flags & TRACE_BROKER) != 0 && request->legs == TRACE_LEGS;
}

/* Requests given up for lack of room. */
uint64_t trace_pairs_given_up(const struct trace_pairs *p);

/*
 * Calls fn for each request that still waits for its reply at the end, in the order of the file.
 * Requests with No_reply do not count as waiting.
 */
void trace_pairs_waiting(const struct trace_pairs *p,
                         void (*fn)(const struct trace_request *request, void *arg), void *arg);

#endif
