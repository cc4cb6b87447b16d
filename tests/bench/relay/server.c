/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The benchmark's device: a vfio-user server that does nothing but answer fast.
 *
 * Many connections in one epoll loop; what is read from one is answered at once, with blocking
 * calls, so a peer that stops in the middle of a message holds all others up until its time-out.
 * Reads return a fixed pattern, writes are taken and dropped. All replies to what one receive
 * brought leave together.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fdset.h"
#include "base/sock.h"
#include "base/wire/wire.h"
#include "tests/bench/bench.h"

#define ACCESS_SIZE (WIRE_HDR_SIZE + sizeof(struct wire_region_access))
#define MESSAGE_MAX (ACCESS_SIZE + BENCH_DATA_MAX)

/* What came in is whole messages at the end of each turn, so that one buffer does for all. */
#define IN_SIZE (2 * MESSAGE_MAX)

/* Data up to this size is copied behind other replies; more is sent from where it lies. */
#define COPY_MAX 4096u

static const char version_json[] =
    "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576}}";

static uint8_t region[BENCH_DATA_MAX];
static uint8_t in[IN_SIZE];
static uint8_t out[65536];
static size_t out_n;

static bool flush(int fd)
{
    const size_t n = out_n;

    out_n = 0;
    return n == 0 || sock_send_all(fd, out, n, NULL) == 0;
}

/* Queues a reply of two parts behind the others, sending those first where it does not fit. */
static bool reply(int fd, const struct wire_hdr *request, const void *a, size_t a_n, const void *b,
                  size_t b_n)
{
    const struct wire_hdr hdr = wire_reply_hdr(request, (uint32_t)(a_n + b_n));

    if (request->flags & WIRE_NO_REPLY) {
        return true;
    }
    if (out_n + hdr.size > sizeof out && !flush(fd)) {
        return false;
    }
    wire_put_hdr(out + out_n, &hdr);
    memcpy(out + out_n + WIRE_HDR_SIZE, a, a_n);
    if (b_n > 0) {
        memcpy(out + out_n + WIRE_HDR_SIZE + a_n, b, b_n);
    }
    out_n += hdr.size;
    return true;
}

/*
 * Sends a region's data from where it lies, since a copy of that much costs more than a system call
 * does. A blocking sendmsg that takes less than all has run into its time-out.
 */
static bool reply_data(int fd, const struct wire_hdr *request,
                       const struct wire_region_access *access)
{
    const struct wire_hdr hdr = wire_reply_hdr(request, (uint32_t)(sizeof *access + access->count));
    uint8_t head[ACCESS_SIZE];
    struct iovec iov[2] = {
        {.iov_base = head, .iov_len = sizeof head},
        {.iov_base = region + access->offset, .iov_len = access->count},
    };
    const struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

    if (!flush(fd)) {
        return false;
    }
    wire_put_hdr(head, &hdr);
    wire_put(head + WIRE_HDR_SIZE, access, sizeof *access);
    return sendmsg(fd, &msg, MSG_NOSIGNAL) == (ssize_t)hdr.size;
}

static bool reply_error(int fd, const struct wire_hdr *request, int err)
{
    const struct wire_hdr hdr = wire_error_hdr(request, err);

    if (out_n + hdr.size > sizeof out && !flush(fd)) {
        return false;
    }
    wire_put_hdr(out + out_n, &hdr);
    out_n += hdr.size;
    return true;
}

static bool answer_version(int fd, const struct wire_hdr *hdr, const uint8_t *payload, size_t n)
{
    struct wire_version version;

    return wire_get(payload, n, &version, sizeof version)
               ? reply(fd, hdr, &version, sizeof version, version_json, sizeof version_json)
               : reply_error(fd, hdr, EINVAL);
}

