/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The recital of a poem in the VERSION exchange, for both roles: PROTOCOL.poem, version 1.
 *
 * Made to be used by any program that speaks vfio-user, this broker or not: there is no socket, no
 * clock and no source of randomness in it. It works on "capabilities", the jansson object inside of
 * VERSION's JSON, and on the bytes of the VERSION request as they crossed the socket.
 *
 * A server (a device) does, in its handling of a VERSION request:
 *
 *     struct recital_request asked;
 *     o = recital_request_read(&asked, &poem_builtin, message, n, request_capabilities, NULL);
 *     if (o != RECITAL_OK)
 *         … an error reply with recital_errno(o);
 *     struct recital_answer answer = {.poem = &poem_builtin, .recite = true,
 *                                     .licence = "GPL-2.0-or-later"};
 *     o = recital_reply_add(&asked, &answer, reply_capabilities);
 *
 * A client (QEMU, a broker) does:
 *
 *     struct recital_ask ask = {.poem = &poem_builtin, .challenge = 32 random bytes};
 *     struct recital_client c;
 *     struct recital_reply told;
 *     o = recital_client_ask(&c, &ask, version, request_capabilities);
 *     … write the request, send it …
 *     o = recital_client_sent(&c, message, n);
 *     … read the reply …
 *     o = recital_client_judge(&c, reply_capabilities, &told);
 *     if (o != RECITAL_OK)
 *         … close the socket; recital_text(o) says why
 *
 * Nothing here keeps a reference to a JSON value, and nothing has to be freed. Poems are borrowed
 * for as long as a structure is used that was given one. Where an outcome is not RECITAL_OK, the
 * JSON given may have been changed in part.
 */
#ifndef POEMD_HANDSHAKE_RECITAL_H
#define POEMD_HANDSHAKE_RECITAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "poem/poem.h"

#define RECITAL_RANDOM_SIZE 32u   /* a challenge, a nonce */
#define RECITAL_BINDING_SIZE 32u  /* SHA-256 */
#define RECITAL_IDENTITY_SIZE 16u /* of a broker */
#define RECITAL_HOPS 8u           /* entries of "via" and of "through" at the most */
#define RECITAL_LICENCE_MAX 256u  /* bytes of a licence expression at the most */

/* A VERSION reply that whoever sends a "poem" object must be able to take, header included. */
#define RECITAL_REPLY_SIZE_MAX 16404u

/* Section 7. */
enum recital_outcome {
    RECITAL_OK,            /* well-formed; or, of a recital: valid */
    RECITAL_MISSING,       /* there is none, asked for or not: whether that matters is a rule's */
    RECITAL_MALFORMED,     /* "poem" or "licence": a type, size, digit or value is not the page's */
    RECITAL_OTHER_VERSION, /* "v" is another number than 1 */
    RECITAL_UNASKED,       /* a reply recites without challenge, or speaks of poems unasked */
    RECITAL_WRONG_DIGEST,  /* the digest is not that of the text recited: one of them is altered */
    RECITAL_OTHER_POEM,    /* text and digest agree, but it is not the poem */
    RECITAL_WRONG_PROOF,   /* of another exchange, or of none */
    RECITAL_LOOP,          /* an identity twice in "through" or "via", or our own */
    RECITAL_TOO_MANY,      /* more than RECITAL_HOPS entries, ours included */
    RECITAL_TOO_LONG,      /* the message with the recital is longer than allowed: a caller's */
    RECITAL_NO_MEMORY,     /* jansson or libcrypto failed */
};

/* Text of an outcome, for logs. Static. */
const char *recital_text(enum recital_outcome o);

/* The errno to refuse with; 0 for RECITAL_OK. RECITAL_MISSING: EACCES, where it was demanded. */
int recital_errno(enum recital_outcome o);

/* A broker's identity: random, the same for as long as one of its routes lives. */
struct recital_id {
    uint8_t bytes[RECITAL_IDENTITY_SIZE];
};

/* An entry of "via": what a broker knows of the server behind it. */
struct recital_hop {
    struct recital_id by;
    bool recited;
    char licence[RECITAL_LICENCE_MAX + 1]; /* declared or recited under; empty: nothing */
};

struct recital_via {
    unsigned n;
    struct recital_hop hops[RECITAL_HOPS]; /* the nearest first */
};

struct recital_through {
    unsigned n;
    struct recital_id ids[RECITAL_HOPS]; /* the one that the client's request passed first, first */
};

/*
 * Makes libcrypto load all that it needs, for programs that later give up the right to open files.
 * Others need not call it. 0 or -ENOMEM.
 */
int recital_prepare(void) __attribute__((warn_unused_result));

/* ---- what both roles of a broker need ---- */

/* The hop-by-hop rule (section 2): takes "poem" and "licence" out of capabilities (may be NULL),
 * and a "via" that was put beside "poem". */
void recital_strip(json_t *capabilities);

/*
 * "capabilities" of a VERSION's JSON object, made where there is none: borrowed, or NULL where
 * there is no memory, or it is no object.
 */
json_t *recital_capabilities(json_t *version_json) __attribute__((warn_unused_result));

/* Whether text can stand as "licence": 1 to RECITAL_LICENCE_MAX bytes of printable ASCII. */
bool recital_licence_fits(const char *text);

/* ---- the client's role: demands, or recites, in the request; judges the reply ---- */

/* What a request is to say. All is borrowed for the call, but for the poem. */
struct recital_ask {
    const struct poem *poem;
    const uint8_t *challenge; /* RECITAL_RANDOM_SIZE random bytes: demand a recital; NULL: do not */
    const uint8_t *nonce;     /* as many others: recite, under licence; NULL: do not */
    const char *licence;      /* declared for ourselves; NULL: nothing */
    const struct recital_through *through; /* that a broker got from its client; NULL: none */
    const struct recital_id *self;         /* a broker's own identity; NULL: we are none */
};

