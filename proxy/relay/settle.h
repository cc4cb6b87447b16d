/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Settles whether a message reached its receiver, if the worker that was sending it was killed
 * within sendmsg. A doubled reply with data is fatal to QEMU's device, and a lost one costs 5 s, so
 * the receiver is asked by a harmless request of the broker's own, with an id of its own:
 *
 *   a request with a reply   the receiver answers in order: if its answer to the request comes
 *                            before the one to the question, the request had arrived
 *   a reply                  a client that waits for a reply answers nothing else until it has it
 *                            (QEMU holds its big lock, libvfio-user blocks): an answer to the
 *                            question shows that the reply had arrived, and so does its next
 *                            request; silence that it has not
 *
 * Answers to questions are not passed on. Pure: judges headers; the caller sends, and keeps the
 * time.
 */
#ifndef POEMD_PROXY_RELAY_SETTLE_H
#define POEMD_PROXY_RELAY_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/side.h"
#include "base/wire/wire.h"

/* A question: a header and a body of 16 bytes, to client as to backend. */
#define SETTLE_QUESTION_SIZE (WIRE_HDR_SIZE + 16u)

/* Called from within settle_swallow: the receiver's doubtful message is settled. */
typedef void settle_fn(void *arg, enum side receiver, bool arrived);

struct settle_side {
    bool open;       /* a message to it is in doubt */
    bool by_request; /* … a request, with this id and command; otherwise a reply */
    uint16_t id;
    uint16_t command;
    uint8_t *due; /* borrowed: questions that it has not answered */
};

struct settle {
    struct settle_side sides[SIDES]; /* by the message's receiver, which is asked */
    settle_fn *fn;
    void *arg;
};

/*
 * Finds out how the messages at data can be settled, n bytes of whole messages: sets by_request, id
 * and command, and *hdr to the deciding message's header. Returns false if they cannot be: all of
 * them want no reply.
 */
bool settle_find(struct settle_side *side, const uint8_t *data, size_t n, struct wire_hdr *hdr);

/* Writes the question for that side. */
void settle_question(enum side receiver, uint8_t out[SETTLE_QUESTION_SIZE]);

/* A message comes from that side. Returns true if it answers a question, and must not go on. */
bool settle_swallow(struct settle *s, enum side from, const struct wire_hdr *hdr);

/* Returns true if nothing is in doubt and no answer due. */
bool settle_over(const struct settle *s);

#endif
