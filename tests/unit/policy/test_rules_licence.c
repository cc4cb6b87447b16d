/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Rules on licences: every grade and source of evidence, what holds together, what is not known. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/policy/rules_rig.h"
#include "tests/support/unit.h"

#define GPL2 SPDX_WITH_GPL_2_0_ONLY
#define GPL23 SPDX_WITH_GPL_2_0_OR_LATER
#define GPL3 SPDX_WITH_GPL_3_0_OR_LATER

/* ---- each grade against each demand ---- */

static const struct {
    const char *text;
    enum spdx_compat with[SPDX_TARGETS]; /* in the order of the targets */
    enum spdx_compat osi;
} licences[] = {
    {"MIT", {SPDX_COMPATIBLE, SPDX_COMPATIBLE, SPDX_COMPATIBLE}, SPDX_COMPATIBLE},
    {"Apache-2.0", {SPDX_INCOMPATIBLE, SPDX_COMPATIBLE, SPDX_COMPATIBLE}, SPDX_COMPATIBLE},
    {"GPL-2.0-only", {SPDX_COMPATIBLE, SPDX_COMPATIBLE, SPDX_INCOMPATIBLE}, SPDX_COMPATIBLE},
    {"CDDL-1.0", {SPDX_INCOMPATIBLE, SPDX_INCOMPATIBLE, SPDX_INCOMPATIBLE}, SPDX_COMPATIBLE},
    {"LicenseRef-Acme", {SPDX_UNKNOWN, SPDX_UNKNOWN, SPDX_UNKNOWN}, SPDX_UNKNOWN},
    {"All rights reserved.", {SPDX_UNKNOWN, SPDX_UNKNOWN, SPDX_UNKNOWN}, SPDX_UNKNOWN},
    {"NONE", {SPDX_INCOMPATIBLE, SPDX_INCOMPATIBLE, SPDX_INCOMPATIBLE}, SPDX_INCOMPATIBLE},
};

#define LICENCES COUNT(licences)

/* The letters that a licence leaves by what it is, how it is known, and how it must be. */
static uint32_t letters(enum spdx_compat compat, enum evidence_grade grade,
                        enum evidence_grade least)
{
    uint32_t set = compat == SPDX_INCOMPATIBLE ? TAINT_INCOMPATIBLE
                   : compat == SPDX_UNKNOWN    ? TAINT_UNKNOWN
                                               : 0;

    set |= grade >= EVIDENCE_DECLARED && grade <= EVIDENCE_RECITED ? TAINT_UNSIGNED : 0;
    set |= grade == EVIDENCE_ASSIGNED ? TAINT_OVERRIDE : 0;
    return set | (grade < least ? TAINT_UNSIGNED : 0);
}

static void must_come_to(enum side party, int licence, int what, enum evidence_grade grade,
                         enum evidence_grade least)
{
    const bool osi = what == SPDX_TARGETS;
    const enum spdx_compat compat = osi ? licences[licence].osi : licences[licence].with[what];
    const bool passes = compat == SPDX_COMPATIBLE && grade >= least;
    const uint32_t taint = letters(compat, grade, least);
    struct rig *g = rig_new();
    char text[TAINT_COUNT + 1];

    g->known[SIDE_BACKEND].inspection = party == SIDE_BACKEND ? &g->inspection[party] : NULL;
    if (osi) {
        rig_osi(g, party, least, 5);
    } else {
        rig_licence(g, party, (enum spdx_target)what, least, 5);
    }
    rig_evidence(g, party, grade, licences[licence].text);
    rig_must(g,
             !passes ? VERDICT_DENY
             : taint ? VERDICT_TAINTED
                     : VERDICT_ALLOW,
             taint_text(taint, text));
    ck_assert_uint_eq(g->verdict.line, 5);
    ck_assert_int_eq(g->verdict.party, party);
    ck_assert_ptr_nonnull(strstr(g->verdict.why, evidence_grade_name(grade)));
    ck_assert_ptr_nonnull(strstr(g->verdict.why, licences[licence].text));
    ck_assert_int_eq(*g->verdict.mend == '\0', passes);
    ck_assert_int_eq(strstr(g->verdict.mend, evidence_grade_name(least)) != NULL, grade < least);
}

