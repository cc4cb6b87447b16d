/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Signed envelopes: the good one, and every way in which one can be otherwise. */
#define _GNU_SOURCE
#include <errno.h>
#include <jansson.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "policy/evidence/evidence_dsse.h"
#include "policy/evidence/evidence_pae.h"
#include "policy/evidence/evidence_statement.h"
#include "tests/support/unit.h"

#include "base/text/base64.h"

static EVP_PKEY *keys[2]; /* the first is trusted */
static struct evidence_key public[2];
static uint8_t digest[EVIDENCE_SHA256_SIZE];
static struct evidence_claim claim;

static void make_keys(void)
{
    for (int i = 0; i < 2; i++) {
        keys[i] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        ck_assert_ptr_nonnull(keys[i]);
        ck_assert_int_eq(evidence_key_init(&public[i], keys[i]), 0);
    }
    for (size_t i = 0; i < sizeof digest; i++) {
        digest[i] = (uint8_t)i;
    }
}

static void free_keys(void)
{
    EVP_PKEY_free(keys[0]);
    EVP_PKEY_free(keys[1]);
}

static enum evidence_dsse judge(const char *envelope)
{
    return evidence_dsse_read(&claim, envelope, strlen(envelope), public, 1);
}

/* An envelope about the digest, for the licence. */
static char *made(EVP_PKEY *key, const char *licence)
{
    const struct evidence_dsse_plan plan = {
        .name = "edu", .sha256 = digest, .licence = licence, .issued = 20261130};

    return evidence_dsse_make(key, &plan);
}

/* The envelope as JSON; judge_taken frees it. */
static json_t *good(void)
{
    char *text = made(keys[0], "GPL-2.0-or-later");
    json_t *envelope = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;

    ck_assert_ptr_nonnull(envelope);
    free(text);
    return envelope;
}

static enum evidence_dsse judge_taken(json_t *envelope)
{
    char *text = json_dumps(envelope, JSON_COMPACT);
    enum evidence_dsse o;

    ck_assert_ptr_nonnull(text);
    o = judge(text);
    free(text);
    json_decref(envelope);
    return o;
}

/* An envelope around any payload, whose signature by keys[k] is good. */
static json_t *sealed(const char *payload, int k)
{
    char *text = evidence_dsse_make_of(keys[k], payload);
    json_t *envelope = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;

    ck_assert_ptr_nonnull(envelope);
    free(text);
    return envelope;
}

START_TEST(a_good_one_says_what_was_signed)
{
    ck_assert_int_eq(judge_taken(good()), EVIDENCE_DSSE_OK);
    ck_assert_uint_eq(claim.signers, 1);
    ck_assert_uint_eq(claim.n_subjects, 1);
    ck_assert_int_eq(claim.subjects[0].outcome, EVIDENCE_DSSE_OK);
    ck_assert_str_eq(claim.subjects[0].licence, "GPL-2.0-or-later");
    ck_assert_mem_eq(claim.subjects[0].sha256, digest, sizeof digest);
    ck_assert_uint_eq(claim.issued, 20261130);
    ck_assert_uint_eq(claim.expires, 0);
}
END_TEST

START_TEST(the_envelope_has_a_digest)
{
    char *text = made(keys[0], "MIT");
    uint8_t sha256[EVIDENCE_SHA256_SIZE];

    ck_assert_int_eq(judge(text), EVIDENCE_DSSE_OK);
    SHA256((const uint8_t *)text, strlen(text), sha256);
    ck_assert_mem_eq(claim.envelope, sha256, sizeof sha256);
    free(text);
}
END_TEST

START_TEST(the_encoding_is_the_specifications)
{
    const char *want = "DSSEv1 28 application/vnd.in-toto+json 5 hello";
    struct evidence_pae pae;

    ck_assert_int_eq(evidence_pae_decode(&pae, "aGVsbG8=", 8), EVIDENCE_PAE_OK);
    ck_assert_uint_eq(pae.n, strlen(want));
    ck_assert_mem_eq(pae.bytes, want, pae.n);
    evidence_pae_deinit(&pae);
}
END_TEST

