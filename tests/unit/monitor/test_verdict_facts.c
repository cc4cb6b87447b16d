/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What is kept of a verdict. */
#include "proxy/config/config.h"
#include "proxy/monitor/facts/verdict_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "policy/evidence/evidence_place.h"
#include "proxy/monitor/facts/facts_pack.h"
#include "tests/support/unit.h"

static const struct config config; /* without included files */
static struct rules rules;
static struct peer peer;
static struct inspection inspections[SIDES];
static struct rules_known known[SIDES];

/* Two parties of whom nothing is known, and no rules. */
static void know_nothing(void)
{
    rules = (struct rules){.n_allow = 0};
    memset(inspections, 0, sizeof inspections);
    peer_init_unknown(&peer, "nothing asks for it");
    for (int i = 0; i < SIDES; i++) {
        known[i] = (struct rules_known){.peer = &peer,
                                        .inspection = &inspections[i],
                                        .recital = RECITAL_MISSING,
                                        .recited = "",
                                        .declared = ""};
    }
}

#define FILES (LIMIT_CODE_RECORDED + 3)

/* A backend with code of that many files, of which only the last two have no evidence. */
static struct rules_mapped *map_files(size_t n)
{
    static struct peer_code_item items[FILES];
    static char paths[FILES][32];
    static struct inspection packaged;
    static struct inspection unknown;
    static const struct inspection *found[FILES];
    static struct peer_code list;
    static struct rules_mapped mapped = {.list = &list, .found = found};

    ck_assert_uint_le(n, FILES);
    packaged.outcome = unknown.outcome = INSPECTION_OK;
    evidence_init(&packaged.evidence);
    evidence_set_package(&packaged.evidence, "lib 1");
    list = (struct peer_code){.n = n, .items = items};
    for (size_t i = 0; i < n; i++) {
        snprintf(paths[i], sizeof paths[i], "/lib/%zu.so", i);
        items[i] = (struct peer_code_item){
            .kind = PEER_CODE_FILE, .end = 4096, .mappings = 1, .path = paths[i]};
        found[i] = i + 2 < n ? &packaged : &unknown;
    }
    return &mapped;
}

static void know_of_file(enum side party, enum evidence_grade grade, const char *licence)
{
    struct evidence *const e = &inspections[party].evidence;
    struct evidence_item *const it = &e->items[e->n++];

    it->grade = grade;
    it->source = grade == EVIDENCE_SIGNED ? EVIDENCE_FROM_ENVELOPE : EVIDENCE_FROM_DPKG;
    snprintf(it->licence, sizeof it->licence, "%s", licence);
}

/* What is kept, as an object of its own. */
static json_t *kept(void)
{
    struct verdict_facts f;
    json_t *facts;
    char *text;

    verdict_facts_init(&f, &config, &rules, known, 20260101);
    ck_assert(verdict_facts_describe(&f));
    text = verdict_facts_text(&f);
    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_null(strchr(text, '\n'));
    facts = facts_unpack(text);
    ck_assert_ptr_nonnull(facts);
    free(text);
    verdict_facts_deinit(&f);
    return facts;
}

static void expect_licences(const char *want_text)
{
    json_t *facts = kept();
    json_t *want = json_loads(want_text, 0, NULL);

    ck_assert_ptr_nonnull(want);
    ck_assert(json_equal(json_object_get(facts, "licences"), want));
    json_decref(facts);
    json_decref(want);
}

#define KEPT(of, grade, source, licence) \
    "{\"of\":\"" of "\",\"grade\":\"" grade "\",\"source\":\"" source "\",\"licence\":\"" licence \
    "\"}"

START_TEST(what_sessions_shows)
{
    static const char *const members[] = {"verdict", "rule", "permissive", "client", "backend"};
    json_t *facts;

    know_nothing();
    facts = kept();
    ck_assert_uint_eq(json_object_size(facts), sizeof members / sizeof *members + 1);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        ck_assert_ptr_nonnull(json_object_get(facts, members[i]));
    }
    ck_assert_uint_eq(json_array_size(json_object_get(facts, "licences")), 0);
    json_decref(facts);
}
END_TEST

