/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What a worker tells when it is asked what has passed, also while its channel is full. */
#define _GNU_SOURCE
#include "proxy/worker/session.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/peer.h"
#include "tests/support/unit.h"
#include "tests/unit/worker/session_rig.h"

/* More than two messages have room for. */
#define MANY (2 * IPC_COUNTED + 5)

static struct session_rig rig;
static struct rig_peers peers[MANY];

static void open_rig(void)
{
    rig_init(&rig);
}

static void close_rig(void)
{
    rig_deinit(&rig);
}

/* Begins session i + 1 for each i, relaying; what the monitor was told of them is forgotten. */
static void begin(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        rig_session(&rig, &peers[i], i + 1, 0, 0);
        rig_lead(&rig, &peers[i], SESSION_RELAYING);
        rig.n_sent = 0;
    }
}

static void end(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        rig_close_peers(&peers[i]);
    }
}

/* How often each session was told of in all messages sent so far; others than counts fail. */
static void tally(unsigned told[MANY + 1])
{
    memset(told, 0, (MANY + 1) * sizeof *told);
    for (unsigned i = 0; i < rig.n_sent; i++) {
        const struct ipc_counts *c = &rig.sent[i].u.counts;

        ck_assert_uint_eq(rig.sent[i].type, IPC_COUNTS);
        ck_assert(ipc_counts_sound(c));
        ck_assert_uint_eq(c->last, i == rig.n_sent - 1);
        for (uint32_t k = 0; k < c->n; k++) {
            ck_assert_uint_ge(c->counted[k].session, 1);
            ck_assert_uint_le(c->counted[k].session, MANY);
            told[c->counted[k].session]++;
        }
    }
}

static void expect_each_once(unsigned from, unsigned to)
{
    unsigned told[MANY + 1];

    tally(told);
    for (unsigned id = 1; id <= MANY; id++) {
        ck_assert_msg(told[id] == (id >= from && id <= to), "session %u is told of %u times", id,
                      told[id]);
    }
}

START_TEST(without_sessions)
{
    session_count(&rig.host);
    ck_assert_uint_eq(rig.n_sent, 1);
    expect_each_once(1, 0);
}
END_TEST

/* Those who still shake hands have passed nothing, and those who only refuse are no sessions. */
START_TEST(only_those_who_relay)
{
    const struct ipc_refuse refuse = {.err = 16, .handshake_ms = 60000};
    int pair[2];

    begin(1);
    rig_session(&rig, &peers[1], 2, 0, 0);
    rig_lead(&rig, &peers[1], SESSION_RECITING);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    session_refuse(&rig.host, &refuse, pair[1]);
    session_count(&rig.host);
    expect_each_once(1, 1);
    close(pair[0]);
    end(2);
}
END_TEST

START_TEST(what_has_passed)
{
    struct message m;
    const struct ipc_counts *c = &rig.sent[0].u.counts;

    begin(1);
    for (int i = 0; i < 3; i++) {
        peer_send(peers[0].client, (struct wire_hdr){.id = 1, .command = 5}, "12345678", 8, NULL);
        rig_await_readable(&rig, peers[0].backend);
        peer_recv(peers[0].backend, &m);
        message_deinit(&m);
    }
    session_count(&rig.host);
    ck_assert_uint_eq(rig.n_sent, 1);
    ck_assert_uint_eq(c->counted[0].to_backend.messages, 3);
    ck_assert_uint_eq(c->counted[0].to_backend.bytes, 3 * 24);
    ck_assert_uint_eq(c->counted[0].to_client.messages, 0);
    end(1);
}
END_TEST

START_TEST(in_as_many_messages_as_it_takes)
{
    begin(MANY);
    for (int round = 0; round < 2; round++) {
        rig.n_sent = 0;
        session_count(&rig.host);
        ck_assert_uint_eq(rig.n_sent, 3);
        expect_each_once(1, MANY);
    }
    end(MANY);
}
END_TEST

/* As many as a message has: nothing is left for another. */
START_TEST(exactly_a_message)
{
    begin(IPC_COUNTED);
    session_count(&rig.host);
    ck_assert_uint_eq(rig.n_sent, 1);
    expect_each_once(1, IPC_COUNTED);
    end(IPC_COUNTED);
}
END_TEST

/* The channel is full after each message; meanwhile a session of those already told of ends. */
START_TEST(as_the_channel_takes_it)
{
    begin(MANY);
    rig.room = 0;
    session_count(&rig.host);
    ck_assert_uint_eq(rig.n_sent, 0);
    for (unsigned n = 1; n <= 3; n++) {
        rig.room = 1;
        session_host_resume(&rig.host);
        ck_assert_uint_eq(rig.n_sent, n);
    }
    rig.room = RIG_SENT;
    session_host_resume(&rig.host);
    ck_assert_uint_eq(rig.n_sent, 3);
    expect_each_once(1, MANY);
    end(MANY);
}
END_TEST

/* Asked anew while the last answer is not all told: the new round is told, whole. */
START_TEST(asked_again_in_the_middle)
{
    begin(MANY);
    rig.room = 1;
    session_count(&rig.host);
    ck_assert_uint_eq(rig.n_sent, 1);
    rig.n_sent = 0;
    rig.room = RIG_SENT;
    session_count(&rig.host);
    ck_assert_uint_eq(rig.n_sent, 3);
    expect_each_once(1, MANY);
    end(MANY);
}
END_TEST

START_TEST(one_is_ended)
{
    begin(2);
    session_end_one(&rig.host, 0);
    session_end_one(&rig.host, 3);
    session_end_one(&rig.host, 1);
    rig_await_sent(&rig, 1);
    (void)rig_expect_end(&rig, 1, REASON_OPERATOR, 0);
    rig_expect_closed(&peers[0]);
    ck_assert_int_eq(rig_state(&rig, 2), SESSION_RELAYING);
    end(2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("session_count");
    TCase *tc = unit_case(s, "count");

    tcase_add_checked_fixture(tc, open_rig, close_rig);
    tcase_add_test(tc, without_sessions);
    tcase_add_test(tc, only_those_who_relay);
    tcase_add_test(tc, what_has_passed);
    tcase_add_test(tc, in_as_many_messages_as_it_takes);
    tcase_add_test(tc, exactly_a_message);
    tcase_add_test(tc, as_the_channel_takes_it);
    tcase_add_test(tc, asked_again_in_the_middle);
    tcase_add_test(tc, one_is_ended);
    return unit_run(s);
}
