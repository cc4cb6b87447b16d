/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A route's rules and two parties made of values, for the suites of rules. */
#include "tests/unit/policy/rules_rig.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"

static struct rig the_rig;

static void party_init(struct rig *g, enum side party)
{
    static const struct {
        unsigned id;
        gid_t groups[2];
        const char *exe, *label, *unit, *vm;
        int byte;
    } of[SIDES] = {
        {1000, {27, 44}, "/usr/bin/qemu", "client_t", "vm.service", "web1", 0x11},
        {2000, {28, 45}, "/usr/bin/device", "device_t", "device.service", "web2", 0x22},
    };
    struct peer *p = &g->peer[party];

    p->pid = 4711;
    p->pidfd = p->exe.fd = -1;
    p->uid = of[party].id;
    p->gid = of[party].id;
    p->n_groups = 2;
    memcpy(p->groups, of[party].groups, sizeof of[party].groups);
    p->exe.path_ours = true;
    snprintf(p->exe.path, sizeof p->exe.path, "%s", of[party].exe);
    snprintf(p->label, sizeof p->label, "%s", of[party].label);
    snprintf(p->unit, sizeof p->unit, "%s", of[party].unit);
    snprintf(p->vm, sizeof p->vm, "%s", of[party].vm);
    g->inspection[party].outcome = INSPECTION_OK;
    memset(g->inspection[party].sha256, of[party].byte, INSPECTION_SHA256_SIZE);
    evidence_init(&g->inspection[party].evidence);
    g->known[party] = (struct rules_known){.peer = p,
                                           .inspection = &g->inspection[party],
                                           .recital = RECITAL_MISSING,
                                           .recited = "",
                                           .declared = ""};
}

struct rig *rig_new(void)
{
    struct rig *g = &the_rig;

    memset(g, 0, sizeof *g);
    party_init(g, SIDE_CLIENT);
    party_init(g, SIDE_BACKEND);
    g->known[SIDE_BACKEND].via = &g->via;
    g->rules.allow = g->allow;
    g->rules.licence = g->licence;
    g->rules.trait = g->trait;
    g->rules.assign = g->assign;
    g->today = 20261123;
    return g;
}

/* ---- rules ---- */

static struct rules_allow *more_allow(struct rig *g)
{
    ck_assert_uint_lt(g->rules.n_allow, RIG_RULES);
    return &g->allow[g->rules.n_allow++];
}

void rig_allow_id(struct rig *g, enum side party, enum rules_fact fact, uid_t id, unsigned line)
{
    *more_allow(g) = (struct rules_allow){.party = party, .fact = fact, .id = id, .line = line};
}

void rig_allow_text(struct rig *g, enum side party, enum rules_fact fact, const char *text,
                    unsigned line)
{
    *more_allow(g) = (struct rules_allow){.party = party, .fact = fact, .text = text, .line = line};
}

/* One that names the party as it is. */
void rig_allow(struct rig *g, enum side party, enum rules_fact fact, unsigned line)
{
    const struct peer *p = &g->peer[party];
    const char *text = fact == RULES_EXE      ? p->exe.path
                       : fact == RULES_LABEL  ? p->label
                       : fact == RULES_UNIT   ? p->unit
                       : fact == RULES_VM     ? p->vm
                       : party == SIDE_CLIENT ? CLIENT_DIGEST
                                              : BACKEND_DIGEST;

    if (fact == RULES_USER || fact == RULES_GROUP) {
        rig_allow_id(g, party, fact, fact == RULES_USER ? p->uid : p->gid, line);
    } else {
        /* A copy: the party's own may be changed. */
        static char texts[RIG_RULES][80];
        char *copy = texts[g->rules.n_allow];

        snprintf(copy, sizeof texts[0], "%s", text);
        rig_allow_text(g, party, fact, copy, line);
    }
}

void rig_demand(struct rig *g, enum side party, unsigned line)
{
    g->rules.demand_recital[party] = true;
    g->rules.demand_line[party] = line;
}

struct rules_licence *rig_licence(struct rig *g, enum side party, enum spdx_target target,
                                  enum evidence_grade least, unsigned line)
{
    struct rules_licence *l = &g->licence[g->rules.n_licence++];

    ck_assert_uint_le(g->rules.n_licence, RIG_RULES);
    *l = (struct rules_licence){
        .party = party, .kind = RULES_COMPATIBLE, .target = target, .least = least, .line = line};
    return l;
}

void rig_osi(struct rig *g, enum side party, enum evidence_grade least, unsigned line)
{
    rig_licence(g, party, SPDX_WITH_GPL_2_0_ONLY, least, line)->kind = RULES_OSI_APPROVED;
}

