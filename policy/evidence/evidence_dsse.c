/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Reads DSSE envelopes in this order: the envelope's shape, its signatures over the raw bytes of
 * the payload, and only then the payload's JSON.
 */
#include "policy/evidence/evidence_dsse.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/hex.h"
#include "policy/evidence/evidence_pae.h"

#define SIGNATURE_SIZE 64u

const char *evidence_dsse_text(enum evidence_dsse o)
{
    static const char *const texts[] = {
        [EVIDENCE_DSSE_OK] = "good",
        [EVIDENCE_DSSE_TOO_LONG] = "it is too long",
        [EVIDENCE_DSSE_NO_ENVELOPE] = "it is not a DSSE envelope",
        [EVIDENCE_DSSE_OTHER_TYPE] = "its payloadType is not in-toto's",
        [EVIDENCE_DSSE_BAD_BASE64] = "its base64 is malformed",
        [EVIDENCE_DSSE_TOO_MANY] = "it has too many signatures or subjects",
        [EVIDENCE_DSSE_UNTRUSTED] = "it has no valid signature by a trusted key",
        [EVIDENCE_DSSE_NO_STATEMENT] = "its payload is not an in-toto statement of version 1",
        [EVIDENCE_DSSE_OTHER_CLAIM] = "its statement is not about a licence",
        [EVIDENCE_DSSE_NO_LICENCE] = "its statement has no licence in plain text",
        [EVIDENCE_DSSE_NO_SUBJECT] = "its statement names no SHA-256",
        [EVIDENCE_DSSE_NO_MEMORY] = "out of memory",
    };

    return (size_t)o < sizeof texts / sizeof *texts ? texts[o] : "?";
}

/* ---- signatures ---- */

static bool evidence_dsse_signed_by(const uint8_t key[EVIDENCE_DSSE_KEY_SIZE],
                                    const uint8_t *signature, const struct evidence_pae *pae)
{
    EVP_PKEY *pkey =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, EVIDENCE_DSSE_KEY_SIZE);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const bool good = pkey && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
                      EVP_DigestVerify(ctx, signature, SIGNATURE_SIZE, pae->bytes, pae->n) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return good;
}

static enum evidence_dsse evidence_dsse_check_signatures(
    const json_t *signatures, const struct evidence_pae *pae,
    const uint8_t (*keys)[EVIDENCE_DSSE_KEY_SIZE], size_t n_keys, uint32_t *signers)
{
    *signers = 0;
    if (json_array_size(signatures) > EVIDENCE_DSSE_SIGNATURES) {
        return EVIDENCE_DSSE_TOO_MANY;
    }
    for (size_t i = 0; i < json_array_size(signatures); i++) {
        const json_t *sig = json_object_get(json_array_get(signatures, i), "sig");
        uint8_t bytes[SIGNATURE_SIZE];
        size_t n;

        if (!json_is_string(sig)) {
            return EVIDENCE_DSSE_NO_ENVELOPE;
        }
        if (!base64_read_any(json_string_value(sig), json_string_length(sig), bytes, sizeof bytes,
                             &n)) {
            return EVIDENCE_DSSE_BAD_BASE64;
        }
        /*
         * A signature of another length was made with another kind of key, perhaps by another
         * signer.
         */
        for (size_t k = 0; n == SIGNATURE_SIZE && k < n_keys; k++) {
            if (evidence_dsse_signed_by(keys[k], bytes, pae)) {
                *signers |= 1u << k;
            }
        }
    }
    return *signers ? EVIDENCE_DSSE_OK : EVIDENCE_DSSE_UNTRUSTED;
}

/* ---- the statement ---- */

static bool evidence_dsse_is_text(const json_t *value, const char *want)
{
    const char *text = json_string_value(value);

    return text && strcmp(text, want) == 0;
}

static enum evidence_dsse evidence_dsse_read_subjects(struct evidence_claim *out,
                                                      const json_t *subjects)
{
    if (!json_is_array(subjects)) {
        return EVIDENCE_DSSE_NO_STATEMENT;
    }
    if (json_array_size(subjects) > EVIDENCE_DSSE_SUBJECTS) {
        return EVIDENCE_DSSE_TOO_MANY;
    }
    for (size_t i = 0; i < json_array_size(subjects); i++) {
        const json_t *digest = json_object_get(json_array_get(subjects, i), "digest");
        const json_t *sha256 = json_object_get(digest, "sha256");

        if (json_string_length(sha256) == 2 * (size_t)EVIDENCE_DSSE_SHA256_SIZE &&
            hex_read(json_string_value(sha256), out->subjects[out->n_subjects],
                     EVIDENCE_DSSE_SHA256_SIZE)) {
            out->n_subjects++;
        }
    }
    return out->n_subjects > 0 ? EVIDENCE_DSSE_OK : EVIDENCE_DSSE_NO_SUBJECT;
}

