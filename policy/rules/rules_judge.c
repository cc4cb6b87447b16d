/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Selects the evidence of a party's licence that counts, and judges it by a rule. Pure. */
#include "policy/rules/rules_judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/rules/interpreter.h"

void rules_write(char out[RULES_TEXT_SIZE], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(out, RULES_TEXT_SIZE, fmt, ap);
    va_end(ap);
}

/* ---- selecting evidence ---- */

/*
 * Returns whether evidence of this grade counts if the highest grade among all of it is best: it is
 * of that grade, or both are statements of the party itself or of its maker, which hold together.
 */
static bool rules_judge_counts(enum evidence_grade grade, enum evidence_grade best)
{
    return grade > EVIDENCE_NONE && grade <= best && (grade == best || best <= EVIDENCE_RECITED);
}

static void rules_judge_count(struct rules_counted *c, enum evidence_grade grade,
                              const char *source, const char *licence, const char *name)
{
    const enum evidence_grade best = grade > c->grade ? grade : c->grade;

    if (!*licence || !rules_judge_counts(grade, best)) {
        return;
    }
    if (!rules_judge_counts(c->grade, best)) {
        c->partial = NULL;
        c->n = 0;
    }
    c->grade = best;
    c->items[c->n].licence = licence;
    c->items[c->n].source = source;
    c->items[c->n].name = name;
    c->n++;
}

/*
 * Evidence of one source holds together: if a part of it could not be read, or did not fit, the
 * rest is incomplete. Envelopes are independent statements: an invalid one is ignored.
 */
static const char *rules_judge_partial(const struct evidence *e, enum evidence_grade grade)
{
    if (e->cut) {
        return "there is more evidence of its licence than fits";
    }
    for (uint32_t u = 0; grade != EVIDENCE_SIGNED && u < e->n_unknown; u++) {
        for (uint32_t i = 0; i < e->n; i++) {
            if (e->items[i].grade == grade && e->items[i].source == e->unknowns[u].source) {
                return e->unknowns[u].why;
            }
        }
    }
    return NULL;
}

/*
 * An inspector can only find evidence of these three grades; items of other grades are ignored. A
 * note is a statement by the maker of the file, as a declaration and a recital are.
 */
static bool rules_judge_is_found_out(enum evidence_grade grade)
{
    return grade == EVIDENCE_NOTED || grade == EVIDENCE_PACKAGED || grade == EVIDENCE_SIGNED;
}

/* Returns the evidence found in a party's executable, or NULL if it was not inspected. */
static const struct evidence *rules_judge_evidence(const struct rules_known *k)
{
    return k->inspection && k->inspection->outcome == INSPECTION_OK ? &k->inspection->evidence
                                                                    : NULL;
}

/* A file that is only mapped, such as the loader in each program, is not a process. */
const char *rules_interpreter(const struct rules_known *k)
{
    return peer_knows(k->peer, PEER_PID) && peer_knows(k->peer, PEER_EXE_PATH)
               ? interpreter_of(k->peer->exe.path)
               : NULL;
}

static bool rules_judge_has_note(const struct evidence *e)
{
    for (uint32_t i = 0; i < e->n; i++) {
        if (e->items[i].grade == EVIDENCE_NOTED) {
            return true;
        }
    }
    return false;
}

static void rules_judge_count_inspection(const struct rules_known *k, uint32_t today,
                                         struct rules_counted *c)
{
    const struct evidence *e = rules_judge_evidence(k);

    c->interpreter = rules_interpreter(k);
    if (!e) {
        return;
    }
    for (uint32_t i = 0; i < e->n; i++) {
        const struct evidence_item *item = &e->items[i];

        if (evidence_expired(item, today)) {
            (void)evidence_expired_text(item, c->expired);
        } else if (rules_judge_is_found_out(item->grade) &&
                   (!c->interpreter || item->grade == EVIDENCE_SIGNED)) {
            rules_judge_count(c, item->grade, evidence_source_name(item->source), item->licence,
                              item->name);
        }
    }
    if (c->grade > EVIDENCE_RECITED) {
        c->partial = rules_judge_partial(e, c->grade);
    } else if (rules_judge_has_note(e) && !c->interpreter) {
        c->partial = rules_judge_partial(e, EVIDENCE_NOTED);
    }
}

