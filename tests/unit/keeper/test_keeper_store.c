/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The keeper's fds, beside a service manager that this test plays: what it is sent, and what it
 * passes to the next process.
 */
#define _GNU_SOURCE
#include "proxy/keeper/keeper_store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fdset.h"
#include "base/sock.h"
#include "proxy/ipc/fdstore_wire.h"
#include "proxy/keeper/keeper_upgrade.h"
#include "tests/support/unit.h"

#define FIRST_FD 32

/* The manager's socket; the store's variables point to it. */
static int manager_new(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", unit_path("notify"));
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
    return fd;
}

static void expect_message(int manager_fd, const char *text, unsigned n_fds)
{
    char got[FDSTORE_MESSAGE_MAX + 1];
    struct fdset fds;
    ssize_t n;

    fdset_init(&fds);
    n = sock_recv(manager_fd, got, sizeof got - 1, &fds, MSG_DONTWAIT);
    ck_assert_int_ge(n, 0);
    got[n] = '\0';
    ck_assert_str_eq(got, text);
    ck_assert_uint_eq(fds.n, n_fds);
    fdset_close(&fds);
}

static void expect_nothing(int manager_fd)
{
    char byte;

    ck_assert_int_lt(recv(manager_fd, &byte, 1, MSG_DONTWAIT), 0);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

START_TEST(the_manager_has_what_the_keeper_has)
{
    const int manager_fd = manager_new();
    struct keeper_store s;
    int kept_fd;

    keeper_store_init(&s, FIRST_FD);
    ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
    kept_fd = dup(STDERR_FILENO);
    ck_assert_int_eq(keeper_store_keep_take(&s, "s1.c", kept_fd), 0);
    expect_message(manager_fd, "FDSTORE=1\nFDNAME=s1.c\nFDPOLL=0\n", 1);
    ck_assert_int_eq(keeper_store_keep_take(&s, "s1.c", dup(STDERR_FILENO)), 0);
    expect_message(manager_fd, "FDSTOREREMOVE=1\nFDNAME=s1.c\n", 0);
    expect_message(manager_fd, "FDSTORE=1\nFDNAME=s1.c\nFDPOLL=0\n", 1);
    ck_assert_uint_eq(s.n, 1);
    keeper_store_drop(&s, "s1.c");
    expect_message(manager_fd, "FDSTOREREMOVE=1\nFDNAME=s1.c\n", 0);
    keeper_store_drop(&s, "s1.c");
    keeper_store_notify(&s, "READY=1\n");
    expect_message(manager_fd, "READY=1\n", 0);
    keeper_store_deinit(&s, false);
    expect_nothing(manager_fd);
    close(manager_fd);
}
END_TEST

START_TEST(the_manager_does_not_get_processes)
{
    const int manager_fd = manager_new();
    struct keeper_store s;

    keeper_store_init(&s, FIRST_FD);
    ck_assert_int_eq(keeper_store_keep_take(&s, "c12", dup(STDERR_FILENO)), 0);
    ck_assert(keeper_store_has_child(&s, 12));
    ck_assert_int_eq(keeper_store_next_wanted(&s, 0), 0);
    keeper_store_want_child(&s, 12);
    keeper_store_want_child(&s, 13);
    ck_assert_int_eq(keeper_store_next_wanted(&s, 0), 12);
    ck_assert_int_eq(keeper_store_next_wanted(&s, 12), 0);
    ck_assert_uint_eq(s.n_wanted, 1);
    keeper_store_drop_child(&s, 12);
    ck_assert_uint_eq(s.n_wanted, 0);
    ck_assert(!keeper_store_has_child(&s, 12));
    keeper_store_deinit(&s, false);
    expect_nothing(manager_fd);
    close(manager_fd);
}
END_TEST

/* ---- a manager that is busy ---- */

/* Fills the manager's queue. Returns the number of its messages. */
static unsigned manager_fill(const char *path)
{
    const int fd = sock_connect_datagrams(path);
    unsigned n = 0;

    ck_assert_int_ge(fd, 0);
    while (sock_send(fd, "other", 5, NULL, MSG_DONTWAIT) >= 0) {
        n++;
    }
    close(fd);
    return n;
}

static void manager_read(int manager_fd, unsigned n)
{
    while (n-- > 0) {
        expect_message(manager_fd, "other", 0);
    }
}

/* Starts a store beside a manager that has kept "s1.c", and is busy since. */
static int manager_new_busy(struct keeper_store *s, unsigned *n)
{
    const int manager_fd = manager_new();
    const char *const path = unit_path("notify");

    keeper_store_init(s, FIRST_FD);
    ck_assert_int_eq(keeper_store_keep_take(s, "s1.c", dup(STDERR_FILENO)), 0);
    expect_message(manager_fd, "FDSTORE=1\nFDNAME=s1.c\nFDPOLL=0\n", 1);
    *n = manager_fill(path);
    /* It has waited for the manager before. */
    s->deaf = true;
    return manager_fd;
}

START_TEST(a_busy_manager_gets_everything_later)
{
    struct keeper_store s;
    unsigned n;
    const int manager_fd = manager_new_busy(&s, &n);

    keeper_store_drop(&s, "s1.c");
    ck_assert_int_eq(keeper_store_keep_take(&s, "s2.c", dup(STDERR_FILENO)), 0);
    ck_assert_int_eq(keeper_store_keep_take(&s, "c7", dup(STDERR_FILENO)), 0);
    ck_assert_int_eq(keeper_store_keep_take(&s, "s1.c", dup(STDERR_FILENO)), 0);
    keeper_store_notify(&s, KEEPER_STORE_READY);
    manager_read(manager_fd, n);
    expect_nothing(manager_fd);
    keeper_store_notify(&s, "WATCHDOG=1\n");
    expect_message(manager_fd, "FDSTOREREMOVE=1\nFDNAME=s1.c\n", 0);
    expect_message(manager_fd, "FDSTORE=1\nFDNAME=s2.c\nFDPOLL=0\n", 1);
    expect_message(manager_fd, "FDSTORE=1\nFDNAME=s1.c\nFDPOLL=0\n", 1);
    expect_message(manager_fd, KEEPER_STORE_READY, 0);
    expect_message(manager_fd, "WATCHDOG=1\n", 0);
    /* Nothing of it comes twice. */
    keeper_store_notify(&s, "WATCHDOG=1\n");
    expect_message(manager_fd, "WATCHDOG=1\n", 0);
    keeper_store_deinit(&s, false);
    expect_nothing(manager_fd);
    close(manager_fd);
}
END_TEST

/* Sessions that come and go meanwhile do not add up. */
START_TEST(a_busy_manager_does_not_get_what_is_gone)
{
    struct keeper_store s;
    unsigned n;
    const int manager_fd = manager_new_busy(&s, &n);

    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(keeper_store_keep_take(&s, "s2.c", dup(STDERR_FILENO)), 0);
        ck_assert_int_eq(keeper_store_keep_take(&s, "c7", dup(STDERR_FILENO)), 0);
        keeper_store_drop(&s, "s2.c");
        keeper_store_drop_child(&s, 7);
    }
    ck_assert(TAILQ_EMPTY(&s.due));
    manager_read(manager_fd, n);
    keeper_store_notify(&s, "WATCHDOG=1\n");
    expect_message(manager_fd, "WATCHDOG=1\n", 0);
    keeper_store_deinit(&s, false);
    expect_nothing(manager_fd);
    close(manager_fd);
}
END_TEST

