/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Inclusion proofs of any number of records of a verified log, made in one reading of it. Memory
 * grows with the number of these records, by their lines and some 64 bytes for each level of the
 * tree, not with the log.
 */
#ifndef POEMD_AUDIT_AUDIT_PROOFS_H
#define POEMD_AUDIT_AUDIT_PROOFS_H

#include <stddef.h>
#include <stdint.h>

#include "audit/audit_tree.h"
#include "audit/audit_verify.h"
#include "base/text/base64.h"

/* The first line of a proof, and the characters of a hash in it. */
#define AUDIT_PROOF_MAGIC "c2sp.org/tlog-proof@v1\n"
#define AUDIT_PROOF_HASH_TEXT BASE64_SIZE((size_t)AUDIT_HASH_SIZE)

struct audit_proofs;

/*
 * Reads the log of a question again that audit_proof_verify has verified with this result; ignores
 * q's on_line, on_log and older. records are n numbers, strictly ascending, from verified->first to
 * below verified->checkpoint.size. Returns NULL if out of memory, or if the log is no longer the
 * one that was verified.
 */
struct audit_proofs *audit_proofs_new(const struct audit_question *q,
                                      const struct audit_result *verified, const uint64_t *records,
                                      size_t n) __attribute__((warn_unused_result));

/* NULL is allowed. */
void audit_proofs_free(struct audit_proofs *p);

/*
 * Returns the proof of one of the records as the text of a file (FORMAT.audit, section 9), *n bytes
 * and a NUL, to be freed. Returns NULL if out of memory.
 */
char *audit_proofs_text(const struct audit_proofs *p, uint64_t record, size_t *n)
    __attribute__((warn_unused_result));

#endif