/* Returns the first match: several would contradict or repeat each other. */
const struct rules_assign *rules_assigned(const struct rules *r, enum side party,
                                          const struct rules_known *k)
{
    for (size_t i = 0; i < r->n_assign; i++) {
        const struct rules_assign *a = &r->assign[i];

        if (a->party == party && rules_is_named(k, a->fact, 0, a->text)) {
            return a;
        }
    }
    return NULL;
}

bool rules_ask_code(const struct rules *r, enum side party)
{
    for (size_t i = 0; i < r->n_code; i++) {
        if (r->code[i].party == party) {
            return true;
        }
    }
    for (size_t i = 0; i < r->n_licence; i++) {
        if (r->licence[i].party == party && r->licence[i].covers_code) {
            return true;
        }
    }
    return false;
}

bool rules_ask_processes(const struct rules *r)
{
    return r->n_allow > 0 || r->n_licence > 0 || r->n_code > 0 || r->n_trait > 0;
}

bool rules_ask_executable(const struct rules *r, enum side party)
{
    if (rules_ask_code(r, party)) {
        return true;
    }
    for (size_t i = 0; i < r->n_trait; i++) {
        if (r->trait[i].party == party) {
            return true;
        }
    }
    for (size_t i = 0; i < r->n_allow; i++) {
        if (r->allow[i].party == party && r->allow[i].fact == RULES_DIGEST &&
            !rules_is_verity(r->allow[i].text)) {
            return true;
        }
    }
    for (size_t i = 0; i < r->n_licence; i++) {
        if (r->licence[i].party == party || r->licence[i].kind == RULES_WITH_OTHER) {
            return true;
        }
    }
    for (size_t i = 0; i < r->n_assign; i++) {
        if (r->assign[i].party == party && r->assign[i].fact == RULES_DIGEST &&
            !rules_is_verity(r->assign[i].text)) {
            return true;
        }
    }
    return false;
}

void rules_count(const struct rules *r, enum side party, const struct rules_known *k,
                 uint32_t today, struct rules_counted *c)
{
    const struct rules_assign *a = rules_assigned(r, party, k);

    *c = (struct rules_counted){.grade = EVIDENCE_NONE};
    if (k->recital == RECITAL_OK) {
        rules_judge_count(c, EVIDENCE_RECITED, "recital", k->recited, "");
    }
    rules_judge_count(c, EVIDENCE_DECLARED, "declaration", k->declared, "");
    rules_judge_count_inspection(k, today, c);
    if (a) {
        rules_judge_count(c, EVIDENCE_ASSIGNED, "operator", a->licence, "");
    }
}

bool rules_counted_has(const struct rules_counted *c, const char *licence)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->items[i].licence == licence) {
            return true;
        }
    }
    return false;
}

/* ---- judging evidence ---- */

/* Two references of one name may be two texts, so only listed licences can be the same. */
static enum spdx_compat rules_judge_same(const struct spdx *e, const char *other,
                                         char why[RULES_TEXT_SIZE])
{
    char one[EVIDENCE_LICENCE_SIZE];
    char two[EVIDENCE_LICENCE_SIZE];
    struct spdx_error error;
    struct spdx same;
    bool equal = spdx_parse(&same, other, strlen(other), SPDX_LISTED, &error) == SPDX_OK &&
                 spdx_canonical(e, one, sizeof one) < sizeof one &&
                 spdx_canonical(&same, two, sizeof two) < sizeof two && strcmp(one, two) == 0;

    for (size_t i = 0; i < e->n_terms; i++) {
        equal = equal && e->terms[i].kind == SPDX_LICENCE;
    }
    rules_write(why, "%s",
                equal ? "the other party's licence as well"
                      : "not known to be compatible with the other party's licence, which no "
                        "version of the GPL can be combined with");
    return equal ? SPDX_COMPATIBLE : SPDX_UNKNOWN;
}

