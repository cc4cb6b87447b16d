/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The broker's part in the recital: server towards the client, client towards the backend, and
 * making its own claims to each (PROTOCOL.poem). Pure: takes offers and message bytes, changes
 * offers.
 */
#ifndef POEMD_PROXY_WORKER_RECITER_H
#define POEMD_PROXY_WORKER_RECITER_H

#include "handshake/recital.h"
#include "handshake/version.h"
#include "proxy/ipc/session_settings.h"

struct reciter {
    const struct poem *poem;
    struct recital_id self; /* the route's */
    enum config_recite recite;
    enum reciter_wants ask;
    struct recital_request asked;
    struct recital_client client;
    struct recital_reply told;
    enum recital_outcome judged; /* of the backend's reply */
};

/* The poem is borrowed for the reciter's life. */
void reciter_init(struct reciter *r, const struct poem *poem, const struct recital_id *self,
                  enum config_recite recite, enum reciter_wants ask);

/*
 * Reads the client's request: the message as received (n bytes), and its offer, from which it
 * removes the claims about poem and licence, since they were meant for us. Returns RECITAL_OK, or
 * the reason for a refusal.
 */
enum recital_outcome reciter_request(struct reciter *r, const void *message, size_t n,
                                     struct version_offer *request)
    __attribute__((warn_unused_result));

/* Returns what to ask the backend for, including a client's challenge. */
enum reciter_wants reciter_asks(const struct reciter *r);

/*
 * Adds our question to the request for the backend. challenge: RECITAL_RANDOM_SIZE fresh random
 * bytes to demand a recital, or NULL. Returns RECITAL_OK, or the reason for a refusal.
 */
enum recital_outcome reciter_ask(struct reciter *r, const uint8_t *challenge,
                                 struct version_offer *request) __attribute__((warn_unused_result));

/* Takes note of the request message as it is sent to the backend. */
enum recital_outcome reciter_sent(struct reciter *r, const void *message, size_t n)
    __attribute__((warn_unused_result));

/*
 * Reads the backend's reply, and removes the claims about poem and licence from the offer. Returns
 * RECITAL_OK if it goes on, with the judgement of the recital in r->judged; otherwise the reason
 * for a refusal.
 */
enum recital_outcome reciter_reply(struct reciter *r, struct version_offer *reply)
    __attribute__((warn_unused_result));

enum reciter_said {
    RECITER_NOTHING,        /* the route never recites, or the client has no JSON */
    RECITER_IN_FULL,        /* to a client that asked */
    RECITER_REFRAIN,        /* to a client that does not know of poems */
    RECITER_NO_ROOM,        /* the refrain would have made the reply too long */
    RECITER_NO_ROOM_AT_ALL, /* the reply is longer than the request even without it */
};

/*
 * Adds our own claims to the reply for the client. request_size is that of the client's whole
 * message; a reply to a client that does not know of poems must not exceed it through our
 * additions. Returns RECITAL_OK, or the reason for a refusal: RECITAL_TOO_LONG if the route always
 * recites and there is no room.
 */
enum recital_outcome reciter_answer(struct reciter *r, struct version_offer *reply,
                                    uint32_t request_size, enum reciter_said *said)
    __attribute__((warn_unused_result));

/* Returns text for logs. Static. */
const char *reciter_said_text(enum reciter_said s);

#endif
