/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The file of the audit log and its tree: FORMAT.audit, sections 3 and 7. These functions block;
 * audit_log.c runs them in a thread. A batch is written to disk completely, or the file stays as it
 * was.
 *
 *   audit_open.c     opens the file: reads its content again and compares it
 *   audit_recover.c  moves a torn end aside and records losses
 *   audit_mark.c     keeps the last checkpoint beside the log, to be checked at the next start
 *   audit_touch.c    checks whether another process changed the file since the last write
 *   audit_file.c     adds batches, begins new files
 */
#ifndef POEMD_AUDIT_AUDIT_FILE_H
#define POEMD_AUDIT_AUDIT_FILE_H

#include <limits.h>
#include <stdint.h>

#include "audit/audit_key.h"
#include "audit/audit_line.h"
#include "audit/audit_outcome.h"
#include "audit/audit_note.h"
#include "audit/audit_tree.h"

/*
 * Digits of the number at the end of a rotated file's name: a fixed width, so that shells sort
 * them.
 */
#define AUDIT_FILE_DIGITS 6
#define AUDIT_FILE_NUMBER_MAX 999999u

/* Records that may wait for a checkpoint if none of them requires one. */
#define AUDIT_UNSEALED_MAX 64u

/* The end of a tree, which the next line continues. */
struct audit_end {
    struct audit_tree tree;
    char prev[AUDIT_PREV_SIZE + 1];
    uint64_t sealed;                  /* number of sealed records, including the checkpoint */
    char time[AUDIT_TIME_SIZE + 1];   /* of the last record with a time; "" if none */
    char latest[AUDIT_TIME_SIZE + 1]; /* the latest time of all records; "" if none */
    size_t last_n;                    /* bytes of the last line without its newline; 0 if none */
};

struct audit_file {
    char path[PATH_MAX];
    int fd;          /* locked; -1 if closed */
    int mark_fd;     /* of the mark; -1 if no mark can be kept */
    json_t *host;    /* owned; may be NULL */
    uint64_t length; /* bytes on disk */
    uint64_t rotate_size;
    unsigned last_number; /* of the rotated files; 0 if none */
    struct audit_key key;
    struct audit_end on_disk;
    struct audit_end batch; /* on_disk plus the lines of the batch */
    char *bytes;            /* lines of the batch */
    size_t n;
    size_t room;
    bool seal; /* the batch needs a checkpoint */
    bool recovered;
    bool accept_loss;
    struct audit_checkpoint mark;   /* the largest one found that our key signed; size 0 if none */
    char mark_note[AUDIT_NOTE_MAX]; /* its text */
    char note[AUDIT_NOTE_MAX];      /* of the batch's checkpoint */
    uint64_t torn_bytes;
    uint64_t unsealed; /* records found without a checkpoint */
    char torn_path[PATH_MAX];
};

/* Opens or creates the file. After AUDIT_OPEN_OK the caller calls audit_file_deinit. */
enum audit_open audit_file_open(struct audit_file *f, const struct audit_settings *settings,
                                struct audit_fault *why) __attribute__((warn_unused_result));
void audit_file_deinit(struct audit_file *f);

/*
 * Writes the name of the rotated file with this number to out (PATH_MAX). Returns false if it is
 * too long.
 */
bool audit_file_rotated(const char *path, unsigned number, char *out)
    __attribute__((warn_unused_result));

/* Takes the writer's lock. Returns 0, -EBUSY if another process holds it, or -errno. */
int audit_file_lock(int fd) __attribute__((warn_unused_result));

/*
 * Adds a record to the batch; members is its JSON object as n bytes of text. If the record's time
 * is before that of the record before, a clock-set-back record is added first. Returns 0 or
 * -ENOMEM, after which the batch must be discarded.
 */
int audit_file_add(struct audit_file *f, const char *time, const struct audit_event *event,
                   const char *members, size_t n) __attribute__((warn_unused_result));

/* Adds a clock-set-back record if time is before that of the last record. Returns 0 or -ENOMEM. */
int audit_file_add_clock(struct audit_file *f, const char *time)
    __attribute__((warn_unused_result));

/*
 * Adds one of the log's own records; takes ownership of members (NULL means out of memory). Returns
 * 0 or -ENOMEM, after which the batch must be discarded.
 */
int audit_file_add_own(struct audit_file *f, const char *time, const char *event, json_t *members)
    __attribute__((warn_unused_result));

/*
 * Writes the batch to disk. A checkpoint ends it if a record requires one, if many records lack
 * one, or if seal is set. The batch is empty afterwards; if the file has reached its size limit, a
 * new one is begun. Sets outcome, error and touched of *done.
 */
void audit_file_commit(struct audit_file *f, bool seal, struct audit_done *done);

/* ---- the mark: FORMAT.audit, section 7 ---- */

/*
 * Opens the mark beside the log and reads it into f->mark if our key signed it. Returns 0, or
 * -errno if it can neither be read nor created.
 */
int audit_mark_open(struct audit_file *f) __attribute__((warn_unused_result));

/* Saves a checkpoint that is on disk. Errors are ignored: the older mark stays valid. */
void audit_mark_write(const struct audit_file *f, const char *note);

/* ---- a torn end ---- */

/*
 * Searches the bytes behind the file's length for checkpoints of our key; f->mark becomes the
 * largest one. Returns 0 or -errno.
 */
int audit_recover_search(struct audit_file *f) __attribute__((warn_unused_result));

/*
 * Moves a torn end aside and records how the log was found: log-recovered, loss-accepted. Returns 0
 * or -errno. Does nothing if the log was closed properly.
 */
int audit_recover(struct audit_file *f) __attribute__((warn_unused_result));

/* ---- changes by other processes ---- */

/*
 * Checks that the file at the path is the open one, has the expected length and ends in the last
 * record written. Returns NULL if so, otherwise a static description of the change; *error is an
 * errno.
 */
const char *audit_touch_find(const struct audit_file *f, int *error)
    __attribute__((warn_unused_result));

/* Returns whether the first length bytes of the file end in the last line of end. */
bool audit_touch_same_end(const struct audit_file *f, const struct audit_end *end, uint64_t length)
    __attribute__((warn_unused_result));

#endif