START_TEST(a_manager_that_keeps_the_sessions_gets_the_rest_first)
{
    struct keeper_store s;
    unsigned n;
    const int manager_fd = manager_new_busy(&s, &n);

    ck_assert_int_eq(keeper_store_keep_take(&s, "s2.c", dup(STDERR_FILENO)), 0);
    manager_read(manager_fd, n);
    keeper_store_deinit(&s, true);
    expect_message(manager_fd, "FDSTORE=1\nFDNAME=s2.c\nFDPOLL=0\n", 1);
    expect_nothing(manager_fd);
    close(manager_fd);
}
END_TEST

/* An earlier program's list: the manager has the fds before its line. */
START_TEST(the_next_program_passes_the_rest_on)
{
    const int manager_fd = manager_new();
    const int to_manager_fd = sock_connect_datagrams(getenv("NOTIFY_SOCKET"));
    const int list_fd = memfd_create("list", MFD_CLOEXEC);
    struct keeper_store s;
    int fallback_fd;

    ck_assert_int_ge(to_manager_fd, 0);
    ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
    ck_assert_int_gt(dprintf(list_fd, "poemd-keeper 1\n%d s1.c\n%d :manager\n%d s2.c\n",
                             dup(STDERR_FILENO), to_manager_fd, dup(STDERR_FILENO)),
                     0);
    keeper_store_init(&s, FIRST_FD);
    ck_assert_int_eq(keeper_upgrade_take(&s, list_fd, &fallback_fd), 0);
    ck_assert_uint_eq(s.n, 2);
    expect_message(manager_fd, "FDSTORE=1\nFDNAME=s2.c\nFDPOLL=0\n", 1);
    keeper_store_deinit(&s, false);
    expect_nothing(manager_fd);
    close(manager_fd);
}
END_TEST

/* ---- what the manager passes, to a process of its own ---- */

#define PASSED_FIRST 3
#define PASSED 4

/* The environment of a service, as far as it is set, and fds from 3 on. */
struct passed {
    const char *pid; /* "self": that of the process */
    const char *fds;
    const char *names;
};