START_TEST(each_grade_for_each_demand)
{
    for (int what = 0; what <= SPDX_TARGETS; what++) {
        for (int grade = EVIDENCE_DECLARED; grade < EVIDENCE_GRADES; grade++) {
            for (int least = EVIDENCE_DECLARED; least < EVIDENCE_GRADES; least++) {
                must_come_to(SIDE_BACKEND, _i, what, (enum evidence_grade)grade,
                             (enum evidence_grade)least);
                must_come_to(SIDE_CLIENT, _i, what, (enum evidence_grade)grade,
                             (enum evidence_grade)least);
            }
        }
    }
}
END_TEST

START_TEST(nothing_is_known)
{
    for (int least = EVIDENCE_DECLARED; least < EVIDENCE_GRADES; least++) {
        struct rig *g = rig_new();

        char why[RULES_TEXT_SIZE];

        rig_licence(g, SIDE_BACKEND, GPL23, (enum evidence_grade)least, 5);
        rig_must(g, VERDICT_DENY, "U");
        snprintf(why, sizeof why,
                 "the licence of the backend is unknown: there is no evidence of it, and the rule "
                 "requires grade \"%s\" or higher",
                 evidence_grade_name((enum evidence_grade)least));
        ck_assert_str_eq(g->verdict.why, why);
    }
}
END_TEST

/* ---- sources ---- */

START_TEST(each_source_is_told)
{
    static const struct {
        enum evidence_grade grade;
        enum evidence_source source;
        const char *taint;
    } rows[] = {
        {EVIDENCE_NOTED, EVIDENCE_FROM_ELF_NOTE, "E"},
        {EVIDENCE_PACKAGED, EVIDENCE_FROM_DPKG, "-"},
        {EVIDENCE_SIGNED, EVIDENCE_FROM_ENVELOPE, "-"},
    };

    for (int i = 0; i < COUNT(rows); i++) {
        struct rig *g = rig_new();
        char want[64];

        rig_licence(g, SIDE_BACKEND, GPL23, rows[i].grade, 1);
        rig_found(g, SIDE_BACKEND, rows[i].grade, rows[i].source, "MIT");
        rig_must(g, rows[i].taint[0] == '-' ? VERDICT_ALLOW : VERDICT_TAINTED, rows[i].taint);
        snprintf(want, sizeof want, "(%s name 1)", evidence_source_name(rows[i].source));
        ck_assert_ptr_nonnull(strstr(g->verdict.why, want));
    }
}
END_TEST

/* An inspector is a process that hostile files are read by: it cannot say more than it can know. */
START_TEST(an_inspector_speaks_for_nobody_else)
{
    static const enum evidence_grade others[] = {EVIDENCE_DECLARED, EVIDENCE_RECITED,
                                                 EVIDENCE_ASSIGNED};

    for (int i = 0; i < COUNT(others); i++) {
        struct rig *g = rig_new();

        rig_licence(g, SIDE_BACKEND, GPL23, EVIDENCE_DECLARED, 1);
        rig_found(g, SIDE_BACKEND, others[i], EVIDENCE_FROM_OPERATOR, "MIT");
        rig_must(g, VERDICT_DENY, "U");
    }
}
END_TEST

START_TEST(a_failed_inspection_has_no_evidence)
{
    for (int o = INSPECTION_OK + 1; o < INSPECTION_OUTCOMES; o++) {
        struct rig *g = rig_new();

        rig_licence(g, SIDE_BACKEND, GPL23, EVIDENCE_DECLARED, 1);
        rig_found(g, SIDE_BACKEND, EVIDENCE_PACKAGED, EVIDENCE_FROM_DPKG, "MIT");
        g->inspection[SIDE_BACKEND].outcome = (enum inspection_outcome)o;
        rig_must(g, VERDICT_DENY, "U");
    }
}
END_TEST

START_TEST(only_a_valid_recital_is_evidence)
{
    for (int o = RECITAL_OK; o <= RECITAL_NO_MEMORY; o++) {
        struct rig *g = rig_new();

        rig_licence(g, SIDE_BACKEND, GPL23, EVIDENCE_DECLARED, 1);
        rig_evidence(g, SIDE_BACKEND, EVIDENCE_RECITED, "MIT");
        g->known[SIDE_BACKEND].recital = (enum recital_outcome)o;
        rig_must(g, o == RECITAL_OK ? VERDICT_TAINTED : VERDICT_DENY, o == RECITAL_OK ? "E" : "U");
    }
}
END_TEST

/* ---- several items ---- */

