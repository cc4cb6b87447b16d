/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Audit logs made by the real writer in the test's folder, and what verifying says of them.
 *
 * Whatever goes otherwise than asked fails the test.
 */
#ifndef POEMD_TESTS_UNIT_AUDIT_AUDIT_RIG_H
#define POEMD_TESTS_UNIT_AUDIT_AUDIT_RIG_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/audit_log.h"
#include "audit/audit_verify.h"

#define RIG_NAME "poemd.example/audit"

/* "log", "key", "key.pub" in the test's folder; static storage. */
const char *rig_log(void);
const char *rig_key(void);
const char *rig_pub(void);

/* Makes the pair of keys; what it was made into, static. */
const struct audit_vkey *rig_keygen(void);

/* The mark beside the log: as a log is that was made before there were marks. */
void rig_forget_mark(void);

/* Opens the log. */
struct audit_log *rig_open(uint64_t rotate_size);

/* Fails to open it with this outcome; why, static. */
const char *rig_open_fails(enum audit_open expected);

/* Opens a log that has lost sealed records: an operator says so. */
struct audit_log *rig_open_lossy(void);

/* Closes it; all is on disk. */
void rig_close(struct audit_log *log);

/* Appends a session-opened record of that number, or a verdict on it. */
void rig_append(struct audit_log *log, uint64_t session);
void rig_append_verdict(struct audit_log *log, uint64_t session);

/* Commits and waits until all that was appended has been told of, as this outcome. */
void rig_settle(struct audit_log *log, uint64_t upto, enum audit_outcome expected, int error);

/*
 * A new log of n records and its checkpoints, the keys made: every 10th record is a verdict.
 * Closed, so it ends in a checkpoint.
 */
void rig_make(uint64_t n, uint64_t rotate_size);

/* A file's bytes and a NUL, to be freed. */
char *rig_read(const char *path, size_t *n);

/* Writes a file anew. */
void rig_write(const char *path, const void *p, size_t n);

/* Verifies "log" with the key of rig_keygen. The result is static. */
const struct audit_result *rig_verify(void);

/* … several files, against an older checkpoint (NULL: none). */
const struct audit_result *rig_verify_files(const char *const *files, size_t n,
                                            const struct audit_checkpoint *older);

/* Fails, with what was said, unless the verdict is this one. */
void rig_expect(const struct audit_result *r, enum audit_verdict expected);

#endif
