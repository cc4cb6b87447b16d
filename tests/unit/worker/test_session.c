/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A worker's sessions: from VERSION to the end, which is reported once, when all is closed, for the
 * right reason.
 */
#define _GNU_SOURCE
#include "proxy/worker/session.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"
#include "tests/unit/relay/flight.h"
#include "tests/unit/worker/session_rig.h"

static struct session_rig rig;
static struct rig_peers peers;

#define NUMBER 77

static void open_rig(void)
{
    rig_init(&rig);
    rig_session(&rig, &peers, NUMBER, 0, 0);
}

static void close_rig(void)
{
    ck_assert_uint_eq(rig.n_sent, 0);
    rig_deinit(&rig);
    rig_close_peers(&peers);
}

static const struct ipc_ended *expect_end(enum session_reason reason, int err)
{
    rig_settle(&rig);
    return rig_expect_end(&rig, NUMBER, reason, err);
}

/* Sends a command of 16 + n bytes with fds, and has it received at the other end. */
static void pass(int from, int to, size_t n, unsigned n_fds)
{
    static const uint8_t payload[4096] = {1, 2, 3, 4};
    const struct wire_hdr hdr = {.id = 9, .command = WIRE_DEVICE_SET_IRQS};
    struct fdset fds;
    struct message m;

    fdset_init(&fds);
    peer_memfds(&fds, n_fds);
    peer_send(from, hdr, payload, n, &fds);
    rig_settle(&rig);
    peer_recv(to, &m);
    ck_assert_uint_eq(m.n, n);
    ck_assert_mem_eq(m.payload, payload, n);
    peer_expect_same_fds(&fds, &m.fds);
    message_deinit(&m);
    fdset_close(&fds);
}

/* ---- from the beginning to the end ---- */

START_TEST(a_session)
{
    const struct ipc_ended *e;

    rig_lead(&rig, &peers, SESSION_RELAYING);
    pass(peers.client, peers.backend, 24, 2);
    pass(peers.backend, peers.client, 0, 0);
    pass(peers.backend, peers.client, 100, 4);
    sock_close(&peers.client);
    e = expect_end(REASON_CLIENT_CLOSED, 0);
    peer_expect_eof(peers.backend);
    /* VERSION is not counted: it was not relayed. */
    ck_assert_uint_eq(e->to_backend.messages, 1);
    ck_assert_uint_eq(e->to_backend.bytes, 40);
    ck_assert_uint_eq(e->to_backend.fds, 2);
    ck_assert_uint_eq(e->to_client.messages, 2);
    ck_assert_uint_eq(e->to_client.bytes, 132);
    ck_assert_uint_eq(e->to_client.fds, 4);
    ck_assert(session_host_empty(&rig.host));
}
END_TEST

/* Sent while the handshake was under way, relayed when it is over. */
START_TEST(early_data_is_relayed)
{
    struct fdset fds;
    struct message m;

    fdset_init(&fds);
    peer_memfds(&fds, 2);
    rig_lead(&rig, &peers, SESSION_DECIDING);
    peer_send(peers.client, (struct wire_hdr){.command = WIRE_DMA_MAP}, "x", 1, &fds);
    rig_settle(&rig);
    peer_expect_silence(peers.backend);
    ck_assert(session_decide(&rig.host, NUMBER, 0, REASON_DENIED));
    rig_settle(&rig);
    peer_recv(peers.backend, &m);
    peer_expect_same_fds(&fds, &m.fds);
    message_deinit(&m);
    fdset_close(&fds);
}
END_TEST

START_TEST(what_a_closing_client_sent_is_delivered)
{
    struct message m;

    rig_lead(&rig, &peers, SESSION_RELAYING);
    peer_send(peers.client, (struct wire_hdr){.command = WIRE_REGION_WRITE}, "last", 4, NULL);
    sock_close(&peers.client);
    (void)expect_end(REASON_CLIENT_CLOSED, 0);
    peer_recv(peers.backend, &m);
    ck_assert_str_eq((const char *)m.payload, "last");
    message_deinit(&m);
    peer_expect_eof(peers.backend);
}
END_TEST

