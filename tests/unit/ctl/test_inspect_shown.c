/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What poemctl inspect shows of a file whose evidence is given. */
#define _POSIX_C_SOURCE 200809L
#include "ctl/policy/inspect.h"

#include <stdlib.h>
#include <string.h>

#include "policy/evidence/evidence_place.h"
#include "tests/support/unit.h"

static struct inspect shown;

/* A file that could be read, with no path, no evidence, and nothing that was not found. */
static void begin(void)
{
    memset(&shown, 0, sizeof shown);
    shown.what = "device";
    peer_init_unknown(&shown.peer, "given here");
    evidence_init(&shown.inspection.evidence);
}

static void add_packaged(const char *licence)
{
    evidence_add(&shown.inspection.evidence, EVIDENCE_PACKAGED, EVIDENCE_FROM_DPKG, licence,
                 "device 1.0-1", "/usr/share/doc/device/copyright");
}

static void add_files(enum evidence_place place, uint32_t line, const char *files,
                      const char *licence)
{
    struct evidence_files f = {.place = place, .line = line};

    snprintf(f.files, sizeof f.files, "%s", files);
    snprintf(f.licence, sizeof f.licence, "%s", licence);
    evidence_add_files(&shown.inspection.evidence, &f);
}

/* The text must have these lines, one behind the other. */
static void must_show(const char *lines)
{
    char *text = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);

    ck_assert_ptr_nonnull(to);
    inspect_text(&shown, to);
    ck_assert_int_eq(fclose(to), 0);
    ck_assert_msg(strstr(text, lines), "not shown:\n%s\nbut:\n%s", lines, text);
    free(text);
}

static void must_hold(const char *member, const char *want_text)
{
    json_t *const all = inspect_json(&shown);
    json_t *const want = json_loads(want_text, JSON_DECODE_ANY, NULL);

    ck_assert(all && want);
    ck_assert_msg(json_equal(json_object_get(all, member), want), "%s", member);
    json_decref(all);
    json_decref(want);
}

START_TEST(no_evidence_is_said_so)
{
    begin();
    must_show("Licence\n"
              "  none         no evidence\n");
    must_hold("evidence", "[]");
    must_hold("files", "[]");
    must_hold("files_cut", "false");
    must_hold("process", "null");
}
END_TEST

START_TEST(a_packages_licence_with_its_source)
{
    begin();
    add_packaged("GPL-2.0-only");
    must_show("Licence\n"
              "  packaged     GPL-2.0-only\n"
              "               dpkg, device 1.0-1: /usr/share/doc/device/copyright\n");
    must_hold("evidence",
              "[{\"grade\":\"packaged\",\"source\":\"dpkg\",\"licence\":\"GPL-2.0-only\","
              "\"name\":\"device 1.0-1\",\"detail\":\"/usr/share/doc/device/copyright\"}]");
}
END_TEST

START_TEST(files_that_decide_and_files_set_apart)
{
    begin();
    add_packaged("GPL-2.0-only AND Apache-2.0");
    add_files(EVIDENCE_PLACE_SOURCE, 12, "src/log.c", "Apache-2.0");
    add_files(EVIDENCE_PLACE_DOCUMENTATION, 30, "doc/*", "GFDL-1.3-or-later");
    add_files(EVIDENCE_PLACE_TEST, 41, "tests/\033*", "");
    must_show("  source       src/log.c: Apache-2.0 (line 12)\n"
              "  set apart    doc/*: GFDL-1.3-or-later (line 30, documentation: it is read by "
              "people)\n"
              "  set apart    tests/\\x1b*: no licence (line 41, test: tests are built apart from "
              "the program)\n");
    must_hold("files",
              "[{\"files\":\"src/log.c\",\"licence\":\"Apache-2.0\",\"line\":12,\"counts\":true,"
              "\"place\":\"source\",\"why\":\"\"},"
              "{\"files\":\"doc/*\",\"licence\":\"GFDL-1.3-or-later\",\"line\":30,\"counts\":false,"
              "\"place\":\"documentation\",\"why\":\"it is read by people\"},"
              "{\"files\":\"tests/\\\\x1b*\",\"licence\":\"\",\"line\":41,\"counts\":false,"
              "\"place\":\"test\",\"why\":\"tests are built apart from the program\"}]");
    must_hold("files_cut", "false");
}
END_TEST

START_TEST(more_files_than_can_be_shown)
{
    begin();
    for (unsigned i = 0; i < EVIDENCE_FILES; i++) {
        add_files(EVIDENCE_PLACE_SOURCE, i, "a.c", "MIT");
    }
    must_hold("files_cut", "false");
    add_files(EVIDENCE_PLACE_SOURCE, EVIDENCE_FILES, "b.c", "MIT");
    must_show("  source       a.c: MIT (line 23)\n"
              "               more files than can be shown\n");
    must_hold("files_cut", "true");
}
END_TEST

#define TIMES_8(text) text text text text text text text text
#define KEY TIMES_8("1a1a1a1a")
#define ENVELOPE TIMES_8("2b2b2b2b")

START_TEST(a_signature_with_its_key_and_days)
{
    struct evidence_signature *const s = &shown.inspection.evidence.items[0].signature;

    begin();
    evidence_add(&shown.inspection.evidence, EVIDENCE_SIGNED, EVIDENCE_FROM_ENVELOPE, "MIT",
                 "maker.pub", "device.json");
    memset(s->key, 0x1a, sizeof s->key);
    memset(s->envelope, 0x2b, sizeof s->envelope);
    s->expires = 20300101;
    must_show("               key      " KEY "\n"
              "               envelope " ENVELOPE "\n"
              "               expires after 2030-01-01\n");
    must_hold("evidence",
              "[{\"grade\":\"signed\",\"source\":\"envelope\",\"licence\":\"MIT\","
              "\"name\":\"maker.pub\",\"detail\":\"device.json\",\"key\":\"" KEY
              "\",\"envelope\":\"" ENVELOPE "\",\"issued\":null,\"expires\":\"2030-01-01\"}]");
}
END_TEST

START_TEST(a_source_that_could_not_be_read_has_its_reason)
{
    begin();
    evidence_add_unknown(&shown.inspection.evidence, EVIDENCE_FROM_DPKG, 0, "no copyright file");
    must_show("  unknown      dpkg: no copyright file\n");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("inspect_shown");
    TCase *tc = unit_case(s, "inspect_shown");

    tcase_add_test(tc, no_evidence_is_said_so);
    tcase_add_test(tc, a_packages_licence_with_its_source);
    tcase_add_test(tc, files_that_decide_and_files_set_apart);
    tcase_add_test(tc, more_files_than_can_be_shown);
    tcase_add_test(tc, a_signature_with_its_key_and_days);
    tcase_add_test(tc, a_source_that_could_not_be_read_has_its_reason);
    return unit_run(s);
}
