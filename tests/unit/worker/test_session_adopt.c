/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A worker whose monitor has gone: it relays on, and reports to the next one all that the last one
 * may not have acted on. The test is both monitors.
 */
#define _GNU_SOURCE
#include "proxy/worker/session.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"
#include "tests/unit/worker/session_rig.h"

static struct session_rig rig;

static void open_rig(void)
{
    rig_init(&rig);
}

static void close_rig(void)
{
    rig_deinit(&rig);
}

static void adopt(void)
{
    session_adopt(&rig.host);
    rig_settle(&rig);
}

/* The message number i lists these sessions, in the order of their numbers. */
static void expect_list(unsigned i, unsigned n, bool last)
{
    const struct ipc_msg *const m = &rig.sent[i];

    ck_assert_uint_gt(rig.n_sent, i);
    ck_assert_uint_eq(m->type, IPC_ADOPTED);
    ck_assert(ipc_adopted_sound(&m->u.adopted));
    ck_assert_uint_eq(m->u.adopted.n, n);
    ck_assert_uint_eq(m->u.adopted.last, last);
}

static void send_map(const struct rig_peers *p)
{
    const struct wire_dma_map m = {.argsz = sizeof m, .address = 0x1000, .size = 0x1000};
    struct message got;

    peer_send(p->client, (struct wire_hdr){.command = WIRE_DMA_MAP}, &m, sizeof m, NULL);
    rig_settle(&rig);
    peer_recv(p->backend, &got);
    message_deinit(&got);
}

/* ---- in the handshake ---- */

static void expect_refused(struct rig_peers *p)
{
    ck_assert_int_eq(peer_recv_error(p->client, 1, WIRE_VERSION), ECONNABORTED);
    rig_expect_closed(p);
    rig_close_peers(p);
}

START_TEST(a_client_that_waits_for_the_device_is_refused)
{
    struct rig_peers p;

    rig_session(&rig, &p, 1, 0, 0);
    rig_lead(&rig, &p, SESSION_RECITING);
    adopt();
    expect_list(0, 1, true);
    ck_assert_uint_eq(rig.sent[0].u.adopted.held[0].session, 1);
    ck_assert_uint_eq(rig.sent[0].u.adopted.held[0].state, SESSION_DEAD);
    rig.sent[0] = rig.sent[1];
    rig.n_sent--;
    (void)rig_expect_end(&rig, 1, REASON_MONITOR_GONE, ECONNABORTED);
    expect_refused(&p);
}
END_TEST

START_TEST(a_client_that_waits_for_the_verdict_is_refused)
{
    struct rig_peers p;

    rig_session(&rig, &p, 1, 0, 0);
    rig_lead(&rig, &p, SESSION_DECIDING);
    adopt();
    expect_list(0, 1, true);
    expect_refused(&p);
    /* The verdict of the last monitor, were it still to come, is too late. */
    ck_assert(!session_decide(&rig.host, 1, 0, REASON_DENIED));
}
END_TEST

START_TEST(evidence_that_had_to_wait_is_not_sent_to_the_next_monitor)
{
    struct rig_peers p;

    rig_session(&rig, &p, 1, 0, 0);
    rig_lead(&rig, &p, SESSION_RECITING);
    rig.room = 0;
    peer_send_version(p.backend, 1, WIRE_TYPE_REPLY, "{}", NULL);
    rig_settle(&rig);
    ck_assert_int_eq(rig_state(&rig, 1), SESSION_DECIDING);
    adopt();
    ck_assert_uint_eq(rig.n_sent, 0);
    rig.room = RIG_SENT;
    session_host_resume(&rig.host);
    ck_assert_uint_eq(rig.n_sent, 2);
    ck_assert_uint_eq(rig.sent[0].type, IPC_ENDED);
    expect_list(1, 0, true);
    expect_refused(&p);
}
END_TEST

/* Its request is read first, since the answer needs its id. */
START_TEST(a_client_that_has_sent_nothing_is_refused_when_it_does)
{
    struct rig_peers p;

    rig_session(&rig, &p, 1, 0, 0);
    adopt();
    expect_list(0, 1, true);
    ck_assert_uint_eq(rig.sent[0].u.adopted.held[0].state, SESSION_RECITING);
    rig.n_sent = 0;
    peer_expect_silence(p.client);
    peer_send_version(p.client, 1, WIRE_TYPE_COMMAND, "{}", NULL);
    rig_settle(&rig);
    (void)rig_expect_end(&rig, 1, REASON_MONITOR_GONE, ECONNABORTED);
    expect_refused(&p);
}
END_TEST

