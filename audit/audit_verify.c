/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Verifies audit logs in one pass over the files of each. The first fault ends the pass, except for
 * a checkpoint of another key, which may turn out to be an altered one of ours.
 */
#define _GNU_SOURCE
#include "audit/audit_verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "audit/audit_scan.h"
#include "audit/audit_set.h"

struct job {
    const struct audit_question *q;
    struct audit_result *r;
    struct audit_set *set;
    struct audit_walk walk;
    struct audit_member *at;   /* the current file */
    char host[AUDIT_SET_HOST]; /* of the log, once known */
    uint64_t line;
    bool other_key; /* a checkpoint of another key was seen, first at other_seq */
    uint64_t other_seq;
    uint64_t other_line;
    const struct audit_member *other_at;
    bool older_seen; /* the tree reached the older checkpoint's size */
    bool older_same; /* and was the same there */
};

const char *audit_verdict_word(enum audit_verdict v)
{
    static const char *const words[] = {
        [AUDIT_INTACT] = "intact",       [AUDIT_UNSEALED] = "unsealed",
        [AUDIT_TRUNCATED] = "truncated", [AUDIT_TAMPERED] = "tampered",
        [AUDIT_WRONG_KEY] = "wrong-key", [AUDIT_UNREADABLE] = "unreadable",
    };

    return words[v];
}

__attribute__((format(printf, 3, 4))) static bool audit_verify_decide(struct job *j,
                                                                      enum audit_verdict v,
                                                                      const char *fmt, ...)
{
    va_list ap;

    j->r->verdict = v;
    va_start(ap, fmt);
    vsnprintf(j->r->text, sizeof j->r->text, fmt, ap);
    va_end(ap);
    return false;
}

static const char *audit_verify_place(struct job *j, const struct audit_member *m, uint64_t line)
{
    j->r->bad_line = line;
    return log_escape(j->r->bad_file, sizeof j->r->bad_file, m->path, strlen(m->path));
}

static void audit_verify_bad(struct job *j, uint64_t from, uint64_t to)
{
    j->r->has_bad = true;
    j->r->bad_from = from;
    j->r->bad_to = to;
}

/* Returns "record 7" or "records 3 to 7" in static storage, for one use. */
static const char *audit_verify_records(uint64_t from, uint64_t to)
{
    static char text[64];

    if (from == to) {
        snprintf(text, sizeof text, "record %" PRIu64, from);
    } else {
        snprintf(text, sizeof text, "records %" PRIu64 " to %" PRIu64, from, to);
    }
    return text;
}

/* ---- why a walk stopped ---- */

/*
 * The next record's "prev" shows that one of two was altered: reads one more line to find out
 * which.
 */
static bool audit_verify_blame(struct job *j, struct audit_scan *scan, uint64_t seq,
                               const struct audit_hash *leaf)
{
    const char *const where = audit_verify_place(j, j->at, j->line);
    const char *next;
    size_t n;

    audit_verify_bad(j, seq - 1, seq);
    if (audit_scan_next(scan, &next, &n) != AUDIT_SCAN_LINE) {
        return audit_verify_decide(j, AUDIT_TAMPERED,
                                   "%s (%s, up to line %" PRIu64 "): one of them was altered",
                                   audit_verify_records(seq - 1, seq), where, j->line);
    }
    seq = audit_walk_blame(seq, leaf, next, n);
    audit_verify_bad(j, seq, seq);
    /* The first line of a file may prove that the last one of the file before was altered. */
    j->r->bad_line = seq == j->walk.tree.size ? j->line : j->line - 1;
    if (j->r->bad_line == 0) {
        return audit_verify_decide(
            j, AUDIT_TAMPERED, "record %" PRIu64 ", the last before %s, was altered", seq, where);
    }
    return audit_verify_decide(j, AUDIT_TAMPERED,
                               "record %" PRIu64 " (%s, line %" PRIu64 ") was altered", seq, where,
                               j->r->bad_line);
}