START_TEST(another_key_is_not_trusted)
{
    char *text = made(keys[1], "MIT");

    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(judge(text), EVIDENCE_DSSE_UNTRUSTED);
    ck_assert_int_eq(evidence_dsse_read(&claim, text, strlen(text), NULL, 0),
                     EVIDENCE_DSSE_UNTRUSTED);
    free(text);
}
END_TEST

START_TEST(one_good_signature_of_two_is_enough)
{
    json_t *first = good();
    char *text = made(keys[1], "GPL-2.0-or-later");
    json_t *second = json_loads(text, 0, NULL);

    json_array_insert(json_object_get(first, "signatures"), 0,
                      json_array_get(json_object_get(second, "signatures"), 0));
    free(text);
    text = json_dumps(first, 0);
    ck_assert_int_eq(judge(text), EVIDENCE_DSSE_OK);
    ck_assert_uint_eq(claim.signers, 1);
    ck_assert_int_eq(evidence_dsse_read(&claim, text, strlen(text), public, 2), EVIDENCE_DSSE_OK);
    ck_assert_uint_eq(claim.signers, 3);
    free(text);
    json_decref(first);
    json_decref(second);
}
END_TEST

/* RSA 2048, ECDSA P-256 and P-384, ML-DSA-44: none of them can be checked with a trusted key. */
static const size_t cosigned[] = {0, 1, 63, 64, 65, 70, 71, 72, 73, 102, 256, 512, 2420};

START_TEST(another_kind_of_signature_does_no_harm)
{
    for (int last = 0; last < 2; last++) {
        uint8_t bytes[2420];
        char sig[BASE64_SIZE(sizeof bytes) + 1];
        json_t *e = good();
        json_t *signatures = json_object_get(e, "signatures");

        memset(bytes, 0x30, sizeof bytes);
        base64_write(bytes, cosigned[_i], sig);
        json_array_insert_new(signatures, last ? json_array_size(signatures) : 0,
                              json_pack("{s:s, s:s}", "keyid", "another", "sig", sig));
        ck_assert_int_eq(judge_taken(json_incref(e)), EVIDENCE_DSSE_OK);
        ck_assert_uint_eq(claim.signers, 1);
        /* … and is not believed alone. */
        json_array_remove(signatures, last ? 0 : 1);
        ck_assert_int_eq(judge_taken(e), EVIDENCE_DSSE_UNTRUSTED);
    }
}
END_TEST

START_TEST(a_malformed_signature_does_no_harm)
{
    static const char *const malformed[] = {"{}", "{\"sig\":7}", "{\"sig\":\"!\"}", "7",
                                            "{\"sig\":\"\"}"};

    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        json_t *e = good();

        json_array_insert_new(json_object_get(e, "signatures"), 0,
                              json_loads(malformed[i], JSON_DECODE_ANY, NULL));
        ck_assert_int_eq(judge_taken(e), EVIDENCE_DSSE_OK);
    }
}
END_TEST

START_TEST(p256_signs_as_well)
{
    EVP_PKEY *ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    struct evidence_key trusted[2] = {public[1]};
    char *text = made(ec, "MIT");

    ck_assert_int_eq(evidence_key_init(&trusted[1], ec), 0);
    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(evidence_dsse_read(&claim, text, strlen(text), trusted, 2), EVIDENCE_DSSE_OK);
    ck_assert_uint_eq(claim.signers, 2);
    ck_assert_int_eq(judge(text), EVIDENCE_DSSE_UNTRUSTED);
    free(text);
    EVP_PKEY_free(ec);
}
END_TEST