/* A relaying session must be small: 1,200 bytes of usual facts take less than a third. */
START_TEST(usual_facts_are_small)
{
    static const char text[] =
        "{\"verdict\":\"allow\",\"rule\":{\"line\":12,\"of\":\"backend\",\"why\":\"licence of "
        "backend: GPL-2.0-or-later, packaged "
        "(dpkg)\"},\"permissive\":false,\"client\":{\"unknown\":"
        "{\"label\":\"unknown: no security module labels sockets here (Protocol not available)\"},"
        "\"pid\":40492,\"pid-namespace\":\"ours\",\"start\":5621305,\"uid\":64055,\"gid\":64055,"
        "\"groups\":[107,64055],\"unit\":\"machine-qemu-12.scope\",\"exe\":{\"path\":"
        "\"/usr/bin/qemu-system-x86_64\",\"deleted\":false,\"file\":{\"major\":254,\"minor\":0,"
        "\"inode\":18624,\"size\":17175840},\"sha256\":"
        "\"f1ee188b790e43cac8701a497db3c780abc4557ec9c5f55b0d11a49de3958347\"},\"recital\":"
        "\"no recital\"},\"backend\":{\"unknown\":{\"label\":\"unknown: no security module labels "
        "sockets here (Protocol not available)\"},\"pid\":34049,\"pid-namespace\":\"ours\","
        "\"start\":5621905,\"uid\":990,\"gid\":990,\"groups\":[990],\"unit\":"
        "\"nvme-device@3.service\",\"exe\":{\"path\":\"/opt/acme/nvme-device\",\"deleted\":false,"
        "\"file\":{\"major\":254,\"minor\":0,\"inode\":118624,\"size\":1175848},\"sha256\":"
        "\"0a9e188b790e43cac8701a497db3c780abc4557ec9c5f55b0d11a49de3958399\"},\"recital\":"
        "\"no "
        "recital\"},\"licences\":[{\"of\":\"client\",\"grade\":\"packaged\",\"source\":\"dpkg\","
        "\"licence\":\"GPL-2.0-only\"},{\"of\":\"backend\",\"grade\":\"packaged\",\"source\":"
        "\"dpkg\","
        "\"licence\":\"GPL-2.0-or-later\"}]}";
    json_t *facts = json_loads(text, 0, NULL);
    char *packed = facts_pack(facts);
    json_t *again = facts_unpack(packed);

    ck_assert_uint_lt(strlen(packed), sizeof text / 3);
    ck_assert(json_equal(facts, again));
    json_decref(again);
    /* Each altered character is noticed. */
    for (char *p = packed; *p; p++) {
        const char was = *p;

        *p = was == 'A' ? 'B' : 'A';
        ck_assert_ptr_null(facts_unpack(packed));
        *p = was;
    }
    ck_assert_ptr_null(facts_unpack(""));
    ck_assert_ptr_null(facts_unpack(NULL));
    ck_assert_ptr_null(facts_unpack(text));
    ck_assert_ptr_null(facts_pack(NULL));
    free(packed);
    json_decref(facts);
}
END_TEST

START_TEST(the_highest_grade_of_a_party)
{
    know_nothing();
    known[SIDE_CLIENT].declared = "MIT";
    expect_licences("[" KEPT("client", "declared", "declaration", "MIT") "]");
    know_of_file(SIDE_CLIENT, EVIDENCE_PACKAGED, "GPL-2.0-only");
    expect_licences("[" KEPT("client", "packaged", "dpkg", "GPL-2.0-only") "]");
}
END_TEST

/* What it declares is held against it beside what it recites. */
START_TEST(a_partys_own_statements_hold_together)
{
    know_nothing();
    known[SIDE_BACKEND].declared = "CDDL-1.0";
    known[SIDE_BACKEND].recital = RECITAL_OK;
    known[SIDE_BACKEND].recited = "GPL-2.0-only";
    expect_licences("[" KEPT("backend", "declared", "declaration", "CDDL-1.0") "," KEPT(
        "backend", "recited", "recital", "GPL-2.0-only") "]");
    know_of_file(SIDE_BACKEND, EVIDENCE_PACKAGED, "MIT");
    expect_licences("[" KEPT("backend", "packaged", "dpkg", "MIT") "]");
}
END_TEST

