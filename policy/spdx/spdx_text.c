/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Writes licence expressions in canonical form, and notes. Pure. */
#include <string.h>

#include "policy/spdx/spdx.h"
#include "policy/spdx/spdx_term.h"

/* n counts all text, even what does not fit. */
struct writer {
    char *out;
    size_t size;
    size_t n;
};

static void spdx_text_put(struct writer *w, const char *p, size_t n)
{
    if (w->n < w->size) {
        const size_t room = w->size - w->n - 1;

        memcpy(w->out + w->n, p, n < room ? n : room);
        w->out[w->n + (n < room ? n : room)] = '\0';
    }
    w->n += n;
}

static void spdx_text_put_text(struct writer *w, const char *text)
{
    spdx_text_put(w, text, strlen(text));
}

static void spdx_text_put_times(struct writer *w, char c, unsigned times)
{
    for (; times > 0; times--) {
        spdx_text_put(w, &c, 1);
    }
}

/* Copyright-format 1.0, 7.1, gives the OpenSSL exception its meaning. */
static const struct spdx_exception spdx_debian_permissions[] = {
    {"AdditionRef-debian-OpenSSL", false, SPDX_KEEPS,
     "its exception only permits linking with OpenSSL, and may be dropped",
     "https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/#license-short-name"},
    {"AdditionRef-debian-permission-", false, SPDX_KEEPS,
     "its exception only adds a permission, by the text of the copyright file, and may be dropped",
     ""},
};

const struct spdx_exception *spdx_term_exception(const struct spdx *e, size_t term)
{
    const struct spdx_term *const t = &e->terms[term];
    const struct spdx_meaning m = spdx_meaning(t);

    if (m.addition >= 0) {
        return spdx_exception_at(m.addition);
    }
    for (size_t i = 0; i < sizeof spdx_debian_permissions / sizeof *spdx_debian_permissions; i++) {
        const struct spdx_exception *const x = &spdx_debian_permissions[i];
        const size_t n = strlen(x->id);
        const bool prefix = x->id[n - 1] == '-';

        if ((prefix ? t->with.n > n : t->with.n == n) &&
            memcmp(e->text + t->with.at, x->id, n) == 0) {
            return x;
        }
    }
    return NULL;
}

struct spdx_meaning spdx_meaning(const struct spdx_term *t)
{
    struct spdx_meaning m = {t->licence, t->addition, t->plus, t->with.n > 0};
    const struct spdx_licence *l;

    if (t->licence < 0) {
        return m;
    }
    l = spdx_licence_at(t->licence);
    /* A term with its own exception cannot take the exception of the identifier's replacement. */
    if (l->becomes >= 0 && !(l->becomes_with >= 0 && m.with)) {
        m.licence = l->becomes;
        if (l->becomes_with >= 0) {
            m.addition = l->becomes_with;
            m.with = true;
        }
        l = spdx_licence_at(m.licence);
        if (m.plus && l->or_later >= 0) {
            m.licence = l->or_later;
            m.plus = false;
        }
    }
    if (spdx_licence_at(m.licence)->is_or_later) {
        m.plus = false;
    }
    return m;
}

static void spdx_text_put_term(struct writer *w, const struct spdx *e, const struct spdx_term *t)
{
    const struct spdx_meaning m = spdx_meaning(t);

    if (t->kind == SPDX_NONE) {
        spdx_text_put_text(w, "NONE");
    } else if (t->kind == SPDX_NOASSERTION) {
        spdx_text_put_text(w, "NOASSERTION");
    } else if (m.licence >= 0) {
        spdx_text_put_text(w, spdx_licence_at(m.licence)->id);
    } else {
        spdx_text_put(w, e->text + t->name.at, t->name.n);
    }
    if (m.plus) {
        spdx_text_put_text(w, "+");
    }
    if (m.with) {
        spdx_text_put_text(w, " WITH ");
        if (m.addition >= 0) {
            spdx_text_put_text(w, spdx_exception_at(m.addition)->id);
        } else {
            spdx_text_put(w, e->text + t->with.at, t->with.n);
        }
    }
}

/* The separators of the terms: the text before and after each. */
struct joints {
    uint16_t first[2 * LIMIT_SPDX_TERMS - 1]; /* the first and last term of a node */
    uint16_t last[2 * LIMIT_SPDX_TERMS - 1];
    uint16_t opens[LIMIT_SPDX_TERMS]; /* number of parentheses before and after a term */
    uint16_t closes[LIMIT_SPDX_TERMS];
    bool or_before[LIMIT_SPDX_TERMS]; /* the operator before a term is OR, not AND */
};

/* Only an OR under an AND needs parentheses. */
static void spdx_text_enclose(struct joints *j, const struct spdx *e, uint16_t part)
{
    if (e->nodes[part].kind == SPDX_OR) {
        j->opens[j->first[part]]++;
        j->closes[j->last[part]]++;
    }
}

static void spdx_text_join(struct joints *j, const struct spdx *e)
{
    for (size_t i = 0; i < e->n_nodes; i++) {
        const struct spdx_node *n = &e->nodes[i];

        if (n->kind == SPDX_TERM) {
            j->first[i] = n->left;
            j->last[i] = n->left;
            continue;
        }
        j->first[i] = j->first[n->left];
        j->last[i] = j->last[n->right];
        j->or_before[j->first[n->right]] = n->kind == SPDX_OR;
        if (n->kind == SPDX_AND) {
            spdx_text_enclose(j, e, n->left);
            spdx_text_enclose(j, e, n->right);
        }
    }
}

size_t spdx_canonical(const struct spdx *e, char *out, size_t size)
{
    struct joints j = {0};
    struct writer w = {out, size, 0};

    if (size > 0) {
        out[0] = '\0';
    }
    spdx_text_join(&j, e);
    for (size_t i = 0; i < e->n_terms; i++) {
        if (i > 0) {
            spdx_text_put_text(&w, j.or_before[i] ? " OR " : " AND ");
        }
        spdx_text_put_times(&w, '(', j.opens[i]);
        spdx_text_put_term(&w, e, &e->terms[i]);
        spdx_text_put_times(&w, ')', j.closes[i]);
    }
    return w.n;
}

size_t spdx_term_text(const struct spdx *e, size_t term, char *out, size_t size)
{
    struct writer w = {out, size, 0};

    if (size > 0) {
        out[0] = '\0';
    }
    spdx_text_put_term(&w, e, &e->terms[term]);
    return w.n;
}

unsigned spdx_notes(const struct spdx *e)
{
    unsigned notes = 0;

    for (size_t i = 0; i < e->n_terms; i++) {
        notes |= e->terms[i].notes;
    }
    return notes;
}

const char *spdx_note_text(enum spdx_note note)
{
    switch (note) {
    case SPDX_NOTE_DEPRECATED:
        return "the identifier is deprecated";
    case SPDX_NOTE_DEPRECATED_ADD:
        return "the exception's identifier is deprecated";
    case SPDX_NOTE_UNLISTED:
        return "the identifier is not on the licence list";
    case SPDX_NOTE_UNLISTED_ADD:
        return "the exception is not on the list of exceptions";
    case SPDX_NOTE_PLUS_REDUNDANT:
        return "the \"+\" adds nothing to the identifier";
    case SPDX_NOTE_PLUS_CONTRARY:
        return "\"only\" and \"+\" contradict each other";
    }
    return "";
}