START_TEST(the_highest_grade_counts)
{
    /* Each grade against each lower one, one of them good. */
    for (int high = EVIDENCE_NOTED; high < EVIDENCE_GRADES; high++) {
        for (int low = EVIDENCE_DECLARED; low < high; low++) {
            for (int good = 0; good < 2; good++) {
                struct rig *g = rig_new();

                rig_licence(g, SIDE_BACKEND, GPL23, EVIDENCE_DECLARED, 1);
                rig_evidence(g, SIDE_BACKEND, (enum evidence_grade)low, good ? "CDDL-1.0" : "MIT");
                rig_evidence(g, SIDE_BACKEND, (enum evidence_grade)high, good ? "MIT" : "CDDL-1.0");
                rig_decide(g);
                /* A declaration, a note and a recital are all the same party's word. */
                const bool passes = good && high > EVIDENCE_RECITED;

                ck_assert_int_eq(g->verdict.verdict == VERDICT_DENY, !passes);
                ck_assert_int_eq((g->verdict.taint & TAINT_INCOMPATIBLE) != 0, !passes);
            }
        }
    }
}
END_TEST

static const struct {
    const char *recited;
    const char *declared;
    bool contradiction;
    bool passes2; /* a rule for GPL-2.0-only */
    bool passes;  /* … for GPL-2.0-or-later */
} words[] = {
    {"GPL-2.0-only", "", false, true, true},
    {"GPL-2.0-only", "GPL-2.0-only", false, true, true},
    {"GPL-2.0-only", "GPL-2.0-or-later", false, true, true},
    {"GPL-2.0-only", "MIT", false, true, true},
    {"GPL-2.0-only", "LicenseRef-Proprietary", true, false, false},
    {"GPL-2.0-only", "CDDL-1.0", true, false, false},
    {"GPL-2.0-only", "all rights reserved", true, false, false},
    {"CDDL-1.0", "GPL-2.0-only", true, false, false},
    {"CDDL-1.0", "LicenseRef-Proprietary", false, false, false},
    /* No contradiction, but no one version of the GPL either. */
    {"GPL-2.0-only", "GPL-3.0-only", false, false, false},
    {"GPL-2.0-or-later", "Apache-2.0", false, false, true},
};

/* What a party says of itself is held against it, whatever others say. */
START_TEST(a_partys_own_words)
{
    struct rules_contradiction by;
    static const enum evidence_grade others[] = {EVIDENCE_NONE, EVIDENCE_PACKAGED, EVIDENCE_SIGNED};

    for (int party = 0; party < SIDES; party++) {
        for (int i = 0; i < COUNT(others); i++) {
            struct rig *g = rig_new();
            const bool passes = i == 0 ? words[_i].passes : !words[_i].contradiction;

            rig_licence(g, (enum side)party, GPL23, EVIDENCE_DECLARED, 1);
            rig_evidence(g, (enum side)party, others[i], "GPL-2.0-or-later");
            g->known[party].recital = RECITAL_OK;
            g->known[party].recited = words[_i].recited;
            g->known[party].declared = words[_i].declared;
            ck_assert_int_eq(rules_contradicts_itself(&g->known[party], &by),
                             words[_i].contradiction);
            rig_decide(g);
            ck_assert_int_eq(g->verdict.verdict != VERDICT_DENY, passes);
            ck_assert_int_eq(strstr(g->verdict.why, "contradiction") != NULL,
                             words[_i].contradiction);
            g->licence[0].target = GPL2;
            rig_decide(g);
            ck_assert(i > 0 || (g->verdict.verdict != VERDICT_DENY) == words[_i].passes2);
            /* A recital that is not valid says nothing. */
            g->known[party].recital = RECITAL_WRONG_PROOF;
            ck_assert(!rules_contradicts_itself(&g->known[party], &by));
        }
    }
}
END_TEST

static const struct {
    const char *recited, *declared, *noted;
    const char *grade; /* by which the verdict is explained */
    bool passes;
} notes[] = {
    {"", "", "MIT", "noted", true},
    {"", "GPL-2.0-only", "MIT", "noted", true},
    {"", "LicenseRef-Proprietary", "GPL-2.0-only", "noted", false},
    {"", "GPL-2.0-only", "LicenseRef-Proprietary", "noted", false},
    {"GPL-2.0-only", "", "MIT", "recited", true},
    {"GPL-2.0-only", "", "LicenseRef-Proprietary", "recited", false},
    {"GPL-2.0-only", "", "Apache-2.0", "recited", false},
    {"GPL-2.0-only", "GPL-2.0-only", "CDDL-1.0", "recited", false},
};

