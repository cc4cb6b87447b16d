/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A route's rules and two parties, for the suites of rules: made of values alone, no process, file
 * or clock.
 */
#ifndef POEMD_TESTS_UNIT_POLICY_RULES_RIG_H
#define POEMD_TESTS_UNIT_POLICY_RULES_RIG_H

#include <stddef.h>
#include <stdint.h>

#include "policy/rules/rules.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

#define RIG_RULES 16

/* Digests of the parties' executables, in hexadecimal. */
#define CLIENT_DIGEST "1111111111111111111111111111111111111111111111111111111111111111"
#define BACKEND_DIGEST "2222222222222222222222222222222222222222222222222222222222222222"

struct rig {
    struct peer peer[SIDES];
    struct inspection inspection[SIDES];
    struct rules_known known[SIDES];
    struct recital_via via;
    struct rules_allow allow[RIG_RULES];
    struct rules_licence licence[RIG_RULES];
    struct rules_trait trait[RIG_RULES];
    struct rules_assign assign[RIG_RULES];
    struct rules rules;
    uint32_t today;
    struct rules_verdict verdict; /* rig_decide's */
};

/*
 * Both parties with every fact known and their executables inspected, no evidence of a licence, no
 * recital; no rule. The client: user 1000, group 1000 (and 27, 44), /usr/bin/qemu, label client_t,
 * unit vm.service. The backend: the same with 2000, 2000 (28, 45), /usr/bin/device, device_t,
 * device.service. Today is 2026-11-23.
 */
struct rig *rig_new(void);

/* Rules, with the line that they are said to stand in. */
void rig_allow(struct rig *g, enum side party, enum rules_fact fact, unsigned line);
void rig_allow_id(struct rig *g, enum side party, enum rules_fact fact, uid_t id, unsigned line);
void rig_allow_text(struct rig *g, enum side party, enum rules_fact fact, const char *text,
                    unsigned line);
void rig_demand(struct rig *g, enum side party, unsigned line);
struct rules_licence *rig_licence(struct rig *g, enum side party, enum spdx_target target,
                                  enum evidence_grade least, unsigned line);
void rig_osi(struct rig *g, enum side party, enum evidence_grade least, unsigned line);
void rig_trait(struct rig *g, enum side party, enum rules_trait_kind kind, unsigned line);
void rig_assign(struct rig *g, enum side party, const char *licence, enum rules_fact fact,
                const char *text);

/* Evidence of a party's licence, of that grade, wherever it belongs. */
void rig_evidence(struct rig *g, enum side party, enum evidence_grade grade, const char *licence);
void rig_found(struct rig *g, enum side party, enum evidence_grade grade,
               enum evidence_source source, const char *licence);
void rig_hop(struct rig *g, bool recited, const char *licence);

/* Makes a fact of a party unknown; another one's. */
void rig_forget(struct rig *g, enum side party, enum rules_fact fact);
void rig_change(struct rig *g, enum side party, enum rules_fact fact);

/* Decides, and fails the test unless it comes to this verdict with these letters of taint. */
void rig_decide(struct rig *g);
void rig_must(struct rig *g, enum verdict verdict, const char *taint);

/* Steps of an explanation. */
struct rig_steps {
    size_t n;
    struct rules_step steps[32];
};
void rig_explain(const struct rig *g, struct rig_steps *out);

#endif
