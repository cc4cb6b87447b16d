/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* From rules to a verdict: otherwise, permissive until, what is inherited; explanations. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/policy/rules_rig.h"
#include "tests/support/unit.h"

/* A route whose one rule is not met, for a reason that is no licence's. */
static struct rig *failing_rig(void)
{
    struct rig *g = rig_new();

    g->known[SIDE_BACKEND].inspection = NULL;
    rig_allow_id(g, SIDE_CLIENT, RULES_USER, 1, 4);
    return g;
}

START_TEST(names)
{
    ck_assert_str_eq(rules_verdict_name(VERDICT_ALLOW), "allow");
    ck_assert_str_eq(rules_verdict_name(VERDICT_TAINTED), "allow-tainted");
    ck_assert_str_eq(rules_verdict_name(VERDICT_DENY), "deny");
    ck_assert_str_eq(side_name(SIDE_CLIENT), "client");
    ck_assert_str_eq(side_name(SIDE_BACKEND), "backend");
}
END_TEST

START_TEST(otherwise)
{
    struct rig *g = failing_rig();

    rig_must(g, VERDICT_DENY, "I");
    g->rules.otherwise_taint = true;
    rig_must(g, VERDICT_TAINTED, "I");
    ck_assert(!g->verdict.permissive);
    ck_assert_uint_eq(g->verdict.line, 4);
    ck_assert_str_ne(g->verdict.mend, "");
    /* What passes is not tainted by the word alone. */
    g->peer[SIDE_CLIENT].uid = 1;
    rig_must(g, VERDICT_ALLOW, "-");
    ck_assert_str_eq(g->verdict.mend, "");
}
END_TEST

/* ---- permissive until ---- */

static const struct {
    uint32_t until, today;
    bool lets;
} days[] = {
    {20270301, 20270228, true},
    {20270301, 20270301, true},
    {20270301, 20270302, false},
    {20270301, 20261231, true},
    {20270301, 20280101, false},
    {20270301, 20270401, false},
    {20270331, 20270201, true},
    {20270301, 20261130, true},
    {20261231, 20261231, true},
    {20261231, 20270101, false},
    {20270101, 20261231, true},
    /* The last of February, and the day after it. */
    {20280229, 20280228, true},
    {20280229, 20280229, true},
    {20280229, 20280301, false},
    {20280228, 20280229, false},
    {20270228, 20270228, true},
    {20270228, 20270301, false},
    {20000101, 20261123, false},
    {99991231, 20261123, true},
    /* None was written. */
    {0, 20261123, false},
};

START_TEST(permissive_until_a_day)
{
    struct rig *g = failing_rig();

    g->rules.permissive_until = days[_i].until;
    g->today = days[_i].today;
    rig_must(g, days[_i].lets ? VERDICT_TAINTED : VERDICT_DENY, days[_i].lets ? "OI" : "I");
    ck_assert_int_eq(g->verdict.permissive, days[_i].lets);
    ck_assert_str_ne(g->verdict.mend, "");
    /* It changes nothing for who passes anyway. */
    g->peer[SIDE_CLIENT].uid = 1;
    rig_must(g, VERDICT_ALLOW, "-");
    ck_assert(!g->verdict.permissive);
    /* … nor where the rest is tainted anyway. */
    g->peer[SIDE_CLIENT].uid = 2;
    g->rules.otherwise_taint = true;
    rig_must(g, VERDICT_TAINTED, "I");
    ck_assert(!g->verdict.permissive);
}
END_TEST

START_TEST(days_have_an_order)
{
    /* All pairs of some days, against their numbers. */
    static const uint32_t some[] = {20261231, 20270101, 20270131, 20270201,
                                    20270228, 20280229, 20280301, 20281201};
    struct rig *g = failing_rig();

    for (int i = 0; i < COUNT(some); i++) {
        for (int k = 0; k < COUNT(some); k++) {
            g->rules.permissive_until = some[k];
            g->today = some[i];
            rig_must(g, i <= k ? VERDICT_TAINTED : VERDICT_DENY, i <= k ? "OI" : "I");
            ck_assert_int_eq(g->verdict.permissive, i <= k);
        }
    }
}
END_TEST