enum spdx_compat rules_judge_one(const struct rules_licence *rule, const char *licence,
                                 char why[RULES_TEXT_SIZE])
{
    struct spdx expression;
    struct spdx_error error;
    struct spdx_verdict v;

    if (spdx_parse(&expression, licence, strlen(licence), SPDX_ANY, &error) != SPDX_OK) {
        rules_write(why, "not an SPDX expression: %s", error.text);
        return SPDX_UNKNOWN;
    }
    if (rule->kind == RULES_OSI_APPROVED) {
        const enum spdx_compat c = spdx_osi_approved(&expression);

        rules_write(why, "%s",
                    c == SPDX_COMPATIBLE     ? "approved by the OSI"
                    : c == SPDX_INCOMPATIBLE ? "not approved by the OSI"
                                             : "not known to be approved by the OSI");
        return c;
    }
    if (rule->kind == RULES_SAME) {
        return rules_judge_same(&expression, rule->same, why);
    }
    spdx_judge(&expression, rule->target, &v);
    spdx_verdict_text(&v, &expression, why, RULES_TEXT_SIZE);
    return v.compat;
}

const struct rules_licence rules_unasked = {
    .party = SIDE_BACKEND, .kind = RULES_COMPATIBLE, .target = SPDX_WITH_GPL_2_0_ONLY};

const struct rules_licence rules_any_version = {.kind = RULES_COMPATIBLE,
                                                .target = SPDX_WITH_GPL_2_0_OR_LATER};

static enum spdx_compat rules_judge_with_any(const char *licence)
{
    char why[RULES_TEXT_SIZE];

    return rules_judge_one(&rules_any_version, licence, why);
}

bool rules_contradicts_itself(const struct rules_known *k, struct rules_contradiction *by)
{
    const bool recited = k->recital == RECITAL_OK && *k->recited;
    const struct evidence *e = rules_judge_evidence(k);
    const bool gpl = recited && rules_judge_with_any(k->recited) == SPDX_COMPATIBLE;

    *by = (struct rules_contradiction){.licence = k->declared, .how = "declares"};
    if (recited && *k->declared && gpl != (rules_judge_with_any(k->declared) == SPDX_COMPATIBLE)) {
        return true;
    }
    for (uint32_t i = 0; gpl && e && !rules_interpreter(k) && i < e->n; i++) {
        if (e->items[i].grade == EVIDENCE_PACKAGED &&
            rules_judge_with_any(e->items[i].licence) == SPDX_INCOMPATIBLE) {
            *by = (struct rules_contradiction){e->items[i].licence, "is packaged as"};
            return true;
        }
    }
    return false;
}

/* Judges each item alone and returns the worst result. */
static enum spdx_compat judge_each(const struct rules_licence *rule, const struct rules_counted *c,
                                   size_t *worst, char why[RULES_TEXT_SIZE])
{
    enum spdx_compat all = SPDX_UNKNOWN;

    *worst = 0;
    rules_write(why, "no evidence of its licence");
    for (size_t i = 0; i < c->n; i++) {
        char text[RULES_TEXT_SIZE];
        const enum spdx_compat one = rules_judge_one(rule, c->items[i].licence, text);

        if (i == 0 || one < all) {
            all = one;
            *worst = i;
            memcpy(why, text, sizeof text);
        }
    }
    return all;
}

const enum spdx_target rules_versions[RULES_VERSIONS] = {SPDX_WITH_GPL_2_0_ONLY,
                                                         SPDX_WITH_GPL_3_0_OR_LATER};

/* Judges the items with each version, complete or not. */
static void rules_judge_each_version(const struct rules_counted *c,
                                     enum spdx_compat out[RULES_VERSIONS])
{
    for (int v = 0; v < RULES_VERSIONS; v++) {
        out[v] = c->n > 0 ? SPDX_COMPATIBLE : SPDX_UNKNOWN;
    }
    for (size_t i = 0; i < c->n; i++) {
        const char *const licence = c->items[i].licence;
        struct spdx expression;
        struct spdx_error error;
        const bool readable =
            spdx_parse(&expression, licence, strlen(licence), SPDX_ANY, &error) == SPDX_OK;

        for (int v = 0; v < RULES_VERSIONS; v++) {
            struct spdx_verdict one = {.compat = SPDX_UNKNOWN};

            if (readable) {
                spdx_judge(&expression, rules_versions[v], &one);
            }
            out[v] = one.compat < out[v] ? one.compat : out[v];
        }
    }
}

