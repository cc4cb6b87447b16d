/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Compatibility with the GPL: spdx_expressions.tsv, the explanation of each verdict, what must hold
 * of every licence on the list, and of every pair of a few that differ.
 */
#include <stdio.h>
#include <string.h>

#include "policy/spdx/spdx_list.h"
#include "tests/unit/policy/spdx_rig.h"

static const struct rig_row *expressions;
static size_t n_expressions;

static enum spdx_compat answer(const char *text)
{
    return strcmp(text, "yes") == 0  ? SPDX_COMPATIBLE
           : strcmp(text, "no") == 0 ? SPDX_INCOMPATIBLE
                                     : SPDX_UNKNOWN;
}

/* What the verdict says of itself must agree with itself and with the reasons. */
static void check_explained(const struct spdx *e, const struct spdx_verdict *v)
{
    char text[600];
    struct spdx_reason r;

    ck_assert_uint_eq(v->n_terms, e->n_terms);
    ck_assert_uint_lt(v->decisive, e->n_terms);
    ck_assert_int_eq(v->parts[v->decisive], SPDX_TAKEN);
    ck_assert_int_eq(v->terms[v->decisive], v->compat);
    for (size_t i = 0; i < e->n_terms; i++) {
        spdx_reason(e, i, v->version, &r);
        ck_assert_int_eq(r.compat, v->terms[i]);
        ck_assert_str_ne(r.why, "");
        ck_assert_int_le(v->parts[i] == SPDX_TAKEN ? v->compat : SPDX_INCOMPATIBLE, v->terms[i]);
    }
    spdx_verdict_text(v, e, text, sizeof text);
    ck_assert_ptr_eq(strstr(text, spdx_compat_name(v->compat)), text);
    ck_assert_ptr_nonnull(strstr(text, spdx_target_name(v->target)));
}

START_TEST(each_expression_is_judged_as_the_table_says)
{
    const struct rig_row *row = &expressions[_i];
    const char *text = row->columns[3];
    const struct spdx *e;
    struct spdx_verdict v;

    ck_assert_ptr_nonnull(text);
    ck_assert_str_eq(rig_canonical(text), row->columns[4] ? row->columns[4] : text);
    e = rig_must_parse(text);
    for (int t = 0; t < SPDX_TARGETS; t++) {
        spdx_judge(e, (enum spdx_target)t, &v);
        ck_assert_msg(v.compat == answer(row->columns[t]), "line %d: %s is %s with %s", row->line,
                      text, spdx_compat_name(v.compat), spdx_target_name((enum spdx_target)t));
        check_explained(e, &v);
    }
    /* what is written anew is judged alike */
    e = rig_must_parse(rig_canonical(text));
    for (int t = 0; t < SPDX_TARGETS; t++) {
        spdx_judge(e, (enum spdx_target)t, &v);
        ck_assert_int_eq(v.compat, answer(row->columns[t]));
    }
}
END_TEST

START_TEST(the_table_is_as_long_as_it_was_promised)
{
    ck_assert_uint_ge(n_expressions, 200);
}
END_TEST

/* ---- the explanation ---- */

