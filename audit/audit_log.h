/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Writes the audit log: FORMAT.audit, sections 2 to 7.
 *
 * Records arrive as JSON objects, get a number and a time, become lines of a file and leaves of a
 * Merkle tree, and are on disk before any action that depends on them. A loop that must not block
 * calls
 *
 *     audit_log_append(log, "verdict", fields, &number)      as often as it likes, then
 *     audit_log_commit(log)                                  once per turn;
 *
 * and when audit_log_fd() is readable
 *
 *     while (audit_log_collect(log, &done))
 *         … done.outcome applies to every append up to done.upto not reported before …
 *
 * Between commit and collect a thread of the log signs, writes and syncs. Records appended
 * meanwhile form the next batch: one fdatasync serves all of them. Appends become durable in their
 * order, and none does before all earlier ones that were not reported as lost.
 *
 * Only audit_log_open and audit_log_close block. Only the functions of this header may be called on
 * a log, and only by one thread.
 */
#ifndef POEMD_AUDIT_AUDIT_LOG_H
#define POEMD_AUDIT_AUDIT_LOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/audit_line.h"
#include "audit/audit_outcome.h"

struct audit_log;

/*
 * Opens or creates the log: reads the newest file from its first line (section 7), compares tree
 * and checkpoints, moves a torn end aside. If its writer had not closed it, a log-recovered record
 * is on disk on return, and a loss-accepted record if sealed records are missing and accept_loss is
 * set. Starts the thread, which has all signals blocked. On AUDIT_OPEN_OK *out is the log, to be
 * closed by audit_log_close; otherwise it is NULL and *why is set.
 */
enum audit_open audit_log_open(struct audit_log **out, const struct audit_settings *settings,
                               struct audit_fault *why) __attribute__((warn_unused_result));

/*
 * Queues a record: event is an event name of section 4; fields (borrowed) is an object with at
 * least the members that section 4 requires, and without "seq", "time", "prev", "event" or "host".
 * It is serialised immediately, so fields may be changed afterwards. A record longer than a line is
 * cut as described in section 2. Its time is that of the call. *number (may be NULL) is the number
 * of this append, greater than that of the append before; it is unrelated to the record's "seq".
 *
 * Returns 0; -EINVAL if the record does not conform to section 4 (a bug of the caller); -EMSGSIZE
 * if even the shortest form exceeds a line; -ENOBUFS if AUDIT_QUEUE_MAX records are queued already,
 * because the disk is too slow; -EIO if the log is broken; or -ENOMEM. After an error nothing is
 * queued, and, except for -EINVAL, the record counts as lost.
 */
int audit_log_append(struct audit_log *log, const char *event, const json_t *fields,
                     uint64_t *number) __attribute__((warn_unused_result));

/* Requests that all queued records be written. Returns at once. */
void audit_log_commit(struct audit_log *log);

/*
 * Returns an fd that is readable (poll, EV_READ|EV_PERSIST) while there are results to collect.
 * Borrowed.
 */
int audit_log_fd(const struct audit_log *log);

/*
 * Takes the result of the next batch: all appends up to out->upto that no earlier call reported.
 * Returns false if there is none at the moment.
 */
bool audit_log_collect(struct audit_log *log, struct audit_done *out)
    __attribute__((warn_unused_result));

/* Returns the number of records on disk, which is the "seq" of the next one. */
uint64_t audit_log_size(const struct audit_log *log);

/* The state in which an improperly closed log was found. */
struct audit_recovered {
    uint64_t bytes;    /* size of a torn end, moved to torn_path; 0 if it was not torn */
    uint64_t unsealed; /* records after the last checkpoint */
    const char *torn_path;
};

/* Returns whether the log had been closed improperly. *out is borrowed from the log. */
bool audit_log_recovered(const struct audit_log *log, struct audit_recovered *out);

/*
 * Returns the latest time of all records that the log had when it was opened, AUDIT_TIME_SIZE
 * characters, or "" if there was none. Borrowed.
 */
const char *audit_log_latest(const struct audit_log *log);

/*
 * Commits the queue, seals it with a checkpoint, waits for the disk, and frees the log, which may
 * be NULL. Returns the outcome of the last batch (AUDIT_DURABLE if there was none); *error (may be
 * NULL) is the errno of a loss.
 */
enum audit_outcome audit_log_close(struct audit_log *log, int *error);

/* ---- limits ---- */

/* Appends that may wait for the disk: one second of a stalled disk at 4,000 records per second. */
#define AUDIT_QUEUE_MAX 4096u

/*
 * Milliseconds that a record may wait for a checkpoint: including the disk's latency, an idle log
 * is sealed within a second.
 */
#define AUDIT_SEAL_MS 500u

/* Milliseconds between attempts to record losses in a log that had no room. */
#define AUDIT_RETRY_MS 1000u

#endif