/* ---- via ---- */

struct hop {
    bool recited;
    const char *licence;
};

static const struct {
    struct hop hops[3];        /* up to one without licence text */
    enum evidence_grade least; /* of a rule that wants the backend's licence compatible with
                                  GPL-2.0-only; EVIDENCE_NONE: there is no rule */
    bool passes;
    const char *taint; /* without the backend's own */
} chains[] = {
    {{{false, NULL}}, EVIDENCE_NONE, true, "-"},
    {{{false, NULL}}, EVIDENCE_RECITED, true, "-"},
    {{{false, ""}, {false, NULL}}, EVIDENCE_NONE, true, "V"},
    {{{true, ""}, {false, NULL}}, EVIDENCE_NONE, true, "-"},
    {{{true, "Apache-2.0"}, {false, NULL}}, EVIDENCE_NONE, true, "-"},
    {{{false, "MIT"}, {true, "MIT"}, {false, NULL}}, EVIDENCE_NONE, true, "V"},
    {{{true, "MIT"}, {false, NULL}}, EVIDENCE_RECITED, true, "-"},
    {{{true, "MIT"}, {true, "GPL-2.0-only"}, {false, NULL}}, EVIDENCE_RECITED, true, "-"},
    {{{false, "MIT"}, {false, NULL}}, EVIDENCE_RECITED, false, "EV"},
    {{{false, "MIT"}, {false, NULL}}, EVIDENCE_DECLARED, true, "V"},
    {{{true, ""}, {false, NULL}}, EVIDENCE_DECLARED, false, "UV"},
    {{{true, "Apache-2.0"}, {false, NULL}}, EVIDENCE_DECLARED, false, "EVC"},
    {{{true, "LicenseRef-x"}, {false, NULL}}, EVIDENCE_DECLARED, false, "UEV"},
    {{{true, "no expression"}, {false, NULL}}, EVIDENCE_DECLARED, false, "UEV"},
    {{{true, "MIT"}, {true, "CDDL-1.0"}, {false, NULL}}, EVIDENCE_DECLARED, false, "EVC"},
    /* Nobody can vouch for a server that only a broker has seen. */
    /* A recital is the best evidence that there can be of a hop; a declaration is less. */
    {{{true, "MIT"}, {false, NULL}}, EVIDENCE_PACKAGED, true, "-"},
    {{{false, "MIT"}, {false, NULL}}, EVIDENCE_PACKAGED, false, "EV"},
};

/* A chain is as good as its worst link. Without a rule it taints, and denies nothing. */
START_TEST(what_is_behind_a_broker)
{
    struct rig *g = rig_new();

    rig_found(g, SIDE_BACKEND, EVIDENCE_PACKAGED, EVIDENCE_FROM_DPKG, "MIT");
    for (const struct hop *h = chains[_i].hops; h->licence; h++) {
        rig_hop(g, h->recited, h->licence);
    }
    if (chains[_i].least != EVIDENCE_NONE) {
        rig_licence(g, SIDE_BACKEND, SPDX_WITH_GPL_2_0_ONLY, chains[_i].least, 1);
    }
    /* A rule on the client's licence is no matter of those behind the backend. */
    rig_licence(g, SIDE_CLIENT, SPDX_WITH_GPL_3_0_OR_LATER, EVIDENCE_SIGNED, 2);
    rig_evidence(g, SIDE_CLIENT, EVIDENCE_SIGNED, "GPL-3.0-only");
    rig_must(g,
             !chains[_i].passes              ? VERDICT_DENY
             : strcmp(chains[_i].taint, "-") ? VERDICT_TAINTED
                                             : VERDICT_ALLOW,
             chains[_i].taint);
    if (!chains[_i].passes) {
        ck_assert_uint_eq(g->verdict.line, 1);
        ck_assert_ptr_nonnull(strstr(g->verdict.why, "behind the backend"));
        ck_assert_str_ne(g->verdict.mend, "");
    }
    g->known[SIDE_BACKEND].via = NULL;
    rig_must(g, VERDICT_ALLOW, "-");
}
END_TEST

