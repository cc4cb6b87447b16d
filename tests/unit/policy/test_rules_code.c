/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Rules on the code that a party has mapped: "code of ..." and "covering code". */
#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/policy/rules_rig.h"

#define ITEMS 8

/* What the backend has mapped. */
static struct {
    struct peer_code_item items[ITEMS];
    char paths[ITEMS][32];
    struct inspection inspections[ITEMS];
    const struct inspection *found[ITEMS];
    struct peer_code list;
    struct rules_mapped mapped;
    struct rules_code rules[2];
} code;

static struct peer_code_item *code_add(enum peer_code_kind kind)
{
    const size_t i = code.list.n++;

    ck_assert_uint_lt(i, ITEMS);
    snprintf(code.paths[i], sizeof code.paths[i], "/lib/%zu.so", i);
    code.items[i] = (struct peer_code_item){.kind = kind,
                                            .start = 0x1000,
                                            .end = 0x2000,
                                            .mappings = 1,
                                            .id = {.inode = 100 + i},
                                            .path = code.paths[i],
                                            .path_ours = true};
    code.inspections[i].outcome = INSPECTION_OK;
    code.inspections[i].sha256[0] = (uint8_t)i;
    evidence_init(&code.inspections[i].evidence);
    code.found[i] = kind == PEER_CODE_FILE ? &code.inspections[i] : NULL;
    return &code.items[i];
}

static struct evidence *code_evidence(size_t i)
{
    return &code.inspections[i].evidence;
}

/* Maps a file with evidence of that grade and licence; EVIDENCE_NONE: without any. */
static void code_add_file(enum evidence_grade grade, const char *licence)
{
    const size_t i = code.list.n;

    (void)code_add(PEER_CODE_FILE);
    if (grade != EVIDENCE_NONE) {
        evidence_add(code_evidence(i), grade,
                     grade == EVIDENCE_NOTED      ? EVIDENCE_FROM_ELF_NOTE
                     : grade == EVIDENCE_PACKAGED ? EVIDENCE_FROM_DPKG
                                                  : EVIDENCE_FROM_ENVELOPE,
                     licence, "lib 1", "");
    }
}

/* A backend packaged under a licence, whose executable is the first item of its code. */
static struct rig *code_rig(const char *licence)
{
    struct rig *g = rig_new();

    memset(&code, 0, sizeof code);
    code.list.items = code.items;
    code.mapped = (struct rules_mapped){.list = &code.list, .found = code.found};
    g->rules.code = code.rules;
    g->known[SIDE_BACKEND].mapped = &code.mapped;
    g->peer[SIDE_BACKEND].exe.id = code_add(PEER_CODE_FILE)->id;
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_PACKAGED, licence);
    return g;
}

static void code_demand(struct rig *g, enum evidence_grade least)
{
    code.rules[g->rules.n_code++] =
        (struct rules_code){.party = SIDE_BACKEND, .least = least, .line = 7};
}

static void code_cover(struct rig *g, enum spdx_target target, enum evidence_grade least)
{
    rig_licence(g, SIDE_BACKEND, target, least, 7)->covers_code = true;
}

static void code_must(struct rig *g, enum verdict verdict, const char *taint, const char *why)
{
    rig_must(g, verdict, taint);
    ck_assert_ptr_nonnull(strstr(g->verdict.why, why));
    ck_assert_int_eq(verdict == VERDICT_DENY, *g->verdict.mend != '\0');
}

/* ---- "code of" ---- */

