/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The file that the audit log is written to, and its tree: FORMAT.audit, sections 3 and 7. Blocks;
 * audit_log.c has a thread for that. A batch is on disk whole, or the file is as it was before it.
 *
 *   audit_open.c  opens it: what is there is read again and compared, a torn end moved aside
 *   audit_file.c  adds batches to it, begins new files
 */
#ifndef POEMD_POLICY_AUDIT_FILE_H
#define POEMD_POLICY_AUDIT_FILE_H

#include <limits.h>
#include <stdint.h>

#include "policy/audit_key.h"
#include "policy/audit_line.h"
#include "policy/audit_log.h"
#include "policy/audit_tree.h"

/* Digits of the number at the end of a rotated file's name, so that a shell sorts them. */
#define AUDIT_FILE_DIGITS 6
#define AUDIT_FILE_NUMBER_MAX 999999u

/* Records that may wait for a checkpoint where none of them asks for one. */
#define AUDIT_UNSEALED_MAX 64u

/* Where a tree ends: what the next line goes on from. */
struct audit_end {
    struct audit_tree tree;
    char prev[AUDIT_PREV_SIZE + 1];
    uint64_t sealed; /* records, the checkpoint among its own */
};

struct audit_file {
    char path[PATH_MAX];
    int fd;          /* locked; -1: none */
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
 * Adds a record to the batch; members is its JSON object as text, n bytes. 0 or -ENOMEM: the batch
 * is as it was.
 */
int audit_file_add(struct audit_file *f, const char *time, const struct audit_event *event,
                   const char *members, size_t n) __attribute__((warn_unused_result));

/*
 * Puts the batch on disk, with a checkpoint at its end where a record asks for one, many are
 * without, or seal does. It is empty afterwards; a new file is begun where this one is large
 * enough. *error is as in struct audit_done.
 */
enum audit_outcome audit_file_commit(struct audit_file *f, bool seal, int *error)
    __attribute__((warn_unused_result));

#endif
