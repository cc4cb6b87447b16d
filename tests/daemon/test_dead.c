/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Peers whose processes are gone while their sockets live on: the session ends, unless another
 * process uses the socket. And receivers that live and take nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/rig.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

#define CAPS "{\"capabilities\":{\"max_msg_fds\":16}}"

/* ---- a process of its own, which leaves its socket to the test ---- */

/* A child that connects, or listens and accepts; what it has is sent to the test, and it exits. */
struct heir {
    struct rig *rig;
    bool listens;
    bool greets; /* … after it has exchanged VERSION itself */
    int to_test[2];
};

static int heir_connect(const struct heir *h)
{
    int fd;

    if (h->listens) {
        const int listen_fd = peer_listen(h->rig->backend, 1);

        /* Now a client can come. */
        peer_send_raw(h->to_test[1], "l", 1, NULL);
        fd = peer_accept(listen_fd);
        close(listen_fd);
    } else {
        fd = peer_connect(h->rig->listen);
    }
    return fd;
}

static void heir_run(void *arg)
{
    const struct heir *h = arg;
    struct fdset fds;
    int fd = heir_connect(h);

    if (h->greets && h->listens) {
        peer_recv_version(fd, 1, WIRE_TYPE_COMMAND, CAPS);
        peer_send_version(fd, 1, WIRE_TYPE_REPLY, CAPS, NULL);
    } else if (h->greets) {
        peer_send_version(fd, 1, WIRE_TYPE_COMMAND, CAPS, NULL);
        peer_recv_version(fd, 1, WIRE_TYPE_REPLY, CAPS);
    }
    fdset_init(&fds);
    ck_assert_int_eq(fdset_add_take(&fds, fd), 0);
    peer_send_raw(h->to_test[1], "s", 1, &fds);
    fdset_close(&fds);
}

static void expect_byte(int fd, char byte, struct fdset *fds)
{
    char got = 0;

    ck_assert_int_eq(sock_recv_all(fd, &got, 1, fds), 0);
    ck_assert_int_eq(got, byte);
}

/* Takes over what the child leaves, and waits for its end. */
static int heir_inherit(struct heir *h, pid_t child)
{
    struct fdset fds;

    fdset_init(&fds);
    expect_byte(h->to_test[0], 's', &fds);
    ck_assert_uint_eq(fds.n, 1);
    ck_assert_int_eq(process_wait(child), 0);
    close(h->to_test[0]);
    close(h->to_test[1]);
    return fdset_steal(&fds, 0);
}

/* A session of which one side was another process's, which is gone. */
static void inherit_session(struct rig *r, bool backend, bool greets, struct pair *p)
{
    struct heir h = {.rig = r, .listens = backend, .greets = greets};
    pid_t child;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, h.to_test), 0);
    if (backend) {
        ck_assert_int_eq(unlink(r->backend), 0);
        child = process_fork(heir_run, &h);
        expect_byte(h.to_test[0], 'l', NULL);
        p->client_fd = peer_connect(r->listen);
        peer_send_version(p->client_fd, 1, WIRE_TYPE_COMMAND, CAPS, NULL);
        p->backend_fd = heir_inherit(&h, child);
        if (!greets) {
            peer_recv_version(p->backend_fd, 1, WIRE_TYPE_COMMAND, CAPS);
            peer_send_version(p->backend_fd, 1, WIRE_TYPE_REPLY, CAPS, NULL);
        }
        peer_recv_version(p->client_fd, 1, WIRE_TYPE_REPLY, CAPS);
        return;
    }
    child = process_fork(heir_run, &h);
    if (!greets) {
        p->client_fd = heir_inherit(&h, child);
        peer_send_version(p->client_fd, 1, WIRE_TYPE_COMMAND, CAPS, NULL);
    }
    p->backend_fd = peer_accept(r->backend_fd);
    peer_recv_version(p->backend_fd, 1, WIRE_TYPE_COMMAND, CAPS);
    peer_send_version(p->backend_fd, 1, WIRE_TYPE_REPLY, CAPS, NULL);
    if (greets) {
        p->client_fd = heir_inherit(&h, child);
    } else {
        peer_recv_version(p->client_fd, 1, WIRE_TYPE_REPLY, CAPS);
    }
}

/* _i: the backend's. The test has a copy of the socket, and does not use it. */
START_TEST(a_dead_peer_ends_its_session)
{
    struct rig r;
    struct pair p;

    rig_start(&r, "    drain-timeout 200ms");
    inherit_session(&r, _i, true, &p);
    pair_expect_end(&p);
    rig_await_log(&r, _i ? "reason=backend-died" : "reason=client-died", NULL, 0);
    rig_stop(&r);
}
END_TEST

/*
 * _i: the backend's. The process that connected or listened is gone before the handshake, which
 * another one makes: the session is that one's. That it outlives the time-out shows when a second
 * session, of a dead client, has ended by it.
 */
