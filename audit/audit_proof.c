/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Checks inclusion proofs, and makes one of a verified log. */
#define _GNU_SOURCE
#include "audit/audit_proof.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_proofs.h"
#include "audit/audit_prose.h"
#include "base/text/base64.h"
#include "base/text/numbers.h"

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

/* Width of the text before a proof. */
#define AUDIT_PROOF_COLUMNS 78

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

/* Skips the text for people, which ends where the proof's first line begins. */
static void audit_proof_skip_preface(struct strbuf *t)
{
    static const char begin[] = "\n" AUDIT_PROOF_MAGIC;
    const size_t most = t->n < AUDIT_PROOF_PREFACE_MAX ? t->n : AUDIT_PROOF_PREFACE_MAX;
    const char *const found = memmem(t->p, most, begin, sizeof begin - 1);

    if (found) {
        t->n -= (size_t)(found + 1 - t->p);
        t->p = found + 1;
    }
}

/* Reads everything before the checkpoint, which is then left in t. */
static bool audit_proof_read_parts(struct audit_proof *out, struct strbuf *t)
{
    struct strbuf line;

    out->n = 0;
    out->record_n = 0;
    audit_proof_skip_preface(t);
    if (!audit_proof_take(t, AUDIT_PROOF_MAGIC) || !audit_proof_take(t, "extra ") ||
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

/* ---- for people ---- */

/* Breaks lines that are longer than a terminal's at their blanks. */
static void audit_proof_wrap(char *text)
{
    const char *line = text;
    char *blank = NULL;

    for (char *c = text; *c; c++) {
        if (*c == '\n') {
            line = c + 1;
            blank = NULL;
        } else if (*c == ' ' && (c - line <= AUDIT_PROOF_COLUMNS || !blank)) {
            blank = c;
        }
        if (blank && c - line > AUDIT_PROOF_COLUMNS) {
            *blank = '\n';
            line = blank + 1;
            blank = NULL;
        }
    }
}

char *audit_proof_describe(const char *proof, size_t n, size_t *total)
{
    struct audit_proof *const read = calloc(1, sizeof *read);
    struct strbuf t = {proof, n};
    json_t *record = NULL;
    char preface[AUDIT_PROOF_PREFACE_MAX];
    char prose[AUDIT_PROSE_MAX];
    char *text = NULL;

    if (read && audit_proof_read_parts(read, &t)) {
        record = json_loadb(read->record, read->record_n, JSON_REJECT_DUPLICATES, NULL);
    }
    if (record) {
        snprintf(preface, sizeof preface,
                 "Record %" PRIu64
                 " of an audit log of poemd:\n\n%s\n\nThese sentences are not part "
                 "of the proof, which follows, with the record itself. To check it: poemctl audit "
                 "check-proof FILE --key KEY\n\n",
                 read->index, audit_prose(record, prose));
        audit_proof_wrap(preface);
        *total = strlen(preface) + n;
        text = malloc(*total + 1);
    }
    if (text) {
        memcpy(mempcpy(text, preface, strlen(preface)), proof, n);
        text[*total] = '\0';
    }
    json_decref(record);
    free(read);
    return text;
}

/* ---- making ---- */

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

bool audit_proof_verify(const struct audit_question *q, struct audit_result *verified, char *why,
                        size_t size)
{
    struct audit_question plain = *q;

    plain.on_line = NULL;
    plain.on_log = NULL;
    plain.older = NULL;
    if (!audit_proof_readable(q, why, size)) {
        verified->verdict = AUDIT_UNREADABLE;
        return false;
    }
    if (audit_verify(&plain, verified) > AUDIT_UNSEALED) {
        snprintf(why, size, "the log is %s: %s", audit_verdict_word(verified->verdict),
                 verified->text);
        return false;
    }
    if (verified->logs > 1) {
        snprintf(why, size, "the files belong to %u logs: give those of one", verified->logs);
        return false;
    }
    if (!verified->has_checkpoint) {
        snprintf(why, size, "the log has no checkpoint yet: nothing proves its records");
        return false;
    }
    return true;
}

char *audit_proof_make(const struct audit_question *q, uint64_t record,
                       struct audit_result *verified, size_t *n, char *why, size_t size)
{
    struct audit_proofs *proofs;
    char *text = NULL;

    if (!audit_proof_verify(q, verified, why, size)) {
        return NULL;
    }
    if (record < verified->first || record >= verified->checkpoint.size) {
        snprintf(why, size,
                 record < verified->size && record >= verified->first
                     ? "record %" PRIu64 " is newer than the last checkpoint: nothing proves it yet"
                     : "record %" PRIu64 " is not in these files",
                 record);
        return NULL;
    }
    proofs = audit_proofs_new(q, verified, &record, 1);
    if (proofs) {
        text = audit_proofs_text(proofs, record, n);
    }
    audit_proofs_free(proofs);
    if (!text) {
        snprintf(why, size, "the log changed while it was read, or out of memory");
    }
    return text;
}
