/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Makes DSSE envelopes for poemctl attest; the daemon never does. */
#include <jansson.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "policy/evidence/evidence_dsse.h"
#include "policy/evidence/evidence_pae.h"

#include "base/base64.h"

static int evidence_dsse_keyid(EVP_PKEY *key, char out[EVIDENCE_DSSE_KEYID_SIZE])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    unsigned char *der = NULL;
    const int n = i2d_PUBKEY(key, &der);

    if (n <= 0) {
        return -1;
    }
    SHA256(der, (size_t)n, digest);
    OPENSSL_free(der);
    hex_text(digest, sizeof digest, out);
    return 0;
}

static char *evidence_dsse_make_statement_make(const char *name, const uint8_t *sha256,
                                               const char *licence)
{
    char digest[2 * EVIDENCE_DSSE_SHA256_SIZE + 1];
    json_t *statement;
    char *text;

    hex_text(sha256, EVIDENCE_DSSE_SHA256_SIZE, digest);
    statement =
        json_pack("{s:s, s:[{s:s, s:{s:s}}], s:s, s:{s:s}}", "_type", EVIDENCE_DSSE_STATEMENT,
                  "subject", "name", name, "digest", "sha256", digest, "predicateType",
                  EVIDENCE_DSSE_PREDICATE, "predicate", "licence", licence);
    text = statement ? json_dumps(statement, JSON_COMPACT) : NULL;
    json_decref(statement);
    return text;
}

/* Signs the encoding of the payload with Ed25519, 64 bytes to out. Returns 0 or -1. */
static int evidence_dsse_make_sign(EVP_PKEY *key, const char *payload, uint8_t out[64])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct evidence_pae pae;
    size_t n = 64;
    int r = -1;

    if (ctx && evidence_pae_init(&pae, payload, strlen(payload)) == EVIDENCE_PAE_OK) {
        if (EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
            EVP_DigestSign(ctx, out, &n, pae.bytes, pae.n) == 1 && n == 64) {
            r = 0;
        }
        evidence_pae_deinit(&pae);
    }
    EVP_MD_CTX_free(ctx);
    return r;
}

static char *evidence_dsse_make_envelope_make(const char *payload, const uint8_t signature[64],
                                              const char *keyid)
{
    const size_t n = strlen(payload);
    char sig[BASE64_SIZE(64) + 1];
    char *base64 = malloc(BASE64_SIZE(n) + 1);
    json_t *envelope = NULL;
    char *text = NULL;

    if (base64) {
        base64_write(payload, n, base64);
        base64_write(signature, 64, sig);
        envelope =
            json_pack("{s:s, s:s, s:[{s:s, s:s}]}", "payloadType", EVIDENCE_DSSE_PAYLOAD_TYPE,
                      "payload", base64, "signatures", "keyid", keyid, "sig", sig);
    }
    if (envelope) {
        text = json_dumps(envelope, JSON_COMPACT);
    }
    json_decref(envelope);
    free(base64);
    return text;
}

char *evidence_dsse_make(EVP_PKEY *key, const char *name,
                         const uint8_t sha256[EVIDENCE_DSSE_SHA256_SIZE], const char *licence)
{
    char keyid[EVIDENCE_DSSE_KEYID_SIZE];
    uint8_t signature[64];
    char *envelope = NULL;
    char *payload;

    if (EVP_PKEY_get_id(key) != EVP_PKEY_ED25519 || evidence_dsse_keyid(key, keyid) < 0) {
        return NULL;
    }
    payload = evidence_dsse_make_statement_make(name, sha256, licence);
    if (payload && evidence_dsse_make_sign(key, payload, signature) == 0) {
        envelope = evidence_dsse_make_envelope_make(payload, signature, keyid);
    }
    free(payload);
    return envelope;
}