/* Whose word is above all. */
START_TEST(an_assignment_is_of_the_whole_chain)
{
    struct rig *g = rig_new();

    rig_licence(g, SIDE_BACKEND, SPDX_WITH_GPL_2_0_ONLY, EVIDENCE_ASSIGNED, 1);
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_ASSIGNED, "MIT");
    rig_hop(g, false, "CDDL-1.0");
    rig_must(g, VERDICT_TAINTED, "OV");
}
END_TEST

START_TEST(a_recital_all_the_way)
{
    for (unsigned bad = 0; bad <= RECITAL_HOPS; bad++) {
        struct rig *g = rig_new();

        rig_evidence(g, SIDE_BACKEND, EVIDENCE_RECITED, "MIT");
        rig_demand(g, SIDE_BACKEND, 3);
        g->known[SIDE_BACKEND].inspection = NULL;
        for (unsigned i = 0; i < RECITAL_HOPS; i++) {
            rig_hop(g, i != bad, "MIT");
        }
        /* The backend's own recital alone. */
        rig_must(g, bad < RECITAL_HOPS ? VERDICT_TAINTED : VERDICT_ALLOW,
                 bad < RECITAL_HOPS ? "V" : "-");
        g->rules.demand_all_the_way = true;
        rig_must(g, bad < RECITAL_HOPS ? VERDICT_DENY : VERDICT_ALLOW,
                 bad < RECITAL_HOPS ? "RV" : "-");
        if (bad < RECITAL_HOPS) {
            char which[64];

            snprintf(which, sizeof which, "server %u of 8 behind the backend", bad + 1);
            ck_assert_ptr_nonnull(strstr(g->verdict.why, which));
        }
        /* With nobody behind it, it is the way. */
        g->via.n = 0;
        rig_must(g, VERDICT_ALLOW, "-");
        g->known[SIDE_BACKEND].recital = RECITAL_MISSING;
        rig_must(g, VERDICT_DENY, "R");
        ck_assert_ptr_nonnull(strstr(g->verdict.why, "all the way"));
    }
}
END_TEST

START_TEST(each_of_the_hops_counts)
{
    for (unsigned bad = 0; bad < RECITAL_HOPS; bad++) {
        struct rig *g = rig_new();

        g->known[SIDE_BACKEND].inspection = NULL;
        for (unsigned i = 0; i < RECITAL_HOPS; i++) {
            rig_hop(g, i != bad, "MIT");
        }
        rig_must(g, VERDICT_TAINTED, "V");
        g->via.hops[bad].recited = true;
        rig_must(g, VERDICT_ALLOW, "-");
    }
}
END_TEST

/* ---- explanations ---- */