/* Returns whether the next line is a record, which shows that the line before used to be one. */
static bool audit_verify_record_follows(struct audit_scan *scan)
{
    struct audit_head head;
    const char *next;
    size_t n;

    return audit_scan_next(scan, &next, &n) == AUDIT_SCAN_LINE && audit_line_read(&head, next, n);
}

/* Handles a line that the walk rejected. */
static bool audit_verify_stopped(struct job *j, struct audit_scan *scan, enum audit_step s,
                                 const struct audit_head *head)
{
    const uint64_t seq = j->walk.tree.size;
    const char *where;

    if (s == AUDIT_STEP_NO_MEMORY) {
        return audit_verify_decide(j, AUDIT_UNREADABLE, "out of memory");
    }
    where = audit_verify_place(j, j->at, j->line);
    if (s == AUDIT_STEP_NO_RECORD && !j->walk.begun && !audit_verify_record_follows(scan)) {
        return audit_verify_decide(j, AUDIT_UNREADABLE,
                                   "%s is not an audit log: its first line is not a record", where);
    }
    if (s == AUDIT_STEP_SEQ && !j->walk.begun) {
        audit_verify_bad(j, 0, head->seq - 1);
        return audit_verify_decide(j, AUDIT_TAMPERED,
                                   "%s begins with record %" PRIu64
                                   ", which cannot begin a file: the lines before it "
                                   "are missing",
                                   where, head->seq);
    }
    if (s == AUDIT_STEP_ROOT) {
        audit_verify_bad(j, j->walk.sealed, seq);
        return audit_verify_decide(j, AUDIT_TAMPERED,
                                   "%s: at least one of them was altered, or is "
                                   "missing (%s, line %" PRIu64 ": %s)",
                                   audit_verify_records(j->walk.sealed, seq), where, j->line,
                                   audit_step_text(s));
    }
    audit_verify_bad(j, seq, seq);
    return audit_verify_decide(j, AUDIT_TAMPERED, "record %" PRIu64 " (%s, line %" PRIu64 "): %s",
                               seq, where, j->line, audit_step_text(s));
}

/* ---- the walk ---- */

/* Compares the tree with the older checkpoint once it has the same size. */
static bool audit_verify_compare_older(struct job *j, const struct audit_tree *tree)
{
    const struct audit_checkpoint *const older = j->q->older;
    struct audit_hash root;

    if (!older || j->older_seen || older->size != tree->size) {
        return true;
    }
    if (audit_tree_root(tree, &root) < 0) {
        return audit_verify_decide(j, AUDIT_UNREADABLE, "out of memory");
    }
    j->older_seen = true;
    j->older_same = audit_hash_same(&root, &older->root);
    return true;
}

/* Does the same before the first record, with the tree that it continues. */
static bool audit_verify_compare_beginning(struct job *j, const struct audit_head *head)
{
    struct audit_tree before;

    audit_tree_init(&before);
    if (j->walk.tree.size != j->walk.first + 1 ||
        (head->seq > 0 && !audit_line_rotated(head, &before, NULL))) {
        return true;
    }
    return audit_verify_compare_older(j, &before);
}

/* Detects a missing file: the next file begins with a later record than expected. */
static bool audit_verify_check_gap(struct job *j, const struct audit_head *head)
{
    if (!j->walk.begun || head->seq <= j->walk.tree.size ||
        strcmp(head->event->name, AUDIT_ROTATED) != 0) {
        return true;
    }
    audit_verify_bad(j, j->walk.tree.size, head->seq - 1);
    return audit_verify_decide(j, AUDIT_TRUNCATED,
                               "records %" PRIu64 " to %" PRIu64
                               " are in none of the files: a file before %s is "
                               "missing or was cut short",
                               j->r->bad_from, j->r->bad_to, audit_verify_place(j, j->at, j->line));
}

