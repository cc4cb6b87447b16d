/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The inspector and rpm's database: one that rpm itself makes, of a package that rpmbuild makes in
 * the test's folder.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/unit.h"
#include "tests/unit/policy/inspector_rig.h"

#define CONTENTS "an executable\n"

/* The folder of the database, and the program's path: in the test's folder, as rpm records it. */
static char database[256];
static char program[256];

static void shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Runs a command in the test's folder; its output goes to the file "log" there. */
static void shell(const char *fmt, ...)
{
    char command[2048];
    char line[2600];
    va_list ap;

    va_start(ap, fmt);
    ck_assert_int_lt(vsnprintf(command, sizeof command, fmt, ap), (int)sizeof command);
    va_end(ap);
    snprintf(line, sizeof line, "cd '%s' && { %s; } >>log 2>&1 </dev/null", unit_folder(), command);
    ck_assert_msg(system(line) == 0, "%s: see %s", command, unit_path("log"));
}

/* Makes the package NAME, under a License tag, whose one file is the program. */
static void make_package(const char *name, const char *licence, const char *define)
{
    char spec[1024];

    snprintf(spec, sizeof spec,
             "Name: %s\nVersion: 1.2\nRelease: 3\nEpoch: 4\nSummary: a test\nLicense: %s\n"
             "BuildArch: noarch\n%%description\nA test.\n%%install\nmkdir -p %%{buildroot}%s\n"
             "printf '%%%%s' '%s' >%%{buildroot}%s\n%%files\n%s\n",
             name, licence, unit_folder(), CONTENTS, program, program);
    write_file(unit_path("package.spec"), spec);
    shell("rpmbuild -bb --define \"_topdir $PWD/top\" %s package.spec", define);
}

/* Enters it into the database, without its files. */
static void enter_package(const char *name)
{
    shell("rpm --root \"$PWD/root\" --dbpath /db -i --justdb --nodeps --replacefiles "
          "top/RPMS/noarch/%s-1.2-3.noarch.rpm",
          name);
}

static void set_paths(void)
{
    snprintf(program, sizeof program, "%s", unit_path("program"));
    snprintf(database, sizeof database, "%s", unit_path("root/db"));
    ck_assert_int_eq(mkdir(unit_path("root"), 0755), 0);
    write_file(program, CONTENTS);
    settings.rpm_dir = database;
}

static void start_with_package(const char *licence)
{
    set_paths();
    make_package("thing", licence, "");
    enter_package("thing");
    start(NULL);
}

static void assert_reason(const char *part)
{
    ck_assert_uint_eq(answer.evidence.n, 0);
    ck_assert_uint_eq(answer.evidence.n_unknown, 1);
    ck_assert_int_eq(answer.evidence.unknowns[0].source, EVIDENCE_FROM_RPM);
    ck_assert_msg(strstr(answer.evidence.unknowns[0].why, part), "%s",
                  answer.evidence.unknowns[0].why);
}

START_TEST(a_package_gives_its_files_their_licence)
{
    const struct evidence_item *item = &answer.evidence.items[0];

    start_with_package("GPLv2+ and (MIT or ASL 2.0)");
    assert_inspected(program);
    ck_assert_uint_eq(answer.evidence.n_unknown, 0);
    ck_assert_uint_eq(answer.evidence.n, 1);
    ck_assert_int_eq(item->grade, EVIDENCE_PACKAGED);
    ck_assert_int_eq(item->source, EVIDENCE_FROM_RPM);
    ck_assert_str_eq(item->licence, "GPL-2.0-or-later AND (MIT OR Apache-2.0)");
    ck_assert_str_eq(item->name, "thing 4:1.2-3 noarch");
    ck_assert_str_eq(answer.evidence.package, item->name);
    ck_assert_ptr_nonnull(strstr(item->detail, "SHA-256"));
    ck_assert_ptr_nonnull(strstr(item->detail, "GPLv2+ and (MIT or ASL 2.0)"));
}
END_TEST

START_TEST(a_changed_file_is_not_the_packages)
{
    start_with_package("MIT");
    write_file(program, CONTENTS "and more");
    assert_inspected(program);
    assert_reason("differs from the package's");
    ck_assert_str_eq(answer.evidence.package, "");
}
END_TEST

START_TEST(a_file_at_another_path_has_no_package)
{
    start_with_package("MIT");
    ck_assert_int_eq(mkdir(unit_path("other"), 0755), 0);
    write_file(unit_path("other/program"), CONTENTS);
    assert_inspected(unit_path("other/program"));
    ck_assert_uint_eq(answer.evidence.n, 0);
    ck_assert_uint_eq(answer.evidence.n_unknown, 0);
}
END_TEST

START_TEST(a_tag_with_an_ambiguous_name_is_a_reason)
{
    start_with_package("GPLv2+ and BSD");
    assert_inspected(program);
    assert_reason("stood for several licences: BSD");
    ck_assert_str_eq(answer.evidence.package, "thing 4:1.2-3 noarch");
}
END_TEST

