/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Makes inclusion proofs. The steps of all paths are known beforehand: the roots of subtrees that
 * are complete are picked out while the tree grows; the last one of a path may be incomplete, and
 * follows from the tree's last peaks.
 */
#define _GNU_SOURCE
#include "audit/audit_proofs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The root of a complete subtree that some path needs. */
struct needed {
    struct audit_node node;
    struct audit_hash root;
    bool found;
};

/* A record to prove. */
struct proved {
    uint64_t record;
    char *line; /* owned; NULL until it is read */
    size_t n;
};

struct audit_proofs {
    char note[AUDIT_NOTE_MAX];
    struct audit_tree tree; /* up to the checkpoint */
    uint64_t size;          /* of the checkpoint's tree */
    struct proved *proved;  /* by record */
    size_t n_proved;
    size_t next;           /* the first record that is not read yet */
    struct needed *needed; /* sorted, each once */
    size_t n_needed;
    bool failed;
};

/* A step of a path: a complete subtree, or all leaves from `from` to the end of the tree. */
struct step {
    struct audit_node node;
    bool partial;
    uint64_t from;
};

/* Returns the steps from the leaf's sibling to the root's child: RFC 9162, section 2.1.3.1. */
static unsigned audit_proofs_steps(uint64_t record, uint64_t size, struct step steps[AUDIT_PEAKS])
{
    uint64_t at = record;
    uint64_t last = size - 1;
    unsigned n = 0;

    for (unsigned level = 0; last > 0; level++, at >>= 1, last >>= 1) {
        if (at & 1) {
            steps[n++] = (struct step){.node = {level, at - 1}};
        } else if (at < last) {
            const uint64_t from = (at + 1) << level;

            steps[n++] = (struct step){.node = {level, at + 1},
                                       .partial = size - from < UINT64_C(1) << level,
                                       .from = from};
        }
    }
    return n;
}

static int audit_proofs_compare(const void *a, const void *b)
{
    const struct audit_node *const x = &((const struct needed *)a)->node;
    const struct audit_node *const y = &((const struct needed *)b)->node;

    if (x->level != y->level) {
        return x->level < y->level ? -1 : 1;
    }
    return x->index < y->index ? -1 : x->index > y->index;
}

static struct needed *audit_proofs_find(const struct audit_proofs *p, struct audit_node node)
{
    const struct needed key = {.node = node};

    return p->n_needed
               ? bsearch(&key, p->needed, p->n_needed, sizeof *p->needed, audit_proofs_compare)
               : NULL;
}

/* Lists the complete subtrees that the paths need. */
static bool audit_proofs_plan(struct audit_proofs *p)
{
    struct step steps[AUDIT_PEAKS];
    size_t n = 0;

    for (size_t i = 0; i < p->n_proved; i++) {
        const unsigned count = audit_proofs_steps(p->proved[i].record, p->size, steps);
        struct needed *const grown =
            reallocarray(p->needed, p->n_needed + count + 1, sizeof *p->needed);

        if (!grown) {
            return false;
        }
        p->needed = grown;
        for (unsigned k = 0; k < count; k++) {
            if (!steps[k].partial) {
                p->needed[p->n_needed++] = (struct needed){.node = steps[k].node};
            }
        }
    }
    if (p->n_needed) {
        qsort(p->needed, p->n_needed, sizeof *p->needed, audit_proofs_compare);
    }
    for (size_t i = 0; i < p->n_needed; i++) {
        if (n == 0 || audit_proofs_compare(&p->needed[n - 1], &p->needed[i]) != 0) {
            p->needed[n++] = p->needed[i];
        }
    }
    p->n_needed = n;
    return true;
}

static void audit_proofs_on_node(void *arg, struct audit_node node, const struct audit_hash *root)
{
    struct needed *const needed = audit_proofs_find(arg, node);

    if (needed) {
        needed->root = *root;
        needed->found = true;
    }
}

static bool audit_proofs_take(struct audit_proofs *p, uint64_t seq, const char *line, size_t n)
{
    struct proved *const want = &p->proved[p->next];
    struct audit_hash leaf;

    if (p->next < p->n_proved && want->record == seq) {
        want->line = malloc(n + 1);
        if (!want->line) {
            return false;
        }
        memcpy(want->line, line, n);
        want->n = n;
        p->next++;
    }
    return audit_hash_leaf(line, n, &leaf) == 0 &&
           audit_tree_grow(&p->tree, &leaf, audit_proofs_on_node, p) == 0;
}

static bool audit_proofs_on_line(void *arg, const struct audit_walk *w,
                                 const struct audit_head *head, const char *line, size_t n)
{
    struct audit_proofs *const p = arg;

    if (head->seq >= p->size) {
        return true;
    }
    if (head->seq == w->first && w->first > 0) {
        /* The records before the first file are known only by their peaks. */
        if (!audit_line_rotated(head, &p->tree, NULL)) {
            p->failed = true;
            return false;
        }
        audit_tree_each_peak(&p->tree, audit_proofs_on_node, p);
    }
    p->failed = !audit_proofs_take(p, head->seq, line, n);
    return !p->failed;
}

