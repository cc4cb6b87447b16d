/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A monitor that is killed, alone or with all its workers: the next one goes on with every session
 * that it can, and answers the clients of all others.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/rig.h"
#include "tests/daemon/twin_rig.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

#define GOES_ON "goes on after the end of an earlier monitor"

static void start(struct rig *r, unsigned workers, const char *statements)
{
    rig_init(r);
    rig_configure(
        r,
        "workers %u\nlog-level debug\nroute r {\n    listen %s\n    backend %s\n    sessions 8\n"
        "    recite to client never\n%s}\n",
        workers, r->listen, r->backend, statements);
    rig_launch(r);
    rig_measure(r, workers);
}

/* Which processes are killed at once. */
enum victims { THE_MONITOR, MONITOR_AND_WORKERS, VICTIMS };

/* Waits until there are as many workers as configured, all at rest: no message is in doubt then. */
static void await_workers(const struct rig *r, pid_t out[RIG_WORKERS])
{
    const struct patience patience = patience_begin();
    char state[32] = "";
    size_t n;

    for (;;) {
        size_t resting = 0;

        n = rig_workers(r, out);
        while (resting < n && process_status(out[resting], "State", state, sizeof state) &&
               state[0] == 'S') {
            resting++;
        }
        if (n == r->workers && resting == n) {
            return;
        }
        ck_assert_msg(patience_again(&patience), "%zu workers, of which %zu rest", n, resting);
    }
}

static void kill_at_once(struct rig *r, enum victims victims)
{
    pid_t workers[RIG_WORKERS];

    await_workers(r, workers);
    rig_await_rest(rig_monitor(r));
    ck_assert_int_eq(kill(rig_monitor(r), SIGKILL), 0);
    for (size_t i = 0; victims == MONITOR_AND_WORKERS && i < r->workers; i++) {
        ck_assert_int_eq(kill(workers[i], SIGKILL), 0);
    }
}

START_TEST(an_idle_session_goes_on)
{
    struct rig r;
    struct pair p;

    start(&r, 1, "");
    rig_session(&r, NULL, NULL, &p);
    pair_ping(&p);
    for (int i = 0; i < 3; i++) {
        kill_at_once(&r, (enum victims)_i);
        pair_ping(&p);
        rig_await_log(&r, GOES_ON ": 1 session relays, 0 begin anew, 0 have ended", NULL, 0);
    }
    pair_close(&p);
    rig_await_log(&r, "session=2 route=r: ended: reason=", NULL, 0);
    rig_stop(&r);
}
END_TEST

