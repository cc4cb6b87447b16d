/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What rules.c has from its parts: who a party is (rules_party.c), what its licence is worth
 * (rules_judge.c). Within the policy room alone. Pure.
 */
#ifndef POEMD_POLICY_RULES_RULES_JUDGE_H
#define POEMD_POLICY_RULES_RULES_JUDGE_H

#include "policy/rules/rules.h"

/* As snprintf to a text of RULES_TEXT_SIZE. */
void rules_say(char out[RULES_TEXT_SIZE], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- who a party is ---- */

/* Whether the party is the one that a fact and its value name. What is unknown is nobody. */
bool rules_is_named(const struct rules_known *k, enum rules_fact fact, uid_t id, const char *text);

/* The party's own value of a fact for people, or why it is unknown. */
void rules_show_fact(const struct rules_known *k, enum rules_fact fact, char *out, size_t size);

/* ---- what its licence is worth ---- */

/* The evidence that counts: all items of the highest grade there is. Texts are borrowed. */
struct rules_counted {
    enum evidence_grade grade;
    const char *partial; /* why the items are not all that is said; NULL: they are */
    size_t n;
    struct {
        const char *licence;
        const char *source;
        const char *name;
    } items[EVIDENCE_ITEMS];
};

void rules_count(const struct rules *r, enum rules_party party, const struct rules_known *k,
                 struct rules_counted *c);

/*
 * How a licence alone fares by a rule. why: half a sentence. Text that is no expression is unknown.
 */
enum spdx_compat rules_judge_one(const struct rules_licence *rule, const char *licence,
                                 char why[RULES_TEXT_SIZE]);

/* By what a licence is judged where no rule asks for it: compatible with GPL-2.0-or-later. */
extern const struct rules_licence rules_unasked;

/* How all that counts fares together (AND); *worst: the item that decides. Nothing is unknown. */
enum spdx_compat rules_judge_all(const struct rules_licence *rule, const struct rules_counted *c,
                                 size_t *worst, char why[RULES_TEXT_SIZE]);

/* The taint of two licences of which the worse one counts. */
uint32_t rules_worse_taint(const struct rules_licence *rule, const char *a, const char *b);

/* ---- who is behind a broker (rules_via.c); via may be NULL ---- */

/* Makes the step not met, with its texts and taint, if one of the hops has not recited. */
void rules_via_recital(const struct recital_via *via, struct rules_step *s);

/* … if one of the hops does not meet the rule by its licence and grade. */
void rules_via_licence(const struct recital_via *via, const struct rules_licence *rule,
                       struct rules_step *s);

/* TAINT_INHERITED if a hop has not recited, or its licence does not do for the backend's rules. */
uint32_t rules_via_taint(const struct rules *r, const struct recital_via *via);

/* The taint of a licence that fares so. */
uint32_t rules_licence_taint(enum spdx_compat compat, enum evidence_grade grade);

#endif
