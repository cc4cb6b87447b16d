/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Evidence from text, in tables: dpkg's database, the list of evidence. */
#include <stdio.h>
#include <string.h>

#include "policy/evidence/evidence.h"
#include "policy/evidence/debian/evidence_dpkg.h"
#include "tests/support/unit.h"

/* ---- dpkg ---- */

START_TEST(a_path_is_looked_for_as_the_database_may_have_it)
{
    const char *unmerged;

    ck_assert(evidence_dpkg_path("/usr/bin/true", &unmerged));
    ck_assert_str_eq(unmerged, "/bin/true");
    ck_assert(evidence_dpkg_path("/usr/lib/x/y", &unmerged));
    ck_assert_str_eq(unmerged, "/lib/x/y");
    ck_assert(evidence_dpkg_path("/usr/local/bin/x", &unmerged));
    ck_assert_ptr_null(unmerged);
    ck_assert(evidence_dpkg_path("/opt/x", &unmerged));
    ck_assert_ptr_null(unmerged);
    ck_assert(!evidence_dpkg_path("/bin/a\n/bin/b", &unmerged));
    ck_assert(!evidence_dpkg_path("bin/a", &unmerged));
    ck_assert(!evidence_dpkg_path("/", &unmerged));
    ck_assert(!evidence_dpkg_path("", &unmerged));
}
END_TEST

START_TEST(a_lists_name_is_a_packages)
{
    struct evidence_dpkg_name n;

    ck_assert(evidence_dpkg_list_name("coreutils.list", &n));
    ck_assert_str_eq(n.name, "coreutils");
    ck_assert_str_eq(n.arch, "");
    ck_assert(evidence_dpkg_list_name("libc6:amd64.list", &n));
    ck_assert_str_eq(n.name, "libc6");
    ck_assert_str_eq(n.arch, "amd64");
    ck_assert(!evidence_dpkg_list_name("coreutils.md5sums", &n));
    ck_assert(!evidence_dpkg_list_name(".list", &n));
    ck_assert(!evidence_dpkg_list_name("a b.list", &n));
    ck_assert(!evidence_dpkg_list_name("a:.list", &n));
    ck_assert(!evidence_dpkg_list_name("..list", &n));
}
END_TEST

START_TEST(a_list_has_whole_lines)
{
    const char *list = "/.\n/bin\n/bin/true\n/bin/truely";

    ck_assert(evidence_dpkg_lists(list, strlen(list), "/bin/true"));
    ck_assert(evidence_dpkg_lists(list, strlen(list), "/bin/truely"));
    ck_assert(!evidence_dpkg_lists(list, strlen(list), "/bin/tru"));
    ck_assert(!evidence_dpkg_lists(list, strlen(list), "bin/true"));
    ck_assert(!evidence_dpkg_lists(list, strlen(list), "/usr/bin/true"));
    ck_assert(!evidence_dpkg_lists(list, strlen(list) - 1, "/bin/truely"));
    ck_assert(!evidence_dpkg_lists(list, 0, "/bin"));
}
END_TEST

START_TEST(a_digest_is_the_paths_own)
{
    const char *sums = "00000000000000000000000000000001  bin/truely\n"
                       "7a52c94ace40d9c052cf40f3541637c3  bin/true\n"
                       "7a52  bin/short\n"
                       "zz52c94ace40d9c052cf40f3541637c3  bin/odd\n";
    uint8_t md5[EVIDENCE_MD5_SIZE];

    ck_assert(evidence_dpkg_md5(sums, strlen(sums), "/bin/true", md5));
    ck_assert_uint_eq(md5[0], 0x7a);
    ck_assert_uint_eq(md5[15], 0xc3);
    ck_assert(!evidence_dpkg_md5(sums, strlen(sums), "/bin/short", md5));
    ck_assert(!evidence_dpkg_md5(sums, strlen(sums), "/bin/odd", md5));
    ck_assert(!evidence_dpkg_md5(sums, strlen(sums), "/bin/tru", md5));
    ck_assert(!evidence_dpkg_md5(sums, strlen(sums), "/usr/bin/true", md5));
}
END_TEST

START_TEST(a_version_is_the_installed_packages)
{
    const char *status = "Package: a\nStatus: install ok installed\nVersion: 1\n\n"
                         "Package: b\nStatus: deinstall ok config-files\nVersion: 2\n\n"
                         "Package: c\nArchitecture: i386\nStatus: install ok installed\n"
                         "Version: 3\n\nPackage: c\nArchitecture: amd64\n"
                         "Status: install ok installed\nDescription: x\n Version: 9\nVersion: 4\n";
    const struct evidence_dpkg_name a = {.name = "a"};
    const struct evidence_dpkg_name b = {.name = "b"};
    const struct evidence_dpkg_name c = {.name = "c", .arch = "amd64"};
    const struct evidence_dpkg_name d = {.name = "d"};
    char version[EVIDENCE_DPKG_VERSION_SIZE];

    ck_assert(evidence_dpkg_version(status, strlen(status), &a, version));
    ck_assert_str_eq(version, "1");
    ck_assert(!evidence_dpkg_version(status, strlen(status), &b, version));
    ck_assert(evidence_dpkg_version(status, strlen(status), &c, version));
    ck_assert_str_eq(version, "4");
    ck_assert(!evidence_dpkg_version(status, strlen(status), &d, version));
}
END_TEST

