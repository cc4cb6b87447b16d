/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The recital of a poem in the VERSION exchange, for both roles: PROTOCOL.poem, version 1.
 *
 * For use by any program that implements vfio-user, not only this broker: it uses no socket, clock
 * or source of randomness. It works on "capabilities", the jansson object within VERSION's JSON,
 * and on the bytes of the VERSION request as sent over the socket.
 *
 * A server (a device) handles a VERSION request with:
 *
 *     struct recital_request asked;
 *     o = recital_request_read(&asked, &poem_builtin, message, n, request_capabilities, NULL);
 *     if (o != RECITAL_OK)
 *         … an error reply with recital_errno(o);
 *     struct recital_answer answer = {.poem = &poem_builtin, .recite = true,
 *                                     .licence = RECITAL_LICENCE_OWN};
 *     o = recital_reply_add(&asked, &answer, reply_capabilities);
 *
 * A client (QEMU, a broker) uses:
 *
 *     struct recital_ask ask = {.poem = &poem_builtin, .challenge = 32 random bytes,
 *                               .with = true};
 *     struct recital_client c;
 *     struct recital_reply told;
 *     o = recital_client_ask(&c, &ask, version, request_capabilities);
 *     … write the request, send it …
 *     o = recital_client_sent(&c, message, n);
 *     … read the reply …
 *     o = recital_client_judge(&c, reply_capabilities, &told);
 *     if (o != RECITAL_OK)
 *         … close the socket; recital_text(o) is the reason
 *
 * These functions keep no reference to a JSON value, and nothing has to be freed. A poem is
 * borrowed for as long as a structure that received it is in use. After an outcome other than
 * RECITAL_OK, the JSON passed in may have been changed in part.
 */
#ifndef POEMD_HANDSHAKE_RECITAL_H
#define POEMD_HANDSHAKE_RECITAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire/wire.h"
#include "poem/poem.h"

#define RECITAL_RANDOM_SIZE 32u   /* of a challenge or a nonce */
#define RECITAL_BINDING_SIZE 32u  /* SHA-256 */
#define RECITAL_IDENTITY_SIZE 16u /* of a broker */
#define RECITAL_HOPS 8u           /* maximum number of entries in "via" and in "through" */
#define RECITAL_LICENCE_MAX 256u  /* maximum size of a licence expression in bytes */

/* The licence of this project's own programs: COPYING. */
#define RECITAL_LICENCE_OWN "GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception"

/* Size of a VERSION reply, including its header, that any sender of a "poem" object must accept. */
#define RECITAL_REPLY_SIZE_MAX 16404u

/* Outcomes of section 7. */
enum recital_outcome {
    RECITAL_OK,      /* well-formed; or, of a recital: valid */
    RECITAL_MISSING, /* there is none, whether demanded or not: rules decide whether that matters */
    RECITAL_MALFORMED, /* "poem" or "licence": a type, size, digit or value violates the protocol */
    RECITAL_OTHER_VERSION, /* "v" is not 1 */
    RECITAL_UNASKED, /* a reply recites without a challenge, or has a "poem" object the request did
                        not ask for */
    RECITAL_WRONG_DIGEST, /* the digest does not match the recited text: one of them was altered */
    RECITAL_OTHER_POEM,   /* text and digest agree, but it is not the poem */
    RECITAL_WRONG_PROOF,  /* of another exchange, or invalid */
    RECITAL_LOOP,         /* an identity twice in "through" or "via", or our own */
    RECITAL_TOO_MANY,     /* more than RECITAL_HOPS entries, including ours */
    RECITAL_TOO_LONG,     /* the message with the recital exceeds the limit; set by callers */
    RECITAL_NO_MEMORY,    /* jansson or libcrypto failed */
};

/* Returns the static text of an outcome, for logs. */
const char *recital_text(enum recital_outcome o);

/*
 * Returns the errno to refuse with; 0 for RECITAL_OK. For RECITAL_MISSING it is EACCES, for the
 * case that a recital was demanded.
 */
int recital_errno(enum recital_outcome o);

