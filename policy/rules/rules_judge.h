/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Internal parts of rules_decide.c: the identity of a party (rules_party.c) and the judgement of
 * its licence (rules_judge.c). For use within the policy room. Pure.
 */
#ifndef POEMD_POLICY_RULES_RULES_JUDGE_H
#define POEMD_POLICY_RULES_RULES_JUDGE_H

#include "policy/rules/rules.h"

/* Works like snprintf, to a text of RULES_TEXT_SIZE. */
void rules_write(char out[RULES_TEXT_SIZE], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- identity ---- */

/* Returns whether the party has the given value of a fact. An unknown fact matches nothing. */
bool rules_is_named(const struct rules_known *k, enum rules_fact fact, uid_t id, const char *text);

/* Writes the party's own value of a fact for people, or why it is unknown. */
void rules_show_fact(const struct rules_known *k, enum rules_fact fact, char *out, size_t size);

/* ---- licence ---- */

/*
 * Judges a single licence by a rule. why receives half a sentence. A text that is not an expression
 * is unknown.
 */
enum spdx_compat rules_judge_one(const struct rules_licence *rule, const char *licence,
                                 char why[RULES_TEXT_SIZE]);

/*
 * Replaces a rule of the kind RULES_WITH_OTHER by one that can be judged for the party alone.
 * Returns false, with *s about the other party and not met, if that party's licence is unknown.
 */
bool rules_with_resolve(const struct rules *r, const struct rules_known known[SIDES],
                        uint32_t today, const struct rules_licence *rule, struct rules_licence *out,
                        struct rules_step *s);

/* The versions of the GPL, one of which all parts of a work must agree on: 2, and 3 or later. */
#define RULES_VERSIONS 2
extern const enum spdx_target rules_versions[RULES_VERSIONS];

/* Returns whether either version will do, if all parts of the work agree on it. */
static inline bool rules_asks_either(const struct rules_licence *rule)
{
    return rule->kind == RULES_COMPATIBLE && rule->target == SPDX_WITH_GPL_2_0_OR_LATER;
}

/* The rule applied if no rule requires a licence: compatible with QEMU, GPL-2.0-only. */
extern const struct rules_licence rules_unasked;

/*
 * Judges all evidence that counts together (AND); *worst is the deciding item. No evidence is
 * unknown.
 */
enum spdx_compat rules_judge_all(const struct rules_licence *rule, const struct rules_counted *c,
                                 size_t *worst, char why[RULES_TEXT_SIZE]);

/*
 * Judges all evidence that counts together with each of rules_versions. No or incomplete evidence
 * is unknown. Reads each licence once.
 */
void rules_judge_versions(const struct rules_counted *c, enum spdx_compat out[RULES_VERSIONS]);

/* Returns the best of these results. */
enum spdx_compat rules_judge_either(const enum spdx_compat versions[RULES_VERSIONS]);

/* Returns the taint of evidence with this result. */
uint32_t rules_counted_taint(const struct rules_counted *c, enum spdx_compat compat);

/* Returns the taint of the worse of two licences. */
uint32_t rules_worse_taint(const struct rules_licence *rule, const char *a, const char *b);

/* A rule that is met by a licence that is compatible with any version of the GPL. */
extern const struct rules_licence rules_any_version;

/* Returns the interpreter that the party's executable is, or NULL. */
const char *rules_interpreter(const struct rules_known *k);

/* ---- properties (rules_trait.c) ---- */

/* Judges a rule on a property of the party. */
void rules_trait_check(const struct rules *r, const struct rules_trait *rule,
                       const struct rules_known *k, struct rules_step *s);

/*
 * Marks the step as not met, with its texts, if the party contradicts itself, and adds the taint by
 * a rule on its licence. Returns false if it does not.
 */
bool rules_trait_contradicted(const struct rules_licence *rule, const struct rules_known *k,
                              struct rules_step *s);

/* ---- mapped code (rules_code.c) ---- */

/* Judges a rule on the evidence of a party's code. */
void rules_code_check(const struct rules *r, const struct rules_code *rule,
                      const struct rules_known *k, uint32_t today, struct rules_step *s);

/*
 * Marks the step as not met, with its texts and taint, if code that the party has mapped does not
 * meet a rule on its licence. c is the evidence of the executable.
 */
void rules_code_licence(const struct rules *r, const struct rules_licence *rule,
                        const struct rules_known *k, uint32_t today, const struct rules_counted *c,
                        struct rules_step *s);

/* Writes how to give evidence of the program that an interpreter runs. */
void rules_code_mend_interpreter(enum side party, struct rules_step *s);

/* ---- servers behind a broker (rules_via.c); via may be NULL ---- */

/* Marks the step as not met, with its texts and taint, if one of the hops has not recited. */
void rules_via_recital(const struct recital_via *via, struct rules_step *s);

/* Does the same if the licence and grade of one of the hops do not meet the rule. */
void rules_via_licence(const struct recital_via *via, const struct rules_licence *rule,
                       struct rules_step *s);

/*
 * Returns TAINT_INHERITED if a hop has not recited, or if its licence does not meet the backend's
 * rules.
 */
uint32_t rules_via_taint(const struct rules *r, const struct recital_via *via);

/* Returns the taint of a licence with this result and grade. */
uint32_t rules_licence_taint(const char *licence, enum spdx_compat compat,
                             enum evidence_grade grade);

#endif
