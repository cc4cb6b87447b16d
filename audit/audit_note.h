/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Keys and checkpoints: C2SP's signed-note, with Ed25519, and tlog-checkpoint; FORMAT.audit,
 * sections 5 and 6.
 *
 * Parsers are pure but for what libcrypto allocates to verify a signature. They are strict: of all
 * texts that mean the same, one is taken.
 */
#ifndef POEMD_AUDIT_AUDIT_NOTE_H
#define POEMD_AUDIT_AUDIT_NOTE_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/audit_tree.h"

/* A key's name, which is also the log's origin. */
#define AUDIT_NAME_MAX 128u

#define AUDIT_PUBLIC_SIZE 32u
#define AUDIT_SIGNATURE_SIZE 64u

/* A note with one signature: two names, a number, base64 of 32 and of 68 bytes, and line ends. */
#define AUDIT_NOTE_MAX 512u

/* A key's line in a .pub file, NUL included. */
#define AUDIT_VKEY_MAX 256u

/* A note that others may have signed as well; a limit that signed-note asks for. */
#define AUDIT_NOTE_FOREIGN_MAX 65536u

/* ---- base64 (RFC 4648, section 4), strictly: padded, no bits left over, nothing between ---- */

/* Characters that n bytes take. */
#define AUDIT_BASE64_SIZE(n) (((n) + 2) / 3 * 4)

/* Writes AUDIT_BASE64_SIZE(n) characters and a NUL. */
void audit_base64_write(const void *p, size_t n, char *out);

/* Reads exactly n bytes from exactly text_n characters. */
bool audit_base64_read(const char *text, size_t text_n, void *out, size_t n)
    __attribute__((warn_unused_result));

/* ---- keys ---- */

/* A public key. As text: NAME+ID+BASE64, ID in 8 hexadecimal digits. */
struct audit_vkey {
    char name[AUDIT_NAME_MAX + 1];
    uint8_t id[4];
    uint8_t public_key[AUDIT_PUBLIC_SIZE];
};

/* Whether it may be a key's name: 1 to AUDIT_NAME_MAX letters, digits and "._:/-". */
bool audit_name_ok(const char *name, size_t n);

/* Makes a key of its name and bytes, computes the id. 0; -EINVAL: the name; -ENOMEM. */
int audit_vkey_make(struct audit_vkey *k, const char *name, const uint8_t public_key[32])
    __attribute__((warn_unused_result));

/* Reads a key's line, without or with one line end. 0; -EINVAL: it is none; -ENOMEM. */
int audit_vkey_read(struct audit_vkey *k, const char *text, size_t n)
    __attribute__((warn_unused_result));

/* Writes a key's line, without line end, to out. */
void audit_vkey_write(const struct audit_vkey *k, char out[AUDIT_VKEY_MAX]);

/* ---- checkpoints ---- */

struct audit_checkpoint {
    char origin[AUDIT_NAME_MAX + 1];
    uint64_t size;
    struct audit_hash root;
};

enum audit_note {
    AUDIT_NOTE_OK,
    AUDIT_NOTE_MALFORMED, /* no signed note, or no checkpoint */
    AUDIT_NOTE_OTHER_KEY, /* of another origin, or nothing in it is signed by the key */
    AUDIT_NOTE_FORGED,    /* signed by the key, it says; and it is not */
    AUDIT_NOTE_NO_MEMORY,
};

/*
 * Reads a checkpoint with any number of signatures, one of which must be the key's, and whose
 * origin must be the key's name. The others are not looked at.
 */
enum audit_note audit_checkpoint_read(struct audit_checkpoint *c, const char *text, size_t n,
                                      const struct audit_vkey *key)
    __attribute__((warn_unused_result));

/* The same without a key: whether it has the form of a checkpoint. Nothing is proved. */
enum audit_note audit_checkpoint_parse(struct audit_checkpoint *c, const char *text, size_t n)
    __attribute__((warn_unused_result));

/*
 * Writes a checkpoint of the tree as it is, signed with the private key that belongs to key, to out
 * and a NUL. Returns the bytes without it, or -ENOMEM: libcrypto failed.
 */
int audit_checkpoint_write(const struct audit_tree *t, const struct audit_vkey *key,
                           EVP_PKEY *private_key, char out[AUDIT_NOTE_MAX])
    __attribute__((warn_unused_result));

#endif
