/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Many sessions of one worker: time-outs, clients that are refused, a full channel to the monitor,
 * and the end of all.
 */
#define _GNU_SOURCE
#include "proxy/worker/session.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "proxy/worker/session_watch.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"
#include "tests/unit/worker/session_rig.h"

/* Waited for, and soon over. */
#define SHORT_MS 20

static struct session_rig rig;

static void open_rig(void)
{
    rig_init(&rig);
}

static void close_rig(void)
{
    rig_deinit(&rig);
}

/* ---- time-outs ---- */

START_TEST(a_client_that_says_nothing)
{
    struct rig_peers p;

    rig_session(&rig, &p, 1, SHORT_MS, 0);
    rig_await_sent(&rig, 1);
    (void)rig_expect_end(&rig, 1, REASON_HANDSHAKE_TIMEOUT, 0);
    rig_expect_closed(&p);
    rig_close_peers(&p);
}
END_TEST

START_TEST(a_backend_that_says_nothing)
{
    struct rig_peers p;

    rig_session(&rig, &p, 1, SHORT_MS, 0);
    peer_send_version(p.client, 5, WIRE_TYPE_COMMAND, "{}", NULL);
    rig_await_sent(&rig, 1);
    (void)rig_expect_end(&rig, 1, REASON_HANDSHAKE_TIMEOUT, ETIMEDOUT);
    ck_assert_int_eq(peer_recv_error(p.client, 5, WIRE_VERSION), ETIMEDOUT);
    peer_recv_version(p.backend, 5, WIRE_TYPE_COMMAND, "{}");
    rig_expect_closed(&p);
    rig_close_peers(&p);
}
END_TEST

/* The handshake's time-out begins only now: however late the loop ran, it was not over before. */
static void time_is_short(enum session_state state)
{
    struct session *const s = TAILQ_FIRST(&rig.host.lists[state]);
    const struct timeval tv = {.tv_usec = SHORT_MS * 1000};

    ck_assert_ptr_nonnull(s);
    ck_assert(evtimer_pending(&s->timer, NULL));
    ck_assert_int_eq(evtimer_add(&s->timer, &tv), 0);
}

START_TEST(a_monitor_that_says_nothing)
{
    struct rig_peers p;

    rig_session(&rig, &p, 1, 0, 0);
    rig_lead(&rig, &p, SESSION_DECIDING);
    time_is_short(SESSION_DECIDING);
    rig_await_sent(&rig, 1);
    (void)rig_expect_end(&rig, 1, REASON_HANDSHAKE_TIMEOUT, ETIMEDOUT);
    ck_assert_int_eq(peer_recv_error(p.client, 1, WIRE_VERSION), ETIMEDOUT);
    ck_assert(!session_decide(&rig.host, 1, 0, REASON_DENIED));
    rig_close_peers(&p);
}
END_TEST

/* The handshake's time-out is over with the handshake. */
START_TEST(a_session_that_relays_has_no_time_out)
{
    const struct session *s;
    struct rig_peers p;

    rig_session(&rig, &p, 1, 0, 0);
    s = TAILQ_FIRST(&rig.host.lists[SESSION_RECITING]);
    ck_assert(evtimer_pending(&s->timer, NULL));
    rig_lead(&rig, &p, SESSION_RELAYING);
    ck_assert(!evtimer_pending(&s->timer, NULL));
    shutdown(p.client, SHUT_WR);
    rig_settle(&rig);
    ck_assert_int_eq(s->state, SESSION_DRAINING);
    ck_assert(evtimer_pending(&s->timer, NULL));
    rig_close_peers(&p);
}
END_TEST

/* The monitor may report the end of a process when its session is held already. */
START_TEST(the_end_of_a_process_that_is_lost_already)
{
    const uint32_t backend = 1u << SIDE_BACKEND;
    struct rig_peers p;
    struct session *s;

    rig_session(&rig, &p, 1, 0, 0);
    rig_lead(&rig, &p, SESSION_RELAYING);
    s = TAILQ_FIRST(&rig.host.lists[SESSION_RELAYING]);
    session_watch_lose_backend(s);
    session_gone(&rig.host, 1, backend);
    ck_assert_int_eq(session_watch_died(s), REASON_NONE);
    session_watch_expect_backend(s);
    session_watch_attach_backend(s);
    ck_assert_int_eq(session_watch_died(s), REASON_NONE);
    rig_close_peers(&p);
}
END_TEST

