/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Checks the rules of a route one after the other: each is met or not, with a reason. Pure.
 *
 * A verdict is built from the same steps that an explanation shows.
 */
#include "policy/rules/rules.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "policy/rules/rules_judge.h"

struct walk {
    const struct rules *rules;
    const struct rules_known *known;
    uint32_t today;
    rules_step_fn *fn;
    void *arg;
};

const char *rules_fact_name(enum rules_fact f)
{
    static const char *const words[RULES_FACTS] = {"user",  "group", "exe", "digest",
                                                   "label", "unit",  "vm"};

    return f < RULES_FACTS ? words[f] : "?";
}

const char *rules_verdict_name(enum verdict v)
{
    switch (v) {
    case VERDICT_ALLOW:
        return "allow";
    case VERDICT_TAINTED:
        return "allow-tainted";
    case VERDICT_DENY:
        return "deny";
    }
    return "?";
}

/*
 * Passes a step to the callback. A step that is met needs no advice, and keeps only the taint of
 * weak evidence.
 */
static void rules_notify(const struct walk *w, struct rules_step *s)
{
    if (s->met) {
        s->taint &= TAINT_UNSIGNED | TAINT_OVERRIDE;
        s->mend[0] = '\0';
    }
    w->fn(s, w->arg);
}

static const struct rules_cause rules_no_cause = {EVIDENCE_NONE, "", "", ""};

/* ---- identity ---- */

static void rules_check_allow(const struct walk *w, enum side party, enum rules_fact fact)
{
    const struct rules_known *k = &w->known[party];
    const char *who = side_name(party);
    const char *what = rules_fact_name(fact);
    struct rules_step s = {.about = RULES_ABOUT_IDENTITY,
                           .party = party,
                           .taint = TAINT_IDENTITY,
                           .cause = rules_no_cause};
    char own[240];
    size_t n = 0;

    for (size_t i = 0; i < w->rules->n_allow && !s.met; i++) {
        const struct rules_allow *a = &w->rules->allow[i];

        if (a->party == party && a->fact == fact) {
            s.met = rules_is_named(k, fact, a->id, a->text);
            s.line = n == 0 || s.met ? a->line : s.line;
            n++;
        }
    }
    if (n == 0) {
        return;
    }
    rules_show_fact(k, fact, own, sizeof own);
    rules_write(s.text, "%s \"allow %s %s\" names the %s's %s, which is %s", s.met ? "the" : "no",
                who, what, who, what, own);
    rules_write(s.mend, "use a %s with a %s that is named, or add an \"allow %s %s\" for this one",
                who, what, who, what);
    rules_notify(w, &s);
}

static void rules_check_recital(const struct walk *w, enum side party)
{
    const char *who = side_name(party);
    const bool all = party == SIDE_BACKEND && w->rules->demand_all_the_way;
    const char *how = all ? " all the way" : "";
    struct rules_step s = {.about = RULES_ABOUT_RECITAL,
                           .party = party,
                           .line = w->rules->demand_line[party],
                           .taint = TAINT_RECITAL,
                           .cause = rules_no_cause};

    if (!w->rules->demand_recital[party]) {
        return;
    }
    s.met = w->known[party].recital == RECITAL_OK;
    rules_write(s.text, "the rule \"demand recital from %s%s\" is %s: %s", who, how,
                s.met ? "met" : "not met", recital_text(w->known[party].recital));
    rules_write(s.mend, "use a %s that recites the poem", who);
    if (s.met && all) {
        rules_via_recital(w->known[party].via, &s);
    }
    rules_notify(w, &s);
}

/* ---- licences ---- */

/* A declaration that counts together with a note, which is a grade above, is still one. */
static enum evidence_grade rules_grade_of(const struct rules_counted *c, size_t item)
{
    return strcmp(c->items[item].source, evidence_source_name(EVIDENCE_FROM_DECLARATION)) == 0
               ? EVIDENCE_DECLARED
               : c->grade;
}

/* Writes the evidence that decides, and first of all whether its grade is too low. */
static void rules_write_evidence(struct rules_step *s, const struct rules_licence *rule,
                                 const struct rules_counted *c, size_t worst,
                                 enum spdx_compat compat, const char *why)
{
    const char *who = side_name(s->party);
    const char *wanted = evidence_grade_name(rule->least);
    char licence[128];
    char low[96] = "";