static void pass(const struct passed *p)
{
    char pid[16];

    (void)close_range(PASSED_FIRST, ~0u, 0);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    if (p->pid) {
        setenv("LISTEN_PID", strcmp(p->pid, "self") == 0 ? pid : p->pid, 1);
    }
    if (p->fds) {
        setenv("LISTEN_FDS", p->fds, 1);
    }
    if (p->names) {
        setenv("LISTEN_FDNAMES", p->names, 1);
    }
    for (int fd = PASSED_FIRST; fd < PASSED_FIRST + PASSED; fd++) {
        (void)dup2(STDERR_FILENO, fd);
    }
}

/* Returns the step at which the process saw something else, or 0. */
static int takes_all(void)
{
    const struct keeper_entry **list;
    struct keeper_store s;
    char names[64] = "";
    int names_fd;
    bool good;

    pass(&(struct passed){"self", "4", "s2.c:s1.c:s1.c:c7"});
    keeper_store_init(&s, FIRST_FD);
    if (getenv("LISTEN_FDS")) {
        return 1;
    }
    for (int fd = PASSED_FIRST; fd < PASSED_FIRST + PASSED; fd++) {
        if (is_open(fd)) {
            return 2;
        }
    }
    /* The second of a name, and a process, are of no use. */
    if (s.n != 2) {
        return 3;
    }
    list = keeper_store_list(&s, &names_fd);
    good = list && list[0]->fd >= FIRST_FD && list[0]->fd < list[1]->fd &&
           pread(names_fd, names, sizeof names - 1, 0) > 0 && strcmp(names, "s2.c\ns1.c\n") == 0;
    free(list);
    keeper_store_deinit(&s, false);
    return good ? 0 : 4;
}

static const struct passed wrong[] = {{"1", "1", NULL},
                                      {"", "1", NULL},
                                      {NULL, "1", NULL},
                                      {"self", "-1", NULL},
                                      {"self", NULL, "a"}};

static int takes_none(const struct passed *p)
{
    struct keeper_store s;

    pass(p);
    keeper_store_init(&s, FIRST_FD);
    return s.n == 0 && is_open(PASSED_FIRST) ? 0 : 1;
}

static void expect_good(pid_t pid)
{
    int status;

    ck_assert_int_ge(pid, 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}

/* sd_listen_fds(3): fds from 3 on, their names between colons. */
START_TEST(what_the_manager_passes_is_taken)
{
    const pid_t pid = fork();

    if (pid == 0) {
        _exit(takes_all());
    }
    expect_good(pid);
}
END_TEST

/* An environment that an earlier process has passed on, or that is wrong. */
START_TEST(what_was_passed_to_another_is_left_alone)
{
    const pid_t pid = fork();

    if (pid == 0) {
        _exit(takes_none(&wrong[_i]));
    }
    expect_good(pid);
}
END_TEST

/* The peer of a kept socket whose last holder ends sees the end of the stream, and no error. */
START_TEST(unread_bytes_are_no_error_for_the_peer)
{
    struct keeper_store s;
    char byte = 0;
    int pair[2];

    keeper_store_init(&s, FIRST_FD);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ck_assert_int_eq(write(pair[1], &byte, 1), 1);
    ck_assert_int_eq(keeper_store_keep_take(&s, "s1.c", pair[0]), 0);
    keeper_store_deinit(&s, false);
    ck_assert_int_eq(recv(pair[1], &byte, 1, 0), 0);
    close(pair[1]);
}
END_TEST

/* For the next broker they are left as they are. */
START_TEST(unread_bytes_are_left_for_the_next)
{
    struct keeper_store s;
    char byte = 1;
    int other_fd;
    int pair[2];

    keeper_store_init(&s, FIRST_FD);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ck_assert_int_eq(write(pair[1], &byte, 1), 1);
    other_fd = dup(pair[0]);
    ck_assert_int_eq(keeper_store_keep_take(&s, "s1.c", pair[0]), 0);
    keeper_store_deinit(&s, true);
    ck_assert_int_eq(recv(other_fd, &byte, 1, MSG_DONTWAIT), 1);
    close(other_fd);
    close(pair[1]);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("unit: what the keeper has");
    TCase *const tc = unit_case(suite, "store");

    tcase_add_test(tc, the_manager_has_what_the_keeper_has);
    tcase_add_test(tc, the_manager_does_not_get_processes);
    tcase_add_test(tc, a_busy_manager_gets_everything_later);
    tcase_add_test(tc, a_busy_manager_does_not_get_what_is_gone);
    tcase_add_test(tc, a_manager_that_keeps_the_sessions_gets_the_rest_first);
    tcase_add_test(tc, the_next_program_passes_the_rest_on);
    tcase_add_test(tc, what_the_manager_passes_is_taken);
    tcase_add_loop_test(tc, what_was_passed_to_another_is_left_alone, 0,
                        sizeof wrong / sizeof *wrong);
    tcase_add_test(tc, unread_bytes_are_no_error_for_the_peer);
    tcase_add_test(tc, unread_bytes_are_left_for_the_next);
    return unit_run(suite);
}
