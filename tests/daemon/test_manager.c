/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* poemd below a service manager with a store of fds: started, stopped, started again. */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/wire/wire.h"
#include "tests/daemon/manager.h"
#include "tests/daemon/rig.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

static void manager_configure(struct rig *r)
{
    rig_init(r);
    rig_configure(r, "workers 1\nroute r {\nlisten %s\nbackend %s\nrecite to client never\n}\n",
                  r->listen, r->backend);
}

START_TEST(it_reports_that_it_serves_and_that_it_stops)
{
    struct manager m;
    struct rig r;

    manager_init(&m);
    manager_configure(&r);
    manager_launch(&m, &r);
    manager_hear(&m);
    ck_assert_uint_eq(m.ready, 1);
    ck_assert_uint_eq(m.stopping, 0);
    rig_terminate(&r);
    manager_hear(&m);
    ck_assert_uint_eq(m.stopping, 1);
    ck_assert_uint_eq(m.n, 0);
    rig_deinit(&r);
    manager_deinit(&m);
}
END_TEST

START_TEST(what_it_has_no_use_for_is_dropped)
{
    struct manager m;
    struct rig r;

    manager_init(&m);
    manager_configure(&r);
    manager_keep(&m, "x1.of-another-version", STDERR_FILENO);
    manager_keep(&m, "c99", STDERR_FILENO);
    /* The name of a route, but not a socket that listens at its path. */
    manager_keep(&m, "r", STDERR_FILENO);
    manager_launch(&m, &r);
    manager_await(&m, "x1.of-another-version", false);
    manager_await(&m, "r", false);
    ck_assert_int_eq(access(r.listen, F_OK), 0);
    rig_terminate(&r);
    rig_deinit(&r);
    manager_deinit(&m);
}
END_TEST

/* The status is for "systemctl status"; each beat of the monitor feeds the watchdog. */
START_TEST(it_reports_sessions_and_turns)
{
    struct manager m;
    struct pair p;
    struct rig r;

    manager_init(&m);
    manager_configure(&r);
    manager_launch(&m, &r);
    manager_await_status(&m, "0 sessions on 1 route");
    rig_session(&r, peer_qemu_json, "{}", &p);
    manager_await_status(&m, "1 session on 1 route");
    manager_await_count(&m, &m.alive, m.alive + 2);
    pair_close(&p);
    rig_terminate(&r);
    rig_deinit(&r);
    manager_deinit(&m);
}
END_TEST

START_TEST(it_reports_the_beginning_and_the_end_of_a_reload)
{
    struct manager m;
    struct rig r;

    manager_init(&m);
    manager_configure(&r);
    manager_launch(&m, &r);
    manager_await_count(&m, &m.ready, 1);
    ck_assert_uint_eq(m.reloading, 0);
    ck_assert_int_eq(kill(r.daemon, SIGHUP), 0);
    manager_await_count(&m, &m.ready, 2);
    ck_assert_uint_eq(m.reloading, 1);
    /* A file that is wrong is a reload, too. */
    rig_configure(&r, "nonsense\n");
    ck_assert_int_eq(kill(r.daemon, SIGHUP), 0);
    manager_await_count(&m, &m.ready, 3);
    ck_assert_uint_eq(m.reloading, 2);
    rig_terminate(&r);
    rig_deinit(&r);
    manager_deinit(&m);
}
END_TEST

/* The keeper finds it before a service manager does, and sessions go on in the next monitor. */
START_TEST(a_monitor_that_hangs_is_replaced)
{
    struct manager m;
    struct pair p;
    struct rig r;
    pid_t monitor;

    manager_init(&m);
    manager_configure(&r);
    manager_launch(&m, &r);
    rig_session(&r, peer_qemu_json, "{}", &p);
    monitor = rig_monitor(&r);
    ck_assert_int_eq(kill(monitor, SIGSTOP), 0);
    rig_await_log(&r, "hangs: it has not made a turn", NULL, 0);
    manager_await_count(&m, &m.ready, 2);
    ck_assert_int_ne(rig_monitor(&r), monitor);
    manager_await_status(&m, "1 session on 1 route");
    pair_ping(&p);
    pair_close(&p);
    rig_terminate(&r);
    rig_deinit(&r);
    manager_deinit(&m);
}
END_TEST

/* For a restart all processes end at once, and the next poemd serves. */
START_TEST(it_is_started_again)
{
    const struct patience patience = patience_begin();
    pid_t pids[RIG_WORKERS];
    struct manager m;
    struct pair p;
    struct rig r;
    size_t n;

    manager_init(&m);
    manager_configure(&r);
    manager_launch(&m, &r);
    for (int i = 0; i < 3; i++) {
        n = rig_workers(&r, pids);
        manager_leave(&m, &r);
        for (size_t j = 0; j < n; j++) {
            while (!process_gone(pids[j])) {
                ck_assert_msg(patience_again(&patience), "process %ld is left", (long)pids[j]);
            }
        }
        manager_launch(&m, &r);
        rig_session(&r, peer_qemu_json, "{}", &p);
        pair_ping(&p);
        pair_close(&p);
    }
    rig_terminate(&r);
    rig_deinit(&r);
    manager_deinit(&m);
}
END_TEST

