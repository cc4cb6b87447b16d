/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The process that was started outlives its monitor, starts the next one, and leaves nothing behind
 * however it ends.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/daemon/rig.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

/* A poemd with a worker and a device, all of its processes known. */
struct keeper_rig {
    struct rig rig;
    pid_t pids[RIG_WORKERS];
    size_t n;
};

/* A device that does not end by SIGTERM. */
#define KEEPER_STUBBORN "trap : TERM; echo stays; while :; do sleep 3600; done"

static void keeper_launch(struct keeper_rig *k)
{
    rig_init(&k->rig);
    rig_configure(&k->rig,
                  "workers 1\nroute r {\nlisten %s\nbackend %s\nrecite to client never\n}\n"
                  "route s {\nlisten %s\nbackend spawn \"/bin/sh -c '" KEEPER_STUBBORN
                  "' sh %%fd\"\n}\n",
                  k->rig.listen, k->rig.backend, unit_path("s.sock"));
    rig_launch(&k->rig);
    rig_await_log(&k->rig, " wrote: stays", NULL, 0);
    k->n = rig_workers(&k->rig, k->pids);
    /* The worker, the device, its guard. */
    ck_assert_uint_eq(k->n, 3);
}

/* Its processes, and what a device has started, are gone. */
static void keeper_expect_nothing(const struct keeper_rig *k, pid_t monitor)
{
    const struct patience patience = patience_begin();

    for (size_t i = 0; i < k->n; i++) {
        while (!process_gone(k->pids[i])) {
            ck_assert_msg(patience_again(&patience), "process %ld is left", (long)k->pids[i]);
        }
    }
    while (!process_gone(monitor)) {
        ck_assert_msg(patience_again(&patience), "the monitor is left");
    }
}

static pid_t keeper_kill_monitor(struct rig *r)
{
    const pid_t monitor = rig_monitor(r);
    const struct patience patience = patience_begin();

    ck_assert_int_eq(kill(monitor, SIGKILL), 0);
    while (!process_gone(monitor)) {
        ck_assert_msg(patience_again(&patience), "the monitor is left");
    }
    return monitor;
}

