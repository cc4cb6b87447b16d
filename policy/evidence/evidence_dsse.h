/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Signed evidence: a DSSE envelope (version 1) with an in-toto statement (evidence_statement.h)
 * that binds the SHA-256 of executables to licences.
 *
 *   envelope   {"payloadType": "application/vnd.in-toto+json", "payload": BASE64,
 *               "signatures": [{"keyid": ANY, "sig": BASE64}, …]}
 *
 * Members not named here are ignored, as the format requires; duplicate members are rejected. One
 * valid signature by a trusted key is enough: signatures by other keys and of other kinds, such as
 * RSA, may stand beside it. Key ids are only hints, and ignored. No part of the payload is parsed
 * before a signature over it has been verified.
 *
 * Pure, except that JSON and libcrypto allocate memory.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_DSSE_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_DSSE_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/evidence/evidence_claim.h"
#include "policy/evidence/evidence_key.h"
#include "policy/evidence/evidence_pae.h"

/*
 * Bytes of an envelope. Bills of materials of one executable have some 100 KiB. The bound is for
 * the inspector's start, at which all envelopes are read.
 */
#define EVIDENCE_DSSE_MAX (1u << 20)
#define EVIDENCE_DSSE_SIGNATURES 16u
#define EVIDENCE_DSSE_KEYS 16u

/* Returns the static text of an outcome, for messages. */
const char *evidence_dsse_text(enum evidence_dsse o);

/* Reads n bytes at p. There are n_keys, at most EVIDENCE_DSSE_KEYS. */
enum evidence_dsse evidence_dsse_read(struct evidence_claim *out, const void *p, size_t n,
                                      const struct evidence_key *keys, size_t n_keys)
    __attribute__((warn_unused_result));

/* The statement that an envelope is made of. All borrowed. */
struct evidence_dsse_plan {
    const char *name;      /* of the subject; plain text, as the licence is */
    const uint8_t *sha256; /* of the subject; EVIDENCE_SHA256_SIZE bytes */
    const char *licence;
    uint32_t issued; /* days (base/text/date.h); 0: without */
    uint32_t expires;
};

/*
 * Makes an envelope for one subject, signed with a private key. Returns a NUL-terminated text to be
 * freed, or NULL if out of memory or if the key is of another kind. The key id is the key's
 * fingerprint (evidence_key.h) in hexadecimal.
 */
char *evidence_dsse_make(EVP_PKEY *key, const struct evidence_dsse_plan *plan)
    __attribute__((warn_unused_result));

/* Does the same around any statement, a NUL-terminated JSON text. */
char *evidence_dsse_make_of(EVP_PKEY *key, const char *statement)
    __attribute__((warn_unused_result));

#endif
