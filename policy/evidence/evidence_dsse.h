/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Signed evidence: a DSSE envelope (version 1) with an in-toto statement (version 1) that binds the
 * SHA-256 of executables to an SPDX expression, signed with Ed25519.
 *
 *   envelope   {"payloadType": "application/vnd.in-toto+json", "payload": BASE64,
 *               "signatures": [{"keyid": ANY, "sig": BASE64}, …]}
 *   payload    {"_type": "https://in-toto.io/Statement/v1",
 *               "subject": [{"name": ANY, "digest": {"sha256": HEX}}, …],
 *               "predicateType": EVIDENCE_DSSE_PREDICATE, "predicate": {"licence": EXPRESSION}}
 *
 * Members not named here are ignored, as both formats require; duplicate members are rejected. One
 * valid signature by a trusted key is enough; key ids are only hints, and ignored. No part of the
 * payload is parsed before a signature over it has been verified.
 *
 * Pure, except that JSON and libcrypto allocate memory.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_DSSE_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_DSSE_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/evidence/evidence.h"

#include "policy/evidence/evidence_pae.h"

#define EVIDENCE_DSSE_STATEMENT "https://in-toto.io/Statement/v1"
#define EVIDENCE_DSSE_PREDICATE "urn:poemd:licence:1"

#define EVIDENCE_DSSE_MAX 65536u /* bytes of an envelope */
#define EVIDENCE_DSSE_SUBJECTS 64u
#define EVIDENCE_DSSE_SIGNATURES 8u
#define EVIDENCE_DSSE_KEYS 16u
#define EVIDENCE_DSSE_KEY_SIZE 32u
#define EVIDENCE_DSSE_SHA256_SIZE 32u

enum evidence_dsse {
    EVIDENCE_DSSE_OK,
    EVIDENCE_DSSE_TOO_LONG,     /* longer than EVIDENCE_DSSE_MAX */
    EVIDENCE_DSSE_NO_ENVELOPE,  /* not JSON, or without the members of an envelope */
    EVIDENCE_DSSE_OTHER_TYPE,   /* another payloadType */
    EVIDENCE_DSSE_BAD_BASE64,   /* in the payload or a signature */
    EVIDENCE_DSSE_TOO_MANY,     /* signatures or subjects */
    EVIDENCE_DSSE_UNTRUSTED,    /* no valid signature by a trusted key */
    EVIDENCE_DSSE_NO_STATEMENT, /* the payload is not an in-toto statement of version 1 */
    EVIDENCE_DSSE_OTHER_CLAIM,  /* a statement, but not about a licence */
    EVIDENCE_DSSE_NO_LICENCE,   /* the predicate has no licence in plain text */
    EVIDENCE_DSSE_NO_SUBJECT,   /* no subject has a SHA-256 */
    EVIDENCE_DSSE_NO_MEMORY,
};

/* Returns the static text of an outcome, for messages. */
const char *evidence_dsse_text(enum evidence_dsse o);

/* The claim of an envelope with a valid signature. */
struct evidence_claim {
    char licence[EVIDENCE_LICENCE_SIZE];
    uint32_t signers; /* bit i is set if keys[i] signed it; at least one is */
    uint32_t n_subjects;
    uint8_t subjects[EVIDENCE_DSSE_SUBJECTS][EVIDENCE_DSSE_SHA256_SIZE];
};

/* Reads n bytes at p. keys contains n_keys (at most EVIDENCE_DSSE_KEYS) raw public keys. */
enum evidence_dsse evidence_dsse_read(struct evidence_claim *out, const void *p, size_t n,
                                      const uint8_t (*keys)[EVIDENCE_DSSE_KEY_SIZE], size_t n_keys)
    __attribute__((warn_unused_result));

/*
 * Makes an envelope for one subject, signed with an Ed25519 private key. licence and name are plain
 * text. Returns a NUL-terminated text to be freed, or NULL if out of memory or if the key is of
 * another kind.
 */
char *evidence_dsse_make(EVP_PKEY *key, const char *name,
                         const uint8_t sha256[EVIDENCE_DSSE_SHA256_SIZE], const char *licence)
    __attribute__((warn_unused_result));

/* The key id that evidence_dsse_make writes: SHA-256 of the public key's DER, in hexadecimal. */
#define EVIDENCE_DSSE_KEYID_SIZE 65u

#endif