/* A compressed point is the same key: it has the same fingerprint, by which it can be revoked. */
START_TEST(a_key_has_one_fingerprint)
{
    EVP_PKEY *ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    struct evidence_key one;
    struct evidence_key other;
    unsigned char *der = NULL;
    const unsigned char *at;
    EVP_PKEY *compressed;
    int n;

    ck_assert_int_eq(evidence_key_init(&one, ec), 0);
    ck_assert_int_eq(EVP_PKEY_set_utf8_string_param(ec, "point-format", "compressed"), 1);
    n = i2d_PUBKEY(ec, &der);
    ck_assert_int_lt(n, (int)one.n);
    at = der;
    compressed = d2i_PUBKEY(NULL, &at, n);
    ck_assert_ptr_nonnull(compressed);
    ck_assert_int_eq(evidence_key_init(&other, compressed), 0);
    ck_assert_mem_eq(one.fingerprint, other.fingerprint, sizeof one.fingerprint);
    OPENSSL_free(der);
    EVP_PKEY_free(compressed);
    EVP_PKEY_free(ec);
}
END_TEST

START_TEST(a_key_id_is_only_a_hint)
{
    json_t *e = good();
    json_t *signature = json_array_get(json_object_get(e, "signatures"), 0);

    json_object_set_new(signature, "keyid", json_string("somebody else"));
    ck_assert_int_eq(judge_taken(e), EVIDENCE_DSSE_OK);
    e = good();
    json_object_del(json_array_get(json_object_get(e, "signatures"), 0), "keyid");
    ck_assert_int_eq(judge_taken(e), EVIDENCE_DSSE_OK);
}
END_TEST

/* Every bit of the signature, and of the payload's text, counts. */
START_TEST(nothing_can_be_altered)
{
    static const char *const members[] = {"payload", "sig"};
    json_t *e = good();
    json_t *signature = json_array_get(json_object_get(e, "signatures"), 0);
    json_t *from = _i == 0 ? e : signature;
    char *value = strdup(json_string_value(json_object_get(from, members[_i])));

    for (size_t i = 0; value[i] && value[i] != '='; i++) {
        const char was = value[i];
        char *text;

        value[i] = was == 'A' ? 'B' : 'A';
        json_object_set_new(from, members[_i], json_string(value));
        text = json_dumps(e, 0);
        ck_assert_int_ne(judge(text), EVIDENCE_DSSE_OK);
        free(text);
        value[i] = was;
    }
    free(value);
    json_decref(e);
}
END_TEST

START_TEST(the_payload_type_is_signed_too)
{
    json_t *e = good();

    json_object_set_new(e, "payloadType", json_string("application/json"));
    ck_assert_int_eq(judge_taken(e), EVIDENCE_DSSE_OTHER_TYPE);
}
END_TEST

static const struct {
    const char *envelope;
    enum evidence_dsse outcome;
} shapes[] = {
    {"", EVIDENCE_DSSE_NO_ENVELOPE},
    {"[]", EVIDENCE_DSSE_NO_ENVELOPE},
    {"{", EVIDENCE_DSSE_NO_ENVELOPE},
    {"{\"payloadType\":\"" EVIDENCE_DSSE_PAYLOAD_TYPE "\",\"payload\":\"e30=\"}",
     EVIDENCE_DSSE_NO_ENVELOPE},
    {"{\"payloadType\":\"" EVIDENCE_DSSE_PAYLOAD_TYPE "\",\"payload\":7,\"signatures\":[]}",
     EVIDENCE_DSSE_NO_ENVELOPE},
    {"{\"payloadType\":\"" EVIDENCE_DSSE_PAYLOAD_TYPE "\",\"payload\":\"e30=\",\"signatures\":[]}",
     EVIDENCE_DSSE_UNTRUSTED},
    {"{\"payloadType\":\"" EVIDENCE_DSSE_PAYLOAD_TYPE "\",\"payload\":\"e3\\n0=\","
     "\"signatures\":[]}",
     EVIDENCE_DSSE_BAD_BASE64},
    {"{\"payloadType\":\"" EVIDENCE_DSSE_PAYLOAD_TYPE "\",\"payload\":\"e30=\","
     "\"signatures\":[{\"sig\":\"!\"}]}",
     EVIDENCE_DSSE_BAD_BASE64},
    {"{\"payloadType\":\"" EVIDENCE_DSSE_PAYLOAD_TYPE "\",\"payload\":\"e30=\","
     "\"signatures\":[{}]}",
     EVIDENCE_DSSE_NO_ENVELOPE},
    {"{\"payloadType\":\"" EVIDENCE_DSSE_PAYLOAD_TYPE "\",\"payload\":\"e30=\","
     "\"signatures\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}",
     EVIDENCE_DSSE_TOO_MANY},
    {"{\"payload\":\"e30=\",\"payloadType\":\"" EVIDENCE_DSSE_PAYLOAD_TYPE
     "\",\"payload\":\"e30=\","
     "\"signatures\":[]}",
     EVIDENCE_DSSE_NO_ENVELOPE},
};

