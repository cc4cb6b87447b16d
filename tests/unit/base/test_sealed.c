/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Files in memory that nobody can change. */
#define _GNU_SOURCE
#include "base/sealed.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/support/unit.h"

START_TEST(parts_lie_one_behind_the_other)
{
    const struct sealed_part parts[] = {{"set", 3}, {"tings", 5}, {"", 0}};
    const int fd = sealed_new("test", parts, 3);
    char found[16];

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pread(fd, found, sizeof found, 0), 8);
    ck_assert_mem_eq(found, "settings", 8);
    ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
}
END_TEST

START_TEST(it_cannot_be_changed)
{
    const struct sealed_part part = {"settings", 8};
    const int fd = sealed_new("test", &part, 1);

    ck_assert_int_ge(fd, 0);
    ck_assert(pwrite(fd, "S", 1, 0) < 0 && errno == EPERM);
    ck_assert(ftruncate(fd, 4) < 0 && errno == EPERM);
    ck_assert(ftruncate(fd, 16) < 0 && errno == EPERM);
    ck_assert_ptr_eq(mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    ck_assert_int_eq(errno, EPERM);
    ck_assert(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) < 0 && errno == EPERM);
    close(fd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sealed files");
    TCase *tc = unit_case(suite, "sealed");

    tcase_add_test(tc, parts_lie_one_behind_the_other);
    tcase_add_test(tc, it_cannot_be_changed);
    return unit_run(suite);
}
