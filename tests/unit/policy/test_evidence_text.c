/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Evidence from text, in tables: Debian's licence names, copyright files, dpkg's database. */
#include <stdio.h>
#include <string.h>

#include "policy/evidence/evidence.h"
#include "policy/evidence/evidence_copyright.h"
#include "policy/evidence/evidence_dpkg.h"
#include "policy/spdx/spdx.h"
#include "tests/support/unit.h"

/* ---- synopses ---- */

static const struct {
    const char *debian;
    const char *spdx;
} synopses[] = {
    {"GPL-2", "GPL-2.0-only"},
    {"GPL-2+", "GPL-2.0-or-later"},
    {"gpl-3+", "GPL-3.0-or-later"},
    {"LGPL-2.1+", "LGPL-2.1-or-later"},
    {"Expat", "MIT"},
    {"MIT", "MIT"},
    {"BSD-3-clause", "BSD-3-Clause"},
    {"GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"},
    {"MPL-2.0", "MPL-2.0"},
    {"MPL-1.1+", "MPL-1.1+"},
    {"GPL-1+ or Artistic", "GPL-1.0-or-later OR Artistic-1.0"},
    {"Perl", "(GPL-1.0-or-later OR Artistic-1.0-Perl)"},
    {"GPL-2+ AND BSD-2-clause", "GPL-2.0-or-later AND BSD-2-Clause"},
    {"A-1 or B-1 and C-1",
     "LicenseRef-debian-A-1 OR LicenseRef-debian-B-1 AND LicenseRef-debian-C-1"},
    {"GPL-2+ or Expat, and Zlib", "(GPL-2.0-or-later OR MIT) AND (Zlib)"},
    {"GPL-2 with Linux-syscall-note exception", "GPL-2.0-only WITH Linux-syscall-note"},
    {"GPL-3+ with Bison exception", "GPL-3.0-or-later WITH Bison-exception-2.2"},
    {"GPL-2+ with Bison exception", "GPL-2.0-or-later WITH AdditionRef-debian-Bison"},
    {"GPL-2+ with Autoconf exception", "GPL-2.0-or-later WITH Autoconf-exception-2.0"},
    {"GPL-3+ with Autoconf exception", "GPL-3.0-or-later WITH Autoconf-exception-3.0"},
    {"Apache-2.0 with LLVM exception", "Apache-2.0 WITH LLVM-exception"},
    {"GPL-2+ with OpenSSL exception", "GPL-2.0-or-later WITH AdditionRef-debian-OpenSSL"},
    {"LGPL-2.1+ with staticLink exception and mention",
     "LGPL-2.1-or-later WITH AdditionRef-debian-staticLink AND LicenseRef-debian-mention"},
    {"GPL-2 with", "GPL-2.0-only WITH AdditionRef-debian-unnamed"},
    {"public-domain", "LicenseRef-debian-public-domain"},
    {"MIT/X11", "LicenseRef-debian-MIT-X11"},
    {"Foo-1+", "LicenseRef-debian-Foo-1-plus"},
    {"LGPLv3+_or_GPLv2+", "LicenseRef-debian-LGPLv3-plus-or-GPLv2-plus"},
    /* what is no synopsis is not guessed at */
    {"Permission to use, copy", "LicenseRef-debian-free-text"},
    {"GPL-2, GPL-3", "LicenseRef-debian-free-text"},
    {"GPL-2 or", "LicenseRef-debian-free-text"},
    {"and", "LicenseRef-debian-free-text"},
    {"", "LicenseRef-debian-free-text"},
    {"GPL-2 ,and", "LicenseRef-debian-free-text"},
    {"Perl with odd exception", "LicenseRef-debian-free-text"},
};

START_TEST(a_synopsis_becomes_an_expression)
{
    static struct spdx e;
    struct spdx_error why;
    char out[EVIDENCE_LICENCE_SIZE];

    ck_assert(evidence_copyright_expression(synopses[_i].debian, strlen(synopses[_i].debian), out,
                                            sizeof out));
    ck_assert_str_eq(out, synopses[_i].spdx);
    ck_assert_msg(spdx_parse(&e, out, strlen(out), SPDX_LISTED, &why) == SPDX_OK, "%s: %s", out,
                  why.text);
}
END_TEST

START_TEST(a_synopsis_fits_exactly_or_not_at_all)
{
    const char *mit = "MIT OR MIT";
    char out[16];

    ck_assert(evidence_copyright_expression("Expat or MIT", 12, out, strlen(mit) + 1));
    ck_assert_str_eq(out, mit);
    ck_assert(!evidence_copyright_expression("Expat or MIT", 12, out, strlen(mit)));
}
END_TEST

/* ---- files ---- */

#define FORMAT "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"