START_TEST(a_file_needs_the_grade)
{
    static const enum evidence_grade grades[] = {EVIDENCE_NONE, EVIDENCE_NOTED, EVIDENCE_PACKAGED,
                                                 EVIDENCE_SIGNED};

    for (int least = EVIDENCE_DECLARED; least <= EVIDENCE_PACKAGED; least++) {
        struct rig *g = code_rig("MIT");
        const enum evidence_grade grade = grades[_i];
        /* A note is a statement by the maker of the file, which counts as declared at least. */
        const bool met = grade != EVIDENCE_NONE && (int)grade >= least;

        code_demand(g, (enum evidence_grade)least);
        code_add_file(grade, "MIT");
        rig_decide(g);
        ck_assert_msg(g->verdict.verdict == (met ? VERDICT_ALLOW : VERDICT_DENY), "%d %d: %s",
                      (int)grade, least, g->verdict.why);
        ck_assert_uint_eq(g->verdict.taint, met                      ? 0
                                            : grade == EVIDENCE_NONE ? TAINT_UNKNOWN
                                                                     : TAINT_UNSIGNED);
    }
}
END_TEST

START_TEST(a_package_is_evidence_of_origin_even_without_a_licence)
{
    struct rig *g = code_rig("MIT");
    struct rules_code_evidence e;

    code_add_file(EVIDENCE_NONE, NULL);
    evidence_set_package(code_evidence(1), "libc6 2.36");
    evidence_add_unknown(code_evidence(1), EVIDENCE_FROM_DPKG, 0, "unreadable");
    code_demand(g, EVIDENCE_PACKAGED);
    code_must(g, VERDICT_ALLOW, "-", "2 files");
    e = rules_code_evidence(&g->rules, SIDE_BACKEND, &code.mapped, 1, g->today);
    ck_assert_int_eq(e.grade, EVIDENCE_PACKAGED);
    ck_assert_str_eq(e.licence, "");
    ck_assert_str_eq(e.name, "libc6 2.36");
    ck_assert_str_eq(e.why, "unreadable");

    code.rules[0].least = EVIDENCE_SIGNED;
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_SIGNED, "MIT");
    code_must(g, VERDICT_DENY, "U", "/lib/1.so: unreadable");
}
END_TEST

START_TEST(a_package_of_a_file_that_was_not_inspected_is_none)
{
    struct rig *g = code_rig("MIT");

    code_add_file(EVIDENCE_PACKAGED, "MIT");
    evidence_set_package(code_evidence(1), "lib 1");
    code.inspections[1].outcome = INSPECTION_TIMEOUT;
    code_demand(g, EVIDENCE_PACKAGED);
    code_must(g, VERDICT_DENY, "U", inspection_text(INSPECTION_TIMEOUT));
    code.found[1] = NULL;
    code_must(g, VERDICT_DENY, "U", "it was not inspected");
    code.items[1].unknown.why = "it is gone";
    code_must(g, VERDICT_DENY, "U", "it is gone");
}
END_TEST

START_TEST(code_outside_of_files_has_no_evidence)
{
    struct rig *g = code_rig("MIT");

    code_demand(g, EVIDENCE_DECLARED);
    (void)code_add((enum peer_code_kind)_i);
    /* Evidence does not help, not even the operator's about the path. */
    code.found[1] = &code.inspections[1];
    evidence_set_package(code_evidence(1), "lib 1");
    rig_assign(g, SIDE_BACKEND, "MIT", RULES_EXE, "/lib/1.so");
    code_must(g, VERDICT_DENY, "U", peer_code_kind_text((enum peer_code_kind)_i));
    ck_assert_ptr_nonnull(strstr(g->verdict.why, "0x1000-0x2000"));
    ck_assert_int_eq(rules_code_evidence(&g->rules, SIDE_BACKEND, &code.mapped, 1, g->today).grade,
                     EVIDENCE_NONE);
}
END_TEST

START_TEST(the_first_fault_is_named_and_others_are_counted)
{
    struct rig *g = code_rig("MIT");

    code_demand(g, EVIDENCE_PACKAGED);
    code_add_file(EVIDENCE_PACKAGED, "MIT");
    code_add_file(EVIDENCE_NONE, NULL);
    code_add_file(EVIDENCE_NOTED, "MIT");
    (void)code_add(PEER_CODE_MEMORY);
    code_must(g, VERDICT_DENY, "U", "/lib/2.so");
    ck_assert_ptr_nonnull(strstr(g->verdict.why, "; and 2 more"));
}
END_TEST