void rig_trait(struct rig *g, enum side party, enum rules_trait_kind kind, unsigned line)
{
    ck_assert_uint_lt(g->rules.n_trait, RIG_RULES);
    g->trait[g->rules.n_trait++] = (struct rules_trait){.party = party, .kind = kind, .line = line};
}

void rig_assign(struct rig *g, enum side party, const char *licence, enum rules_fact fact,
                const char *text)
{
    ck_assert_uint_lt(g->rules.n_assign, RIG_RULES);
    g->assign[g->rules.n_assign++] =
        (struct rules_assign){.party = party, .licence = licence, .fact = fact, .text = text};
}

/* ---- parties ---- */

void rig_found(struct rig *g, enum side party, enum evidence_grade grade,
               enum evidence_source source, const char *licence)
{
    evidence_add(&g->inspection[party].evidence, grade, source, licence, "name 1", "detail");
}

void rig_evidence(struct rig *g, enum side party, enum evidence_grade grade, const char *licence)
{
    switch (grade) {
    case EVIDENCE_DECLARED:
        g->known[party].declared = licence;
        break;
    case EVIDENCE_RECITED:
        g->known[party].recital = RECITAL_OK;
        g->known[party].recited = licence;
        break;
    case EVIDENCE_NOTED:
        rig_found(g, party, grade, EVIDENCE_FROM_ELF_NOTE, licence);
        break;
    case EVIDENCE_PACKAGED:
        rig_found(g, party, grade, EVIDENCE_FROM_DPKG, licence);
        break;
    case EVIDENCE_SIGNED:
        rig_found(g, party, grade, EVIDENCE_FROM_ENVELOPE, licence);
        break;
    case EVIDENCE_ASSIGNED:
        rig_assign(g, party, licence, RULES_FACTS, NULL);
        break;
    case EVIDENCE_NONE:
    case EVIDENCE_GRADES:
        break;
    }
}

void rig_hop(struct rig *g, bool recited, const char *licence)
{
    struct recital_hop *h = &g->via.hops[g->via.n++];

    h->recited = recited;
    snprintf(h->licence, sizeof h->licence, "%s", licence);
}

void rig_forget(struct rig *g, enum side party, enum rules_fact fact)
{
    static const struct peer_unknown unknown = {.error = 13, .why = "made so"};
    struct peer *p = &g->peer[party];

    switch (fact) {
    case RULES_USER:
        p->unknown[PEER_UID] = unknown;
        break;
    case RULES_GROUP:
        p->unknown[PEER_GID] = p->unknown[PEER_GROUPS] = unknown;
        break;
    case RULES_EXE:
        p->unknown[PEER_EXE_PATH] = unknown;
        break;
    case RULES_DIGEST:
        g->inspection[party].outcome = INSPECTION_TIMEOUT;
        break;
    case RULES_LABEL:
        p->unknown[PEER_LABEL] = unknown;
        break;
    case RULES_UNIT:
        p->unknown[PEER_UNIT] = unknown;
        break;
    case RULES_VM:
        p->unknown[PEER_VM] = unknown;
        break;
    case RULES_FACTS:
        break;
    }
}

void rig_change(struct rig *g, enum side party, enum rules_fact fact)
{
    struct peer *p = &g->peer[party];

    switch (fact) {
    case RULES_USER:
        p->uid++;
        break;
    case RULES_GROUP:
        p->gid++;
        break;
    case RULES_EXE:
        p->exe.path[1] ^= 1;
        break;
    case RULES_DIGEST:
        g->inspection[party].sha256[INSPECTION_SHA256_SIZE - 1] ^= 1;
        break;
    case RULES_LABEL:
        p->label[0] ^= 1;
        break;
    case RULES_UNIT:
        p->unit[0] ^= 1;
        break;
    case RULES_VM:
        p->vm[0] ^= 1;
        break;
    case RULES_FACTS:
        break;
    }
}

/* ---- verdicts ---- */

void rig_decide(struct rig *g)
{
    rules_decide(&g->rules, g->known, g->today, &g->verdict);
}

void rig_must(struct rig *g, enum verdict verdict, const char *taint)
{
    char letters[TAINT_COUNT + 1];

    rig_decide(g);
    taint_text(g->verdict.taint, letters);
    ck_assert_msg(g->verdict.verdict == verdict && strcmp(letters, taint) == 0,
                  "%s %s instead of %s %s: %s", rules_verdict_name(g->verdict.verdict), letters,
                  rules_verdict_name(verdict), taint, g->verdict.why);
}

static void keep(const struct rules_step *s, void *arg)
{
    struct rig_steps *out = arg;

    ck_assert_uint_lt(out->n, sizeof out->steps / sizeof *out->steps);
    out->steps[out->n++] = *s;
}

void rig_explain(const struct rig *g, struct rig_steps *out)
{
    out->n = 0;
    rules_explain(&g->rules, g->known, g->today, keep, out);
}
