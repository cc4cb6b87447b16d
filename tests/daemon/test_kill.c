/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A client or a backend killed with -9 at every message of a recorded realize, and in the middle of
 * each: the other sees the end, nothing is left over, and the route serves the next. A worker
 * killed there: the session goes on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/realize.h"
#include "tests/daemon/rig.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

/* ---- playing the record ---- */

/* Sends message i; of a half one only its first half, and the fds. */
static void send_message(int fd, size_t i, bool half)
{
    const struct realize_message *const m = &realize[i];
    const size_t size = WIRE_HDR_SIZE + m->n;
    uint8_t *const bytes = malloc(size);
    struct wire_hdr hdr = m->hdr;
    struct fdset fds;

    ck_assert_ptr_nonnull(bytes);
    hdr.size = (uint32_t)size;
    wire_put_hdr(bytes, &hdr);
    if (m->n > 0) {
        memcpy(bytes + WIRE_HDR_SIZE, m->payload, m->n);
    }
    fdset_init(&fds);
    peer_memfds(&fds, m->fds);
    peer_send_raw(fd, bytes, half ? size / 2 : size, &fds);
    fdset_close(&fds);
    free(bytes);
}

/* Receives message i. VERSION is written anew by poemd: of it only the header is compared. */
static void recv_message(int fd, size_t i)
{
    const struct realize_message *const want = &realize[i];
    struct message m;

    peer_recv(fd, &m);
    ck_assert_uint_eq(m.hdr.id, want->hdr.id);
    ck_assert_uint_eq(m.hdr.command, want->hdr.command);
    ck_assert_uint_eq(m.hdr.flags, want->hdr.flags);
    ck_assert_uint_eq(m.hdr.error, want->hdr.error);
    ck_assert_uint_eq(m.fds.n, want->fds);
    if (want->hdr.command != WIRE_VERSION) {
        ck_assert_uint_eq(m.n, want->n);
        ck_assert(m.n == 0 || memcmp(m.payload, want->payload, m.n) == 0);
    }
    message_deinit(&m);
}

/* Plays one side of the messages before last. */
static void play(int fd, bool client, size_t last)
{
    for (size_t i = 0; i < last; i++) {
        if (realize[i].to_backend == client) {
            send_message(fd, i, false);
        } else {
            recv_message(fd, i);
        }
    }
}

/* Plays both sides of the messages before last, each being received before the next is sent. */
static void play_both(const struct pair *p, size_t first, size_t last)
{
    for (size_t i = first; i < last; i++) {
        send_message(realize[i].to_backend ? p->client_fd : p->backend_fd, i, false);
        recv_message(realize[i].to_backend ? p->backend_fd : p->client_fd, i);
    }
}

/* ---- who is killed ---- */

/* What a victim is told: it plays the messages before last, and dies at that one. */
struct scene {
    const struct rig *rig;
    size_t last;
    bool half; /* in its middle */
};

/* Its own last message: sent or received, wholly or by half. Then the end, by its own hand. */
static void die_at(int fd, bool client, const struct scene *s)
{
    if (realize[s->last].to_backend == client) {
        send_message(fd, s->last, s->half);
    } else if (s->half) {
        uint8_t bytes[WIRE_HDR_SIZE / 2];
        struct fdset fds;

        fdset_init(&fds);
        ck_assert_int_eq(sock_recv_all(fd, bytes, sizeof bytes, &fds), 0);
    } else {
        recv_message(fd, s->last);
    }
    kill(getpid(), SIGKILL);
}

static void client_victim(void *arg)
{
    const struct scene *const s = arg;
    const int fd = peer_connect(s->rig->listen);

    play(fd, true, s->last);
    die_at(fd, true, s);
}

static void backend_victim(void *arg)
{
    const struct scene *const s = arg;
    const int fd = peer_accept(s->rig->backend_fd);

    play(fd, false, s->last);
    die_at(fd, false, s);
}

static void expect_killed(pid_t pid)
{
    const int status = process_wait(pid);

    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the victim: status %x",
                  status);
}

static void after(struct rig *r)
{
    rig_await_log(r, " ended: ", NULL, 0);
    rig_settle(r);
}

