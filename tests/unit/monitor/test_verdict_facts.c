/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What is kept of a verdict's record. */
#include "proxy/monitor/verdict_facts.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"

/* A record with this evidence, shortened, as an object of its own. */
static json_t *shortened(const char *evidence)
{
    json_t *record =
        json_pack("{s:i,s:s,s:s,s:{s:i,s:s},s:s,s:b,s:{s:i},s:{s:i}}", "session", 7, "route", "r",
                  "verdict", "allow-tainted", "rule", "line", 3, "why", "because", "taint", "O",
                  "permissive", 0, "client", "pid", 1, "backend", "pid", 2);
    json_t *facts;
    char *text;

    ck_assert_ptr_nonnull(record);
    ck_assert_int_eq(json_object_set_new(record, "evidence", json_loads(evidence, 0, NULL)), 0);
    text = verdict_facts_text(record);
    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_null(strchr(text, '\n'));
    facts = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(facts);
    free(text);
    json_decref(record);
    return facts;
}

START_TEST(what_sessions_shows)
{
    json_t *facts = shortened("[]");
    json_t *want = json_loads("{\"verdict\":\"allow-tainted\",\"rule\":{\"line\":3,\"why\":"
                              "\"because\"},\"permissive\":false,\"client\":{\"pid\":1},"
                              "\"backend\":{\"pid\":2},\"licences\":[]}",
                              0, NULL);

    ck_assert(json_equal(facts, want));
    json_decref(facts);
    json_decref(want);
}
END_TEST

#define ITEM(of, grade, licence) \
    "{\"of\":\"" of "\",\"grade\":\"" grade "\",\"source\":\"dpkg\",\"licence\":\"" licence \
    "\",\"name\":\"n\",\"detail\":\"d\"}"
#define KEPT(of, grade, licence) \
    "{\"of\":\"" of "\",\"grade\":\"" grade "\",\"source\":\"dpkg\",\"licence\":\"" licence "\"}"

/* Of each party by itself; several of one grade all hold. */
static const struct {
    const char *evidence;
    const char *kept;
} grades[] = {
    {"[" ITEM("client", "declared", "MIT") "]", "[" KEPT("client", "declared", "MIT") "]"},
    {"[" ITEM("client", "declared", "MIT") "," ITEM("client", "packaged", "GPL-2.0-only") "]",
     "[" KEPT("client", "packaged", "GPL-2.0-only") "]"},
    {"[" ITEM("client", "signed", "A") "," ITEM("backend", "recited", "B") "," ITEM(
         "client", "packaged", "C") "," ITEM("backend", "recited", "D") "]",
     "[" KEPT("client", "signed", "A") "," KEPT("backend", "recited",
                                                "B") "," KEPT("backend", "recited", "D") "]"},
    {"[" ITEM("backend", "assigned", "A") "," ITEM("backend", "signed", "B") "]",
     "[" KEPT("backend", "assigned", "A") "]"},
};

START_TEST(the_highest_grade_of_each_party)
{
    json_t *facts = shortened(grades[_i].evidence);
    json_t *want = json_loads(grades[_i].kept, 0, NULL);

    ck_assert(json_equal(json_object_get(facts, "licences"), want));
    json_decref(facts);
    json_decref(want);
}
END_TEST

START_TEST(no_record_no_facts)
{
    ck_assert_ptr_null(verdict_facts_text(NULL));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("facts");
    TCase *tc = unit_case(s, "facts");

    tcase_add_test(tc, what_sessions_shows);
    tcase_add_loop_test(tc, the_highest_grade_of_each_party, 0,
                        (int)(sizeof grades / sizeof *grades));
    tcase_add_test(tc, no_record_no_facts);
    return unit_run(s);
}
