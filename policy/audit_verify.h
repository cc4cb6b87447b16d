/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Verifying an audit log: FORMAT.audit, section 8. Reads files, in memory that does not grow with
 * them; a log that is being written may be among them. Writes nothing.
 */
#ifndef POEMD_POLICY_AUDIT_VERIFY_H
#define POEMD_POLICY_AUDIT_VERIFY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/audit_note.h"
#include "policy/audit_walk.h"

enum audit_verdict {
    AUDIT_INTACT,    /* every record is as it was written, and sealed */
    AUDIT_UNSEALED,  /* so are all but those behind the last checkpoint, which nothing proves yet */
    AUDIT_TRUNCATED, /* records are missing: at the end, by the older checkpoint; or a whole file */
    AUDIT_TAMPERED,  /* a record is not as it was written, or is missing, or is not the log's */
    AUDIT_WRONG_KEY, /* sealed, but with another key than the one given */
    AUDIT_UNREADABLE, /* a file cannot be read, or is no audit log; nothing is known */
};

/* The verdict in a word, for programs: "intact", "unsealed", …; static. */
const char *audit_verdict_word(enum audit_verdict v);

/* What is verified. */
struct audit_question {
    const char *const *files; /* in any order; the same file twice counts once */
    size_t n;
    const struct audit_vkey *key;
    const struct audit_checkpoint *older; /* NULL: none. Its signature has been verified */
    /* NULL, or told of every line in order, before the verdict is known. False: stop, unreadable */
    bool (*on_line)(void *arg, const struct audit_walk *w, const struct audit_head *head,
                    const char *line, size_t n);
    void *arg;
};

struct audit_result {
    enum audit_verdict verdict;
    uint64_t first;   /* seq of the first record that was there */
    uint64_t size;    /* seq behind the last one that was looked at: the tree's size */
    uint64_t sealed;  /* records up to here are sealed */
    uint64_t partial; /* bytes of a line that is not whole, at the end */
    uint64_t bad_from;
    uint64_t bad_to;    /* AUDIT_TAMPERED, AUDIT_TRUNCATED: the records in question, both included;
                           UINT64_MAX: up to a number that nobody knows */
    uint64_t bad_line;  /* line in bad_file from 1; 0: none */
    char bad_file[256]; /* printable; "": none */
    bool written;       /* somebody has the last file open for writing */
    bool has_checkpoint;
    struct audit_checkpoint checkpoint; /* the last that is good */
    char note[AUDIT_NOTE_MAX];          /* its text */
    char text[768];                     /* all of it in a sentence or two; printable */
};

/* Verifies; *out is filled in whatever comes out. */
enum audit_verdict audit_verify(const struct audit_question *q, struct audit_result *out);

/* The result as JSON, a new reference; NULL without memory. poemctl-audit(1). */
json_t *audit_verify_json(const struct audit_result *r) __attribute__((warn_unused_result));

#endif
