/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Parses a licence expression into terms and nodes in one pass, with an explicit operator stack, so
 * that nesting in a foreign text never causes recursion. Pure.
 */
#include <string.h>

#include "policy/spdx/spdx.h"
#include "policy/spdx/spdx_fault.h"
#include "policy/spdx/spdx_list.h"

/* In ascending order of precedence. */
enum op { OPEN, OR, AND };

/* Each open parenthesis, and the outermost level, has at most one OR and one AND pending. */
#define STACK (3u * (LIMIT_SPDX_DEPTH + 1u))

struct waiting {
    enum op op;
    uint16_t at;
};

struct parser {
    struct spdx *e;
    struct spdx_error *why;
    enum spdx_lookup lookup;
    size_t n; /* length of the text */
    size_t at;
    struct waiting waiting[STACK];
    size_t n_waiting;
    uint16_t values[STACK + 1]; /* nodes that wait for their operator */
    size_t n_values;
    size_t depth;
    bool operand;    /* a licence or "(" must come next */
    bool after_term; /* the last token was a licence without WITH */
};

/* A run of characters allowed in identifiers and operators. */
struct word {
    const char *p;
    size_t at;
    size_t n;
};

static enum spdx_outcome spdx_parse_fault(struct parser *s, enum spdx_outcome o, size_t at,
                                          size_t n)
{
    return spdx_fault(s->why, o, s->e->text, at, n);
}

static bool spdx_parse_is_space(char c)
{
    return c == ' ' || c == '\t';
}

static bool spdx_parse_is_id(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
}

static struct word spdx_parse_take_word(struct parser *s)
{
    const char *text = s->e->text;
    struct word w = {text + s->at, s->at, 0};

    while (s->at < s->n && (spdx_parse_is_id(text[s->at]) || text[s->at] == ':')) {
        s->at++;
    }
    w.n = s->at - w.at;
    return w;
}

static bool spdx_parse_word_is(const struct word *w, const char *text)
{
    return w->n == strlen(text) && memcmp(w->p, text, w->n) == 0;
}

static bool spdx_parse_word_begins(const struct word *w, const char *text)
{
    const size_t n = strlen(text);

    return w->n >= n && memcmp(w->p, text, n) == 0;
}

static struct spdx_span spdx_parse_span(const struct word *w)
{
    return (struct spdx_span){(uint16_t)w->at, (uint16_t)w->n};
}

/* ---- nodes ---- */

static bool spdx_parse_is_special(const struct spdx *e, uint16_t node)
{
    const struct spdx_node *n = &e->nodes[node];

    return n->kind == SPDX_TERM &&
           (e->terms[n->left].kind == SPDX_NONE || e->terms[n->left].kind == SPDX_NOASSERTION);
}

/* Reduces: the operator on top of the stack takes its two operands. */
static enum spdx_outcome spdx_parse_reduce(struct parser *s)
{
    struct spdx *e = s->e;
    const struct waiting top = s->waiting[--s->n_waiting];
    const uint16_t right = s->values[--s->n_values];
    const uint16_t left = s->values[s->n_values - 1];

    if (top.op == OR && (spdx_parse_is_special(e, left) || spdx_parse_is_special(e, right))) {
        const uint16_t node = spdx_parse_is_special(e, left) ? left : right;
        const struct spdx_span name = e->terms[e->nodes[node].left].name;

        return spdx_parse_fault(s, SPDX_BAD_SPECIAL, name.at, name.n);
    }
    e->nodes[e->n_nodes] = (struct spdx_node){top.op == OR ? SPDX_OR : SPDX_AND, left, right};
    s->values[s->n_values - 1] = (uint16_t)e->n_nodes++;
    return SPDX_OK;
}

static enum spdx_outcome spdx_parse_push_operator(struct parser *s, enum op o, size_t at)
{
    while (s->n_waiting > 0 && s->waiting[s->n_waiting - 1].op >= o) {
        const enum spdx_outcome r = spdx_parse_reduce(s);

        if (r != SPDX_OK) {
            return r;
        }
    }
    s->waiting[s->n_waiting++] = (struct waiting){o, (uint16_t)at};
    s->operand = true;
    s->after_term = false;
    return SPDX_OK;
}

static enum spdx_outcome spdx_parse_open_parenthesis(struct parser *s)
{
    if (!s->operand) {
        return spdx_parse_fault(s, SPDX_EXPECTED_OPERATOR, s->at, 1);
    }
    if (s->depth == LIMIT_SPDX_DEPTH) {
        return spdx_parse_fault(s, SPDX_TOO_DEEP, s->at, 1);
    }
    s->depth++;
    s->waiting[s->n_waiting++] = (struct waiting){OPEN, (uint16_t)s->at++};
    return SPDX_OK;
}