START_TEST(all_sessions_of_all_workers_go_on)
{
    enum { SESSIONS = 8 };
    struct pair p[SESSIONS];
    struct rig r;

    start(&r, 3, "");
    for (int i = 0; i < SESSIONS; i++) {
        rig_session(&r, NULL, NULL, &p[i]);
    }
    kill_at_once(&r, (enum victims)_i);
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

START_TEST(twin_sockets_go_on)
{
    struct rig r;
    struct twins t;

    start(&r, 1, "");
    twin_rig_begin(&r, &t);
    pair_ping(&t.main);
    pair_ping(&t.twin);
    kill_at_once(&r, (enum victims)_i);
    pair_ping(&t.main);
    pair_ping(&t.twin);
    twin_rig_end(&t);
    rig_stop(&r);
}
END_TEST

/* A request that was sent while nothing of the broker but the keeper was there is answered. */
START_TEST(nothing_that_was_under_way_is_lost)
{
    const struct wire_device_info info = {.argsz = sizeof info};
    struct message m;
    struct rig r;
    struct pair p;

    start(&r, 1, "");
    rig_session(&r, NULL, NULL, &p);
    rig_await_rest(rig_worker(&r));
    ck_assert_int_eq(kill(rig_worker(&r), SIGSTOP), 0);
    peer_send(p.client_fd, (struct wire_hdr){.id = 5, .command = WIRE_DEVICE_GET_INFO}, &info,
              sizeof info, NULL);
    peer_send(p.backend_fd, (struct wire_hdr){.id = 6, .command = WIRE_DMA_READ}, &info,
              sizeof info, NULL);
    ck_assert_int_eq(kill(rig_worker(&r), SIGKILL), 0);
    ck_assert_int_eq(kill(rig_monitor(&r), SIGKILL), 0);
    peer_recv(p.backend_fd, &m);
    ck_assert_uint_eq(m.hdr.id, 5);
    message_deinit(&m);
    peer_recv(p.client_fd, &m);
    ck_assert_uint_eq(m.hdr.id, 6);
    message_deinit(&m);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* ---- nothing of the broker for longer than clients wait ---- */

#define ANSWER_AFTER_MS 1000

/* Kills monitor and workers, and keeps the keeper from starting the next monitor. */
static void kill_for_long(struct rig *r)
{
    const pid_t monitor = rig_monitor(r);
    const pid_t worker = rig_worker(r);

    rig_await_rest(worker);
    ck_assert_int_eq(kill(r->daemon, SIGSTOP), 0);
    ck_assert_int_eq(kill(monitor, SIGKILL), 0);
    ck_assert_int_eq(kill(worker, SIGKILL), 0);
}

static void come_back(const struct rig *r)
{
    ck_assert_int_eq(poll(NULL, 0, ANSWER_AFTER_MS + 100), 0);
    ck_assert_int_eq(kill(r->daemon, SIGCONT), 0);
}

/*
 * QEMU has given up: a reply with a body would put it out of step, an error does no harm. Nothing
 * comes in between, as a request of the device's shows.
 */
static void expect_answer_in_its_stead(const struct pair *p, uint16_t id)
{
    struct message m;

    ck_assert_int_eq(peer_recv_error(p->client_fd, id, WIRE_DEVICE_GET_INFO), ETIMEDOUT);
    peer_send(p->backend_fd, (struct wire_hdr){.id = 6, .command = WIRE_DMA_READ}, "x", 1, NULL);
    peer_recv(p->client_fd, &m);
    ck_assert_uint_eq(m.hdr.command, WIRE_DMA_READ);
    message_deinit(&m);
}

static const struct wire_device_info an_info = {.argsz = sizeof an_info};

START_TEST(a_reply_that_lay_there_for_too_long_is_discarded)
{
    struct message m;
    struct rig r;
    struct pair p;

    start(&r, 1, "answer-after 1s\n");
    rig_session(&r, NULL, NULL, &p);
    peer_send(p.client_fd, (struct wire_hdr){.id = 5, .command = WIRE_DEVICE_GET_INFO}, &an_info,
              sizeof an_info, NULL);
    peer_recv(p.backend_fd, &m);
    kill_for_long(&r);
    peer_send(p.backend_fd, wire_reply_hdr(&m.hdr, sizeof an_info), &an_info, sizeof an_info, NULL);
    message_deinit(&m);
    come_back(&r);
    expect_answer_in_its_stead(&p, 5);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

START_TEST(a_request_that_lay_there_for_too_long_is_answered)
{
    struct message m;
    struct rig r;
    struct pair p;

    start(&r, 1, "answer-after 1s\n");
    rig_session(&r, NULL, NULL, &p);
    kill_for_long(&r);
    peer_send(p.client_fd, (struct wire_hdr){.id = 5, .command = WIRE_DEVICE_GET_INFO}, &an_info,
              sizeof an_info, NULL);
    come_back(&r);
    peer_recv(p.backend_fd, &m);
    peer_send(p.backend_fd, wire_reply_hdr(&m.hdr, sizeof an_info), &an_info, sizeof an_info, NULL);
    message_deinit(&m);
    expect_answer_in_its_stead(&p, 5);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* ---- sessions that do not relay ---- */

/* The client has connected, and sent nothing so far. */
START_TEST(an_accepted_session_begins_anew)
{
    struct rig r;
    struct pair p;

    start(&r, 1, "");
    p.client_fd = peer_connect(r.listen);
    rig_await_log(&r, "connected", NULL, 0);
    kill_at_once(&r, (enum victims)_i);
    rig_await_log(&r, GOES_ON ": 0 sessions relay, 1 begins anew, 0 have ended", NULL, 0);
    peer_send_version(p.client_fd, 7, WIRE_TYPE_COMMAND, NULL, NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    peer_recv_version(p.backend_fd, 7, WIRE_TYPE_COMMAND, NULL);
    peer_send_version(p.backend_fd, 7, WIRE_TYPE_REPLY, NULL, NULL);
    peer_recv_version(p.client_fd, 7, WIRE_TYPE_REPLY, NULL);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* Its request lies unread in its socket, and its backend is not there yet. */
START_TEST(a_session_that_waits_for_its_backend_begins_anew)
{
    struct rig r;
    struct pair p;

    start(&r, 1, "wait-backend 30s\nhandshake-timeout 30s\n");
    sock_close(&r.backend_fd);
    ck_assert_int_eq(unlink(r.backend), 0);
    p.client_fd = peer_connect(r.listen);
    peer_send_version(p.client_fd, 7, WIRE_TYPE_COMMAND, NULL, NULL);
    rig_await_log(&r, "connected", NULL, 0);
    kill_at_once(&r, (enum victims)_i);
    rig_await_log(&r, GOES_ON ": 0 sessions relay, 1 begins anew", NULL, 0);
    r.backend_fd = peer_listen(r.backend, 8);
    p.backend_fd = peer_accept(r.backend_fd);
    peer_recv_version(p.backend_fd, 7, WIRE_TYPE_COMMAND, NULL);
    peer_send_version(p.backend_fd, 7, WIRE_TYPE_REPLY, NULL, NULL);
    peer_recv_version(p.client_fd, 7, WIRE_TYPE_REPLY, NULL);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* Its worker had read the request: an error goes to the request's id. */
START_TEST(a_session_in_its_handshake_is_refused)
{
    struct rig r;
    struct pair p;

    start(&r, 1, "");
    p.client_fd = peer_connect(r.listen);
    peer_send_version(p.client_fd, 77, WIRE_TYPE_COMMAND, NULL, NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    peer_recv_version(p.backend_fd, 77, WIRE_TYPE_COMMAND, NULL);
    kill_at_once(&r, (enum victims)_i);
    ck_assert_int_eq(peer_recv_error(p.client_fd, 77, WIRE_VERSION), ECONNABORTED);
    peer_expect_eof(p.client_fd);
    rig_await_log(&r, "reason=monitor-gone state=reciting", NULL, 0);
    close(p.client_fd);
    close(p.backend_fd);
    rig_stop(&r);
}
END_TEST

/* Clients that connect while no monitor runs wait for the next one. */
START_TEST(a_client_that_comes_meanwhile_is_served)
{
    struct rig r;
    struct pair p;

    start(&r, 1, "");
    kill_at_once(&r, (enum victims)_i);
    rig_session(&r, NULL, NULL, &p);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* A client that is to be refused, and has not sent its request so far, gets its answer. */
START_TEST(a_client_that_was_being_refused_is_answered)
{
    struct pair p[9];
    struct rig r;

    start(&r, 1, "");
    for (int i = 0; i < 8; i++) {
        rig_session(&r, NULL, NULL, &p[i]);
    }
    p[8].client_fd = peer_connect(r.listen);
    rig_await_log(&r, "refused 1: ", NULL, 0);
    kill_at_once(&r, (enum victims)_i);
    rig_await_log(&r, GOES_ON ": 8 sessions relay", NULL, 0);
    peer_send_version(p[8].client_fd, 3, WIRE_TYPE_COMMAND, NULL, NULL);
    ck_assert_int_eq(peer_recv_error(p[8].client_fd, 3, WIRE_VERSION), EBUSY);
    peer_expect_eof(p[8].client_fd);
    close(p[8].client_fd);
    for (int i = 0; i < 8; i++) {
        pair_ping(&p[i]);
        pair_close(&p[i]);
    }
    rig_stop(&r);
}
END_TEST

/* ---- numbers, configurations, stops ---- */

START_TEST(numbers_are_not_used_again)
{
    struct rig r;
    struct pair p;

    start(&r, 1, "");
    rig_session(&r, NULL, NULL, &p);
    pair_close(&p);
    rig_await_log(&r, "session=2 route=r: ended", NULL, 0);
    kill_at_once(&r, (enum victims)_i);
    rig_session(&r, NULL, NULL, &p);
    rig_await_log(&r, "session=3 route=r: allowed", NULL, 0);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* The file has changed, but nobody has asked for a reload: what was in force stays. */
START_TEST(the_configuration_in_force_stays)
{
    struct rig r;
    struct pair p[2];

    start(&r, 1, "");
    rig_session(&r, NULL, NULL, &p[0]);
    rig_configure(&r, "this is not a configuration\n");
    kill_at_once(&r, (enum victims)_i);
    pair_ping(&p[0]);
    rig_session(&r, NULL, NULL, &p[1]);
    pair_close(&p[0]);
    pair_close(&p[1]);
    rig_stop(&r);
}
END_TEST

/* A reload has removed the route; its session goes on under its own words. */
START_TEST(a_session_of_an_earlier_configuration_goes_on)
{
    char other[RIG_PATH];
    struct rig r;
    struct pair p[2];

    start(&r, 1, "");
    snprintf(other, sizeof other, "%s", unit_path("other.sock"));
    rig_session(&r, NULL, NULL, &p[0]);
    rig_configure(&r,
                  "workers 1\nroute other {\n    listen %s\n    backend %s\n"
                  "    recite to client never\n}\n",
                  other, r.backend);
    ck_assert_int_eq(kill(r.daemon, SIGHUP), 0);
    rig_await_log(&r, "reloaded on SIGHUP", NULL, 0);
    kill_at_once(&r, (enum victims)_i);
    pair_ping(&p[0]);
    rig_session_at(other, r.backend_fd, NULL, NULL, &p[1]);
    pair_ping(&p[1]);
    kill_at_once(&r, (enum victims)_i);
    pair_ping(&p[0]);
    pair_ping(&p[1]);
    pair_close(&p[0]);
    rig_await_log(&r, "session=2 route=r: ended: reason=", NULL, 0);
    pair_close(&p[1]);
    rig_await_log(&r, "session=3 route=other: ended: reason=", NULL, 0);
    rig_terminate(&r);
    rig_deinit(&r);
}
END_TEST

START_TEST(a_stop_right_behind_it_ends_everything)
{
    struct rig r;
    struct pair p;

    start(&r, 1, "");
    rig_session(&r, NULL, NULL, &p);
    kill_at_once(&r, (enum victims)_i);
    rig_await_log(&r, "was killed by signal 9", NULL, 0);
    rig_terminate(&r);
    pair_expect_end(&p);
    rig_deinit(&r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("takeover");
    TCase *tc = rig_case(s, "takeover");

    tcase_add_loop_test(tc, an_idle_session_goes_on, 0, VICTIMS);
    tcase_add_loop_test(tc, all_sessions_of_all_workers_go_on, 0, VICTIMS);
    tcase_add_loop_test(tc, twin_sockets_go_on, 0, VICTIMS);
    tcase_add_test(tc, nothing_that_was_under_way_is_lost);
    tcase_add_test(tc, a_reply_that_lay_there_for_too_long_is_discarded);
    tcase_add_test(tc, a_request_that_lay_there_for_too_long_is_answered);
    tcase_add_loop_test(tc, an_accepted_session_begins_anew, 0, VICTIMS);
    tcase_add_loop_test(tc, a_session_that_waits_for_its_backend_begins_anew, 0, VICTIMS);
    tcase_add_loop_test(tc, a_session_in_its_handshake_is_refused, 0, VICTIMS);
    tcase_add_loop_test(tc, a_client_that_comes_meanwhile_is_served, 0, VICTIMS);
    tcase_add_loop_test(tc, a_client_that_was_being_refused_is_answered, 0, VICTIMS);
    tcase_add_loop_test(tc, numbers_are_not_used_again, 0, VICTIMS);
    tcase_add_loop_test(tc, the_configuration_in_force_stays, 0, VICTIMS);
    tcase_add_loop_test(tc, a_session_of_an_earlier_configuration_goes_on, 0, VICTIMS);
    tcase_add_loop_test(tc, a_stop_right_behind_it_ends_everything, 0, VICTIMS);
    return unit_run(s);
}
