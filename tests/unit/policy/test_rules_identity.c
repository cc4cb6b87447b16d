/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Rules on who the parties are and whether they recite; brute force over all of them. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/policy/rules_rig.h"
#include "tests/support/unit.h"

#define CASES (SIDES * RULES_FACTS)

static enum side party_of(int i)
{
    return (enum side)(i / RULES_FACTS);
}

static enum rules_fact fact_of(int i)
{
    return (enum rules_fact)(i % RULES_FACTS);
}

START_TEST(without_rules_anybody_passes)
{
    struct rig *g = rig_new();

    g->known[SIDE_BACKEND].inspection = NULL;
    rig_must(g, VERDICT_ALLOW, "-");
    ck_assert_str_eq(g->verdict.why, "this route has no rules");
    ck_assert_str_eq(g->verdict.mend, "");
    ck_assert_uint_eq(g->verdict.line, 0);
}
END_TEST

/* The backend's licence is not what these tests are about: it is known, and good. */
static struct rig *good_rig(void)
{
    struct rig *g = rig_new();

    rig_found(g, SIDE_BACKEND, EVIDENCE_PACKAGED, EVIDENCE_FROM_DPKG, "MIT");
    return g;
}

/* Which rules go by what is in a party's executable. */
START_TEST(an_executable_is_asked_for_by_digest_and_licence)
{
    for (unsigned i = 0; i < RULES_FACTS; i++) {
        struct rig *g = rig_new();

        ck_assert(!rules_ask_executable(&g->rules, SIDE_BACKEND));
        rig_allow(g, SIDE_BACKEND, (enum rules_fact)i, 1);
        ck_assert(rules_ask_executable(&g->rules, SIDE_BACKEND) == (i == RULES_DIGEST));
        ck_assert(!rules_ask_executable(&g->rules, SIDE_CLIENT));
        rig_licence(g, SIDE_CLIENT, SPDX_WITH_GPL_2_0_ONLY, EVIDENCE_DECLARED, 2);
        ck_assert(rules_ask_executable(&g->rules, SIDE_CLIENT));
    }
    for (unsigned i = 0; i < 2; i++) {
        struct rig *g = rig_new();

        rig_assign(g, SIDE_BACKEND, "MIT", i ? RULES_DIGEST : RULES_EXE, BACKEND_DIGEST);
        ck_assert(rules_ask_executable(&g->rules, SIDE_BACKEND) == (i == 1));
    }
}
END_TEST

START_TEST(a_fact_that_is_named_passes)
{
    struct rig *g = good_rig();

    rig_allow(g, party_of(_i), fact_of(_i), 7);
    rig_must(g, VERDICT_ALLOW, "-");
    ck_assert_uint_eq(g->verdict.line, 7);
    ck_assert_int_eq(g->verdict.party, party_of(_i));
}
END_TEST

START_TEST(another_fact_does_not)
{
    struct rig *g = good_rig();
    char want[80];

    rig_allow(g, party_of(_i), fact_of(_i), 7);
    rig_change(g, party_of(_i), fact_of(_i));
    rig_must(g, VERDICT_DENY, "I");
    ck_assert_uint_eq(g->verdict.line, 7);
    ck_assert_int_eq(g->verdict.party, party_of(_i));
    snprintf(want, sizeof want, "no \"allow %s %s\" names", side_name(party_of(_i)),
             rules_fact_name(fact_of(_i)));
    ck_assert_ptr_nonnull(strstr(g->verdict.why, want));
    ck_assert_str_ne(g->verdict.mend, "");
}
END_TEST

START_TEST(what_is_unknown_meets_no_rule)
{
    struct rig *g = good_rig();

    /* Its value stays what the rule names: it is not to be believed. */
    rig_allow(g, party_of(_i), fact_of(_i), 7);
    rig_forget(g, party_of(_i), fact_of(_i));
    rig_decide(g);
    ck_assert_int_eq(g->verdict.verdict, VERDICT_DENY);
    ck_assert(g->verdict.taint & TAINT_IDENTITY);
    ck_assert_ptr_nonnull(strstr(g->verdict.why, "unknown"));
}
END_TEST