START_TEST(other_shapes_are_no_envelopes)
{
    ck_assert_int_eq(judge(shapes[_i].envelope), shapes[_i].outcome);
}
END_TEST

#define SUBJECT \
    "{\"name\":\"x\",\"digest\":{\"sha256\":" \
    "\"00000000000000000000000000000000000000000000000000000000000000ff\"}}"
#define STATEMENT(type, subjects, predicate_type, predicate) \
    "{\"_type\":\"" type "\",\"subject\":" subjects ",\"predicateType\":\"" predicate_type \
    "\",\"predicate\":" predicate "}"
#define OURS(subjects, predicate) \
    STATEMENT(EVIDENCE_STATEMENT_TYPE, subjects, EVIDENCE_STATEMENT_PREDICATE, predicate)
#define MIT "{\"licence\":\"MIT\"}"

static const struct {
    const char *payload;
    enum evidence_dsse outcome;
} statements[] = {
    {OURS("[" SUBJECT "]", MIT), EVIDENCE_DSSE_OK},
    {OURS("[" SUBJECT "," SUBJECT "]", "{\"licence\":\"MIT\",\"why\":[]}"), EVIDENCE_DSSE_OK},
    {OURS("[{\"digest\":{\"sha512\":\"00\"}}," SUBJECT "]", MIT), EVIDENCE_DSSE_OK},
    {"{}", EVIDENCE_DSSE_NO_STATEMENT},
    {"no JSON", EVIDENCE_DSSE_NO_STATEMENT},
    {STATEMENT("https://in-toto.io/Statement/v0.1", "[" SUBJECT "]", EVIDENCE_STATEMENT_PREDICATE,
               MIT),
     EVIDENCE_DSSE_OK},
    {STATEMENT("https://in-toto.io/Statement/v2", "[" SUBJECT "]", EVIDENCE_STATEMENT_PREDICATE,
               MIT),
     EVIDENCE_DSSE_NO_STATEMENT},
    {STATEMENT(EVIDENCE_STATEMENT_TYPE, "[" SUBJECT "]", "https://slsa.dev/provenance/v1", MIT),
     EVIDENCE_DSSE_OTHER_CLAIM},
    {OURS("{}", MIT), EVIDENCE_DSSE_NO_STATEMENT},
    {OURS("[]", MIT), EVIDENCE_DSSE_NO_SUBJECT},
    {OURS("[{\"digest\":{\"sha256\":\"00\"}}]", MIT), EVIDENCE_DSSE_NO_SUBJECT},
    {OURS("[" SUBJECT "]", "{}"), EVIDENCE_DSSE_NO_LICENCE},
    {OURS("[" SUBJECT "]", "{\"licence\":\"\"}"), EVIDENCE_DSSE_NO_LICENCE},
    {OURS("[" SUBJECT "]", "{\"licence\":7}"), EVIDENCE_DSSE_NO_LICENCE},
    {OURS("[" SUBJECT "]", "{\"licence\":\"MIT\\n\"}"), EVIDENCE_DSSE_NO_LICENCE},
    {OURS("[" SUBJECT "]", "{\"licence\":\"MIT\",\"licence\":\"MIT\"}"),
     EVIDENCE_DSSE_NO_STATEMENT},
    {OURS("[" SUBJECT "]", "{\"licence\":\"MIT\",\"expires\":\"2026-02-28\"}"), EVIDENCE_DSSE_OK},
    {OURS("[" SUBJECT "]", "{\"licence\":\"MIT\",\"expires\":\"2026-02-29\"}"),
     EVIDENCE_DSSE_BAD_DATE},
    {OURS("[" SUBJECT "]", "{\"licence\":\"MIT\",\"expires\":\"2026-02-28T00:00:00Z\"}"),
     EVIDENCE_DSSE_BAD_DATE},
    {OURS("[" SUBJECT "]", "{\"licence\":\"MIT\",\"expires\":null}"), EVIDENCE_DSSE_BAD_DATE},
    {OURS("[" SUBJECT "]", "{\"licence\":\"MIT\",\"issued\":20260228}"), EVIDENCE_DSSE_BAD_DATE},
    {STATEMENT(EVIDENCE_STATEMENT_TYPE, "[" SUBJECT "]", EVIDENCE_STATEMENT_PREDICATE "/v1", MIT),
     EVIDENCE_DSSE_OTHER_CLAIM},
    {STATEMENT(EVIDENCE_STATEMENT_TYPE, "[" SUBJECT "]", "https://spdx.dev/Document/v3", "{}"),
     EVIDENCE_DSSE_OTHER_CLAIM},
    {STATEMENT(EVIDENCE_STATEMENT_TYPE, "[" SUBJECT "]", "https://spdx.dev/Document", "\"SPDX\""),
     EVIDENCE_DSSE_NO_DOCUMENT},
    {STATEMENT(EVIDENCE_STATEMENT_TYPE, "[" SUBJECT "]", "https://cyclonedx.org/bom", "{}"),
     EVIDENCE_DSSE_NO_DOCUMENT},
};

