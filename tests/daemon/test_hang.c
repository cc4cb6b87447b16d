/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Processes of poemd's that stand still (SIGSTOP is as good as an endless loop): they are noticed,
 * killed and replaced, and clients have their answers. And such that only seem to: on a machine
 * that is suspended, or has no CPU to spare, nothing is killed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/rig.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

static void start(struct rig *r, unsigned workers, unsigned sessions)
{
    rig_init(r);
    rig_configure(r,
                  "workers %u\nlog-level debug\nroute r {\n    listen %s\n    backend %s\n"
                  "    sessions %u\n    recite to client never\n}\n",
                  workers, r->listen, r->backend, sessions);
    rig_launch(r);
    rig_measure(r, workers);
}

static void stop_worker(const struct rig *r)
{
    ck_assert_int_eq(kill(rig_worker(r), SIGSTOP), 0);
}

static void expect_session(struct rig *r)
{
    struct pair p;

    rig_session(r, NULL, NULL, &p);
    pair_ping(&p);
    pair_close(&p);
    rig_await_log(r, " ended: ", NULL, 0);
}

START_TEST(a_worker_is_replaced)
{
    struct rig r;
    struct pair p;
    pid_t worker;

    start(&r, 1, 1);
    rig_session(&r, NULL, NULL, &p);
    pair_ping(&p);
    worker = rig_worker(&r);
    rig_await_rest(worker);
    stop_worker(&r);
    pair_ping(&p);
    rig_await_log(&r, "hangs", NULL, 0);
    rig_await_log(&r, "goes on in worker", NULL, 0);
    pair_close(&p);
    rig_await_log(&r, " ended: ", NULL, 0);
    rig_settle(&r);
    ck_assert_int_ne(rig_worker(&r), worker);
    expect_session(&r);
    rig_stop(&r);
}
END_TEST

/* Its client is answered by the next worker: the request was never read, or its id is known. */
START_TEST(a_handshake_is_answered)
{
    struct rig r;
    int client;
    int backend = -1;

    start(&r, 1, 1);
    client = peer_connect(r.listen);
    if (_i) {
        peer_send_version(client, 9, WIRE_TYPE_COMMAND, NULL, NULL);
        backend = peer_accept(r.backend_fd);
        peer_recv_version(backend, 9, WIRE_TYPE_COMMAND, NULL);
    }
    stop_worker(&r);
    if (!_i) {
        peer_send_version(client, 9, WIRE_TYPE_COMMAND, NULL, NULL);
    }
    ck_assert_int_eq(peer_recv_error(client, 9, WIRE_VERSION), ECONNABORTED);
    peer_expect_eof(client);
    rig_await_log(&r, "ended: reason=worker-hung state=reciting", NULL, 0);
    close(client);
    sock_close(&backend);
    if (!_i) {
        close(peer_accept(r.backend_fd));
    }
    expect_session(&r);
    rig_stop(&r);
}
END_TEST

/* The same where the worker dies. */
START_TEST(a_handshake_is_answered_where_its_worker_dies)
{
    struct rig r;
    int client;
    int backend;

    start(&r, 1, 1);
    client = peer_connect(r.listen);
    peer_send_version(client, 9, WIRE_TYPE_COMMAND, NULL, NULL);
    backend = peer_accept(r.backend_fd);
    peer_recv_version(backend, 9, WIRE_TYPE_COMMAND, NULL);
    ck_assert_int_eq(kill(rig_worker(&r), SIGKILL), 0);
    ck_assert_int_eq(peer_recv_error(client, 9, WIRE_VERSION), ECONNABORTED);
    peer_expect_eof(client);
    close(client);
    close(backend);
    expect_session(&r);
    rig_stop(&r);
}
END_TEST

