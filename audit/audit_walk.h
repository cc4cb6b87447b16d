/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Walks the audit log line by line, in order: each line is a leaf of the tree, and must match the
 * lines before it. Used to open, verify and report on a log, and to make proofs.
 *
 * Pure, except that libcrypto and jansson allocate memory: no files, no clock.
 */
#ifndef POEMD_AUDIT_AUDIT_WALK_H
#define POEMD_AUDIT_AUDIT_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/audit_line.h"
#include "audit/audit_note.h"
#include "audit/audit_tree.h"

struct audit_walk {
    const struct audit_vkey *key; /* borrowed; NULL to ignore signatures */
    size_t n_keys; /* number of candidates from key on; 1 once one of them has signed the log */
    bool begun;
    uint64_t first;                   /* seq of the first record of the walk */
    struct audit_tree tree;           /* all records before `first`, and those walked */
    char prev[AUDIT_PREV_SIZE + 1];   /* required of the next line; "" if unknown */
    uint64_t sealed;                  /* number of sealed records, including the checkpoint */
    char time[AUDIT_TIME_SIZE + 1];   /* of the last record with a time; "" if none */
    char latest[AUDIT_TIME_SIZE + 1]; /* the latest of all, also before `first`; "" if none */
    bool has_checkpoint;
    struct audit_checkpoint checkpoint; /* the last valid one */
    char note[AUDIT_NOTE_MAX];          /* its text */
};

enum audit_step {
    AUDIT_STEP_OK,
    AUDIT_STEP_NO_RECORD, /* not a line of the log */
    AUDIT_STEP_SEQ,       /* a line out of place: one was removed, duplicated or swapped */
    AUDIT_STEP_PREV,      /* the previous record is not the one that this one was written after */
    AUDIT_STEP_BEGINNING, /* the file does not continue the one before */
    AUDIT_STEP_ROOT,      /* a checkpoint of another tree: a record since the last one differs */
    AUDIT_STEP_NOTE,      /* a malformed checkpoint */
    AUDIT_STEP_FORGED,    /* a checkpoint with a wrong signature */
    AUDIT_STEP_OTHER_KEY, /* a checkpoint of another key. The walk may continue: it seals nothing */
    AUDIT_STEP_NO_MEMORY,
};

/* Returns a static text for people. */
const char *audit_step_text(enum audit_step s);

/* key is the key that must have sealed the log, or the first of n_keys candidates. */
void audit_walk_init(struct audit_walk *w, const struct audit_vkey *key, size_t n_keys);

/*
 * Processes one line without its newline; first_of_file is set for the first line of a file. Files
 * may have been joined, so that a continued file may also begin within another. *head is the line's
 * beginning. After any result but OK and OTHER_KEY the tree is unchanged, and the walk is over,
 * except for audit_walk_blame.
 */
enum audit_step audit_walk_line(struct audit_walk *w, const char *line, size_t n,
                                bool first_of_file, struct audit_head *head)
    __attribute__((warn_unused_result));

/*
 * Finds the altered record of two after AUDIT_STEP_PREV at record seq, which hashes to leaf: if the
 * next line does not follow it either, its own "prev" was altered. Returns the record's number:
 * seq, or one less.
 */
uint64_t audit_walk_blame(uint64_t seq, const struct audit_hash *leaf, const char *next, size_t n);

#endif
