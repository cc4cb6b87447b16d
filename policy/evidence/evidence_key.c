/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Keys that sign statements, by libcrypto. */
#include "policy/evidence/evidence_key.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <string.h>

static bool evidence_key_is_p256(EVP_PKEY *key)
{
    char group[32];
    size_t n;

    return EVP_PKEY_get_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, group, sizeof group, &n) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

/* Returns whether keys of this kind are accepted, with the digest that its signatures need. */
static bool evidence_key_kind(EVP_PKEY *key, const EVP_MD **md)
{
    *md = evidence_key_is_p256(key) ? EVP_sha256() : NULL;
    return *md || EVP_PKEY_get_id(key) == EVP_PKEY_ED25519;
}

int evidence_key_init(struct evidence_key *k, EVP_PKEY *key)
{
    unsigned char *at = k->der;
    const EVP_MD *md;
    int n;

    memset(k, 0, sizeof *k);
    if (!evidence_key_kind(key, &md)) {
        return -EINVAL;
    }
    /* One form of the point, so that a key has one fingerprint. */
    if (md &&
        EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                       OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED) != 1) {
        return -EINVAL;
    }
    n = i2d_PUBKEY(key, NULL);
    if (n <= 0 || (size_t)n > sizeof k->der || i2d_PUBKEY(key, &at) != n) {
        ERR_clear_error();
        return -EINVAL;
    }
    k->n = (uint32_t)n;
    SHA256(k->der, k->n, k->fingerprint);
    return 0;
}

bool evidence_key_verify(const struct evidence_key *k, const uint8_t *signature, size_t n,
                         const void *message, size_t message_size)
{
    const unsigned char *der = k->der;
    EVP_PKEY *key = k->n <= sizeof k->der ? d2i_PUBKEY(NULL, &der, (long)k->n) : NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *md;
    const bool good = key && ctx && evidence_key_kind(key, &md) &&
                      EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
                      EVP_DigestVerify(ctx, signature, n, message, message_size) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good;
}

size_t evidence_key_sign(EVP_PKEY *key, const void *message, size_t message_size,
                         uint8_t out[EVIDENCE_KEY_SIGNATURE_MAX])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t n = EVIDENCE_KEY_SIGNATURE_MAX;
    const EVP_MD *md;
    const bool good = ctx && evidence_key_kind(key, &md) &&
                      EVP_DigestSignInit(ctx, NULL, md, NULL, key) == 1 &&
                      EVP_DigestSign(ctx, out, &n, message, message_size) == 1;

    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return good ? n : 0;
}