START_TEST(an_explanation_has_a_step_for_each_rule)
{
    static struct rig_steps got;
    struct rig *g = rig_new();

    rig_allow_id(g, SIDE_BACKEND, RULES_USER, 2000, 10);
    rig_allow_id(g, SIDE_BACKEND, RULES_USER, 1, 11);
    rig_allow_id(g, SIDE_CLIENT, RULES_GROUP, 1, 12);
    rig_allow(g, SIDE_CLIENT, RULES_EXE, 13);
    rig_demand(g, SIDE_CLIENT, 14);
    rig_licence(g, SIDE_BACKEND, SPDX_WITH_GPL_2_0_ONLY, EVIDENCE_RECITED, 15);
    rig_osi(g, SIDE_CLIENT, EVIDENCE_DECLARED, 16);
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_RECITED, "MIT");
    rig_explain(g, &got);

    static const struct {
        enum rules_about about;
        enum side party;
        unsigned line;
        bool met;
        uint32_t taint;
    } want[] = {
        {RULES_ABOUT_IDENTITY, SIDE_CLIENT, 12, false, TAINT_IDENTITY},
        {RULES_ABOUT_IDENTITY, SIDE_CLIENT, 13, true, 0},
        {RULES_ABOUT_RECITAL, SIDE_CLIENT, 14, false, TAINT_RECITAL},
        {RULES_ABOUT_IDENTITY, SIDE_BACKEND, 10, true, 0},
        {RULES_ABOUT_LICENCE, SIDE_BACKEND, 15, true, TAINT_UNSIGNED},
        {RULES_ABOUT_LICENCE, SIDE_CLIENT, 16, false, TAINT_UNKNOWN},
    };
    ck_assert_uint_eq(got.n, COUNT(want));
    for (int i = 0; i < COUNT(want); i++) {
        ck_assert_int_eq(got.steps[i].about, want[i].about);
        ck_assert_int_eq(got.steps[i].party, want[i].party);
        ck_assert_uint_eq(got.steps[i].line, want[i].line);
        ck_assert_int_eq(got.steps[i].met, want[i].met);
        ck_assert_uint_eq(got.steps[i].taint, want[i].taint);
        ck_assert_int_eq(got.steps[i].mend[0] == '\0', want[i].met);
    }
    /* The verdict is the first that is not met. */
    rig_must(g, VERDICT_DENY, "UEIR");
    ck_assert_str_eq(g->verdict.why, got.steps[0].text);
    ck_assert_str_eq(g->verdict.mend, got.steps[0].mend);
}
END_TEST

/* What would make it pass is said for each, and doing it makes it pass. */
#define VOUCH \
    "; or vouch for it, if you know its licence: \"assign licence EXPRESSION to backend exe " \
    "FILE\" " \
    "(taint O)"

START_TEST(mending_what_is_said_mends)
{
    struct rig *g = rig_new();

    rig_allow_id(g, SIDE_CLIENT, RULES_USER, 1, 1);
    rig_demand(g, SIDE_BACKEND, 2);
    rig_licence(g, SIDE_BACKEND, SPDX_WITH_GPL_2_0_ONLY, EVIDENCE_PACKAGED, 3);
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_DECLARED, "Apache-2.0");

    rig_must(g, VERDICT_DENY, "EIRC");
    ck_assert_str_eq(g->verdict.mend, "use a client with a user that is named, or add an "
                                      "\"allow client user\" for this one");
    rig_allow_id(g, SIDE_CLIENT, RULES_USER, 1000, 1);
    rig_must(g, VERDICT_DENY, "ERC");
    ck_assert_str_eq(g->verdict.mend, "use a backend that recites the poem");
    g->known[SIDE_BACKEND].recital = RECITAL_OK;
    rig_must(g, VERDICT_DENY, "EC");
    ck_assert_str_eq(g->verdict.mend, "provide evidence of grade \"packaged\" or higher for a "
                                      "licence compatible with GPL-2.0-only" VOUCH);
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_PACKAGED, "Apache-2.0");
    rig_must(g, VERDICT_DENY, "C");
    ck_assert_str_eq(g->verdict.mend,
                     "use a backend under a licence compatible with GPL-2.0-only" VOUCH);
    strcpy(g->inspection[SIDE_BACKEND].evidence.items[0].licence, "MIT");
    rig_must(g, VERDICT_ALLOW, "-");
    /* A good licence that is known too little. */
    g->licence[0].least = EVIDENCE_SIGNED;
    rig_must(g, VERDICT_DENY, "E");
    ck_assert_str_eq(g->verdict.mend,
                     "provide evidence of grade \"signed\" or higher for its licence" VOUCH);
    g->licence[0].kind = RULES_OSI_APPROVED;
    strcpy(g->inspection[SIDE_BACKEND].evidence.items[0].licence, "SSPL-1.0");
    rig_must(g, VERDICT_DENY, "EC");
    ck_assert_str_eq(
        g->verdict.mend,
        "provide evidence of grade \"signed\" or higher for a licence approved by the OSI" VOUCH);
    /* The operator's own word is what has to change then. */
    rig_assign(g, SIDE_BACKEND, "SSPL-1.0", RULES_FACTS, "");
    rig_must(g, VERDICT_DENY, "OC");
    ck_assert_str_eq(g->verdict.mend, "use a backend under a licence approved by the OSI, or "
                                      "correct the route's \"assign licence ... to backend\"");
}
END_TEST