START_TEST(an_old_packages_md5_is_compared)
{
    set_paths();
    make_package("thing", "MIT", "--define '_binary_filedigest_algorithm 1'");
    enter_package("thing");
    start(NULL);
    assert_inspected(program);
    ck_assert_uint_eq(answer.evidence.n, 1);
    ck_assert_ptr_nonnull(strstr(answer.evidence.items[0].detail, "its MD5 matches"));
}
END_TEST

START_TEST(another_algorithm_is_a_reason)
{
    set_paths();
    make_package("thing", "MIT", "--define '_binary_filedigest_algorithm 10'");
    enter_package("thing");
    start(NULL);
    assert_inspected(program);
    assert_reason("another algorithm (10)");
}
END_TEST

/* Of two packages with one path, the one whose digest is the file's. */
START_TEST(the_owner_with_the_files_digest_counts)
{
    set_paths();
    make_package("first", "MIT", "");
    enter_package("first");
    shell("sed -e 's/^Name: first/Name: second/' -e 's/^License: MIT/License: ISC/' "
          "-e 's/an executable/another one/' package.spec >second.spec && "
          "rpmbuild -bb --define \"_topdir $PWD/top\" second.spec");
    enter_package("second");
    start(NULL);
    assert_inspected(program);
    /* The second package has replaced the file of the first one. */
    assert_reason("package second 4:1.2-3 noarch owns the path, but the file differs");
    write_file(program, "another one\n");
    assert_inspected(program);
    ck_assert_uint_eq(answer.evidence.n, 1);
    ck_assert_str_eq(answer.evidence.items[0].licence, "ISC");
}
END_TEST

/*
 * While rpm works, a reader keeps its last transaction in the write-ahead log, so that the
 * database's own file has none of it.
 */
START_TEST(a_transaction_in_the_log_is_read)
{
    struct stat st;

    set_paths();
    make_package("thing", "MIT", "");
    shell("rpm --root \"$PWD/root\" --dbpath /db --initdb");
    write_file(unit_path("hold.py"),
               "import sqlite3, subprocess, sys, shutil\n"
               "db = sqlite3.connect('root/db/rpmdb.sqlite')\n"
               "db.execute('BEGIN'); db.execute('SELECT count(*) FROM Packages').fetchall()\n"
               "subprocess.run(sys.argv[1:], check=True)\n"
               "shutil.copytree('root/db', 'root/copy')\n");
    shell("python3 hold.py rpm --root \"$PWD/root\" --dbpath /db -i --justdb --nodeps "
          "top/RPMS/noarch/thing-1.2-3.noarch.rpm");
    ck_assert_int_eq(stat(unit_path("root/copy/rpmdb.sqlite-wal"), &st), 0);
    ck_assert_int_gt(st.st_size, 0);
    snprintf(database, sizeof database, "%s", unit_path("root/copy"));
    start(NULL);
    assert_inspected(program);
    ck_assert_uint_eq(answer.evidence.n, 1);
    /* Without its log, the file alone has no such package. */
    ck_assert_int_eq(unlink(unit_path("root/copy/rpmdb.sqlite-wal")), 0);
    ck_assert_int_eq(kill(inspector_pid(inspector), SIGKILL), 0);
    write_file(program, CONTENTS);
    assert_inspected(program);
    ck_assert_uint_eq(answer.evidence.n, 0);
    ck_assert_uint_eq(answer.evidence.n_unknown, 0);
}
END_TEST

static const struct {
    const char *file;
    const char *why;
} unread[] = {
    {"rpmdb.sqlite", "cannot be read: file is not a database"},
    {"Packages", "form bdb"},
    {"Packages.db", "form ndb"},
};

START_TEST(a_database_that_cannot_be_read_is_a_reason)
{
    char path[300];

    set_paths();
    ck_assert_int_eq(mkdir(database, 0755), 0);
    snprintf(path, sizeof path, "%s/%s", database, unread[_i].file);
    write_file(path, "This is not a database, although it is long enough for the header of one, "
                     "which has one hundred bytes.\n");
    start(NULL);
    assert_inspected(program);
    assert_reason(unread[_i].why);
}
END_TEST

START_TEST(an_empty_folder_has_no_evidence)
{
    set_paths();
    ck_assert_int_eq(mkdir(database, 0755), 0);
    start(NULL);
    assert_inspected(program);
    ck_assert_uint_eq(answer.evidence.n + answer.evidence.n_unknown, 0);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *s = suite_create("inspector_rpm");
    TCase *t;

    inspector_rig_main(argc, argv);
    t = inspector_case(s, "packages");
    tcase_add_test(t, a_package_gives_its_files_their_licence);
    tcase_add_test(t, a_changed_file_is_not_the_packages);
    tcase_add_test(t, a_file_at_another_path_has_no_package);
    tcase_add_test(t, a_tag_with_an_ambiguous_name_is_a_reason);
    tcase_add_test(t, an_old_packages_md5_is_compared);
    tcase_add_test(t, another_algorithm_is_a_reason);
    tcase_add_test(t, the_owner_with_the_files_digest_counts);
    t = inspector_case(s, "databases");
    tcase_add_test(t, a_transaction_in_the_log_is_read);
    tcase_add_loop_test(t, a_database_that_cannot_be_read_is_a_reason, 0,
                        sizeof unread / sizeof *unread);
    tcase_add_test(t, an_empty_folder_has_no_evidence);
    return unit_run(s);
}