/* Returns whether this is the tree that the checkpoint seals, with all records and subtrees. */
static bool audit_proofs_whole(const struct audit_proofs *p, const struct audit_checkpoint *c)
{
    struct audit_hash root;

    for (size_t i = 0; i < p->n_needed; i++) {
        if (!p->needed[i].found) {
            return false;
        }
    }
    return !p->failed && p->next == p->n_proved && p->tree.size == p->size &&
           audit_tree_root(&p->tree, &root) == 0 && audit_hash_same(&root, &c->root);
}

struct audit_proofs *audit_proofs_new(const struct audit_question *q,
                                      const struct audit_result *verified, const uint64_t *records,
                                      size_t n)
{
    struct audit_proofs *const p = calloc(1, sizeof *p);
    struct audit_question again = *q;
    struct audit_result ignored;

    if (!p) {
        return NULL;
    }
    memcpy(p->note, verified->note, sizeof p->note);
    p->size = verified->checkpoint.size;
    p->proved = calloc(n + 1, sizeof *p->proved);
    for (size_t i = 0; p->proved && i < n; i++) {
        p->proved[i].record = records[i];
        p->n_proved++;
    }
    if (p->proved && audit_proofs_plan(p)) {
        again.older = NULL;
        again.on_line = audit_proofs_on_line;
        again.on_log = NULL;
        again.arg = p;
        /* The log may have grown since, and be broken there: only the verified part counts. */
        (void)audit_verify(&again, &ignored);
        if (audit_proofs_whole(p, &verified->checkpoint)) {
            return p;
        }
    }
    audit_proofs_free(p);
    return NULL;
}

void audit_proofs_free(struct audit_proofs *p)
{
    if (!p) {
        return;
    }
    for (size_t i = 0; p->proved && i < p->n_proved; i++) {
        free(p->proved[i].line);
    }
    free(p->proved);
    free(p->needed);
    free(p);
}

/* Returns the root of the leaves from `from` to the end, which are whole peaks. */
static int audit_proofs_tail(const struct audit_proofs *p, uint64_t from, struct audit_hash *out)
{
    const uint64_t left = p->size - from;
    const unsigned n = (unsigned)__builtin_popcountll(left);
    struct audit_tree tail;

    /* `from` is a multiple of a power of two above `left`: the tail has the last peaks of all. */
    return audit_tree_set(&tail, left, &p->tree.peak[p->tree.peaks - n], n)
               ? audit_tree_root(&tail, out)
               : -1;
}

static bool audit_proofs_hash(const struct audit_proofs *p, const struct step *s,
                              struct audit_hash *out)
{
    const struct needed *const needed = audit_proofs_find(p, s->node);

    if (s->partial) {
        return audit_proofs_tail(p, s->from, out) == 0;
    }
    if (needed) {
        *out = needed->root;
    }
    return needed;
}

static const struct proved *audit_proofs_record(const struct audit_proofs *p, uint64_t record)
{
    size_t from = 0;
    size_t to = p->n_proved;

    while (to - from > 1) {
        const size_t middle = from + (to - from) / 2;

        if (p->proved[middle].record <= record) {
            from = middle;
        } else {
            to = middle;
        }
    }
    return &p->proved[from];
}

char *audit_proofs_text(const struct audit_proofs *p, uint64_t record, size_t *n)
{
    const struct proved *const r = audit_proofs_record(p, record);
    struct step steps[AUDIT_PEAKS];
    const unsigned count = audit_proofs_steps(record, p->size, steps);
    const size_t room = sizeof AUDIT_PROOF_MAGIC + 64 + BASE64_SIZE(r->n) +
                        ((size_t)count + 1) * (AUDIT_PROOF_HASH_TEXT + 1) + strlen(p->note);
    char *const text = malloc(room);
    char *to = text;

    if (!text) {
        return NULL;
    }
    to = stpcpy(to, AUDIT_PROOF_MAGIC "extra ");
    base64_write(r->line, r->n, to);
    to += strlen(to);
    to += sprintf(to, "\nindex %" PRIu64 "\n", record);
    for (unsigned i = 0; i < count; i++) {
        struct audit_hash hash;

        if (!audit_proofs_hash(p, &steps[i], &hash)) {
            free(text);
            return NULL;
        }
        base64_write(hash.b, AUDIT_HASH_SIZE, to);
        to = stpcpy(to + AUDIT_PROOF_HASH_TEXT, "\n");
    }
    to = stpcpy(to, "\n");
    *n = (size_t)(stpcpy(to, p->note) - text);
    return text;
}