START_TEST(the_executable_counts_as_the_party_does)
{
    struct rig *g = code_rig("MIT");

    /* The list's own inspection of the executable has no evidence at all. */
    code_demand(g, EVIDENCE_PACKAGED);
    code_must(g, VERDICT_ALLOW, "-", "1 file,");
    evidence_init(&g->inspection[SIDE_BACKEND].evidence);
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_RECITED, "MIT");
    code_must(g, VERDICT_DENY, "E", "evidence of grade \"recited\" only: /lib/0.so");
}
END_TEST

START_TEST(an_unknown_list_meets_no_rule)
{
    struct rig *g = code_rig("MIT");

    code_demand(g, EVIDENCE_DECLARED);
    code.list.unknown = (struct peer_unknown){.error = 13, .why = "hidden"};
    code_must(g, VERDICT_DENY, "U", "hidden (Permission denied)");
    g->known[SIDE_BACKEND].mapped = NULL;
    code_must(g, VERDICT_DENY, "U", "nothing has looked at it");
}
END_TEST

START_TEST(an_interpreter_meets_no_rule_by_its_package)
{
    static const char *const interpreters[] = {
        "/usr/bin/python3.11",
        "/usr/bin/perl",
        "/usr/bin/dash",
        "/bin/busybox",
        "/usr/lib/jvm/java-17-openjdk-amd64/bin/java",
        "/usr/bin/qemu-aarch64-static",
    };

    for (size_t i = 0; i < sizeof interpreters / sizeof *interpreters; i++) {
        struct rig *g = code_rig("MIT");

        snprintf(g->peer[SIDE_BACKEND].exe.path, sizeof g->peer[SIDE_BACKEND].exe.path, "%s",
                 interpreters[i]);
        evidence_set_package(&g->inspection[SIDE_BACKEND].evidence, "python3.11 3.11.2");
        code_demand(g, EVIDENCE_PACKAGED);
        code_must(g, VERDICT_DENY, "U", "executes an interpreter");
        /* It does if the operator vouches for it, or a signer for this very file. */
        rig_evidence(g, SIDE_BACKEND, _i ? EVIDENCE_SIGNED : EVIDENCE_ASSIGNED, "MIT");
        code_must(g, _i ? VERDICT_ALLOW : VERDICT_TAINTED, _i ? "-" : "O", "1 file,");
    }
}
END_TEST

START_TEST(an_interpreter_that_is_only_mapped_is_a_file_like_others)
{
    struct rig *g = code_rig("MIT");

    code_demand(g, EVIDENCE_PACKAGED);
    code_add_file(EVIDENCE_PACKAGED, "GPL-2.0-or-later");
    snprintf(code.paths[1], sizeof code.paths[1], "/lib/ld-linux-x86-64.so.2");
    code_must(g, VERDICT_ALLOW, "-", "2 files");
}
END_TEST

START_TEST(an_assignment_to_a_file_taints)
{
    struct rig *g = code_rig("MIT");

    code_demand(g, EVIDENCE_PACKAGED);
    code_add_file(EVIDENCE_NONE, NULL);
    rig_assign(g, SIDE_BACKEND, "MIT", RULES_EXE, "/lib/1.so");
    code_must(g, VERDICT_TAINTED, "O", "2 files");
    /* A path in another mount table is a name that anybody can make. */
    code.items[1].path_ours = false;
    code_must(g, VERDICT_DENY, "U", "/lib/1.so");
}
END_TEST

/* ---- "covering code" ---- */