/* A status is what is wanted, a flag, and the state (dpkg(1)). */
static const struct {
    const char *status;
    bool installed;
} states[] = {
    {"install ok installed", true},        {"hold ok installed", true},
    {"deinstall ok installed", true},      {"install reinstreq installed", true},
    {"install ok unpacked", true},         {"install ok half-configured", true},
    {"install ok triggers-pending", true}, {"hold ok triggers-awaited", true},
    {"install ok half-installed", false},  {"deinstall ok config-files", false},
    {"purge ok not-installed", false},     {"installed", false},
};

START_TEST(a_package_has_a_version_while_its_files_are_installed)
{
    const struct evidence_dpkg_name a = {.name = "a"};
    char version[EVIDENCE_DPKG_VERSION_SIZE];
    char text[128];

    snprintf(text, sizeof text, "Package: a\nStatus: %s\nVersion: 1-2\n", states[_i].status);
    ck_assert_int_eq(evidence_dpkg_version(text, strlen(text), &a, version), states[_i].installed);
}
END_TEST

START_TEST(a_diverted_file_is_found_under_its_usual_name)
{
    const char *diversions = "/bin/a\n/bin/a.real\n:\n/bin/b\n/bin/b.real\npackage\n/bin/c\n";
    char from[16];

    ck_assert(evidence_dpkg_diverted_from(diversions, strlen(diversions), "/bin/b.real", from,
                                          sizeof from));
    ck_assert_str_eq(from, "/bin/b");
    ck_assert(
        !evidence_dpkg_diverted_from(diversions, strlen(diversions), "/bin/b", from, sizeof from));
    ck_assert(
        !evidence_dpkg_diverted_from(diversions, strlen(diversions), "package", from, sizeof from));
    ck_assert(!evidence_dpkg_diverted_from(diversions, strlen(diversions), "/bin/b.real", from, 6));
}
END_TEST

/* ---- the list of evidence ---- */

START_TEST(grades_have_names_and_an_order)
{
    for (int g = 0; g < EVIDENCE_GRADES; g++) {
        ck_assert_int_eq(evidence_grade_find(evidence_grade_name((enum evidence_grade)g)), g);
    }
    ck_assert_int_eq(evidence_grade_find("perhaps"), -1);
    ck_assert_int_lt(EVIDENCE_DECLARED, EVIDENCE_NOTED);
    ck_assert_int_lt(EVIDENCE_NOTED, EVIDENCE_RECITED);
    ck_assert_int_lt(EVIDENCE_RECITED, EVIDENCE_PACKAGED);
    ck_assert_int_lt(EVIDENCE_PACKAGED, EVIDENCE_SIGNED);
    ck_assert_int_lt(EVIDENCE_SIGNED, EVIDENCE_ASSIGNED);
}
END_TEST

START_TEST(what_cannot_stand_is_unknown)
{
    static struct evidence e;
    char longest[EVIDENCE_LICENCE_SIZE + 1];

    evidence_init(&e);
    memset(longest, 'a', sizeof longest);
    longest[EVIDENCE_LICENCE_SIZE] = '\0';
    evidence_add(&e, EVIDENCE_SIGNED, EVIDENCE_FROM_ENVELOPE, longest, "n", "d");
    evidence_add(&e, EVIDENCE_SIGNED, EVIDENCE_FROM_ENVELOPE, "", "n", "d");
    evidence_add(&e, EVIDENCE_SIGNED, EVIDENCE_FROM_ENVELOPE, "MIT\n", "n", "d");
    ck_assert_uint_eq(e.n, 0);
    ck_assert_uint_eq(e.n_unknown, 3);
    ck_assert_int_eq(evidence_best(&e), EVIDENCE_NONE);
    longest[EVIDENCE_LICENCE_SIZE - 1] = '\0';
    evidence_add(&e, EVIDENCE_PACKAGED, EVIDENCE_FROM_DPKG, longest, "a\nb", "\x1b[31m");
    ck_assert_uint_eq(e.n, 1);
    ck_assert_str_eq(e.items[0].name, "a\\x0ab");
    ck_assert_int_eq(evidence_best(&e), EVIDENCE_PACKAGED);
    ck_assert(!e.cut);
    ck_assert(evidence_sound(&e));
}
END_TEST

START_TEST(what_does_not_fit_is_said)
{
    static struct evidence e;
    static struct evidence both;

    evidence_init(&e);
    for (unsigned i = 0; i < EVIDENCE_ITEMS; i++) {
        evidence_add(&e, EVIDENCE_NOTED, EVIDENCE_FROM_ELF_NOTE, "MIT", "n", "d");
    }
    ck_assert(!e.cut);
    both = e;
    evidence_add(&e, EVIDENCE_NOTED, EVIDENCE_FROM_ELF_NOTE, "MIT", "n", "d");
    ck_assert(e.cut);
    ck_assert_uint_eq(e.n, EVIDENCE_ITEMS);
    e.n = 1;
    e.cut = false;
    evidence_append(&both, &e);
    ck_assert(both.cut);
    ck_assert(evidence_sound(&both));
}
END_TEST