START_TEST(a_statement_is_read_once_its_signature_is_good)
{
    ck_assert_int_eq(judge_taken(sealed(statements[_i].payload, 0)), statements[_i].outcome);
    /* Nothing of it is looked at where it is not. */
    ck_assert_int_eq(judge_taken(sealed(statements[_i].payload, 1)), EVIDENCE_DSSE_UNTRUSTED);
}
END_TEST

START_TEST(so_many_subjects_and_no_more)
{
    for (unsigned n = EVIDENCE_DSSE_SUBJECTS; n <= EVIDENCE_DSSE_SUBJECTS + 1; n++) {
        char payload[16384];
        size_t at = (size_t)snprintf(payload, sizeof payload,
                                     "{\"_type\":\"%s\",\"predicateType\":\"%s\","
                                     "\"predicate\":" MIT ",\"subject\":[",
                                     EVIDENCE_STATEMENT_TYPE, EVIDENCE_STATEMENT_PREDICATE);

        for (unsigned i = 0; i < n; i++) {
            at +=
                (size_t)snprintf(payload + at, sizeof payload - at, "%s" SUBJECT, i > 0 ? "," : "");
        }
        snprintf(payload + at, sizeof payload - at, "]}");
        ck_assert_int_eq(judge_taken(sealed(payload, 0)),
                         n <= EVIDENCE_DSSE_SUBJECTS ? EVIDENCE_DSSE_OK : EVIDENCE_DSSE_TOO_MANY);
    }
}
END_TEST

START_TEST(so_long_and_no_longer)
{
    char *text = made(keys[0], "MIT");
    char *padded = malloc(EVIDENCE_DSSE_MAX + 2);

    ck_assert(text && padded);
    memset(padded, ' ', EVIDENCE_DSSE_MAX + 1);
    memcpy(padded, text, strlen(text));
    padded[EVIDENCE_DSSE_MAX + 1] = '\0';
    ck_assert_int_eq(judge(padded), EVIDENCE_DSSE_TOO_LONG);
    padded[EVIDENCE_DSSE_MAX] = '\0';
    ck_assert_int_eq(judge(padded), EVIDENCE_DSSE_OK);
    free(text);
    free(padded);
}
END_TEST