/* Its successor may end before it has its place: it counts from then on. */
START_TEST(the_end_of_a_process_that_has_just_come)
{
    const uint32_t backend = 1u << SIDE_BACKEND;
    struct rig_peers p;
    struct session *s;

    rig_session(&rig, &p, 1, 0, 0);
    rig_lead(&rig, &p, SESSION_RELAYING);
    s = TAILQ_FIRST(&rig.host.lists[SESSION_RELAYING]);
    session_watch_lose_backend(s);
    session_watch_expect_backend(s);
    session_gone(&rig.host, 1, backend);
    ck_assert_int_eq(session_watch_died(s), REASON_NONE);
    session_watch_attach_backend(s);
    ck_assert_int_eq(session_watch_died(s), REASON_BACKEND_DIED);
    rig_close_peers(&p);
}
END_TEST

/* The end of a replaced process may come late: then the monitor corrects itself. */
START_TEST(the_end_of_a_process_that_is_replaced_already)
{
    struct rig_peers p;
    struct session *s;

    rig_session(&rig, &p, 1, 0, 0);
    rig_lead(&rig, &p, SESSION_RELAYING);
    s = TAILQ_FIRST(&rig.host.lists[SESSION_RELAYING]);
    session_gone(&rig.host, 1, 1u << SIDE_BACKEND);
    ck_assert_int_eq(session_watch_died(s), REASON_BACKEND_DIED);
    session_gone(&rig.host, 1, 0);
    ck_assert_int_eq(session_watch_died(s), REASON_NONE);
    rig_close_peers(&p);
}
END_TEST

START_TEST(draining_that_does_not_come_to_its_end)
{
    struct rig_peers p;

    rig_session(&rig, &p, 1, 0, SHORT_MS);
    rig_lead(&rig, &p, SESSION_RELAYING);
    shutdown(p.client, SHUT_WR);
    rig_await_sent(&rig, 1);
    (void)rig_expect_end(&rig, 1, REASON_DRAIN_TIMEOUT, 0);
    rig_expect_closed(&p);
    rig_close_peers(&p);
}
END_TEST

/* ---- clients that are refused ---- */

static int refuse(unsigned ms)
{
    const struct ipc_refuse settings = {.number = 1, .err = EBUSY, .handshake_ms = ms};
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    session_refuse(&rig.host, &settings, pair[1]);
    return pair[0];
}

static void expect_refusal(int *client)
{
    peer_send_version(*client, 3, WIRE_TYPE_COMMAND, "{}", NULL);
    rig_settle(&rig);
    ck_assert_int_eq(peer_recv_error(*client, 3, WIRE_VERSION), EBUSY);
    peer_expect_eof(*client);
    sock_close(client);
}

START_TEST(a_client_is_told_and_nobody_else)
{
    int client = refuse(60000);

    rig_settle(&rig);
    peer_expect_silence(client);
    ck_assert_uint_eq(rig.host.refusing, 1);
    expect_refusal(&client);
    ck_assert_uint_eq(rig.host.refusing, 0);
    ck_assert_uint_eq(rig.turned_away, 1);
    ck_assert_uint_eq(rig.n_sent, 0);
    ck_assert(session_host_empty(&rig.host));
}
END_TEST

/* The request was read by a worker that is gone: its id is known, nothing is read any more. */
START_TEST(a_client_whose_request_has_been_read)
{
    const struct ipc_refuse settings = {
        .number = 3, .err = ECONNABORTED, .handshake_ms = 60000, .heard = 1, .id = 0x1234};
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    session_refuse(&rig.host, &settings, pair[1]);
    ck_assert_int_eq(peer_recv_error(pair[0], 0x1234, WIRE_VERSION), ECONNABORTED);
    peer_expect_eof(pair[0]);
    ck_assert_uint_eq(rig.turned_away, 1);
    ck_assert_uint_eq(rig.host.refusing, 0);
    sock_close(&pair[0]);
}
END_TEST

