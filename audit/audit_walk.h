/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A walk over the audit log, line by line in its order: each is a leaf of the tree, and must be
 * what the lines before it demand. Used to open a log, to verify it, to prove from it, to report of
 * it.
 *
 * Pure but for what libcrypto and jansson allocate: no file, no clock.
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
    const struct audit_vkey *key; /* borrowed; NULL: signatures are not looked at */
    size_t n_keys; /* that may be the log's, from key on; 1 once one of them has signed it */
    bool begun;
    uint64_t first;                 /* seq of the first record walked over */
    struct audit_tree tree;         /* all before `first`, and what was walked over */
    char prev[AUDIT_PREV_SIZE + 1]; /* that the next line must have; "": not known */
    uint64_t sealed;                /* records that are sealed, a checkpoint among its own */
    char time[AUDIT_TIME_SIZE + 1]; /* of the last record that has one; "": none */
    char
        latest[AUDIT_TIME_SIZE + 1]; /* the latest of all, also of those before `first`; "": none */
    bool has_checkpoint;
    struct audit_checkpoint checkpoint; /* the last good one */
    char note[AUDIT_NOTE_MAX];          /* its text */
};

enum audit_step {
    AUDIT_STEP_OK,
    AUDIT_STEP_NO_RECORD, /* not a line of the log's */
    AUDIT_STEP_SEQ,       /* a line of another place: one was dropped, doubled, or swapped */
    AUDIT_STEP_PREV,      /* the record before is not the one that this was written behind */
    AUDIT_STEP_BEGINNING, /* a file begins that does not go on from the one before */
    AUDIT_STEP_ROOT,      /* a checkpoint of another tree: something since the last one differs */
    AUDIT_STEP_NOTE,      /* a checkpoint that is none */
    AUDIT_STEP_FORGED,    /* a checkpoint with a wrong signature */
    AUDIT_STEP_OTHER_KEY, /* a checkpoint of another key. The walk may go on: it seals nothing */
    AUDIT_STEP_NO_MEMORY,
};

/* Text for a person; static. */
const char *audit_step_text(enum audit_step s);

/* key: the one that the log must be sealed with, or the first of n_keys of which one must. */
void audit_walk_init(struct audit_walk *w, const struct audit_vkey *key, size_t n_keys);

/*
 * Walks over a line, without its end; first_of_file: it begins a file. Files may have been joined:
 * then one that is gone on from begins within another. *head is what it says. After
 * anything but OK and OTHER_KEY the tree is as it was before the line, and the walk is over, save
 * for audit_walk_blame.
 */
enum audit_step audit_walk_line(struct audit_walk *w, const char *line, size_t n,
                                bool first_of_file, struct audit_head *head)
    __attribute__((warn_unused_result));

/*
 * After AUDIT_STEP_PREV at record seq, which hashes to leaf: which of two was altered? Its own
 * "prev" was, where the next line was not written behind it either. Returns the record's number:
 * seq, or one less.
 */
uint64_t audit_walk_blame(uint64_t seq, const struct audit_hash *leaf, const char *next, size_t n);

#endif
