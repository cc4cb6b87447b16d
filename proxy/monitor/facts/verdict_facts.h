/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A verdict and the facts it was based on. The rules are evaluated once; the audit record, the line
 * in the log, the list of sessions and captures are all made of this.
 */
#ifndef POEMD_PROXY_MONITOR_FACTS_VERDICT_FACTS_H
#define POEMD_PROXY_MONITOR_FACTS_VERDICT_FACTS_H

#include <jansson.h>
#include <stdbool.h>

#include "policy/rules/rules.h"

struct config;

struct verdict_facts_party {
    struct rules_known known;
    const struct rules_assign *assigned; /* the operator's assignment of its licence, or NULL */
    bool contradicts;                    /* rules_contradicts_itself … */
    struct rules_contradiction contradiction; /* … by this */
    json_t *json;                             /* in the form of an audit record */
};

struct verdict_facts {
    struct rules_verdict verdict;
    struct verdict_facts_party parties[SIDES];
    uint32_t today;
    const struct config *config;
    const struct rules *rules;
    json_t *code;     /* what the parties have mapped, if a rule asks; NULL otherwise */
    json_t *evidence; /* of both parties' licences, in the form of an audit record */
};

/*
 * Evaluates the rules, of a route of config's. Everything to which config, rules and known refer is
 * borrowed until verdict_facts_deinit. today is in UTC.
 */
void verdict_facts_init(struct verdict_facts *f, const struct config *config,
                        const struct rules *rules, const struct rules_known known[SIDES],
                        uint32_t today);
void verdict_facts_deinit(struct verdict_facts *f);

/* Makes the JSON members, which are NULL before. Returns false if out of memory. */
bool verdict_facts_describe(struct verdict_facts *f) __attribute__((warn_unused_result));

#define VERDICT_FACTS_CONTRADICTION (2 * RECITAL_LICENCE_MAX + 64)

/* Describes in out how a party contradicts itself, and returns out; NULL if it does not. */
const char *verdict_facts_contradiction(const struct verdict_facts *f, enum side party,
                                        char out[VERDICT_FACTS_CONTRADICTION]);

/* Returns the rule that decided, in the form of an audit record. NULL if out of memory. */
json_t *verdict_facts_rule(const struct verdict_facts *f) __attribute__((warn_unused_result));

/* Returns each party's own letters, in the form of an audit record. NULL if out of memory. */
json_t *verdict_facts_taints(const uint32_t taint_of[SIDES]) __attribute__((warn_unused_result));

/*
 * Returns the part of the verdict that is kept while the session lives, packed (facts_pack.h),
 * since a relaying session must be small: "verdict", "rule", "permissive", "client" and "backend"
 * as in the audit record, and as "licences" the evidence of each party that counts
 * (rules_count), with "of", "grade", "source" and "licence". The caller frees it. Returns NULL
 * if out of memory, or not described.
 */
char *verdict_facts_text(const struct verdict_facts *f) __attribute__((warn_unused_result));

#endif