static const struct {
    const char *text;
    enum spdx_target target;
    const char *parts; /* of each term: t taken, - passed over */
    size_t decisive;
    int version;
} explained[] = {
    {"MIT OR Apache-2.0", SPDX_WITH_GPL_2_0_ONLY, "t-", 0, 2},
    {"Apache-2.0 OR MIT", SPDX_WITH_GPL_2_0_ONLY, "-t", 1, 2},
    {"Apache-2.0 OR MIT", SPDX_WITH_GPL_3_0_OR_LATER, "t-", 0, 3},
    {"CDDL-1.0 OR EPL-1.0", SPDX_WITH_GPL_2_0_ONLY, "t-", 0, 2},
    {"CDDL-1.0 OR LicenseRef-x OR OpenSSL", SPDX_WITH_GPL_2_0_ONLY, "-t-", 1, 2},
    {"MIT AND CDDL-1.0 AND OpenSSL", SPDX_WITH_GPL_2_0_ONLY, "ttt", 1, 2},
    {"MIT AND LicenseRef-x AND OpenSSL", SPDX_WITH_GPL_2_0_ONLY, "ttt", 2, 2},
    {"(CDDL-1.0 OR MIT) AND (ISC OR Zlib)", SPDX_WITH_GPL_2_0_ONLY, "-tt-", 1, 2},
    {"CDDL-1.0 AND (MIT OR ISC) OR X11 AND Zlib", SPDX_WITH_GPL_2_0_ONLY, "---tt", 3, 2},
    {"GPL-2.0-or-later AND MIT", SPDX_WITH_GPL_2_0_OR_LATER, "tt", 0, 2},
    {"GPL-2.0-or-later AND Apache-2.0", SPDX_WITH_GPL_2_0_OR_LATER, "tt", 0, 3},
    {"GPL-2.0-only AND Apache-2.0", SPDX_WITH_GPL_2_0_OR_LATER, "tt", 1, 2},
};

START_TEST(the_verdict_tells_which_branch_and_which_part)
{
    const struct spdx *e = rig_must_parse(explained[_i].text);
    char parts[16] = "";
    struct spdx_verdict v;

    spdx_judge(e, explained[_i].target, &v);
    for (size_t i = 0; i < v.n_terms; i++) {
        parts[i] = v.parts[i] == SPDX_TAKEN ? 't' : '-';
    }
    ck_assert_str_eq(parts, explained[_i].parts);
    ck_assert_uint_eq(v.decisive, explained[_i].decisive);
    ck_assert_int_eq(v.version, explained[_i].version);
    check_explained(e, &v);
}
END_TEST

START_TEST(a_plus_tells_what_it_was_taken_as)
{
    struct spdx_reason r;

    spdx_reason(rig_must_parse("Apache-1.1+"), 0, 3, &r);
    ck_assert_str_eq(r.taken_as, "Apache-2.0");
    ck_assert_str_eq(r.source, "https://www.gnu.org/licenses/license-list.html#apache2");
    spdx_reason(rig_expression(), 0, 2, &r);
    ck_assert_ptr_null(r.taken_as);
    spdx_reason(rig_must_parse("MPL-2.0+"), 0, 2, &r);
    ck_assert_ptr_null(r.taken_as);
}
END_TEST

START_TEST(the_line_for_logs_names_part_and_source)
{
    const struct spdx *e = rig_must_parse("MIT AND Apache-2.0");
    struct spdx_verdict v;
    char out[600];

    spdx_judge(e, SPDX_WITH_GPL_2_0_ONLY, &v);
    ck_assert_str_eq(spdx_verdict_text(&v, e, out, sizeof out),
                     "incompatible with GPL-2.0-only: Apache-2.0: its patent termination and "
                     "indemnification are further restrictions to version 2; version 3 allows for "
                     "them <https://www.gnu.org/licenses/license-list.html#apache2>");
    ck_assert_str_eq(spdx_verdict_text(&v, e, out, 40), "incompatible with GPL-2.0-only: Apac...");
    ck_assert_uint_eq(strlen(out), 39);
    spdx_judge(e, SPDX_WITH_GPL_2_0_OR_LATER, &v);
    ck_assert_ptr_nonnull(strstr(spdx_verdict_text(&v, e, out, sizeof out),
                                 "compatible with GPL-2.0-or-later (version 3): MIT and 1 more: "));
    for (size_t size = 1; size < 64; size++) {
        memset(out, '#', sizeof out);
        spdx_verdict_text(&v, e, out, size);
        ck_assert_uint_lt(strlen(out), size);
        ck_assert_int_eq(out[size], '#');
    }
}
END_TEST