START_TEST(a_socket_that_was_handed_on_outlives_its_first_process)
{
    struct rig r;
    struct pair p;
    struct pair dead;

    rig_start(&r, "    sessions 2\n    drain-timeout 200ms");
    inherit_session(&r, _i, false, &p);
    if (_i) {
        close(r.backend_fd);
        ck_assert_int_eq(unlink(r.backend), 0);
        r.backend_fd = peer_listen(r.backend, 16);
    }
    inherit_session(&r, false, true, &dead);
    pair_expect_end(&dead);
    rig_await_log(&r, "reason=client-died", NULL, 0);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* The process is gone after its handshake, and another one goes on in its place at once. */
START_TEST(who_goes_on_in_a_dead_peers_place_is_served)
{
    struct rig r;
    struct pair p;
    struct pair dead;

    rig_start(&r, "    sessions 2\n    drain-timeout 1s");
    inherit_session(&r, false, true, &p);
    pair_ping(&p);
    inherit_session(&r, false, true, &dead);
    pair_expect_end(&dead);
    rig_await_log(&r, "reason=client-died", NULL, 0);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* ---- receivers that take nothing ---- */

/* Sends large messages until the socket does not take a byte: the error, by flags -EAGAIN or an
 * end. */
static ssize_t send_endlessly(int fd, int flags)
{
    static uint8_t bytes[WIRE_HDR_SIZE + sizeof(struct wire_region_access) + 1048576];
    const struct wire_hdr hdr = {.command = WIRE_REGION_WRITE, .size = sizeof bytes};
    size_t at = 0;
    ssize_t n;

    wire_put_hdr(bytes, &hdr);
    while ((n = sock_send(fd, bytes + at, sizeof bytes - at, NULL, flags)) > 0) {
        at = (at + (size_t)n) % sizeof bytes;
    }
    return n;
}

/* _i: the client is the one. */
START_TEST(a_receiver_that_takes_nothing_ends_its_session)
{
    struct rig r;
    struct pair p;

    rig_start(&r, "    stall-timeout 200ms\n    drain-timeout 1m");
    rig_session(&r, CAPS, CAPS, &p);
    /* It blocks until the session's end. */
    ck_assert_int_eq(send_endlessly(_i ? p.backend_fd : p.client_fd, 0), -EPIPE);
    rig_await_log(&r, "reason=stalled", NULL, 0);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* Messages that stop midway where the broker holds what has come: for the rest, or to judge it. */
static const struct {
    const char *words;
    uint32_t size; /* claimed */
    size_t n;      /* sent */
} midways[] = {
    {"", 40, 9},
    {"", 40, 39},
    {"", LIMIT_QUEUE, 100},
    {"    dma withhold\n", 40, 39},
    {"    dma withhold\n", LIMIT_QUEUE + 1, 40},
};

START_TEST(a_sender_that_stops_inside_a_message_ends_its_session)
{
    const struct wire_hdr hdr = {.command = WIRE_DMA_MAP, .size = midways[_i].size};
    uint8_t bytes[128] = {0};
    char words[128];
    struct rig r;
    struct pair p;

    snprintf(words, sizeof words, "%s    stall-timeout 200ms\n    drain-timeout 1m",
             midways[_i].words);
    rig_start(&r, words);
    rig_session(&r, CAPS, CAPS, &p);
    pair_ping(&p);
    wire_put_hdr(bytes, &hdr);
    peer_send_raw(p.client_fd, bytes, midways[_i].n, NULL);
    pair_expect_end(&p);
    rig_await_log(&r, "reason=stalled", NULL, 0);
    rig_stop(&r);
}
END_TEST

/* Both ends of a session in the queue of its own socket, which the broker does not read on. */
START_TEST(a_session_that_lies_in_its_own_queue_ends)
{
    struct rig r;
    struct pair p;
    struct fdset fds;

    rig_start(&r, "    stall-timeout 1s\n    drain-timeout 1m");
    rig_session(&r, CAPS, CAPS, &p);
    ck_assert_int_eq(send_endlessly(p.client_fd, MSG_DONTWAIT), -EAGAIN);
    fdset_init(&fds);
    ck_assert_int_eq(fdset_add_take(&fds, p.client_fd), 0);
    ck_assert_int_eq(fdset_add_take(&fds, p.backend_fd), 0);
    /* Where there is room for it and the broker takes it, the session ends by that. */
    ck_assert_int_ne(sock_send(p.client_fd, "x", 1, &fds, 0), 0);
    fdset_close(&fds);
    rig_await_log(&r, " ended: ", NULL, 0);
    rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("daemon: dead peers");
    TCase *const tc = rig_case(suite, "dead peers");

    tcase_add_loop_test(tc, a_dead_peer_ends_its_session, 0, 2);
    tcase_add_loop_test(tc, a_socket_that_was_handed_on_outlives_its_first_process, 0, 2);
    tcase_add_test(tc, who_goes_on_in_a_dead_peers_place_is_served);
    tcase_add_loop_test(tc, a_receiver_that_takes_nothing_ends_its_session, 0, 2);
    tcase_add_loop_test(tc, a_sender_that_stops_inside_a_message_ends_its_session, 0,
                        sizeof midways / sizeof midways[0]);
    tcase_add_test(tc, a_session_that_lies_in_its_own_queue_ends);
    return unit_run(suite);
}
