/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The file that the audit log is written to, and its tree: FORMAT.audit, sections 3 and 7. Blocks;
 * audit_log.c has a thread for that. A batch is on disk whole, or the file is as it was before it.
 *
 *   audit_open.c     opens it: what is there is read again and compared
 *   audit_recover.c  a torn end is moved aside, and what was lost is recorded
 *   audit_mark.c     the last checkpoint, kept beside it: what must be there at the next start
 *   audit_touch.c    whether somebody else has changed it since it was written last
 *   audit_file.c     adds batches to it, begins new files
 */
#ifndef POEMD_AUDIT_AUDIT_FILE_H
#define POEMD_AUDIT_AUDIT_FILE_H

#include <limits.h>
#include <stdint.h>

#include "audit/audit_key.h"
#include "audit/audit_line.h"
#include "audit/audit_log.h"
#include "audit/audit_note.h"
#include "audit/audit_tree.h"

/* Digits of the number at the end of a rotated file's name, so that a shell sorts them. */
#define AUDIT_FILE_DIGITS 6
#define AUDIT_FILE_NUMBER_MAX 999999u

/* Records that may wait for a checkpoint where none of them asks for one. */
#define AUDIT_UNSEALED_MAX 64u

/* Where a tree ends: what the next line goes on from. */
struct audit_end {
    struct audit_tree tree;
    char prev[AUDIT_PREV_SIZE + 1];
    uint64_t sealed;                  /* records, the checkpoint among its own */
    char time[AUDIT_TIME_SIZE + 1];   /* of the last record that has one; "": none */
    char latest[AUDIT_TIME_SIZE + 1]; /* the latest of all; "": none */
    size_t last_n;                    /* bytes of the last line, without its end; 0: none */
};

struct audit_file {
    char path[PATH_MAX];
    int fd;          /* locked; -1: none */
    int mark_fd;     /* of the mark; -1: none can be kept */
    json_t *host;    /* owned; NULL: none */
    uint64_t length; /* bytes on disk */
    uint64_t rotate_size;
    unsigned last_number; /* of the files rotated before; 0: none */
    struct audit_key key;
    struct audit_end on_disk;
    struct audit_end batch; /* with the lines of the batch */
    char *bytes;            /* of the batch */
    size_t n;
    size_t room;
    bool seal; /* the batch wants a checkpoint */
    bool recovered;
    bool accept_loss;
    struct audit_checkpoint mark;   /* the largest that was found of our key; size 0: none */
    char mark_note[AUDIT_NOTE_MAX]; /* its text */
    char note[AUDIT_NOTE_MAX];      /* of the batch's checkpoint */
    uint64_t torn_bytes;
    uint64_t unsealed; /* records that were found without a checkpoint */
    char torn_path[PATH_MAX];
};

/* Opens or begins it. To be deinit'ed after AUDIT_OPEN_OK. */
enum audit_open audit_file_open(struct audit_file *f, const struct audit_settings *settings,
                                struct audit_fault *why) __attribute__((warn_unused_result));
void audit_file_deinit(struct audit_file *f);

/* The name of rotated file number, into out (PATH_MAX). False: it would be too long. */
bool audit_file_rotated(const char *path, unsigned number, char *out)
    __attribute__((warn_unused_result));

/* Takes the lock that a log's writer holds. 0, -EBUSY: another process has it, or -errno. */
int audit_file_lock(int fd) __attribute__((warn_unused_result));

/*
 * Adds a record to the batch; members is its JSON object as text, n bytes. Where its time is before
 * that of the record before, a clock-set-back record comes first. 0 or -ENOMEM: the batch is to be
 * given up.
 */
int audit_file_add(struct audit_file *f, const char *time, const struct audit_event *event,
                   const char *members, size_t n) __attribute__((warn_unused_result));

/* Adds a clock-set-back record where time is before that of the record before. 0 or -ENOMEM. */
int audit_file_add_clock(struct audit_file *f, const char *time)
    __attribute__((warn_unused_result));

/*
 * Adds a record of the log's own; members is taken (NULL: no memory). 0 or -ENOMEM, as before.
 */
int audit_file_add_own(struct audit_file *f, const char *time, const char *event, json_t *members)
    __attribute__((warn_unused_result));

/*
 * Puts the batch on disk, with a checkpoint at its end where a record asks for one, many are
 * without, or seal does. It is empty afterwards; a new file is begun where this one is large
 * enough. outcome, error and touched of *done are filled in.
 */
void audit_file_commit(struct audit_file *f, bool seal, struct audit_done *done);

/* ---- the mark: FORMAT.audit, section 7 ---- */

/*
 * Opens the mark beside the log and reads it into f->mark, if it is a checkpoint of our key. 0 or
 * -errno: it can neither be read nor made.
 */
int audit_mark_open(struct audit_file *f) __attribute__((warn_unused_result));

/* Notes a checkpoint that is on disk. What goes wrong is left: the older mark stays good. */
void audit_mark_write(const struct audit_file *f, const char *note);

/* The mark's path for a log's, into out (PATH_MAX). False: it would be too long. */
bool audit_mark_path(const char *path, char *out) __attribute__((warn_unused_result));

/* ---- a torn end ---- */

/*
 * Looks for checkpoints of our key in what is behind the file's length: f->mark becomes the
 * largest. 0 or -errno.
 */
int audit_recover_search(struct audit_file *f) __attribute__((warn_unused_result));

/*
 * Moves a torn end aside, and records how the log was found: log-recovered, loss-accepted. 0 or
 * -errno. Nothing is done where the log is as it was left.
 */
int audit_recover(struct audit_file *f) __attribute__((warn_unused_result));

/* ---- others who change the file ---- */

/*
 * Whether the file at the path is the one that is open, as long as it was left, and ends in the
 * record that was written last. Returns NULL, or what somebody did to it, static; *error is an
 * errno.
 */
const char *audit_touch_find(const struct audit_file *f, int *error)
    __attribute__((warn_unused_result));

/* Whether the first length bytes of the file end in the last line of end. */
bool audit_touch_same_end(const struct audit_file *f, const struct audit_end *end, uint64_t length)
    __attribute__((warn_unused_result));

#endif