START_TEST(alternatives_of_one_fact)
{
    struct rig *g = good_rig();

    rig_allow_id(g, SIDE_CLIENT, RULES_USER, 1, 3);
    rig_allow_id(g, SIDE_CLIENT, RULES_USER, 1000, 4);
    rig_allow_id(g, SIDE_CLIENT, RULES_USER, 2, 5);
    rig_must(g, VERDICT_ALLOW, "-");
    ck_assert_uint_eq(g->verdict.line, 4);
    g->peer[SIDE_CLIENT].uid = 3;
    rig_must(g, VERDICT_DENY, "I");
    ck_assert_uint_eq(g->verdict.line, 3);
}
END_TEST

START_TEST(groups_of_its_own_and_others)
{
    static const struct {
        gid_t named;
        bool gid_known, groups_known, passes;
    } rows[] = {
        {1000, true, true, true}, {27, true, true, true},     {44, true, true, true},
        {28, true, true, false},  {1000, false, true, false}, {27, false, true, true},
        {27, true, false, false}, {1000, true, false, true},
    };
    static const struct peer_unknown unknown = {.why = "made so"};

    for (int i = 0; i < COUNT(rows); i++) {
        struct rig *g = good_rig();

        rig_allow_id(g, SIDE_CLIENT, RULES_GROUP, rows[i].named, 1);
        if (!rows[i].gid_known) {
            g->peer[SIDE_CLIENT].unknown[PEER_GID] = unknown;
        }
        if (!rows[i].groups_known) {
            g->peer[SIDE_CLIENT].unknown[PEER_GROUPS] = unknown;
        }
        rig_must(g, rows[i].passes ? VERDICT_ALLOW : VERDICT_DENY, rows[i].passes ? "-" : "I");
    }
}
END_TEST

START_TEST(a_path_that_does_not_mean_what_it_says)
{
    struct rig *g = good_rig();

    rig_allow(g, SIDE_CLIENT, RULES_EXE, 1);
    g->peer[SIDE_CLIENT].exe.deleted = true;
    rig_must(g, VERDICT_DENY, "I");
    ck_assert_ptr_nonnull(strstr(g->verdict.why, "removed or replaced"));
    g->peer[SIDE_CLIENT].exe.deleted = false;
    g->peer[SIDE_CLIENT].exe.path_ours = false;
    rig_must(g, VERDICT_DENY, "I");
    ck_assert_ptr_nonnull(strstr(g->verdict.why, "another mount namespace"));
}
END_TEST

START_TEST(foreign_text_is_escaped)
{
    struct rig *g = good_rig();

    rig_allow_text(g, SIDE_CLIENT, RULES_LABEL, "x", 1);
    strcpy(g->peer[SIDE_CLIENT].label, "a\n\x1b[31m");
    rig_must(g, VERDICT_DENY, "I");
    for (const char *c = g->verdict.why; *c; c++) {
        ck_assert(*c >= 0x20 && *c < 0x7f);
    }
    rig_allow_text(g, SIDE_CLIENT, RULES_EXE, "/x", 1);
    memset(g->peer[SIDE_CLIENT].exe.path, '\n', PEER_PATH_MAX - 1);
    rig_decide(g);
    for (const char *c = g->verdict.why; *c; c++) {
        ck_assert(*c >= 0x20 && *c < 0x7f);
    }
}
END_TEST

START_TEST(an_uninspected_executable_has_no_digest)
{
    struct rig *g = good_rig();

    rig_allow(g, SIDE_CLIENT, RULES_DIGEST, 1);
    g->known[SIDE_CLIENT].inspection = NULL;
    rig_must(g, VERDICT_DENY, "I");
    ck_assert_ptr_nonnull(strstr(g->verdict.why, "not inspected"));
}
END_TEST

