/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Verifies audit logs: FORMAT.audit, section 8. Reads files and streams in constant memory; a log
 * may be in use meanwhile. Writes nothing.
 *
 * The files may belong to several logs of several hosts: their first lines determine which ones
 * belong together. Each log has a result of its own.
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
    AUDIT_UNSEALED,  /* likewise, except for records after the last checkpoint, which nothing proves
                        yet */
    AUDIT_TRUNCATED, /* records are missing: at the end, according to the older checkpoint, or a
                        whole file */
    AUDIT_TAMPERED,  /* a record was altered, is missing, or was not written by the log */
    AUDIT_WRONG_KEY, /* sealed with a key other than the one given */
    AUDIT_UNREADABLE, /* a file cannot be read, or is not an audit log; nothing is known */
};

/* Returns the verdict as a static word for programs: "intact", "unsealed", … */
const char *audit_verdict_word(enum audit_verdict v);

/* Gaps and wrong times that a log itself records. */
struct audit_gaps {
    uint64_t lost;     /* records that could not be written: the sum of records-lost */
    uint64_t lost_seq; /* the first record that reports it */
    uint64_t gone;     /* missing sealed records whose loss an operator accepted (loss-accepted) */
    uint64_t gone_seq; /* the first record that reports it */
    uint64_t back;     /* number of times the clock was set back, by clock-set-back */
    uint64_t back_seq; /* the first record earlier than the one before */
    uint64_t unmarked; /* number of times that go back without such a record */
    uint64_t repeated; /* unsuccessful sessions without records of their own */
};

struct audit_result;

/* The input of a verification. */
struct audit_question {
    const char *const *files; /* in any order; duplicates count once; "-" is stdin */
    size_t n;
    const struct audit_vkey *key; /* one key, or n_keys; each log must be sealed with one of them */
    size_t n_keys;                /* 0 for one key */
    const struct audit_checkpoint *older; /* may be NULL. Its signature has been verified. Valid
                                             for a single log only; with several it is an error */
    /*
     * May be NULL. Called for every line in order, before the verdict is known. Returning false
     * stops with AUDIT_UNREADABLE
     */
    bool (*on_line)(void *arg, const struct audit_walk *w, const struct audit_head *head,
                    const char *line, size_t n);
    /* May be NULL. Called with each log's result, in the order in which the logs are read */
    void (*on_log)(void *arg, const struct audit_result *r);
    void *arg;
};

struct audit_result {
    enum audit_verdict verdict;
    unsigned logs;             /* number of logs verified */
    char host[AUDIT_SET_HOST]; /* name of the log's host, printable; "" if unknown */
    char begins[256];          /* the file with its first record; printable */
    uint64_t first;            /* seq of the first existing record */
    uint64_t size;             /* seq after the last record checked: the tree's size */
    uint64_t sealed;           /* number of sealed records */
    uint64_t partial;          /* bytes of an incomplete line at the end */
    uint64_t bad_from;
    uint64_t bad_to;    /* AUDIT_TAMPERED, AUDIT_TRUNCATED: the records affected, both included;
                           UINT64_MAX if the end is unknown */
    uint64_t bad_line;  /* line in bad_file from 1; 0 if none */
    char bad_file[256]; /* printable; "" if none */
    bool has_bad;       /* bad_from and bad_to are set */
    bool written;       /* another process has the last file open for writing */
    struct audit_gaps gaps;
    bool has_checkpoint;
    struct audit_checkpoint checkpoint; /* the last valid one */
    char note[AUDIT_NOTE_MAX];          /* its text */
    char text[1024];                    /* the result in a sentence or two; printable */
};

/* Verifies logs; *out is always set: for several logs it is the result with the worst verdict. */
enum audit_verdict audit_verify(const struct audit_question *q, struct audit_result *out);

/* Processes a line that the walk accepted: head, and the time of the record before ("" if none). */
void audit_gaps_line(struct audit_gaps *t, const struct audit_head *head, const char *before);

/* Writes the gaps as a text to append to a sentence: "" or "; …". */
void audit_gaps_text(const struct audit_gaps *t, char *out, size_t size);

/* Returns a new reference to the result as JSON, or NULL if out of memory. See poemctl-audit(1). */
json_t *audit_verify_json(const struct audit_result *r) __attribute__((warn_unused_result));

#endif