static const struct {
    const char *file;
    enum evidence_copyright outcome;
    const char *licence;
} files[] = {
    {FORMAT "\nFiles: *\nCopyright: A\nLicense: GPL-2+\n text\n", EVIDENCE_COPYRIGHT_OK,
     "GPL-2.0-or-later"},
    {FORMAT "\nFiles: *\nLicense: GPL-2+\n\nFiles: x\nLicense: Expat\n\nLicense: Zlib\n text\n",
     EVIDENCE_COPYRIGHT_OK, "GPL-2.0-or-later AND MIT"},
    /* the same licence twice, a choice, and parts of one field */
    {FORMAT "\nFiles: *\nLicense: GPL-2+\n\nFiles: x\nLicense: GPL-2+ and Expat\n\nFiles: y\n"
            "License: Expat or ISC\n",
     EVIDENCE_COPYRIGHT_OK, "GPL-2.0-or-later AND MIT AND (MIT OR ISC)"},
    /* the package as a whole, by its header paragraph */
    {FORMAT "License: GPL-2\n\nFiles: *\nLicense: BSD-4-clause\n", EVIDENCE_COPYRIGHT_OK,
     "GPL-2.0-only"},
    /* how it is packaged is not in the executable; other files are, as far as is known */
    {FORMAT "\nFiles: *\nLicense: Expat\n\nFiles: debian/*\n debian/x\nLicense: GPL-3+\n",
     EVIDENCE_COPYRIGHT_OK, "MIT"},
    {FORMAT "\nFiles: *\nLicense: Expat\n\nFiles: debian/*\n x\nLicense: GPL-3+\n",
     EVIDENCE_COPYRIGHT_OK, "MIT AND GPL-3.0-or-later"},
    {FORMAT "# a comment\n\n\nFiles: *\nLicense:\tGPL-2\t\n", EVIDENCE_COPYRIGHT_OK,
     "GPL-2.0-only"},
    {"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\r\n\r\n"
     "files: *\r\nlicense: GPL-2\r\n",
     EVIDENCE_COPYRIGHT_OK, "GPL-2.0-only"},
    {FORMAT "\nFiles: *\nLicense:\n All rights reserved.\n", EVIDENCE_COPYRIGHT_OK,
     "LicenseRef-debian-unnamed"},
    {"This package was debianized by X.\n", EVIDENCE_COPYRIGHT_FREE_TEXT, NULL},
    {"Format: something\n\nFiles: *\nLicense: GPL-2\n", EVIDENCE_COPYRIGHT_FREE_TEXT, NULL},
    {"", EVIDENCE_COPYRIGHT_FREE_TEXT, NULL},
    {FORMAT, EVIDENCE_COPYRIGHT_NO_FILES, NULL},
    {FORMAT "\nLicense: GPL-2\n", EVIDENCE_COPYRIGHT_NO_FILES, NULL},
    {FORMAT "\nFiles: debian/*\nLicense: GPL-2\n", EVIDENCE_COPYRIGHT_NO_FILES, NULL},
    {FORMAT "\nFiles: *\nCopyright: A\n", EVIDENCE_COPYRIGHT_MALFORMED, NULL},
    {FORMAT "\nFiles: *\nLicense: GPL-2\nno field\n", EVIDENCE_COPYRIGHT_MALFORMED, NULL},
    {FORMAT "\n goes on from nothing\n", EVIDENCE_COPYRIGHT_MALFORMED, NULL},
};

START_TEST(a_copyright_file_becomes_an_expression_or_a_reason)
{
    struct evidence_copyrights c;

    ck_assert_int_eq(evidence_copyright_read(&c, files[_i].file, strlen(files[_i].file)),
                     files[_i].outcome);
    if (files[_i].licence) {
        ck_assert_str_eq(c.licence, files[_i].licence);
    }
}
END_TEST

START_TEST(too_many_licences_are_no_expression)
{
    char text[16384] = FORMAT;
    struct evidence_copyrights c;

    for (int i = 0; i < 200; i++) {
        const size_t n = strlen(text);

        snprintf(text + n, sizeof text - n, "\nFiles: f%d\nLicense: licence-%d\n", i, i);
    }
    ck_assert_int_eq(evidence_copyright_read(&c, text, strlen(text)), EVIDENCE_COPYRIGHT_TOO_LONG);
}
END_TEST

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
    memcpy(&e.cut, &two, 1);
    ck_assert(!evidence_sound(&e));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("evidence_text");
    TCase *tc = unit_case(s, "copyright");

    tcase_add_loop_test(tc, a_synopsis_becomes_an_expression, 0,
                        (int)(sizeof synopses / sizeof *synopses));
    tcase_add_test(tc, a_synopsis_fits_exactly_or_not_at_all);
    tcase_add_loop_test(tc, a_copyright_file_becomes_an_expression_or_a_reason, 0,
                        (int)(sizeof files / sizeof *files));
    tcase_add_test(tc, too_many_licences_are_no_expression);
    tc = unit_case(s, "dpkg");
    tcase_add_test(tc, a_path_is_looked_for_as_the_database_may_have_it);
    tcase_add_test(tc, a_lists_name_is_a_packages);
    tcase_add_test(tc, a_list_has_whole_lines);
    tcase_add_test(tc, a_digest_is_the_paths_own);
    tcase_add_test(tc, a_version_is_the_installed_packages);
    tc = unit_case(s, "list");
    tcase_add_test(tc, grades_have_names_and_an_order);
    tcase_add_test(tc, what_cannot_stand_is_unknown);
    tcase_add_test(tc, what_does_not_fit_is_said);
    tcase_add_test(tc, any_number_of_envelopes_may_be_invalid);
    tcase_add_test(tc, what_another_process_sends_is_checked);
    return unit_run(s);
}