    if (c->n == 0 && c->interpreter) {
        rules_write(
            s->text,
            "the licence of the %s is unknown: its executable is an interpreter (%s), whose "
            "licence is not that of the program that it runs",
            who, c->interpreter);
        return;
    }
    if (c->n == 0) {
        rules_write(s->text,
                    "the licence of the %s is unknown: there is no evidence of it, and the rule "
                    "requires grade \"%s\" or higher%s%s",
                    who, wanted, *c->expired ? "; " : "", c->expired);
        return;
    }
    s->cause = (struct rules_cause){.grade = rules_grade_of(c, worst),
                                    .licence = c->items[worst].licence,
                                    .source = c->items[worst].source,
                                    .name = c->items[worst].name};
    if (c->grade < rule->least) {
        snprintf(low, sizeof low, ", but the rule requires grade \"%s\" or higher%s", wanted,
                 compat == SPDX_COMPATIBLE ? "; the licence itself would pass" : "");
    }
    log_escape(licence, sizeof licence, s->cause.licence, strlen(s->cause.licence));
    rules_write(s->text, "licence of %s: %s, %s (%s%s%.100s%s%s)%s: %.200s%s%.100s", who, licence,
                evidence_grade_name(s->cause.grade), s->cause.source, *s->cause.name ? " " : "",
                s->cause.name, s->cause.grade == c->grade ? "" : ", with a note counted as ",
                s->cause.grade == c->grade ? "" : evidence_grade_name(c->grade), low, why,
                *c->expired ? "; " : "", c->expired);
}

/* Writes the evidence that the rule would accept. */
static void rules_write_wanted(struct rules_step *s, const struct rules_licence *rule, bool licence,
                               bool grade)
{
    char wanted[96] = "";

    if (licence && rule->kind == RULES_COMPATIBLE) {
        snprintf(wanted, sizeof wanted, " compatible with %s", spdx_target_name(rule->target));
    } else if (licence && rule->kind == RULES_SAME) {
        snprintf(wanted, sizeof wanted, " equal to the other party's");
    } else if (licence) {
        snprintf(wanted, sizeof wanted, " approved by the OSI");
    }
    if (grade) {
        rules_write(s->mend, "provide evidence of grade \"%s\" or higher for %s licence%s",
                    evidence_grade_name(rule->least), *wanted ? "a" : "its", wanted);
    } else {
        rules_write(s->mend, "use a %s under a licence%s", side_name(rule->party), wanted);
    }
}

/* Adds the operator's way to meet the rule: an assignment, or another one than there is. */
static void rules_write_assign(struct rules_step *s)
{
    const char *who = side_name(s->party);
    char text[RULES_TEXT_SIZE];

    memcpy(text, s->mend, sizeof text);
    if (s->cause.grade == EVIDENCE_ASSIGNED) {
        rules_write(s->mend, "%.300s, or correct the route's \"assign licence ... to %s\"", text,
                    who);
    } else {
        rules_write(s->mend,
                    "%.300s; or vouch for it, if you know its licence: \"assign licence EXPRESSION "
                    "to %s exe FILE\" (taint %c)",
                    text, who, taint_letter((unsigned)__builtin_ctz(TAINT_OVERRIDE)));
    }
}

/*
 * Holds a party's own statements against it, about itself and about servers behind it, whatever
 * other evidence exists.
 */
static void rules_hold_against(const struct walk *w, const struct rules_licence *rule,
                               struct rules_step *s)
{
    const struct rules_known *k = &w->known[rule->party];

    if (!rules_trait_contradicted(rule, k, s) && s->met && rule->party == SIDE_BACKEND) {
        rules_via_licence(k->via, rule, s);
    }
}

/* Judges the party's evidence by a rule, which names no other party. */
static void rules_judge_licence(const struct walk *w, const struct rules_licence *rule,
                                struct rules_step *step)
{
    char why[RULES_TEXT_SIZE];
    struct rules_counted c;
    enum spdx_compat compat;
    size_t worst;

    rules_count(w->rules, rule->party, &w->known[rule->party], w->today, &c);
    compat = rules_judge_all(rule, &c, &worst, why);
    step->taint = rules_counted_taint(&c, compat);
    step->met = compat == SPDX_COMPATIBLE && c.grade >= rule->least;
    if (c.n > 0 && c.grade < rule->least) {
        step->taint |= TAINT_UNSIGNED;
    }
    rules_write_evidence(step, rule, &c, worst, compat, why);
    rules_write_wanted(step, rule, compat != SPDX_COMPATIBLE, c.grade < rule->least);
    if (c.interpreter && c.grade < rule->least) {
        rules_code_mend_interpreter(rule->party, step);
    }
    if (c.grade != EVIDENCE_ASSIGNED) {
        rules_hold_against(w, rule, step);
    }
    if (step->met && rule->covers_code) {
        rules_code_licence(w->rules, rule, &w->known[rule->party], w->today, &c, step);
        step->cause = step->met ? step->cause : rules_no_cause;
    }
}

static void rules_check_licence(const struct walk *w, const struct rules_licence *rule)
{
    struct rules_step s = {.about = RULES_ABOUT_LICENCE,
                           .party = rule->party,
                           .line = rule->line,
                           .cause = rules_no_cause};
    struct rules_licence own;

    if (rule->kind != RULES_WITH_OTHER) {
        rules_judge_licence(w, rule, &s);
    } else if (rules_with_resolve(w->rules, w->known, w->today, rule, &own, &s)) {
        rules_judge_licence(w, &own, &s);
    }
    rules_write_assign(&s);
    rules_notify(w, &s);
}