static enum spdx_outcome spdx_parse_close_parenthesis(struct parser *s)
{
    if (s->depth == 0) {
        return spdx_parse_fault(s, SPDX_UNOPENED, s->at, 1);
    }
    if (s->operand) {
        return spdx_parse_fault(s, SPDX_EXPECTED_LICENCE, s->at, 1);
    }
    while (s->waiting[s->n_waiting - 1].op != OPEN) {
        const enum spdx_outcome r = spdx_parse_reduce(s);

        if (r != SPDX_OK) {
            return r;
        }
    }
    s->n_waiting--;
    s->depth--;
    s->at++;
    s->after_term = false;
    return SPDX_OK;
}

/* ---- terms ---- */

/* Removes a DocumentRef-…: prefix from the word; the document's name must not be empty. */
static bool spdx_parse_take_document(struct word *w)
{
    const char *colon = memchr(w->p, ':', w->n);
    const size_t prefix = strlen("DocumentRef-");
    size_t n;

    if (!spdx_parse_word_begins(w, "DocumentRef-") || !colon) {
        return false;
    }
    n = (size_t)(colon - w->p);
    if (n == prefix) {
        return false;
    }
    w->p += n + 1;
    w->at += n + 1;
    w->n -= n + 1;
    return true;
}

/* Returns whether the word is a reference with that prefix, with or without DocumentRef-…:. */
static bool spdx_parse_is_reference(struct word w, const char *prefix)
{
    (void)spdx_parse_take_document(&w);
    return spdx_parse_word_begins(&w, prefix) && w.n > strlen(prefix) && !memchr(w.p, ':', w.n);
}

/* Returns whether the word looks like a reference, even a malformed one. */
static bool spdx_parse_like_reference(const struct word *w)
{
    static const char *const prefixes[] = {"licenseref-", "documentref-", "additionref-"};

    if (memchr(w->p, ':', w->n)) {
        return true;
    }
    for (size_t i = 0; i < 3; i++) {
        const size_t n = strlen(prefixes[i]);
        size_t k = 0;

        while (k < n && k < w->n && (w->p[k] | 0x20) == (prefixes[i][k] | 0x20)) {
            k++;
        }
        if (k == n) {
            return true;
        }
    }
    return false;
}

static bool spdx_parse_is_operator(const struct word *w)
{
    static const char *const operators[] = {"and", "or", "with"};

    for (size_t i = 0; i < 3; i++) {
        const size_t n = strlen(operators[i]);
        size_t k = 0;

        while (w->n == n && k < n && (w->p[k] | 0x20) == operators[i][k]) {
            k++;
        }
        if (k == n) {
            return true;
        }
    }
    return false;
}

/* NONE and NOASSERTION are plain quoted strings in the ABNF, so case is ignored. */
static bool spdx_parse_is_keyword(const struct word *w, const char *text)
{
    const size_t n = strlen(text);

    if (w->n != n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (w->p[i] != text[i] && w->p[i] != (text[i] | 0x20)) {
            return false;
        }
    }
    return true;
}

/* Determines the kind of licence that a word names. */
static enum spdx_outcome spdx_parse_read_licence(struct parser *s, const struct word *w,
                                                 struct spdx_term *t)
{
    if (spdx_parse_is_reference(*w, "LicenseRef-")) {
        t->kind = SPDX_REFERENCE;
        return SPDX_OK;
    }
    if (spdx_parse_is_operator(w) || spdx_parse_is_reference(*w, "AdditionRef-")) {
        return spdx_parse_fault(s, SPDX_EXPECTED_LICENCE, w->at, w->n);
    }
    if (spdx_parse_like_reference(w)) {
        return spdx_parse_fault(s, SPDX_BAD_REFERENCE, w->at, w->n);
    }
    if (spdx_parse_is_keyword(w, "NONE") || spdx_parse_is_keyword(w, "NOASSERTION")) {
        t->kind = w->n == 4 ? SPDX_NONE : SPDX_NOASSERTION;
        return SPDX_OK;
    }
    t->licence = (int16_t)spdx_list_licence(w->p, w->n);
    if (t->licence >= 0) {
        t->kind = SPDX_LICENCE;
        t->notes |= spdx_licence_at(t->licence)->deprecated ? SPDX_NOTE_DEPRECATED : 0u;
        return SPDX_OK;
    }
    if (spdx_list_exception(w->p, w->n) >= 0) {
        return spdx_parse_fault(s, SPDX_EXPECTED_LICENCE, w->at, w->n);
    }
    if (s->lookup == SPDX_LISTED) {
        return spdx_parse_fault(s, SPDX_UNLISTED_LICENCE, w->at, w->n);
    }
    t->kind = SPDX_UNLISTED;
    t->notes |= SPDX_NOTE_UNLISTED;
    return SPDX_OK;
}

