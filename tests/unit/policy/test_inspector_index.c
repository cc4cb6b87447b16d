/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The index of dpkg's lists, on databases in a folder of the test's own. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/inspector/inspector_cache.h"
#include "policy/inspector/inspector_index.h"
#include "tests/support/unit.h"

static int dpkg_fd = -1;
static struct inspector_index *idx;

static void inspector_index_write(const char *list, const char *text)
{
    char path[300];
    FILE *f;

    snprintf(path, sizeof path, "dpkg/info/%s", list);
    f = fopen(unit_path(path), "we");
    ck_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void inspector_index_set_up(void)
{
    ck_assert_int_eq(mkdir(unit_path("dpkg"), 0755), 0);
    ck_assert_int_eq(mkdir(unit_path("dpkg/info"), 0755), 0);
    inspector_index_write("one:amd64.list", "/.\n/usr\n/usr/bin\n/usr/bin/one\n/usr/bin/both\n");
    inspector_index_write("one:amd64.md5sums", "/usr/bin/sums\n");
    inspector_index_write("two.list", "/.\n/usr\n/usr/bin\n/usr/bin/both");
    dpkg_fd = open(unit_path("dpkg"), O_PATH | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(dpkg_fd, 0);
    idx = inspector_index_new(dpkg_fd);
    ck_assert_ptr_nonnull(idx);
}

static void inspector_index_tear_down(void)
{
    inspector_index_free(idx);
    close(dpkg_fd);
}

/* Makes all slices of a build. Returns their number, or -errno. */
static int inspector_index_build(uint64_t wanted)
{
    int slices = 1;
    int r;

    while ((r = inspector_index_step(idx, wanted)) == 0) {
        slices++;
    }
    return r < 0 ? r : slices;
}

static char found[256];

static int inspector_index_on_list(void *arg, const char *list)
{
    const size_t n = strlen(found);

    (void)arg;
    snprintf(found + n, sizeof found - n, "%s ", list);
    return 0;
}

/* Returns the names of the lists that have the path, each with a space behind it. */
static const char *inspector_index_lists_of(const char *path)
{
    found[0] = '\0';
    ck_assert_int_eq(inspector_index_find(idx, path, inspector_index_on_list, NULL), 0);
    return found;
}

/* Waits until a change of the folder is certain to change its identity. */
static void inspector_index_settle(void)
{
    struct timespec until;
    struct stat st;

    ck_assert_int_eq(stat(unit_path("dpkg/info"), &st), 0);
    until = st.st_ctim;
    until.tv_nsec += INSPECTOR_CACHE_AGE + 1;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}

START_TEST(it_finds_the_lists_that_have_a_path)
{
    ck_assert_str_eq(inspector_index_lists_of("/usr/bin/one"), "");
    ck_assert_int_eq(inspector_index_build(inspector_index_want(idx)), 1);
    ck_assert_str_eq(inspector_index_lists_of("/usr/bin/one"), "one:amd64.list ");
    ck_assert_str_eq(inspector_index_lists_of("/usr/bin/absent"), "");
    ck_assert_str_eq(inspector_index_lists_of("/usr/bin/sums"), "");
    (void)inspector_index_lists_of("/usr/bin/both");
    ck_assert_ptr_nonnull(strstr(found, "one:amd64.list "));
    ck_assert_ptr_nonnull(strstr(found, "two.list "));
    /* Folders take no room. */
    ck_assert_str_eq(inspector_index_lists_of("/usr/bin"), "");
}
END_TEST

START_TEST(it_is_kept_while_the_database_is_the_same)
{
    uint64_t first;

    inspector_index_settle();
    first = inspector_index_want(idx);
    ck_assert_int_eq(inspector_index_build(first), 1);
    ck_assert_uint_eq(inspector_index_want(idx), first);
    inspector_index_write("three.list-new", "/usr/bin/three\n");
    ck_assert_uint_gt(inspector_index_want(idx), first);
}
END_TEST

/* As dpkg does: it writes a new list, and renames it. */
START_TEST(it_follows_packages_that_are_installed_and_removed)
{
    ck_assert_int_eq(inspector_index_build(inspector_index_want(idx)), 1);
    inspector_index_write("three.list-new", "/usr/bin/three\n");
    ck_assert_int_eq(renameat(dpkg_fd, "info/three.list-new", dpkg_fd, "info/three.list"), 0);
    ck_assert_int_eq(inspector_index_build(inspector_index_want(idx)), 1);
    ck_assert_str_eq(inspector_index_lists_of("/usr/bin/three"), "three.list ");
    ck_assert_int_eq(unlinkat(dpkg_fd, "info/three.list", 0), 0);
    ck_assert_int_eq(inspector_index_build(inspector_index_want(idx)), 1);
    ck_assert_str_eq(inspector_index_lists_of("/usr/bin/three"), "");
    ck_assert_str_eq(inspector_index_lists_of("/usr/bin/one"), "one:amd64.list ");
}
END_TEST

START_TEST(many_lists_take_several_slices)
{
    char name[32];
    char path[32];

    for (unsigned i = 0; i < 2 * INSPECTOR_INDEX_SLICE; i++) {
        snprintf(name, sizeof name, "more%u.list", i);
        snprintf(path, sizeof path, "/usr/bin/more%u\n", i);
        inspector_index_write(name, path);
    }
    ck_assert_int_eq(inspector_index_build(inspector_index_want(idx)), 3);
    ck_assert_str_eq(inspector_index_lists_of("/usr/bin/more0"), "more0.list ");
    ck_assert_str_eq(inspector_index_lists_of("/usr/bin/one"), "one:amd64.list ");
}
END_TEST

/* A build that began before a change shows the database as it was: who asks later waits. */
START_TEST(a_change_during_a_build_takes_another_build)
{
    uint64_t first;
    uint64_t second;
    char name[32];

    for (unsigned i = 0; i < 2 * INSPECTOR_INDEX_SLICE; i++) {
        snprintf(name, sizeof name, "more%u.list", i);
        inspector_index_write(name, "/usr/bin/more\n");
    }
    inspector_index_settle();
    first = inspector_index_want(idx);
    ck_assert_int_eq(inspector_index_step(idx, first), 0);
    ck_assert_uint_eq(inspector_index_want(idx), first);
    inspector_index_write("three.list", "/usr/bin/three\n");
    second = inspector_index_want(idx);
    ck_assert_uint_gt(second, first);
    ck_assert_int_eq(inspector_index_build(first), 2);
    ck_assert_int_eq(inspector_index_build(second), 3);
    ck_assert_str_eq(inspector_index_lists_of("/usr/bin/three"), "three.list ");
}
END_TEST

START_TEST(a_list_that_cannot_be_read_is_an_error_and_tried_again)
{
    ck_assert_int_eq(mkdirat(dpkg_fd, "info/broken.list", 0700), 0);
    ck_assert_int_eq(inspector_index_build(inspector_index_want(idx)), -EINVAL);
    ck_assert_int_eq(unlinkat(dpkg_fd, "info/broken.list", AT_REMOVEDIR), 0);
    ck_assert_int_eq(inspector_index_build(inspector_index_want(idx)), 1);
    ck_assert_str_eq(inspector_index_lists_of("/usr/bin/one"), "one:amd64.list ");
}
END_TEST

START_TEST(a_missing_database_is_an_error)
{
    ck_assert_int_eq(renameat(dpkg_fd, "info", dpkg_fd, "gone"), 0);
    ck_assert_int_eq(inspector_index_build(inspector_index_want(idx)), -ENOENT);
}
END_TEST

static int inspector_index_on_list_fail(void *arg, const char *list)
{
    (void)list;
    ++*(unsigned *)arg;
    return -EIO;
}

START_TEST(an_error_ends_the_search)
{
    unsigned calls = 0;

    ck_assert_int_eq(inspector_index_build(inspector_index_want(idx)), 1);
    ck_assert_int_eq(
        inspector_index_find(idx, "/usr/bin/both", inspector_index_on_list_fail, &calls), -EIO);
    ck_assert_uint_eq(calls, 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("inspector_index");
    TCase *tc = unit_case(s, "lists");

    tcase_add_checked_fixture(tc, inspector_index_set_up, inspector_index_tear_down);
    tcase_add_test(tc, it_finds_the_lists_that_have_a_path);
    tcase_add_test(tc, it_is_kept_while_the_database_is_the_same);
    tcase_add_test(tc, it_follows_packages_that_are_installed_and_removed);
    tcase_add_test(tc, many_lists_take_several_slices);
    tcase_add_test(tc, a_change_during_a_build_takes_another_build);
    tcase_add_test(tc, a_list_that_cannot_be_read_is_an_error_and_tried_again);
    tcase_add_test(tc, a_missing_database_is_an_error);
    tcase_add_test(tc, an_error_ends_the_search);
    return unit_run(s);
}