START_TEST(several_of_one_grade_all_hold)
{
    know_nothing();
    know_of_file(SIDE_CLIENT, EVIDENCE_SIGNED, "MIT");
    know_of_file(SIDE_CLIENT, EVIDENCE_PACKAGED, "ISC");
    know_of_file(SIDE_BACKEND, EVIDENCE_PACKAGED, "MIT");
    know_of_file(SIDE_BACKEND, EVIDENCE_PACKAGED, "ISC");
    expect_licences("[" KEPT("client", "signed", "envelope", "MIT") "," KEPT(
        "backend", "packaged", "dpkg", "MIT") "," KEPT("backend", "packaged", "dpkg", "ISC") "]");
}
END_TEST

/* What is recorded of a signed licence, whose statement expires after that day. */
static void expect_signed(uint32_t expires, const char *want_evidence, const char *want_unknown)
{
    struct evidence_signature *const s = &inspections[SIDE_BACKEND].evidence.items[0].signature;
    struct verdict_facts f;
    const json_t *unknown;
    json_t *want = json_loads(want_evidence, 0, NULL);

    know_nothing();
    know_of_file(SIDE_BACKEND, EVIDENCE_SIGNED, "MIT");
    memset(s->key, 0x1a, sizeof s->key);
    memset(s->envelope, 0x2b, sizeof s->envelope);
    s->issued = 20251201;
    s->expires = expires;
    verdict_facts_init(&f, &config, &rules, known, 20260101);
    ck_assert(verdict_facts_describe(&f) && want);
    ck_assert(json_equal(f.evidence, want));
    unknown = json_object_get(json_object_get(f.parties[SIDE_BACKEND].json, "unknown"), "envelope");
    ck_assert_pstr_eq(json_string_value(unknown), want_unknown);
    verdict_facts_deinit(&f);
    json_decref(want);
}

static const char *member(const json_t *list, size_t i, const char *name)
{
    return json_string_value(json_object_get(json_array_get(list, i), name));
}

/* As many files as are recorded, one less and some more; those without evidence come first. */
START_TEST(mapped_code_is_recorded_up_to_a_limit)
{
    const size_t n = LIMIT_CODE_RECORDED + (size_t)_i;
    const size_t recorded = n < LIMIT_CODE_RECORDED ? n : LIMIT_CODE_RECORDED;
    char last[32];
    struct verdict_facts f;
    const json_t *code;
    const json_t *list;

    know_nothing();
    known[SIDE_BACKEND].mapped = map_files(n);
    verdict_facts_init(&f, &config, &rules, known, 20260101);
    ck_assert(verdict_facts_describe(&f));
    ck_assert_ptr_null(json_object_get(f.code, "client"));
    code = json_object_get(f.code, "backend");
    list = json_object_get(code, "mapped");
    ck_assert_int_eq(json_integer_value(json_object_get(code, "count")), (json_int_t)n);
    ck_assert_uint_eq(json_array_size(list), recorded);
    for (size_t i = 0; i < recorded; i++) {
        ck_assert_str_eq(member(list, i, "grade"), i < 2 ? "none" : "packaged");
        ck_assert_pstr_eq(member(list, i, "name"), i < 2 ? NULL : "lib 1");
    }
    snprintf(last, sizeof last, "/lib/%zu.so", n - 1);
    ck_assert_str_eq(member(list, 1, "path"), last);
    ck_assert_str_eq(member(list, 2, "path"), "/lib/0.so");
    verdict_facts_deinit(&f);
}
END_TEST

