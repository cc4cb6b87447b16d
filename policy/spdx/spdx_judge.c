/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Judges whether a work under an expression can be one work with a GPL program, and why. Pure.
 *
 * Each version of the GPL is judged separately over the whole expression before the better one is
 * chosen: parts that agree with different versions do not agree with each other.
 */
#include <stdio.h>
#include <string.h>

#include "policy/spdx/spdx.h"
#include "policy/spdx/spdx_term.h"

#define LICENSE_LIST "https://www.gnu.org/licenses/license-list.html"

static const struct {
    const char *name;
    int versions[2]; /* versions of the GPL that the target allows; ends at 0 */
} targets[SPDX_TARGETS] = {
    [SPDX_WITH_GPL_2_0_ONLY] = {"GPL-2.0-only", {2, 0}},
    [SPDX_WITH_GPL_2_0_OR_LATER] = {"GPL-2.0-or-later", {2, 3}},
    [SPDX_WITH_GPL_3_0_OR_LATER] = {"GPL-3.0-or-later", {3, 0}},
};

const char *spdx_compat_name(enum spdx_compat c)
{
    static const char *const names[] = {"incompatible", "unknown", "compatible"};

    return names[c];
}

const char *spdx_target_name(enum spdx_target t)
{
    return targets[t].name;
}

int spdx_target_find(const char *name)
{
    const int licence = spdx_list_licence(name, strlen(name));

    for (int t = 0; licence >= 0 && t < SPDX_TARGETS; t++) {
        if (strcmp(targets[t].name, spdx_licence_at(licence)->id) == 0) {
            return t;
        }
    }
    return -1;
}

/* ---- one term ---- */

static void spdx_judge_write(struct spdx_reason *r, enum spdx_compat compat, const char *why,
                             const char *source)
{
    *r = (struct spdx_reason){compat, NULL, why, source};
}

/*
 * Debian's format gives the name public-domain a meaning (copyright-format 1.0, 7.1.1); it is read
 * as this reference.
 */
static bool spdx_judge_is_public_domain(const struct spdx *e, const struct spdx_term *t)
{
    static const char name[] = "LicenseRef-debian-public-domain";

    return t->kind == SPDX_REFERENCE && t->name.n == sizeof name - 1 &&
           memcmp(e->text + t->name.at, name, sizeof name - 1) == 0;
}

/* Judges terms that are not licences of the list. */
static void spdx_judge_reason_unlisted(const struct spdx *e, size_t term, struct spdx_reason *r)
{
    const struct spdx_term *t = &e->terms[term];

    if (spdx_term_proprietary(e, term)) {
        spdx_judge_write(r, SPDX_INCOMPATIBLE, "its name states that it is proprietary", "");
        return;
    }
    if (spdx_judge_is_public_domain(e, t)) {
        spdx_judge_write(r, SPDX_COMPATIBLE, "a work in the public domain needs no licence",
                         LICENSE_LIST "#PublicDomain");
        return;
    }
    switch (t->kind) {
    case SPDX_LICENCE:
        break;
    case SPDX_UNLISTED:
        spdx_judge_write(r, SPDX_UNKNOWN,
                         "it is not on the licence list that this program was built with", "");
        break;
    case SPDX_REFERENCE:
        spdx_judge_write(r, SPDX_UNKNOWN, "a reference names a text that only its author knows",
                         "");
        break;
    case SPDX_NONE:
        spdx_judge_write(r, SPDX_INCOMPATIBLE, "without a licence it must not be distributed",
                         LICENSE_LIST "#NoLicense");
        break;
    case SPDX_NOASSERTION:
        spdx_judge_write(r, SPDX_UNKNOWN, "there is no statement about its licence", "");
        break;
    }
}

/* Judges the licence, or the best of it and its later versions if "+" permits a choice. */
static void spdx_judge_reason_licence(int licence, bool plus, int version, struct spdx_reason *r)
{
    const struct spdx_licence *l = spdx_licence_at(licence);
    const int which = version - 2;

    spdx_judge_write(r, l->with_gpl[which], l->why, l->source);
    for (int i = l->later; plus && i >= 0; i = spdx_licence_at(i)->later) {
        l = spdx_licence_at(i);
        if (l->with_gpl[which] > r->compat) {
            spdx_judge_write(r, l->with_gpl[which], l->why, l->source);
            r->taken_as = l->id;
        }
    }
}

/* Adjusts the licence's result for the exception. */
static void spdx_judge_reason_with(const struct spdx *e, size_t term, int version,
                                   struct spdx_reason *r)
{
    const struct spdx_exception *x = spdx_term_exception(e, term);
    const struct spdx_meaning meaning = spdx_meaning(&e->terms[term]);

    if (!x) {
        spdx_judge_write(r, SPDX_UNKNOWN,
                         "its exception is not on the list, so its effect is unknown", "");
    } else if (x->effect == SPDX_OBSCURE ||
               (x->effect == SPDX_LINKS && r->compat == SPDX_INCOMPATIBLE)) {
        spdx_judge_write(r, SPDX_UNKNOWN, x->why, x->source);
    } else if ((x->effect == SPDX_WAIVES && version == 2 && r->compat == SPDX_INCOMPATIBLE &&
                strcmp(spdx_licence_at(meaning.licence)->id, "Apache-2.0") == 0) ||
               (meaning.addition < 0 && r->compat == SPDX_COMPATIBLE)) {
        spdx_judge_write(r, SPDX_COMPATIBLE, x->why, x->source);
    }
}