static bool audit_verify_take_line(struct job *j, struct audit_scan *scan, const char *line,
                                   size_t n)
{
    struct audit_head head;
    char time[AUDIT_TIME_SIZE + 1];
    struct audit_hash leaf;
    enum audit_step s;

    j->line = scan->lines;
    memcpy(time, j->walk.time, sizeof time);
    if (audit_line_read(&head, line, n) && !audit_verify_check_gap(j, &head)) {
        return false;
    }
    s = audit_walk_line(&j->walk, line, n, j->line == 1, &head);
    if (s == AUDIT_STEP_PREV) {
        return audit_hash_leaf(line, n, &leaf) < 0
                   ? audit_verify_stopped(j, scan, AUDIT_STEP_NO_MEMORY, &head)
                   : audit_verify_blame(j, scan, head.seq, &leaf);
    }
    if (s == AUDIT_STEP_OTHER_KEY) {
        if (!j->other_key) {
            j->other_seq = head.seq;
            j->other_line = j->line;
            j->other_at = j->at;
        }
        j->other_key = true;
    } else if (s != AUDIT_STEP_OK) {
        return audit_verify_stopped(j, scan, s, &head);
    }
    audit_gaps_line(&j->r->gaps, &head, time);
    if (j->q->on_line && !j->q->on_line(j->q->arg, &j->walk, &head, line, n)) {
        return audit_verify_decide(j, AUDIT_UNREADABLE, "stopped");
    }
    return audit_verify_compare_beginning(j, &head) && audit_verify_compare_older(j, &j->walk.tree);
}

/* Reads a whole member. Sets *torn if it does not end in a complete line. */
static bool audit_verify_read_file(struct job *j, struct audit_member *m, bool *torn)
{
    enum audit_scan_outcome o = AUDIT_SCAN_ERROR;
    struct audit_scan *const scan = &m->scan;
    const char *line;
    bool ok = true;
    size_t n;

    j->at = m;
    m->taken = true;
    if (!scan->buffer && audit_scan_init(scan, m->fd) < 0) {
        scan->error = ENOMEM;
    } else {
        while (ok && (o = audit_scan_next(scan, &line, &n)) == AUDIT_SCAN_LINE) {
            ok = audit_verify_take_line(j, scan, line, n);
        }
    }
    *torn = ok && o == AUDIT_SCAN_TORN;
    if (*torn) {
        j->r->partial = audit_scan_rest(scan);
    } else if (ok && o == AUDIT_SCAN_LONG) {
        j->line = scan->lines + 1;
        ok = audit_verify_stopped(j, scan, AUDIT_STEP_NO_RECORD, NULL);
    } else if (ok && o == AUDIT_SCAN_ERROR) {
        ok = audit_verify_decide(j, AUDIT_UNREADABLE, "%s: %s", audit_verify_place(j, m, 0),
                                 strerror(scan->error));
    }
    j->line = scan->lines;
    audit_scan_deinit(scan);
    return ok;
}

/*
 * An incomplete end: in the last file it may be a write in progress, in any other file it is a
 * fault.
 */
static bool audit_verify_torn_inside(struct job *j)
{
    const uint64_t seq = j->walk.tree.size;

    j->r->partial = 0;
    audit_verify_bad(j, seq, seq);
    return audit_verify_decide(j, AUDIT_TAMPERED,
                               "record %" PRIu64 " (%s, line %" PRIu64 "): the line is "
                               "incomplete, and another file follows",
                               seq, audit_verify_place(j, j->at, j->line + 1), j->line + 1);
}

/* ---- the verdict ---- */

/* An older checkpoint of zero records matches any log if its root is that of the empty tree. */
static void audit_verify_judge_empty(struct job *j)
{
    struct audit_tree none;
    struct audit_hash root;

    audit_tree_init(&none);
    if (audit_tree_root(&none, &root) < 0) {
        audit_verify_decide(j, AUDIT_UNREADABLE, "out of memory");
    } else if (!audit_hash_same(&root, &j->q->older->root)) {
        audit_verify_decide(
            j, AUDIT_TAMPERED,
            "the older checkpoint matches no log: it has no records, but not the root of an "
            "empty log");
    }
}