#define TIMES_8(text) text text text text text text text text
#define SIGNED \
    "\"of\":\"backend\",\"grade\":\"signed\",\"source\":\"envelope\",\"licence\":\"MIT\"," \
    "\"name\":\"\",\"detail\":\"\",\"counts\":true,\"key\":\"" TIMES_8( \
        "1a1a1a1a") "\",\"envelope\":\"" TIMES_8("2b2b2b2b") "\",\"issued\":\"2025-12-01\""

START_TEST(a_signed_licence_names_its_key_and_envelope)
{
    expect_signed(0, "[{" SIGNED "}]", NULL);
    expect_signed(20260101, "[{" SIGNED ",\"expires\":\"2026-01-01\"}]", NULL);
    expect_signed(20251231, "[]", ": its statement expired after 2025-12-31");
}
END_TEST

static void add_files(enum evidence_place place, const char *files, const char *licence)
{
    struct evidence_files f = {.place = place, .line = 7};

    snprintf(f.files, sizeof f.files, "%s", files);
    snprintf(f.licence, sizeof f.licence, "%s", licence);
    evidence_add_files(&inspections[SIDE_BACKEND].evidence, &f);
}

/* The last item of the evidence in the record. The caller releases it. */
static json_t *last_item(void)
{
    struct verdict_facts f;
    json_t *item;

    verdict_facts_init(&f, &config, &rules, known, 20260101);
    ck_assert(verdict_facts_describe(&f));
    item = json_array_get(f.evidence, json_array_size(f.evidence) - 1);
    ck_assert_ptr_nonnull(item);
    json_incref(item);
    verdict_facts_deinit(&f);
    return item;
}

static void expect_files(const char *want_text)
{
    json_t *const item = last_item();
    json_t *const want = json_loads(want_text, JSON_DECODE_ANY, NULL);

    ck_assert(json_equal(json_object_get(item, "files"), want));
    json_decref(item);
    json_decref(want);
}

static void expect_no_files(void)
{
    json_t *const item = last_item();

    ck_assert_ptr_null(json_object_get(item, "files"));
    ck_assert_ptr_null(json_object_get(item, "files_cut"));
    json_decref(item);
}

static void expect_count(size_t n, bool cut)
{
    json_t *const item = last_item();

    ck_assert_uint_eq(json_array_size(json_object_get(item, "files")), n);
    ck_assert_int_eq(json_is_true(json_object_get(item, "files_cut")), cut);
    json_decref(item);
}

#define KEPT_FILES(files, licence, place) \
    "{\"files\":\"" files "\",\"licence\":\"" licence "\",\"place\":\"" place "\"}"

START_TEST(a_packages_files_are_recorded_beside_its_licence)
{
    know_nothing();
    know_of_file(SIDE_BACKEND, EVIDENCE_SIGNED, "MIT");
    know_of_file(SIDE_BACKEND, EVIDENCE_PACKAGED, "GPL-2.0-only AND Apache-2.0");
    expect_no_files();
    add_files(EVIDENCE_PLACE_SOURCE, "src/log.c", "Apache-2.0");
    add_files(EVIDENCE_PLACE_DOCUMENTATION, "doc/*", "GFDL-1.3-or-later");
    add_files(EVIDENCE_PLACE_PACKAGING, "debian/*", "");
    expect_files("[" KEPT_FILES("src/log.c", "Apache-2.0", "source") "," KEPT_FILES(
        "doc/*", "GFDL-1.3-or-later", "documentation") "," KEPT_FILES("debian/*", "",
                                                                      "packaging") "]");
}
END_TEST

START_TEST(files_are_recorded_of_packages_alone)
{
    know_nothing();
    know_of_file(SIDE_BACKEND, EVIDENCE_SIGNED, "MIT");
    add_files(EVIDENCE_PLACE_SOURCE, "src/log.c", "Apache-2.0");
    expect_no_files();
}
END_TEST

START_TEST(more_files_than_a_record_has_are_named_as_cut)
{
    know_nothing();
    know_of_file(SIDE_BACKEND, EVIDENCE_PACKAGED, "MIT");
    for (unsigned i = 0; i < EVIDENCE_FILES; i++) {
        add_files(EVIDENCE_PLACE_SOURCE, "a.c", "ISC");
    }
    expect_count(EVIDENCE_FILES, false);
    add_files(EVIDENCE_PLACE_SOURCE, "b.c", "ISC");
    expect_count(EVIDENCE_FILES, true);
}
END_TEST

