/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Rules on properties of a party: that it does not contradict itself, that it is measured. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/policy/rules_rig.h"

/* ---- contradictions ---- */

static const struct {
    const char *recited, *declared, *packaged;
    enum verdict verdict;
    const char *taint;
    const char *why;
} parties[] = {
    {"", "", "", VERDICT_ALLOW, "", "no recital of the"},
    {"", "CDDL-1.0", "GPL-2.0-only", VERDICT_ALLOW, "", "no recital of the"},
    {"GPL-2.0-only", "", "", VERDICT_ALLOW, "", "neither declaration nor package"},
    {"GPL-2.0-only", "MIT", "MIT", VERDICT_ALLOW, "", "neither declaration nor package"},
    {"GPL-2.0-only", "", "LicenseRef-x", VERDICT_ALLOW, "", "neither declaration nor package"},
    {"GPL-2.0-only", "CDDL-1.0", "", VERDICT_DENY, "C",
     "recites under GPL-2.0-only, but declares "
     "CDDL-1.0"},
    {"GPL-2.0-only", "LicenseRef-x", "", VERDICT_DENY, "U", "but declares LicenseRef-x"},
    {"CDDL-1.0", "GPL-2.0-only", "", VERDICT_DENY, "C",
     "recites under CDDL-1.0, but declares "
     "GPL-2.0-only"},
    {"GPL-2.0-only", "GPL-2.0-only", "CDDL-1.0", VERDICT_DENY, "C", "but is packaged as CDDL-1.0"},
};

static struct rig *trait_rig(enum side party, enum rules_trait_kind kind)
{
    struct rig *g = rig_new();

    rig_trait(g, party, kind, 5);
    return g;
}

/* The parts of a taint that have nothing to do with the rule: no rule requires a licence. */
static void trait_must(struct rig *g, enum side party, enum verdict verdict, const char *taint,
                       const char *why)
{
    char letters[TAINT_COUNT + 1];
    struct rig_steps steps;

    rig_decide(g);
    ck_assert_int_eq(g->verdict.verdict == VERDICT_DENY, verdict == VERDICT_DENY);
    rig_explain(g, &steps);
    ck_assert_uint_eq(steps.n, 1);
    ck_assert_int_eq(steps.steps[0].party, party);
    ck_assert_uint_eq(steps.steps[0].line, 5);
    ck_assert_int_eq(steps.steps[0].met, verdict != VERDICT_DENY);
    ck_assert_str_eq(taint_text(steps.steps[0].taint, letters), *taint ? taint : "-");
    ck_assert_msg(strstr(steps.steps[0].text, why), "\"%s\" is not in: %s", why,
                  steps.steps[0].text);
    ck_assert_int_eq(steps.steps[0].mend[0] != '\0', verdict == VERDICT_DENY);
}

START_TEST(a_contradiction_alone_denies)
{
    for (int party = 0; party < SIDES; party++) {
        struct rig *g = trait_rig((enum side)party, RULES_CONSISTENT);

        ck_assert(rules_ask_processes(&g->rules));
        ck_assert(rules_ask_executable(&g->rules, (enum side)party));
        ck_assert(!rules_ask_executable(&g->rules, side_other((enum side)party)));
        g->known[party].declared = parties[_i].declared;
        if (*parties[_i].recited) {
            rig_evidence(g, (enum side)party, EVIDENCE_RECITED, parties[_i].recited);
        }
        if (*parties[_i].packaged) {
            rig_evidence(g, (enum side)party, EVIDENCE_PACKAGED, parties[_i].packaged);
        }
        trait_must(g, (enum side)party, parties[_i].verdict, parties[_i].taint, parties[_i].why);
    }
}
END_TEST

START_TEST(without_an_inspection_its_package_is_unknown)
{
    struct rig *g = trait_rig(SIDE_BACKEND, RULES_CONSISTENT);

    g->known[SIDE_BACKEND].inspection = NULL;
    trait_must(g, SIDE_BACKEND, VERDICT_ALLOW, "", "no recital");
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_RECITED, "GPL-2.0-only");
    trait_must(g, SIDE_BACKEND, VERDICT_DENY, "U", "is unknown: not inspected");
    g->known[SIDE_BACKEND].inspection = &g->inspection[SIDE_BACKEND];
    g->inspection[SIDE_BACKEND].outcome = INSPECTION_TIMEOUT;
    trait_must(g, SIDE_BACKEND, VERDICT_DENY, "U", "took too long");
}
END_TEST