/* A note is the word of the file's maker: it raises no grade, and is held against the party. */
START_TEST(a_note_beside_a_partys_own_words)
{
    struct rig *g = rig_new();

    rig_licence(g, SIDE_BACKEND, GPL2, EVIDENCE_DECLARED, 1);
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_NOTED, notes[_i].noted);
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_DECLARED, notes[_i].declared);
    if (*notes[_i].recited) {
        rig_evidence(g, SIDE_BACKEND, EVIDENCE_RECITED, notes[_i].recited);
    }
    rig_decide(g);
    ck_assert_int_eq(g->verdict.verdict != VERDICT_DENY, notes[_i].passes);
    ck_assert_ptr_nonnull(strstr(g->verdict.why, notes[_i].grade));
    ck_assert((g->verdict.taint & TAINT_UNSIGNED) != 0);
    /* The grade is as low as that of the words beside it. */
    g->licence[0].least = EVIDENCE_PACKAGED;
    rig_decide(g);
    ck_assert_int_eq(g->verdict.verdict, VERDICT_DENY);
}
END_TEST

START_TEST(as_many_notes_as_there_can_be_beside_both_words)
{
    struct rig *g = rig_new();

    rig_licence(g, SIDE_BACKEND, GPL2, EVIDENCE_RECITED, 1);
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_DECLARED, "MIT");
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_RECITED, "GPL-2.0-only");
    for (unsigned i = 0; i + 1 < EVIDENCE_ITEMS; i++) {
        rig_evidence(g, SIDE_BACKEND, EVIDENCE_NOTED, "MIT");
    }
    rig_must(g, VERDICT_TAINTED, "E");
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_NOTED, "CDDL-1.0");
    rig_must(g, VERDICT_DENY, "EC");
}
END_TEST

/* … but the operator's. */
START_TEST(an_assignment_is_above_a_partys_own_words)
{
    struct rig *g = rig_new();

    rig_licence(g, SIDE_BACKEND, GPL23, EVIDENCE_ASSIGNED, 1);
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_RECITED, "GPL-2.0-only");
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_DECLARED, "LicenseRef-Proprietary");
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_ASSIGNED, "MIT");
    rig_must(g, VERDICT_TAINTED, "O");
}
END_TEST

static const struct {
    const char *items[3];
    enum spdx_target target;
    bool osi;
    const char *taint; /* "-": it passes */
} together[] = {
    {{"MIT", "ISC", NULL}, GPL2, false, "-"},
    {{"MIT", "CDDL-1.0", NULL}, GPL23, false, "C"},
    {{"CDDL-1.0", "MIT", NULL}, GPL23, false, "C"},
    {{"MIT", "LicenseRef-x", NULL}, GPL23, false, "U"},
    {{"CDDL-1.0", "LicenseRef-x", "MIT"}, GPL23, false, "C"},
    {{"MIT", "MIT", "GPL-2.0-only"}, GPL2, false, "-"},
    /* Each alone would do: one with version 2, the other with version 3. */
    {{"GPL-2.0-only", "Apache-2.0", NULL}, GPL23, false, "C"},
    {{"Apache-2.0", "MIT", "GPL-2.0-only"}, GPL23, false, "C"},
    {{"GPL-2.0-or-later", "Apache-2.0", NULL}, GPL23, false, "-"},
    {{"GPL-3.0-only", "Apache-2.0", NULL}, GPL23, false, "-"},
    {{"GPL-3.0-only", "Apache-2.0", NULL}, GPL2, false, "C"},
    {{"GPL-2.0-only OR MIT", "Apache-2.0", NULL}, GPL23, false, "-"},
    {{"MIT", "CDDL-1.0", NULL}, GPL2, true, "-"},
    {{"MIT", "SSPL-1.0", NULL}, GPL2, true, "C"},
};

