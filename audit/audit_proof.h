/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Proofs that one record is in the log: RFC 9162, section 2.1.3, as files of C2SP's tlog-proof;
 * FORMAT.audit, section 9. A proof contains the record itself, and can be checked without the log.
 */
#ifndef POEMD_AUDIT_AUDIT_PROOF_H
#define POEMD_AUDIT_AUDIT_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/audit_log.h"
#include "audit/audit_note.h"
#include "audit/audit_tree.h"
#include "audit/audit_verify.h"

/*
 * Maximum size of a proof: the record in base64, the path, a checkpoint that others may have
 * signed.
 */
#define AUDIT_PROOF_MAX (2 * AUDIT_LINE_MAX + AUDIT_NOTE_FOREIGN_MAX + AUDIT_PROOF_PREFACE_MAX)

/* Maximum size of the text before a proof, for people: a record as prose, and two sentences. */
#define AUDIT_PROOF_PREFACE_MAX 8192u

struct audit_proof {
    uint64_t index;
    unsigned n;
    struct audit_hash path[AUDIT_PEAKS]; /* from the leaf's sibling to the root's child */
    size_t record_n;
    char record[AUDIT_LINE_MAX]; /* the line without its newline */
    struct audit_checkpoint checkpoint;
};

enum audit_proof_outcome {
    AUDIT_PROOF_OK,
    AUDIT_PROOF_MALFORMED, /* not a proof, or not of a record of an audit log */
    AUDIT_PROOF_OTHER_KEY, /* the checkpoint is not signed with the key */
    AUDIT_PROOF_FORGED,    /* the checkpoint's signature by the key does not verify */
    AUDIT_PROOF_WRONG,     /* the record is not at that place in the checkpoint's tree */
    AUDIT_PROOF_NO_MEMORY,
};

/* Returns a static text for people. */
const char *audit_proof_text(enum audit_proof_outcome o);

/*
 * Computes the root that the path leads to from a leaf at index in a tree of size leaves: RFC 9162,
 * section 2.1.3.2. Returns 0, -EINVAL if the path is too long or too short, or -ENOMEM. Pure.
 */
int audit_proof_root(const struct audit_hash *leaf, uint64_t index, uint64_t size,
                     const struct audit_hash *path, unsigned n, struct audit_hash *root)
    __attribute__((warn_unused_result));

/*
 * Returns a proof with a text before it that describes its record, *total bytes and a NUL, to be
 * freed. Returns NULL if out of memory, or if it is not a proof. Pure.
 */
char *audit_proof_describe(const char *proof, size_t n, size_t *total)
    __attribute__((warn_unused_result));

/*
 * Reads and checks a proof, of which a text before it is not a part. On failure, *out contains the
 * parts read so far. Pure.
 */
enum audit_proof_outcome audit_proof_check(struct audit_proof *out, const char *text, size_t n,
                                           const struct audit_vkey *key)
    __attribute__((warn_unused_result));

/*
 * Verifies a log of which records are to be proved; ignores q's on_line, on_log and older. Returns
 * false with the reason in why (size bytes) if it does not verify, has no checkpoint, is not one
 * log, or is a stream, which can be read only once.
 */
bool audit_proof_verify(const struct audit_question *q, struct audit_result *verified, char *why,
                        size_t size) __attribute__((warn_unused_result));

/*
 * Makes the proof of a record from a log's files, after verifying them; ignores q's on_line and
 * older. *verified is the result of the verification. Returns the file's text, *n bytes and a NUL,
 * to be freed; or NULL with the reason in why (size bytes): the log does not verify, or the record
 * does not exist or is not sealed yet.
 */
char *audit_proof_make(const struct audit_question *q, uint64_t record,
                       struct audit_result *verified, size_t *n, char *why, size_t size)
    __attribute__((warn_unused_result));

#endif