/* A broker's identity: random, constant for the life of its routes. */
struct recital_id {
    uint8_t bytes[RECITAL_IDENTITY_SIZE];
};

/* An entry of "via": a broker's knowledge of the server behind it. */
struct recital_hop {
    struct recital_id by;
    bool recited;
    char licence[RECITAL_LICENCE_MAX + 1]; /* recited or declared; "" if neither */
};

struct recital_via {
    unsigned n;
    struct recital_hop hops[RECITAL_HOPS]; /* nearest first */
};

struct recital_through {
    unsigned n;
    struct recital_id
        ids[RECITAL_HOPS]; /* in the order in which the client's request passed them */
};

/*
 * Makes libcrypto load everything it needs, for programs that later drop the right to open files.
 * Optional for others. Returns 0 or -ENOMEM.
 */
int recital_prepare(void) __attribute__((warn_unused_result));

/* ---- for both roles of a broker ---- */

/*
 * Applies the hop-by-hop rule (section 2): removes "poem" and "licence" from capabilities (may be
 * NULL), and a "via" beside "poem".
 */
void recital_strip(json_t *capabilities);

/*
 * Returns "capabilities" of a VERSION's JSON object, creating it if missing. Borrowed; NULL if out
 * of memory, or if it is not an object.
 */
json_t *recital_capabilities(json_t *version_json) __attribute__((warn_unused_result));

/* Returns whether text is valid as "licence": 1 to RECITAL_LICENCE_MAX bytes of printable ASCII. */
bool recital_licence_fits(const char *text);

/* ---- the client's role: demands a recital or recites in the request; judges the reply ---- */

/* The content of a request. Borrowed for the call, except for the poem. */
struct recital_ask {
    const struct poem *poem;
    const uint8_t *challenge; /* RECITAL_RANDOM_SIZE random bytes to demand a recital, or NULL */
    const uint8_t *nonce;     /* as many other random bytes to recite under licence, or NULL */
    const char *licence;      /* our own declaration; may be NULL */
    bool with;                /* we accept licences with an exception (section 6) */
    const struct recital_through *through; /* received by a broker from its client; may be NULL */
    const struct recital_id *self;         /* a broker's own identity; NULL for others */
};

/* The client's state of one exchange. */
struct recital_client {
    const struct poem *poem;
    bool asked;      /* the request has a "poem" object … */
    bool challenged; /* … with a challenge */
    bool is_broker;
    struct recital_id self;
    uint8_t challenge[RECITAL_RANDOM_SIZE];
    uint8_t binding[RECITAL_BINDING_SIZE];
};

/* The content of a reply. */
struct recital_reply {
    bool speaks;                            /* it has a "poem" object */
    bool refrain;                           /* a plain string instead (section 5): no recital */
    char licence[RECITAL_LICENCE_MAX + 1];  /* the licence of a valid recital, or "" */
    char declared[RECITAL_LICENCE_MAX + 1]; /* the value of "licence", or "" */
    struct recital_via via;
};

/*
 * Begins an exchange: adds "poem", and "licence" if given, to the capabilities of a request that is
 * about to be sent with these version numbers. Returns RECITAL_OK; RECITAL_LOOP if self is in
 * through; RECITAL_TOO_MANY if through is full; RECITAL_MALFORMED if a licence is invalid, or
 * missing for a recital; or RECITAL_NO_MEMORY.
 */
enum recital_outcome recital_client_ask(struct recital_client *c, const struct recital_ask *ask,
                                        struct wire_version number, json_t *capabilities)
    __attribute__((warn_unused_result));

/* Begins an exchange with a request without a "poem" object, so that its reply can be judged. */
void recital_client_silent(struct recital_client *c);

/*
 * Records the whole request message as sent, including its header. Returns RECITAL_OK or
 * _NO_MEMORY.
 */
enum recital_outcome recital_client_sent(struct recital_client *c, const void *message, size_t n)
    __attribute__((warn_unused_result));

