/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Devices that poemd starts itself: this program again (tests/daemon/spawn_device.h). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
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
#include "tests/daemon/spawn_device.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

/* ---- the rig ---- */

struct spawn_rig {
    struct rig rig;
    char listen[RIG_PATH]; /* of route s */
    char exe[256];         /* this program */
    char file[RIG_PATH];
};

static void spawn_init(struct spawn_rig *s)
{
    const ssize_t n = readlink("/proc/self/exe", s->exe, sizeof s->exe - 1);

    ck_assert_int_gt(n, 0);
    s->exe[n] = '\0';
    rig_init(&s->rig);
    snprintf(s->listen, sizeof s->listen, "%s", unit_path("s.sock"));
    snprintf(s->file, sizeof s->file, "%s", unit_path("file"));
}

/* Route s with such a device, under our own user; further statements of the route. */
static void spawn_configure(struct spawn_rig *s, const char *behaviour, const char *statements)
{
    rig_configure(&s->rig,
                  "workers 1\nroute r {\nlisten %s\nbackend %s\nrecite to client never\n}\n"
                  "route s {\nlisten %s\nrecite to client never\n"
                  "backend spawn \"'%s' --device %%fd %s %s\" user %u\n%s\n}\n",
                  s->rig.listen, s->rig.backend, s->listen, s->exe, behaviour, s->file,
                  (unsigned)geteuid(), statements);
}

static void spawn_launch(struct spawn_rig *s, const char *behaviour, const char *statements)
{
    spawn_configure(s, behaviour, statements);
    rig_launch(&s->rig);
}

static void spawn_start(struct spawn_rig *s, const char *behaviour, const char *statements)
{
    spawn_init(s);
    spawn_launch(s, behaviour, statements);
}

/* Without a measure: devices come and go. */
static void spawn_stop(struct spawn_rig *s)
{
    pid_t pids[RIG_WORKERS];
    const size_t n = rig_workers(&s->rig, pids);

    rig_terminate(&s->rig);
    for (size_t i = 0; i < n; i++) {
        ck_assert_msg(process_gone(pids[i]), "pid %d is left", (int)pids[i]);
    }
    rig_deinit(&s->rig);
}

/* Waits until the log has said all of these, NULL behind the last, in whatever order. */
static void await_all(struct spawn_rig *s, const char *const texts[])
{
    const off_t from = s->rig.log_at;
    off_t last = from;

    for (size_t i = 0; texts[i]; i++) {
        s->rig.log_at = from;
        rig_await_log(&s->rig, texts[i], NULL, 0);
        last = s->rig.log_at > last ? s->rig.log_at : last;
    }
    s->rig.log_at = last;
}

#define AWAIT(s, ...) await_all(s, (const char *const[]){__VA_ARGS__, NULL})