static bool answer_access(int fd, const struct wire_hdr *hdr, const uint8_t *payload, size_t n)
{
    struct wire_region_access a;

    if (wire_check(hdr, payload, n) != WIRE_OK || !wire_get(payload, n, &a, sizeof a) ||
        a.count > BENCH_DATA_MAX || a.offset > BENCH_DATA_MAX - a.count) {
        return reply_error(fd, hdr, EINVAL);
    }
    if (hdr->command == WIRE_REGION_WRITE) {
        return reply(fd, hdr, &a, sizeof a, NULL, 0);
    }
    return a.count > COPY_MAX ? reply_data(fd, hdr, &a)
                              : reply(fd, hdr, &a, sizeof a, region + a.offset, a.count);
}

/* Answers one whole message. False ends the connection. */
static bool answer(int fd, const uint8_t *message, const struct wire_hdr *hdr)
{
    const uint8_t *payload = message + WIRE_HDR_SIZE;
    const size_t n = hdr->size - WIRE_HDR_SIZE;

    switch (hdr->command) {
    case WIRE_VERSION:
        return answer_version(fd, hdr, payload, n);
    case WIRE_REGION_READ:
    case WIRE_REGION_WRITE:
        return answer_access(fd, hdr, payload, n);
    default:
        return reply_error(fd, hdr, ENOTSUP);
    }
}

/*
 * How many bytes must follow the n at p before there is something to answer: 0 where a whole
 * message is there, -1 where it is none.
 */
static ssize_t missing(const uint8_t *p, size_t n, struct wire_hdr *hdr)
{
    switch (wire_get_hdr(p, n, MESSAGE_MAX, hdr)) {
    case WIRE_FRAME_OK:
        return hdr->size > n ? (ssize_t)(hdr->size - n) : 0;
    case WIRE_FRAME_SHORT:
        return (ssize_t)(WIRE_HDR_SIZE - n);
    default:
        return -1;
    }
}

/* Takes what is there, completes its last message, and answers all. False ends the connection. */
static bool serve(int fd)
{
    struct fdset fds;
    struct wire_hdr hdr;
    ssize_t got;
    size_t n;
    size_t at = 0;

    fdset_init(&fds);
    got = sock_recv(fd, in, MESSAGE_MAX, &fds, 0);
    fdset_close(&fds);
    n = got > 0 ? (size_t)got : 0;
    if (n == 0) {
        return false;
    }
    while (at < n) {
        const ssize_t more = missing(in + at, n - at, &hdr);

        if (more < 0) {
            return false;
        }
        if (more > 0) {
            if (sock_recv_all(fd, in + n, (size_t)more, &fds) != 0) {
                return false;
            }
            fdset_close(&fds);
            n += (size_t)more;
            continue;
        }
        if (!answer(fd, in + at, &hdr)) {
            return false;
        }
        at += hdr.size;
    }
    return flush(fd);
}

static void watch(int epoll_fd, int fd)
{
    struct epoll_event e = {.events = EPOLLIN, .data = {.fd = fd}};

    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0) {
        bench_die("epoll_ctl", -errno);
    }
}

static void accept_all(int epoll_fd, int listen_fd)
{
    int fd;

    while ((fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        bench_block(fd);
        watch(epoll_fd, fd);
    }
    if (errno != EAGAIN && errno != ECONNABORTED) {
        bench_die("accept", -errno);
    }
}

int main(int argc, char **argv)
{
    const struct bench_options o = bench_options(argc, argv);
    const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[64];
    int listen_fd;

    bench_raise_files();
    for (size_t i = 0; i < sizeof region; i++) {
        region[i] = bench_byte(i);
    }
    listen_fd = sock_listen(o.listen, 0600, (uid_t)-1, (gid_t)-1, 4096);
    if (listen_fd < 0) {
        bench_die(o.listen, listen_fd);
    }
    watch(epoll_fd, listen_fd);
    bench_ready(o.ready_fd);
    for (;;) {
        const int n = epoll_wait(epoll_fd, events, 64, -1);

        if (n < 0 && errno != EINTR) {
            bench_die("epoll_wait", -errno);
        }
        for (int i = 0; i < n; i++) {
            const int fd = events[i].data.fd;

            if (fd == listen_fd) {
                accept_all(epoll_fd, listen_fd);
            } else if (!serve(fd)) {
                out_n = 0;
                close(fd);
            }
        }
    }
}