/* Reads the "+" directly after a licence, if there is one. */
static enum spdx_outcome spdx_parse_read_plus(struct parser *s, struct spdx_term *t)
{
    const char *text = s->e->text;
    const size_t at = s->at;

    if (at == s->n || text[at] != '+') {
        return SPDX_OK;
    }
    if (t->kind == SPDX_NONE || t->kind == SPDX_NOASSERTION) {
        return spdx_parse_fault(s, SPDX_BAD_SPECIAL, t->name.at, t->name.n);
    }
    s->at++;
    if (t->kind == SPDX_REFERENCE || text[s->at] == '+') {
        return spdx_parse_fault(s, SPDX_BAD_PLUS, at, 1);
    }
    if (spdx_parse_is_id(text[s->at])) {
        return spdx_parse_fault(s, SPDX_EXPECTED_OPERATOR, s->at, 1);
    }
    t->plus = true;
    if (t->kind == SPDX_LICENCE) {
        const struct spdx_licence *l = spdx_licence_at(t->licence);

        t->notes |= l->is_or_later ? SPDX_NOTE_PLUS_REDUNDANT : 0u;
        t->notes |= l->or_later >= 0 && !l->deprecated ? SPDX_NOTE_PLUS_CONTRARY : 0u;
    }
    return SPDX_OK;
}

/* If an invalid byte splits a word in two, the byte is reported, not the halves. */
static bool spdx_parse_is_split(const struct parser *s)
{
    const char c = s->e->text[s->at];

    return s->at < s->n && !spdx_parse_is_space(c) && (c == '\0' || !strchr("()+&|/,;!", c));
}

static enum spdx_outcome spdx_parse_take_term(struct parser *s)
{
    struct spdx *e = s->e;
    const struct word w = spdx_parse_take_word(s);
    struct spdx_term *t = &e->terms[e->n_terms];
    enum spdx_outcome r;

    if (spdx_parse_is_split(s)) {
        return spdx_parse_fault(s, SPDX_BAD_BYTE, s->at, 1);
    }
    if (e->n_terms == LIMIT_SPDX_TERMS) {
        return spdx_parse_fault(s, SPDX_TOO_MANY, w.at, w.n);
    }
    *t = (struct spdx_term){.licence = -1, .addition = -1, .name = spdx_parse_span(&w)};
    r = spdx_parse_read_licence(s, &w, t);
    if (r == SPDX_OK) {
        r = spdx_parse_read_plus(s, t);
    }
    if (r != SPDX_OK) {
        return r;
    }
    e->nodes[e->n_nodes] = (struct spdx_node){SPDX_TERM, (uint16_t)e->n_terms++, 0};
    s->values[s->n_values++] = (uint16_t)e->n_nodes++;
    s->operand = false;
    s->after_term = true;
    return SPDX_OK;
}

static void spdx_parse_skip_spaces(struct parser *s)
{
    while (s->at < s->n && spdx_parse_is_space(s->e->text[s->at])) {
        s->at++;
    }
}

/* Reads the exception after WITH. */
static enum spdx_outcome spdx_parse_take_addition(struct parser *s, const struct word *with)
{
    struct spdx_term *t = &s->e->terms[s->e->n_terms - (s->e->n_terms > 0)];
    struct word w;

