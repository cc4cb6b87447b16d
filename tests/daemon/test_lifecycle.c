/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * poemd from start to stop: its sockets' files, its routes and sessions, backends that are not
 * there, its workers, and every way of being ended.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/rig.h"
#include "tests/support/fdcount.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

/* ---- the socket's file ---- */

/* Two files that nobody listens on: poemd's own and the backend's. */
START_TEST(a_stale_socket_is_replaced)
{
    struct rig r;
    struct pair p;

    rig_init(&r);
    close(peer_listen(r.listen, 1));
    rig_configure(&r, "workers 1\nroute r {\n    listen %s\n    backend %s\n}\n", r.listen,
                  r.backend);
    rig_launch(&r);
    rig_measure(&r, 1);
    rig_session(&r, NULL, NULL, &p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

static void expect_cannot_listen(struct rig *r, const char *path)
{
    const int status =
        rig_run(r, (const char *const[]){"--listen", path, "--backend", r->backend, NULL});

    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 3, "status %x", status);
    rig_await_log(r, "cannot listen on ", NULL, 0);
}

START_TEST(a_live_socket_is_not_stolen)
{
    struct rig r;
    struct pair p;
    struct stat before;
    struct stat after;

    rig_start(&r, "");
    rig_session(&r, NULL, NULL, &p);
    ck_assert_int_eq(lstat(r.listen, &before), 0);
    expect_cannot_listen(&r, r.listen);
    pair_ping(&p);
    pair_close(&p);
    rig_await_log(&r, " ended: ", NULL, 0);
    ck_assert_int_eq(lstat(r.listen, &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    rig_session(&r, NULL, NULL, &p);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* Somebody else's, who is so busy that his accept queue is full, is as alive. */
START_TEST(a_busy_socket_is_not_stolen)
{
    struct rig r;
    int fds[2];
    int fd;

    rig_start(&r, "");
    fd = peer_listen(unit_path("busy.sock"), 0);
    fds[0] = sock_connect(unit_path("busy.sock"), true);
    ck_assert_int_ge(fds[0], 0);
    fds[1] = sock_connect(unit_path("busy.sock"), true);
    ck_assert_int_eq(fds[1], -EAGAIN);
    expect_cannot_listen(&r, unit_path("busy.sock"));
    ck_assert_int_eq(access(unit_path("busy.sock"), F_OK), 0);
    close(fds[0]);
    close(fd);
    rig_stop(&r);
}
END_TEST

START_TEST(a_file_is_not_replaced)
{
    struct rig r;
    struct stat st;
    int fd;

    rig_start(&r, "");
    fd = open(unit_path("file"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
    expect_cannot_listen(&r, unit_path("file"));
    ck_assert_int_eq(lstat(unit_path("file"), &st), 0);
    ck_assert(S_ISREG(st.st_mode));
    expect_cannot_listen(&r, unit_path("no-folder/r.sock"));
    rig_stop(&r);
}
END_TEST

/* One of several routes cannot be opened: poemd does not start, and leaves none of the others. */
START_TEST(all_routes_or_none)
{
    struct rig r;
    char other[RIG_PATH];
    int fd;
    int status;

    rig_init(&r);
    snprintf(other, sizeof other, "%s", unit_path("other.sock"));
    fd = peer_listen(other, 1);
    rig_configure(&r,
                  "route r {\n    listen %s\n    backend %s\n}\n"
                  "route other {\n    listen %s\n    backend %s\n}\n",
                  r.listen, r.backend, other, r.backend);
    status = rig_run(&r, (const char *const[]){"--config", r.config, NULL});
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    ck_assert_int_lt(access(r.listen, F_OK), 0);
    ck_assert_int_eq(access(other, F_OK), 0);
    close(fd);
    rig_deinit(&r);
}
END_TEST

START_TEST(the_sockets_mode)
{
    struct rig r;
    struct stat st;

    rig_init(&r);
    rig_configure(&r,
                  "workers 1\nroute r {\n    listen %s mode 0640\n    backend %s\n}\n"
                  "route default {\n    listen %s\n    backend %s\n}\n",
                  r.listen, r.backend, unit_path("default.sock"), r.backend);
    rig_launch(&r);
    rig_measure(&r, 1);
    ck_assert_int_eq(lstat(r.listen, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0640);
    ck_assert_int_eq(lstat(unit_path("default.sock"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    rig_stop(&r);
    ck_assert_int_lt(access(unit_path("default.sock"), F_OK), 0);
}
END_TEST

/* Only the file that it made is removed at the end. */
START_TEST(anothers_socket_is_left_alone)
{
    struct rig r;
    int fd;

    rig_start(&r, "");
    ck_assert_int_eq(rename(r.listen, unit_path("moved.sock")), 0);
    fd = peer_listen(r.listen, 1);
    rig_settle(&r);
    ck_assert_int_eq(kill(r.daemon, SIGTERM), 0);
    ck_assert_int_eq(process_wait(r.daemon), 0);
    r.daemon = 0;
    ck_assert_int_eq(access(r.listen, F_OK), 0);
    close(fd);
    rig_deinit(&r);
}
END_TEST

/* One route by the command line, with every default. */
START_TEST(the_command_line)
{
    struct rig r;
    struct pair p;

    rig_init(&r);
    rig_launch_args(&r, (const char *const[]){"--listen", r.listen, "--backend", r.backend,
                                              "--workers", "2", NULL});
    rig_measure(&r, 2);
    rig_session(&r, NULL, NULL, &p);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* ---- backends that are not there ---- */

static void expect_refused(const struct rig *r, int error)
{
    int fd = peer_connect(r->listen);

    peer_send_version(fd, 1, WIRE_TYPE_COMMAND, "{}", NULL);
    ck_assert_int_eq(peer_recv_error(fd, 1, WIRE_VERSION), error);
    peer_expect_eof(fd);
    sock_close(&fd);
}

START_TEST(no_backend)
{
    struct rig r;
    struct pair p;

    rig_start(&r, "");
    sock_close(&r.backend_fd);
    /* The file is there, nobody listens; then there is no file. */
    expect_refused(&r, ECONNREFUSED);
    rig_await_log(&r, "reason=backend-absent", NULL, 0);
    ck_assert_int_eq(unlink(r.backend), 0);
    expect_refused(&r, ECONNREFUSED);
    rig_await_log(&r, "reason=backend-absent", NULL, 0);
    r.backend_fd = peer_listen(r.backend, 1);
    rig_session(&r, NULL, NULL, &p);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

START_TEST(a_backend_that_comes_late)
{
    struct rig r;
    struct pair p;
    struct message m;

    rig_start(&r, "    wait-backend 4s");
    sock_close(&r.backend_fd);
    for (int gone = 0; gone < 2; gone++) {
        if (gone) {
            ck_assert_int_eq(unlink(r.backend), 0);
        }
        p.client_fd = peer_connect(r.listen);
        peer_send_version(p.client_fd, 1, WIRE_TYPE_COMMAND, "{}", NULL);
        /* Long enough for poemd to have met nobody, more than once; not needed for the result. */
        ck_assert_int_eq(poll(&(struct pollfd){.fd = p.client_fd, .events = POLLIN}, 1, 100), 0);
        r.backend_fd = peer_listen(r.backend, 1);
        p.backend_fd = peer_accept(r.backend_fd);
        peer_recv(p.backend_fd, &m);
        message_deinit(&m);
        peer_send_version(p.backend_fd, 1, WIRE_TYPE_REPLY, "{}", NULL);
        peer_recv_version(p.client_fd, 1, WIRE_TYPE_REPLY, "{}");
        pair_ping(&p);
        pair_close(&p);
        rig_await_log(&r, "-closed ", NULL, 0);
        sock_close(&r.backend_fd);
    }
    r.backend_fd = peer_listen(r.backend, 1);
    rig_stop(&r);
}
END_TEST

START_TEST(a_backend_that_never_comes)
{
    struct rig r;
    int fd;

    rig_start(&r, "    wait-backend 300ms");
    sock_close(&r.backend_fd);
    expect_refused(&r, ECONNREFUSED);
    rig_await_log(&r, "reason=backend-absent", NULL, 0);
    /* A client that does not wait for it is forgotten before. */
    fd = peer_connect(r.listen);
    peer_send_raw(fd, "x", 1, NULL);
    close(fd);
    rig_await_log(&r, " ended: ", NULL, 0);
    rig_stop(&r);
}
END_TEST

/* ---- sessions of a route ---- */

START_TEST(one_after_the_other)
{
    struct rig r;
    struct pair p;

    rig_start(&r, "");
    for (int i = 0; i < 100; i++) {
        rig_session(&r, peer_qemu_json, "{}", &p);
        pair_ping(&p);
        if (i % 2) {
            sock_close(&p.client_fd);
            peer_expect_eof(p.backend_fd);
        } else {
            sock_close(&p.backend_fd);
            peer_expect_eof(p.client_fd);
        }
        pair_close(&p);
        rig_await_log(&r, " ended: ", NULL, 0);
    }
    rig_stop(&r);
}
END_TEST

START_TEST(as_many_as_the_route_has)
{
    enum { SESSIONS = 20 };
    struct rig r;
    struct pair p[SESSIONS];

    rig_start(&r, "    sessions 20");
    for (int i = 0; i < SESSIONS; i++) {
        rig_session(&r, peer_qemu_json, "{}", &p[i]);
    }
    expect_refused(&r, EBUSY);
    for (int i = 0; i < SESSIONS; i++) {
        pair_ping(&p[i]);
    }
    pair_close(&p[7]);
    rig_await_log(&r, " ended: ", NULL, 0);
    rig_session(&r, peer_qemu_json, "{}", &p[7]);
    expect_refused(&r, EBUSY);
    for (int i = 0; i < SESSIONS; i++) {
        pair_ping(&p[i]);
        pair_close(&p[i]);
    }
    rig_stop(&r);
}
END_TEST

/* max-sessions counts those of all routes. */
START_TEST(as_many_as_poemd_has)
{
    struct rig r;
    struct pair p;
    char listen[RIG_PATH];
    int fd;

    rig_init(&r);
    snprintf(listen, sizeof listen, "%s", unit_path("other.sock"));
    rig_configure(&r,
                  "workers 1\nmax-sessions 1\n"
                  "route r {\n    listen %s\n    backend %s\n}\n"
                  "route other {\n    listen %s\n    backend %s\n}\n",
                  r.listen, r.backend, listen, r.backend);
    rig_launch(&r);
    rig_measure(&r, 1);
    rig_session_at(listen, r.backend_fd, NULL, NULL, &p);
    expect_refused(&r, EBUSY);
    fd = peer_connect(r.listen);
    peer_send(fd, (struct wire_hdr){.id = 8, .command = WIRE_DEVICE_RESET}, NULL, 0, NULL);
    ck_assert_int_eq(peer_recv_error(fd, 8, WIRE_DEVICE_RESET), EINVAL);
    close(fd);
    pair_ping(&p);
    pair_close(&p);
    rig_await_log(&r, " ended: ", NULL, 0);
    rig_session(&r, NULL, NULL, &p);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/*
 * Who closes and connects again finds the route free, even where the old session's end has not been
 * reported yet: its worker stands still here.
 */
START_TEST(a_client_that_comes_back_at_once)
{
    struct rig r;
    struct pair old;
    struct pair p;

    rig_start(&r, "");
    rig_session(&r, peer_qemu_json, "{}", &old);
    expect_refused(&r, EBUSY);
    ck_assert_int_eq(kill(rig_worker(&r), SIGSTOP), 0);
    close(old.client_fd);
    p.client_fd = peer_connect(r.listen);
    peer_send_version(p.client_fd, 7, WIRE_TYPE_COMMAND, NULL, NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    ck_assert_int_eq(kill(rig_worker(&r), SIGCONT), 0);
    peer_recv_version(p.backend_fd, 7, WIRE_TYPE_COMMAND, NULL);
    peer_send_version(p.backend_fd, 7, WIRE_TYPE_REPLY, NULL, NULL);
    peer_recv_version(p.client_fd, 7, WIRE_TYPE_REPLY, NULL);
    peer_expect_eof(old.backend_fd);
    close(old.backend_fd);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* A silent client has the route's session until its handshake's time is over; then the next. */
START_TEST(a_silent_client_gives_way)
{
    struct rig r;
    struct pair p;
    int fd;

    rig_start(&r, rig_short_handshake());
    fd = peer_connect(r.listen);
    expect_refused(&r, EBUSY);
    peer_expect_eof(fd);
    close(fd);
    rig_await_log(&r, "reason=handshake-timeout", NULL, 0);
    rig_session(&r, NULL, NULL, &p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* ---- the workers ---- */

static unsigned long status_number(pid_t pid, const char *key, int base)
{
    char path[64];
    char line[256];
    unsigned long n = ~0ul;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    f = fopen(path, "re");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, key, strlen(key)) == 0) {
            n = strtoul(line + strlen(key), NULL, base);
        }
    }
    fclose(f);
    return n;
}

START_TEST(workers_have_no_rights)
{
    struct rig r;
    pid_t worker;

    rig_start(&r, "");
    worker = rig_worker(&r);
    ck_assert_uint_eq(status_number(worker, "NoNewPrivs:", 10), 1);
    if (getuid() == 0) {
        ck_assert_uint_ne(status_number(worker, "Uid:", 10), 0);
        ck_assert_uint_ne(status_number(worker, "Gid:", 10), 0);
        ck_assert_uint_eq(status_number(worker, "CapEff:", 16), 0);
        ck_assert_uint_eq(status_number(worker, "CapPrm:", 16), 0);
    }
    rig_stop(&r);
}
END_TEST

/*
 * Two sessions, one in each of two workers, whose pids go to workers. A worker that is late to
 * answer is given nothing new, so both may land in the other: then there are two others. The worker
 * that has a session has more fds.
 */
static void session_in_each(struct rig *r, struct pair p[2], pid_t workers[RIG_WORKERS])
{
    const struct patience patience = patience_begin();

    for (;;) {
        for (int k = 0; k < 2; k++) {
            rig_session(r, NULL, NULL, &p[k]);
        }
        ck_assert_uint_eq(rig_workers(r, workers), 2);
        if (fdcount_of(workers[0]) == fdcount_of(workers[1])) {
            return;
        }
        for (int k = 0; k < 2; k++) {
            pair_close(&p[k]);
            rig_await_log(r, " ended: ", NULL, 0);
        }
        rig_settle(r);
        ck_assert_msg(patience_again(&patience), "one of the workers is given nothing");
    }
}

/* One of two workers dies: its session goes on in the other, which does not notice. */
START_TEST(a_worker_dies_alone)
{
    struct rig r;
    struct pair p[2];
    pid_t workers[RIG_WORKERS];

    rig_init(&r);
    rig_configure(&r, "workers 2\nroute r {\n    listen %s\n    backend %s\n    sessions 2\n}\n",
                  r.listen, r.backend);
    rig_launch(&r);
    rig_measure(&r, 2);
    for (int i = 0; i < 10; i++) {
        session_in_each(&r, p, workers);
        pair_ping(&p[0]);
        pair_ping(&p[1]);
        rig_await_rest(workers[i % 2]);
        ck_assert_int_eq(kill(workers[i % 2], SIGKILL), 0);
        rig_await_log(&r, "goes on in worker", NULL, 0);
        pair_ping(&p[0]);
        pair_ping(&p[1]);
        pair_close(&p[0]);
        pair_close(&p[1]);
        rig_await_log(&r, " ended: ", NULL, 0);
        rig_await_log(&r, " ended: ", NULL, 0);
        rig_settle(&r);
    }
    rig_stop(&r);
}
END_TEST

/* ---- ends ---- */

/* Sessions in every state, and the signal: all peers see the end, nothing is left. */
static void end_by(int sig)
{
    struct rig r;
    struct pair relaying;
    struct pair reciting;
    int accepted_fd;

    rig_start(&r, "    sessions 3");
    rig_session(&r, NULL, NULL, &relaying);
    pair_ping(&relaying);
    reciting.client_fd = peer_connect(r.listen);
    peer_send_version(reciting.client_fd, 1, WIRE_TYPE_COMMAND, NULL, NULL);
    reciting.backend_fd = peer_accept(r.backend_fd);
    peer_recv_version(reciting.backend_fd, 1, WIRE_TYPE_COMMAND, NULL);
    accepted_fd = peer_connect(r.listen);
    ck_assert_int_eq(kill(r.daemon, sig), 0);
    pair_expect_end(&relaying);
    peer_expect_eof(reciting.backend_fd);
    peer_expect_eof(reciting.client_fd);
    pair_close(&reciting);
    peer_expect_eof(accepted_fd);
    close(accepted_fd);
    ck_assert_int_eq(process_wait(r.daemon), 0);
    r.daemon = 0;
    ck_assert_int_lt(access(r.listen, F_OK), 0);
    rig_deinit(&r);
}

START_TEST(sigterm_with_sessions)
{
    end_by(SIGTERM);
}
END_TEST

START_TEST(sigint_with_sessions)
{
    end_by(SIGINT);
}
END_TEST

static void await_gone(pid_t pid)
{
    const struct patience patience = patience_begin();

    while (!process_gone(pid)) {
        ck_assert_msg(patience_again(&patience), "process %d stays", (int)pid);
    }
}

/* All are killed: the workers end with them, and the next poemd takes the path over. */
START_TEST(poemd_is_killed)
{
    struct rig r;
    struct pair p;
    pid_t worker;

    rig_start(&r, "");
    rig_session(&r, NULL, NULL, &p);
    worker = rig_worker(&r);
    rig_kill(&r);
    pair_expect_end(&p);
    await_gone(worker);
    ck_assert_int_eq(access(r.listen, F_OK), 0);
    rig_launch(&r);
    rig_measure(&r, 1);
    rig_session(&r, NULL, NULL, &p);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* A worker that does not obey does not keep poemd from ending. */
START_TEST(a_stopped_worker_at_the_end)
{
    struct rig r;
    struct pair p;
    pid_t worker;

    rig_start(&r, "");
    rig_session(&r, NULL, NULL, &p);
    worker = rig_worker(&r);
    ck_assert_int_eq(kill(worker, SIGSTOP), 0);
    rig_terminate(&r);
    await_gone(worker);
    pair_expect_end(&p);
    rig_deinit(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("daemon: lifecycle");
    TCase *const files = rig_case(suite, "files");
    TCase *const backends = rig_case(suite, "backends");
    TCase *const sessions = rig_case(suite, "sessions");
    TCase *const ends = rig_case(suite, "ends");

    tcase_add_test(files, a_stale_socket_is_replaced);
    tcase_add_test(files, a_live_socket_is_not_stolen);
    tcase_add_test(files, a_busy_socket_is_not_stolen);
    tcase_add_test(files, a_file_is_not_replaced);
    tcase_add_test(files, all_routes_or_none);
    tcase_add_test(files, the_sockets_mode);
    tcase_add_test(files, anothers_socket_is_left_alone);
    tcase_add_test(files, the_command_line);
    tcase_add_test(backends, no_backend);
    tcase_add_test(backends, a_backend_that_comes_late);
    tcase_add_test(backends, a_backend_that_never_comes);
    tcase_add_test(sessions, one_after_the_other);
    tcase_add_test(sessions, as_many_as_the_route_has);
    tcase_add_test(sessions, as_many_as_poemd_has);
    tcase_add_test(sessions, a_client_that_comes_back_at_once);
    tcase_add_test(sessions, a_silent_client_gives_way);
    tcase_add_test(ends, workers_have_no_rights);
    tcase_add_test(ends, a_worker_dies_alone);
    tcase_add_test(ends, sigterm_with_sessions);
    tcase_add_test(ends, sigint_with_sessions);
    tcase_add_test(ends, poemd_is_killed);
    tcase_add_test(ends, a_stopped_worker_at_the_end);
    return unit_run(suite);
}
