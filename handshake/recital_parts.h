/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the two roles of a recital share. For recital*.c alone; others use recital.h.
 */
#ifndef POEMD_HANDSHAKE_RECITAL_PARTS_H
#define POEMD_HANDSHAKE_RECITAL_PARTS_H

#include "handshake/recital.h"

/* Section 1 of the page: the version that this is. */
#define RECITAL_V 1

/* Who recites: the label of the proof, and whether the recital names a nonce. */
enum recital_role { RECITAL_BY_SERVER, RECITAL_BY_CLIENT };

/* Reads a JSON string of 2 * n lower-case hexadecimal digits. False: it is not one. */
bool recital_get_hex(const json_t *value, uint8_t *out, size_t n)
    __attribute__((warn_unused_result));

/* A new JSON string of n bytes in hexadecimal, n <= 32; NULL without memory. */
json_t *recital_new_hex(const uint8_t *p, size_t n) __attribute__((warn_unused_result));

/* Reads a licence expression; a NULL value is none (out is empty then). False: malformed. */
bool recital_get_licence(const json_t *value, char out[RECITAL_LICENCE_MAX + 1])
    __attribute__((warn_unused_result));

/* Checks a "poem" object's "v". RECITAL_OK, _MALFORMED, _OTHER_VERSION. */
enum recital_outcome recital_check_version(const json_t *poem) __attribute__((warn_unused_result));

/* Whether the identity is one of the n at ids. */
bool recital_id_among(const struct recital_id *id, const struct recital_id *ids, unsigned n);

/* SHA-256 of n bytes. False without memory. */
bool recital_sha256(const void *p, size_t n, uint8_t out[POEM_DIGEST_SIZE])
    __attribute__((warn_unused_result));

/*
 * A new recital (section 6), or NULL without memory. random is the challenge, or the client's
 * nonce.
 */
json_t *recital_new(enum recital_role role, const struct poem *poem, const uint8_t *random,
                    const uint8_t *binding, const char *licence)
    __attribute__((warn_unused_result));

/*
 * Judges a recital against the poem. random: the server's challenge; a client's own nonce is read
 * from it. licence is filled where it is valid, and empty otherwise. RECITAL_OK, _MALFORMED,
 * _WRONG_DIGEST, _OTHER_POEM, _WRONG_PROOF, _NO_MEMORY.
 */
enum recital_outcome recital_judge(enum recital_role role, const json_t *recital,
                                   const struct poem *poem, const uint8_t *random,
                                   const uint8_t *binding, char licence[RECITAL_LICENCE_MAX + 1])
    __attribute__((warn_unused_result));

#endif