/* Both directions have fds to send, and the kernel takes none for a while. */
START_TEST(fds_wait_while_too_many_are_in_flight)
{
    struct flight flight;
    struct message m;
    struct fdset fds;

    fdset_init(&fds);
    peer_memfds(&fds, 1);
    rig_lead(&rig, &peers, SESSION_RELAYING);
    peer_send(peers.client, (struct wire_hdr){.command = WIRE_DMA_MAP}, "up", 2, &fds);
    peer_send(peers.backend, (struct wire_hdr){.command = WIRE_DMA_MAP}, "down", 4, &fds);
    flight_fill(&flight);
    rig_settle(&rig);
    peer_expect_silence(peers.client);
    peer_expect_silence(peers.backend);
    flight_empty(&flight);
    rig_await_readable(&rig, peers.client);
    rig_await_readable(&rig, peers.backend);
    peer_recv(peers.backend, &m);
    peer_expect_same_fds(&fds, &m.fds);
    message_deinit(&m);
    peer_recv(peers.client, &m);
    peer_expect_same_fds(&fds, &m.fds);
    message_deinit(&m);
    fdset_close(&fds);
    /* Afterwards it goes on as before. */
    pass(peers.client, peers.backend, 8, 1);
}
END_TEST

START_TEST(the_backend_closes)
{
    rig_lead(&rig, &peers, SESSION_RELAYING);
    sock_close(&peers.backend);
    (void)expect_end(REASON_BACKEND_CLOSED, 0);
    peer_expect_eof(peers.client);
}
END_TEST

/* One side has said all; the other may still answer. _i: which. */
START_TEST(half_a_close)
{
    int first;
    int second;

    rig_lead(&rig, &peers, SESSION_RELAYING);
    first = _i ? peers.client : peers.backend;
    second = _i ? peers.backend : peers.client;
    shutdown(first, SHUT_WR);
    rig_settle(&rig);
    ck_assert_int_eq(rig_state(&rig, NUMBER), SESSION_DRAINING);
    peer_expect_eof(second);
    pass(second, first, 50, 1);
    ck_assert_uint_eq(rig.n_sent, 0);
    shutdown(second, SHUT_WR);
    (void)expect_end(_i ? REASON_CLIENT_CLOSED : REASON_BACKEND_CLOSED, 0);
    peer_expect_eof(first);
}
END_TEST

/* ---- what the monitor says ---- */

START_TEST(denied)
{
    rig_lead(&rig, &peers, SESSION_DECIDING);
    ck_assert(session_decide(&rig.host, NUMBER, EACCES, REASON_DENIED));
    (void)expect_end(REASON_DENIED, EACCES);
    ck_assert_int_eq(peer_recv_error(peers.client, 1, WIRE_VERSION), EACCES);
    rig_expect_closed(&peers);
}
END_TEST

START_TEST(a_verdict_that_comes_at_another_time_is_no_fault)
{
    ck_assert(!session_decide(&rig.host, NUMBER, 0, REASON_DENIED));
    rig_lead(&rig, &peers, SESSION_DECIDING);
    ck_assert(!session_decide(&rig.host, NUMBER + 1, 0, REASON_DENIED));
    ck_assert(!session_decide(&rig.host, 0, 0, REASON_DENIED));
    ck_assert(session_decide(&rig.host, NUMBER, 0, REASON_DENIED));
    ck_assert(!session_decide(&rig.host, NUMBER, EACCES, REASON_DENIED));
    rig_settle(&rig);
    sock_close(&peers.client);
    (void)expect_end(REASON_CLIENT_CLOSED, 0);
    ck_assert(!session_decide(&rig.host, NUMBER, 0, REASON_DENIED));
}
END_TEST

/* ---- what fails in the handshake ---- */

START_TEST(a_failed_handshake_is_reported)
{
    peer_send(peers.client, (struct wire_hdr){.id = 1, .command = WIRE_DEVICE_RESET}, NULL, 0,
              NULL);
    (void)expect_end(REASON_VERSION_MALFORMED, EINVAL);
    ck_assert_int_eq(peer_recv_error(peers.client, 1, WIRE_DEVICE_RESET), EINVAL);
    rig_expect_closed(&peers);
}
END_TEST