START_TEST(items_of_one_grade_hold_together)
{
    static const enum evidence_grade grades[] = {EVIDENCE_NOTED, EVIDENCE_PACKAGED};

    for (int i = 0; i < COUNT(grades); i++) {
        struct rig *g = rig_new();

        if (together[_i].osi) {
            rig_osi(g, SIDE_BACKEND, grades[i], 1);
        } else {
            rig_licence(g, SIDE_BACKEND, together[_i].target, grades[i], 1);
        }
        for (int k = 0; k < 3 && together[_i].items[k]; k++) {
            rig_evidence(g, SIDE_BACKEND, grades[i], together[_i].items[k]);
        }
        rig_decide(g);
        ck_assert_int_eq(g->verdict.verdict != VERDICT_DENY, together[_i].taint[0] == '-');
        ck_assert_int_eq((g->verdict.taint & TAINT_UNSIGNED) != 0, grades[i] == EVIDENCE_NOTED);
    }
}
END_TEST

START_TEST(envelopes_hold_together)
{
    struct rig *g = rig_new();

    rig_licence(g, SIDE_BACKEND, GPL23, EVIDENCE_SIGNED, 1);
    rig_found(g, SIDE_BACKEND, EVIDENCE_SIGNED, EVIDENCE_FROM_ENVELOPE, "MIT");
    rig_must(g, VERDICT_ALLOW, "-");
    rig_found(g, SIDE_BACKEND, EVIDENCE_SIGNED, EVIDENCE_FROM_ENVELOPE, "SSPL-1.0");
    rig_must(g, VERDICT_DENY, "C");
}
END_TEST

static const struct {
    uint32_t expires;
    bool expired; /* today, on 2026-11-23 */
} expiries[] = {
    {0, false},       {20261123, false}, {20261124, false}, {20270101, false},
    {20261122, true}, {20251123, true},  {20261031, true},
};

static void rig_signed(struct rig *g, const char *licence, uint32_t expires)
{
    const struct evidence_signature signature = {.expires = expires};

    evidence_add_signed(&g->inspection[SIDE_BACKEND].evidence, licence, "x.json", "", &signature);
}

START_TEST(a_statement_holds_until_the_end_of_its_last_day)
{
    struct rig *g = rig_new();

    rig_licence(g, SIDE_BACKEND, GPL23, EVIDENCE_SIGNED, 1);
    rig_signed(g, "MIT", expiries[_i].expires);
    rig_must(g, expiries[_i].expired ? VERDICT_DENY : VERDICT_ALLOW,
             expiries[_i].expired ? "U" : "-");
    ck_assert_int_eq(strstr(g->verdict.why, "x.json: its statement expired after 20") != NULL,
                     expiries[_i].expired);
}
END_TEST

/* The same inspection, as a cache would give it. */
START_TEST(a_verdict_on_the_next_day_is_another)
{
    struct rig *g = rig_new();

    rig_licence(g, SIDE_BACKEND, GPL23, EVIDENCE_SIGNED, 1);
    rig_signed(g, "MIT", 20261123);
    rig_must(g, VERDICT_ALLOW, "-");
    g->today++;
    rig_must(g, VERDICT_DENY, "U");
}
END_TEST

/* What has expired neither counts for a party nor against it. */
START_TEST(an_expired_statement_leaves_the_other_evidence)
{
    struct rig *g = rig_new();

    rig_licence(g, SIDE_BACKEND, GPL23, EVIDENCE_PACKAGED, 1);
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_PACKAGED, "MIT");
    rig_signed(g, "SSPL-1.0", 20261122);
    rig_must(g, VERDICT_ALLOW, "-");
    g->licence[0].least = EVIDENCE_SIGNED;
    rig_must(g, VERDICT_DENY, "E");
    ck_assert_ptr_nonnull(strstr(g->verdict.why, "MIT, packaged"));
    ck_assert_ptr_nonnull(strstr(g->verdict.why, "expired after 2026-11-22"));
}
END_TEST

START_TEST(as_many_items_as_there_can_be)
{
    struct rig *g = rig_new();

    rig_licence(g, SIDE_BACKEND, GPL23, EVIDENCE_PACKAGED, 1);
    for (unsigned i = 0; i < EVIDENCE_ITEMS; i++) {
        rig_found(g, SIDE_BACKEND, EVIDENCE_PACKAGED, EVIDENCE_FROM_DPKG, "MIT");
    }
    rig_must(g, VERDICT_ALLOW, "-");
    rig_found(g, SIDE_BACKEND, EVIDENCE_PACKAGED, EVIDENCE_FROM_DPKG, "MIT");
    ck_assert(g->inspection[SIDE_BACKEND].evidence.cut);
    rig_must(g, VERDICT_DENY, "U");
    ck_assert_ptr_nonnull(strstr(g->verdict.why, "incomplete"));
}
END_TEST