/* An executable and two libraries. */
static const struct {
    enum spdx_target target;
    const char *executable, *one, *other;
    enum verdict verdict;
    const char *taint;
    const char *why;
} covered[] = {
    {SPDX_WITH_GPL_2_0_ONLY, "GPL-2.0-only", "MIT", "LGPL-2.1-or-later", VERDICT_ALLOW, "-", ""},
    {SPDX_WITH_GPL_2_0_ONLY, "GPL-2.0-only", "MIT", "Apache-2.0", VERDICT_DENY, "C", "/lib/2.so"},
    {SPDX_WITH_GPL_2_0_ONLY, "GPL-2.0-only", "Apache-2.0", "MIT", VERDICT_DENY, "C", "/lib/1.so"},
    {SPDX_WITH_GPL_2_0_ONLY, "MIT", "LicenseRef-x", "MIT", VERDICT_DENY, "U", "/lib/1.so"},
    /* The worst one is named. */
    {SPDX_WITH_GPL_2_0_ONLY, "MIT", "LicenseRef-x", "Apache-2.0", VERDICT_DENY, "C", "/lib/2.so"},
    {SPDX_WITH_GPL_2_0_ONLY, "MIT", "LicenseRef-proprietary", "MIT", VERDICT_DENY, "P",
     "/lib/1.so"},
    /* Either version will do, but it must be one. */
    {SPDX_WITH_GPL_2_0_OR_LATER, "MIT", "GPL-2.0-only", "MIT", VERDICT_ALLOW, "-", ""},
    {SPDX_WITH_GPL_2_0_OR_LATER, "MIT", "Apache-2.0", "GPL-3.0-only", VERDICT_ALLOW, "-", ""},
    {SPDX_WITH_GPL_2_0_OR_LATER, "GPL-2.0-or-later", "Apache-2.0", "MIT", VERDICT_ALLOW, "-", ""},
    {SPDX_WITH_GPL_2_0_OR_LATER, "MIT", "GPL-2.0-only", "GPL-3.0-only", VERDICT_DENY, "C",
     "one and the same version"},
    {SPDX_WITH_GPL_2_0_OR_LATER, "GPL-2.0-only", "Apache-2.0", "MIT", VERDICT_DENY, "C",
     "one and the same version"},
    {SPDX_WITH_GPL_2_0_OR_LATER, "MIT", "MIT", "EPL-1.0", VERDICT_DENY, "C", "/lib/2.so"},
    {SPDX_WITH_GPL_2_0_OR_LATER, "MIT", "MIT", "LicenseRef-x", VERDICT_DENY, "U", "/lib/2.so"},
    {SPDX_WITH_GPL_2_0_OR_LATER, "MIT", "not an expression", "MIT", VERDICT_DENY, "U",
     "not an SPDX expression"},
    {SPDX_WITH_GPL_3_0_OR_LATER, "GPL-3.0-or-later", "Apache-2.0", "GPL-2.0-or-later",
     VERDICT_ALLOW, "-", ""},
    {SPDX_WITH_GPL_3_0_OR_LATER, "GPL-3.0-or-later", "GPL-2.0-only", "MIT", VERDICT_DENY, "C",
     "/lib/1.so"},
};

START_TEST(licences_of_all_code_hold_together)
{
    struct rig *g = code_rig(covered[_i].executable);

    code_cover(g, covered[_i].target, EVIDENCE_PACKAGED);
    code_add_file(EVIDENCE_PACKAGED, covered[_i].one);
    code_add_file(EVIDENCE_SIGNED, covered[_i].other);
    code_must(g, covered[_i].verdict, covered[_i].taint, covered[_i].why);
}
END_TEST

START_TEST(an_executable_that_fails_alone_is_named_itself)
{
    struct rig *g = code_rig("Apache-2.0");

    code_cover(g, SPDX_WITH_GPL_2_0_ONLY, EVIDENCE_PACKAGED);
    code_add_file(EVIDENCE_PACKAGED, "Apache-2.0");
    code_must(g, VERDICT_DENY, "C", "licence of backend: Apache-2.0");
}
END_TEST

