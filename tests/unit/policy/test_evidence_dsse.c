/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Signed envelopes: the good one, and every way in which one can be otherwise. */
#define _GNU_SOURCE
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "policy/evidence/evidence_dsse.h"
#include "policy/evidence/evidence_pae.h"
#include "tests/support/unit.h"

#include "base/base64.h"

static EVP_PKEY *keys[2]; /* the first is trusted */
static uint8_t raw[2][EVIDENCE_DSSE_KEY_SIZE];
static uint8_t digest[EVIDENCE_DSSE_SHA256_SIZE];
static struct evidence_claim claim;

static void make_keys(void)
{
    for (int i = 0; i < 2; i++) {
        size_t n = sizeof raw[i];

        keys[i] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        ck_assert_ptr_nonnull(keys[i]);
        ck_assert_int_eq(EVP_PKEY_get_raw_public_key(keys[i], raw[i], &n), 1);
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
    return evidence_dsse_read(&claim, envelope, strlen(envelope),
                              (const uint8_t(*)[EVIDENCE_DSSE_KEY_SIZE])raw, 1);
}

/* The envelope as JSON; judge_taken frees it. */
static json_t *good(void)
{
    char *text = evidence_dsse_make(keys[0], "edu", digest, "GPL-2.0-or-later");
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
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const size_t n = strlen(payload);
    struct evidence_pae pae;
    uint8_t signature[64];
    char text[89];
    size_t size = sizeof signature;
    char *base64 = malloc(2 * n + 8);
    json_t *envelope;

    ck_assert(ctx && base64);
    ck_assert_int_eq(evidence_pae_init(&pae, payload, n), EVIDENCE_PAE_OK);
    ck_assert_int_eq(EVP_DigestSignInit(ctx, NULL, NULL, NULL, keys[k]), 1);
    ck_assert_int_eq(EVP_DigestSign(ctx, signature, &size, pae.bytes, pae.n), 1);
    EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)payload, (int)n);
    EVP_EncodeBlock((unsigned char *)text, signature, sizeof signature);
    envelope = json_pack("{s:s, s:s, s:[{s:s}]}", "payloadType", EVIDENCE_DSSE_PAYLOAD_TYPE,
                         "payload", base64, "signatures", "sig", text);
    ck_assert_ptr_nonnull(envelope);
    evidence_pae_deinit(&pae);
    EVP_MD_CTX_free(ctx);
    free(base64);
    return envelope;
}

START_TEST(a_good_one_says_what_was_signed)
{
    ck_assert_int_eq(judge_taken(good()), EVIDENCE_DSSE_OK);
    ck_assert_str_eq(claim.licence, "GPL-2.0-or-later");
    ck_assert_uint_eq(claim.signers, 1);
    ck_assert_uint_eq(claim.n_subjects, 1);
    ck_assert_mem_eq(claim.subjects[0], digest, sizeof digest);
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
    char *text = evidence_dsse_make(keys[1], "edu", digest, "MIT");

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
    char *text = evidence_dsse_make(keys[1], "edu", digest, "GPL-2.0-or-later");
    json_t *second = json_loads(text, 0, NULL);
    const uint8_t(*both)[EVIDENCE_DSSE_KEY_SIZE] = (const uint8_t(*)[EVIDENCE_DSSE_KEY_SIZE])raw;

    json_array_insert(json_object_get(first, "signatures"), 0,
                      json_array_get(json_object_get(second, "signatures"), 0));
    free(text);
    text = json_dumps(first, 0);
    ck_assert_int_eq(judge(text), EVIDENCE_DSSE_OK);
    ck_assert_uint_eq(claim.signers, 1);
    ck_assert_int_eq(evidence_dsse_read(&claim, text, strlen(text), both, 2), EVIDENCE_DSSE_OK);
    ck_assert_uint_eq(claim.signers, 3);
    free(text);
    json_decref(first);
    json_decref(second);
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
     "\"signatures\":[{},{},{},{},{},{},{},{},{}]}",
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
    STATEMENT(EVIDENCE_DSSE_STATEMENT, subjects, EVIDENCE_DSSE_PREDICATE, predicate)
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
    {STATEMENT("https://in-toto.io/Statement/v0.1", "[" SUBJECT "]", EVIDENCE_DSSE_PREDICATE, MIT),
     EVIDENCE_DSSE_NO_STATEMENT},
    {STATEMENT(EVIDENCE_DSSE_STATEMENT, "[" SUBJECT "]", "https://slsa.dev/provenance/v1", MIT),
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
                                     EVIDENCE_DSSE_STATEMENT, EVIDENCE_DSSE_PREDICATE);

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
    char *text = evidence_dsse_make(keys[0], "edu", digest, "MIT");
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

START_TEST(only_ed25519_signs)
{
    EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");

    ck_assert_ptr_nonnull(other);
    ck_assert_ptr_null(evidence_dsse_make(other, "edu", digest, "MIT"));
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
    tcase_add_test(tc, the_encoding_is_the_specifications);
    tcase_add_test(tc, another_key_is_not_trusted);
    tcase_add_test(tc, one_good_signature_of_two_is_enough);
    tcase_add_test(tc, a_key_id_is_only_a_hint);
    tcase_add_loop_test(tc, nothing_can_be_altered, 0, 2);
    tcase_add_test(tc, the_payload_type_is_signed_too);
    tcase_add_loop_test(tc, other_shapes_are_no_envelopes, 0, COUNT(shapes));
    tcase_add_loop_test(tc, a_statement_is_read_once_its_signature_is_good, 0, COUNT(statements));
    tcase_add_test(tc, so_many_subjects_and_no_more);
    tcase_add_test(tc, so_long_and_no_longer);
    tcase_add_loop_test(tc, base64_is_read_strictly, 0, COUNT(base64));
    tcase_add_test(tc, only_ed25519_signs);
    return unit_run(s);
}
