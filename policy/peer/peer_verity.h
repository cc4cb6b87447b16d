/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The fs-verity digest of a file: the kernel checks each page of such a file against it when the
 * page is read, and the file can no longer be changed.
 */
#ifndef POEMD_POLICY_PEER_PEER_VERITY_H
#define POEMD_POLICY_PEER_PEER_VERITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEER_VERITY_MAX 64u /* bytes of the longest digest, SHA-512 */

/* As `fsverity measure` prints it, "sha256:" and hexadecimal digits; including the NUL. */
#define PEER_VERITY_TEXT_SIZE (sizeof "sha512:" + (size_t)2 * PEER_VERITY_MAX)

struct peer_verity {
    uint32_t size;      /* bytes of the digest; 0 if the file has none */
    uint32_t algorithm; /* FS_VERITY_HASH_ALG_* of linux/fsverity.h */
    uint8_t digest[PEER_VERITY_MAX];
};

/*
 * Gets the digest of an open file, which takes the kernel constant time: no byte of the file is
 * read. *out is of size 0 if the file has none.
 */
void peer_verity_measure(int fd, struct peer_verity *out);

/*
 * Reads the kernel's answer to FS_IOC_MEASURE_VERITY: struct fsverity_digest and a digest, n bytes
 * at p. Returns false if it is malformed or of an unknown algorithm; *out is of size 0 then. Pure.
 */
bool peer_verity_read(struct peer_verity *out, const uint8_t *p, size_t n);

/* Writes a digest as text; "" if there is none. Returns out. */
const char *peer_verity_text(const struct peer_verity *v, char out[PEER_VERITY_TEXT_SIZE]);

/* Returns whether a text has the form of a digest, with lower-case digits. */
bool peer_verity_is_text(const char *text);

#endif
