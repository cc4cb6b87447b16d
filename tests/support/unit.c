/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The frame of every unit suite. Tests run in processes of their own (CK_FORK); the fixtures run in
 * the test's process, the suite's own comparison and the folder's removal in the parent.
 */
#define _GNU_SOURCE
#include "tests/support/unit.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/fdcount.h"

/* Check's own bound is 4 s. No test asserts a time: this ends one that hangs, on any machine. */
#define UNIT_TIMEOUT_S 600

/* Sanitizers make a step take three times as long and more. */
#ifdef POEMD_SANITIZED
#define STEP_FACTOR 4
#else
#define STEP_FACTOR 1
#endif

#define MARKS_MAX 1000

static struct fdcount before_test;
static struct fdcount after_test;
static char suite_folder[64];

void unit_mark_point(const char *file, int line)
{
    static unsigned n;

    if (n < MARKS_MAX) {
        n++;
        (_mark_point)(file, line);
    }
}

static void open_test(void)
{
    const int err = fdcount_take(&before_test);

    ck_assert_msg(err == 0, "reading /proc/self/fd: %s", strerror(-err));
}

static void close_test(void)
{
    char text[2048];
    const int err = fdcount_take(&after_test);

    ck_assert_msg(err == 0, "reading /proc/self/fd: %s", strerror(-err));
    ck_assert_msg(fdcount_same(&before_test, &after_test, text, sizeof text),
                  "the test left other fds than it found: %s", text);
}

TCase *unit_case(Suite *s, const char *name)
{
    TCase *tc = tcase_create(name);

    tcase_add_checked_fixture(tc, open_test, close_test);
    tcase_set_timeout(tc, UNIT_TIMEOUT_S);
    suite_add_tcase(s, tc);
    return tc;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

const char *unit_folder(void)
{
    static char folder[128];
    static pid_t owner;

    /* Each test is a process of its own: its number names its folder. */
    if (owner != getpid()) {
        owner = getpid();
        snprintf(folder, sizeof folder, "%s/%d", suite_folder, (int)owner);
        ck_assert_msg(mkdir(folder, 0700) == 0 || errno == EEXIST, "%s: %s", folder,
                      strerror(errno));
    }
    return folder;
}

const char *unit_path(const char *name)
{
    static char paths[4][256];
    static unsigned turn;
    char *p = paths[turn++ % 4];

    snprintf(p, sizeof paths[0], "%s/%s", unit_folder(), name);
    return p;
}

size_t unit_step(size_t usual)
{
    const char *const soak = getenv("POEMD_SOAK");

    return soak && *soak ? 1 : usual * STEP_FACTOR;
}

int unit_run(Suite *s)
{
    static struct fdcount before;
    static struct fdcount after;
    char text[2048];
    SRunner *sr;
    int wrong;

    snprintf(suite_folder, sizeof suite_folder, "/tmp/poemd-unit.XXXXXX");
    if (!mkdtemp(suite_folder) || fdcount_take(&before)) {
        perror("unit_run");
        return EXIT_FAILURE;
    }
    sr = srunner_create(s);
    srunner_run_all(sr, CK_ENV);
    wrong = srunner_ntests_failed(sr);
    if (srunner_ntests_run(sr) == 0) {
        fprintf(stderr, "no test ran\n");
        wrong++;
    }
    srunner_free(sr);
    if (fdcount_take(&after) || !fdcount_same(&before, &after, text, sizeof text)) {
        fprintf(stderr, "the suite left other fds than it found: %s\n", text);
        wrong++;
    }
    if (nftw(suite_folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0) {
        perror(suite_folder);
        wrong++;
    }
    return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
