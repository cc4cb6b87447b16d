/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Makes and judges the recital itself. Pure, except that jansson and libcrypto allocate memory.
 * PROTOCOL.poem, sections 2, 6 and 7.
 */
#include "handshake/recital_object.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/text/hex.h"
#include "handshake/json.h"

/* ---- outcomes ---- */

static const struct {
    int err;
    const char *text;
} outcomes[] = {
    [RECITAL_OK] = {0, "ok"},
    [RECITAL_MISSING] = {EACCES, "no recital"},
    [RECITAL_MALFORMED] = {EPROTO, "\"poem\" or \"licence\" is malformed"},
    [RECITAL_OTHER_VERSION] = {EPROTO, "an unknown version of the recital"},
    [RECITAL_UNASKED] = {EPROTO, "an unsolicited recital"},
    [RECITAL_WRONG_DIGEST] = {EACCES, "the digest does not match the recited text"},
    [RECITAL_OTHER_POEM] = {EACCES, "another poem was recited"},
    [RECITAL_WRONG_PROOF] = {EACCES, "the proof does not belong to this exchange"},
    [RECITAL_LOOP] = {ELOOP, "the brokers form a loop"},
    [RECITAL_TOO_MANY] = {EPROTO, "more than 8 brokers in a row"},
    [RECITAL_TOO_LONG] = {EMSGSIZE, "the recital does not fit the message"},
    [RECITAL_NO_MEMORY] = {ENOMEM, "out of memory"},
};

const char *recital_text(enum recital_outcome o)
{
    return outcomes[o].text;
}

int recital_errno(enum recital_outcome o)
{
    return outcomes[o].err;
}

/* ---- values ---- */

bool recital_get_hex(const json_t *value, uint8_t *out, size_t n)
{
    const char *text = json_string_value(value);

    return text && json_string_length(value) == 2 * n && hex_read(text, out, n);
}

json_t *recital_new_hex(const uint8_t *p, size_t n)
{
    char text[2 * POEM_DIGEST_SIZE + 1];

    return json_string_nocheck(hex_text(p, n, text));
}

bool recital_licence_fits(const char *text)
{
    const size_t n = strlen(text);

    for (size_t i = 0; i < n; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e) {
            return false;
        }
    }
    return n > 0 && n <= RECITAL_LICENCE_MAX;
}

bool recital_get_licence(const json_t *value, char out[RECITAL_LICENCE_MAX + 1])
{
    out[0] = '\0';
    if (!value) {
        return true;
    }
    if (!json_is_string(value) || json_is_kept(value) ||
        !recital_licence_fits(json_string_value(value))) {
        return false;
    }
    memcpy(out, json_string_value(value), json_string_length(value) + 1);
    return true;
}

enum recital_outcome recital_check_version(const json_t *poem)
{
    const json_t *v = json_object_get(poem, "v");

    if (!json_is_integer(v)) {
        return RECITAL_MALFORMED;
    }
    return json_integer_value(v) == RECITAL_V ? RECITAL_OK : RECITAL_OTHER_VERSION;
}

enum recital_outcome recital_check_list(const json_t *list)
{
    if (list && !json_is_array(list)) {
        return RECITAL_MALFORMED;
    }
    return json_array_size(list) > RECITAL_HOPS ? RECITAL_TOO_MANY : RECITAL_OK;
}

bool recital_id_among(const struct recital_id *id, const struct recital_id *ids, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (memcmp(id->bytes, ids[i].bytes, sizeof id->bytes) == 0) {
            return true;
        }
    }
    return false;
}

void recital_strip(json_t *capabilities)
{
    /* A missing key is not an error. */
    (void)json_object_del(capabilities, "poem");
    (void)json_object_del(capabilities, "licence");
    (void)json_object_del(capabilities, "via");
}

json_t *recital_capabilities(json_t *version_json)
{
    json_t *caps = json_object_get(version_json, "capabilities");

    if (caps) {
        return json_is_object(caps) ? caps : NULL;
    }
    caps = json_object();
    return json_object_set_new(version_json, "capabilities", caps) == 0 ? caps : NULL;
}

/* ---- libcrypto ---- */

bool recital_sha256(const void *p, size_t n, uint8_t out[POEM_DIGEST_SIZE])
{
    return EVP_Digest(p, n, out, NULL, EVP_sha256(), NULL) == 1;
}

