/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Matches notices. The words of a notice become, once in a process, operations of a small
 * automaton, all of whose states are advanced at once by each word of the text: time is bounded by
 * their product, and nothing is tried twice.
 */
#include "policy/evidence/debian/evidence_notice.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/evidence/debian/evidence_synopsis.h"
#include "policy/evidence/evidence_text.h"
#include "policy/evidence/evidence_words.h"

/* Notices in one text, and versions that are tried for $v. */
#define PARTS 64u
#define VERSIONS 8u
#define NESTED 8u

enum op_kind {
    OP_WORD,
    OP_VERSION,
    OP_MAYBE, /* any word, or none */
    OP_NAME,  /* a word of a name, or none */
    OP_ANY,   /* any words */
    OP_FORK,  /* goes on here and there */
    OP_JUMP,
    OP_END,
};

struct op {
    enum op_kind kind;
    uint16_t to; /* of a fork or a jump; always behind it */
    struct evidence_span word;
};

struct program {
    size_t n;
    struct op *ops;
};

static bool evidence_notice_word(const char **at, struct evidence_span *word)
{
    *at += **at == ' ' ? 1 : 0;
    word->p = *at;
    word->n = strcspn(*at, " ");
    *at += word->n;
    return word->n > 0;
}

static bool evidence_notice_same(struct evidence_span a, struct evidence_span b)
{
    return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

/* ---- operations ---- */

/* Open alternatives: the last fork, and the chain of jumps to their common end. */
struct nest {
    uint16_t fork;
    uint16_t jump; /* 0 for none: operation 0 is never a jump */
};

static void evidence_notice_add(struct program *p, enum op_kind kind, struct evidence_span word)
{
    if (p->n < EVIDENCE_NOTICE_OPS) {
        p->ops[p->n] = (struct op){.kind = kind, .word = word};
    }
    p->n++;
}

static void evidence_notice_next_alternative(struct program *p, struct nest *open)
{
    if (p->n + 2 < EVIDENCE_NOTICE_OPS) {
        evidence_notice_add(p, OP_JUMP, (struct evidence_span){0});
        p->ops[p->n - 1].to = open->jump;
        open->jump = (uint16_t)(p->n - 1);
        p->ops[open->fork].to = (uint16_t)p->n;
        open->fork = (uint16_t)p->n;
        evidence_notice_add(p, OP_FORK, (struct evidence_span){0});
    } else {
        p->n = EVIDENCE_NOTICE_OPS + 1;
    }
}

static void evidence_notice_close(struct program *p, const struct nest *open)
{
    uint16_t jump = open->jump;

    p->ops[open->fork].to = (uint16_t)(open->fork + 1);
    while (jump != 0) {
        const uint16_t next = p->ops[jump].to;

        p->ops[jump].to = (uint16_t)p->n;
        jump = next;
    }
}

/* "*12", "~12" and "*". */
static bool evidence_notice_add_gap(struct program *p, struct evidence_span word)
{
    unsigned most = 0;

    if (word.n == 1) {
        evidence_notice_add(p, OP_ANY, word);
        return true;
    }
    for (size_t i = 1; i < word.n; i++) {
        if (word.p[i] < '0' || word.p[i] > '9' || most > 99) {
            return false;
        }
        most = 10 * most + (unsigned)(word.p[i] - '0');
    }
    for (unsigned i = 0; i < most; i++) {
        evidence_notice_add(p, *word.p == '~' ? OP_NAME : OP_MAYBE, word);
    }
    return true;
}

/*
 * Makes the operations, for EVIDENCE_NOTICE_OPS of which the program has room. Returns false if the
 * words are malformed or too many.
 */
static bool evidence_notice_compile(struct program *p, const char *words)
{
    struct nest open[NESTED];
    struct evidence_span word;
    size_t depth = 0;

    p->n = 0;
    while (evidence_notice_word(&words, &word)) {
        const char c = word.n == 1 ? *word.p : '\0';

        if (p->n >= EVIDENCE_NOTICE_OPS || (c == '(' && depth == NESTED) ||
            ((c == '|' || c == ')') && depth == 0)) {
            return false;
        }
        if (c == '(') {
            open[depth++] = (struct nest){.fork = (uint16_t)p->n};
            evidence_notice_add(p, OP_FORK, word);
        } else if (c == '|') {
            evidence_notice_next_alternative(p, &open[depth - 1]);
        } else if (c == ')') {
            evidence_notice_close(p, &open[--depth]);
        } else if (*word.p == '*' || *word.p == '~') {
            if (!evidence_notice_add_gap(p, word)) {
                return false;
            }
        } else {
            evidence_notice_add(p, evidence_span_is(word, "$v") ? OP_VERSION : OP_WORD, word);
        }
    }
    evidence_notice_add(p, OP_END, word);
    return depth == 0 && p->n <= EVIDENCE_NOTICE_OPS;
}

/*
 * Returns the program of a notice, made when it is needed first and kept for the life of the
 * process: most texts need the same ones, some of them again and again. Returns NULL if memory runs
 * out, or if the notice is malformed.
 */
static const struct program *evidence_notice_program(size_t index)
{
    static struct program *programs; /* by index */
    static struct op room[EVIDENCE_NOTICE_OPS];
    struct program made = {.ops = room};
    struct op *ops;

    if (!programs) {
        programs = calloc(evidence_notices(), sizeof *programs);
    }
    if (!programs || programs[index].ops) {
        return programs ? &programs[index] : NULL;
    }
    if (!evidence_notice_compile(&made, evidence_notice_at(index)->words)) {
        return NULL;
    }
    ops = calloc(made.n, sizeof *ops);
    if (!ops) {
        return NULL;
    }
    memcpy(ops, room, made.n * sizeof *ops);
    programs[index] = (struct program){.n = made.n, .ops = ops};
    return &programs[index];
}

/* ---- matching ---- */

/* The operations that can come next. */
struct states {
    bool set[EVIDENCE_NOTICE_OPS];
    size_t low; /* none below */
};

/* Follows forks and jumps, which all lead forward. Returns whether the end is reached. */
static bool evidence_notice_follow(const struct program *p, struct states *s)
{
    for (size_t i = s->low; i < p->n; i++) {
        if (!s->set[i]) {
            continue;
        }
        switch (p->ops[i].kind) {
        case OP_FORK:
            s->set[i + 1] = true;
            s->set[p->ops[i].to] = true;
            break;
        case OP_JUMP:
            s->set[p->ops[i].to] = true;
            break;
        case OP_MAYBE:
        case OP_NAME:
        case OP_ANY:
            s->set[i + 1] = true;
            break;
        case OP_END:
            return true;
        case OP_WORD:
        case OP_VERSION:
            break;
        }
    }
    return false;
}

/* Advances all states by one word. Returns false if none is left. */
static bool evidence_notice_step(const struct program *p, const struct states *from,
                                 struct states *to, struct evidence_span word,
                                 struct evidence_span version)
{
    int name = -1; /* whether the word can be one of a name; -1 if that is not known yet */

    memset(to->set, 0, p->n * sizeof *to->set);
    to->low = p->n;
    for (size_t i = from->low; i < p->n; i++) {
        const struct op *o = &p->ops[i];
        size_t next = p->n;

        if (!from->set[i]) {
            continue;
        }
        if (o->kind == OP_NAME && name < 0) {
            name = evidence_words_can_name(word);
        }
        if (o->kind == OP_ANY) {
            next = i;
        } else if (o->kind == OP_MAYBE || (o->kind == OP_NAME && name > 0) ||
                   (o->kind == OP_WORD && evidence_notice_same(o->word, word)) ||
                   (o->kind == OP_VERSION && evidence_notice_same(version, word))) {
            next = i + 1;
        }
        if (next < p->n) {
            to->set[next] = true;
            to->low = next < to->low ? next : to->low;
        }
    }
    return to->low < p->n;
}

/* Returns the length of the longest beginning of the text that the program matches, or 0. */
static size_t evidence_notice_match(const struct program *p, const char *text,
                                    struct evidence_span version)
{
    struct states states[2];
    struct states *now = &states[0];
    struct states *then = &states[1];
    struct evidence_span word;
    const char *at = text;
    size_t longest = 0;

    memset(now->set, 0, p->n * sizeof *now->set);
    now->set[0] = true;
    now->low = 0;
    (void)evidence_notice_follow(p, now);
    while (evidence_notice_word(&at, &word)) {
        struct states *const swap = now;

        if (!evidence_notice_step(p, now, then, word, version)) {
            break;
        }
        now = then;
        then = swap;
        if (evidence_notice_follow(p, now)) {
            longest = (size_t)(at - text);
        }
    }
    return longest;
}

static bool evidence_notice_is_version(struct evidence_span word)
{
    for (size_t i = 0; i < word.n; i++) {
        if ((word.p[i] < '0' || word.p[i] > '9') && word.p[i] != '.') {
            return false;
        }
    }
    return word.n <= 5;
}

/* Lists the different versions in the next words of a text. */
static size_t evidence_notice_list_versions(const char *text,
                                            struct evidence_span versions[VERSIONS])
{
    struct evidence_span word;
    size_t n = 0;

    for (unsigned words = 0; n < VERSIONS && words < 400 && evidence_notice_word(&text, &word);
         words++) {
        bool seen = !evidence_notice_is_version(word);

        for (size_t i = 0; i < n && !seen; i++) {
            seen = evidence_notice_same(versions[i], word);
        }
        if (!seen) {
            versions[n++] = word;
        }
    }
    return n;
}

/* The notice that matches the most words at the beginning of a text. */
struct found {
    const struct evidence_notice *notice;
    struct evidence_span version;
    size_t n;
};

static void evidence_notice_try(struct found *f, size_t index, const char *text)
{
    const struct evidence_notice *const notice = evidence_notice_at(index);
    const struct program *const p = evidence_notice_program(index);
    struct evidence_span versions[VERSIONS] = {{"", 0}};
    size_t n = 1;

    if (!p) {
        return;
    }
    if (strstr(notice->words, "$v")) {
        n = evidence_notice_list_versions(text, versions);
        n = n > 0 ? n : 1; /* the version may be left out */
    }
    for (size_t i = 0; i < n; i++) {
        const size_t len = evidence_notice_match(p, text, versions[i]);

        if (len > f->n) {
            *f = (struct found){notice, versions[i], len};
        }
    }
}

/* Most notices begin with another word. */
static bool evidence_notice_may_begin(const struct evidence_notice *notice, const char *text)
{
    const size_t n = strcspn(notice->words, " ");

    return strchr("(*$", *notice->words) ||
           (strncmp(notice->words, text, n) == 0 && (text[n] == ' ' || text[n] == '\0'));
}

static bool evidence_notice_find(struct found *f, const char *text)
{
    *f = (struct found){NULL, {NULL, 0}, 0};
    for (size_t i = 0; i < evidence_notices(); i++) {
        if (evidence_notice_may_begin(evidence_notice_at(i), text)) {
            evidence_notice_try(f, i, text);
        }
    }
    return f->n > 0;
}

/* ---- the licence ---- */

/* Writes the licence of a notice as an expression. */
static bool evidence_notice_licence(const struct found *f, char out[EVIDENCE_SYNOPSIS_TEXT_SIZE])
{
    char text[EVIDENCE_SYNOPSIS_TEXT_SIZE];
    size_t n = 0;

    for (const char *p = f->notice->licence; *p && n + 8 < sizeof text;) {
        if (strncmp(p, "$v", 2) == 0) {
            memcpy(text + n, f->version.p, f->version.n);
            n += f->version.n;
            p += 2;
        } else {
            text[n++] = *p++;
        }
    }
    return evidence_synopsis_expression(text, n, NULL, NULL, out, EVIDENCE_SYNOPSIS_TEXT_SIZE) ==
           EVIDENCE_SYNOPSIS_OK;
}

static void evidence_notice_join(struct evidence_text *t, const char *licence, bool alone)
{
    const bool choice = !alone && strstr(licence, " OR ");

    evidence_text_put(t, t->n > 0 ? " AND " : "");
    evidence_text_put(t, choice ? "(" : "");
    evidence_text_put(t, licence);
    evidence_text_put(t, choice ? ")" : "");
}

/* Joins the licences of a kind, each once. */
static bool evidence_notice_join_all(const struct found *found, size_t n,
                                     enum evidence_notice_kind kind, char *out, size_t size)
{
    char licences[PARTS][EVIDENCE_SYNOPSIS_TEXT_SIZE];
    struct evidence_text t = {.size = size};
    size_t have = 0;

    t.out = out;
    for (size_t i = 0; i < n; i++) {
        bool seen = found[i].notice->kind != kind;

        if (!seen && !evidence_notice_licence(&found[i], licences[have])) {
            return false;
        }
        for (size_t k = 0; k < have && !seen; k++) {
            seen = strcmp(licences[k], licences[have]) == 0;
        }
        have += seen ? 0 : 1;
    }
    for (size_t i = 0; i < have; i++) {
        evidence_notice_join(&t, licences[i], have == 1);
    }
    return have > 0 && !t.full;
}

bool evidence_notice_read(struct evidence_span text, char *out, size_t size)
{
    char *const words = evidence_words_new(text);
    struct found found[PARTS];
    const char *at = words;
    size_t n = 0;

    while (at && *at && n < PARTS && evidence_notice_find(&found[n], at)) {
        at += found[n++].n;
        at += *at == ' ' ? 1 : 0;
    }
    if (!at || *at) {
        free(words);
        return false;
    }
    /* The versions found are in words. */
    const bool ok = evidence_notice_join_all(found, n, EVIDENCE_NOTICE_GRANTS, out, size) ||
                    evidence_notice_join_all(found, n, EVIDENCE_NOTICE_REFERS, out, size);
    free(words);
    return ok;
}
