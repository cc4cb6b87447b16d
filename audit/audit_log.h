/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The audit log, written: FORMAT.audit, sections 2 to 7.
 *
 * Records are handed in as JSON objects, get a number and a time, become lines of a file and leaves
 * of a Merkle tree, and are on disk before anything that depends on them happens. A loop that must
 * not block does
 *
 *     audit_log_append(log, "verdict", fields, &number)      as often as it likes, then
 *     audit_log_commit(log)                                  once a turn;
 *
 * and when audit_log_fd() can be read
 *
 *     while (audit_log_collect(log, &done))
 *         … every append up to done.upto that was not told of before is done.outcome …
 *
 * Between commit and collect a thread of the log's own signs, writes and syncs. What is appended
 * while it does so makes up the next batch: one fdatasync serves all of them. Appends come true in
 * their order, and never one without all before it that were not told as lost.
 *
 * Only audit_log_open and audit_log_close block. No function but those of this header may be called
 * on a log, and all of them by one thread.
 */
#ifndef POEMD_AUDIT_AUDIT_LOG_H
#define POEMD_AUDIT_AUDIT_LOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit_log;

/* All borrowed for the call of audit_log_open. */
struct audit_settings {
    const char *path;     /* of the log; rotated files, what was torn, lie beside it */
    const char *key_path; /* PEM, Ed25519; KEY_PATH.pub beside it has its name (section 6) */
    uint64_t rotate_size; /* bytes from which a new file is begun; 0: never */
    json_t *host;         /* a member of every record (audit_host.h); NULL: none */
    bool accept_loss;     /* begins also where sealed records are gone: that is recorded */
};

/* How opening went. */
enum audit_open {
    AUDIT_OPEN_OK,
    AUDIT_OPEN_KEY,       /* the key cannot be read, is no Ed25519 key, or others may read it */
    AUDIT_OPEN_BUSY,      /* another process writes this log */
    AUDIT_OPEN_WRONG_KEY, /* it was sealed with another key */
    AUDIT_OPEN_TAMPERED,  /* it does not verify: nothing is ever appended to such a log */
    AUDIT_OPEN_LOSS,      /* a checkpoint of our own key has more records than there are: see
                             accept_loss */
    AUDIT_OPEN_SYSTEM,    /* a system call failed, or memory: error says it */
};

struct audit_fault {
    int error;      /* errno, 0 where none took part */
    char text[512]; /* printable; names the file and what to do */
};

/*
 * Opens the log, or begins it: reads it again from its first line (only the newest file; section
 * 7), compares tree and checkpoints, moves a torn end aside. Where its writer had not closed it, a
 * log-recovered record is on disk when this returns, and a loss-accepted record where sealed
 * records are gone and accept_loss is set. Starts the thread, which has all signals blocked. On
 * AUDIT_OPEN_OK *out is the log, to be closed by audit_log_close; otherwise it is NULL and *why is
 * filled in.
 */
enum audit_open audit_log_open(struct audit_log **out, const struct audit_settings *settings,
                               struct audit_fault *why) __attribute__((warn_unused_result));

/* What became of records. */
enum audit_outcome {
    AUDIT_DURABLE, /* on disk */
    AUDIT_FULL,    /* lost: no room (disk, quota, file size). The log is as it was before them, and
                      the next batch may succeed; a records-lost record is before it then */
    AUDIT_BROKEN,  /* lost, and the log's state is unknown, or somebody else has changed the file:
                      all that follows is lost as well until the log has been closed and opened
                      again */
};

/*
 * Queues a record: event is a name that section 4 has, fields (borrowed) an object with at least
 * the members that it demands there and none of "seq", "time", "prev", "event", "host". It is
 * written down now: fields may be changed afterwards. What would be longer than a line is cut as
 * section 2 has it. The time is that of the call. *number (may be NULL) is the append's own,
 * greater than that of the one before; no relation to the record's "seq".
 *
 * 0; -EINVAL: not as section 4 has it (a fault of the caller's); -EMSGSIZE: no cutting makes it a
 * line; -ENOBUFS: AUDIT_QUEUE_MAX are queued already: the disk does not keep up; -EIO: the log is
 * broken; -ENOMEM. Nothing is queued then, and all but the first are counted as lost records.
 */
int audit_log_append(struct audit_log *log, const char *event, const json_t *fields,
                     uint64_t *number) __attribute__((warn_unused_result));

/* Has all that is queued written out. Returns at once. */
void audit_log_commit(struct audit_log *log);

/* Can be read (poll, EV_READ|EV_PERSIST) while there is something to collect. Borrowed. */
int audit_log_fd(const struct audit_log *log);

struct audit_done {
    uint64_t upto; /* number of the last append this is said of */
    uint64_t seq;  /* of AUDIT_DURABLE: its record's "seq"; those of the appends before it that
                      this is said of are right before it */
    enum audit_outcome outcome;
    int error; /* errno of what was lost; of what is on disk: 0, or why no new file could be begun
                  where that is due: the log goes on in the old one, and tries again */
    const char
        *touched; /* AUDIT_BROKEN: what somebody else did to the file; NULL: nothing. Static */
};

/*
 * Says what became of the next batch: all appends up to out->upto that no earlier call told of.
 * False: nothing more at the moment.
 */
bool audit_log_collect(struct audit_log *log, struct audit_done *out)
    __attribute__((warn_unused_result));

/* Records in the tree, as far as they are on disk; also the "seq" of the next one. */
uint64_t audit_log_size(const struct audit_log *log);

/* How a log was found whose writer had not closed it. */
struct audit_recovered {
    uint64_t bytes;    /* of a torn end, moved to torn_path; 0: it was not torn */
    uint64_t unsealed; /* records behind the last checkpoint */
    const char *torn_path;
};

/* Whether the log was found so. *out is borrowed from the log. */
bool audit_log_recovered(const struct audit_log *log, struct audit_recovered *out);

/*
 * The latest time that a record of the log had when it was opened, AUDIT_TIME_SIZE characters, or
 * "" where there was none. Borrowed.
 */
const char *audit_log_latest(const struct audit_log *log);

/*
 * Commits what is queued, seals it with a checkpoint, waits for the disk, and frees the log. NULL
 * is allowed. Says what became of the last batch (AUDIT_DURABLE where there was none); *error (may
 * be NULL) is the errno of what was lost.
 */
enum audit_outcome audit_log_close(struct audit_log *log, int *error);

/*
 * A JSON string of foreign bytes, a new reference, NULL without memory: printable ASCII as it is,
 * all else, quotes and backslashes as \xNN; cut with "..." at 4,096 bytes. What a peer or a file
 * system names goes into a record by this alone.
 */
json_t *audit_text(const void *p, size_t n) __attribute__((warn_unused_result));

/* ---- limits ---- */

/*
 * A line, without its end: an entry of the public layout of such trees (C2SP's tlog-tiles, "entry
 * bundles") has its length in 16 bits, and a log must fit into one. A record that would be longer
 * is several (memory-exported), or is cut (audit_fit.h).
 */
#define AUDIT_LINE_MAX 65535u

/* Appends that wait for the disk: what a second of a stalled disk brings at 4,000 a second. */
#define AUDIT_QUEUE_MAX 4096u

/*
 * How long a record may wait for a checkpoint in milliseconds: with the time that a disk takes, a
 * log in which nothing more happens is sealed within a second.
 */
#define AUDIT_SEAL_MS 500u

/* How often a log that had no room is tried again where records were lost, in milliseconds. */
#define AUDIT_RETRY_MS 1000u

#endif