/* The monitor has it from the kernel: no byte of the file needs to be read. */
START_TEST(a_digest_of_fs_verity_needs_no_inspection)
{
    static const char sha256[] = "verity:sha256:" CLIENT_DIGEST;
    struct rig *g = good_rig();
    struct peer_verity *v = &g->peer[SIDE_CLIENT].exe.verity;

    rig_allow_text(g, SIDE_CLIENT, RULES_DIGEST, sha256, 1);
    rig_assign(g, SIDE_CLIENT, "MIT", RULES_DIGEST, sha256);
    ck_assert(!rules_ask_executable(&g->rules, SIDE_CLIENT));
    g->known[SIDE_CLIENT].inspection = NULL;
    rig_must(g, VERDICT_DENY, "I");
    ck_assert_ptr_null(rules_assigned(&g->rules, SIDE_CLIENT, &g->known[SIDE_CLIENT]));
    *v = (struct peer_verity){.algorithm = 1, .size = 32};
    memset(v->digest, 0x11, 32);
    rig_must(g, VERDICT_ALLOW, "-");
    ck_assert_ptr_nonnull(strstr(g->verdict.why, sha256));
    ck_assert_ptr_nonnull(rules_assigned(&g->rules, SIDE_CLIENT, &g->known[SIDE_CLIENT]));
    v->digest[31]++;
    rig_must(g, VERDICT_DENY, "I");
    /* The same digits of another kind are another digest; alternatives are still alternatives. */
    rig_allow_text(g, SIDE_CLIENT, RULES_DIGEST, CLIENT_DIGEST, 2);
    rig_must(g, VERDICT_DENY, "I");
    g->known[SIDE_CLIENT].inspection = &g->inspection[SIDE_CLIENT];
    rig_must(g, VERDICT_ALLOW, "-");
    ck_assert(rules_ask_executable(&g->rules, SIDE_CLIENT));
}
END_TEST

START_TEST(no_inspection_that_failed_is_believed)
{
    struct rig *g = good_rig();

    rig_allow(g, SIDE_CLIENT, RULES_DIGEST, 1);
    for (int o = INSPECTION_OK + 1; o < INSPECTION_OUTCOMES; o++) {
        g->inspection[SIDE_CLIENT].outcome = (enum inspection_outcome)o;
        rig_must(g, VERDICT_DENY, "I");
        ck_assert_ptr_nonnull(strstr(g->verdict.why, inspection_text((enum inspection_outcome)o)));
    }
}
END_TEST

/* Every outcome of a recital but the good one. */
START_TEST(recitals)
{
    for (int p = 0; p < SIDES; p++) {
        for (int o = RECITAL_OK; o <= RECITAL_NO_MEMORY; o++) {
            struct rig *g = good_rig();

            rig_demand(g, (enum side)p, 9);
            g->known[p].recital = (enum recital_outcome)o;
            rig_must(g, o == RECITAL_OK ? VERDICT_ALLOW : VERDICT_DENY,
                     o == RECITAL_OK ? "-" : "R");
            ck_assert_uint_eq(g->verdict.line, 9);
            ck_assert_int_eq(g->verdict.party, p);
        }
    }
}
END_TEST

/* ---- brute force ---- */

/* What can be flipped: each fact of each party, then the recital of each, then the licence. */
#define FLIPS (CASES + SIDES + 1)

static bool is_fact(int i)
{
    return i < CASES;
}

static void add_rule(struct rig *g, int i)
{
    if (is_fact(i)) {
        rig_allow(g, party_of(i), fact_of(i), (unsigned)i + 1);
    } else if (i < CASES + SIDES) {
        rig_demand(g, (enum side)(i - CASES), (unsigned)i + 1);
    } else {
        rig_licence(g, SIDE_BACKEND, SPDX_WITH_GPL_2_0_ONLY, EVIDENCE_PACKAGED, (unsigned)i + 1);
    }
}

static void flip(struct rig *g, int i)
{
    if (is_fact(i)) {
        rig_change(g, party_of(i), fact_of(i));
    } else if (i < CASES + SIDES) {
        g->known[i - CASES].recital = RECITAL_WRONG_PROOF;
    } else {
        strcpy(g->inspection[SIDE_BACKEND].evidence.items[0].licence, "CDDL-1.0");
    }
}

static struct rig *brute_rig(unsigned rules)
{
    struct rig *g = good_rig();

    g->known[SIDE_CLIENT].recital = RECITAL_OK;
    g->known[SIDE_BACKEND].recital = RECITAL_OK;
    for (int i = 0; i < FLIPS; i++) {
        if (rules & (1u << i)) {
            add_rule(g, i);
        }
    }
    return g;
}

/* In the order in which rules are looked at: a party's facts, its recital; licences at the end. */
static int rank(int i)
{
    if (is_fact(i)) {
        return (int)party_of(i) * (RULES_FACTS + 1) + (int)fact_of(i);
    }
    return i < CASES + SIDES ? (i - CASES) * (RULES_FACTS + 1) + RULES_FACTS : 1000;
}

static uint32_t letter_of(int i)
{
    return is_fact(i) ? TAINT_IDENTITY : i < CASES + SIDES ? TAINT_RECITAL : TAINT_INCOMPATIBLE;
}

