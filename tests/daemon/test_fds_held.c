/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Peers that hoard fds: unread in the other one's socket, with messages that are never whole, with
 * a VERSION that is not. Their own session waits, then ends; others go on, and the worker takes
 * what the monitor sends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/rig.h"
#include "tests/support/fdcount.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

#define CAPS "{\"capabilities\":{\"max_msg_fds\":253}}"

/* Room for itself and what rig_stop compares. */
#define MANY 40

static const struct wire_hdr map = {.id = 5, .command = WIRE_DMA_MAP, .flags = WIRE_NO_REPLY};

/* One message with n fds, which are one file. */
static struct fdset copies_of(int fd, unsigned n)
{
    struct fdset fds;

    fdset_init(&fds);
    for (unsigned i = 0; i < n; i++) {
        ck_assert_int_eq(fdset_add_take(&fds, dup(fd)), 0);
    }
    return fds;
}

/* Sends messages with n fds until the socket takes no more. How many it took. */
static unsigned send_until_full(int socket_fd, unsigned n)
{
    const int memfd = peer_memfd();
    struct fdset fds = copies_of(memfd, n);
    struct wire_hdr hdr = map;
    uint8_t bytes[WIRE_HDR_SIZE];
    unsigned sent = 0;

    hdr.size = sizeof bytes;
    wire_put_hdr(bytes, &hdr);
    while (sock_send(socket_fd, bytes, sizeof bytes, &fds, MSG_DONTWAIT) == sizeof bytes) {
        sent++;
    }
    fdset_close(&fds);
    close(memfd);
    return sent;
}

/* One message with one fd arrives at the backend. */
static void pass_one_fd(const struct pair *p)
{
    struct fdset fds;
    struct message m;

    fdset_init(&fds);
    peer_memfds(&fds, 1);
    peer_send(p->client_fd, map, "abcd", 4, &fds);
    peer_recv(p->backend_fd, &m);
    peer_expect_same_fds(&fds, &m.fds);
    message_deinit(&m);
    fdset_close(&fds);
}

/* The backend reads nothing for a while: its session waits, and nothing is lost; others do not. */
START_TEST(unread_fds_are_their_sessions_own_matter)
{
    struct rig r;
    struct pair slow;
    struct pair other;
    struct message m;
    unsigned sent;

    rig_start(&r, "    sessions 2");
    rig_session(&r, CAPS, CAPS, &slow);
    rig_session(&r, CAPS, CAPS, &other);
    sent = send_until_full(slow.client_fd, 8);
    for (int i = 0; i < MANY; i++) {
        pass_one_fd(&other);
    }
    for (unsigned i = 0; i < sent; i++) {
        peer_recv(slow.backend_fd, &m);
        ck_assert_uint_eq(m.fds.n, 8);
        message_deinit(&m);
    }
    pair_ping(&slow);
    pair_close(&slow);
    pair_close(&other);
    rig_stop(&r);
}
END_TEST

/* It never reads them: the session ends with a reason of its own. */
START_TEST(fds_that_are_never_read_end_their_session)
{
    struct rig r;
    struct pair bad;
    struct pair other;

    rig_start(&r, "    sessions 2\n    drain-timeout 1m");
    rig_session(&r, CAPS, CAPS, &bad);
    rig_session(&r, CAPS, CAPS, &other);
    (void)send_until_full(bad.client_fd, 253);
    rig_await_log(&r, "reason=fds-unread", NULL, 0);
    pair_close(&bad);
    pass_one_fd(&other);
    pair_close(&other);
    rig_stop(&r);
}
END_TEST

/* A session whose backend, which lives on, reads nothing more. */
static void leave_unread(struct rig *r, struct pair *p)
{
    rig_session(r, CAPS, CAPS, p);
    ck_assert_uint_gt(send_until_full(p->client_fd, 8), 0);
    sock_close(&p->client_fd);
    rig_await_log(r, " ended: ", NULL, 0);
}

/* A client asks for a session: 0 where the backend is dialled, or the errno that it is told. */
static int ask(struct rig *r)
{
    const int fd = peer_connect(r->listen);
    struct pollfd p[] = {{.fd = fd, .events = POLLIN}, {.fd = r->backend_fd, .events = POLLIN}};
    int err = 0;

    peer_send_version(fd, 1, WIRE_TYPE_COMMAND, CAPS, NULL);
    ck_assert_int_gt(poll(p, 2, patience_ms()), 0);
    if (p[0].revents) {
        err = peer_recv_error(fd, 1, WIRE_VERSION);
    } else {
        close(peer_accept(r->backend_fd));
    }
    close(fd);
    return err;
}

/*
 * Fds that are left unread when a session ends stay in flight: one such session after the other
 * uses up the sessions of its route, until the fds are received or their socket is closed.
 */
