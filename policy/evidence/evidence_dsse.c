/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Reads DSSE envelopes in this order: the envelope's shape, its signatures over the raw bytes of
 * the payload, and only then the payload's JSON.
 */
#include "policy/evidence/evidence_dsse.h"

#include <jansson.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <string.h>

#include "base/text/base64.h"
#include "policy/evidence/evidence_statement.h"

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
        [EVIDENCE_DSSE_NO_STATEMENT] =
            "its payload is not an in-toto statement of version 0.1 or 1",
        [EVIDENCE_DSSE_OTHER_CLAIM] = "its statement is not about a licence",
        [EVIDENCE_DSSE_NO_LICENCE] = "its statement has no licence in plain text",
        [EVIDENCE_DSSE_NO_SUBJECT] = "its statement names no SHA-256",
        [EVIDENCE_DSSE_BAD_DATE] = "a date of its statement is not a day, YYYY-MM-DD",
        [EVIDENCE_DSSE_NO_DOCUMENT] =
            "its predicate is not an SPDX 2 or CycloneDX 1 document in JSON",
        [EVIDENCE_DSSE_NO_ELEMENT] =
            "no package, file or component of its document has this file's SHA-256",
        [EVIDENCE_DSSE_OTHER_ELEMENT] = "its document describes a file with another SHA-256",
        [EVIDENCE_DSSE_SEVERAL] =
            "its document has several elements with this file's SHA-256 and different licences",
        [EVIDENCE_DSSE_NO_ASSERTION] = "its document asserts no licence of this file",
        [EVIDENCE_DSSE_NAMED_LICENCE] =
            "its document has a name for the licence, not an SPDX identifier or expression",
        [EVIDENCE_DSSE_SEVERAL_LICENCES] =
            "its document lists several licences without an expression that joins them",
        [EVIDENCE_DSSE_NO_MEMORY] = "out of memory",
    };

    return (size_t)o < sizeof texts / sizeof *texts ? texts[o] : "?";
}

/* ---- signatures ---- */

/*
 * Reads a signature. *n is 0 if it is too long for any key that is accepted: it was made with a key
 * of another kind, perhaps by another signer.
 */
static enum evidence_dsse evidence_dsse_signature(const json_t *sig,
                                                  uint8_t out[EVIDENCE_KEY_SIGNATURE_MAX],
                                                  size_t *n)
{
    const size_t length = json_string_length(sig);

    *n = 0;
    if (!json_is_string(sig)) {
        return EVIDENCE_DSSE_NO_ENVELOPE;
    }
    if (length > BASE64_SIZE((size_t)EVIDENCE_KEY_SIGNATURE_MAX)) {
        return EVIDENCE_DSSE_UNTRUSTED;
    }
    return base64_read_any(json_string_value(sig), length, out, EVIDENCE_KEY_SIGNATURE_MAX, n)
               ? EVIDENCE_DSSE_UNTRUSTED
               : EVIDENCE_DSSE_BAD_BASE64;
}

/* A signature that cannot be read or checked does no harm beside a good one. */
static enum evidence_dsse evidence_dsse_check_signatures(const json_t *signatures,
                                                         const struct evidence_pae *pae,
                                                         const struct evidence_key *keys,
                                                         size_t n_keys, uint32_t *signers)
{
    enum evidence_dsse worst = EVIDENCE_DSSE_UNTRUSTED;

    *signers = 0;
    if (json_array_size(signatures) > EVIDENCE_DSSE_SIGNATURES) {
        return EVIDENCE_DSSE_TOO_MANY;
    }
    for (size_t i = 0; i < json_array_size(signatures); i++) {
        const json_t *sig = json_object_get(json_array_get(signatures, i), "sig");
        uint8_t bytes[EVIDENCE_KEY_SIGNATURE_MAX];
        size_t n;
        const enum evidence_dsse o = evidence_dsse_signature(sig, bytes, &n);

        if (o != EVIDENCE_DSSE_UNTRUSTED) {
            worst = o;
            continue;
        }
        for (size_t k = 0; n > 0 && k < n_keys; k++) {
            if (evidence_key_verify(&keys[k], bytes, n, pae->bytes, pae->n)) {
                *signers |= 1u << k;
            }
        }
    }
    return *signers ? EVIDENCE_DSSE_OK : worst;
}

/* ---- the envelope ---- */

static enum evidence_dsse evidence_dsse_read_envelope(struct evidence_claim *out,
                                                      const json_t *envelope,
                                                      const struct evidence_key *keys,
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
    if (strcmp(json_string_value(type), EVIDENCE_DSSE_PAYLOAD_TYPE) != 0) {
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
        o = evidence_statement_read(out, pae.payload, pae.payload_size);
    }
    evidence_pae_deinit(&pae);
    return o;
}

enum evidence_dsse evidence_dsse_read(struct evidence_claim *out, const void *p, size_t n,
                                      const struct evidence_key *keys, size_t n_keys)
{
    enum evidence_dsse o;
    json_t *envelope;

    out->signers = 0;
    out->n_subjects = 0;
    if (n > EVIDENCE_DSSE_MAX) {
        return EVIDENCE_DSSE_TOO_LONG;
    }
    SHA256(p, n, out->envelope);
    envelope = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
    o = json_is_object(envelope) ? evidence_dsse_read_envelope(out, envelope, keys, n_keys)
                                 : EVIDENCE_DSSE_NO_ENVELOPE;
    json_decref(envelope);
    return o;
}