/* A licence that no rule asks for taints all the same. */
static uint32_t unasked(unsigned flips)
{
    return flips & (1u << (FLIPS - 1)) ? TAINT_INCOMPATIBLE : 0;
}

/* What must come of these rules where these facts are flipped. */
static void must_follow(unsigned rules, unsigned flips)
{
    struct rig *g = brute_rig(rules);
    unsigned line = 0;
    uint32_t taint = unasked(flips);
    int first = 2000;

    for (int i = 0; i < FLIPS; i++) {
        if (flips & (1u << i)) {
            flip(g, i);
        }
        if (rules & flips & (1u << i)) {
            taint |= letter_of(i);
            line = rank(i) < first ? (unsigned)i + 1 : line;
            first = rank(i) < first ? rank(i) : first;
        }
    }
    rig_decide(g);
    ck_assert_msg((g->verdict.verdict == VERDICT_DENY) == (line != 0) &&
                      g->verdict.taint == taint && (line == 0 || g->verdict.line == line),
                  "rules %x, flipped %x: %s, taint %x, line %u (%u)", rules, flips,
                  rules_verdict_name(g->verdict.verdict), g->verdict.taint, g->verdict.line, line);
    g->rules.otherwise_taint = true;
    rig_decide(g);
    ck_assert_int_eq(g->verdict.verdict, taint ? VERDICT_TAINTED : VERDICT_ALLOW);
    ck_assert_uint_eq(g->verdict.taint, taint);
    ck_assert_int_eq(*g->verdict.mend != '\0', line != 0);
}

/* Each set of rules: nothing flipped, each fact alone, all at once. */
START_TEST(each_deciding_fact_flips_the_verdict_and_no_other)
{
    for (unsigned rules = 0; rules < 1u << FLIPS; rules += 3) {
        must_follow(rules, 0);
        must_follow(rules, (1u << FLIPS) - 1);
        must_follow(rules, 1u << (rules % FLIPS));
    }
    for (int i = 0; i < FLIPS; i++) {
        for (int k = 0; k < FLIPS; k++) {
            must_follow((1u << FLIPS) - 1, 1u << i | 1u << k);
            must_follow(1u << i | 1u << k, 1u << i);
            must_follow(((1u << FLIPS) - 1) & ~(1u << i), 1u << k);
        }
    }
}
END_TEST

/* Facts that no rule can go by. */
START_TEST(other_facts_decide_nothing)
{
    static const enum peer_fact others[] = {PEER_PID, PEER_PIDFD, PEER_START, PEER_CGROUP,
                                            PEER_EXE_FILE};
    struct rig *g = brute_rig((1u << FLIPS) - 1);

    for (int p = 0; p < SIDES; p++) {
        for (int i = 0; i < COUNT(others); i++) {
            g->peer[p].unknown[others[i]].why = "made so";
        }
        g->peer[p].pid = 1;
        g->peer[p].start_ticks = 1;
        g->peer[p].exe.id.inode = 99;
        strcpy(g->peer[p].cgroup, "/x");
        rig_must(g, VERDICT_ALLOW, "-");
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rules_identity");
    TCase *tc = unit_case(s, "facts");

    tcase_add_test(tc, without_rules_anybody_passes);
    tcase_add_test(tc, an_executable_is_asked_for_by_digest_and_licence);
    tcase_add_loop_test(tc, a_fact_that_is_named_passes, 0, CASES);
    tcase_add_loop_test(tc, another_fact_does_not, 0, CASES);
    tcase_add_loop_test(tc, what_is_unknown_meets_no_rule, 0, CASES);
    tcase_add_test(tc, alternatives_of_one_fact);
    tcase_add_test(tc, groups_of_its_own_and_others);
    tcase_add_test(tc, a_path_that_does_not_mean_what_it_says);
    tcase_add_test(tc, foreign_text_is_escaped);
    tcase_add_test(tc, an_uninspected_executable_has_no_digest);
    tcase_add_test(tc, a_digest_of_fs_verity_needs_no_inspection);
    tcase_add_test(tc, no_inspection_that_failed_is_believed);
    tcase_add_test(tc, recitals);
    tc = unit_case(s, "brute");
    tcase_add_test(tc, each_deciding_fact_flips_the_verdict_and_no_other);
    tcase_add_test(tc, other_facts_decide_nothing);
    return unit_run(s);
}