START_TEST(fds_that_are_left_unread_count_for_their_route)
{
    struct rig r;
    struct pair first;
    struct pair second;
    const struct patience patience = patience_begin();

    rig_start(&r, "    drain-timeout 100ms");
    leave_unread(&r, &first);
    leave_unread(&r, &second);
    ck_assert_int_eq(ask(&r), EBUSY);
    sock_close(&first.backend_fd);
    while (ask(&r) == EBUSY) {
        ck_assert(patience_again(&patience));
    }
    sock_close(&second.backend_fd);
    rig_stop(&r);
}
END_TEST

/* Messages that bring fds and are not whole: the worker holds no more of them than it may. */
START_TEST(hoarders_do_not_fill_the_worker)
{
    struct pair hoarders[MANY];
    struct rig r;
    struct pair other;
    struct wire_hdr hdr = map;
    uint8_t bytes[WIRE_HDR_SIZE];
    struct fdset fds;
    const int memfd = peer_memfd();

    hdr.size = 64;
    wire_put_hdr(bytes, &hdr);
    rig_start(&r, "    sessions 64");
    rig_session(&r, CAPS, CAPS, &other);
    fds = copies_of(memfd, 253);
    for (int i = 0; i < MANY; i++) {
        rig_session(&r, CAPS, CAPS, &hoarders[i]);
        peer_send_raw(hoarders[i].client_fd, bytes, sizeof bytes, &fds);
        peer_send_raw(hoarders[i].backend_fd, bytes, sizeof bytes, &fds);
        pass_one_fd(&other);
    }
    fdset_close(&fds);
    close(memfd);
    pass_one_fd(&other);
    for (int i = 0; i < MANY; i++) {
        pair_close(&hoarders[i]);
    }
    pair_close(&other);
    rig_stop(&r);
}
END_TEST

/* The beginning of a VERSION with as many fds as a message can have: they are not kept. */
START_TEST(fds_beside_version_are_not_kept)
{
    struct rig r;
    struct pair other;
    struct pair hoarders[MANY];
    struct fdset fds;
    const int memfd = peer_memfd();

    rig_start(&r, "    sessions 64");
    rig_session(&r, CAPS, CAPS, &other);
    fds = copies_of(memfd, 253);
    for (int i = 0; i < MANY; i++) {
        hoarders[i].client_fd = peer_connect(r.listen);
        peer_send_raw(hoarders[i].client_fd, "12345678", 8, &fds);
        hoarders[i].backend_fd = peer_accept(r.backend_fd);
    }
    /* Behind them all, so that their bytes have been read once this one is served. */
    pair_close(&other);
    rig_session(&r, CAPS, CAPS, &other);
    ck_assert_int_lt(fdcount_of(rig_worker(&r)),
                     r.worker_fds + MANY * (int)(2 + LIMIT_FDS_VERSION) + 8);
    pass_one_fd(&other);
    for (int i = 0; i < MANY; i++) {
        pair_close(&hoarders[i]);
    }
    fdset_close(&fds);
    close(memfd);
    pair_close(&other);
    rig_stop(&r);
}
END_TEST

/* ---- out of fds ---- */

/*
 * A worker whose table is full: a new session cannot begin and is closed, those that are there go
 * on, and so does the worker once there is room again.
 */
START_TEST(a_full_worker_is_not_a_dead_one)
{
    struct rig r;
    struct pair p;
    pid_t worker;
    rlim_t old;
    int client;

    if (!rig_measurable()) {
        puts("skipped: a_full_worker_is_not_a_dead_one: sanitizers and wrappers open fds");
        return;
    }
    rig_start(&r, "    sessions 4");
    rig_session(&r, CAPS, CAPS, &p);
    pair_ping(&p);
    worker = rig_worker(&r);
    old = process_limit_fds(worker, 1);
    client = peer_connect(r.listen);
    peer_send_version(client, 1, WIRE_TYPE_COMMAND, CAPS, NULL);
    rig_await_log(&r, "worker: out of file descriptors: a session cannot begin", NULL, 0);
    rig_await_log(&r, "reason=no-resources", NULL, 0);
    peer_expect_eof(client);
    close(client);
    pair_ping(&p);
    (void)process_limit_fds(worker, old);
    /* The connection that was dialled for it is still in the queue. */
    close(peer_accept(r.backend_fd));
    pair_close(&p);
    rig_session(&r, CAPS, CAPS, &p);
    pass_one_fd(&p);
    ck_assert_int_eq(rig_worker(&r), worker);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("daemon: fds held");
    TCase *const tc = rig_case(suite, "fds held");

    tcase_add_test(tc, unread_fds_are_their_sessions_own_matter);
    tcase_add_test(tc, fds_that_are_never_read_end_their_session);
    tcase_add_test(tc, fds_that_are_left_unread_count_for_their_route);
    tcase_add_test(tc, hoarders_do_not_fill_the_worker);
    tcase_add_test(tc, fds_beside_version_are_not_kept);
    tcase_add_test(tc, a_full_worker_is_not_a_dead_one);
    return unit_run(suite);
}