static void rules_check_code(const struct walk *w, const struct rules_code *rule)
{
    struct rules_step s = {.about = RULES_ABOUT_CODE,
                           .party = rule->party,
                           .line = rule->line,
                           .cause = rules_no_cause};

    rules_code_check(w->rules, rule, &w->known[rule->party], w->today, &s);
    rules_notify(w, &s);
}

static void rules_check_trait(const struct walk *w, const struct rules_trait *rule)
{
    struct rules_step s = {.party = rule->party, .line = rule->line, .cause = rules_no_cause};

    rules_trait_check(w->rules, rule, &w->known[rule->party], &s);
    rules_notify(w, &s);
}

/* ---- all rules ---- */

static void rules_walk(const struct walk *w)
{
    for (int p = 0; p < SIDES; p++) {
        for (int f = 0; f < RULES_FACTS; f++) {
            rules_check_allow(w, (enum side)p, (enum rules_fact)f);
        }
        rules_check_recital(w, (enum side)p);
    }
    for (size_t i = 0; i < w->rules->n_licence; i++) {
        rules_check_licence(w, &w->rules->licence[i]);
    }
    for (size_t i = 0; i < w->rules->n_code; i++) {
        rules_check_code(w, &w->rules->code[i]);
    }
    for (size_t i = 0; i < w->rules->n_trait; i++) {
        rules_check_trait(w, &w->rules->trait[i]);
    }
}

/*
 * The weight of a step as the reason of a verdict; among equals the first one counts. Of the steps
 * that are met, one that taints explains the verdict, then a licence rule, the most useful for
 * people.
 */
enum weight { WEIGHT_NONE, WEIGHT_MET, WEIGHT_LICENCE, WEIGHT_TAINTED, WEIGHT_FAILED };

struct deciding {
    struct rules_verdict *out;
    enum weight weight;
};

static enum weight rules_weigh(const struct rules_step *s)
{
    return !s->met                           ? WEIGHT_FAILED
           : s->taint                        ? WEIGHT_TAINTED
           : s->about == RULES_ABOUT_LICENCE ? WEIGHT_LICENCE
                                             : WEIGHT_MET;
}

static void rules_take(const struct rules_step *s, void *arg)
{
    struct deciding *d = arg;
    const enum weight weight = rules_weigh(s);

    d->out->taint_of[s->party] |= s->taint;
    if (weight <= d->weight) {
        return;
    }
    d->weight = weight;
    d->out->decided = true;
    d->out->about = s->about;
    d->out->party = s->party;
    d->out->line = s->line;
    d->out->cause = s->cause;
    memcpy(d->out->why, s->text, sizeof d->out->why);
    memcpy(d->out->mend, s->mend, sizeof d->out->mend);
}

static bool rules_asks_backend(const struct rules *r)
{
    for (size_t i = 0; i < r->n_licence; i++) {
        if (r->licence[i].party == SIDE_BACKEND) {
            return true;
        }
    }
    return false;
}

/* Returns the taint of an inspected device if no rule requires a licence of it. */
static uint32_t rules_unasked_taint(const struct walk *w)
{
    char why[RULES_TEXT_SIZE];
    struct rules_counted c;
    size_t worst;

    if (rules_asks_backend(w->rules) || !w->known[SIDE_BACKEND].inspection) {
        return 0;
    }
    rules_count(w->rules, SIDE_BACKEND, &w->known[SIDE_BACKEND], w->today, &c);
    return rules_counted_taint(&c, rules_judge_all(&rules_unasked, &c, &worst, why));
}

void rules_decide(const struct rules *r, const struct rules_known known[SIDES], uint32_t today,
                  struct rules_verdict *out)
{
    struct deciding d = {.out = out};
    const struct walk w = {.rules = r, .known = known, .today = today, .fn = rules_take, .arg = &d};

    *out = (struct rules_verdict){.verdict = VERDICT_ALLOW, .cause = rules_no_cause};
    rules_write(out->why, "this route has no rules");
    rules_walk(&w);
    out->taint_of[SIDE_BACKEND] |=
        rules_unasked_taint(&w) | rules_via_taint(r, known[SIDE_BACKEND].via);
    out->taint = out->taint_of[SIDE_CLIENT] | out->taint_of[SIDE_BACKEND];
    if (d.weight == WEIGHT_FAILED && !r->otherwise_taint) {
        out->permissive = r->permissive_until != 0 && today <= r->permissive_until;
        if (!out->permissive) {
            out->verdict = VERDICT_DENY;
            return;
        }
        out->taint |= TAINT_OVERRIDE;
    }
    out->verdict = out->taint ? VERDICT_TAINTED : VERDICT_ALLOW;
}

void rules_explain(const struct rules *r, const struct rules_known known[SIDES], uint32_t today,
                   rules_step_fn *fn, void *arg)
{
    const struct walk w = {.rules = r, .known = known, .today = today, .fn = fn, .arg = arg};

    rules_walk(&w);
}