    if (!s->after_term) {
        return spdx_parse_fault(s, SPDX_BAD_WITH, with->at, with->n);
    }
    if (t->kind == SPDX_NONE || t->kind == SPDX_NOASSERTION) {
        return spdx_parse_fault(s, SPDX_BAD_SPECIAL, t->name.at, t->name.n);
    }
    spdx_parse_skip_spaces(s);
    w = spdx_parse_take_word(s);
    if (w.n == 0 || spdx_parse_is_operator(&w) || spdx_parse_is_reference(w, "LicenseRef-")) {
        return spdx_parse_fault(s, SPDX_EXPECTED_ADDITION, w.at, w.n);
    }
    if (spdx_parse_is_split(s)) {
        return spdx_parse_fault(s, SPDX_BAD_BYTE, s->at, 1);
    }
    s->after_term = false;
    t->with = spdx_parse_span(&w);
    t->addition = (int16_t)spdx_list_exception(w.p, w.n);
    if (t->addition >= 0) {
        t->notes |= spdx_exception_at(t->addition)->deprecated ? SPDX_NOTE_DEPRECATED_ADD : 0u;
    } else if (spdx_parse_like_reference(&w)) {
        if (!spdx_parse_is_reference(w, "AdditionRef-")) {
            return spdx_parse_fault(s, SPDX_BAD_REFERENCE, w.at, w.n);
        }
    } else if (spdx_list_licence(w.p, w.n) >= 0) {
        return spdx_parse_fault(s, SPDX_EXPECTED_ADDITION, w.at, w.n);
    } else if (s->lookup == SPDX_LISTED) {
        return spdx_parse_fault(s, SPDX_UNLISTED_ADDITION, w.at, w.n);
    } else {
        t->notes |= SPDX_NOTE_UNLISTED_ADD;
    }
    return SPDX_OK;
}

/* ---- whole expressions ---- */

/* Reads an operator. */
static enum spdx_outcome spdx_parse_take_operator(struct parser *s)
{
    const struct word w = spdx_parse_take_word(s);

    if (spdx_parse_word_is(&w, "AND") || spdx_parse_word_is(&w, "and")) {
        return spdx_parse_push_operator(s, AND, w.at);
    }
    if (spdx_parse_word_is(&w, "OR") || spdx_parse_word_is(&w, "or")) {
        return spdx_parse_push_operator(s, OR, w.at);
    }
    if (spdx_parse_word_is(&w, "WITH") || spdx_parse_word_is(&w, "with")) {
        return spdx_parse_take_addition(s, &w);
    }
    return spdx_parse_fault(
        s, spdx_parse_is_operator(&w) ? SPDX_BAD_OPERATOR : SPDX_EXPECTED_OPERATOR, w.at, w.n);
}

static enum spdx_outcome spdx_parse_take(struct parser *s)
{
    const char c = s->e->text[s->at];

    if (c == '(') {
        return spdx_parse_open_parenthesis(s);
    }
    if (c == ')') {
        return spdx_parse_close_parenthesis(s);
    }
    if (c == '+') {
        return spdx_parse_fault(s, SPDX_BAD_PLUS, s->at, 1);
    }
    if (spdx_parse_is_id(c) || c == ':') {
        return s->operand ? spdx_parse_take_term(s) : spdx_parse_take_operator(s);
    }
    return spdx_parse_fault(s, c != '\0' && strchr("&|/,;!", c) ? SPDX_BAD_OPERATOR : SPDX_BAD_BYTE,
                            s->at, 1);
}

static enum spdx_outcome spdx_parse_finish(struct parser *s)
{
    enum spdx_outcome r = SPDX_OK;

    if (s->operand) {
        return spdx_parse_fault(s, s->n_waiting > 0 ? SPDX_EXPECTED_LICENCE : SPDX_EMPTY, s->n, 0);
    }
    while (r == SPDX_OK && s->n_waiting > 0) {
        const struct waiting *top = &s->waiting[s->n_waiting - 1];

        r = top->op == OPEN ? spdx_parse_fault(s, SPDX_UNCLOSED, top->at, 1) : spdx_parse_reduce(s);
    }
    return r;
}

enum spdx_outcome spdx_parse(struct spdx *e, const char *p, size_t n, enum spdx_lookup lookup,
                             struct spdx_error *why)
{
    struct parser s = {.e = e, .why = why, .lookup = lookup, .n = n, .operand = true};
    enum spdx_outcome r = SPDX_OK;

    e->n_terms = 0;
    e->n_nodes = 0;
    e->text[0] = '\0';
    if (n > LIMIT_SPDX_TEXT) {
        return spdx_parse_fault(&s, SPDX_TOO_LONG, LIMIT_SPDX_TEXT, 0);
    }
    if (n > 0) {
        memcpy(e->text, p, n);
    }
    e->text[n] = '\0';
    for (spdx_parse_skip_spaces(&s); r == SPDX_OK && s.at < n; spdx_parse_skip_spaces(&s)) {
        r = spdx_parse_take(&s);
    }
    if (r == SPDX_OK) {
        r = spdx_parse_finish(&s);
    }
    if (r != SPDX_OK) {
        e->n_terms = 0;
        e->n_nodes = 0;
    }
    return r;
}
