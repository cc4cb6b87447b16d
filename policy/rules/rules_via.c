/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Holds a broker's statements in "via" about the servers behind it against it. A broker's word
 * proves nothing in its favour; but a statement to its own disadvantage needs no better evidence.
 * Pure.
 */
#include <string.h>

#include "base/log.h"
#include "policy/rules/rules_judge.h"

/* A hop's evidence is its own statement to the broker before it. */
static enum evidence_grade rules_via_grade(const struct recital_hop *hop)
{
    return !*hop->licence ? EVIDENCE_NONE : hop->recited ? EVIDENCE_RECITED : EVIDENCE_DECLARED;
}

void rules_via_recital(const struct recital_via *via, struct rules_step *s)
{
    for (unsigned i = 0; via && i < via->n; i++) {
        if (!via->hops[i].recited) {
            s->met = false;
            s->taint |= TAINT_INHERITED;
            rules_write(
                s->text,
                "the rule \"demand recital from backend all the way\" is not met: server %u "
                "of %u behind the backend has not recited",
                i + 1, via->n);
            rules_write(s->mend, "use servers behind the backend that all recite the poem");
            return;
        }
    }
}

/*
 * Returns the grade that a hop must have: a recital is the best that there can be. It is the broker
 * before it that has to have better evidence, and to apply rules of its own.
 */
static enum evidence_grade rules_via_least(const struct rules_licence *rule)
{
    return rule->least < EVIDENCE_RECITED ? rule->least : EVIDENCE_RECITED;
}

static void rules_via_fault(const struct recital_via *via, unsigned i,
                            const struct rules_licence *rule, const char *why, struct rules_step *s)
{
    const struct recital_hop *hop = &via->hops[i];
    const enum evidence_grade grade = rules_via_grade(hop);
    char licence[128];

    s->met = false;
    s->taint |= TAINT_INHERITED;
    if (grade == EVIDENCE_NONE) {
        rules_write(s->text, "the licence of server %u of %u behind the backend is unknown", i + 1,
                    via->n);
    } else {
        log_escape(licence, sizeof licence, hop->licence, strlen(hop->licence));
        rules_write(s->text, "licence of server %u of %u behind the backend: %s, %s%s: %.200s",
                    i + 1, via->n, licence, evidence_grade_name(grade),
                    grade < rules_via_least(rule) ? ", which is less than the rule requires" : "",
                    why);
    }
    rules_write(
        s->mend,
        "use servers behind the backend that meet the rule, with evidence of grade \"%s\" or "
        "higher; or use the backend without a broker in between",
        evidence_grade_name(rules_via_least(rule)));
}

void rules_via_licence(const struct recital_via *via, const struct rules_licence *rule,
                       struct rules_step *s)
{
    for (unsigned i = 0; via && i < via->n; i++) {
        const struct recital_hop *hop = &via->hops[i];
        char why[RULES_TEXT_SIZE];
        const enum spdx_compat compat = rules_judge_one(rule, hop->licence, why);

        if (compat != SPDX_COMPATIBLE || rules_via_grade(hop) < rules_via_least(rule)) {
            rules_via_fault(via, i, rule, why, s);
            s->taint |= rules_licence_taint(hop->licence, compat, rules_via_grade(hop));
            return;
        }
    }
}

/* Returns whether one of the servers behind a broker meets the rules on the backend's licence. */
static bool rules_via_will_do(const struct rules *r, const struct recital_hop *hop)
{
    char why[RULES_TEXT_SIZE];
    bool will = hop->recited;

    for (size_t i = 0; i < r->n_licence && will; i++) {
        /* A rule with the client's licence has its own step, which adds the letter. */
        will = r->licence[i].party != SIDE_BACKEND || r->licence[i].kind == RULES_WITH_OTHER ||
               rules_judge_one(&r->licence[i], hop->licence, why) == SPDX_COMPATIBLE;
    }
    return will;
}

uint32_t rules_via_taint(const struct rules *r, const struct recital_via *via)
{
    for (unsigned i = 0; via && i < via->n; i++) {
        if (!rules_via_will_do(r, &via->hops[i])) {
            return TAINT_INHERITED;
        }
    }
    return 0;
}
