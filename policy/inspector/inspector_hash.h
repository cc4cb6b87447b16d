/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Digests of files, computed slice by slice, each part of a file once: the work so far is kept by
 * the file's identity, also if its inspection is given up, and is shared by all inspections of the
 * same file. Runs in the inspector.
 */
#ifndef POEMD_POLICY_INSPECTOR_INSPECTOR_HASH_H
#define POEMD_POLICY_INSPECTOR_INSPECTOR_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/inspector/inspector.h"

#define INSPECTOR_MD5_SIZE 16u

/* Files whose work is kept without an inspection in progress, about 1 KiB each. */
#define INSPECTOR_HASHES_KEPT 64u

struct inspector_hash {
    const uint8_t *sha256; /* INSPECTION_SHA256_SIZE bytes */
    const uint8_t *md5;    /* INSPECTOR_MD5_SIZE bytes, or NULL if it was not asked for */
    uint64_t at;           /* bytes of the file that have been read */
    bool done;             /* the digests are set */
};

/*
 * Returns the work on a file, new or continued, with the MD5 if that is wanted. The caller calls
 * inspector_hash_release. Returns NULL if out of memory. A file that changed very recently shares
 * no work: within one clock tick it could change again and look the same.
 */
struct inspector_hash *inspector_hash_get(const struct peer_file_id *id, bool md5)
    __attribute__((warn_unused_result));

/* Keeps the work for the next inspection of the file. NULL is allowed. */
void inspector_hash_release(struct inspector_hash *h);

/*
 * Reads a slice of the file through fd. Returns 1 if the digests are set, 0 if there is more to
 * read, or -errno (-ESTALE if the file has become shorter), after which the work is not kept.
 */
int inspector_hash_step(struct inspector_hash *h, int fd) __attribute__((warn_unused_result));

#endif
