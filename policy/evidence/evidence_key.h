/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Keys that sign statements: Ed25519, whose signatures are 64 bytes, and ECDSA over P-256 with
 * SHA-256, whose signatures are ASN.1 DER, as cosign and securesystemslib write them. The raw form
 * r || s of the DSSE specification's example is not accepted.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_KEY_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_KEY_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the DER of a SubjectPublicKeyInfo: Ed25519 takes 44, P-256 91. */
#define EVIDENCE_KEY_DER_MAX 96u

/* Bytes of a key's fingerprint: the SHA-256 of its SubjectPublicKeyInfo in DER. */
#define EVIDENCE_KEY_FINGERPRINT_SIZE 32u

/* Bytes of the longest signature: ECDSA over P-256 in DER. */
#define EVIDENCE_KEY_SIGNATURE_MAX 72u

/* A public key, as a plain value: it is sent to the inspector's process. */
struct evidence_key {
    uint32_t n; /* bytes in der */
    uint8_t der[EVIDENCE_KEY_DER_MAX];
    uint8_t fingerprint[EVIDENCE_KEY_FINGERPRINT_SIZE];
};

/* Takes the public half of a key. Returns 0, or -EINVAL if the key is of another kind. */
int evidence_key_init(struct evidence_key *k, EVP_PKEY *key) __attribute__((warn_unused_result));

/* Returns true if the n bytes at signature are one by the key over the message. */
bool evidence_key_verify(const struct evidence_key *k, const uint8_t *signature, size_t n,
                         const void *message, size_t message_size)
    __attribute__((warn_unused_result));

/*
 * Signs a message with a private key. Returns the bytes written to out, or 0 if out of memory or if
 * the key is of another kind or has no private half.
 */
size_t evidence_key_sign(EVP_PKEY *key, const void *message, size_t message_size,
                         uint8_t out[EVIDENCE_KEY_SIGNATURE_MAX])
    __attribute__((warn_unused_result));

#endif