/* Each party has its own taint, and the verdict the party that caused it. */
START_TEST(the_party_that_decides)
{
    struct rig *g = rig_new();

    rig_licence(g, SIDE_CLIENT, SPDX_WITH_GPL_2_0_ONLY, EVIDENCE_DECLARED, 1);
    rig_licence(g, SIDE_BACKEND, SPDX_WITH_GPL_2_0_ONLY, EVIDENCE_SIGNED, 2);
    rig_evidence(g, SIDE_CLIENT, EVIDENCE_PACKAGED, "GPL-2.0-only");
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_PACKAGED, "MIT");
    rig_must(g, VERDICT_DENY, "E");
    ck_assert(g->verdict.decided);
    ck_assert_int_eq(g->verdict.party, SIDE_BACKEND);
    ck_assert_uint_eq(g->verdict.line, 2);
    ck_assert_uint_eq(g->verdict.taint_of[SIDE_CLIENT], 0);
    ck_assert_uint_eq(g->verdict.taint_of[SIDE_BACKEND], TAINT_UNSIGNED);
    ck_assert_int_eq(g->verdict.cause.grade, EVIDENCE_PACKAGED);
    ck_assert_str_eq(g->verdict.cause.licence, "MIT");
    /* The cause, before the licence's merits. */
    ck_assert_ptr_nonnull(strstr(g->verdict.why, "licence of backend: MIT, packaged ("));
    ck_assert_ptr_nonnull(strstr(g->verdict.why, "), but the rule requires grade \"signed\" or "
                                                 "higher; the licence itself would pass: "));
    g->known[SIDE_CLIENT].inspection = NULL;
    rig_must(g, VERDICT_DENY, "UE");
    ck_assert_int_eq(g->verdict.party, SIDE_CLIENT);
    ck_assert_uint_eq(g->verdict.taint_of[SIDE_CLIENT], TAINT_UNKNOWN);
    ck_assert_uint_eq(g->verdict.taint_of[SIDE_BACKEND], TAINT_UNSIGNED);
    ck_assert_int_eq(g->verdict.cause.grade, EVIDENCE_NONE);
}
END_TEST

/* A verdict with taint gives the reason of the taint, not of a rule that is simply met. */
START_TEST(the_party_that_taints)
{
    struct rig *g = rig_new();

    rig_licence(g, SIDE_CLIENT, SPDX_WITH_GPL_2_0_ONLY, EVIDENCE_DECLARED, 1);
    rig_licence(g, SIDE_BACKEND, SPDX_WITH_GPL_2_0_ONLY, EVIDENCE_DECLARED, 2);
    rig_evidence(g, SIDE_CLIENT, EVIDENCE_PACKAGED, "GPL-2.0-only");
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_DECLARED, "MIT");
    rig_must(g, VERDICT_TAINTED, "E");
    ck_assert_int_eq(g->verdict.party, SIDE_BACKEND);
    ck_assert_uint_eq(g->verdict.line, 2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rules_verdict");
    TCase *tc = unit_case(s, "verdicts");

    tcase_add_test(tc, names);
    tcase_add_test(tc, otherwise);
    tcase_add_loop_test(tc, permissive_until_a_day, 0, COUNT(days));
    tcase_add_test(tc, days_have_an_order);
    tcase_add_test(tc, the_party_that_decides);
    tcase_add_test(tc, the_party_that_taints);
    tc = unit_case(s, "via");
    tcase_add_loop_test(tc, what_is_behind_a_broker, 0, COUNT(chains));
    tcase_add_test(tc, each_of_the_hops_counts);
    tcase_add_test(tc, an_assignment_is_of_the_whole_chain);
    tcase_add_test(tc, a_recital_all_the_way);
    tc = unit_case(s, "explanations");
    tcase_add_test(tc, an_explanation_has_a_step_for_each_rule);
    tcase_add_test(tc, mending_what_is_said_mends);
    return unit_run(s);
}