START_TEST(covered_code_needs_a_licence)
{
    struct rig *g = code_rig("MIT");

    code_cover(g, SPDX_WITH_GPL_2_0_ONLY, EVIDENCE_PACKAGED);
    code_add_file(EVIDENCE_NONE, NULL);
    evidence_set_package(code_evidence(1), "libc6 2.36");
    evidence_add_unknown(code_evidence(1), EVIDENCE_FROM_DPKG, 0, "unreadable");
    code_must(g, VERDICT_DENY, "U", "unreadable");
    rig_assign(g, SIDE_BACKEND, "LGPL-2.1-or-later", RULES_EXE, "/lib/1.so");
    rig_must(g, VERDICT_TAINTED, "O");
}
END_TEST

START_TEST(incomplete_evidence_of_covered_code_is_unknown)
{
    struct rig *g = code_rig("MIT");

    code_cover(g, _i ? SPDX_WITH_GPL_2_0_OR_LATER : SPDX_WITH_GPL_2_0_ONLY, EVIDENCE_PACKAGED);
    code_add_file(EVIDENCE_PACKAGED, "MIT");
    code_evidence(1)->cut = true;
    code_must(g, VERDICT_DENY, "U", "its evidence is incomplete");
}
END_TEST

START_TEST(an_assignment_to_the_party_is_about_all_its_code)
{
    struct rig *g = code_rig("Apache-2.0");

    code_cover(g, SPDX_WITH_GPL_2_0_ONLY, EVIDENCE_PACKAGED);
    code_add_file(EVIDENCE_NONE, NULL);
    rig_assign(g, SIDE_BACKEND, "MIT", RULES_FACTS, NULL);
    rig_must(g, VERDICT_TAINTED, "O");
}
END_TEST

START_TEST(a_rule_on_code_asks_for_it)
{
    struct rig *g = code_rig("MIT");

    ck_assert(!rules_ask_code(&g->rules, SIDE_BACKEND));
    if (_i) {
        code_demand(g, EVIDENCE_PACKAGED);
    } else {
        code_cover(g, SPDX_WITH_GPL_2_0_ONLY, EVIDENCE_PACKAGED);
    }
    ck_assert(rules_ask_code(&g->rules, SIDE_BACKEND));
    ck_assert(rules_ask_executable(&g->rules, SIDE_BACKEND));
    ck_assert(!rules_ask_code(&g->rules, SIDE_CLIENT));
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("rules_code");
    TCase *const origin = unit_case(s, "code of");
    TCase *const licence = unit_case(s, "covering code");

    tcase_add_loop_test(origin, a_file_needs_the_grade, 0, 4);
    tcase_add_test(origin, a_package_is_evidence_of_origin_even_without_a_licence);
    tcase_add_test(origin, a_package_of_a_file_that_was_not_inspected_is_none);
    tcase_add_loop_test(origin, code_outside_of_files_has_no_evidence, PEER_CODE_DELETED,
                        PEER_CODE_KINDS);
    tcase_add_test(origin, the_first_fault_is_named_and_others_are_counted);
    tcase_add_test(origin, the_executable_counts_as_the_party_does);
    tcase_add_test(origin, an_unknown_list_meets_no_rule);
    tcase_add_loop_test(origin, an_interpreter_meets_no_rule_by_its_package, 0, 2);
    tcase_add_test(origin, an_interpreter_that_is_only_mapped_is_a_file_like_others);
    tcase_add_test(origin, an_assignment_to_a_file_taints);
    tcase_add_loop_test(origin, a_rule_on_code_asks_for_it, 0, 2);
    tcase_add_loop_test(licence, licences_of_all_code_hold_together, 0, COUNT(covered));
    tcase_add_test(licence, an_executable_that_fails_alone_is_named_itself);
    tcase_add_test(licence, covered_code_needs_a_licence);
    tcase_add_loop_test(licence, incomplete_evidence_of_covered_code_is_unknown, 0, 2);
    tcase_add_test(licence, an_assignment_to_the_party_is_about_all_its_code);
    return unit_run(s);
}