START_TEST(a_client_that_goes_is_reported)
{
    sock_close(&peers.client);
    (void)expect_end(REASON_CLIENT_GONE, 0);
    peer_expect_eof(peers.backend);
}
END_TEST

START_TEST(a_backend_that_goes_is_reported)
{
    rig_lead(&rig, &peers, SESSION_RECITING);
    sock_close(&peers.backend);
    (void)expect_end(REASON_BACKEND_GONE, ECONNREFUSED);
    ck_assert_int_eq(peer_recv_error(peers.client, 1, WIRE_VERSION), ECONNREFUSED);
    peer_expect_eof(peers.client);
}
END_TEST

/* ---- what breaks the relaying ---- */

/* A message that breaks framing, sent by a peer of the case's limits: 4 fds, 4096 bytes. */
static const struct {
    const char *name;
    uint32_t flags;
    uint32_t size; /* claimed */
    size_t n;      /* sent */
    unsigned fds;
    bool close; /* after it */
    enum session_reason reason;
} faults[] = {
    {"a reply too small", WIRE_TYPE_REPLY, 15, 16, 0, false, REASON_BAD_FRAME},
    {"too big", 0, LIMIT_MESSAGE + 1, 16, 0, false, REASON_BAD_FRAME},
    {"too many fds", 0, 16, 16, 5, false, REASON_TOO_MANY_FDS},
    {"cut off in its header", 0, 16, 9, 0, true, REASON_TRUNCATED_MESSAGE},
    {"cut off in its body", 0, 40, 39, 4, true, REASON_TRUNCATED_MESSAGE},
};

#define FAULTS (sizeof faults / sizeof faults[0])

static void send_fault(int *fd, size_t i)
{
    const struct wire_hdr hdr = {
        .command = WIRE_DEVICE_SET_IRQS, .size = faults[i].size, .flags = faults[i].flags};
    uint8_t bytes[64] = {0};
    struct fdset fds;

    fdset_init(&fds);
    peer_memfds(&fds, faults[i].fds);
    wire_put_hdr(bytes, &hdr);
    peer_send_raw(*fd, bytes, faults[i].n, &fds);
    fdset_close(&fds);
    if (faults[i].close) {
        sock_close(fd);
    }
}

START_TEST(a_client_that_breaks_framing)
{
    rig_lead(&rig, &peers, SESSION_RELAYING);
    pass(peers.client, peers.backend, 8, 4);
    send_fault(&peers.client, (size_t)_i);
    (void)expect_end(faults[_i].reason, 0);
    peer_expect_eof(peers.backend);
}
END_TEST

START_TEST(a_backend_that_breaks_framing)
{
    rig_lead(&rig, &peers, SESSION_RELAYING);
    send_fault(&peers.backend, (size_t)_i);
    (void)expect_end(faults[_i].reason, 0);
    peer_expect_eof(peers.client);
}
END_TEST

/* What each side takes is what it said, not what the other did. */
START_TEST(limits_are_the_receiver_s)
{
    static const char client[] =
        "{\"capabilities\":{\"max_msg_fds\":6,\"max_data_xfer_size\":10000}}";
    static const char backend[] =
        "{\"capabilities\":{\"max_msg_fds\":2,\"max_data_xfer_size\":100}}";
    const struct wire_hdr write = {.command = WIRE_DMA_WRITE};
    static const uint8_t data[10016];
    struct message m;

    peer_send_version(peers.client, 1, WIRE_TYPE_COMMAND, client, NULL);
    peer_send_version(peers.backend, 1, WIRE_TYPE_REPLY, backend, NULL);
    rig_settle(&rig);
    rig.n_sent = 0;
    ck_assert(session_decide(&rig.host, NUMBER, 0, REASON_DENIED));
    rig_settle(&rig);
    peer_recv_version(peers.backend, 1, WIRE_TYPE_COMMAND, client);
    peer_recv_version(peers.client, 1, WIRE_TYPE_REPLY, backend);
    pass(peers.backend, peers.client, 1, 6);
    pass(peers.client, peers.backend, 1, 2);
    peer_send(peers.backend, write, data, 10016, NULL);
    peer_send(peers.client, write, data, 116, NULL);
    rig_settle(&rig);
    peer_recv(peers.client, &m);
    message_deinit(&m);
    peer_recv(peers.backend, &m);
    message_deinit(&m);
    /* One past the backend's, far below the client's. */
    peer_send(peers.client, write, data, 117, NULL);
    (void)expect_end(REASON_BAD_FRAME, 0);
    rig_expect_closed(&peers);
}
END_TEST

