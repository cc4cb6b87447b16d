/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Workers that die, wherever they are: their sessions go on in another one, with nothing lost, and
 * nothing doubled.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/inject.h"
#include "tests/daemon/rig.h"
#include "tests/daemon/twin_rig.h"
#include "tests/support/peer.h"
#include "tests/support/stream.h"
#include "tests/support/unit.h"

/* ---- ends of workers ---- */

static void start(struct rig *r, unsigned workers, unsigned sessions)
{
    rig_init(r);
    rig_configure(r,
                  "workers %u\nroute r {\n    listen %s\n    backend %s\n    sessions %u\n"
                  "    recite to client never\n}\n",
                  workers, r->listen, r->backend, sessions);
    rig_launch(r);
    rig_measure(r, workers);
}

/* Kills the only worker that runs, if it does at the moment. Returns whether it did. */
static bool kill_worker(const struct rig *r, int sig)
{
    pid_t pids[RIG_WORKERS];

    return rig_workers(r, pids) == 1 && kill(pids[0], sig) == 0;
}

/* SIGTRAP for a fault of its own: of SIGSEGV a sanitizer would make a report. */
static const int signals[] = {SIGKILL, SIGABRT, SIGTRAP, SIGSTOP};

START_TEST(an_idle_session_goes_on)
{
    struct rig r;
    struct pair p;

    start(&r, 1, 1);
    rig_session(&r, NULL, NULL, &p);
    pair_ping(&p);
    for (int i = 0; i < 3; i++) {
        rig_await_rest(rig_worker(&r));
        ck_assert(kill_worker(&r, signals[_i]));
        rig_await_log(&r, "goes on in worker", NULL, 0);
        pair_ping(&p);
    }
    pair_close(&p);
    rig_await_log(&r, " ended: reason=", NULL, 0);
    rig_stop(&r);
}
END_TEST

START_TEST(all_sessions_of_a_worker_go_on)
{
    enum { SESSIONS = 10 };
    struct pair p[SESSIONS];
    struct rig r;

    start(&r, 1, SESSIONS);
    for (int i = 0; i < SESSIONS; i++) {
        rig_session(&r, NULL, NULL, &p[i]);
    }
    rig_await_rest(rig_worker(&r));
    ck_assert(kill_worker(&r, SIGKILL));
    for (int i = 0; i < SESSIONS; i++) {
        pair_ping(&p[i]);
    }
    for (int i = 0; i < SESSIONS; i++) {
        pair_close(&p[i]);
        rig_await_log(&r, " ended: reason=", NULL, 0);
    }
    rig_stop(&r);
}
END_TEST

/* The others have it at once; nothing waits for the one that is started. */
START_TEST(a_living_worker_takes_over)
{
    pid_t pids[RIG_WORKERS];
    struct rig r;
    struct pair p[2];

    start(&r, 2, 2);
    rig_session(&r, NULL, NULL, &p[0]);
    rig_session(&r, NULL, NULL, &p[1]);
    ck_assert_uint_eq(rig_workers(&r, pids), 2);
    ck_assert_int_eq(kill(pids[0], SIGKILL), 0);
    pair_ping(&p[0]);
    pair_ping(&p[1]);
    rig_await_log(&r, "goes on in worker", NULL, 0);
    pair_close(&p[0]);
    pair_close(&p[1]);
    rig_stop(&r);
}
END_TEST

START_TEST(twin_sockets_go_on)
{
    struct rig r;
    struct twins t;

    rig_start(&r, "");
    twin_rig_begin(&r, &t);
    for (int i = 0; i < 3; i++) {
        pair_ping(&t.main);
        pair_ping(&t.twin);
        rig_await_rest(rig_worker(&r));
        ck_assert(kill_worker(&r, SIGKILL));
        rig_await_log(&r, "goes on in worker", NULL, 0);
    }
    pair_ping(&t.main);
    pair_ping(&t.twin);
    twin_rig_end(&t);
    rig_stop(&r);
}
END_TEST

