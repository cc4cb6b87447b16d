/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Rules for a licence that is compatible with the other party's. */
#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/policy/rules_rig.h"

static struct rig *with_rig(enum side party, enum evidence_grade least)
{
    struct rig *g = rig_new();

    rig_licence(g, party, SPDX_WITH_GPL_2_0_ONLY, least, 5)->kind = RULES_WITH_OTHER;
    return g;
}

/* The rule is symmetric: what is compatible one way is compatible the other way. */
static const struct {
    const char *one, *other;
    enum verdict verdict;
    const char *taint;
} pairs[] = {
    {"GPL-2.0-only", "GPL-2.0-or-later", VERDICT_ALLOW, "-"},
    {"GPL-2.0-only", "MIT", VERDICT_ALLOW, "-"},
    {"GPL-2.0-only", "Apache-2.0", VERDICT_DENY, "C"},
    {"GPL-2.0-only", "GPL-3.0-only", VERDICT_DENY, "C"},
    {"GPL-2.0-or-later", "Apache-2.0", VERDICT_ALLOW, "-"},
    {"GPL-2.0-or-later", "GPL-2.0-only AND Apache-2.0", VERDICT_DENY, "C"},
    {"GPL-3.0-or-later", "Apache-2.0", VERDICT_ALLOW, "-"},
    {"Apache-2.0", "MIT", VERDICT_ALLOW, "-"},
    {"GPL-2.0-only OR EPL-1.0", "MIT", VERDICT_ALLOW, "-"},
    /* A choice is made for each version; what is joined must agree on one. */
    {"GPL-2.0-only OR GPL-3.0-only", "Apache-2.0", VERDICT_ALLOW, "-"},
    {"GPL-2.0-or-later", "GPL-2.0-only OR CDDL-1.0", VERDICT_ALLOW, "-"},
    {"MIT AND GPL-3.0-or-later", "GPL-2.0-only", VERDICT_DENY, "C"},
    {"GPL-2.0-only AND (GPL-2.0-only OR Apache-2.0)", "GPL-3.0-only", VERDICT_DENY, "C"},
    /* No version of the GPL will do: only the same listed licence is known to. */
    {"EPL-1.0", "EPL-1.0", VERDICT_ALLOW, "-"},
    {"GPL-2.0-only", "LicenseRef-proprietary", VERDICT_DENY, "P"},
    {"GPL-2.0-only", "LicenseRef-x", VERDICT_DENY, "U"},
};

START_TEST(both_can_be_one_work)
{
    for (int way = 0; way < 2; way++) {
        struct rig *g = with_rig(SIDE_BACKEND, EVIDENCE_PACKAGED);

        rig_evidence(g, SIDE_CLIENT, EVIDENCE_PACKAGED, way ? pairs[_i].other : pairs[_i].one);
        rig_evidence(g, SIDE_BACKEND, EVIDENCE_SIGNED, way ? pairs[_i].one : pairs[_i].other);
        rig_decide(g);
        ck_assert_int_eq(g->verdict.verdict, pairs[_i].verdict);
        if (way == 0) {
            rig_must(g, pairs[_i].verdict, pairs[_i].taint);
        }
    }
}
END_TEST

/* Of a client with two licences both hold. */
START_TEST(several_licences_of_the_other_party_agree_on_a_version)
{
    struct rig *g = with_rig(SIDE_BACKEND, EVIDENCE_PACKAGED);

    rig_evidence(g, SIDE_CLIENT, EVIDENCE_PACKAGED, "GPL-2.0-or-later");
    rig_evidence(g, SIDE_CLIENT, EVIDENCE_PACKAGED, "Apache-2.0");
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_PACKAGED, "GPL-3.0-only");
    rig_must(g, VERDICT_ALLOW, "-");
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_SIGNED, "GPL-2.0-only");
    rig_must(g, VERDICT_DENY, "C");
}
END_TEST

START_TEST(different_licences_that_no_gpl_fits_are_not_known)
{
    struct rig *g = with_rig(SIDE_BACKEND, EVIDENCE_PACKAGED);

    rig_evidence(g, SIDE_CLIENT, EVIDENCE_PACKAGED, "EPL-1.0");
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_PACKAGED, "MIT");
    rig_must(g, VERDICT_DENY, "U");
}
END_TEST

/* An unknown licence of the other party is that party's, not the one's that the rule is about. */
START_TEST(an_unknown_licence_is_the_other_party_s)
{
    for (int party = 0; party < SIDES; party++) {
        const enum side other = side_other((enum side)party);
        struct rig *g = with_rig((enum side)party, EVIDENCE_PACKAGED);
        char unknown[64];

        snprintf(unknown, sizeof unknown, "the licence of the %s is unknown", side_name(other));
        rig_evidence(g, (enum side)party, EVIDENCE_PACKAGED, "GPL-2.0-only");
        rig_decide(g);
        ck_assert_int_eq(g->verdict.verdict, VERDICT_DENY);
        ck_assert_int_eq(g->verdict.party, other);
        ck_assert_ptr_nonnull(strstr(g->verdict.why, unknown));
        /* Its own word is less than the rule requires of both. */
        rig_evidence(g, other, EVIDENCE_DECLARED, "GPL-2.0-only");
        rig_decide(g);
        ck_assert_int_eq(g->verdict.verdict, VERDICT_DENY);
        ck_assert_int_eq(g->verdict.party, other);
        ck_assert_ptr_nonnull(strstr(g->verdict.why, "too low a grade"));
    }
}
END_TEST

/* A recital under the GPL of a program that is packaged as something else. */
START_TEST(a_package_contradicts_a_recital)
{
    struct rig *g = rig_new();
    struct rules_contradiction by;

    rig_osi(g, SIDE_BACKEND, EVIDENCE_PACKAGED, 5);
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_RECITED, "GPL-2.0-only");
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_PACKAGED, "LicenseRef-x");
    ck_assert(!rules_contradicts_itself(&g->known[SIDE_BACKEND], &by));
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_PACKAGED, "CDDL-1.0");
    ck_assert(rules_contradicts_itself(&g->known[SIDE_BACKEND], &by));
    ck_assert_str_eq(by.licence, "CDDL-1.0");
    rig_decide(g);
    ck_assert_int_eq(g->verdict.verdict, VERDICT_DENY);
    ck_assert_ptr_nonnull(strstr(g->verdict.why, "recites under GPL-2.0-only, but is packaged as "
                                                 "CDDL-1.0"));
    /* The operator's word overrides it. */
    rig_assign(g, SIDE_BACKEND, "MIT", RULES_FACTS, NULL);
    rig_must(g, VERDICT_TAINTED, "O");
}
END_TEST

START_TEST(both_executables_are_inspected)
{
    struct rig *g = with_rig(SIDE_BACKEND, EVIDENCE_PACKAGED);

    ck_assert(rules_ask_executable(&g->rules, SIDE_CLIENT));
    ck_assert(rules_ask_executable(&g->rules, SIDE_BACKEND));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rules_with");
    TCase *tc = unit_case(s, "pairs");

    tcase_add_loop_test(tc, both_can_be_one_work, 0, sizeof pairs / sizeof *pairs);
    tcase_add_test(tc, several_licences_of_the_other_party_agree_on_a_version);
    tcase_add_test(tc, different_licences_that_no_gpl_fits_are_not_known);
    tcase_add_test(tc, an_unknown_licence_is_the_other_party_s);
    tcase_add_test(tc, a_package_contradicts_a_recital);
    tcase_add_test(tc, both_executables_are_inspected);
    return unit_run(s);
}
