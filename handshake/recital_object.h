/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Shared by the two roles of a recital. Only for recital*.c; other files use recital.h. */
#ifndef POEMD_HANDSHAKE_RECITAL_OBJECT_H
#define POEMD_HANDSHAKE_RECITAL_OBJECT_H

#include "handshake/recital.h"

/* Section 1 of PROTOCOL.poem: the implemented version. */
#define RECITAL_V 1

/*
 * The reciting party, which determines the label of the proof, and whether the recital has a nonce.
 */
enum recital_role { RECITAL_BY_SERVER, RECITAL_BY_CLIENT };

/* Reads a JSON string of 2 * n lower-case hexadecimal digits. Returns false for any other value. */
bool recital_get_hex(const json_t *value, uint8_t *out, size_t n)
    __attribute__((warn_unused_result));

/* Returns a new JSON string of n bytes in hexadecimal, n <= 32, or NULL if out of memory. */
json_t *recital_new_hex(const uint8_t *p, size_t n) __attribute__((warn_unused_result));

/* Reads a licence expression; for a NULL value out is "". Returns false if it is malformed. */
bool recital_get_licence(const json_t *value, char out[RECITAL_LICENCE_MAX + 1])
    __attribute__((warn_unused_result));

/* Checks the "v" of a "poem" object. Returns RECITAL_OK, _MALFORMED or _OTHER_VERSION. */
enum recital_outcome recital_check_version(const json_t *poem) __attribute__((warn_unused_result));

/* Checks a list of hops, or NULL, which is an empty one. RECITAL_OK, _MALFORMED or _TOO_MANY. */
enum recital_outcome recital_check_list(const json_t *list) __attribute__((warn_unused_result));

/* Returns whether the identity is one of the n at ids. */
bool recital_id_among(const struct recital_id *id, const struct recital_id *ids, unsigned n);

/* Computes SHA-256 of n bytes. Returns false if out of memory. */
bool recital_sha256(const void *p, size_t n, uint8_t out[POEM_DIGEST_SIZE])
    __attribute__((warn_unused_result));

/*
 * Returns a new recital (section 6), or NULL if out of memory. random is the challenge, or the
 * client's nonce.
 */
json_t *recital_new(enum recital_role role, const struct poem *poem, const uint8_t *random,
                    const uint8_t *binding, const char *licence)
    __attribute__((warn_unused_result));

/*
 * Judges a recital against the poem. random is the server's challenge; a client's own nonce is read
 * from the recital. licence is set for a valid recital, and "" otherwise. Returns RECITAL_OK,
 * _MALFORMED, _WRONG_DIGEST, _OTHER_POEM, _WRONG_PROOF or _NO_MEMORY.
 */
enum recital_outcome recital_judge(enum recital_role role, const json_t *recital,
                                   const struct poem *poem, const uint8_t *random,
                                   const uint8_t *binding, char licence[RECITAL_LICENCE_MAX + 1])
    __attribute__((warn_unused_result));

#endif