/*
 * Judges a reply's capabilities (may be NULL). Returns RECITAL_OK for a valid recital, with its
 * licence in *out; RECITAL_MISSING for a well-formed reply without a recital, even if none was
 * demanded. For any other outcome only declared, speaks and refrain are set, as far as they were
 * read.
 */
enum recital_outcome recital_client_judge(const struct recital_client *c,
                                          const json_t *capabilities, struct recital_reply *out)
    __attribute__((warn_unused_result));

/* ---- the server's role: reads the request, replies ---- */

/* The content of a client's request. */
struct recital_request {
    bool speaks; /* it has a "poem" object: the reply may have one, and RECITAL_REPLY_SIZE_MAX bytes
                  */
    bool challenged; /* the "poem" object demands a recital */
    bool with;       /* the client accepts licences with an exception (section 6) */
    uint8_t challenge[RECITAL_RANDOM_SIZE];
    uint8_t binding[RECITAL_BINDING_SIZE];
    enum recital_outcome recital; /* of the client's own recital: RECITAL_MISSING if there is none,
                                     _OK, _WRONG_DIGEST, _OTHER_POEM, _WRONG_PROOF */
    char licence[RECITAL_LICENCE_MAX + 1];  /* the licence of a valid recital, or "" */
    char declared[RECITAL_LICENCE_MAX + 1]; /* the value of "licence", or "" */
    struct recital_through through;
};

/*
 * Reads a request: the whole message as received, n bytes with its header, and the capabilities of
 * its JSON (may be NULL). self is a broker's identity, to detect loops, or NULL. Returns RECITAL_OK
 * for a well-formed request, with *out set; the caller's rules then judge out->recital. For any
 * other outcome the request is refused.
 */
enum recital_outcome recital_request_read(struct recital_request *out, const struct poem *poem,
                                          const void *message, size_t n, const json_t *capabilities,
                                          const struct recital_id *self)
    __attribute__((warn_unused_result));

/* The content of a reply. */
struct recital_answer {
    const struct poem *poem;
    bool recite;                   /* if challenged, under licence */
    const char *licence;           /* our own declaration; may be NULL */
    const struct recital_via *via; /* NULL unless we are a broker */
};

/*
 * Adds the requested members to a reply's capabilities: "poem" with the recital and "via", and
 * "licence". For a client that does not accept exceptions, licences are written without one that
 * only permits OpenSSL. Adds nothing if the request had no "poem" object: such a client may lack
 * the room. Returns RECITAL_OK; RECITAL_MALFORMED if a licence is invalid, or missing for a
 * recital; or RECITAL_NO_MEMORY. The caller checks whether the message exceeds its limit.
 */
enum recital_outcome recital_reply_add(const struct recital_request *asked,
                                       const struct recital_answer *answer, json_t *capabilities)
    __attribute__((warn_unused_result));

/*
 * Makes a broker's "via": its own entry, followed by that of the server behind it if its recital
 * was valid. judged is the result of recital_client_judge for that server's reply. Returns
 * RECITAL_OK, _LOOP or _TOO_MANY.
 */
enum recital_outcome recital_via_make(struct recital_via *out, const struct recital_id *self,
                                      enum recital_outcome judged,
                                      const struct recital_reply *behind)
    __attribute__((warn_unused_result));

/* ---- section 5: the refrain, for a client that does not know poems ---- */

enum recital_fit {
    RECITAL_FITS,           /* the refrain is in the reply */
    RECITAL_FITS_NOT,       /* it is not; the reply fits without it */
    RECITAL_FITS_NOTHING,   /* the reply does not fit even without it, and is unchanged */
    RECITAL_FITS_NO_MEMORY, /* the reply may have been changed in part */
};

/*
 * Adds the refrain to a reply's JSON object, so that the output of json_write has at most room
 * bytes, including the NUL. If necessary, removes capabilities that have the specification's
 * default value: as few as possible, and among those sets the shortest; it also does so to make a
 * reply without the refrain fit. refrain is NULL or "" if the reply only has to be made to fit.
 */
enum recital_fit recital_fit(json_t *reply, size_t room, const char *refrain)
    __attribute__((warn_unused_result));

#endif