START_TEST(a_killed_monitor_is_replaced)
{
    struct rig r;
    struct pair p;
    pid_t monitor;

    rig_start(&r, "");
    rig_session(&r, NULL, NULL, &p);
    for (int i = 0; i < 3; i++) {
        monitor = keeper_kill_monitor(&r);
        rig_await_log(&r, " was killed by signal 9", NULL, 0);
        rig_await_log(&r, "2 routes, 1 worker", NULL, 0);
        ck_assert_int_ne(rig_monitor(&r), monitor);
    }
    /* Whether its worker was adopted or not. */
    pair_ping(&p);
    pair_close(&p);
    rig_session(&r, NULL, NULL, &p);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

START_TEST(a_stop_leaves_nothing_behind)
{
    struct keeper_rig k;
    pid_t monitor;

    keeper_launch(&k);
    monitor = rig_monitor(&k.rig);
    rig_terminate(&k.rig);
    keeper_expect_nothing(&k, monitor);
    rig_deinit(&k.rig);
}
END_TEST

/* The signal comes while no monitor is there: the keeper starts one, which stops in order. */
START_TEST(a_stop_without_a_monitor_leaves_nothing_behind)
{
    struct keeper_rig k;
    pid_t monitor;

    keeper_launch(&k);
    ck_assert_int_eq(kill(k.rig.daemon, SIGSTOP), 0);
    monitor = keeper_kill_monitor(&k.rig);
    ck_assert_int_eq(kill(k.rig.daemon, SIGTERM), 0);
    ck_assert_int_eq(kill(k.rig.daemon, SIGCONT), 0);
    ck_assert_int_eq(process_wait(k.rig.daemon), 0);
    k.rig.daemon = 0;
    keeper_expect_nothing(&k, monitor);
    rig_deinit(&k.rig);
}
END_TEST

/* A monitor that does nothing any more is killed in the end; another one stops in order. */
START_TEST(a_stop_does_not_wait_for_a_monitor_that_hangs)
{
    struct keeper_rig k;
    pid_t monitor;

    keeper_launch(&k);
    monitor = rig_monitor(&k.rig);
    ck_assert_int_eq(kill(monitor, SIGSTOP), 0);
    ck_assert_int_eq(kill(k.rig.daemon, SIGTERM), 0);
    ck_assert_int_eq(process_wait(k.rig.daemon), 0);
    k.rig.daemon = 0;
    rig_await_log(&k.rig, "did not stop in time; killed", NULL, 0);
    keeper_expect_nothing(&k, monitor);
    rig_deinit(&k.rig);
}
END_TEST

/* Without its keeper the monitor stops in order; the kernel ends the devices. */
START_TEST(the_keeper_is_killed)
{
    const struct patience patience = patience_begin();
    struct keeper_rig k;
    struct pair p;
    pid_t monitor;

    keeper_launch(&k);
    rig_session(&k.rig, NULL, NULL, &p);
    monitor = rig_monitor(&k.rig);
    ck_assert_int_eq(kill(k.rig.daemon, SIGKILL), 0);
    ck_assert_int_eq(process_wait(k.rig.daemon), SIGKILL);
    k.rig.daemon = 0;
    pair_expect_end(&p);
    keeper_expect_nothing(&k, monitor);
    while (access(k.rig.listen, F_OK) == 0) {
        ck_assert_msg(patience_again(&patience), "its socket is left");
    }
    rig_deinit(&k.rig);
}
END_TEST

/* SIGHUP and SIGUSR1 that come while no monitor is there are the next one's. */
START_TEST(a_signal_waits_for_the_next_monitor)
{
    struct rig r;

    rig_start(&r, "");
    ck_assert_int_eq(kill(r.daemon, SIGSTOP), 0);
    (void)keeper_kill_monitor(&r);
    ck_assert_int_eq(kill(r.daemon, SIGUSR1), 0);
    ck_assert_int_eq(kill(r.daemon, SIGCONT), 0);
    rig_await_log(&r, "status: poemd", NULL, 0);
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

/* A monitor that cannot begin is started again; the sessions wait for one that can. */
START_TEST(a_monitor_that_cannot_take_over_is_tried_again)
{
    char folder[RIG_PATH];
    char elsewhere[RIG_PATH];
    struct rig r;
    struct pair p;

    snprintf(folder, sizeof folder, "%s", unit_path("captures"));
    snprintf(elsewhere, sizeof elsewhere, "%s", unit_path("elsewhere"));
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    rig_init(&r);
    rig_configure(&r,
                  "workers 1\nroute r {\nlisten %s\nbackend %s\nrecite to client never\n"
                  "trace %s/r.pcapng\n}\n",
                  r.listen, r.backend, folder);
    rig_launch(&r);
    rig_session(&r, NULL, NULL, &p);
    pair_ping(&p);
    ck_assert_int_eq(rename(folder, elsewhere), 0);
    (void)keeper_kill_monitor(&r);
    rig_await_log(&r, "cannot start: ", NULL, 0);
    rig_await_log(&r, "cannot start: ", NULL, 0);
    ck_assert_int_eq(rename(elsewhere, folder), 0);
    rig_await_log(&r, "1 route, 1 worker", NULL, 0);
    pair_ping(&p);
    pair_close(&p);
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("daemon: the keeper");
    TCase *const tc = rig_case(suite, "keeper");

    tcase_add_test(tc, a_killed_monitor_is_replaced);
    tcase_add_test(tc, a_stop_leaves_nothing_behind);
    tcase_add_test(tc, a_stop_without_a_monitor_leaves_nothing_behind);
    tcase_add_test(tc, a_stop_does_not_wait_for_a_monitor_that_hangs);
    tcase_add_test(tc, the_keeper_is_killed);
    tcase_add_test(tc, a_signal_waits_for_the_next_monitor);
    tcase_add_test(tc, a_monitor_that_cannot_take_over_is_tried_again);
    return unit_run(suite);
}