/* What could not be read of a source, beside what could. */
START_TEST(part_of_what_is_said)
{
    static const struct {
        enum evidence_grade grade;
        enum evidence_source item, unread;
        bool passes;
    } rows[] = {
        {EVIDENCE_NOTED, EVIDENCE_FROM_ELF_NOTE, EVIDENCE_FROM_ELF_NOTE, false},
        {EVIDENCE_NOTED, EVIDENCE_FROM_ELF_NOTE, EVIDENCE_FROM_DPKG, true},
        {EVIDENCE_PACKAGED, EVIDENCE_FROM_DPKG, EVIDENCE_FROM_DPKG, false},
        {EVIDENCE_PACKAGED, EVIDENCE_FROM_DPKG, EVIDENCE_FROM_ELF_NOTE, true},
        {EVIDENCE_PACKAGED, EVIDENCE_FROM_DPKG, EVIDENCE_FROM_ENVELOPE, true},
        {EVIDENCE_SIGNED, EVIDENCE_FROM_ENVELOPE, EVIDENCE_FROM_ENVELOPE, true},
        {EVIDENCE_SIGNED, EVIDENCE_FROM_ENVELOPE, EVIDENCE_FROM_ELF_NOTE, true},
    };

    for (int i = 0; i < COUNT(rows); i++) {
        struct rig *g = rig_new();

        rig_licence(g, SIDE_BACKEND, GPL23, rows[i].grade, 1);
        rig_found(g, SIDE_BACKEND, rows[i].grade, rows[i].item, "MIT");
        evidence_add_unknown(&g->inspection[SIDE_BACKEND].evidence, rows[i].unread, 0, "torn");
        rig_decide(g);
        ck_assert_int_eq(g->verdict.verdict != VERDICT_DENY, rows[i].passes);
        ck_assert_int_eq((g->verdict.taint & TAINT_UNKNOWN) != 0, !rows[i].passes);
        ck_assert_int_eq(strstr(g->verdict.why, "torn") != NULL, !rows[i].passes);
    }
}
END_TEST

/* What is known to be incompatible is not made better by what is not known. */
START_TEST(the_worst_stays_the_worst)
{
    struct rig *g = rig_new();

    rig_licence(g, SIDE_BACKEND, GPL23, EVIDENCE_PACKAGED, 1);
    rig_found(g, SIDE_BACKEND, EVIDENCE_PACKAGED, EVIDENCE_FROM_DPKG, "CDDL-1.0");
    g->inspection[SIDE_BACKEND].evidence.cut = true;
    rig_must(g, VERDICT_DENY, "C");
}
END_TEST

/* What was cut of a lower grade does not matter where a higher one counts. */
/* Neither the package nor the note of an interpreter is about the program that it runs. */
START_TEST(an_interpreters_note_does_not_raise_its_declaration)
{
    struct rig *g = rig_new();

    rig_licence(g, SIDE_BACKEND, SPDX_WITH_GPL_2_0_ONLY, EVIDENCE_NOTED, 5);
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_NOTED, "MIT");
    rig_evidence(g, SIDE_BACKEND, EVIDENCE_DECLARED, "MIT");
    rig_must(g, VERDICT_TAINTED, "E");
    snprintf(g->peer[SIDE_BACKEND].exe.path, sizeof g->peer[SIDE_BACKEND].exe.path,
             "/usr/bin/python3.11");
    rig_must(g, VERDICT_DENY, "E");
}
END_TEST

START_TEST(an_assignment_is_not_cut)
{
    struct rig *g = rig_new();

    rig_licence(g, SIDE_BACKEND, GPL23, EVIDENCE_PACKAGED, 1);
    rig_found(g, SIDE_BACKEND, EVIDENCE_PACKAGED, EVIDENCE_FROM_DPKG, "CDDL-1.0");
    g->inspection[SIDE_BACKEND].evidence.cut = true;
    rig_assign(g, SIDE_BACKEND, "MIT", RULES_FACTS, NULL);
    rig_must(g, VERDICT_TAINTED, "O");
}
END_TEST

/* ---- assignments ---- */