static void audit_verify_judge_older(struct job *j)
{
    const struct audit_checkpoint *const older = j->q->older;
    const uint64_t size = j->walk.tree.size;

    if (older->size == 0) {
        audit_verify_judge_empty(j);
    } else if (older->size > size) {
        audit_verify_bad(j, size, older->size - 1);
        audit_verify_decide(j, AUDIT_TRUNCATED,
                            "%s are missing: the older checkpoint covers %" PRIu64
                            " records, the log ends after %" PRIu64,
                            audit_verify_records(size, older->size - 1), older->size, size);
    } else if (!j->older_seen) {
        audit_verify_decide(j, AUDIT_UNREADABLE,
                            "the older checkpoint, of %" PRIu64 " records, predates the first "
                            "file: give the earlier files, too",
                            older->size);
    } else if (!j->older_same) {
        audit_verify_bad(j, 0, older->size - 1);
        audit_verify_decide(j, AUDIT_TAMPERED,
                            "%s differ from those at the older checkpoint: the log was "
                            "rewritten",
                            audit_verify_records(0, older->size - 1));
    }
}

static void audit_verify_judge_unsealed(struct job *j, const char *part, const char *busy)
{
    const uint64_t sealed = j->walk.sealed - j->walk.first;
    const uint64_t newer = j->walk.tree.size - j->walk.sealed;
    char torn[64] = "";

    if (j->r->partial > 0) {
        snprintf(torn, sizeof torn, "; %" PRIu64 " bytes of an incomplete line follow",
                 j->r->partial);
    }
    audit_verify_decide(
        j, AUDIT_UNSEALED,
        "%" PRIu64 " record%s verified; %" PRIu64 " newer await%s the next signed checkpoint%s%s%s",
        sealed, sealed == 1 ? "" : "s", newer, newer == 1 ? "s" : "", torn, part, busy);
}

static void audit_verify_judge_seal(struct job *j)
{
    struct audit_result *const r = j->r;
    const uint64_t size = j->walk.tree.size;
    const char *const busy = r->written ? " (the log is in use)" : "";
    char part[96] = "";

    if (j->walk.first > 0) {
        snprintf(part, sizeof part,
                 "; this is a part of the log: records before %" PRIu64 " are in none of the files",
                 j->walk.first);
    }

    if (j->other_key && !j->walk.has_checkpoint) {
        audit_verify_place(j, j->other_at, j->other_line);
        audit_verify_decide(j, AUDIT_WRONG_KEY,
                            "sealed with a key other than %s: see the checkpoint in %s, line "
                            "%" PRIu64,
                            j->q->key->name, r->bad_file, r->bad_line);
    } else if (j->other_key) {
        audit_verify_bad(j, j->other_seq, j->other_seq);
        audit_verify_place(j, j->other_at, j->other_line);
        audit_verify_decide(j, AUDIT_TAMPERED, "record %" PRIu64 " (%s, line %" PRIu64 "): %s",
                            j->other_seq, r->bad_file, r->bad_line,
                            audit_step_text(AUDIT_STEP_OTHER_KEY));
    } else if (size == 0 && r->partial == 0) {
        audit_verify_decide(j, AUDIT_UNSEALED, "the log is empty: it has no records yet%s", busy);
    } else if (size > j->walk.sealed || r->partial > 0 || !j->walk.has_checkpoint) {
        audit_verify_judge_unsealed(j, part, busy);
    } else {
        audit_verify_decide(j, AUDIT_INTACT, "all %" PRIu64 " record%s verified and sealed%s%s",
                            size - j->walk.first, size - j->walk.first == 1 ? "" : "s", part, busy);
    }
}