static void kill_client_at(struct rig *r, size_t last, bool half)
{
    struct scene s = {.rig = r, .last = last, .half = half};
    const pid_t pid = process_fork(client_victim, &s);
    int fd = peer_accept(r->backend_fd);

    play(fd, false, last);
    if (!realize[last].to_backend) {
        send_message(fd, last, false);
    } else if (!half) {
        recv_message(fd, last);
    }
    expect_killed(pid);
    peer_expect_eof(fd);
    sock_close(&fd);
    after(r);
}

static void kill_backend_at(struct rig *r, size_t last, bool half)
{
    struct scene s = {.rig = r, .last = last, .half = half};
    const pid_t pid = process_fork(backend_victim, &s);
    int fd = peer_connect(r->listen);

    play(fd, true, last);
    if (realize[last].to_backend) {
        send_message(fd, last, false);
    } else if (!half) {
        recv_message(fd, last);
    }
    expect_killed(pid);
    if (last == 0 || (last == 1 && half)) {
        ck_assert_int_eq(peer_recv_error(fd, realize[0].hdr.id, WIRE_VERSION), ECONNREFUSED);
    }
    peer_expect_eof(fd);
    sock_close(&fd);
    after(r);
}

/* Killed in the handshake: the session is over, and its client learns of it. */
static void kill_worker_in_handshake(struct rig *r, size_t last)
{
    const pid_t worker = rig_worker(r);
    struct pair p = {.client_fd = peer_connect(r->listen)};

    send_message(p.client_fd, 0, false);
    p.backend_fd = peer_accept(r->backend_fd);
    if (last > 0) {
        recv_message(p.backend_fd, 0);
    }
    ck_assert_int_eq(kill(worker, SIGKILL), 0);
    /* Another worker answers, whether this one had read the request or not. */
    ck_assert_int_eq(peer_recv_error(p.client_fd, realize[0].hdr.id, WIRE_VERSION), ECONNABORTED);
    peer_expect_eof(p.client_fd);
    pair_close(&p);
    rig_await_log(r, "reason=worker-died", NULL, 0);
    rig_settle(r);
}

/* Killed before this message: it and all later ones pass. */
static void kill_worker_before(struct rig *r, size_t next)
{
    const pid_t worker = rig_worker(r);
    struct pair p = {.client_fd = peer_connect(r->listen)};

    send_message(p.client_fd, 0, false);
    p.backend_fd = peer_accept(r->backend_fd);
    recv_message(p.backend_fd, 0);
    play_both(&p, 1, next);
    rig_await_rest(worker);
    ck_assert_int_eq(kill(worker, SIGKILL), 0);
    play_both(&p, next, realize_count);
    pair_close(&p);
    rig_await_log(r, "goes on in worker", NULL, 0);
    after(r);
}

/* All of it passes: the route is as good as new. */
static void expect_all_of_it(struct rig *r)
{
    struct pair p = {.client_fd = peer_connect(r->listen)};

    send_message(p.client_fd, 0, false);
    p.backend_fd = peer_accept(r->backend_fd);
    recv_message(p.backend_fd, 0);
    play_both(&p, 1, realize_count);
    pair_close(&p);
    after(r);
}

START_TEST(the_client)
{
    struct rig r;

    rig_start(&r, "");
    for (size_t i = 0; i < realize_count; i++) {
        kill_client_at(&r, i, _i);
    }
    expect_all_of_it(&r);
    rig_stop(&r);
}
END_TEST

START_TEST(the_backend)
{
    struct rig r;

    rig_start(&r, "");
    for (size_t i = 0; i < realize_count; i++) {
        kill_backend_at(&r, i, _i);
    }
    expect_all_of_it(&r);
    rig_stop(&r);
}
END_TEST

START_TEST(the_worker)
{
    /* Starting one takes seconds under a wrapper: some of the messages have to do there. */
    const size_t step = rig_wrapped() ? 9 : 1;
    struct rig r;

    rig_start(&r, "");
    kill_worker_in_handshake(&r, 0);
    kill_worker_in_handshake(&r, 1);
    for (size_t i = 2; i <= realize_count; i += step) {
        kill_worker_before(&r, i);
    }
    expect_all_of_it(&r);
    rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("daemon: kill");
    TCase *const tc = rig_case(suite, "kill");

    tcase_add_loop_test(tc, the_client, 0, 2);
    tcase_add_loop_test(tc, the_backend, 0, 2);
    tcase_add_test(tc, the_worker);
    return unit_run(suite);
}
