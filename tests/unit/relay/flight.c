/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Fds in flight over a socket pair of its own. For tests in a process of their own.
 */
#define _GNU_SOURCE
#include "tests/unit/relay/flight.h"

#include <check.h>
#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/support/peer.h"

/* A user of this test's own. */
#define SOME_USER ((uid_t)(61000 + getpid() % 1000))

/* Above what a test has open already. */
#define LIMIT 60

#define FDS_AT_ONCE 8

void flight_fill(struct flight *f)
{
    const struct rlimit few = {.rlim_cur = LIMIT, .rlim_max = LIMIT};
    ssize_t n;

    if (geteuid() == 0) {
        ck_assert_int_eq(setresuid(SOME_USER, SOME_USER, SOME_USER), 0);
    }
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->pair), 0);
    fdset_init(&f->fds);
    peer_memfds(&f->fds, FDS_AT_ONCE);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (int sent = 0; sent <= LIMIT + FDS_AT_ONCE; sent += FDS_AT_ONCE) {
        n = sock_send(f->pair[0], "x", 1, &f->fds, MSG_DONTWAIT);
        if (n != 1) {
            break;
        }
    }
    ck_assert_int_eq(n, -ETOOMANYREFS);
}

void flight_empty(struct flight *f)
{
    struct fdset fds;
    char byte;

    fdset_init(&fds);
    while (sock_recv(f->pair[1], &byte, 1, &fds, MSG_DONTWAIT) > 0) {
        fdset_close(&fds);
    }
    fdset_close(&f->fds);
    sock_close(&f->pair[0]);
    sock_close(&f->pair[1]);
}