/* PHP's own licence is not that of a GPL program in PHP. */
START_TEST(the_package_of_an_interpreter_contradicts_nothing)
{
    struct rig *g = trait_rig(SIDE_BACKEND, RULES_CONSISTENT);

    rig_evidence(g, SIDE_BACKEND, EVIDENCE_RECITED, "GPL-2.0-only");
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_PACKAGED, "PHP-3.01");
    trait_must(g, SIDE_BACKEND, VERDICT_DENY, "C", "packaged as PHP-3.01");
    snprintf(g->peer[SIDE_BACKEND].exe.path, sizeof g->peer[SIDE_BACKEND].exe.path,
             "/usr/bin/python3.11");
    trait_must(g, SIDE_BACKEND, VERDICT_ALLOW, "", "neither declaration nor package");
}
END_TEST

START_TEST(an_assignment_overrides_a_contradiction)
{
    struct rig *g = trait_rig(SIDE_BACKEND, RULES_CONSISTENT);

    rig_evidence(g, SIDE_BACKEND, EVIDENCE_RECITED, "GPL-2.0-only");
    g->known[SIDE_BACKEND].declared = "CDDL-1.0";
    trait_must(g, SIDE_BACKEND, VERDICT_DENY, "C", "contradiction");
    rig_assign(g, SIDE_BACKEND, "MIT", RULES_FACTS, NULL);
    trait_must(g, SIDE_BACKEND, VERDICT_TAINTED, "O", "assigned");
}
END_TEST

/* ---- measurements ---- */

START_TEST(an_executable_with_fs_verity_is_measured)
{
    for (int party = 0; party < SIDES; party++) {
        struct rig *g = trait_rig((enum side)party, RULES_MEASURED);

        ck_assert(rules_ask_executable(&g->rules, (enum side)party));
        g->known[party].inspection = NULL;
        trait_must(g, (enum side)party, VERDICT_DENY, "E", "digest, and it was not inspected");
        g->peer[party].exe.verity = (struct peer_verity){.algorithm = 1, .size = 32};
        trait_must(g, (enum side)party, VERDICT_ALLOW, "", "measured by fs-verity, sha256:0000");
    }
}
END_TEST

START_TEST(an_executable_that_ima_lists_is_measured)
{
    for (unsigned ima = 0; ima < INSPECTION_IMA_STATES; ima++) {
        struct rig *g = trait_rig(SIDE_BACKEND, RULES_MEASURED);

        g->inspection[SIDE_BACKEND].ima = ima;
        if (ima == INSPECTION_IMA_LISTED) {
            g->inspection[SIDE_BACKEND].ima_entry = 4711;
            trait_must(g, SIDE_BACKEND, VERDICT_ALLOW, "", "in entry 4711 of its list");
            g->inspection[SIDE_BACKEND].outcome = INSPECTION_CHANGED;
            trait_must(g, SIDE_BACKEND, VERDICT_DENY, "E", "changed while it was read");
        } else {
            trait_must(g, SIDE_BACKEND, VERDICT_DENY, "E",
                       inspection_ima_text((enum inspection_ima)ima));
        }
    }
}
END_TEST

START_TEST(an_interpreter_is_not_what_it_runs)
{
    struct rig *g = trait_rig(SIDE_BACKEND, RULES_MEASURED);

    g->peer[SIDE_BACKEND].exe.verity = (struct peer_verity){.algorithm = 1, .size = 32};
    snprintf(g->peer[SIDE_BACKEND].exe.path, sizeof g->peer[SIDE_BACKEND].exe.path,
             "/usr/bin/python3.11");
    trait_must(g, SIDE_BACKEND, VERDICT_DENY, "E", "an interpreter");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rules_trait");
    TCase *tc = unit_case(s, "contradictions");

    tcase_add_loop_test(tc, a_contradiction_alone_denies, 0, COUNT(parties));
    tcase_add_test(tc, without_an_inspection_its_package_is_unknown);
    tcase_add_test(tc, the_package_of_an_interpreter_contradicts_nothing);
    tcase_add_test(tc, an_assignment_overrides_a_contradiction);
    tc = unit_case(s, "measurements");
    tcase_add_test(tc, an_executable_with_fs_verity_is_measured);
    tcase_add_test(tc, an_executable_that_ima_lists_is_measured);
    tcase_add_test(tc, an_interpreter_is_not_what_it_runs);
    return unit_run(s);
}