static const struct {
    const char *text;
    const char *bytes; /* NULL: malformed */
} base64[] = {
    {"", ""},
    {"YQ==", "a"},
    {"YWI=", "ab"},
    {"YWJj", "abc"},
    {"YQ", "a"},
    {"--__", "\xfb\xef\xff"},
    {"++//", "\xfb\xef\xff"},
    {"+-//", NULL},
    {"YQ=", NULL},
    {"Y", NULL},
    {"YR==", NULL},
    {"YQ==\n", NULL},
    {" YQ==", NULL},
    {"=", NULL},
    {"YWJj=", NULL},
    {"Y===", NULL},
    {"YQ==YQ==", NULL},
    {"+/A", NULL},
};

START_TEST(base64_is_read_strictly)
{
    uint8_t out[16];
    size_t n;
    const bool ok = base64_read_any(base64[_i].text, strlen(base64[_i].text), out, sizeof out, &n);

    ck_assert_msg(ok == (base64[_i].bytes != NULL), "\"%s\"", base64[_i].text);
    if (ok) {
        ck_assert_uint_eq(n, strlen(base64[_i].bytes));
        ck_assert_mem_eq(out, base64[_i].bytes, n);
        ck_assert(n == 0 ||
                  !base64_read_any(base64[_i].text, strlen(base64[_i].text), out, n - 1, &n));
    }
}
END_TEST

static const char *const other_kinds[] = {"X25519", "ED448", "P-384", "secp256k1"};

START_TEST(no_other_key_signs)
{
    const char *kind = other_kinds[_i];
    EVP_PKEY *other =
        _i < 2 ? EVP_PKEY_Q_keygen(NULL, NULL, kind) : EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
    struct evidence_key key;

    ck_assert_ptr_nonnull(other);
    ck_assert_ptr_null(made(other, "MIT"));
    ck_assert_int_eq(evidence_key_init(&key, other), -EINVAL);
    EVP_PKEY_free(other);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

int main(void)
{
    Suite *s = suite_create("evidence_dsse");
    TCase *tc = unit_case(s, "envelope");

    tcase_add_checked_fixture(tc, make_keys, free_keys);
    tcase_add_test(tc, a_good_one_says_what_was_signed);
    tcase_add_test(tc, the_envelope_has_a_digest);
    tcase_add_test(tc, the_encoding_is_the_specifications);
    tcase_add_test(tc, another_key_is_not_trusted);
    tcase_add_test(tc, one_good_signature_of_two_is_enough);
    tcase_add_loop_test(tc, another_kind_of_signature_does_no_harm, 0, COUNT(cosigned));
    tcase_add_test(tc, a_malformed_signature_does_no_harm);
    tcase_add_test(tc, p256_signs_as_well);
    tcase_add_test(tc, a_key_has_one_fingerprint);
    tcase_add_test(tc, a_key_id_is_only_a_hint);
    tcase_add_loop_test(tc, nothing_can_be_altered, 0, 2);
    tcase_add_test(tc, the_payload_type_is_signed_too);
    tcase_add_loop_test(tc, other_shapes_are_no_envelopes, 0, COUNT(shapes));
    tcase_add_loop_test(tc, a_statement_is_read_once_its_signature_is_good, 0, COUNT(statements));
    tcase_add_test(tc, so_many_subjects_and_no_more);
    tcase_add_test(tc, so_long_and_no_longer);
    tcase_add_loop_test(tc, base64_is_read_strictly, 0, COUNT(base64));
    tcase_add_loop_test(tc, no_other_key_signs, 0, COUNT(other_kinds));
    return unit_run(s);
}
