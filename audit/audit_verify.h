/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Verifying audit logs: FORMAT.audit, section 8. Reads files and streams, in memory that does not
 * grow with them; a log that is being written may be among them. Writes nothing.
 *
 * Files may be of several logs, of several hosts: which belong together is what their first lines
 * say. Each log has a result of its own.
 */
#ifndef POEMD_AUDIT_AUDIT_VERIFY_H
#define POEMD_AUDIT_AUDIT_VERIFY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/audit_note.h"
#include "audit/audit_set.h"
#include "audit/audit_walk.h"

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

/* What a log says of itself: that it is not all that was to be in it, or not of the time it says.
 */
struct audit_told {
    uint64_t lost;     /* records that could not be written, the sum of records-lost */
    uint64_t lost_seq; /* the first record that says so */
    uint64_t gone;     /* sealed records that an operator went on without (loss-accepted) */
    uint64_t gone_seq; /* the first record that says so */
    uint64_t back;     /* times at which the clock was set back, by clock-set-back */
    uint64_t back_seq; /* the first record of an earlier time than the one before */
    uint64_t unmarked; /* times that are before the one before without such a record */
    uint64_t repeated; /* sessions that came to nothing and have no records of their own */
};

struct audit_result;

/* What is verified. */
struct audit_question {
    const char *const *files; /* in any order; the same file twice counts once; "-": stdin */
    size_t n;
    const struct audit_vkey *key; /* one, or n_keys, of which each log must be sealed with one */
    size_t n_keys;                /* 0: one */
    const struct audit_checkpoint *older; /* NULL: none. Its signature has been verified; for one
                                             log: where there are several, that is an error */
    /* NULL, or told of every line in order, before the verdict is known. False: stop, unreadable */
    bool (*on_line)(void *arg, const struct audit_walk *w, const struct audit_head *head,
                    const char *line, size_t n);
    /* NULL, or told of each log's result when it is known, in the order in which they are read */
    void (*on_log)(void *arg, const struct audit_result *r);
    void *arg;
};

struct audit_result {
    enum audit_verdict verdict;
    unsigned logs;             /* how many have been verified */
    char host[AUDIT_SET_HOST]; /* name of the log's host; "": not known. Printable */
    char begins[256];          /* the file with its first record; printable */
    uint64_t first;            /* seq of the first record that was there */
    uint64_t size;             /* seq behind the last one that was looked at: the tree's size */
    uint64_t sealed;           /* records up to here are sealed */
    uint64_t partial;          /* bytes of a line that is not whole, at the end */
    uint64_t bad_from;
    uint64_t bad_to;    /* AUDIT_TAMPERED, AUDIT_TRUNCATED: the records in question, both included;
                           UINT64_MAX: up to a number that nobody knows */
    uint64_t bad_line;  /* line in bad_file from 1; 0: none */
    char bad_file[256]; /* printable; "": none */
    bool has_bad;       /* bad_from and bad_to are set */
    bool written;       /* somebody has the last file open for writing */
    struct audit_told told;
    bool has_checkpoint;
    struct audit_checkpoint checkpoint; /* the last that is good */
    char note[AUDIT_NOTE_MAX];          /* its text */
    char text[1024];                    /* all of it in a sentence or two; printable */
};

/*
 * Verifies; *out is filled in whatever comes out: of several logs it is the result of the one with
 * the worst verdict.
 */
enum audit_verdict audit_verify(const struct audit_question *q, struct audit_result *out);

/*
 * Takes in a line that the walk has taken: head, and the time of the record before ("": none).
 */
void audit_told_line(struct audit_told *t, const struct audit_head *head, const char *before);

/* What is told, to be put behind a sentence: "" or "; …". */
void audit_told_text(const struct audit_told *t, char *out, size_t size);

/* The result as JSON, a new reference; NULL without memory. poemctl-audit(1). */
json_t *audit_verify_json(const struct audit_result *r) __attribute__((warn_unused_result));

#endif
