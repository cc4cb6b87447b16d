/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Keys and checkpoints: C2SP's signed-note, with Ed25519, and tlog-checkpoint; FORMAT.audit,
 * sections 5 and 6.
 *
 * The parsers are pure, except that libcrypto allocates memory to verify a signature. They are
 * strict: of all texts with the same meaning, they accept one.
 */
#ifndef POEMD_AUDIT_AUDIT_NOTE_H
#define POEMD_AUDIT_AUDIT_NOTE_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/audit_tree.h"

/* Maximum length of a key's name, which is also the log's origin. */
#define AUDIT_NAME_MAX 128u

#define AUDIT_PUBLIC_SIZE 32u
#define AUDIT_SIGNATURE_SIZE 64u

/* A note with one signature: two names, a number, base64 of 32 and of 68 bytes, and line ends. */
#define AUDIT_NOTE_MAX 512u

/* Size of a key's line in a .pub file, including the NUL. */
#define AUDIT_VKEY_MAX 256u

/* Maximum size of a note that others may have signed as well; signed-note requires a limit. */
#define AUDIT_NOTE_FOREIGN_MAX 65536u

/* ---- keys ---- */

/* A public key. Its text form is NAME+ID+BASE64, with ID in 8 hexadecimal digits. */
struct audit_vkey {
    char name[AUDIT_NAME_MAX + 1];
    uint8_t id[4];
    uint8_t public_key[AUDIT_PUBLIC_SIZE];
};

/* Returns whether it is a valid key name: 1 to AUDIT_NAME_MAX letters, digits and "._:/-". */
bool audit_name_ok(const char *name, size_t n);

/*
 * Makes a key from its name and bytes and computes the id. Returns 0, -EINVAL if the name is
 * invalid, or -ENOMEM.
 */
int audit_vkey_make(struct audit_vkey *k, const char *name, const uint8_t public_key[32])
    __attribute__((warn_unused_result));

/*
 * Reads a key's line, with or without a newline. Returns 0, -EINVAL if it is malformed, or -ENOMEM.
 */
int audit_vkey_read(struct audit_vkey *k, const char *text, size_t n)
    __attribute__((warn_unused_result));

/* Writes a key's line, without a newline, to out. */
void audit_vkey_write(const struct audit_vkey *k, char out[AUDIT_VKEY_MAX]);

/* ---- checkpoints ---- */

struct audit_checkpoint {
    char origin[AUDIT_NAME_MAX + 1];
    uint64_t size;
    struct audit_hash root;
};

enum audit_note {
    AUDIT_NOTE_OK,
    AUDIT_NOTE_MALFORMED, /* not a signed note, or not a checkpoint */
    AUDIT_NOTE_OTHER_KEY, /* of another origin, or without a signature by the key */
    AUDIT_NOTE_FORGED,    /* has a signature in the key's name that does not verify */
    AUDIT_NOTE_NO_MEMORY,
};

/*
 * Reads a checkpoint with any number of signatures. One must be by the key, and the origin must be
 * the key's name. Other signatures are ignored.
 */
enum audit_note audit_checkpoint_read(struct audit_checkpoint *c, const char *text, size_t n,
                                      const struct audit_vkey *key)
    __attribute__((warn_unused_result));

/* Reads a checkpoint without a key: checks only the form and proves nothing. */
enum audit_note audit_checkpoint_parse(struct audit_checkpoint *c, const char *text, size_t n)
    __attribute__((warn_unused_result));

/*
 * Writes a checkpoint of the current tree, signed with the private key that belongs to key, to out,
 * with a NUL. Returns the number of bytes without the NUL, or -ENOMEM if libcrypto failed.
 */
int audit_checkpoint_write(const struct audit_tree *t, const struct audit_vkey *key,
                           EVP_PKEY *private_key, char out[AUDIT_NOTE_MAX])
    __attribute__((warn_unused_result));

#endif
