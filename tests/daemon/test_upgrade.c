/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A broker that goes on as another program: the same process, with every session; or not, if that
 * program cannot.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/rig.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

#define UPGRADED "upgraded from "

static char control[RIG_PATH];

static void start(struct rig *r, unsigned workers, const char *statements)
{
    rig_init(r);
    snprintf(control, sizeof control, "%s", unit_path("control"));
    rig_configure(r,
                  "workers %u\ncontrol %s\nroute r {\n    listen %s\n    backend %s\n"
                  "    sessions 8\n    recite to client never\n%s}\n",
                  workers, control, r->listen, r->backend, statements);
    rig_launch(r);
    rig_measure(r, workers);
}

/* Runs "poemctl upgrade" with this program, NULL: none. Returns its exit status. */
static int upgrade(const struct rig *r, const char *program)
{
    const char *const argv[] = {POEMCTL_PATH, "upgrade", "--control", control, program, NULL};
    const int status = process_wait(process_start(argv, r->log_fd, -1));

    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* A program that is executable, and this script. */
static const char *script(const char *text)
{
    const char *const path = unit_path("program");
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

/* Waits until the worker is one of another program: the first one has gone. */
static void await_gone(pid_t pid)
{
    const struct patience patience = patience_begin();

    while (!process_gone(pid)) {
        ck_assert_msg(patience_again(&patience), "worker %d of the earlier program stays",
                      (int)pid);
    }
}

/* Waits until there are as many workers as configured: those of an earlier program have gone. */
static void await_workers(const struct rig *r, pid_t out[RIG_WORKERS])
{
    const struct patience patience = patience_begin();

    while (rig_workers(r, out) != r->workers) {
        ck_assert_msg(patience_again(&patience), "workers of the earlier program stay");
    }
}

START_TEST(every_session_goes_on_in_a_new_worker)
{
    enum { SESSIONS = 6, UPGRADES = 3 };
    struct pair p[SESSIONS];
    struct rig r;

    start(&r, 2, "");
    for (int i = 0; i < SESSIONS; i++) {
        rig_session(&r, NULL, NULL, &p[i]);
    }
    for (int n = 0; n < UPGRADES; n++) {
        pid_t workers[RIG_WORKERS];

        await_workers(&r, workers);
        ck_assert_int_eq(upgrade(&r, NULL), 0);
        for (int i = 0; i < SESSIONS; i++) {
            pair_ping(&p[i]);
        }
        await_gone(workers[0]);
        await_gone(workers[1]);
        for (int i = 0; i < SESSIONS; i++) {
            pair_ping(&p[i]);
        }
    }
    for (int i = 0; i < SESSIONS; i++) {
        pair_close(&p[i]);
    }
    rig_stop(&r);
}
END_TEST

START_TEST(a_signal_does_the_same)
{
    struct rig r;
    struct pair p;
    pid_t worker;

    start(&r, 1, "");
    rig_session(&r, NULL, NULL, &p);
    worker = rig_worker(&r);
    ck_assert_int_eq(kill(r.daemon, SIGUSR2), 0);
    rig_await_log(&r, UPGRADED, NULL, 0);
    await_gone(worker);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* Nothing is on its way in a session whose maps are checked but what its worker alone knows. */
START_TEST(a_session_that_cannot_move_keeps_its_worker)
{
    struct rig r;
    struct pair p;
    pid_t worker;

    start(&r, 1, "    dma max-maps 4\n");
    rig_session(&r, NULL, NULL, &p);
    worker = rig_worker(&r);
    ck_assert_int_eq(upgrade(&r, NULL), 0);
    pair_ping(&p);
    ck_assert(!process_gone(worker));
    pair_close(&p);
    await_gone(worker);
    rig_stop(&r);
}
END_TEST

START_TEST(a_program_that_does_not_know_the_state_is_refused)
{
    struct rig r;
    struct pair p;
    pid_t monitor;

    start(&r, 1, "");
    rig_session(&r, NULL, NULL, &p);
    monitor = rig_monitor(&r);
    ck_assert_int_eq(upgrade(&r, "/bin/false"), 1);
    ck_assert_int_eq(upgrade(&r, script("#!/bin/sh\nexit 1\n")), 1);
    ck_assert_int_eq(upgrade(&r, script("no program\n")), 1);
    ck_assert_int_eq(rig_monitor(&r), monitor);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

START_TEST(a_wrong_configuration_is_refused)
{
    struct rig r;
    struct pair p;
    pid_t monitor;

    start(&r, 1, "");
    rig_session(&r, NULL, NULL, &p);
    monitor = rig_monitor(&r);
    rig_configure(&r, "frobnicate\n");
    ck_assert_int_eq(upgrade(&r, NULL), 1);
    ck_assert_int_eq(rig_monitor(&r), monitor);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* Others than root could replace it while it is checked. */
START_TEST(a_program_that_others_can_change_is_refused)
{
    const char *const program = script("#!/bin/sh\nexit 0\n");
    struct rig r;

    start(&r, 1, "");
    ck_assert_int_eq(chmod(program, 0777), 0);
    ck_assert_int_eq(upgrade(&r, program), 3);
    rig_stop(&r);
}
END_TEST

/* The program unready.c, beside this one. */
static const char *unready(void)
{
    static char path[512];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof "unready");

    ck_assert_int_gt(n, 0);
    path[n] = '\0';
    snprintf(strrchr(path, '/') + 1, sizeof "unready", "unready");
    return path;
}

/* It passes the check, but no monitor of it gets ready: the earlier program goes on. */
START_TEST(a_program_that_does_not_get_ready_is_left_again)
{
    struct rig r;
    struct pair p;

    start(&r, 1, "");
    rig_session(&r, NULL, NULL, &p);
    ck_assert_int_eq(upgrade(&r, unready()), 1);
    rig_await_log(&r, "the upgrade has failed", NULL, 0);
    pair_ping(&p);
    /* It can be tried again. */
    ck_assert_int_eq(upgrade(&r, NULL), 0);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("daemon: upgrade");
    TCase *tc = rig_case(s, "upgrade");

    tcase_add_test(tc, every_session_goes_on_in_a_new_worker);
    tcase_add_test(tc, a_signal_does_the_same);
    tcase_add_test(tc, a_session_that_cannot_move_keeps_its_worker);
    tcase_add_test(tc, a_program_that_does_not_know_the_state_is_refused);
    tcase_add_test(tc, a_wrong_configuration_is_refused);
    tcase_add_test(tc, a_program_that_others_can_change_is_refused);
    tcase_add_test(tc, a_program_that_does_not_get_ready_is_left_again);
    return unit_run(s);
}
