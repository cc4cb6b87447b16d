/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What becomes of those who ask when an inspector is killed, hangs, lies, or cannot start; and what
 * one cannot do that has been taken over.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/process.h"
#include "tests/support/unit.h"
#include "tests/unit/policy/inspector_rig.h"

START_TEST(one_that_hangs_is_killed)
{
    pid_t first;

    start("hang");
    await_ready();
    first = inspector_pid(inspector);
    take_file(NOTED);
    ck_assert_int_eq(inspect(60000), INSPECTION_TIMEOUT);
    ck_assert(process_gone(first));
    /* Who has less time is told sooner. */
    await_ready();
    take_file(NOTED_TWICE);
    ck_assert_int_eq(inspect(10), INSPECTION_TIMEOUT);
    ck_assert(!process_gone(inspector_pid(inspector)));
}
END_TEST

/* By its inode: whoever touches the file does not have another inspector killed over it. */
START_TEST(a_file_that_takes_too_long_is_remembered)
{
    const struct timespec now[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    const char *const path = unit_path("slow");
    pid_t second;

    write_file(path, "x");
    start("hang");
    take_file(path);
    ck_assert_int_eq(inspect(60000), INSPECTION_TIMEOUT);
    await_ready();
    second = inspector_pid(inspector);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, now, 0), 0);
    take_file(path);
    ck_assert_int_eq(inspect(60000), INSPECTION_TIMEOUT);
    ck_assert_int_eq(inspector_pid(inspector), second);
    ck_assert(!process_gone(second));
}
END_TEST

START_TEST(one_that_dies_ends_only_its_question)
{
    char poison[256];

    snprintf(poison, sizeof poison, "%s", unit_path("poison"));
    write_file(poison, "x");
    start("poison");
    for (int i = 0; i < 3; i++) {
        take_file(poison);
        ck_assert_int_eq(inspect(60000), INSPECTION_CRASHED);
        take_file(NOTED_TWICE);
        ck_assert_int_eq(inspect(60000), INSPECTION_OK);
    }
}
END_TEST

START_TEST(one_that_is_killed_idle_is_started_again)
{
    pid_t first;

    start(NULL);
    await_ready();
    first = inspector_pid(inspector);
    ck_assert_int_eq(kill(first, SIGKILL), 0);
    assert_inspected(NOTED);
    ck_assert_int_ne(inspector_pid(inspector), first);
}
END_TEST

START_TEST(one_that_goes_after_its_answer_has_answered)
{
    start("exit-after");
    take_file(NOTED);
    ck_assert_int_eq(inspect(60000), INSPECTION_OK);
    take_file(NOTED_TWICE);
    ck_assert_int_eq(inspect(60000), INSPECTION_OK);
}
END_TEST

static const char *const liars[] = {"ready-twice", "other-job", "assigned",
                                    "outcome",     "ima",       "short"};

START_TEST(one_that_lies_is_not_believed)
{
    start(liars[_i]);
    take_file(NOTED);
    if (strcmp(liars[_i], "ready-twice") != 0) {
        ck_assert_int_eq(inspect(60000), INSPECTION_UNSOUND);
    } else {
        /* It is killed for it before it is asked, again and again. */
        ck_assert_int_ne(inspect(1000), INSPECTION_OK);
    }
    ck_assert_uint_eq(answer.evidence.n, 0);
    ck_assert_ptr_null(inspector_look(inspector, &exe));
}
END_TEST

static const char *const absent[] = {"never-ready", "no-memory"};

START_TEST(without_one_there_is_an_answer_in_time)
{
    start(absent[_i]);
    take_file(NOTED);
    ck_assert_int_eq(inspect(300), INSPECTION_NOBODY);
}
END_TEST

START_TEST(one_that_is_taken_over_is_shut_in)
{
    start("shut-in");
    await_ready();
}
END_TEST

static uint64_t status_of(pid_t pid, const char *name, int radix)
{
    char path[64];
    char line[256];
    uint64_t v = UINT64_MAX;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    f = fopen(path, "re");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, name, strlen(name)) == 0) {
            v = strtoull(line + strlen(name), NULL, radix);
        }
    }
    fclose(f);
    return v;
}

START_TEST(it_has_no_rights)
{
    start(NULL);
    await_ready();
    ck_assert_uint_eq(status_of(inspector_pid(inspector), "NoNewPrivs:", 10), 1);
    ck_assert_uint_eq(status_of(inspector_pid(inspector), "CapEff:", 16), 0);
    if (geteuid() == 0) {
        ck_assert_uint_eq(status_of(inspector_pid(inspector), "Uid:", 10), 65534);
        ck_assert_uint_eq(status_of(inspector_pid(inspector), "CapPrm:", 16), 0);
    }
}
END_TEST

static void how_it_is_bad(Suite *s)
{
    TCase *tc = inspector_case(s, "bad");

    tcase_add_test(tc, one_that_hangs_is_killed);
    tcase_add_test(tc, a_file_that_takes_too_long_is_remembered);
    tcase_add_test(tc, one_that_dies_ends_only_its_question);
    tcase_add_test(tc, one_that_is_killed_idle_is_started_again);
    tcase_add_test(tc, one_that_goes_after_its_answer_has_answered);
    tcase_add_loop_test(tc, one_that_lies_is_not_believed, 0, (int)(sizeof liars / sizeof *liars));
    tcase_add_loop_test(tc, without_one_there_is_an_answer_in_time, 0,
                        (int)(sizeof absent / sizeof *absent));
    tcase_add_test(tc, one_that_is_taken_over_is_shut_in);
    tcase_add_test(tc, it_has_no_rights);
}

int main(int argc, char **argv)
{
    Suite *s;

    inspector_rig_main(argc, argv);
    s = suite_create("inspector_bad");
    how_it_is_bad(s);
    return unit_run(s);
}
