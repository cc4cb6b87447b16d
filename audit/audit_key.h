/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The audit log's key files: FORMAT.audit, section 6. The private key is a PEM file that others
 * must not be able to read; PATH.pub beside it contains the public key and its name in one line.
 */
#ifndef POEMD_AUDIT_AUDIT_KEY_H
#define POEMD_AUDIT_AUDIT_KEY_H

#include <openssl/evp.h>
#include <stddef.h>

#include "audit/audit_note.h"

struct audit_key {
    struct audit_vkey vkey;
    EVP_PKEY *pkey; /* owned */
};

/*
 * Reads the private key at path and its name from path.pub; the two must match. Returns 0, after
 * which the caller calls audit_key_deinit, or -errno with the reason in why (size bytes,
 * printable): -EPERM if others may read or write the file, -EINVAL if it contains no Ed25519 key or
 * the two files do not match.
 */
int audit_key_load(struct audit_key *k, const char *path, char *why, size_t size)
    __attribute__((warn_unused_result));
void audit_key_deinit(struct audit_key *k);

/* Reads a public key file. Returns 0, or -errno with the reason in why. */
int audit_vkey_load(struct audit_vkey *k, const char *path, char *why, size_t size)
    __attribute__((warn_unused_result));

/*
 * Generates a key pair: path (mode 0600) and path.pub, neither of which may exist yet. Both are on
 * disk on return. Returns 0, or -errno with the reason in why, in which case neither file exists.
 */
int audit_key_generate(const char *path, const char *name, struct audit_vkey *out, char *why,
                       size_t size) __attribute__((warn_unused_result));

#endif