/* The next monitor knows neither the client nor its number. */
START_TEST(a_client_that_is_being_refused_gets_its_answer_without_a_report)
{
    const struct ipc_refuse settings = {.number = 7, .err = EBUSY, .handshake_ms = 60000};
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    session_refuse(&rig.host, &settings, pair[1]);
    adopt();
    expect_list(0, 0, true);
    peer_send_version(pair[0], 3, WIRE_TYPE_COMMAND, "{}", NULL);
    rig_settle(&rig);
    ck_assert_int_eq(peer_recv_error(pair[0], 3, WIRE_VERSION), EBUSY);
    peer_expect_eof(pair[0]);
    ck_assert_uint_eq(rig.turned_away, 0);
    ck_assert(session_host_empty(&rig.host));
    sock_close(&pair[0]);
}
END_TEST

/* ---- relaying ---- */

START_TEST(a_session_that_relays_goes_on)
{
    struct rig_peers p;
    struct message got;

    rig_session(&rig, &p, 1, 0, 0);
    rig_lead(&rig, &p, SESSION_RELAYING);
    adopt();
    expect_list(0, 1, true);
    ck_assert_uint_eq(rig.sent[0].u.adopted.held[0].state, SESSION_RELAYING);
    ck_assert_uint_eq(rig.n_sent, 1);
    peer_send(p.client, (struct wire_hdr){.id = 2, .command = WIRE_DEVICE_RESET}, NULL, 0, NULL);
    rig_settle(&rig);
    peer_recv(p.backend, &got);
    ck_assert_uint_eq(got.hdr.id, 2);
    message_deinit(&got);
    rig_close_peers(&p);
}
END_TEST

START_TEST(an_export_without_an_answer_is_repeated)
{
    struct rig_peers p;

    rig.recorded = true;
    rig_session(&rig, &p, 1, 0, 0);
    rig_lead(&rig, &p, SESSION_RELAYING);
    send_map(&p);
    send_map(&p);
    ck_assert_uint_eq(rig.n_sent, 1);
    ck_assert_uint_eq(rig.sent[0].u.exports.n, 1);
    rig.n_sent = 0;
    adopt();
    expect_list(0, 1, true);
    ck_assert_uint_eq(rig.n_sent, 2);
    ck_assert_uint_eq(rig.sent[1].type, IPC_EXPORT);
    ck_assert_uint_eq(rig.sent[1].u.exports.n, 2);
    ck_assert_uint_eq(rig.sent[1].u.exports.again, 1);
    session_recorded(&rig.host, 1);
    adopt();
    ck_assert_uint_eq(rig.n_sent, 3);
    expect_list(2, 1, true);
    rig_close_peers(&p);
}
END_TEST

/* Before the list the next monitor could not tell it from a message to the last one. */
START_TEST(nothing_is_repeated_before_the_list)
{
    struct rig_peers p;

    rig.recorded = true;
    rig_session(&rig, &p, 1, 0, 0);
    rig_lead(&rig, &p, SESSION_RELAYING);
    send_map(&p);
    rig.n_sent = 0;
    rig.room = 0;
    adopt();
    session_host_resume(&rig.host);
    ck_assert_uint_eq(rig.n_sent, 0);
    rig.room = 1;
    session_host_resume(&rig.host);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.n_sent, 1);
    expect_list(0, 1, true);
    rig.room = 1;
    session_host_resume(&rig.host);
    ck_assert_uint_eq(rig.n_sent, 2);
    ck_assert_uint_eq(rig.sent[1].type, IPC_EXPORT);
    rig_close_peers(&p);
}
END_TEST

START_TEST(an_end_that_waits_for_its_record_is_listed)
{
    struct rig_peers p;

    rig.recorded = true;
    rig_session(&rig, &p, 1, 0, 0);
    rig_lead(&rig, &p, SESSION_RELAYING);
    send_map(&p);
    sock_close(&p.client);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.n_sent, 1);
    rig.n_sent = 0;
    adopt();
    expect_list(0, 1, true);
    ck_assert_uint_eq(rig.sent[0].u.adopted.held[0].state, SESSION_DEAD);
    ck_assert_uint_eq(rig.n_sent, 2);
    ck_assert_uint_eq(rig.sent[1].type, IPC_EXPORT);
    session_recorded(&rig.host, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.n_sent, 3);
    ck_assert_uint_eq(rig.sent[2].type, IPC_ENDED);
    ck_assert(session_host_empty(&rig.host));
    rig_close_peers(&p);
}
END_TEST