START_TEST(refusals_up_to_the_limit_and_one_past)
{
    int clients[LIMIT_REFUSALS + 1];

    for (int i = 0; i < LIMIT_REFUSALS; i++) {
        clients[i] = refuse(60000);
    }
    rig_settle(&rig);
    for (int i = 0; i < LIMIT_REFUSALS; i++) {
        peer_expect_silence(clients[i]);
    }
    ck_assert_uint_eq(rig.host.refusing, LIMIT_REFUSALS);
    /* The oldest gives way, unanswered; all others are told. */
    clients[LIMIT_REFUSALS] = refuse(60000);
    ck_assert_uint_eq(rig.host.refusing, LIMIT_REFUSALS);
    rig_settle(&rig);
    peer_expect_eof(clients[0]);
    sock_close(&clients[0]);
    for (int i = LIMIT_REFUSALS; i > 0; i--) {
        expect_refusal(&clients[i]);
    }
    ck_assert_uint_eq(rig.host.refusing, 0);
    ck_assert_uint_eq(rig.n_sent, 0);
    ck_assert(session_host_empty(&rig.host));
}
END_TEST

START_TEST(many_refusals_in_one_turn)
{
    int clients[3 * LIMIT_REFUSALS];

    for (int i = 0; i < 3 * LIMIT_REFUSALS; i++) {
        clients[i] = refuse(60000);
    }
    rig_settle(&rig);
    for (int i = 0; i < 3 * LIMIT_REFUSALS; i++) {
        if (i < 2 * LIMIT_REFUSALS) {
            peer_expect_eof(clients[i]);
            sock_close(&clients[i]);
        } else {
            expect_refusal(&clients[i]);
        }
    }
}
END_TEST

/* Sessions are not among those that give way. */
START_TEST(refusals_end_no_session)
{
    struct rig_peers p;
    int clients[LIMIT_REFUSALS + 1];

    rig_session(&rig, &p, 1, 0, 0);
    for (int i = 0; i <= LIMIT_REFUSALS; i++) {
        clients[i] = refuse(60000);
    }
    rig_settle(&rig);
    ck_assert_int_eq(rig_state(&rig, 1), SESSION_RECITING);
    rig_lead(&rig, &p, SESSION_RELAYING);
    for (int i = 0; i <= LIMIT_REFUSALS; i++) {
        sock_close(&clients[i]);
    }
    rig_settle(&rig);
    ck_assert_uint_eq(rig.host.refusing, 0);
    rig_close_peers(&p);
}
END_TEST

START_TEST(a_refused_client_that_says_nothing)
{
    int client = refuse(SHORT_MS);

    while (!session_host_empty(&rig.host)) {
        ck_assert_int_eq(event_base_loop(rig.host.base, EVLOOP_ONCE), 0);
    }
    peer_expect_eof(client);
    ck_assert_uint_eq(rig.host.refusing, 0);
    ck_assert_uint_eq(rig.n_sent, 0);
    sock_close(&client);
}
END_TEST

/* ---- a full channel ---- */

START_TEST(evidence_waits_for_the_channel)
{
    struct rig_peers p;

    rig_session(&rig, &p, 1, 0, 0);
    rig.room = 0;
    peer_send_version(p.client, 5, WIRE_TYPE_COMMAND, "{}", NULL);
    peer_send_version(p.backend, 5, WIRE_TYPE_REPLY, "{}", NULL);
    rig_settle(&rig);
    ck_assert_int_eq(rig_state(&rig, 1), SESSION_DECIDING);
    session_host_resume(&rig.host);
    ck_assert_uint_eq(rig.n_sent, 0);
    rig.room = RIG_SENT;
    session_host_resume(&rig.host);
    ck_assert_uint_eq(rig.n_sent, 1);
    ck_assert_uint_eq(rig.sent[0].type, IPC_EVIDENCE);
    ck_assert_uint_eq(rig.sent[0].session, 1);
    session_host_resume(&rig.host);
    ck_assert_uint_eq(rig.n_sent, 1);
    ck_assert(session_decide(&rig.host, 1, 0, REASON_DENIED));
    rig_settle(&rig);
    ck_assert_int_eq(rig_state(&rig, 1), SESSION_RELAYING);
    rig_close_peers(&p);
}
END_TEST