/* Learns the host of the log as soon as a file names it. */
static void audit_verify_learn_host(struct job *j, const struct audit_member *m)
{
    if (!j->host[0]) {
        memcpy(j->host, m->host, sizeof j->host);
        log_escape(j->r->host, sizeof j->r->host, m->name, strlen(m->name));
    }
}

/* Reads the files of one log, beginning with m. */
static bool audit_verify_read_files(struct job *j, struct audit_member *m)
{
    bool torn;

    log_escape(j->r->begins, sizeof j->r->begins, m->path, strlen(m->path));
    while (m) {
        audit_verify_learn_host(j, m);
        if (!audit_verify_read_file(j, m, &torn)) {
            return false;
        }
        m = audit_set_next(j->set, &j->walk.tree, j->host);
        if (torn && m) {
            return audit_verify_torn_inside(j);
        }
    }
    j->r->written = audit_set_written(j->at);
    return true;
}

static void verify_log(struct job *j, struct audit_member *first)
{
    struct audit_result *const r = j->r;
    size_t n;

    if (audit_verify_read_files(j, first)) {
        audit_verify_judge_seal(j);
        if (j->q->older && r->verdict <= AUDIT_UNSEALED) {
            audit_verify_judge_older(j);
        }
    } else {
        /* The log's other files are skipped. */
        for (struct audit_member *m;
             (m = audit_set_next(j->set, &j->walk.tree, j->host)) != NULL;) {
            m->taken = true;
        }
    }
    n = strlen(r->text);
    audit_gaps_text(&r->gaps, r->text + n, sizeof r->text - n);
    r->first = j->walk.first;
    r->size = j->walk.tree.size;
    r->sealed = j->walk.sealed;
    r->has_checkpoint = j->walk.has_checkpoint;
    r->checkpoint = j->walk.checkpoint;
    memcpy(r->note, j->walk.note, sizeof r->note);
}

/* Verifies the next log of the set. Returns false if there is none. */
static bool verify_next(const struct audit_question *q, struct audit_set *set,
                        struct audit_result *r)
{
    struct job j = {.q = q, .r = r, .set = set};
    struct audit_member *const first = audit_set_first(set);

    memset(r, 0, sizeof *r);
    if (!first) {
        return false;
    }
    audit_walk_init(&j.walk, q->key, q->n_keys ? q->n_keys : 1);
    verify_log(&j, first);
    if (q->on_log) {
        q->on_log(q->arg, r);
    }
    return true;
}

/* Reports that the files cannot be grouped into logs. */
static void verify_nothing(const struct audit_question *q, struct audit_result *r, const char *path,
                           int err)
{
    struct job j = {.q = q, .r = r};
    const struct audit_member m = {.path = path};

    audit_verify_decide(&j, AUDIT_UNREADABLE, "%s: %s", audit_verify_place(&j, &m, 0),
                        strerror(-err));
    r->logs = 1;
    if (q->on_log) {
        q->on_log(q->arg, r);
    }
}

enum audit_verdict audit_verify(const struct audit_question *q, struct audit_result *out)
{
    struct audit_set set;
    struct audit_result r;
    const char *path;
    unsigned logs = 0;
    const int err = audit_set_init(&set, q->files, q->n, &path);

    memset(out, 0, sizeof *out);
    if (err < 0) {
        verify_nothing(q, out, path, err);
    }
    while (err == 0 && verify_next(q, &set, &r)) {
        if (logs++ == 0 || r.verdict > out->verdict) {
            *out = r;
        }
        out->logs = logs;
    }
    audit_set_deinit(&set);
    if (logs > 1 && q->older) {
        out->verdict = AUDIT_UNREADABLE;
        snprintf(
            out->text, sizeof out->text,
            "the files belong to %u logs, the older checkpoint to one: give the files of that one",
            logs);
    }
    return out->verdict;
}