START_TEST(what_was_refused_is_unknown)
{
    struct spdx_error why;
    struct spdx_verdict v;
    char out[200];

    ck_assert_int_eq(rig_parse("MIT AND ISC OR (", 16, SPDX_LISTED, &why), SPDX_EXPECTED_LICENCE);
    for (int t = 0; t < SPDX_TARGETS; t++) {
        spdx_judge(rig_expression(), (enum spdx_target)t, &v);
        ck_assert_int_eq(v.compat, SPDX_UNKNOWN);
        ck_assert_uint_eq(v.n_terms, 0);
        spdx_verdict_text(&v, rig_expression(), out, sizeof out);
        ck_assert_ptr_eq(strstr(out, "unknown with GPL-"), out);
    }
    ck_assert_uint_eq(spdx_canonical(rig_expression(), out, sizeof out), 0);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(targets_have_names)
{
    for (int t = 0; t < SPDX_TARGETS; t++) {
        ck_assert_int_eq(spdx_target_find(spdx_target_name((enum spdx_target)t)), t);
    }
    ck_assert_int_eq(spdx_target_find("gpl-2.0-ONLY"), SPDX_WITH_GPL_2_0_ONLY);
    ck_assert_int_eq(spdx_target_find("GPL-3.0-only"), -1);
    ck_assert_int_eq(spdx_target_find("GPL-2.0"), -1);
    ck_assert_int_eq(spdx_target_find("MIT"), -1);
    ck_assert_int_eq(spdx_target_find(""), -1);
    ck_assert_int_eq(spdx_target_find("nonsense"), -1);
}
END_TEST

/* ---- what must hold of all ---- */

START_TEST(every_answer_has_a_source)
{
    size_t answered = 0;

    for (int i = 0; i < (int)spdx_list_licences(); i++) {
        const struct spdx_licence *l = spdx_licence_at(i);

        ck_assert_msg(l->why[0] != '\0', "%s", l->id);
        if (l->with_gpl[0] != SPDX_UNKNOWN || l->with_gpl[1] != SPDX_UNKNOWN) {
            ck_assert_msg(strncmp(l->source, "https://", 8) == 0, "%s", l->id);
            answered++;
        }
        /* a deprecated one is judged by what replaces it, never by itself */
        if (l->deprecated) {
            ck_assert_msg(l->with_gpl[0] == SPDX_UNKNOWN && l->with_gpl[1] == SPDX_UNKNOWN, "%s",
                          l->id);
        }
    }
    ck_assert_uint_gt(answered, 300);
}
END_TEST

START_TEST(every_later_version_ends)
{
    for (int i = 0; i < (int)spdx_list_licences(); i++) {
        int steps = 0;

        for (int k = i; k >= 0; k = spdx_licence_at(k)->later) {
            ck_assert_msg(++steps < 20, "%s", spdx_licence_at(i)->id);
            ck_assert_msg(k == i || !spdx_licence_at(k)->deprecated, "%s", spdx_licence_at(i)->id);
        }
    }
}
END_TEST

/* "+", a permission, a second branch: none makes anything worse. */
START_TEST(more_choice_is_never_worse)
{
    static const char *const more[] = {"+", " OR MIT", " OR CDDL-1.0",
                                       " WITH Autoconf-exception-2.0"};
    char text[160];

    for (int i = 0; i < (int)spdx_list_licences(); i++) {
        const struct spdx_licence *l = spdx_licence_at(i);

        for (size_t k = 0; k < 4; k++) {
            /* "only" with "+", or a second exception, is another question. */
            const bool contrary =
                (k == 0 && l->or_later >= 0 && !l->deprecated) || (k == 3 && l->becomes_with >= 0);

            snprintf(text, sizeof text, "%s%s", l->id, more[k]);
            for (int t = 0; t < SPDX_TARGETS && !contrary; t++) {
                ck_assert_msg(rig_judge(text, (enum spdx_target)t) >=
                                  rig_judge(l->id, (enum spdx_target)t),
                              "%s", text);
            }
        }
    }
}
END_TEST

static const char *const different[] = {
    "MIT",         "GPL-2.0-only", "GPL-3.0-only", "GPL-2.0-or-later",
    "Apache-2.0",  "CDDL-1.0",     "LicenseRef-x", "GPL-2.0-only WITH Classpath-exception-2.0",
    "NOASSERTION", "EUPL-1.1",     "OFL-1.1",      "Apache-2.0 WITH LLVM-exception",
};

#define DIFFERENT (sizeof different / sizeof *different)

/* Order and parentheses change nothing; AND and OR are the worst and the best for one version. */
START_TEST(pairs_are_judged_by_their_parts)
{
    static const enum spdx_target single[] = {SPDX_WITH_GPL_2_0_ONLY, SPDX_WITH_GPL_3_0_OR_LATER};
    char text[200];

    for (size_t i = 0; i < DIFFERENT * DIFFERENT * 2; i++) {
        const char *a = different[i / 2 % DIFFERENT];
        const char *b = different[i / 2 / DIFFERENT];
        const enum spdx_compat ca = rig_judge(a, single[i % 2]);
        const enum spdx_compat cb = rig_judge(b, single[i % 2]);

        snprintf(text, sizeof text, "%s AND %s", a, b);
        ck_assert_int_eq(rig_judge(text, single[i % 2]), ca < cb ? ca : cb);
        if (strcmp(a, "NOASSERTION") != 0 && strcmp(b, "NOASSERTION") != 0) {
            snprintf(text, sizeof text, "(%s) OR (%s)", a, b);
            ck_assert_int_eq(rig_judge(text, single[i % 2]), ca > cb ? ca : cb);
        }
    }
}
END_TEST

/* With "or later", a pair is as good as with the better of the two versions, never better. */
START_TEST(parts_agree_on_one_version)
{
    char text[200];

    for (size_t i = 0; i < DIFFERENT * DIFFERENT; i++) {
        enum spdx_compat two, three, either;

        snprintf(text, sizeof text, "%s AND %s", different[i % DIFFERENT],
                 different[i / DIFFERENT]);
        two = rig_judge(text, SPDX_WITH_GPL_2_0_ONLY);
        three = rig_judge(text, SPDX_WITH_GPL_3_0_OR_LATER);
        either = rig_judge(text, SPDX_WITH_GPL_2_0_OR_LATER);
        ck_assert_int_eq(either, two > three ? two : three);
    }
}
END_TEST

/* A list that no peer's claim can make expensive: as many branches as fit are judged in no time. */
START_TEST(the_widest_expression_is_judged)
{
    static char text[LIMIT_SPDX_TEXT];
    size_t n = 0;

    for (size_t i = 0; i < LIMIT_SPDX_TERMS / 2; i++) {
        n += (size_t)sprintf(text + n, "%s(MIT OR CDDL-1.0)", i > 0 ? " AND " : "");
    }
    ck_assert_int_eq(rig_judge(text, SPDX_WITH_GPL_2_0_ONLY), SPDX_COMPATIBLE);
    ck_assert_uint_eq(rig_expression()->n_terms, LIMIT_SPDX_TERMS);
    ck_assert_str_eq(rig_canonical(text), text);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("spdx_judge");
    TCase *t = unit_case(s, "expressions");

    expressions = rig_rows("spdx_expressions.tsv", &n_expressions);
    tcase_add_loop_test(t, each_expression_is_judged_as_the_table_says, 0, (int)n_expressions);
    tcase_add_test(t, the_table_is_as_long_as_it_was_promised);
    t = unit_case(s, "explanation");
    tcase_add_loop_test(t, the_verdict_tells_which_branch_and_which_part, 0,
                        sizeof explained / sizeof *explained);
    tcase_add_test(t, a_plus_tells_what_it_was_taken_as);
    tcase_add_test(t, the_line_for_logs_names_part_and_source);
    tcase_add_test(t, what_was_refused_is_unknown);
    tcase_add_test(t, targets_have_names);
    t = unit_case(s, "rules");
    tcase_add_test(t, every_answer_has_a_source);
    tcase_add_test(t, every_later_version_ends);
    tcase_add_test(t, more_choice_is_never_worse);
    tcase_add_test(t, pairs_are_judged_by_their_parts);
    tcase_add_test(t, parts_agree_on_one_version);
    tcase_add_test(t, the_widest_expression_is_judged);
    return unit_run(s);
}
