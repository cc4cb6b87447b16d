/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Makes DSSE envelopes for poemctl; the daemon never does. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/base64.h"
#include "base/text/date.h"
#include "base/text/hex.h"
#include "base/members.h"
#include "policy/evidence/evidence_dsse.h"
#include "policy/evidence/evidence_statement.h"

static json_t *evidence_dsse_make_day(uint32_t date)
{
    char text[DATE_SIZE];

    return date ? json_string(date_text(date, text)) : &members_omitted;
}

static char *evidence_dsse_make_statement(const struct evidence_dsse_plan *plan)
{
    const struct member predicate[] = {{"licence", json_string(plan->licence)},
                                       {"issued", evidence_dsse_make_day(plan->issued)},
                                       {"expires", evidence_dsse_make_day(plan->expires)},
                                       {NULL, NULL}};
    char digest[2 * EVIDENCE_SHA256_SIZE + 1];
    json_t *statement;
    char *text;

    hex_text(plan->sha256, EVIDENCE_SHA256_SIZE, digest);
    statement =
        json_pack("{s:s, s:[{s:s, s:{s:s}}], s:s, s:o}", "_type", EVIDENCE_STATEMENT_TYPE,
                  "subject", "name", plan->name, "digest", "sha256", digest, "predicateType",
                  EVIDENCE_STATEMENT_PREDICATE, "predicate", members_object(predicate));
    text = statement ? json_dumps(statement, JSON_COMPACT) : NULL;
    json_decref(statement);
    return text;
}

static char *evidence_dsse_make_envelope(const char *payload, const uint8_t *signature,
                                         size_t signature_size, const char *keyid)
{
    const size_t n = strlen(payload);
    char sig[BASE64_SIZE(EVIDENCE_KEY_SIGNATURE_MAX) + 1];
    char *base64 = malloc(BASE64_SIZE(n) + 1);
    json_t *envelope = NULL;
    char *text = NULL;

    if (base64) {
        base64_write(payload, n, base64);
        base64_write(signature, signature_size, sig);
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

char *evidence_dsse_make_of(EVP_PKEY *key, const char *statement)
{
    char keyid[2 * EVIDENCE_KEY_FINGERPRINT_SIZE + 1];
    uint8_t signature[EVIDENCE_KEY_SIGNATURE_MAX];
    struct evidence_key public;
    struct evidence_pae pae;
    size_t n;

    if (evidence_key_init(&public, key) < 0 ||
        evidence_pae_init(&pae, statement, strlen(statement)) != EVIDENCE_PAE_OK) {
        return NULL;
    }
    n = evidence_key_sign(key, pae.bytes, pae.n, signature);
    evidence_pae_deinit(&pae);
    hex_text(public.fingerprint, sizeof public.fingerprint, keyid);
    return n > 0 ? evidence_dsse_make_envelope(statement, signature, n, keyid) : NULL;
}

char *evidence_dsse_make(EVP_PKEY *key, const struct evidence_dsse_plan *plan)
{
    char *statement = evidence_dsse_make_statement(plan);
    char *envelope = statement ? evidence_dsse_make_of(key, statement) : NULL;

    free(statement);
    return envelope;
}