START_TEST(assignments)
{
    static const struct {
        enum side party;
        enum rules_fact fact;
        const char *text;
        bool counts;
    } rows[] = {
        {SIDE_BACKEND, RULES_FACTS, NULL, true},
        {SIDE_BACKEND, RULES_EXE, "/usr/bin/device", true},
        {SIDE_BACKEND, RULES_EXE, "/usr/bin/devic", false},
        {SIDE_BACKEND, RULES_DIGEST, BACKEND_DIGEST, true},
        {SIDE_BACKEND, RULES_DIGEST, CLIENT_DIGEST, false},
        {SIDE_CLIENT, RULES_FACTS, NULL, false},
        {SIDE_CLIENT, RULES_EXE, "/usr/bin/device", false},
    };

    for (int i = 0; i < COUNT(rows); i++) {
        struct rig *g = rig_new();

        rig_licence(g, SIDE_BACKEND, GPL23, EVIDENCE_ASSIGNED, 1);
        rig_assign(g, rows[i].party, "MIT", rows[i].fact, rows[i].text);
        rig_must(g, rows[i].counts ? VERDICT_TAINTED : VERDICT_DENY, rows[i].counts ? "O" : "U");
    }
}
END_TEST

START_TEST(the_first_assignment_that_names_the_party)
{
    struct rig *g = rig_new();

    rig_licence(g, SIDE_BACKEND, GPL23, EVIDENCE_ASSIGNED, 1);
    rig_assign(g, SIDE_BACKEND, "CDDL-1.0", RULES_EXE, "/usr/bin/other");
    rig_assign(g, SIDE_BACKEND, "MIT", RULES_EXE, "/usr/bin/device");
    rig_assign(g, SIDE_BACKEND, "CDDL-1.0", RULES_FACTS, NULL);
    rig_must(g, VERDICT_TAINTED, "O");
    g->peer[SIDE_BACKEND].exe.deleted = true;
    rig_must(g, VERDICT_DENY, "OC");
}
END_TEST

/* ---- several rules ---- */

START_TEST(all_rules_must_be_met)
{
    struct rig *g = rig_new();

    rig_licence(g, SIDE_BACKEND, GPL3, EVIDENCE_PACKAGED, 3);
    rig_osi(g, SIDE_BACKEND, EVIDENCE_DECLARED, 4);
    rig_licence(g, SIDE_CLIENT, GPL2, EVIDENCE_RECITED, 5);
    rig_evidence(g, SIDE_CLIENT, EVIDENCE_RECITED, "GPL-2.0-only");
    rig_found(g, SIDE_BACKEND, EVIDENCE_PACKAGED, EVIDENCE_FROM_DPKG, "Apache-2.0");
    rig_must(g, VERDICT_TAINTED, "E");
    g->licence[0].target = GPL2;
    rig_must(g, VERDICT_DENY, "EC");
    ck_assert_uint_eq(g->verdict.line, 3);
    g->licence[0].target = GPL3;
    strcpy(g->inspection[SIDE_BACKEND].evidence.items[0].licence, "OpenSSL-standalone");
    rig_decide(g);
    ck_assert_int_eq(g->verdict.verdict, VERDICT_DENY);
    g->known[SIDE_CLIENT].recited = "Apache-2.0";
    strcpy(g->inspection[SIDE_BACKEND].evidence.items[0].licence, "MIT");
    rig_must(g, VERDICT_DENY, "EC");
    ck_assert_uint_eq(g->verdict.line, 5);
    ck_assert_int_eq(g->verdict.party, SIDE_CLIENT);
}
END_TEST

/* What a pass is told by: licences before names. */
START_TEST(a_pass_is_told_by_the_licence)
{
    struct rig *g = rig_new();

    rig_allow(g, SIDE_CLIENT, RULES_EXE, 3);
    rig_licence(g, SIDE_BACKEND, GPL23, EVIDENCE_PACKAGED, 4);
    rig_licence(g, SIDE_BACKEND, GPL3, EVIDENCE_PACKAGED, 5);
    rig_found(g, SIDE_BACKEND, EVIDENCE_PACKAGED, EVIDENCE_FROM_DPKG, "MIT");
    rig_must(g, VERDICT_ALLOW, "-");
    ck_assert_uint_eq(g->verdict.line, 4);
    ck_assert_ptr_nonnull(
        strstr(g->verdict.why, "licence of backend: MIT, packaged (dpkg name 1)"));
}
END_TEST

/* ---- where no rule asks ---- */