START_TEST(the_operators_word_is_the_highest)
{
    static const struct rules_assign assign = {
        .party = SIDE_BACKEND, .licence = "ISC", .fact = RULES_FACTS, .text = ""};

    know_nothing();
    know_of_file(SIDE_BACKEND, EVIDENCE_SIGNED, "MIT");
    rules.n_assign = 1;
    rules.assign = &assign;
    expect_licences("[" KEPT("backend", "assigned", "operator", "ISC") "]");
}
END_TEST

/* An interpreter's package is recorded, and says nothing of what it runs. */
START_TEST(the_package_of_an_interpreter_does_not_count)
{
    struct verdict_facts f;

    know_nothing();
    peer.unknown[PEER_PID].why = NULL;
    peer.unknown[PEER_EXE_PATH].why = NULL;
    snprintf(peer.exe.path, sizeof peer.exe.path, "/usr/bin/python3.11");
    know_of_file(SIDE_BACKEND, EVIDENCE_PACKAGED, "PSF-2.0");
    known[SIDE_BACKEND].declared = "MIT";
    expect_licences("[" KEPT("backend", "declared", "declaration", "MIT") "]");

    verdict_facts_init(&f, &config, &rules, known, 20260101);
    ck_assert(verdict_facts_describe(&f));
    ck_assert_uint_eq(json_array_size(f.evidence), 2);
    ck_assert(json_is_true(json_object_get(json_array_get(f.evidence, 0), "counts")));
    ck_assert(json_is_false(json_object_get(json_array_get(f.evidence, 1), "counts")));
    verdict_facts_deinit(&f);
}
END_TEST

START_TEST(incomplete_evidence_is_recorded_as_such)
{
    struct verdict_facts f;

    know_nothing();
    know_of_file(SIDE_CLIENT, EVIDENCE_PACKAGED, "MIT");
    evidence_add_unknown(&inspections[SIDE_CLIENT].evidence, EVIDENCE_FROM_DPKG, 0, "a part");
    verdict_facts_init(&f, &config, &rules, known, 20260101);
    ck_assert(verdict_facts_describe(&f));
    ck_assert_str_eq(json_string_value(json_object_get(f.parties[SIDE_CLIENT].json, "incomplete")),
                     "a part");
    ck_assert_ptr_null(json_object_get(f.parties[SIDE_BACKEND].json, "incomplete"));
    verdict_facts_deinit(&f);
}
END_TEST

START_TEST(what_is_not_described_is_not_kept)
{
    struct verdict_facts f;

    know_nothing();
    verdict_facts_init(&f, &config, &rules, known, 20260101);
    ck_assert_ptr_null(verdict_facts_text(&f));
    verdict_facts_deinit(&f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("facts");
    TCase *tc = unit_case(s, "facts");

    tcase_add_test(tc, what_sessions_shows);
    tcase_add_test(tc, usual_facts_are_small);
    tcase_add_test(tc, the_highest_grade_of_a_party);
    tcase_add_test(tc, a_partys_own_statements_hold_together);
    tcase_add_test(tc, several_of_one_grade_all_hold);
    tcase_add_loop_test(tc, mapped_code_is_recorded_up_to_a_limit, -1, 4);
    tcase_add_test(tc, a_signed_licence_names_its_key_and_envelope);
    tcase_add_test(tc, a_packages_files_are_recorded_beside_its_licence);
    tcase_add_test(tc, files_are_recorded_of_packages_alone);
    tcase_add_test(tc, more_files_than_a_record_has_are_named_as_cut);
    tcase_add_test(tc, the_operators_word_is_the_highest);
    tcase_add_test(tc, the_package_of_an_interpreter_does_not_count);
    tcase_add_test(tc, incomplete_evidence_is_recorded_as_such);
    tcase_add_test(tc, what_is_not_described_is_not_kept);
    return unit_run(s);
}
