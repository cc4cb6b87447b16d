/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The broker's part in the recital: server towards the client, client towards the backend, and
 * speaking for itself to each (PROTOCOL.poem). Pure: offers and message bytes in, offers changed.
 */
#ifndef POEMD_PROXY_WORKER_RECITER_H
#define POEMD_PROXY_WORKER_RECITER_H

#include "handshake/recital.h"
#include "handshake/version.h"
#include "proxy/ipc/session_settings.h"

/* The licence that the broker declares for itself and recites under. */
#define RECITER_LICENCE "GPL-2.0-or-later"

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
 * Reads the client's request: the message as it came (n bytes), and its offer, from which what was
 * said of poem and licence is then taken: it was said to us. RECITAL_OK, or what refuses it.
 */
enum recital_outcome reciter_request(struct reciter *r, const void *message, size_t n,
                                     struct version_offer *request)
    __attribute__((warn_unused_result));

/* What the backend is to be asked for, a client's challenge included. */
enum reciter_wants reciter_asks(const struct reciter *r);

/*
 * Adds our question to the request for the backend. challenge: RECITAL_RANDOM_SIZE fresh random
 * bytes, with which a recital is demanded; or NULL. RECITAL_OK, or what refuses the session.
 */
enum recital_outcome reciter_ask(struct reciter *r, const uint8_t *challenge,
                                 struct version_offer *request) __attribute__((warn_unused_result));

/* Tells the request message as it is sent to the backend. */
enum recital_outcome reciter_sent(struct reciter *r, const void *message, size_t n)
    __attribute__((warn_unused_result));

/*
 * Reads the backend's reply, and takes what it said of poem and licence out of the offer.
 * RECITAL_OK: it goes on, r->judged tells what the recital is worth; else what refuses the session.
 */
enum recital_outcome reciter_reply(struct reciter *r, struct version_offer *reply)
    __attribute__((warn_unused_result));

enum reciter_said {
    RECITER_NOTHING,        /* the route recites never, or the client has no JSON */
    RECITER_IN_FULL,        /* to a client that asked */
    RECITER_REFRAIN,        /* to one that knows nothing of it */
    RECITER_NO_ROOM,        /* the refrain would have made the reply too long */
    RECITER_NO_ROOM_AT_ALL, /* the reply is longer than the request even without it */
};

/*
 * Adds to the reply for the client what we say for ourselves. request_size: of the client's whole
 * message, which a silent client's reply must not exceed by our doing. RECITAL_OK, or what refuses
 * the session: RECITAL_TOO_LONG where the route recites always and there is no room.
 */
enum recital_outcome reciter_answer(struct reciter *r, struct version_offer *reply,
                                    uint32_t request_size, enum reciter_said *said)
    __attribute__((warn_unused_result));

/* Text for logs. Static. */
const char *reciter_said_text(enum reciter_said s);

#endif