START_TEST(a_device_that_nobody_asked)
{
    static const struct {
        enum evidence_grade grade;
        const char *licence;
        const char *taint;
    } rows[] = {
        {EVIDENCE_NONE, "", "U"},
        {EVIDENCE_PACKAGED, "MIT", "-"},
        {EVIDENCE_PACKAGED, "Apache-2.0", "C"},
        {EVIDENCE_PACKAGED, "GPL-3.0-or-later", "C"},
        {EVIDENCE_PACKAGED, "GPL-3.0-only OR LicenseRef-Acme-Commercial", "C"},
        {EVIDENCE_PACKAGED, "LicenseRef-Proprietary", "P"},
        {EVIDENCE_PACKAGED, "GPL-2.0-only AND LicenseRef-acme.proprietary", "P"},
        {EVIDENCE_DECLARED, "BUSL-1.1", "PE"},
        {EVIDENCE_SIGNED, "SSPL-1.0", "C"},
        {EVIDENCE_PACKAGED, "LicenseRef-x", "U"},
        {EVIDENCE_DECLARED, "GPL-2.0-only", "E"},
        {EVIDENCE_NOTED, "GPL-2.0-only", "E"},
        {EVIDENCE_RECITED, "CDDL-1.0", "EC"},
        {EVIDENCE_ASSIGNED, "MIT", "O"},
    };

    for (int i = 0; i < COUNT(rows); i++) {
        struct rig *g = rig_new();

        rig_evidence(g, SIDE_BACKEND, rows[i].grade, rows[i].licence);
        rig_must(g, rows[i].taint[0] == '-' ? VERDICT_ALLOW : VERDICT_TAINTED, rows[i].taint);
        /* A rule for the client's licence asks nothing of the backend. */
        rig_licence(g, SIDE_CLIENT, GPL2, EVIDENCE_SIGNED, 1);
        rig_evidence(g, SIDE_CLIENT, EVIDENCE_SIGNED, "MIT");
        rig_must(g, rows[i].taint[0] == '-' ? VERDICT_ALLOW : VERDICT_TAINTED, rows[i].taint);
        g->known[SIDE_BACKEND].inspection = NULL;
        rig_must(g, VERDICT_ALLOW, "-");
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rules_licence");
    TCase *tc = unit_case(s, "grades");

    tcase_add_loop_test(tc, each_grade_for_each_demand, 0, LICENCES);
    tcase_add_test(tc, nothing_is_known);
    tc = unit_case(s, "sources");
    tcase_add_test(tc, each_source_is_told);
    tcase_add_test(tc, an_inspector_speaks_for_nobody_else);
    tcase_add_test(tc, a_failed_inspection_has_no_evidence);
    tcase_add_test(tc, only_a_valid_recital_is_evidence);
    tc = unit_case(s, "several");
    tcase_add_test(tc, the_highest_grade_counts);
    tcase_add_loop_test(tc, a_partys_own_words, 0, COUNT(words));
    tcase_add_loop_test(tc, a_note_beside_a_partys_own_words, 0, COUNT(notes));
    tcase_add_test(tc, as_many_notes_as_there_can_be_beside_both_words);
    tcase_add_test(tc, an_assignment_is_above_a_partys_own_words);
    tcase_add_loop_test(tc, items_of_one_grade_hold_together, 0, COUNT(together));
    tcase_add_test(tc, envelopes_hold_together);
    tcase_add_loop_test(tc, a_statement_holds_until_the_end_of_its_last_day, 0, COUNT(expiries));
    tcase_add_test(tc, a_verdict_on_the_next_day_is_another);
    tcase_add_test(tc, an_expired_statement_leaves_the_other_evidence);
    tcase_add_test(tc, as_many_items_as_there_can_be);
    tcase_add_test(tc, part_of_what_is_said);
    tcase_add_test(tc, the_worst_stays_the_worst);
    tcase_add_test(tc, an_interpreters_note_does_not_raise_its_declaration);
    tcase_add_test(tc, an_assignment_is_not_cut);
    tcase_add_test(tc, assignments);
    tcase_add_test(tc, the_first_assignment_that_names_the_party);
    tcase_add_test(tc, all_rules_must_be_met);
    tcase_add_test(tc, a_pass_is_told_by_the_licence);
    tcase_add_test(tc, a_device_that_nobody_asked);
    return unit_run(s);
}
