/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What keeps two that listen at one path apart, and whom it must not keep. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/support/unit.h"

static int listen_at(const char *path)
{
    return sock_listen(path, 0600, (uid_t)-1, (gid_t)-1, 1);
}

/* A lock of the folder is anybody's who may read it: nobody waits for it. */
START_TEST(a_locked_folder_stops_nobody)
{
    const char *path = unit_path("s");
    const int folder_fd = open(unit_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;
    int fd;

    ck_assert_int_ge(folder_fd, 0);
    ck_assert_int_eq(flock(folder_fd, LOCK_EX), 0);
    fd = listen_at(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_lt(lstat(unit_path("s.lock"), &st), 0);
    sock_close(&fd);
    close(folder_fd);
}
END_TEST

/* What stands in the lock file's place. It is never followed, waited for without end, or removed.
 */
START_TEST(lock_files_of_others)
{
    const char *lock = unit_path("s.lock");
    struct stat st;
    int fd = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    ck_assert_int_eq(listen_at(unit_path("s")), -ETIMEDOUT);
    ck_assert_int_eq(flock(fd, LOCK_UN), 0);
    ck_assert_int_eq(fchmod(fd, 0604), 0);
    ck_assert_int_eq(listen_at(unit_path("s")), -ENOLCK);
    ck_assert_int_eq(lstat(lock, &st), 0);
    ck_assert_int_eq(unlink(lock), 0);
    ck_assert_int_eq(symlink("elsewhere", lock), 0);
    ck_assert_int_eq(listen_at(unit_path("s")), -ELOOP);
    ck_assert_int_eq(unlink(lock), 0);
    ck_assert_int_eq(mkfifo(lock, 0600), 0);
    ck_assert_int_eq(listen_at(unit_path("s")), -ENOLCK);
    ck_assert_int_eq(lstat(unit_path("elsewhere"), &st), -1);
    close(fd);
}
END_TEST

/* One that a killed start has left is taken over. */
START_TEST(a_lock_file_that_was_left)
{
    struct stat st;
    int fd = open(unit_path("s.lock"), O_CREAT | O_RDWR | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    close(fd);
    fd = listen_at(unit_path("s"));
    ck_assert_int_ge(fd, 0);
    ck_assert_int_lt(lstat(unit_path("s.lock"), &st), 0);
    sock_close(&fd);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("sock: locks");
    TCase *const tc = unit_case(s, "locks");

    tcase_add_test(tc, a_locked_folder_stops_nobody);
    tcase_add_test(tc, lock_files_of_others);
    tcase_add_test(tc, a_lock_file_that_was_left);
    return unit_run(s);
}