/* Its route is taken; the worker that has to say so hangs. */
START_TEST(a_refusal_is_answered)
{
    struct rig r;
    struct pair p;
    int client;

    start(&r, 1, 1);
    rig_session(&r, NULL, NULL, &p);
    pair_ping(&p);
    rig_await_rest(rig_worker(&r));
    stop_worker(&r);
    client = peer_connect(r.listen);
    peer_send_version(client, 3, WIRE_TYPE_COMMAND, NULL, NULL);
    ck_assert_int_eq(peer_recv_error(client, 3, WIRE_VERSION), EBUSY);
    peer_expect_eof(client);
    close(client);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* From the first beat that it misses new sessions are another's. */
START_TEST(new_sessions_are_anothers)
{
    struct pair pairs[6];
    pid_t workers[RIG_WORKERS];
    struct rig r;

    start(&r, 2, 8);
    ck_assert_uint_eq(rig_workers(&r, workers), 2);
    ck_assert_int_eq(kill(workers[0], SIGSTOP), 0);
    rig_await_log(&r, "has not answered for", NULL, 0);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        rig_session(&r, NULL, NULL, &pairs[i]);
    }
    rig_await_log(&r, "it had 0 sessions", NULL, 0);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        pair_ping(&pairs[i]);
        pair_close(&pairs[i]);
    }
    rig_stop(&r);
}
END_TEST

/* ---- processes that do not hang ---- */

static void nap(unsigned ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

/* All of it stood still, as on a machine that is suspended. */
START_TEST(a_suspended_poemd)
{
    struct rig r;
    struct pair p;
    pid_t monitor;
    pid_t worker;

    start(&r, 1, 1);
    rig_session(&r, NULL, NULL, &p);
    worker = rig_worker(&r);
    monitor = rig_monitor(&r);
    ck_assert_int_eq(kill(r.daemon, SIGSTOP), 0);
    ck_assert_int_eq(kill(worker, SIGSTOP), 0);
    ck_assert_int_eq(kill(monitor, SIGSTOP), 0);
    nap(LIMIT_SILENT_MS + 2 * LIMIT_BEAT_MS);
    ck_assert_int_eq(kill(monitor, SIGCONT), 0);
    ck_assert_int_eq(kill(worker, SIGCONT), 0);
    ck_assert_int_eq(kill(r.daemon, SIGCONT), 0);
    nap(2 * LIMIT_BEAT_MS);
    pair_ping(&p);
    pair_close(&p);
    rig_await_log(&r, "-closed state=relaying", NULL, 0);
    ck_assert_int_eq(rig_worker(&r), worker);
    rig_stop(&r);
}
END_TEST

static void hog(void *arg)
{
    (void)arg;
    for (;;) {
        __asm__ volatile("");
    }
}

/* The worker is the last to get the CPU that it shares with others. */
START_TEST(a_starved_worker)
{
    const struct sched_param none = {.sched_priority = 0};
    pid_t hogs[4];
    struct rig r;
    struct pair p;
    cpu_set_t cpus;
    cpu_set_t one;
    pid_t worker;
    size_t cpu = 0;

    start(&r, 1, 1);
    rig_session(&r, NULL, NULL, &p);
    worker = rig_worker(&r);
    ck_assert_int_eq(sched_getaffinity(0, sizeof cpus, &cpus), 0);
    while (!CPU_ISSET(cpu, &cpus)) {
        cpu++;
    }
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    for (size_t i = 0; i < sizeof hogs / sizeof *hogs; i++) {
        hogs[i] = process_fork(hog, NULL);
        ck_assert_int_eq(sched_setaffinity(hogs[i], sizeof one, &one), 0);
    }
    ck_assert_int_eq(sched_setscheduler(worker, SCHED_IDLE, &none), 0);
    ck_assert_int_eq(sched_setaffinity(worker, sizeof one, &one), 0);
    nap(LIMIT_SILENT_MS + 4 * LIMIT_BEAT_MS);
    for (size_t i = 0; i < sizeof hogs / sizeof *hogs; i++) {
        kill(hogs[i], SIGKILL);
        (void)process_wait(hogs[i]);
    }
    pair_ping(&p);
    pair_close(&p);
    rig_await_log(&r, "-closed state=relaying", NULL, 0);
    ck_assert_int_eq(rig_worker(&r), worker);
    rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("daemon: processes that hang");
    TCase *const hung = rig_case(suite, "hung");
    TCase *const slow = rig_case(suite, "slow");

    tcase_add_test(hung, a_worker_is_replaced);
    tcase_add_loop_test(hung, a_handshake_is_answered, 0, 2);
    tcase_add_test(hung, a_handshake_is_answered_where_its_worker_dies);
    tcase_add_test(hung, a_refusal_is_answered);
    tcase_add_test(hung, new_sessions_are_anothers);
    tcase_add_test(slow, a_suspended_poemd);
    tcase_add_test(slow, a_starved_worker);
    return unit_run(suite);
}