/* Section 6: HMAC-SHA256(key = the poem, label || random || binding). */
static bool recital_prove(enum recital_role role, const struct poem *poem, const uint8_t *random,
                          const uint8_t *binding, uint8_t out[POEM_DIGEST_SIZE])
{
    static const char labels[][24] = {
        [RECITAL_BY_SERVER] = "poemd recital v1 server",
        [RECITAL_BY_CLIENT] = "poemd recital v1 client",
    };
    uint8_t message[sizeof labels[0] + RECITAL_RANDOM_SIZE + RECITAL_BINDING_SIZE];
    size_t n = 0;

    memcpy(message, labels[role], sizeof labels[role]);
    memcpy(message + sizeof labels[0], random, RECITAL_RANDOM_SIZE);
    memcpy(message + sizeof labels[0] + RECITAL_RANDOM_SIZE, binding, RECITAL_BINDING_SIZE);
    return EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, poem->text, poem->size, message,
                     sizeof message, out, POEM_DIGEST_SIZE, &n) != NULL &&
           n == POEM_DIGEST_SIZE;
}

int recital_prepare(void)
{
    static const uint8_t zeros[RECITAL_RANDOM_SIZE];
    uint8_t out[POEM_DIGEST_SIZE];

    return recital_sha256(zeros, sizeof zeros, out) &&
                   recital_prove(RECITAL_BY_SERVER, &poem_builtin, zeros, zeros, out)
               ? 0
               : -ENOMEM;
}

/* ---- a recital ---- */

json_t *recital_new(enum recital_role role, const struct poem *poem, const uint8_t *random,
                    const uint8_t *binding, const char *licence)
{
    uint8_t proof[POEM_DIGEST_SIZE];
    json_t *recital = json_object();
    int bad = 0;

    if (!recital || !recital_prove(role, poem, random, binding, proof)) {
        json_decref(recital);
        return NULL;
    }
    bad |= json_object_set_new(recital, "text", json_stringn_nocheck(poem->text, poem->size));
    bad |= json_object_set_new(recital, "sha256", recital_new_hex(poem->digest, POEM_DIGEST_SIZE));
    bad |= json_object_set_new(recital, "licence", json_string(licence));
    bad |= json_object_set_new(recital, "proof", recital_new_hex(proof, sizeof proof));
    if (role == RECITAL_BY_CLIENT) {
        bad |= json_object_set_new(recital, "nonce", recital_new_hex(random, RECITAL_RANDOM_SIZE));
    }
    if (bad) {
        json_decref(recital);
        return NULL;
    }
    return recital;
}

/* The parsed members of a recital. text points into the JSON. */
struct members {
    const char *text;
    size_t size;
    uint8_t digest[POEM_DIGEST_SIZE];
    uint8_t proof[POEM_DIGEST_SIZE];
    uint8_t nonce[RECITAL_RANDOM_SIZE];
    char licence[RECITAL_LICENCE_MAX + 1];
};

static bool recital_get_members(enum recital_role role, const json_t *recital, struct members *m)
{
    const json_t *text = json_object_get(recital, "text");

    m->text = json_is_kept(text) ? NULL : json_string_value(text);
    m->size = json_string_length(text);
    return m->text && m->size > 0 && m->size <= POEM_SIZE_MAX &&
           recital_get_hex(json_object_get(recital, "sha256"), m->digest, sizeof m->digest) &&
           recital_get_licence(json_object_get(recital, "licence"), m->licence) &&
           m->licence[0] != '\0' &&
           recital_get_hex(json_object_get(recital, "proof"), m->proof, sizeof m->proof) &&
           (role == RECITAL_BY_SERVER ||
            recital_get_hex(json_object_get(recital, "nonce"), m->nonce, sizeof m->nonce));
}

static enum recital_outcome recital_judge_members(enum recital_role role, const struct members *m,
                                                  const struct poem *poem, const uint8_t *random,
                                                  const uint8_t *binding)
{
    uint8_t digest[POEM_DIGEST_SIZE];
    uint8_t proof[POEM_DIGEST_SIZE];

    if (!recital_sha256(m->text, m->size, digest) ||
        !recital_prove(role, poem, random, binding, proof)) {
        return RECITAL_NO_MEMORY;
    }
    if (CRYPTO_memcmp(m->digest, digest, sizeof digest) != 0) {
        return RECITAL_WRONG_DIGEST;
    }
    if (m->size != poem->size || CRYPTO_memcmp(m->text, poem->text, poem->size) != 0) {
        return RECITAL_OTHER_POEM;
    }
    return CRYPTO_memcmp(m->proof, proof, sizeof proof) == 0 ? RECITAL_OK : RECITAL_WRONG_PROOF;
}

enum recital_outcome recital_judge(enum recital_role role, const json_t *recital,
                                   const struct poem *poem, const uint8_t *random,
                                   const uint8_t *binding, char licence[RECITAL_LICENCE_MAX + 1])
{
    struct members m;
    enum recital_outcome o;

    licence[0] = '\0';
    if (!recital_get_members(role, recital, &m)) {
        return RECITAL_MALFORMED;
    }
    o = recital_judge_members(role, &m, poem, role == RECITAL_BY_CLIENT ? m.nonce : random,
                              binding);
    if (o == RECITAL_OK) {
        memcpy(licence, m.licence, strlen(m.licence) + 1);
    }
    return o;
}