/* ---- a twin socket ---- */

START_TEST(a_twin_socket_is_relayed)
{
    const struct ipc_ended *e;

    rig_lead_with_twin(&rig, &peers);
    pass(peers.client, peers.backend, 10, 1);
    pass(peers.backend_twin, peers.client_twin, 20, 2);
    pass(peers.client_twin, peers.backend_twin, 30, 0);
    pass(peers.backend, peers.client, 40, 0);
    sock_close(&peers.client);
    e = expect_end(REASON_CLIENT_CLOSED, 0);
    peer_expect_eof(peers.backend);
    peer_expect_eof(peers.backend_twin);
    peer_expect_eof(peers.client_twin);
    ck_assert_uint_eq(e->to_backend.messages, 2);
    ck_assert_uint_eq(e->to_backend.bytes, 72);
    ck_assert_uint_eq(e->to_backend.fds, 1);
    ck_assert_uint_eq(e->to_client.messages, 2);
    ck_assert_uint_eq(e->to_client.bytes, 92);
    ck_assert_uint_eq(e->to_client.fds, 2);
}
END_TEST

/* _i: who closes the twin. */
START_TEST(a_twin_that_closes_only_falls_silent)
{
    rig_lead_with_twin(&rig, &peers);
    sock_close(_i ? &peers.client_twin : &peers.backend_twin);
    rig_settle(&rig);
    ck_assert_int_eq(rig_state(&rig, NUMBER), SESSION_RELAYING);
    pass(peers.client, peers.backend, 10, 1);
    pass(peers.backend, peers.client, 10, 1);
    sock_close(&peers.backend);
    (void)expect_end(REASON_BACKEND_CLOSED, 0);
    peer_expect_eof(peers.client);
}
END_TEST

START_TEST(a_twin_that_breaks_framing)
{
    rig_lead_with_twin(&rig, &peers);
    send_fault(&peers.backend_twin, (size_t)_i);
    (void)expect_end(faults[_i].reason, 0);
    rig_expect_closed(&peers);
    peer_expect_eof(peers.client_twin);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("session");
    TCase *tc = unit_case(s, "session");

    tcase_add_checked_fixture(tc, open_rig, close_rig);
    tcase_add_test(tc, a_session);
    tcase_add_test(tc, early_data_is_relayed);
    tcase_add_test(tc, what_a_closing_client_sent_is_delivered);
    tcase_add_test(tc, fds_wait_while_too_many_are_in_flight);
    tcase_add_test(tc, the_backend_closes);
    tcase_add_loop_test(tc, half_a_close, 0, 2);
    tcase_add_test(tc, denied);
    tcase_add_test(tc, a_verdict_that_comes_at_another_time_is_no_fault);
    tcase_add_test(tc, a_failed_handshake_is_reported);
    tcase_add_test(tc, a_client_that_goes_is_reported);
    tcase_add_test(tc, a_backend_that_goes_is_reported);
    tcase_add_loop_test(tc, a_client_that_breaks_framing, 0, FAULTS);
    tcase_add_loop_test(tc, a_backend_that_breaks_framing, 0, FAULTS);
    tcase_add_test(tc, limits_are_the_receiver_s);
    tcase_add_test(tc, a_twin_socket_is_relayed);
    tcase_add_loop_test(tc, a_twin_that_closes_only_falls_silent, 0, 2);
    tcase_add_loop_test(tc, a_twin_that_breaks_framing, 0, FAULTS);
    return unit_run(s);
}
