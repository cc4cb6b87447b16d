/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The barest relay: the floor that poemd is measured against.
 *
 * One process and one pair. It polls two sockets, takes what is there with one recvmsg, sends it on
 * with one sendmsg, and passes fds on with the bytes they came with. It knows no messages, checks
 * nothing, bounds nothing and waits in sendmsg where the other side is slow, so two peers that both
 * only send would stop it. What it does is what no relay in user space can leave out.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fdset.h"
#include "base/sock.h"
#include "tests/bench/bench.h"

/* The size with which this relay was fastest for 1 MiB messages: see ../README.md. */
#define BUFFER_SIZE 262144u

static char buffer[BUFFER_SIZE];

/* Moves what is there from one socket to the other. False at the end of the stream. */
static bool pass(int from_fd, int to_fd)
{
    struct fdset fds;
    ssize_t got;
    int err;

    fdset_init(&fds);
    got = sock_recv(from_fd, buffer, sizeof buffer, &fds, 0);
    if (got <= 0) {
        fdset_close(&fds);
        return false;
    }
    err = sock_send_all(to_fd, buffer, (size_t)got, &fds);
    fdset_close(&fds);
    return err == 0;
}

static int accept_one(int listen_fd)
{
    struct pollfd p = {.fd = listen_fd, .events = POLLIN};
    int fd;

    if (poll(&p, 1, -1) < 0) {
        bench_die("poll", -errno);
    }
    fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        bench_die("accept", -errno);
    }
    return fd;
}

int main(int argc, char **argv)
{
    const struct bench_options o = bench_options(argc, argv);
    int listen_fd = sock_listen(o.listen, 0600, (uid_t)-1, (gid_t)-1, 1);
    struct pollfd p[2] = {{.events = POLLIN}, {.events = POLLIN}};

    if (listen_fd < 0) {
        bench_die(o.listen, listen_fd);
    }
    if (!o.backend) {
        bench_die("--backend is needed", 0);
    }
    bench_ready(o.ready_fd);
    p[0].fd = accept_one(listen_fd);
    close(listen_fd);
    p[1].fd = sock_connect(o.backend, false);
    if (p[1].fd < 0) {
        bench_die(o.backend, p[1].fd);
    }
    for (;;) {
        if (poll(p, 2, -1) < 0) {
            bench_die("poll", -errno);
        }
        if (p[0].revents && !pass(p[0].fd, p[1].fd)) {
            return 0;
        }
        if (p[1].revents && !pass(p[1].fd, p[0].fd)) {
            return 0;
        }
    }
}