START_TEST(an_end_waits_for_the_channel_with_all_closed)
{
    struct rig_peers p;

    rig_session(&rig, &p, 1, 0, 0);
    rig_lead(&rig, &p, SESSION_RELAYING);
    rig.room = 0;
    sock_close(&p.client);
    rig_settle(&rig);
    peer_expect_eof(p.backend);
    ck_assert_int_eq(rig_state(&rig, 1), SESSION_DEAD);
    ck_assert(!session_host_empty(&rig.host));
    session_host_resume(&rig.host);
    ck_assert(!session_host_empty(&rig.host));
    rig.room = RIG_SENT;
    session_host_resume(&rig.host);
    (void)rig_expect_end(&rig, 1, REASON_CLIENT_CLOSED, 0);
    ck_assert(session_host_empty(&rig.host));
    rig_close_peers(&p);
}
END_TEST

START_TEST(an_end_overtakes_the_evidence_that_nobody_heard)
{
    struct rig_peers p;

    rig_session(&rig, &p, 1, 0, 0);
    rig_lead(&rig, &p, SESSION_RECITING);
    rig.room = 0;
    peer_send_version(p.backend, 1, WIRE_TYPE_REPLY, "{}", NULL);
    rig_settle(&rig);
    time_is_short(SESSION_DECIDING);
    while (rig_state(&rig, 1) != SESSION_DEAD) {
        ck_assert_int_eq(event_base_loop(rig.host.base, EVLOOP_ONCE), 0);
    }
    rig.room = RIG_SENT;
    session_host_resume(&rig.host);
    (void)rig_expect_end(&rig, 1, REASON_HANDSHAKE_TIMEOUT, ETIMEDOUT);
    rig_close_peers(&p);
}
END_TEST

#define MANY 20

START_TEST(many_ends_through_a_narrow_channel_come_once_each)
{
    struct rig_peers p[MANY];
    bool ended[MANY] = {false};

    for (unsigned i = 0; i < MANY; i++) {
        rig_session(&rig, &p[i], i + 1, 0, 0);
    }
    rig.watched = NULL;
    rig.room = 0;
    for (unsigned i = 0; i < MANY; i++) {
        sock_close(&p[i].client);
    }
    rig_settle(&rig);
    for (unsigned i = 0; i < MANY; i++) {
        peer_expect_eof(p[i].backend);
        rig_close_peers(&p[i]);
    }
    for (unsigned i = 0; i < MANY; i += 3) {
        rig.room = 3;
        session_host_resume(&rig.host);
        ck_assert_uint_eq(rig.n_sent, i + 3 < MANY ? i + 3 : MANY);
    }
    for (unsigned i = 0; i < MANY; i++) {
        const uint64_t id = rig.sent[i].session;

        ck_assert(id >= 1 && id <= MANY && !ended[id - 1]);
        ended[id - 1] = true;
    }
    ck_assert(session_host_empty(&rig.host));
}
END_TEST

/* ---- the end of all ---- */

START_TEST(all_end_in_whatever_state)
{
    struct rig_peers p[3];
    int refused;

    rig.watched = NULL;
    rig_session(&rig, &p[0], 1, 0, 0);
    rig_lead(&rig, &p[0], SESSION_RECITING);
    rig_session(&rig, &p[1], 2, 0, 0);
    rig_lead(&rig, &p[1], SESSION_DECIDING);
    rig_session(&rig, &p[2], 3, 0, 0);
    rig_lead(&rig, &p[2], SESSION_RELAYING);
    refused = refuse(60000);
    session_end_all(&rig.host, REASON_SHUTDOWN);
    rig_settle(&rig);
    ck_assert(session_host_empty(&rig.host));
    ck_assert_uint_eq(rig.n_sent, 3);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(rig.sent[i].type, IPC_ENDED);
        ck_assert_uint_eq(rig.sent[i].session, i + 1);
        ck_assert_uint_eq(rig.sent[i].u.ended.reason, REASON_SHUTDOWN);
        rig_expect_closed(&p[i]);
        rig_close_peers(&p[i]);
    }
    peer_expect_eof(refused);
    sock_close(&refused);
    session_end_all(&rig.host, REASON_SHUTDOWN);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.n_sent, 3);
}
END_TEST

/* ---- the table of states ---- */

/* Puts a session where no code of ours would. */
static void misplace(uint64_t id, enum session_state from, enum session_state to)
{
    struct session *s;

    TAILQ_FOREACH(s, &rig.host.lists[from], link)
    {
        if (s->id == id) {
            break;
        }
    }
    ck_assert_ptr_nonnull(s);
    TAILQ_REMOVE(&rig.host.lists[from], s, link);
    s->state = to;
    TAILQ_INSERT_TAIL(&rig.host.lists[to], s, link);
}