/* One exchange, as its client knows it. */
struct recital_client {
    const struct poem *poem;
    bool asked;      /* the request has a "poem" object … */
    bool challenged; /* … with a challenge */
    bool is_broker;
    struct recital_id self;
    uint8_t challenge[RECITAL_RANDOM_SIZE];
    uint8_t binding[RECITAL_BINDING_SIZE];
};

/* What a reply says. */
struct recital_reply {
    bool speaks;                            /* it has a "poem" object */
    bool refrain;                           /* … or the string alone (section 5): no recital */
    char licence[RECITAL_LICENCE_MAX + 1];  /* under which it recites, validly; or empty */
    char declared[RECITAL_LICENCE_MAX + 1]; /* the key "licence"; or empty */
    struct recital_via via;
};

/*
 * Begins an exchange: adds "poem", and "licence" where one is given, to the capabilities of a
 * request that is about to be sent with these version numbers. RECITAL_OK; RECITAL_LOOP: self is in
 * through; RECITAL_TOO_MANY: through is full; RECITAL_MALFORMED: a licence that does not fit, or
 * none to recite under; RECITAL_NO_MEMORY.
 */
enum recital_outcome recital_client_ask(struct recital_client *c, const struct recital_ask *ask,
                                        struct wire_version number, json_t *capabilities)
    __attribute__((warn_unused_result));

/* Begins an exchange in which the request says nothing of poems, so that its reply can be judged.
 */
void recital_client_silent(struct recital_client *c);

/* Tells the whole request message as it is sent, header included. RECITAL_OK or _NO_MEMORY. */
enum recital_outcome recital_client_sent(struct recital_client *c, const void *message, size_t n)
    __attribute__((warn_unused_result));

/*
 * Judges a reply's capabilities (NULL: it has none). RECITAL_OK: a valid recital, *out has its
 * licence. RECITAL_MISSING: well-formed, and no recital, be it that none was demanded. With any
 * other outcome only declared, speaks and refrain are told, as far as they were read.
 */
enum recital_outcome recital_client_judge(const struct recital_client *c,
                                          const json_t *capabilities, struct recital_reply *out)
    __attribute__((warn_unused_result));

/* ---- the server's role: reads the request, answers ---- */

/* What a client's request says. */
struct recital_request {
    bool speaks;     /* it has a "poem" object: a reply may have one, of RECITAL_REPLY_SIZE_MAX */
    bool challenged; /* … and demands a recital */
    uint8_t challenge[RECITAL_RANDOM_SIZE];
    uint8_t binding[RECITAL_BINDING_SIZE];
    enum recital_outcome recital; /* of the client's own recital: RECITAL_MISSING where it has none,
                                     _OK, _WRONG_DIGEST, _OTHER_POEM, _WRONG_PROOF */
    char licence[RECITAL_LICENCE_MAX + 1];  /* under which it recites, validly; or empty */
    char declared[RECITAL_LICENCE_MAX + 1]; /* the key "licence"; or empty */
    struct recital_through through;
};

/*
 * Reads a request: the whole message as it came, n bytes with its header, and the capabilities of
 * its JSON (NULL: it has none). self: a broker's identity, to find loops; NULL for others.
 * RECITAL_OK: well-formed, *out is filled, and out->recital is for the caller's rules; any other
 * outcome refuses the request.
 */
enum recital_outcome recital_request_read(struct recital_request *out, const struct poem *poem,
                                          const void *message, size_t n, const json_t *capabilities,
                                          const struct recital_id *self)
    __attribute__((warn_unused_result));

/* What a reply is to say. */
struct recital_answer {
    const struct poem *poem;
    bool recite;                   /* where challenged, under licence */
    const char *licence;           /* declared for ourselves; NULL: nothing */
    const struct recital_via *via; /* NULL: we are no broker */
};

/*
 * Adds to a reply's capabilities what the request asked for: "poem" with the recital and "via", and
 * "licence". Adds nothing where the request had no "poem" object: such a client may have no room.
 * RECITAL_OK; RECITAL_MALFORMED: a licence that does not fit, or none to recite under;
 * RECITAL_NO_MEMORY. Whether the message is still short enough is for the caller to see.
 */
enum recital_outcome recital_reply_add(const struct recital_request *asked,
                                       const struct recital_answer *answer, json_t *capabilities)
    __attribute__((warn_unused_result));

/*
 * A broker's "via": its own entry, then what the server behind it said, where that recited validly.
 * judged is what recital_client_judge made of that server's reply. RECITAL_OK, _LOOP, _TOO_MANY.
 */
enum recital_outcome recital_via_make(struct recital_via *out, const struct recital_id *self,
                                      enum recital_outcome judged,
                                      const struct recital_reply *behind)
    __attribute__((warn_unused_result));

/* ---- section 5: the refrain, for a client that knows nothing of poems ---- */

enum recital_fit {
    RECITAL_FITS,           /* the refrain is in the reply */
    RECITAL_FITS_NOT,       /* it is not; the reply without it fits */
    RECITAL_FITS_NOTHING,   /* the reply does not fit even without it; it is as it was */
    RECITAL_FITS_NO_MEMORY, /* the reply may have been changed in part */
};

/*
 * Adds the refrain to a reply's JSON object, so that written by json_write it has at most room
 * bytes, NUL included. Where needed, capabilities that have the specification's default value are
 * left out: as few as will do, and of those the shortest; also where that makes a reply without the
 * refrain fit. refrain: NULL or empty for a reply that is only to be made fit.
 */
enum recital_fit recital_fit(json_t *reply, size_t room, const char *refrain)
    __attribute__((warn_unused_result));

#endif
