/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor's side of the keeper, on a real pair of sockets: what it sends, what it finds at its
 * start, and what happens when the keeper does not read, or has gone.
 */
#define _GNU_SOURCE
#include "proxy/ipc/fdstore.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sealed.h"
#include "base/sock.h"
#include "tests/support/unit.h"

/* A monitor's side, and the keeper's end of its socket. */
struct fdstore_rig {
    struct event_base *base;
    struct fdstore *store;
    int keeper_fd;
};

/* Numbers that nothing else has here, for the fds that the start inherits. */
#define FIRST_FD 100

static int rig_new(struct fdstore_rig *r, const char *names)
{
    const struct sealed_part part = {names, strlen(names)};
    const int names_fd = sealed_new("names", &part, 1);
    int at = FIRST_FD;
    int pair[2];

    ck_assert_int_ge(names_fd, 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
    for (const char *p = names; (p = strchr(p, '\n')); p++) {
        ck_assert_int_eq(dup2(STDERR_FILENO, at), at);
        at++;
    }
    r->base = event_base_new();
    r->keeper_fd = pair[1];
    return fdstore_new_take(&r->store, r->base, pair[0], names_fd, FIRST_FD);
}

static void rig_free(struct fdstore_rig *r)
{
    fdstore_free(r->store);
    event_base_free(r->base);
    sock_close(&r->keeper_fd);
}

/* Receives the next message, which has so many fds. */
static void expect_message(struct fdstore_rig *r, const char *text, unsigned n_fds)
{
    char got[FDSTORE_MESSAGE_MAX + 1];
    struct fdset fds;
    ssize_t n;

    fdset_init(&fds);
    n = sock_recv(r->keeper_fd, got, sizeof got - 1, &fds, MSG_DONTWAIT);
    ck_assert_int_ge(n, 0);
    got[n] = '\0';
    ck_assert_str_eq(got, text);
    ck_assert_uint_eq(fds.n, n_fds);
    fdset_close(&fds);
}

START_TEST(what_is_kept_and_dropped_is_sent)
{
    struct fdstore_rig r;

    ck_assert_int_eq(rig_new(&r, ""), 0);
    ck_assert_int_eq(fdstore_keep(r.store, "s17.c", STDERR_FILENO), 0);
    expect_message(&r, "FDSTORE=1\nFDNAME=s17.c\nFDPOLL=0\n", 1);
    fdstore_drop(r.store, "s17.c");
    expect_message(&r, "FDSTOREREMOVE=1\nFDNAME=s17.c\n", 0);
    ck_assert_int_eq(fdstore_ready(r.store), 0);
    expect_message(&r, "READY=1\n", 0);
    rig_free(&r);
}
END_TEST

START_TEST(what_was_kept_is_taken_once)
{
    struct fdstore_rig r;
    struct stat st;
    const char *name;
    int fd;

    ck_assert_int_eq(rig_new(&r, "s2.c\nst\ns10.c\n"), 0);
    name = fdstore_next(r.store, "s", NULL);
    ck_assert_str_eq(name, "s10.c");
    name = fdstore_next(r.store, "s", name);
    ck_assert_str_eq(name, "s2.c");
    fd = fdstore_take(r.store, name);
    ck_assert_int_eq(fd, FIRST_FD);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(fdstore_take(r.store, "s2.c"), -ENOENT);
    ck_assert_str_eq(fdstore_next(r.store, "s", name), "st");
    ck_assert_ptr_null(fdstore_next(r.store, "x", NULL));
    fdstore_drop_rest(r.store);
    expect_message(&r, "FDSTOREREMOVE=1\nFDNAME=s10.c\n", 0);
    expect_message(&r, "FDSTOREREMOVE=1\nFDNAME=st\n", 0);
    ck_assert_int_lt(fstat(FIRST_FD + 1, &st), 0);
    close(fd);
    rig_free(&r);
}
END_TEST

START_TEST(names_that_are_wrong_are_refused)
{
    static const char *const wrong[] = {"a\na\n", "\n", "a"};
    struct fdstore_rig r;

    ck_assert_int_eq(rig_new(&r, wrong[_i]), -EINVAL);
    ck_assert_ptr_null(r.store);
    rig_free(&r);
    /* Such a process ends at once. */
    (void)close(FIRST_FD);
    (void)close(FIRST_FD + 1);
}
END_TEST

/* A keeper that does not read loses no removal, and nothing is kept out of order. */
START_TEST(removals_wait_for_room)
{
    struct fdstore_rig r;
    unsigned kept = 0;

    ck_assert_int_eq(rig_new(&r, ""), 0);
    while (fdstore_keep(r.store, "a", STDERR_FILENO) == 0) {
        kept++;
    }
    ck_assert_uint_gt(kept, 0);
    fdstore_drop(r.store, "a");
    fdstore_drop(r.store, "b");
    ck_assert_int_eq(fdstore_keep(r.store, "b", STDERR_FILENO), -EAGAIN);
    while (kept-- > 0) {
        expect_message(&r, "FDSTORE=1\nFDNAME=a\nFDPOLL=0\n", 1);
    }
    ck_assert_int_eq(event_base_loop(r.base, EVLOOP_ONCE), 0);
    expect_message(&r, "FDSTOREREMOVE=1\nFDNAME=a\n", 0);
    expect_message(&r, "FDSTOREREMOVE=1\nFDNAME=b\n", 0);
    ck_assert_int_eq(fdstore_keep(r.store, "b", STDERR_FILENO), 0);
    expect_message(&r, "FDSTORE=1\nFDNAME=b\nFDPOLL=0\n", 1);
    rig_free(&r);
}
END_TEST

START_TEST(the_keeper_has_gone)
{
    struct fdstore_rig r;

    ck_assert_int_eq(rig_new(&r, ""), 0);
    sock_close(&r.keeper_fd);
    ck_assert_int_eq(fdstore_keep(r.store, "a", STDERR_FILENO), -EPIPE);
    ck_assert_int_eq(fdstore_collect(r.store, 1), -EPIPE);
    fdstore_drop(r.store, "a");
    ck_assert_int_eq(fdstore_fork_begin(r.store), -EPIPE);
    rig_free(&r);
}
END_TEST

START_TEST(there_is_no_keeper)
{
    ck_assert_int_eq(fdstore_keep(NULL, "a", STDERR_FILENO), -ENOTCONN);
    ck_assert_int_eq(fdstore_take(NULL, "a"), -ENOENT);
    ck_assert_ptr_null(fdstore_next(NULL, "", NULL));
    fdstore_drop(NULL, "a");
    fdstore_drop_rest(NULL);
    fdstore_free(NULL);
}
END_TEST

START_TEST(a_name_is_too_long)
{
    struct fdstore_rig r;
    char name[FDSTORE_NAME_MAX + 2];

    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ck_assert_int_eq(rig_new(&r, ""), 0);
    ck_assert_int_eq(fdstore_keep(r.store, name, STDERR_FILENO), -ENAMETOOLONG);
    ck_assert_int_eq(fdstore_keep(r.store, name + 1, STDERR_FILENO), 0);
    rig_free(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("unit: the monitor's side of the keeper");
    TCase *const tc = unit_case(suite, "fdstore");

    tcase_add_test(tc, what_is_kept_and_dropped_is_sent);
    tcase_add_test(tc, what_was_kept_is_taken_once);
    tcase_add_loop_test(tc, names_that_are_wrong_are_refused, 0, 3);
    tcase_add_test(tc, removals_wait_for_room);
    tcase_add_test(tc, the_keeper_has_gone);
    tcase_add_test(tc, there_is_no_keeper);
    tcase_add_test(tc, a_name_is_too_long);
    return unit_run(suite);
}
