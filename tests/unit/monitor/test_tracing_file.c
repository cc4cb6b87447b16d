/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Files of captures: made for their owner alone, numbered and never overwritten, the oldest
 * removed; what is no file.
 */
#define _GNU_SOURCE
#include "proxy/monitor/tracing/tracing_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "tests/support/unit.h"

/* Opens it anew and writes its number into it. */
static void open_next(const char *path, unsigned keep, unsigned number)
{
    char text[16];
    const int fd = tracing_file_open(path, keep);
    const int n = snprintf(text, sizeof text, "%u", number);

    ck_assert_msg(fd >= 0, "%s", strerror(-fd));
    ck_assert_int_eq(write(fd, text, (size_t)n), n);
    close(fd);
}

/* What is in the file; -1: it is not there. */
static int content(const char *name)
{
    char text[16] = "";
    const int fd = open(unit_path(name), O_RDONLY | O_CLOEXEC);
    int number = -1;

    if (fd < 0) {
        return -1;
    }
    ck_assert_int_ge(read(fd, text, sizeof text - 1), 0);
    close(fd);
    ck_assert_int_eq(sscanf(text, "%d", &number), 1);
    return number;
}

START_TEST(a_new_one_is_its_owner_s)
{
    struct stat st;
    const int fd = tracing_file_open(unit_path("t"), 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
}
END_TEST

START_TEST(old_ones_are_numbered)
{
    for (unsigned i = 1; i <= 12; i++) {
        open_next(unit_path("t"), 0, i);
    }
    ck_assert_int_eq(content("t"), 12);
    ck_assert_int_eq(content("t.1"), 1);
    ck_assert_int_eq(content("t.9"), 9);
    ck_assert_int_eq(content("t.10"), 10);
    ck_assert_int_eq(content("t.11"), 11);
    ck_assert_int_eq(content("t.12"), -1);
}
END_TEST

START_TEST(so_many_old_ones_are_kept)
{
    for (unsigned i = 1; i <= 8; i++) {
        open_next(unit_path("t"), 3, i);
    }
    ck_assert_int_eq(content("t"), 8);
    ck_assert_int_eq(content("t.7"), 7);
    ck_assert_int_eq(content("t.5"), 5);
    ck_assert_int_eq(content("t.4"), -1);
    ck_assert_int_eq(content("t.1"), -1);
}
END_TEST

/* Names that look alike are others'. */
START_TEST(others_files_are_left_alone)
{
    static const char *const others[] = {"t.01", "t.1x",  "t.",          "t.x",
                                         "tt.1", "t.1.2", "t.1234567890"};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const int fd = open(unit_path(others[i]), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        ck_assert_int_eq(write(fd, "77", 2), 2);
        close(fd);
    }
    for (unsigned i = 1; i <= 4; i++) {
        open_next(unit_path("t"), 1, i);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        ck_assert_int_eq(content(others[i]), 77);
    }
    ck_assert_int_eq(content("t.3"), 3);
    ck_assert_int_eq(content("t.2"), -1);
}
END_TEST

START_TEST(what_is_no_file)
{
    char path[256];
    int reader;
    int fd;

    snprintf(path, sizeof path, "%s", unit_path("t"));
    ck_assert_int_eq(symlink("elsewhere", path), 0);
    ck_assert_int_eq(tracing_file_open(path, 0), -ELOOP);
    ck_assert_int_eq(access(unit_path("elsewhere"), F_OK), -1);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(tracing_file_open(path, 0), -EISDIR);
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(tracing_file_open(path, 0), -ENXIO);
    reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    fd = tracing_file_open(path, 0);
    ck_assert_int_ge(fd, 0);
    close(fd);
    close(reader);
    ck_assert_int_eq(tracing_file_open(unit_path("no/t"), 0), -ENOENT);
    ck_assert_int_eq(tracing_file_open("t", 0), -EINVAL);
    fd = tracing_file_open("/dev/null", 0);
    ck_assert_int_ge(fd, 0);
    close(fd);
}
END_TEST

/* ---- folders that others can write to ---- */

static void make(const char *name, bool is_ours)
{
    const int fd = open(unit_path(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    /* Without root's rights another's file cannot be made: a folder is as little a trace. */
    if (!is_ours && (geteuid() != 0 || fchown(fd, 61001, 61001) < 0)) {
        ck_assert_int_eq(unlink(unit_path(name)), 0);
        ck_assert_int_eq(mkdir(unit_path(name), 0700), 0);
    }
    close(fd);
}

static bool is_there(const char *name)
{
    struct stat st;

    return lstat(unit_path(name), &st) == 0;
}

/* Another user's names neither count nor stop anything, and are left where they are. */
START_TEST(names_of_others)
{
    make("t.99999999", false);
    make("t.2", false);
    make("t.999999999", false);
    for (unsigned i = 1; i <= 6; i++) {
        open_next(unit_path("t"), 2, i);
    }
    ck_assert_int_eq(content("t"), 6);
    ck_assert_int_eq(content("t.6"), 5);
    ck_assert_int_eq(content("t.5"), 4);
    ck_assert(!is_there("t.1") && !is_there("t.3") && !is_there("t.4"));
    ck_assert(is_there("t.2") && is_there("t.999999999") && is_there("t.99999999"));
}
END_TEST

/* Our own with a number to which there is no next one: numbers go on behind the others. */
START_TEST(great_numbers)
{
    for (unsigned i = 1; i <= 3; i++) {
        open_next(unit_path("t"), 0, i);
    }
    make("t.999999999", true);
    open_next(unit_path("t"), 4, 4);
    open_next(unit_path("t"), 4, 5);
    ck_assert_int_eq(content("t"), 5);
    ck_assert_int_eq(content("t.4"), 4);
    ck_assert_int_eq(content("t.3"), 3);
    ck_assert_int_eq(content("t.2"), 2);
    ck_assert_int_eq(content("t.1"), -1);
    ck_assert(is_there("t.999999999"));
}
END_TEST

/* The last number that there is, taken: the next one is that behind the others. */
START_TEST(the_greatest_number)
{
    open_next(unit_path("t"), 0, 1);
    make("t.999999999", true);
    make("t.999999998", true);
    open_next(unit_path("t"), 0, 2);
    open_next(unit_path("t"), 0, 3);
    ck_assert_int_eq(content("t.1"), 1);
    ck_assert_int_eq(content("t.2"), 2);
    ck_assert_int_eq(content("t"), 3);
}
END_TEST

/* However many names there are, a step is short, and all are seen. */
START_TEST(a_large_folder_in_steps)
{
    const unsigned all = 10 * LIMIT_TRACING_NAMES;
    struct tracing_file *f;
    unsigned steps = 0;
    char name[32];
    int fd = -EINPROGRESS;

    make("t", true);
    for (unsigned i = 1; i <= all; i++) {
        snprintf(name, sizeof name, "t.%u", i);
        make(name, true);
    }
    f = tracing_file_new(unit_path("t"), 3);
    ck_assert_ptr_nonnull(f);
    while (fd == -EINPROGRESS) {
        fd = tracing_file_step(f);
        steps++;
    }
    tracing_file_free(f);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_uint_ge(steps, 2 * all / LIMIT_TRACING_NAMES);
    for (unsigned i = 1; i <= all + 1; i++) {
        snprintf(name, sizeof name, "t.%u", i);
        ck_assert_msg(is_there(name) == (i >= all - 1), "%s", name);
    }
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("tracing_file");
    TCase *const tc = unit_case(s, "files");

    tcase_add_test(tc, a_new_one_is_its_owner_s);
    tcase_add_test(tc, old_ones_are_numbered);
    tcase_add_test(tc, so_many_old_ones_are_kept);
    tcase_add_test(tc, others_files_are_left_alone);
    tcase_add_test(tc, what_is_no_file);
    tcase_add_test(tc, names_of_others);
    tcase_add_test(tc, great_numbers);
    tcase_add_test(tc, the_greatest_number);
    tcase_add_test(tc, a_large_folder_in_steps);
    return unit_run(s);
}