START_TEST(taint_is_repeated)
{
    struct rig_peers p;

    rig_session(&rig, &p, 1, 0, 0);
    rig_lead(&rig, &p, SESSION_RELAYING);
    session_taint(session_of(&rig.host, 1), SIDE_CLIENT, TAINT_UNOBSERVED);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.taint, TAINT_UNOBSERVED);
    rig.taint = 0;
    adopt();
    ck_assert_uint_eq(rig.taint, TAINT_UNOBSERVED);
    rig_close_peers(&p);
}
END_TEST

START_TEST(twin_sockets_are_sent_again)
{
    struct rig_peers p;

    rig_session(&rig, &p, 1, 0, 0);
    rig_lead_with_twin(&rig, &p);
    ck_assert_uint_eq(rig.twins, 1);
    adopt();
    ck_assert_uint_eq(rig.twins, 2);
    rig_close_peers(&p);
}
END_TEST

/* ---- a full channel ---- */

START_TEST(twin_sockets_wait_for_the_channel)
{
    struct rig_peers p;

    rig_session(&rig, &p, 1, 0, 0);
    rig_lead_with_twin(&rig, &p);
    rig.room = 0;
    adopt();
    ck_assert_uint_eq(rig.twins, 1);
    rig.room = 2;
    session_host_resume(&rig.host);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.twins, 2);
    rig_close_peers(&p);
}
END_TEST

/* The next monitor has not asked for them. */
START_TEST(counts_for_the_last_monitor_are_dropped)
{
    struct rig_peers p;

    rig_session(&rig, &p, 1, 0, 0);
    rig_lead(&rig, &p, SESSION_RELAYING);
    rig.room = 0;
    session_count(&rig.host);
    adopt();
    rig.room = RIG_SENT;
    session_host_resume(&rig.host);
    ck_assert_uint_eq(rig.n_sent, 1);
    expect_list(0, 1, true);
    rig_close_peers(&p);
}
END_TEST

#define MANY (IPC_HELD + 2u)

START_TEST(many_sessions_take_some_messages_each_listed_once)
{
    struct rig_peers p[MANY];

    for (unsigned i = 0; i < MANY; i++) {
        rig_session(&rig, &p[i], i + 1, 0, 0);
    }
    rig.room = 1;
    adopt();
    ck_assert_uint_eq(rig.n_sent, 1);
    expect_list(0, IPC_HELD, false);
    rig.room = RIG_SENT;
    session_host_resume(&rig.host);
    ck_assert_uint_eq(rig.n_sent, 2);
    expect_list(1, 2, true);
    for (unsigned i = 0; i < MANY; i++) {
        const struct ipc_adopted *const a = &rig.sent[i / IPC_HELD].u.adopted;

        ck_assert_uint_eq(a->held[i % IPC_HELD].session, i + 1);
        rig_close_peers(&p[i]);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("session_adopt");
    TCase *tc = unit_case(s, "adopt");

    tcase_add_checked_fixture(tc, open_rig, close_rig);
    tcase_add_test(tc, a_client_that_waits_for_the_device_is_refused);
    tcase_add_test(tc, a_client_that_waits_for_the_verdict_is_refused);
    tcase_add_test(tc, evidence_that_had_to_wait_is_not_sent_to_the_next_monitor);
    tcase_add_test(tc, a_client_that_has_sent_nothing_is_refused_when_it_does);
    tcase_add_test(tc, a_client_that_is_being_refused_gets_its_answer_without_a_report);
    tcase_add_test(tc, a_session_that_relays_goes_on);
    tcase_add_test(tc, an_export_without_an_answer_is_repeated);
    tcase_add_test(tc, nothing_is_repeated_before_the_list);
    tcase_add_test(tc, an_end_that_waits_for_its_record_is_listed);
    tcase_add_test(tc, taint_is_repeated);
    tcase_add_test(tc, twin_sockets_are_sent_again);
    tcase_add_test(tc, twin_sockets_wait_for_the_channel);
    tcase_add_test(tc, counts_for_the_last_monitor_are_dropped);
    tcase_add_test(tc, many_sessions_take_some_messages_each_listed_once);
    return unit_run(s);
}