/* A client's VERSION, and what it was told: 0 or an errno. */
static int client_begin(struct spawn_rig *s, int *client_fd)
{
    struct message m;
    int err;

    *client_fd = peer_connect(s->listen);
    peer_send_version(*client_fd, 7, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    peer_recv(*client_fd, &m);
    err = m.hdr.flags & WIRE_ERROR ? (int)m.hdr.error : 0;
    message_deinit(&m);
    return err;
}

static void client_ping(int client_fd)
{
    const struct wire_device_info info = {.argsz = sizeof info, .num_regions = 9, .num_irqs = 5};
    struct message m;

    peer_send(client_fd, (struct wire_hdr){.id = 99, .command = WIRE_DEVICE_GET_INFO}, &info,
              sizeof info, NULL);
    peer_recv(client_fd, &m);
    ck_assert_uint_eq(m.n, sizeof info);
    ck_assert_int_eq(memcmp(m.payload, &info, sizeof info), 0);
    message_deinit(&m);
}

/* A whole session of one ping. */
static void client_session(struct spawn_rig *s)
{
    int fd;

    ck_assert_int_eq(client_begin(s, &fd), 0);
    client_ping(fd);
    close(fd);
}

/* The pid in a line that says "device pid=N …". */
static pid_t await_pid(struct spawn_rig *s, const char *text)
{
    char line[1024];
    const char *at;

    rig_await_log(&s->rig, text, line, sizeof line);
    at = strstr(line, "pid=");
    ck_assert_ptr_nonnull(at);
    return (pid_t)strtol(at + 4, NULL, 10);
}

/* ---- a device that works ---- */

START_TEST(each_session_has_a_device_of_its_own)
{
    struct spawn_rig s;
    pid_t first;

    spawn_start(&s, "good", "");
    first = await_pid(&s, " started");
    /* The worker, the device and its guard. */
    rig_measure(&s.rig, 3);
    for (int i = 0; i < 3; i++) {
        pid_t next;

        client_session(&s);
        AWAIT(&s, " exited with status 0 after its session");
        /* Which comes behind them, since one alone may live. */
        next = await_pid(&s, " started");
        ck_assert_int_ne(first, next);
        first = next;
    }
    /* One that comes at once waits until the next device is there. */
    client_session(&s);
    client_session(&s);
    AWAIT(&s, " exited with status 0 after its session");
    AWAIT(&s, " exited with status 0 after its session");
    AWAIT(&s, " started");
    rig_stop(&s.rig);
}
END_TEST

START_TEST(as_many_devices_as_sessions)
{
    struct spawn_rig s;
    int fds[3];

    spawn_start(&s, "good", "sessions 3");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(client_begin(&s, &fds[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        client_ping(fds[i]);
        AWAIT(&s, " started");
    }
    for (int i = 0; i < 3; i++) {
        close(fds[i]);
        AWAIT(&s, " exited with status 0 after its session");
    }
    spawn_stop(&s);
}
END_TEST

START_TEST(what_a_device_gets)
{
    struct spawn_rig s;
    char expected[256];
    char line[1024];

    spawn_start(&s, "says", "");
    rig_await_log(&s.rig, " wrote: ", line, sizeof line);
    snprintf(expected, sizeof expected,
             " wrote: fds=0,1,2,3 null=1 SigBlk:0000000000000000 SigIgn:0000000000000000 "
             "NoNewPrivs:1 leads=1 "
             "folder=/ env=1,PATH= user=%u,%u,%u,%u ",
             geteuid(), geteuid(), getegid(), getegid());
    ck_assert_msg(strstr(line, expected), "\"%s\" is not in: %s", expected, line);
    client_session(&s);
    AWAIT(&s, " ended: ");
    spawn_stop(&s);
}
END_TEST

/* As root: whom it becomes by a user, or a group as well. */
static const struct {
    const char *words;
    const char *says;
} users[] = {
    {"user 65533", "user=65533,65533,65533,65533 groups=0"},
    {"user 65533 group 17", "user=65533,65533,17,17 groups=0"},
    {"user daemon group 17", "user=1,1,17,17 groups=1"},
};

/* Where any user may execute it; with these words. Returns its line about itself. */
static const char *spawn_as(struct spawn_rig *s, const char *words, const char *statements)
{
    static char line[1024];
    char copy[RIG_PATH];

    spawn_init(s);
    ck_assert_int_eq(chmod(unit_folder(), 0711), 0);
    ck_assert_int_eq(chmod(unit_path(".."), 0711), 0);
    snprintf(copy, sizeof copy, "%s", unit_path("device"));
    ck_assert_int_eq(process_wait(process_start((const char *const[]){"cp", s->exe, copy, NULL},
                                                s->rig.log_fd, -1)),
                     0);
    rig_configure(&s->rig,
                  "workers 1\n%s\nroute s {\nlisten %s\n"
                  "backend spawn \"%s --device %%fd says\" %s\n}\n",
                  statements, s->listen, copy, words);
    rig_launch(&s->rig);
    rig_await_log(&s->rig, " wrote: ", line, sizeof line);
    return line;
}

START_TEST(whom_it_becomes)
{
    struct spawn_rig s;
    const char *line;

    if (geteuid() != 0) {
        puts("skipped: whom_it_becomes: only root can change the user");
        return;
    }
    line = spawn_as(&s, users[_i].words, "");
    ck_assert_msg(strstr(line, users[_i].says), "\"%s\" is not in: %s", users[_i].says, line);
    spawn_stop(&s);
}
END_TEST

/* Without a user of the configuration's it becomes one whom nothing else is, nor the workers. */
START_TEST(it_has_a_user_of_its_own)
{
    struct spawn_rig s;
    unsigned ids[4] = {0};
    pid_t children[RIG_WORKERS];
    const char *line;
    const char *at;
    size_t same = 0;
    size_t n;

    if (geteuid() != 0) {
        puts("skipped: it_has_a_user_of_its_own: only root can change the user");
        return;
    }
    line = spawn_as(&s, "", _i ? "user 64803" : "");
    at = strstr(line, "user=");
    ck_assert_ptr_nonnull(at);
    ck_assert_int_eq(sscanf(at, "user=%u,%u,%u,%u groups=0", &ids[0], &ids[1], &ids[2], &ids[3]),
                     4);
    ck_assert(ids[0] == ids[1] && ids[0] == ids[2] && ids[0] == ids[3]);
    ck_assert(ids[0] != 0 && ids[0] != 65534);
    ck_assert_ptr_null(getpwuid(ids[0]));
    /* The device and its guard; the worker is another. */
    n = rig_workers(&s.rig, children);
    ck_assert_uint_eq(n, 3);
    for (size_t i = 0; i < n; i++) {
        same += process_uid(children[i]) == ids[0];
    }
    ck_assert_uint_eq(same, 2);
    spawn_stop(&s);
}
END_TEST

START_TEST(only_root_can_give_it_another_user)
{
    struct spawn_rig s;
    int status;

    if (geteuid() == 0) {
        puts("skipped: only_root_can_give_it_another_user: this is root");
        return;
    }
    spawn_init(&s);
    rig_configure(&s.rig,
                  "workers 1\nroute s {\nlisten %s\nbackend spawn \"/a %%fd\" user 65533\n}\n",
                  s.listen);
    status = rig_run(&s.rig, (const char *const[]){"--config", s.rig.config, NULL});
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    rig_await_log(&s.rig, "only root can start a device as another user or group", NULL, 0);
    rig_deinit(&s.rig);
}
END_TEST

/* Its facts are those of the process that was started, by rules and without a socket's word. */
START_TEST(its_facts_are_its_own)
{
    static const char *const statements[] = {"allow backend exe %s\nallow backend user %u",
                                             "allow backend exe %s.other\nallow backend user %u"};
    struct spawn_rig s;
    char text[512];
    char line[1024];
    int fd;

    spawn_init(&s);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof text, statements[_i], s.exe, (unsigned)geteuid());
#pragma GCC diagnostic pop
    spawn_launch(&s, "good", text);
    if (_i == 0) {
        client_session(&s);
        AWAIT(&s, " ended: reason=client-closed");
    } else {
        ck_assert_int_eq(client_begin(&s, &fd), EACCES);
        close(fd);
        rig_await_log(&s.rig, " denied: ", line, sizeof line);
        ck_assert_msg(strstr(line, "test_spawn"), "%s", line);
        AWAIT(&s, " ended: reason=denied", " exited with status 0 after its session");
    }
    spawn_stop(&s);
}
END_TEST

/* ---- devices that fail ---- */

START_TEST(one_that_ends_at_once_is_started_again)
{
    struct spawn_rig s;
    char line[256];
    int fd;

    spawn_start(&s, "ends", "wait-backend 4s");
    for (int ms = 50; ms <= 200; ms *= 2) {
        char text[64];

        AWAIT(&s, " exited with status 5 before it served a session");
        snprintf(text, sizeof text, "restarting the device in %d ms", ms);
        AWAIT(&s, text);
    }
    fd = open(s.file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
    /* Waits for it. One short session does not make the failures before it undone. */
    ck_assert_int_eq(client_begin(&s, &fd), 0);
    ck_assert_int_eq(unlink(s.file), 0);
    close(fd);
    AWAIT(&s, " exited with status 0 after its session");
    AWAIT(&s, " exited with status 5 before it served a session");
    rig_await_log(&s.rig, "restarting the device in ", line, sizeof line);
    ck_assert_int_ge(strtol(strstr(line, " in ") + 4, NULL, 10), 400);
    spawn_stop(&s);
}
END_TEST

/* One that ends each session at its first request comes later and later. */
START_TEST(one_that_ends_its_sessions_is_started_less_and_less)
{
    struct spawn_rig s;
    char text[64];
    int fd;

    spawn_start(&s, "crashes", "wait-backend 4s");
    for (int ms = 50; ms <= 400; ms *= 2) {
        ck_assert_int_eq(client_begin(&s, &fd), 0);
        peer_send(fd, (struct wire_hdr){.id = 9, .command = WIRE_DEVICE_GET_INFO}, "abcd", 4, NULL);
        peer_expect_eof(fd);
        close(fd);
        snprintf(text, sizeof text, "restarting the device in %d ms", ms);
        AWAIT(&s, text);
    }
    spawn_stop(&s);
}
END_TEST

/* A session with the device aborts: both ends are told, and the next session has another device. */
START_TEST(one_that_crashes_ends_its_session_alone)
{
    struct spawn_rig s;

    spawn_start(&s, "crashes", "wait-backend 4s");
    for (int i = 0; i < 2; i++) {
        int fd;

        ck_assert_int_eq(client_begin(&s, &fd), 0);
        peer_send(fd, (struct wire_hdr){.id = 9, .command = WIRE_DEVICE_GET_INFO}, "abcd", 4, NULL);
        peer_expect_eof(fd);
        close(fd);
        AWAIT(&s, " ended: reason=backend-closed", "was killed by signal 6 ", " started");
    }
    spawn_stop(&s);
}
END_TEST

START_TEST(its_flood_is_kept_from_the_log)
{
    struct spawn_rig s;
    struct stat st;
    char line[4096];

    spawn_start(&s, "floods", "");
    rig_await_log(&s.rig, " wrote: a", line, sizeof line);
    ck_assert_msg(strstr(line, " wrote: a\\x1b[31m\\x22b"), "%s", line);
    rig_await_log(&s.rig, " wrote: xxx", line, sizeof line);
    ck_assert_msg(strstr(line, "xxx..."), "%s", line);
    ck_assert_uint_lt(strlen(line), LIMIT_OUTPUT_LINE + 128);
    /* It is read on: its session comes to its end, and only then what it had said too much. */
    client_session(&s);
    AWAIT(&s, " ended: reason=client-closed", " lines of its output are left out",
          " exited with status 0 after its session");
    ck_assert_int_eq(fstat(s.rig.log_fd, &st), 0);
    ck_assert_int_lt(st.st_size, 65536);
    spawn_stop(&s);
}
END_TEST

/* What forks (1) leaves a process of its group behind, which goes with it. */
START_TEST(one_that_does_not_end_is_killed)
{
    const struct patience patience = patience_begin();
    struct spawn_rig s;
    pid_t children[4];
    size_t n;
    pid_t pid;

    spawn_start(&s, _i ? "forks" : "stays", "");
    pid = await_pid(&s, " wrote: stays");
    client_session(&s);
    n = process_children(pid, children, 4);
    AWAIT(&s, " did not exit in time; killed", "was killed by signal 9 after its session");
    AWAIT(&s, " started");
    ck_assert(process_gone(pid));
    for (size_t i = 0; i < n && i < 4; i++) {
        while (!process_gone(children[i])) {
            ck_assert_msg(patience_again(&patience), "its child is left");
        }
    }
    spawn_stop(&s);
}
END_TEST

START_TEST(one_that_does_not_end_stops_with_the_broker)
{
    struct spawn_rig s;
    int fd;

    spawn_start(&s, "stays", "");
    AWAIT(&s, " wrote: stays");
    if (_i) {
        ck_assert_int_eq(client_begin(&s, &fd), 0);
    }
    spawn_stop(&s);
    if (_i) {
        peer_expect_eof(fd);
        close(fd);
    }
}
END_TEST

/* It cannot be executed: missing, or not executable. */
START_TEST(one_that_cannot_be_executed_is_told_of)
{
    static const char *const says[] = {
        "cannot execute \"%s\": No such file or directory; check that it and its interpreter",
        "cannot execute \"%s\": Permission denied; check that its user may execute it",
    };
    struct spawn_rig s;
    char text[512];
    int fd;

    spawn_init(&s);
    snprintf(s.exe, sizeof s.exe, "%s", s.file);
    if (_i) {
        fd = open(s.file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        ck_assert_int_ge(fd, 0);
        close(fd);
    }
    spawn_launch(&s, "", "");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof text, says[_i], s.file);
#pragma GCC diagnostic pop
    AWAIT(&s, text);
    AWAIT(&s, "restarting the device in 50 ms");
    ck_assert_int_eq(client_begin(&s, &fd), ECONNREFUSED);
    close(fd);
    AWAIT(&s, "no device is ready: the last one failed");
    spawn_stop(&s);
}
END_TEST

/* It lives, and its socket does not: a client's coming finds it out, and has it replaced. */
START_TEST(one_without_its_socket_is_replaced)
{
    struct spawn_rig s;
    pid_t pid;
    int fd;

    spawn_start(&s, "deaf", "");
    pid = await_pid(&s, " started");
    do {
        ck_assert_int_ne(client_begin(&s, &fd), 0);
        close(fd);
    } while (!process_gone(pid));
    spawn_stop(&s);
}
END_TEST

/* Also one that ignores SIGTERM, what it has forked, and what has left its group and session. */
START_TEST(it_ends_with_a_broker_that_is_killed)
{
    const struct patience patience = patience_begin();
    static const char *const behaviours[] = {"good", "stays", "forks", "leaves"};
    static const size_t forks[] = {0, 1, 2, 2};
    struct spawn_rig s;
    pid_t pids[18];
    size_t n = 0;
    pid_t idle;
    pid_t busy;
    int fd;

    if (_i == 3 && geteuid() != 0) {
        puts("skipped: it_ends_with_a_broker_that_is_killed: leaves: only root has pid namespaces");
        return;
    }
    spawn_start(&s, behaviours[_i], "sessions 2");
    busy = await_pid(&s, " started");
    ck_assert_int_eq(client_begin(&s, &fd), 0);
    idle = await_pid(&s, " started");
    while (process_children(busy, pids, 1) < forks[_i] ||
           process_children(idle, pids, 1) < forks[_i]) {
        ck_assert_msg(patience_again(&patience), "they have no children");
    }
    pids[n++] = busy;
    pids[n++] = idle;
    n += process_children(busy, pids + n, 8);
    n += process_children(idle, pids + n, 8);
    rig_kill(&s.rig);
    for (size_t i = 0; i < n; i++) {
        while (!process_gone(pids[i])) {
            ck_assert_msg(patience_again(&patience), "process %d of %s is left", (int)i,
                          behaviours[_i]);
        }
    }
    close(fd);
    ck_assert_int_eq(unlink(s.rig.listen), 0);
    ck_assert_int_eq(unlink(s.listen), 0);
    rig_deinit(&s.rig);
}
END_TEST

/* ---- another configuration ---- */

static void spawn_reload(struct spawn_rig *s)
{
    ck_assert_int_eq(kill(s->rig.daemon, SIGHUP), 0);
    rig_await_log(&s->rig, "reloaded on SIGHUP", NULL, 0);
}

/* What the route had keeps its session, and counts among its devices until that is over. */
START_TEST(one_that_serves_goes_on_with_the_next_monitor)
{
    struct spawn_rig s;
    char ended[96];
    int fd;

    spawn_start(&s, "good", "sessions 2");
    snprintf(ended, sizeof ended, "device pid=%ld exited with status 0 after its session",
             (long)await_pid(&s, " started"));
    ck_assert_int_eq(client_begin(&s, &fd), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(kill(rig_monitor(&s.rig), SIGKILL), 0);
        AWAIT(&s, "goes on after the end of an earlier monitor");
        client_ping(fd);
    }
    close(fd);
    AWAIT(&s, ended);
    spawn_stop(&s);
}
END_TEST

START_TEST(another_command_has_other_devices)
{
    struct spawn_rig s;
    pid_t first;
    int fds[2];

    spawn_start(&s, "good", "sessions 2");
    first = await_pid(&s, " started");
    ck_assert_int_eq(client_begin(&s, &fds[0]), 0);
    AWAIT(&s, " started");
    s.file[strlen(s.file) - 1] = 'x';
    spawn_configure(&s, "good", "sessions 2");
    spawn_reload(&s);
    /* The one that stood ready is replaced. */
    AWAIT(&s, " started");
    ck_assert_int_eq(client_begin(&s, &fds[1]), 0);
    client_ping(fds[0]);
    client_ping(fds[1]);
    ck_assert_int_eq(kill(first, 0), 0);
    close(fds[0]);
    AWAIT(&s, " exited with status 0 after its session", " started");
    client_ping(fds[1]);
    close(fds[1]);
    AWAIT(&s, " exited with status 0 after its session");
    /* The same words again change no device. */
    spawn_reload(&s);
    client_session(&s);
    AWAIT(&s, " exited with status 0 after its session");
    spawn_stop(&s);
}
END_TEST

START_TEST(devices_of_a_route_that_is_gone_end_with_their_sessions)
{
    struct spawn_rig s;
    pid_t first;
    int fd;

    spawn_start(&s, "good", "sessions 2");
    first = await_pid(&s, " started");
    ck_assert_int_eq(client_begin(&s, &fd), 0);
    AWAIT(&s, " started");
    rig_configure(&s.rig, "workers 1\nroute r {\nlisten %s\nbackend %s\n}\n", s.rig.listen,
                  s.rig.backend);
    spawn_reload(&s);
    ck_assert_int_lt(access(s.listen, F_OK), 0);
    client_ping(fd);
    ck_assert_int_eq(kill(first, 0), 0);
    close(fd);
    AWAIT(&s, " exited with status 0 after its session");
    rig_terminate(&s.rig);
    rig_deinit(&s.rig);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite;
    TCase *good;
    TCase *bad;

    spawn_device_main(argc, argv);
    if (rig_wrapped()) {
        puts("skipped: test_spawn: valgrind would have to be the device's command, too");
        return EXIT_SUCCESS;
    }
    suite = suite_create("daemon: devices that are started");
    good = rig_case(suite, "good");
    bad = rig_case(suite, "bad");
    tcase_add_test(good, each_session_has_a_device_of_its_own);
    tcase_add_test(good, as_many_devices_as_sessions);
    tcase_add_test(good, what_a_device_gets);
    tcase_add_loop_test(good, whom_it_becomes, 0, (int)(sizeof users / sizeof *users));
    tcase_add_loop_test(good, it_has_a_user_of_its_own, 0, 2);
    tcase_add_test(good, only_root_can_give_it_another_user);
    tcase_add_loop_test(good, its_facts_are_its_own, 0, 2);
    tcase_add_test(good, one_that_serves_goes_on_with_the_next_monitor);
    tcase_add_test(good, another_command_has_other_devices);
    tcase_add_test(good, devices_of_a_route_that_is_gone_end_with_their_sessions);
    tcase_add_test(bad, one_that_ends_at_once_is_started_again);
    tcase_add_test(bad, one_that_ends_its_sessions_is_started_less_and_less);
    tcase_add_test(bad, one_that_crashes_ends_its_session_alone);
    tcase_add_test(bad, its_flood_is_kept_from_the_log);
    tcase_add_loop_test(bad, one_that_does_not_end_is_killed, 0, 2);
    tcase_add_loop_test(bad, one_that_does_not_end_stops_with_the_broker, 0, 2);
    tcase_add_loop_test(bad, one_that_cannot_be_executed_is_told_of, 0, 2);
    tcase_add_test(bad, one_without_its_socket_is_replaced);
    tcase_add_loop_test(bad, it_ends_with_a_broker_that_is_killed, 0, 4);
    return unit_run(suite);
}