/* Sessions go on in the next poemd, with what was under way and what their peers sent meanwhile. */
START_TEST(sessions_outlive_a_restart)
{
    struct wire_hdr hdr = {
        .id = 9, .command = WIRE_DEVICE_GET_INFO, .size = sizeof hdr, .flags = WIRE_TYPE_COMMAND};
    struct manager m;
    struct message got;
    struct pair p;
    struct rig r;

    manager_init(&m);
    manager_configure(&r);
    manager_launch(&m, &r);
    rig_session(&r, peer_qemu_json, "{}", &p);
    pair_ping(&p);
    for (uint16_t i = 0; i < 3; i++) {
        manager_await(&m, "s1.c", true);
        manager_await(&m, "s1.b", true);
        manager_leave(&m, &r);
        /* Nobody reads this before the next one runs. */
        hdr.id = (uint16_t)(9 + i);
        peer_send(p.client_fd, hdr, NULL, 0, NULL);
        manager_launch(&m, &r);
        rig_await_log(&r, "goes on", NULL, 0);
        peer_recv(p.backend_fd, &got);
        ck_assert_uint_eq(got.hdr.id, hdr.id);
        message_deinit(&got);
        peer_send(
            p.backend_fd,
            (struct wire_hdr){
                .id = hdr.id, .command = hdr.command, .size = sizeof hdr, .flags = WIRE_TYPE_REPLY},
            NULL, 0, NULL);
        peer_recv(p.client_fd, &got);
        ck_assert_uint_eq(got.hdr.id, hdr.id);
        message_deinit(&got);
        pair_ping(&p);
    }
    pair_close(&p);
    rig_await_log(&r, "ended: reason=", NULL, 0);
    manager_await(&m, "s1.c", false);
    manager_await(&m, "s1.b", false);
    rig_terminate(&r);
    rig_deinit(&r);
    manager_deinit(&m);
}
END_TEST

/* Socket activation: the manager's socket unit has the route's name (FileDescriptorName). */
START_TEST(a_route_takes_the_socket_of_its_name)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct stat before;
    struct stat after;
    struct manager m;
    struct pair p;
    struct rig r;

    manager_init(&m);
    manager_configure(&r);
    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", r.listen);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&sun, sizeof sun), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    ck_assert_int_eq(stat(r.listen, &before), 0);
    manager_keep(&m, "r", fd);
    manager_launch(&m, &r);
    rig_session(&r, peer_qemu_json, "{}", &p);
    pair_ping(&p);
    /* The next monitor has it, too. */
    ck_assert_int_eq(kill(rig_monitor(&r), SIGKILL), 0);
    manager_await_count(&m, &m.ready, 2);
    pair_ping(&p);
    pair_close(&p);
    rig_session(&r, peer_qemu_json, "{}", &p);
    pair_close(&p);
    ck_assert_int_eq(kill(r.daemon, SIGTERM), 0);
    ck_assert_int_eq(process_wait(r.daemon), 0);
    r.daemon = 0;
    /* The file is the manager's, and stays; its socket still accepts. */
    ck_assert_int_eq(stat(r.listen, &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    ck_assert_int_eq(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0), 0);
    close(fd);
    rig_deinit(&r);
    manager_deinit(&m);
}
END_TEST

/* Without a manager that keeps anything, the signal of a restart is a stop. */
START_TEST(without_a_manager_it_stops)
{
    struct pair p;
    struct rig r;

    rig_start(&r, "");
    rig_session(&r, NULL, NULL, &p);
    ck_assert_int_eq(kill(r.daemon, SIGRTMIN + 1), 0);
    pair_expect_end(&p);
    ck_assert_int_eq(process_wait(r.daemon), 0);
    r.daemon = 0;
    ck_assert_int_lt(access(r.listen, F_OK), 0);
    rig_deinit(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("daemon: a service manager");
    TCase *const tc = rig_case(suite, "manager");

    tcase_add_test(tc, it_reports_that_it_serves_and_that_it_stops);
    tcase_add_test(tc, what_it_has_no_use_for_is_dropped);
    tcase_add_test(tc, it_reports_sessions_and_turns);
    tcase_add_test(tc, it_reports_the_beginning_and_the_end_of_a_reload);
    tcase_add_test(tc, a_monitor_that_hangs_is_replaced);
    tcase_add_test(tc, it_is_started_again);
    tcase_add_test(tc, sessions_outlive_a_restart);
    tcase_add_test(tc, a_route_takes_the_socket_of_its_name);
    tcase_add_test(tc, without_a_manager_it_stops);
    return unit_run(suite);
}
