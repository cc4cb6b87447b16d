/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* User ids that nothing else uses. */
#define _GNU_SOURCE
#include "base/users.h"

#include <check.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/unit.h"

START_TEST(what_is_picked_is_nobodys)
{
    struct users_process p;
    uid_t first = 0;

    ck_assert_int_eq(users_pick(16, &first), 0);
    ck_assert(first != 0 && first != USERS_OVERFLOW);
    ck_assert_ptr_null(getpwuid(first));
    ck_assert(!users_find(first, 16, 0, &p));
}
END_TEST

/* A process by any of whose ids a number is taken. Its pid, once it has it. */
static pid_t process_of(uid_t uid)
{
    int ends[2];
    char c;
    pid_t pid;

    ck_assert_int_eq(pipe(ends), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        (void)prctl(PR_SET_NAME, "some one", 0, 0, 0);
        if (setresuid((uid_t)-1, (uid_t)-1, uid) < 0 || write(ends[1], "r", 1) != 1) {
            _exit(1);
        }
        for (;;) {
            pause();
        }
    }
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], &c, 1), 1);
    close(ends[0]);
    return pid;
}

START_TEST(a_number_that_a_process_uses_is_not_picked)
{
    struct users_process p;
    uid_t first = 0;
    uid_t next = 0;
    pid_t pid;

    if (geteuid() != 0) {
        puts("skipped: a_number_that_a_process_uses_is_not_picked: only root can be others");
        return;
    }
    ck_assert_int_eq(users_pick(16, &first), 0);
    /* The last of the block, as its saved id alone. */
    pid = process_of(first + 15);
    ck_assert(users_find(first, 16, 0, &p));
    ck_assert_int_eq(p.pid, pid);
    ck_assert_str_eq(p.name, "some one");
    ck_assert(!users_find(first, 15, 0, &p));
    ck_assert(!users_find(first + 16, 16, 0, &p));
    ck_assert_int_eq(users_pick(16, &next), 0);
    ck_assert(next + 16 <= first || next >= first + 16);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert(!users_find(first, 16, 0, &p));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("users");
    TCase *tc = unit_case(suite, "users");

    tcase_add_test(tc, what_is_picked_is_nobodys);
    tcase_add_test(tc, a_number_that_a_process_uses_is_not_picked);
    return unit_run(suite);
}