void rules_judge_versions(const struct rules_counted *c, enum spdx_compat out[RULES_VERSIONS])
{
    rules_judge_each_version(c, out);
    for (int v = 0; c->partial && v < RULES_VERSIONS; v++) {
        out[v] = out[v] < SPDX_UNKNOWN ? out[v] : SPDX_UNKNOWN;
    }
}

enum spdx_compat rules_judge_either(const enum spdx_compat versions[RULES_VERSIONS])
{
    enum spdx_compat best = SPDX_INCOMPATIBLE;

    for (int v = 0; v < RULES_VERSIONS; v++) {
        best = versions[v] > best ? versions[v] : best;
    }
    return best;
}

enum spdx_compat rules_judge_all(const struct rules_licence *rule, const struct rules_counted *c,
                                 size_t *worst, char why[RULES_TEXT_SIZE])
{
    enum spdx_compat all = judge_each(rule, c, worst, why);

    if (c->n > 1 && rules_asks_either(rule)) {
        enum spdx_compat versions[RULES_VERSIONS];

        rules_judge_each_version(c, versions);
        if (rules_judge_either(versions) < all) {
            all = rules_judge_either(versions);
            rules_write(why,
                        "one of %zu licences that are not all compatible with one and the same "
                        "version of the GPL",
                        c->n);
        }
    }
    if (c->partial && all == SPDX_COMPATIBLE) {
        all = SPDX_UNKNOWN;
        rules_write(why, "its evidence is incomplete: %s", c->partial);
    }
    return all;
}

/* Returns whether a licence states of itself that it is proprietary. */
static bool rules_judge_is_proprietary(const char *licence)
{
    struct spdx expression;
    struct spdx_error error;

    return spdx_parse(&expression, licence, strlen(licence), SPDX_ANY, &error) == SPDX_OK &&
           spdx_proprietary(&expression);
}

static uint32_t rules_judge_grade_taint(enum evidence_grade grade)
{
    if (grade >= EVIDENCE_DECLARED && grade <= EVIDENCE_RECITED) {
        return TAINT_UNSIGNED;
    }
    return grade == EVIDENCE_ASSIGNED ? TAINT_OVERRIDE : 0;
}

uint32_t rules_licence_taint(const char *licence, enum spdx_compat compat,
                             enum evidence_grade grade)
{
    uint32_t taint = rules_judge_grade_taint(grade);

    if (compat == SPDX_UNKNOWN) {
        taint |= TAINT_UNKNOWN;
    } else if (compat == SPDX_INCOMPATIBLE) {
        taint |= rules_judge_is_proprietary(licence) ? TAINT_PROPRIETARY : TAINT_INCOMPATIBLE;
    }
    return taint;
}

uint32_t rules_counted_taint(const struct rules_counted *c, enum spdx_compat compat)
{
    uint32_t taint = rules_licence_taint("", compat, c->grade);

    for (size_t i = 0; compat == SPDX_INCOMPATIBLE && i < c->n; i++) {
        if (rules_judge_is_proprietary(c->items[i].licence)) {
            return (taint & ~(uint32_t)TAINT_INCOMPATIBLE) | TAINT_PROPRIETARY;
        }
    }
    return taint;
}

uint32_t rules_worse_taint(const struct rules_licence *rule, const char *a, const char *b)
{
    char why[RULES_TEXT_SIZE];
    const enum spdx_compat of_a = rules_judge_one(rule, a, why);
    const enum spdx_compat of_b = rules_judge_one(rule, b, why);

    return of_a < of_b ? rules_licence_taint(a, of_a, EVIDENCE_NONE)
                       : rules_licence_taint(b, of_b, EVIDENCE_NONE);
}
