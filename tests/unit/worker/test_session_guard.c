/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What a session tells the monitor while it relays: before its end, one message at a time, and
 * whether or not the channel takes it at once.
 */
#define _GNU_SOURCE
#include "proxy/worker/session.h"

#include <errno.h>

#include "base/sock.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"
#include "tests/unit/worker/session_rig.h"

static struct session_rig rig;
static struct rig_peers peers;

static void begin(bool withhold)
{
    rig_init(&rig);
    rig.recorded = true;
    rig.dma.withhold = withhold;
    rig_session(&rig, &peers, 1, 0, 0);
    rig_lead(&rig, &peers, SESSION_RELAYING);
}

static void end(void)
{
    rig_close_peers(&peers);
    rig_deinit(&rig);
}

static void send_maps(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const struct wire_dma_map m = {.argsz = sizeof m, .address = i, .size = 1};
        struct message got;

        peer_send(peers.client, (struct wire_hdr){.command = WIRE_DMA_MAP}, &m, sizeof m, NULL);
        rig_settle(&rig);
        peer_recv(peers.backend, &got);
        message_deinit(&got);
    }
}

/* The message number i to the monitor tells of the ranges from first on. */
static unsigned expect_export(unsigned i, unsigned first)
{
    const struct ipc_msg *const m = &rig.sent[i];

    ck_assert_uint_gt(rig.n_sent, i);
    ck_assert_uint_eq(m->type, IPC_EXPORT);
    ck_assert_uint_eq(m->session, 1);
    ck_assert(ipc_export_sound(&m->u.exports));
    for (uint32_t k = 0; k < m->u.exports.n; k++) {
        ck_assert_uint_eq(m->u.exports.ranges[k].address, first + k);
        ck_assert_uint_eq(m->u.exports.ranges[k].how, IPC_WITHOUT);
    }
    return first + m->u.exports.n;
}

static void expect_end(unsigned i)
{
    ck_assert_uint_eq(rig.n_sent, i + 1);
    ck_assert_uint_eq(rig.sent[i].type, IPC_ENDED);
    ck_assert(session_host_empty(&rig.host));
}

START_TEST(one_export_at_a_time)
{
    begin(false);
    send_maps(3);
    ck_assert_uint_eq(rig.n_sent, 1);
    ck_assert_uint_eq(expect_export(0, 0), 1);
    session_recorded(&rig.host, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.n_sent, 2);
    ck_assert_uint_eq(expect_export(1, 1), 3);
    /* Answers for nobody, or to nothing, do no harm. */
    session_recorded(&rig.host, 2);
    session_recorded(&rig.host, 1);
    rig_settle(&rig);
    ck_assert_uint_eq(rig.n_sent, 2);
    end();
}
END_TEST

/* All that was exported is told before the end, however long the monitor takes. */
START_TEST(the_end_comes_last)
{
    unsigned told;
    unsigned i = 1;

    begin(false);
    send_maps(200);
    told = expect_export(0, 0);
    sock_close(&peers.client);
    rig_settle(&rig);
    ck_assert_int_eq(rig_state(&rig, 1), SESSION_DEAD);
    while (told < 200) {
        ck_assert_uint_eq(rig.n_sent, i);
        session_recorded(&rig.host, 1);
        rig_settle(&rig);
        told = expect_export(i++, told);
    }
    ck_assert_uint_eq(rig.n_sent, i);
    session_recorded(&rig.host, 1);
    rig_settle(&rig);
    expect_end(i);
    end();
}
END_TEST

START_TEST(a_full_channel_loses_nothing)
{
    const struct wire_dma_access outside = {.address = 0x1000, .count = 1};

    begin(true);
    rig.room = 0;
    send_maps(1);
    peer_send(peers.backend, (struct wire_hdr){.id = 3, .command = WIRE_DMA_READ}, &outside,
              sizeof outside, NULL);
    rig_settle(&rig);
    ck_assert_int_eq(peer_recv_error(peers.backend, 3, WIRE_DMA_READ), EFAULT);
    peer_expect_silence(peers.client);
    sock_close(&peers.client);
    rig_settle(&rig);
    session_host_resume(&rig.host);
    ck_assert_uint_eq(rig.n_sent, 0);
    ck_assert_uint_eq(rig.taint, 0);
    rig.room = 1;
    session_host_resume(&rig.host);
    ck_assert_uint_eq(rig.taint, TAINT_DMA);
    ck_assert_uint_eq(rig.n_sent, 1);
    (void)expect_export(0, 0);
    session_recorded(&rig.host, 1);
    rig.room = 1;
    session_host_resume(&rig.host);
    expect_end(1);
    end();
}
END_TEST

/* While more waits than may, nothing is read; the monitor's answers let it go on. */
START_TEST(an_unanswered_report_stops_the_client)
{
    const struct wire_dma_map m = {.argsz = sizeof m, .size = 1};
    unsigned sent = 0;
    unsigned told = 0;
    struct message got;

    begin(false);
    while (!report_full(&TAILQ_FIRST(&rig.host.lists[SESSION_RELAYING])->guard->report)) {
        peer_send(peers.client, (struct wire_hdr){.command = WIRE_DMA_MAP}, &m, sizeof m, NULL);
        sent++;
        rig_settle(&rig);
        peer_recv(peers.backend, &got);
        message_deinit(&got);
    }
    peer_send(peers.client, (struct wire_hdr){.command = WIRE_DMA_MAP}, &m, sizeof m, NULL);
    sent++;
    rig_settle(&rig);
    peer_expect_silence(peers.backend);
    for (unsigned i = 0; told < sent; i++) {
        ck_assert_uint_eq(rig.sent[i].type, IPC_EXPORT);
        told += rig.sent[i].u.exports.n;
        session_recorded(&rig.host, 1);
        rig_settle(&rig);
    }
    ck_assert_uint_eq(told, sent);
    peer_recv(peers.backend, &got);
    message_deinit(&got);
    end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("session_guard");
    TCase *tc = unit_case(s, "told");

    tcase_add_test(tc, one_export_at_a_time);
    tcase_add_test(tc, the_end_comes_last);
    tcase_add_test(tc, a_full_channel_loses_nothing);
    tcase_add_test(tc, an_unanswered_report_stops_the_client);
    return unit_run(s);
}
