/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The VERSION exchange on a session's two sockets: the worker's side of RECITING and DECIDING.
 *
 *   REQUEST  reads the client's VERSION exactly, so that later bytes stay untouched
 *   FORWARD  sends it, rewritten, to the backend
 *   REPLY    reads the backend's VERSION exactly
 *   VERDICT  the owner has been notified, and answers with greeting_decide
 *   ANSWER   sends the reply, rewritten, to the client
 *   OVER     done or failed; the owner takes the sockets or frees the greeting
 *
 * A greeting without a backend only reads the request and refuses it.
 */
#ifndef POEMD_PROXY_WORKER_GREETING_H
#define POEMD_PROXY_WORKER_GREETING_H

#include <event2/event.h>
#include <stdbool.h>

#include "handshake/version.h"
#include "proxy/worker/greeting/reciter.h"
#include "proxy/ipc/session_state.h"
#include "proxy/relay/tap.h"
#include "proxy/relay/sender_check.h"

enum greeting_news {
    GREETING_HEARD,    /* the client's header has come: see request_id */
    GREETING_EVIDENCE, /* both offers are here: decide */
    GREETING_ANSWERS,  /* the client's reply is about to be sent: complete settings->page */
    GREETING_DONE,     /* the client has its reply: relay */
    GREETING_FAILED,   /* see reason; the client has been sent err if possible */
};

struct greeting;
struct session_page;
typedef void greeting_fn(struct greeting *g, enum greeting_news news, void *arg);

/* The results, for the owner to read. */
struct greeting_result {
    struct version_offer request; /* the client's; valid from GREETING_EVIDENCE on */
    struct version_offer reply;   /* the backend's */
    uint16_t request_id;          /* the client's; valid from GREETING_HEARD on */
    uint32_t request_size;        /* whole messages as received, in bytes */
    uint32_t reply_size;
    const struct reciter *heard; /* each party's claims about poem and licence */
    enum reciter_said said;      /* to the client; valid from GREETING_DONE on */
    enum session_reason reason;  /* with GREETING_FAILED */
    int err;                     /* … the errno sent to the client, or 0 */
    const char *why;             /* … static text, for the log */
    bool by_backend;             /* … the party at fault */
};

/* Settings of a greeting. */
struct greeting_settings {
    int refuse_err;            /* an errno: there is no backend, and every request is refused */
    const struct poem *poem;   /* borrowed for the greeting's life */
    struct recital_id self;    /* the route's */
    enum config_recite recite; /* to the client */
    enum reciter_wants ask;    /* the route's request to the backend */
    struct tap_session *tap;   /* borrowed for the greeting's life; NULL: not captured */
    bool keep; /* keep the client's request (greeting_steal_request), and offer no twin socket */
    const uint8_t
        *request; /* of the client's, which has had its reply: only the backend is greeted,
                             * and client_fd is -1; NULL: the client sends one */
    size_t request_size;
    struct session_page *page; /* borrowed for the greeting's life, like post: where the client's
                                * reply is noted; NULL: it is not */
    struct sock_post *post;
    struct sender_check
        *sender_check[SIDES]; /* borrowed for its life; NULL: senders are not checked */
};

/*
 * Takes both sockets, non-blocking; backend_fd is -1 if settings refuse. Returns NULL if out of
 * memory, with the sockets closed.
 */
struct greeting *greeting_new_take(struct event_base *base, int client_fd, int backend_fd,
                                   const struct greeting_settings *settings, greeting_fn *fn,
                                   void *arg) __attribute__((warn_unused_result));

/* Closes the sockets it still owns. Not to be called from its callback. */
void greeting_free(struct greeting *g);

/*
 * Sets the verdict, after GREETING_EVIDENCE: 0 lets it go on; an errno refuses, with REASON_DENIED
 * or REASON_UNRECORDED. Calls back.
 */
void greeting_decide(struct greeting *g, int err, enum session_reason reason);

/*
 * Ends a greeting from outside (timeout, shutdown). The client is sent err if its request was
 * complete. Calls back with GREETING_FAILED and the reason.
 */
void greeting_abort(struct greeting *g, enum session_reason reason, int err, const char *why);

/*
 * Refuses the client from outside, with err: at once if its request has begun, otherwise when it
 * comes, within the handshake's time. Calls back with GREETING_FAILED and the reason.
 */
void greeting_refuse(struct greeting *g, enum session_reason reason, int err, const char *why);

/* The session is no longer captured. */
void greeting_untap(struct greeting *g);

const struct greeting_result *greeting_result(const struct greeting *g);

enum greeting_socket {
    GREETING_CLIENT,
    GREETING_BACKEND,
    GREETING_CLIENT_TWIN,
    GREETING_BACKEND_TWIN,
};

/* After GREETING_DONE: returns a socket that the caller owns, or -1. */
int greeting_steal(struct greeting *g, enum greeting_socket which);

/*
 * Returns the client's VERSION request as it came, n bytes, which the caller owns; NULL if it was
 * not kept.
 */
uint8_t *greeting_steal_request(struct greeting *g, size_t *n);

#endif