void spdx_reason(const struct spdx *e, size_t term, int version, struct spdx_reason *r)
{
    const struct spdx_term *t = &e->terms[term];
    const struct spdx_meaning m = spdx_meaning(t);

    if (t->kind != SPDX_LICENCE) {
        spdx_judge_reason_unlisted(e, term, r);
    } else if (t->notes & SPDX_NOTE_PLUS_CONTRARY) {
        spdx_judge_write(r, SPDX_UNKNOWN, spdx_note_text(SPDX_NOTE_PLUS_CONTRARY), "");
    } else {
        spdx_judge_reason_licence(m.licence, m.plus, version, r);
    }
    if (m.with && r->compat != SPDX_UNKNOWN) {
        spdx_judge_reason_with(e, term, version, r);
    }
}

/* ---- whole expressions ---- */

static void judge_terms(const struct spdx *e, int version, struct spdx_verdict *v)
{
    for (size_t i = 0; i < e->n_terms; i++) {
        struct spdx_reason r;

        spdx_reason(e, i, version, &r);
        v->terms[i] = r.compat;
    }
}

/* Works from the terms to the root. */
static void judge_nodes(const struct spdx *e, const struct spdx_verdict *v, enum spdx_compat *nodes)
{
    for (size_t i = 0; i < e->n_nodes; i++) {
        const struct spdx_node *n = &e->nodes[i];

        if (n->kind == SPDX_TERM) {
            nodes[i] = v->terms[n->left];
        } else if ((n->kind == SPDX_AND) == (nodes[n->left] < nodes[n->right])) {
            nodes[i] = nodes[n->left];
        } else {
            nodes[i] = nodes[n->right];
        }
    }
}

/* Works from the root to the terms: of two equally good branches, the first is taken. */
static void spdx_judge_mark(const struct spdx *e, const enum spdx_compat *nodes,
                            struct spdx_verdict *v)
{
    bool taken[2 * LIMIT_SPDX_TERMS - 1] = {false};

    taken[e->n_nodes - 1] = true;
    for (size_t i = e->n_nodes; i-- > 0;) {
        const struct spdx_node *n = &e->nodes[i];

        if (n->kind == SPDX_TERM) {
            v->parts[n->left] = taken[i] ? SPDX_TAKEN : SPDX_PASSED_OVER;
        } else if (taken[i]) {
            const bool both = n->kind == SPDX_AND;

            taken[n->left] = both || nodes[n->left] >= nodes[n->right];
            taken[n->right] = both || !taken[n->left];
        }
    }
}

static void judge_version(const struct spdx *e, int version, struct spdx_verdict *v)
{
    enum spdx_compat nodes[2 * LIMIT_SPDX_TERMS - 1] = {SPDX_INCOMPATIBLE};

    *v = (struct spdx_verdict){v->target, .version = version, .n_terms = e->n_terms};
    if (e->n_terms == 0) {
        v->compat = SPDX_UNKNOWN;
        return;
    }
    judge_terms(e, version, v);
    judge_nodes(e, v, nodes);
    v->compat = nodes[e->n_nodes - 1];
    spdx_judge_mark(e, nodes, v);
    while (v->parts[v->decisive] != SPDX_TAKEN || v->terms[v->decisive] != v->compat) {
        v->decisive++;
    }
}

void spdx_judge(const struct spdx *e, enum spdx_target target, struct spdx_verdict *v)
{
    const int *versions = targets[target].versions;

    v->target = target;
    judge_version(e, versions[0], v);
    if (versions[1] != 0 && v->compat != SPDX_COMPATIBLE) {
        struct spdx_verdict other;

        other.target = target;
        judge_version(e, versions[1], &other);
        if (other.compat > v->compat) {
            *v = other;
        }
    }
}

/* Appends a text; a line that is cut ends in "...". */
static void spdx_judge_append(char *out, size_t size, const char *text)
{
    const size_t n = strlen(out);

    snprintf(out + n, size - n, "%s", text);
    if (strlen(text) >= size - n && size > 4) {
        memcpy(out + size - 4, "...", 4);
    }
}

/* All terms contribute to a compatible result: counts how many more there are. */
static void spdx_judge_count_others(const struct spdx_verdict *v, char *out, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < v->n_terms; i++) {
        n += v->parts[i] == SPDX_TAKEN;
    }
    out[0] = '\0';
    if (v->compat == SPDX_COMPATIBLE && n > 1) {
        snprintf(out, size, " and %zu more", n - 1);
    }
}

const char *spdx_verdict_text(const struct spdx_verdict *v, const struct spdx *e, char *out,
                              size_t size)
{
    char term[SPDX_TERM_SIZE];
    char others[32];
    struct spdx_reason r;

    if (size == 0) {
        return out;
    }
    spdx_judge_count_others(v, others, sizeof others);
    if (v->n_terms > 0) {
        spdx_term_text(e, v->decisive, term, sizeof term);
        spdx_reason(e, v->decisive, v->version, &r);
    } else {
        snprintf(term, sizeof term, "no licence");
        spdx_judge_write(&r, SPDX_UNKNOWN, "there is no expression that could be read", "");
    }
    out[0] = '\0';
    spdx_judge_append(out, size, spdx_compat_name(v->compat));
    spdx_judge_append(out, size, " with ");
    spdx_judge_append(out, size, spdx_target_name(v->target));
    spdx_judge_append(out, size,
                      targets[v->target].versions[1] == 0 ? ""
                      : v->version == 2                   ? " (version 2)"
                                                          : " (version 3)");
    spdx_judge_append(out, size, ": ");
    spdx_judge_append(out, size, term);
    spdx_judge_append(out, size, others);
    spdx_judge_append(out, size, ": ");
    spdx_judge_append(out, size, r.why);
    if (r.source[0]) {
        spdx_judge_append(out, size, " <");
        spdx_judge_append(out, size, r.source);
        spdx_judge_append(out, size, ">");
    }
    return out;
}