/* In every build, with NDEBUG as without: the session ends, its neighbour goes on. */
START_TEST(a_step_that_is_forbidden_ends_its_session_alone)
{
    struct rig_peers p;
    struct rig_peers neighbour;

    rig_session(&rig, &neighbour, 2, 0, 0);
    rig_lead(&rig, &neighbour, SESSION_RELAYING);
    rig_session(&rig, &p, 1, 0, 0);
    rig_lead(&rig, &p, SESSION_RECITING);
    misplace(1, SESSION_RECITING, SESSION_ACCEPTED);
    peer_send_version(p.backend, 1, WIRE_TYPE_REPLY, "{}", NULL);
    rig_await_sent(&rig, 1);
    (void)rig_expect_end(&rig, 1, REASON_INTERNAL, 0);
    rig_expect_closed(&p);
    ck_assert_int_eq(rig_state(&rig, 2), SESSION_RELAYING);
    rig_close_peers(&p);
    rig_close_peers(&neighbour);
}
END_TEST

/* The one that matters most: nothing relays before its verdict. */
START_TEST(nothing_relays_that_was_not_decided)
{
    struct rig_peers p;
    struct message m;

    rig_session(&rig, &p, 1, 0, 0);
    rig_lead(&rig, &p, SESSION_DECIDING);
    misplace(1, SESSION_DECIDING, SESSION_RECITING);
    greeting_decide(TAILQ_FIRST(&rig.host.lists[SESSION_RECITING])->greeting, 0, REASON_DENIED);
    rig_await_sent(&rig, 1);
    (void)rig_expect_end(&rig, 1, REASON_INTERNAL, 0);
    /* The reply to VERSION is out, but no message passes after it. */
    peer_recv(p.client, &m);
    message_deinit(&m);
    rig_expect_closed(&p);
    rig_close_peers(&p);
}
END_TEST

/* Without a monitor to tell: what is still there is closed all the same. */
START_TEST(a_host_takes_its_sessions_with_it)
{
    struct session_rig other;
    struct rig_peers p[2];

    rig_init(&other);
    rig_session(&other, &p[0], 1, 0, 0);
    other.watched = NULL;
    rig_lead_with_twin(&other, &p[0]);
    rig_session(&other, &p[1], 2, 0, 0);
    other.room = 0;
    rig_deinit(&other);
    rig_expect_closed(&p[0]);
    peer_expect_eof(p[0].client_twin);
    rig_expect_closed(&p[1]);
    rig_close_peers(&p[0]);
    rig_close_peers(&p[1]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("session_host");
    TCase *tc = unit_case(s, "host");

    tcase_add_checked_fixture(tc, open_rig, close_rig);
    tcase_add_test(tc, a_client_that_says_nothing);
    tcase_add_test(tc, a_backend_that_says_nothing);
    tcase_add_test(tc, a_monitor_that_says_nothing);
    tcase_add_test(tc, a_session_that_relays_has_no_time_out);
    tcase_add_test(tc, draining_that_does_not_come_to_its_end);
    tcase_add_test(tc, the_end_of_a_process_that_is_lost_already);
    tcase_add_test(tc, the_end_of_a_process_that_has_just_come);
    tcase_add_test(tc, the_end_of_a_process_that_is_replaced_already);
    tcase_add_test(tc, a_client_is_told_and_nobody_else);
    tcase_add_test(tc, a_client_whose_request_has_been_read);
    tcase_add_test(tc, refusals_up_to_the_limit_and_one_past);
    tcase_add_test(tc, many_refusals_in_one_turn);
    tcase_add_test(tc, refusals_end_no_session);
    tcase_add_test(tc, a_refused_client_that_says_nothing);
    tcase_add_test(tc, evidence_waits_for_the_channel);
    tcase_add_test(tc, an_end_waits_for_the_channel_with_all_closed);
    tcase_add_test(tc, an_end_overtakes_the_evidence_that_nobody_heard);
    tcase_add_test(tc, many_ends_through_a_narrow_channel_come_once_each);
    tcase_add_test(tc, all_end_in_whatever_state);
    tcase_add_test(tc, a_step_that_is_forbidden_ends_its_session_alone);
    tcase_add_test(tc, nothing_relays_that_was_not_decided);
    tcase_add_test(tc, a_host_takes_its_sessions_with_it);
    return unit_run(s);
}
