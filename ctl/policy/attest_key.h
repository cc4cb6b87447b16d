/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The private keys that poemctl signs envelopes with. */
#ifndef POEMD_CTL_POLICY_ATTEST_KEY_H
#define POEMD_CTL_POLICY_ATTEST_KEY_H

#include <openssl/evp.h>

/*
 * Returns the private key of a PEM file, to be freed by EVP_PKEY_free, or NULL after an error
 * message of the command of that name. Warns if others can read or write the file.
 */
EVP_PKEY *attest_key_load(const char *name, const char *path) __attribute__((warn_unused_result));

#endif