static enum evidence_dsse evidence_dsse_read_licence(struct evidence_claim *out,
                                                     const json_t *predicate)
{
    const json_t *licence = json_object_get(predicate, "licence");
    const size_t n = json_string_length(licence);

    if (n == 0 || n >= sizeof out->licence) {
        return EVIDENCE_DSSE_NO_LICENCE;
    }
    memcpy(out->licence, json_string_value(licence), n + 1);
    for (size_t i = 0; i < n; i++) {
        if (out->licence[i] < 0x20 || out->licence[i] > 0x7e) {
            return EVIDENCE_DSSE_NO_LICENCE;
        }
    }
    return EVIDENCE_DSSE_OK;
}

static enum evidence_dsse evidence_dsse_read_statement(struct evidence_claim *out, const uint8_t *p,
                                                       size_t n)
{
    json_t *statement = json_loadb((const char *)p, n, JSON_REJECT_DUPLICATES, NULL);
    enum evidence_dsse o;

    if (!evidence_dsse_is_text(json_object_get(statement, "_type"), EVIDENCE_DSSE_STATEMENT)) {
        o = EVIDENCE_DSSE_NO_STATEMENT;
    } else if (!evidence_dsse_is_text(json_object_get(statement, "predicateType"),
                                      EVIDENCE_DSSE_PREDICATE)) {
        o = EVIDENCE_DSSE_OTHER_CLAIM;
    } else {
        o = evidence_dsse_read_subjects(out, json_object_get(statement, "subject"));
        if (o == EVIDENCE_DSSE_OK) {
            o = evidence_dsse_read_licence(out, json_object_get(statement, "predicate"));
        }
    }
    json_decref(statement);
    return o;
}

/* ---- the envelope ---- */

static enum evidence_dsse evidence_dsse_read_envelope(struct evidence_claim *out,
                                                      const json_t *envelope,
                                                      const uint8_t (*keys)[EVIDENCE_DSSE_KEY_SIZE],
                                                      size_t n_keys)
{
    const json_t *payload = json_object_get(envelope, "payload");
    const json_t *signatures = json_object_get(envelope, "signatures");
    const json_t *type = json_object_get(envelope, "payloadType");
    struct evidence_pae pae;
    enum evidence_dsse o;

    if (!json_is_string(payload) || !json_is_array(signatures) || !json_is_string(type)) {
        return EVIDENCE_DSSE_NO_ENVELOPE;
    }
    if (!evidence_dsse_is_text(type, EVIDENCE_DSSE_PAYLOAD_TYPE)) {
        return EVIDENCE_DSSE_OTHER_TYPE;
    }
    switch (evidence_pae_decode(&pae, json_string_value(payload), json_string_length(payload))) {
    case EVIDENCE_PAE_OK:
        break;
    case EVIDENCE_PAE_BAD_BASE64:
        return EVIDENCE_DSSE_BAD_BASE64;
    default:
        return EVIDENCE_DSSE_NO_MEMORY;
    }
    o = evidence_dsse_check_signatures(signatures, &pae, keys, n_keys, &out->signers);
    if (o == EVIDENCE_DSSE_OK) {
        o = evidence_dsse_read_statement(out, pae.payload, pae.payload_size);
    }
    evidence_pae_deinit(&pae);
    return o;
}

enum evidence_dsse evidence_dsse_read(struct evidence_claim *out, const void *p, size_t n,
                                      const uint8_t (*keys)[EVIDENCE_DSSE_KEY_SIZE], size_t n_keys)
{
    enum evidence_dsse o;
    json_t *envelope;

    memset(out, 0, sizeof *out);
    if (n > EVIDENCE_DSSE_MAX) {
        return EVIDENCE_DSSE_TOO_LONG;
    }
    envelope = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
    o = json_is_object(envelope) ? evidence_dsse_read_envelope(out, envelope, keys, n_keys)
                                 : EVIDENCE_DSSE_NO_ENVELOPE;
    json_decref(envelope);
    return o;
}