/* Part of a message, which the worker has taken, and the rest of it, which comes later. */
START_TEST(a_message_that_comes_in_parts_goes_on)
{
    static uint8_t whole[LIMIT_QUEUE / 2];
    const struct wire_hdr hdr = {.command = WIRE_REGION_WRITE, .size = sizeof whole};
    struct message m;
    struct rig r;
    struct pair p;

    memset(whole, 0x5a, sizeof whole);
    wire_put_hdr(whole, &hdr);
    start(&r, 1, 1);
    rig_session(&r, NULL, NULL, &p);
    for (size_t n = 0; n < sizeof whole; n += sizeof whole / 4) {
        peer_send_raw(p.client_fd, whole + n, sizeof whole / 4, NULL);
        while (!sock_all_received(p.client_fd)) {
            sched_yield();
        }
        rig_await_rest(rig_worker(&r));
        ck_assert(kill_worker(&r, SIGKILL));
        rig_await_log(&r, "goes on in worker", NULL, 0);
    }
    peer_recv(p.backend_fd, &m);
    ck_assert_uint_eq(m.hdr.size, sizeof whole);
    ck_assert_mem_eq(m.payload, whole + WIRE_HDR_SIZE, m.n);
    message_deinit(&m);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* The fds that came with a part of a message are the worker's alone. */
START_TEST(a_session_whose_fds_the_worker_holds_ends)
{
    static uint8_t half[LIMIT_QUEUE / 4];
    const struct wire_hdr hdr = {.command = WIRE_REGION_WRITE, .size = 2 * sizeof half};
    struct fdset fds;
    struct rig r;
    struct pair p;

    start(&r, 1, 1);
    rig_session(&r, NULL, NULL, &p);
    wire_put_hdr(half, &hdr);
    fdset_init(&fds);
    peer_memfds(&fds, 1);
    peer_send_raw(p.client_fd, half, sizeof half, &fds);
    fdset_close(&fds);
    while (!sock_all_received(p.client_fd)) {
        sched_yield();
    }
    rig_await_rest(rig_worker(&r));
    ck_assert(kill_worker(&r, SIGKILL));
    pair_expect_end(&p);
    rig_await_log(&r, "reason=worker-died", NULL, 0);
    rig_stop(&r);
}
END_TEST

#define ROUNDS 12u

/* A receiver that does not read: the worker dies with a full queue, or within a message. */
START_TEST(large_messages_go_on)
{
    struct rig r;
    struct pair p;

    start(&r, 1, 1);
    rig_session(&r, NULL, NULL, &p);
    for (unsigned round = 0; round < ROUNDS; round++) {
        const bool up = round % 2 == 0;
        const struct wire_hdr hdr = {.id = (uint16_t)round,
                                     .command = up ? WIRE_REGION_WRITE : WIRE_DMA_WRITE,
                                     .flags = WIRE_NO_REPLY};
        struct stream s;
        struct flow f = {.stream = &s,
                         .from_fd = up ? p.client_fd : p.backend_fd,
                         .to_fd = up ? p.backend_fd : p.client_fd};

        stream_init(&s);
        stream_add(&s, hdr, NULL, 5000 + 20011 * (size_t)round, 0);
        stream_add(&s, hdr, NULL, 1048576 - 4099 * (size_t)round, 0);
        stream_add(&s, hdr, NULL, 40, 1);
        flow_fill(&f);
        ck_assert(kill_worker(&r, SIGKILL));
        rig_await_log(&r, "goes on in worker", NULL, 0);
        flow_run(&f, 1);
        stream_deinit(&s);
    }
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* ---- in the middle of a send ---- */

#define REPLIES 100

/*
 * Killed as soon as the client has a reply, the worker has often not noted that it was sent, but
 * the kernel has.
 */
START_TEST(a_reply_comes_once)
{
    struct wire_hdr hdr = {.command = WIRE_REGION_READ};
    struct message m;
    struct rig r;
    struct pair p;

    start(&r, 1, 1);
    rig_session(&r, NULL, NULL, &p);
    for (uint16_t i = 0; i < REPLIES; i++) {
        hdr.id = i;
        hdr.flags = WIRE_TYPE_COMMAND;
        peer_send(p.client_fd, hdr, &i, sizeof i, NULL);
        peer_recv(p.backend_fd, &m);
        ck_assert_uint_eq(m.hdr.id, i);
        ck_assert(!wire_is_reply(&m.hdr));
        message_deinit(&m);
        hdr.flags = WIRE_TYPE_REPLY;
        peer_send(p.backend_fd, hdr, &i, sizeof i, NULL);
        peer_recv(p.client_fd, &m);
        ck_assert(wire_is_reply(&m.hdr));
        ck_assert_uint_eq(m.hdr.id, i);
        message_deinit(&m);
        (void)kill_worker(&r, SIGKILL);
    }
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* ---- points ---- */

#define POINTS 64u

/* Messages of all kinds that a worker passes on, each way. */
static void points_fill(struct stream *s, uint16_t command)
{
    const struct wire_hdr hdr = {.command = command, .flags = WIRE_NO_REPLY};

    stream_init(s);
    for (unsigned i = 0; i < 3; i++) {
        stream_add(s, hdr, NULL, 24 + i, 0);
        stream_add(s, hdr, NULL, 8, 1 + i % 2);
    }
    stream_add(s, hdr, NULL, 3 * (size_t)LIMIT_PEEK, 0);
    stream_add(s, hdr, NULL, 2 * (size_t)LIMIT_PEEK, 2);
    stream_add(s, hdr, NULL, 4, 0);
}

/* The worker has the messages before it, and ends where one of its system calls begins or ends. */
static void points_pass(struct rig *r, const struct pair *p, unsigned point, int sig)
{
    struct stream up;
    struct stream down;
    struct flow flows[] = {{.stream = &up, .from_fd = p->client_fd, .to_fd = p->backend_fd},
                           {.stream = &down, .from_fd = p->backend_fd, .to_fd = p->client_fd}};
    struct injection j;

    points_fill(&up, WIRE_REGION_WRITE);
    points_fill(&down, WIRE_DMA_WRITE);
    inject_begin(&j, rig_worker(r));
    flow_send(&flows[0]);
    flow_send(&flows[1]);
    inject_steps(&j, point);
    inject_leave_by(&j, sig);
    flow_run(flows, 2);
    rig_await_log(r, "goes on in worker", NULL, 0);
    stream_deinit(&up);
    stream_deinit(&down);
}

START_TEST(ended_at_any_system_call_a_worker_loses_nothing)
{
    static const char json[] = "{\"capabilities\":{\"max_msg_fds\":8}}";
    struct rig r;
    struct pair p;

    if (!inject_possible()) {
        puts("skipped: ended_at_any_system_call_a_worker_loses_nothing: needs x86-64");
        return;
    }
    start(&r, 1, 1);
    rig_session(&r, json, json, &p);
    for (unsigned point = 1; point <= POINTS; point++) {
        points_pass(&r, &p, point, signals[_i]);
    }
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* ---- the handshake ---- */

#define HANDSHAKE_POINTS 40u

/*
 * The worker ends somewhere between the backend's reply and the first message: the client gets its
 * reply, or an error, and never silence.
 */
START_TEST(ended_in_a_handshake_a_worker_leaves_no_client_unanswered)
{
    unsigned relayed = 0;
    struct rig r;

    if (!inject_possible()) {
        puts("skipped: ended_in_a_handshake_a_worker_leaves_no_client_unanswered: needs x86-64");
        return;
    }
    start(&r, 1, 1);
    for (unsigned point = 1; point <= HANDSHAKE_POINTS; point++) {
        struct injection j;
        struct message m;
        struct pair p;

        p.client_fd = peer_connect(r.listen);
        peer_send_version(p.client_fd, 1, WIRE_TYPE_COMMAND, "{}", NULL);
        p.backend_fd = peer_accept(r.backend_fd);
        peer_recv(p.backend_fd, &m);
        message_deinit(&m);
        rig_await_rest(rig_worker(&r));
        inject_begin(&j, rig_worker(&r));
        peer_send_version(p.backend_fd, 1, WIRE_TYPE_REPLY, "{}", NULL);
        inject_steps(&j, point);
        inject_leave_by(&j, SIGKILL);
        peer_recv(p.client_fd, &m);
        ck_assert(wire_is_reply(&m.hdr));
        if (!(m.hdr.flags & WIRE_ERROR)) {
            pair_ping(&p);
            relayed++;
        }
        message_deinit(&m);
        pair_close(&p);
        rig_await_log(&r, " ended: reason=", NULL, 0);
    }
    ck_assert_uint_ge(relayed, 1);
    rig_stop(&r);
}
END_TEST

/* ---- traffic ---- */

#define MESSAGES 20000u
#define KILL_EVERY 400u
#define UNDER_WAY 64u
#define FDS_EVERY 4u

/* Messages of which the fds are kept: more than go on together. */
#define KEPT 512u

/* What is under way between the two ends. */
struct traffic {
    const struct rig *r;
    const struct pair *p;
    uint32_t sent;
    uint32_t received;
    uint32_t kills;
    struct fdset fds[KEPT];
};

static void send_next(struct traffic *t)
{
    const struct wire_hdr hdr = {
        .id = (uint16_t)t->sent, .command = WIRE_REGION_WRITE, .flags = WIRE_NO_REPLY};
    struct fdset *const fds = &t->fds[t->sent % KEPT];

    fdset_close(fds);
    if (t->sent % FDS_EVERY == 0) {
        peer_memfds(fds, 1 + t->sent % 3);
    }
    peer_send(t->p->client_fd, hdr, &t->sent, sizeof t->sent, fds);
    t->sent++;
}

static void receive_next(struct traffic *t)
{
    struct message m;
    uint32_t n;

    peer_recv(t->p->backend_fd, &m);
    ck_assert_uint_eq(m.n, sizeof n);
    memcpy(&n, m.payload, sizeof n);
    ck_assert_uint_eq(n, t->received);
    t->received++;
    peer_expect_same_fds(&t->fds[n % KEPT], &m.fds);
    message_deinit(&m);
}

START_TEST(under_traffic_nothing_is_lost_or_doubled)
{
    static const char json[] = "{\"capabilities\":{\"max_msg_fds\":8}}";
    struct rig r;
    struct pair p;
    struct traffic t = {.r = &r, .p = &p};

    start(&r, 1, 1);
    rig_session(&r, json, json, &p);
    while (t.received < MESSAGES) {
        const bool due = t.received / KILL_EVERY > t.kills;

        while (t.sent < MESSAGES && t.sent - t.received < UNDER_WAY - 1) {
            send_next(&t);
        }
        if (due && kill_worker(&r, signals[_i])) {
            t.kills++;
        }
        receive_next(&t);
    }
    peer_expect_silence(p.backend_fd);
    ck_assert_uint_ge(t.kills, 1);
    pair_ping(&p);
    for (unsigned i = 0; i < KEPT; i++) {
        fdset_close(&t.fds[i]);
    }
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("daemon: resume");
    TCase *tc = rig_case(suite, "resume");

    tcase_add_loop_test(tc, an_idle_session_goes_on, 0, 4);
    tcase_add_test(tc, all_sessions_of_a_worker_go_on);
    tcase_add_test(tc, a_living_worker_takes_over);
    tcase_add_test(tc, twin_sockets_go_on);
    tcase_add_test(tc, a_message_that_comes_in_parts_goes_on);
    tcase_add_test(tc, a_session_whose_fds_the_worker_holds_ends);
    tcase_add_test(tc, large_messages_go_on);
    tcase_add_test(tc, a_reply_comes_once);
    tcase_add_loop_test(tc, under_traffic_nothing_is_lost_or_doubled, 0, 2);
    tc = rig_case(suite, "points");
    tcase_add_test(tc, ended_in_a_handshake_a_worker_leaves_no_client_unanswered);
    tcase_add_loop_test(tc, ended_at_any_system_call_a_worker_loses_nothing, 0, 2);
    return unit_run(suite);
}
