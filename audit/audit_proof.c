/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Checks and makes inclusion proofs. Making one reads the log twice, and keeps none of it in
 * memory.
 */
#define _GNU_SOURCE
#include "audit/audit_proof.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/numbers.h"

#define MAGIC "c2sp.org/tlog-proof@v1\n"

#define HASH_TEXT BASE64_SIZE((size_t)AUDIT_HASH_SIZE)

const char *audit_proof_text(enum audit_proof_outcome o)
{
    static const char *const texts[] = {
        [AUDIT_PROOF_OK] = "the record is in the log",
        [AUDIT_PROOF_MALFORMED] = "not the proof of an audit log's record",
        [AUDIT_PROOF_OTHER_KEY] = "the checkpoint is not signed with this key",
        [AUDIT_PROOF_FORGED] = "the checkpoint's signature is wrong",
        [AUDIT_PROOF_WRONG] = "the record is not in the log at this place, or was altered",
        [AUDIT_PROOF_NO_MEMORY] = "out of memory",
    };

    return texts[o];
}

/* ---- checking ---- */

int audit_proof_root(const struct audit_hash *leaf, uint64_t index, uint64_t size,
                     const struct audit_hash *path, unsigned n, struct audit_hash *root)
{
    uint64_t at = index;
    uint64_t last = size - 1;

    if (index >= size) {
        return -EINVAL;
    }
    *root = *leaf;
    for (unsigned i = 0; i < n; i++) {
        int err;

        if (last == 0) {
            return -EINVAL;
        }
        if ((at & 1) || at == last) {
            err = audit_hash_node(&path[i], root, root);
            while (!(at & 1) && at != 0) {
                at >>= 1;
                last >>= 1;
            }
        } else {
            err = audit_hash_node(root, &path[i], root);
        }
        if (err < 0) {
            return err;
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 ? 0 : -EINVAL;
}

struct strbuf {
    const char *p;
    size_t n;
};

static bool audit_proof_take(struct strbuf *t, const char *what)
{
    const size_t n = strlen(what);

    if (t->n < n || memcmp(t->p, what, n) != 0) {
        return false;
    }
    t->p += n;
    t->n -= n;
    return true;
}

static bool audit_proof_take_line(struct strbuf *t, struct strbuf *line)
{
    const char *const end = memchr(t->p, '\n', t->n);

    if (!end) {
        return false;
    }
    *line = (struct strbuf){t->p, (size_t)(end - t->p)};
    t->p = end + 1;
    t->n -= line->n + 1;
    return true;
}

/* Reads the record, sized by its base64. */
static bool audit_proof_read_record(struct audit_proof *out, const struct strbuf *line)
{
    size_t n = line->n / 4 * 3;

    for (size_t i = line->n; i > 0 && line->p[i - 1] == '=' && line->n - i < 2; i--) {
        n--;
    }
    out->record_n = n;
    return line->n > 0 && n <= sizeof out->record && base64_read(line->p, line->n, out->record, n);
}

static bool audit_proof_read_index(struct audit_proof *out, const struct strbuf *line)
{
    return !(line->n > 1 && line->p[0] == '0') &&
           numbers_read(line->p, line->n, UINT64_MAX, &out->index);
}

/* Reads everything before the checkpoint, which is then left in t. */
static bool audit_proof_read_parts(struct audit_proof *out, struct strbuf *t)
{
    struct strbuf line;

    out->n = 0;
    out->record_n = 0;
    if (!audit_proof_take(t, MAGIC) || !audit_proof_take(t, "extra ") ||
        !audit_proof_take_line(t, &line) || !audit_proof_read_record(out, &line) ||
        !audit_proof_take(t, "index ") || !audit_proof_take_line(t, &line) ||
        !audit_proof_read_index(out, &line)) {
        return false;
    }
    while (audit_proof_take_line(t, &line)) {
        if (line.n == 0) {
            return true;
        }
        if (out->n == AUDIT_PEAKS ||
            !base64_read(line.p, line.n, out->path[out->n].b, AUDIT_HASH_SIZE)) {
            return false;
        }
        out->n++;
    }
    return false;
}

static enum audit_proof_outcome audit_proof_check_path(const struct audit_proof *p)
{
    struct audit_hash root;
    struct audit_hash leaf;
    int err = audit_hash_leaf(p->record, p->record_n, &leaf);

    if (err == 0) {
        err = audit_proof_root(&leaf, p->index, p->checkpoint.size, p->path, p->n, &root);
    }
    if (err == -ENOMEM) {
        return AUDIT_PROOF_NO_MEMORY;
    }
    return err == 0 && audit_hash_same(&root, &p->checkpoint.root) ? AUDIT_PROOF_OK
                                                                   : AUDIT_PROOF_WRONG;
}

enum audit_proof_outcome audit_proof_check(struct audit_proof *out, const char *text, size_t n,
                                           const struct audit_vkey *key)
{
    struct strbuf t = {text, n};
    struct audit_head head;

    if (n > AUDIT_PROOF_MAX || !audit_proof_read_parts(out, &t) ||
        !audit_line_read(&head, out->record, out->record_n)) {
        return AUDIT_PROOF_MALFORMED;
    }
    switch (audit_checkpoint_read(&out->checkpoint, t.p, t.n, key)) {
    case AUDIT_NOTE_OK:
        break;
    case AUDIT_NOTE_MALFORMED:
        return AUDIT_PROOF_MALFORMED;
    case AUDIT_NOTE_OTHER_KEY:
        return AUDIT_PROOF_OTHER_KEY;
    case AUDIT_NOTE_FORGED:
        return AUDIT_PROOF_FORGED;
    case AUDIT_NOTE_NO_MEMORY:
        return AUDIT_PROOF_NO_MEMORY;
    }
    return head.seq == out->index ? audit_proof_check_path(out) : AUDIT_PROOF_WRONG;
}

/* ---- making ---- */

/* A subtree with a root that is a step of the path: the leaves from a to b, excluding b. */
struct range {
    uint64_t a;
    uint64_t b;
    struct audit_tree tree;
};

struct maker {
    uint64_t record;
    uint64_t size;        /* of the checkpoint's tree */
    struct range *ranges; /* from the leaf's sibling to the root's child */
    unsigned n;
    struct audit_proof *proof;
    bool found;
    bool failed;
};

/* RFC 9162, section 2.1.3.1: from the root down, the half without the record. */
static void audit_proof_plan(struct maker *m)
{
    struct range down[AUDIT_PEAKS];
    uint64_t a = 0;
    uint64_t b = m->size;

    m->n = 0;
    while (b - a > 1) {
        const uint64_t half = UINT64_C(1) << (63 - __builtin_clzll(b - a - 1));

        if (m->record < a + half) {
            down[m->n].a = a + half;
            down[m->n++].b = b;
            b = a + half;
        } else {
            down[m->n].a = a;
            down[m->n++].b = a + half;
            a += half;
        }
    }
    for (unsigned i = 0; i < m->n; i++) {
        m->ranges[i].a = down[m->n - 1 - i].a;
        m->ranges[i].b = down[m->n - 1 - i].b;
        audit_tree_init(&m->ranges[i].tree);
    }
}

/*
 * The records before the first file are known only by their peaks. A range that begins among them
 * consists of whole peaks and of later leaves: otherwise the range, and with it the record, would
 * lie inside a peak.
 */
static bool audit_proof_take_peaks(struct maker *m, const struct audit_tree *before)
{
    for (unsigned i = 0; i < m->n; i++) {
        struct range *const r = &m->ranges[i];
        const uint64_t end = r->b < before->size ? r->b : before->size;
        struct audit_hash peaks[AUDIT_PEAKS];
        unsigned n = 0;
        uint64_t at = 0;

        for (unsigned k = 0; k < before->peaks; k++) {
            const uint64_t left = before->size - at;
            const uint64_t width = UINT64_C(1) << (63 - __builtin_clzll(left));

            if (at >= r->a && at + width <= end) {
                peaks[n++] = before->peak[k];
            }
            at += width;
        }
        if (end > r->a && !audit_tree_set(&r->tree, end - r->a, peaks, n)) {
            return false;
        }
    }
    return true;
}

static bool audit_proof_take_leaf(struct maker *m, uint64_t seq, const char *line, size_t n)
{
    struct audit_hash leaf;

    if (seq == m->record) {
        m->found = true;
        memcpy(m->proof->record, line, n);
        m->proof->record_n = n;
        return true;
    }
    for (unsigned i = 0; i < m->n; i++) {
        if (seq >= m->ranges[i].a && seq < m->ranges[i].b) {
            return audit_hash_leaf(line, n, &leaf) == 0 &&
                   audit_tree_add(&m->ranges[i].tree, &leaf) == 0;
        }
    }
    return true;
}

static bool audit_proof_on_line(void *arg, const struct audit_walk *w,
                                const struct audit_head *head, const char *line, size_t n)
{
    struct maker *const m = arg;
    struct audit_tree before;

    if (head->seq == w->first && w->first > 0 &&
        (!audit_line_rotated(head, &before, NULL) || !audit_proof_take_peaks(m, &before))) {
        m->failed = true;
        return false;
    }
    m->failed = m->failed || !audit_proof_take_leaf(m, head->seq, line, n);
    return !m->failed;
}

/* Returns the proof file's text. */
static char *audit_proof_print(const struct maker *m, const char *note, size_t *n)
{
    const struct audit_proof *const p = m->proof;
    const size_t room = sizeof MAGIC + BASE64_SIZE(p->record_n) +
                        ((size_t)p->n + 2) * (HASH_TEXT + 1) + strlen(note);
    char *const text = malloc(room);
    char *to = text;

    if (!text) {
        return NULL;
    }
    to = stpcpy(to, MAGIC "extra ");
    base64_write(p->record, p->record_n, to);
    to += strlen(to);
    to += sprintf(to, "\nindex %" PRIu64 "\n", p->index);
    for (unsigned i = 0; i < p->n; i++) {
        base64_write(p->path[i].b, AUDIT_HASH_SIZE, to);
        to = stpcpy(to + HASH_TEXT, "\n");
    }
    to = stpcpy(to, "\n");
    *n = (size_t)(stpcpy(to, note) - text);
    return text;
}

static char *audit_proof_make_text(struct maker *m, const struct audit_question *q,
                                   const struct audit_result *verified, size_t *n)
{
    struct audit_question again = *q;
    struct audit_result ignored;

    audit_proof_plan(m);
    again.older = NULL;
    again.on_line = audit_proof_on_line;
    again.on_log = NULL;
    again.arg = m;
    /* The log may have grown since, and be broken there: only the verified part counts. */
    (void)audit_verify(&again, &ignored);
    m->proof->index = m->record;
    m->proof->n = m->n;
    for (unsigned i = 0; i < m->n && !m->failed; i++) {
        m->failed = m->ranges[i].tree.size != m->ranges[i].b - m->ranges[i].a ||
                    audit_tree_root(&m->ranges[i].tree, &m->proof->path[i]) < 0;
    }
    return m->found && !m->failed ? audit_proof_print(m, verified->note, n) : NULL;
}

/* Checks that the log can be read twice, which is impossible for a stream. */
static bool audit_proof_readable(const struct audit_question *q, char *why, size_t size)
{
    struct audit_set set;
    const char *path;
    bool streams = false;

    if (audit_set_init(&set, q->files, q->n, &path) == 0) {
        streams = audit_set_streams(&set);
    }
    audit_set_deinit(&set);
    if (streams) {
        snprintf(why, size, "a proof reads the log twice: give files, not a pipe");
    }
    return !streams;
}

char *audit_proof_make(const struct audit_question *q, uint64_t record,
                       struct audit_result *verified, size_t *n, char *why, size_t size)
{
    struct audit_question plain = *q;
    struct maker m = {.record = record};
    char *text = NULL;

    plain.on_line = NULL;
    plain.on_log = NULL;
    plain.older = NULL;
    if (!audit_proof_readable(q, why, size)) {
        verified->verdict = AUDIT_UNREADABLE;
        return NULL;
    }
    if (audit_verify(&plain, verified) > AUDIT_UNSEALED) {
        snprintf(why, size, "the log is %s: %s", audit_verdict_word(verified->verdict),
                 verified->text);
        return NULL;
    }
    if (verified->logs > 1) {
        snprintf(why, size, "the files belong to %u logs: give those of one", verified->logs);
        return NULL;
    }
    if (!verified->has_checkpoint || record < verified->first ||
        record >= verified->checkpoint.size) {
        snprintf(why, size,
                 record < verified->size && record >= verified->first
                     ? "record %" PRIu64 " is newer than the last checkpoint: nothing proves it yet"
                     : "record %" PRIu64 " is not in these files",
                 record);
        return NULL;
    }
    m.size = verified->checkpoint.size;
    m.ranges = calloc(AUDIT_PEAKS, sizeof *m.ranges);
    m.proof = calloc(1, sizeof *m.proof);
    if (m.ranges && m.proof) {
        text = audit_proof_make_text(&m, q, verified, n);
    }
    if (!text) {
        snprintf(why, size, "the log changed while it was read, or out of memory");
    }
    free(m.ranges);
    free(m.proof);
    return text;
}
