/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads the PEM file, and warns if it is not private. */
#define _DEFAULT_SOURCE
#include "ctl/policy/attest_key.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/trust.h"
#include "ctl/poemctl.h"
#include "policy/evidence/evidence_key.h"

EVP_PKEY *attest_key_load(const char *name, const char *path)
{
    FILE *f = fopen(path, "re");
    struct evidence_key public;
    EVP_PKEY *key;
    struct stat st;

    if (!f) {
        (void)poemctl_could_not(name, path, strerror(errno));
        return NULL;
    }
    if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) &&
        (trust_is_other(st.st_uid) || (st.st_mode & (S_IRWXG | S_IRWXO)))) {
        (void)poemctl_could_not(name, path,
                                "warning: others can read or write this private key; chmod 600 it");
    }
    key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    fclose(f);
    ERR_clear_error();
    if (!key || evidence_key_init(&public, key) < 0) {
        (void)poemctl_could_not(name, path,
                                "not a private key in PEM, Ed25519 or ECDSA over P-256");
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}
