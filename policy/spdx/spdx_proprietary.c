/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Licences that state of themselves that they are proprietary: by the name of a reference, or as
 * texts on the SPDX list that reserve uses to their author. All others that are not compatible with
 * the GPL are only incompatible. Pure.
 */
#include <string.h>

#include "policy/spdx/spdx.h"
#include "policy/spdx/spdx_term.h"

/* The place in a name, which has words between hyphens or dots. */
enum stated_at { STATED_ANYWHERE, STATED_LAST };

/* "commercial" counts only at the end: "free-for-commercial-use" states the opposite. */
static const struct {
    const char *words;
    enum stated_at at;
} stated[] = {
    {"proprietary", STATED_ANYWHERE},
    {"all-rights-reserved", STATED_ANYWHERE},
    {"commercial", STATED_LAST},
    {"commercial-license", STATED_LAST},
    {"commercial-licence", STATED_LAST},
    {"closed-source", STATED_LAST},
    {"nonfree", STATED_LAST},
    {"non-free", STATED_LAST},
    {"unlicensed", STATED_LAST}, /* npm's word: no licence is given */
};

/* Words that turn the one after them round. */
static const char *const negations[] = {"not", "non", "no"};

/* Texts on the SPDX list that reserve commercial or production use, or the source. */
static const char *const reserved[] = {
    "BUSL-1.1",
    "CC-BY-NC-1.0",
    "CC-BY-NC-2.0",
    "CC-BY-NC-2.5",
    "CC-BY-NC-3.0",
    "CC-BY-NC-3.0-DE",
    "CC-BY-NC-3.0-IGO",
    "CC-BY-NC-4.0",
    "CC-BY-NC-ND-1.0",
    "CC-BY-NC-ND-2.0",
    "CC-BY-NC-ND-2.5",
    "CC-BY-NC-ND-3.0",
    "CC-BY-NC-ND-3.0-DE",
    "CC-BY-NC-ND-3.0-IGO",
    "CC-BY-NC-ND-4.0",
    "CC-BY-NC-SA-1.0",
    "CC-BY-NC-SA-2.0",
    "CC-BY-NC-SA-2.0-DE",
    "CC-BY-NC-SA-2.0-FR",
    "CC-BY-NC-SA-2.0-UK",
    "CC-BY-NC-SA-2.5",
    "CC-BY-NC-SA-3.0",
    "CC-BY-NC-SA-3.0-DE",
    "CC-BY-NC-SA-3.0-IGO",
    "CC-BY-NC-SA-4.0",
    "Elastic-2.0",
    "PolyForm-Noncommercial-1.0.0",
    "PolyForm-Small-Business-1.0.0",
};

static bool spdx_proprietary_is_joint(char c)
{
    return c == '-' || c == '.' || c == ':';
}

/* Returns whether the n bytes of words are in the text at this offset, as whole words. */
static bool spdx_proprietary_at(const char *p, size_t size, size_t at, const char *words, size_t n)
{
    return at + n <= size && (at == 0 || spdx_proprietary_is_joint(p[at - 1])) &&
           (at + n == size || spdx_proprietary_is_joint(p[at + n])) &&
           spdx_list_compare(p + at, n, words) == 0;
}

static bool spdx_proprietary_negated(const char *p, size_t at)
{
    for (size_t i = 0; i < sizeof negations / sizeof *negations; i++) {
        const size_t n = strlen(negations[i]);

        if (at > n && spdx_proprietary_at(p, at - 1, at - 1 - n, negations[i], n)) {
            return true;
        }
    }
    return false;
}

/* Returns whether the name of a reference, or an unlisted name, states it. */
static bool spdx_proprietary_name(const char *p, size_t size)
{
    for (size_t i = 0; i < sizeof stated / sizeof *stated; i++) {
        const size_t n = strlen(stated[i].words);
        const size_t first = stated[i].at == STATED_LAST && size >= n ? size - n : 0;

        for (size_t at = first; at + n <= size; at++) {
            if (spdx_proprietary_at(p, size, at, stated[i].words, n) &&
                (stated[i].at == STATED_LAST || !spdx_proprietary_negated(p, at))) {
                return true;
            }
        }
    }
    return false;
}

static bool spdx_proprietary_listed(int licence)
{
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (strcmp(reserved[i], spdx_licence_at(licence)->id) == 0) {
            return true;
        }
    }
    return false;
}

bool spdx_term_proprietary(const struct spdx *e, size_t term)
{
    const struct spdx_term *t = &e->terms[term];
    const struct spdx_meaning m = spdx_meaning(t);

    if (t->kind == SPDX_LICENCE) {
        return spdx_proprietary_listed(m.licence);
    }
    return (t->kind == SPDX_REFERENCE || t->kind == SPDX_UNLISTED) &&
           spdx_proprietary_name(e->text + t->name.at, t->name.n);
}

bool spdx_proprietary(const struct spdx *e)
{
    bool at[2 * LIMIT_SPDX_TERMS - 1] = {false};

    /* Operands precede their node; the root is last. */
    for (size_t i = 0; i < e->n_nodes; i++) {
        const struct spdx_node *n = &e->nodes[i];

        if (n->kind == SPDX_TERM) {
            at[i] = spdx_term_proprietary(e, n->left);
        } else if (n->kind == SPDX_OR) {
            at[i] = at[n->left] && at[n->right];
        } else {
            at[i] = at[n->left] || at[n->right];
        }
    }
    return e->n_nodes > 0 && at[e->n_nodes - 1];
}