START_TEST(a_package_is_kept_beside_the_items)
{
    static struct evidence e;
    static struct evidence both;

    evidence_init(&e);
    evidence_init(&both);
    ck_assert_str_eq(e.package, "");
    evidence_set_package(&e, "libc6 2.36\n");
    ck_assert_str_eq(e.package, "libc6 2.36\\x0a");
    evidence_append(&both, &e);
    ck_assert_str_eq(both.package, e.package);
    evidence_set_package(&e, "another 1");
    evidence_append(&both, &e);
    ck_assert_str_eq(both.package, "libc6 2.36\\x0a");
    ck_assert(evidence_sound(&both));
    memset(both.package, 'x', sizeof both.package);
    ck_assert(!evidence_sound(&both));
}
END_TEST

/* Envelopes are independent: invalid ones make nothing incomplete, however many there are. */
START_TEST(any_number_of_envelopes_may_be_invalid)
{
    static struct evidence e;
    static struct evidence faults;

    evidence_init(&e);
    evidence_init(&faults);
    for (unsigned i = 0; i <= EVIDENCE_UNKNOWNS; i++) {
        evidence_add_unknown(&faults, EVIDENCE_FROM_ENVELOPE, 0, "%u", i);
    }
    evidence_add_unknown(&e, EVIDENCE_FROM_ENVELOPE, 0, "x");
    evidence_append(&e, &faults);
    ck_assert_uint_eq(e.n_unknown, EVIDENCE_UNKNOWNS);
    ck_assert(!e.cut);
    evidence_add_unknown(&e, EVIDENCE_FROM_DPKG, 0, "x");
    ck_assert(e.cut);
}
END_TEST

START_TEST(what_another_process_sends_is_checked)
{
    static struct evidence good;
    static struct evidence e;
    unsigned char two = 2;

    evidence_init(&good);
    evidence_add(&good, EVIDENCE_PACKAGED, EVIDENCE_FROM_DPKG, "MIT", "n", "d");
    evidence_add_unknown(&good, EVIDENCE_FROM_DPKG, 2, "why");
    ck_assert(evidence_sound(&good));
    e = good;
    e.n = EVIDENCE_ITEMS + 1;
    ck_assert(!evidence_sound(&e));
    e = good;
    e.n_unknown = UINT32_MAX;
    ck_assert(!evidence_sound(&e));
    e = good;
    e.items[0].signature.expires = 20260229;
    ck_assert(!evidence_sound(&e));
    e = good;
    e.items[0].signature.issued = 1;
    ck_assert(!evidence_sound(&e));
    e = good;
    e.items[0].grade = EVIDENCE_GRADES;
    ck_assert(!evidence_sound(&e));
    e = good;
    e.items[0].source = (enum evidence_source) - 1;
    ck_assert(!evidence_sound(&e));
    e = good;
    e.items[0].licence[0] = '\0';
    ck_assert(!evidence_sound(&e));
    e = good;
    memset(e.items[0].detail, 'x', sizeof e.items[0].detail);
    ck_assert(!evidence_sound(&e));
    e = good;
    e.unknowns[0].why[0] = '\033';
    ck_assert(!evidence_sound(&e));
    e = good;
    e.n_files = EVIDENCE_FILES + 1;
    ck_assert(!evidence_sound(&e));
    e = good;
    e.n_files = 1;
    ck_assert(evidence_sound(&e));
    e.files[0].place = EVIDENCE_PLACES;
    ck_assert(!evidence_sound(&e));
    e = good;
    memcpy(&e.files_cut, &two, 1);
    ck_assert(!evidence_sound(&e));
    e = good;
    memcpy(&e.cut, &two, 1);
    ck_assert(!evidence_sound(&e));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("evidence_text");
    TCase *tc = unit_case(s, "dpkg");
    tcase_add_test(tc, a_path_is_looked_for_as_the_database_may_have_it);
    tcase_add_test(tc, a_lists_name_is_a_packages);
    tcase_add_test(tc, a_list_has_whole_lines);
    tcase_add_test(tc, a_digest_is_the_paths_own);
    tcase_add_test(tc, a_version_is_the_installed_packages);
    tcase_add_loop_test(tc, a_package_has_a_version_while_its_files_are_installed, 0,
                        (int)(sizeof states / sizeof *states));
    tcase_add_test(tc, a_diverted_file_is_found_under_its_usual_name);
    tc = unit_case(s, "list");
    tcase_add_test(tc, grades_have_names_and_an_order);
    tcase_add_test(tc, what_cannot_stand_is_unknown);
    tcase_add_test(tc, what_does_not_fit_is_said);
    tcase_add_test(tc, any_number_of_envelopes_may_be_invalid);
    tcase_add_test(tc, a_package_is_kept_beside_the_items);
    tcase_add_test(tc, what_another_process_sends_is_checked);
    return unit_run(s);
}
