/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The VERSION exchange that goes well: what passes and how, however it is cut, with a twin socket
 * and without, and that nothing beside it is touched.
 */
#define _GNU_SOURCE
#include "proxy/worker/greeting/greeting.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"
#include "tests/unit/relay/flight.h"
#include "tests/unit/worker/greeting_rig.h"

static struct greeting_rig rig;

static void open_rig(void)
{
    rig_begin(&rig);
}

static void close_rig(void)
{
    rig_finish(&rig);
}

/* Whether what is written to one socket comes out of the other. Closes fd. */
static void expect_joined(int fd, int other)
{
    char byte = 0;

    ck_assert_int_eq(send(fd, "j", 1, MSG_DONTWAIT), 1);
    ck_assert_int_eq(recv(other, &byte, 1, MSG_DONTWAIT), 1);
    ck_assert_int_eq(byte, 'j');
    sock_close(&fd);
}

START_TEST(the_exchange)
{
    const struct greeting_result *const r = greeting_result(rig.greeting);

    rig_expect_no_news(&rig);
    rig_request(&rig);
    rig_reply(&rig);
    ck_assert_uint_eq(r->request_size, 214);
    ck_assert_uint_eq(r->reply_size, 20 + sizeof RIG_REPLY);
    ck_assert_uint_eq(r->request.max_msg_fds, 16);
    ck_assert_uint_eq(r->reply.max_msg_fds, 8);
    /* Nothing reaches the client before the verdict. */
    peer_expect_silence(rig.client);
    greeting_decide(rig.greeting, 0, REASON_DENIED);
    rig_expect_news(&rig, GREETING_DONE);
    peer_recv_version(rig.client, RIG_ID, WIRE_TYPE_REPLY, RIG_REPLY_ANEW);
    expect_joined(greeting_steal(rig.greeting, GREETING_CLIENT), rig.client);
    expect_joined(greeting_steal(rig.greeting, GREETING_BACKEND), rig.backend);
    ck_assert_int_eq(greeting_steal(rig.greeting, GREETING_CLIENT), -1);
    ck_assert_int_eq(greeting_steal(rig.greeting, GREETING_BACKEND), -1);
    ck_assert_int_eq(greeting_steal(rig.greeting, GREETING_CLIENT_TWIN), -1);
    ck_assert_int_eq(greeting_steal(rig.greeting, GREETING_BACKEND_TWIN), -1);
}
END_TEST

START_TEST(a_verdict_before_the_evidence_is_none)
{
    greeting_decide(rig.greeting, EACCES, REASON_DENIED);
    rig_request(&rig);
    greeting_decide(rig.greeting, EACCES, REASON_DENIED);
    rig_reply(&rig);
}
END_TEST

START_TEST(without_version_data)
{
    peer_send_version(rig.client, 0, WIRE_TYPE_COMMAND, NULL, NULL);
    rig_expect_no_news(&rig);
    peer_recv_version(rig.backend, 0, WIRE_TYPE_COMMAND, NULL);
    peer_send_version(rig.backend, 0, WIRE_TYPE_REPLY, NULL, NULL);
    rig_expect_news(&rig, GREETING_EVIDENCE);
    greeting_decide(rig.greeting, 0, REASON_DENIED);
    rig_expect_news(&rig, GREETING_DONE);
    peer_recv_version(rig.client, 0, WIRE_TYPE_REPLY, NULL);
}
END_TEST

/* QEMU takes a silent backend's max_msg_fds for 8, so it is named where QEMU has room for it. */
static const struct {
    const char *request;
    const char *reply;
    const char *told;
} silent[] = {
    {NULL, "{\"a\":1}", "{\"a\":1,\"capabilities\":{\"max_msg_fds\":1}}"},
    {NULL, "{\"capabilities\":{}}", "{\"capabilities\":{\"max_msg_fds\":1}}"},
    {NULL, "{\"capabilities\":{\"max_msg_fds\":3}}", "{\"capabilities\":{\"max_msg_fds\":3}}"},
    /* A client with a short request has no room that could be counted on. */
    {"{}", "{\"a\":1}", "{\"a\":1}"},
};

START_TEST(a_backend_that_is_silent_about_fds)
{
    const char *const request = silent[_i].request ? silent[_i].request : peer_qemu_json;

    peer_send_version(rig.client, RIG_ID, WIRE_TYPE_COMMAND, request, NULL);
    rig_expect_no_news(&rig);
    peer_send_version(rig.backend, RIG_ID, WIRE_TYPE_REPLY, silent[_i].reply, NULL);
    rig_expect_news(&rig, GREETING_EVIDENCE);
    greeting_decide(rig.greeting, 0, REASON_DENIED);
    rig_expect_news(&rig, GREETING_DONE);
    peer_recv_version(rig.client, RIG_ID, WIRE_TYPE_REPLY, silent[_i].told);
}
END_TEST

/* What stands behind VERSION is the relay's, also where it came with it in one write. */
START_TEST(what_is_behind_version_is_not_touched)
{
    struct fdset fds;
    struct fdset got;
    uint8_t byte;
    int fd;

    fdset_init(&fds);
    fdset_init(&got);
    peer_memfds(&fds, 1);
    peer_send_version(rig.client, RIG_ID, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    peer_send_raw(rig.client, "A", 1, &fds);
    rig_expect_no_news(&rig);
    peer_recv_version(rig.backend, RIG_ID, WIRE_TYPE_COMMAND, rig_qemu_anew);
    peer_expect_silence(rig.backend);
    peer_send_version(rig.backend, RIG_ID, WIRE_TYPE_REPLY, RIG_REPLY, NULL);
    peer_send_raw(rig.backend, "B", 1, NULL);
    rig_expect_news(&rig, GREETING_EVIDENCE);
    greeting_decide(rig.greeting, 0, REASON_DENIED);
    rig_expect_news(&rig, GREETING_DONE);
    peer_recv_version(rig.client, RIG_ID, WIRE_TYPE_REPLY, RIG_REPLY_ANEW);
    peer_expect_silence(rig.client);
    fd = greeting_steal(rig.greeting, GREETING_CLIENT);
    ck_assert_int_eq(sock_recv(fd, &byte, 1, &got, MSG_DONTWAIT), 1);
    ck_assert_int_eq(byte, 'A');
    peer_expect_same_fds(&fds, &got);
    sock_close(&fd);
    fd = greeting_steal(rig.greeting, GREETING_BACKEND);
    ck_assert_int_eq(sock_recv(fd, &byte, 1, &got, MSG_DONTWAIT), 1);
    ck_assert_int_eq(byte, 'B');
    sock_close(&fd);
    fdset_close(&fds);
    fdset_close(&got);
}
END_TEST

/* ---- cuts ---- */

#define REQUEST_SIZE 214
#define REPLY_SIZE (20 + sizeof RIG_REPLY)

/* Writes n bytes: so many first, then the rest; or each alone where first is 0. */
static void send_cut(int fd, const uint8_t *p, size_t n, size_t first,
                     const enum greeting_news *last)
{
    for (size_t at = 0; at < n;) {
        const size_t end = first == 0 ? at + 1 : at == 0 ? first : n;

        peer_send_raw(fd, p + at, end - at, NULL);
        at = end;
        if (at < n || !last) {
            rig_expect_no_news(&rig);
        } else {
            rig_expect_news(&rig, *last);
        }
        if (at < n) {
            peer_expect_silence(rig.client);
            peer_expect_silence(rig.backend);
        }
    }
}

/* _i: where. */
START_TEST(however_the_request_is_cut)
{
    uint8_t bytes[REQUEST_SIZE];
    const size_t n = rig_version(bytes, sizeof bytes, WIRE_TYPE_COMMAND, peer_qemu_json, 194);

    send_cut(rig.client, bytes, n, (size_t)_i, NULL);
    peer_recv_version(rig.backend, RIG_ID, WIRE_TYPE_COMMAND, rig_qemu_anew);
}
END_TEST

START_TEST(however_the_reply_is_cut)
{
    const enum greeting_news evidence = GREETING_EVIDENCE;
    uint8_t bytes[REPLY_SIZE];
    const size_t n = rig_version(bytes, sizeof bytes, WIRE_TYPE_REPLY, RIG_REPLY, sizeof RIG_REPLY);

    rig_request(&rig);
    send_cut(rig.backend, bytes, n, (size_t)_i, &evidence);
    greeting_decide(rig.greeting, 0, REASON_DENIED);
    rig_expect_news(&rig, GREETING_DONE);
    peer_recv_version(rig.client, RIG_ID, WIRE_TYPE_REPLY, RIG_REPLY_ANEW);
}
END_TEST

/* ---- the longest ---- */

START_TEST(version_data_at_the_limit)
{
    static uint8_t bytes[WIRE_HDR_SIZE + VERSION_PAYLOAD_MAX];
    static char json[LIMIT_VERSION_JSON];
    struct message m;

    memset(json, 'x', sizeof json);
    memcpy(json, "{\"a\":\"", 6);
    memcpy(json + sizeof json - 3, "\"}", 3);
    (void)rig_version(bytes, sizeof bytes, WIRE_TYPE_COMMAND, json, sizeof json);
    peer_send_raw(rig.client, bytes, sizeof bytes, NULL);
    rig_expect_no_news(&rig);
    peer_recv(rig.backend, &m);
    ck_assert_uint_eq(m.n, VERSION_PAYLOAD_MAX);
    ck_assert_mem_eq(m.payload, bytes + WIRE_HDR_SIZE, m.n);
    message_deinit(&m);
    (void)rig_version(bytes, sizeof bytes, WIRE_TYPE_REPLY, json, sizeof json);
    peer_send_raw(rig.backend, bytes, sizeof bytes, NULL);
    rig_expect_news(&rig, GREETING_EVIDENCE);
    greeting_decide(rig.greeting, 0, REASON_DENIED);
    rig_expect_news(&rig, GREETING_DONE);
    peer_recv(rig.client, &m);
    ck_assert_uint_eq(m.n, VERSION_PAYLOAD_MAX);
    ck_assert_mem_eq(m.payload, bytes + WIRE_HDR_SIZE, m.n);
    message_deinit(&m);
}
END_TEST

/* Numbers of any size and kind arrive as they were sent, both ways. */
START_TEST(numbers_pass_digit_for_digit)
{
    static const char numbers[] =
        "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":18446744073709551615,"
        "\"pgsizes\":18446744073709547520},\"x\":[1.50,-0,1e999,-9223372036854775809,0.1]}";

    peer_send_version(rig.client, RIG_ID, WIRE_TYPE_COMMAND, numbers, NULL);
    rig_expect_no_news(&rig);
    peer_recv_version(rig.backend, RIG_ID, WIRE_TYPE_COMMAND, numbers);
    peer_send_version(rig.backend, RIG_ID, WIRE_TYPE_REPLY, numbers, NULL);
    rig_expect_news(&rig, GREETING_EVIDENCE);
    ck_assert_uint_eq(greeting_result(rig.greeting)->reply.max_data_xfer_size, UINT32_MAX);
    greeting_decide(rig.greeting, 0, REASON_DENIED);
    rig_expect_news(&rig, GREETING_DONE);
    peer_recv_version(rig.client, RIG_ID, WIRE_TYPE_REPLY, numbers);
}
END_TEST

/* ---- a twin socket ---- */

#define TWIN_ASKED "{\"capabilities\":{\"max_msg_fds\":8,\"twin_socket\":{\"supported\":true}}}"
#define TWIN_GIVEN \
    "{\"capabilities\":{\"max_msg_fds\":8,\"twin_socket\":{\"supported\":true,\"fd_index\":0}}}"

/* Leads the exchange to its verdict, the backend having given a twin socket. */
static void lead_with_twin(int theirs[2])
{
    struct fdset fd;

    peer_send_version(rig.client, RIG_ID, WIRE_TYPE_COMMAND, TWIN_ASKED, NULL);
    rig_expect_no_news(&rig);
    peer_recv_version(rig.backend, RIG_ID, WIRE_TYPE_COMMAND, TWIN_ASKED);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, theirs), 0);
    fdset_init(&fd);
    ck_assert_int_eq(fdset_add_take(&fd, theirs[1]), 0);
    peer_send_version(rig.backend, RIG_ID, WIRE_TYPE_REPLY, TWIN_GIVEN, &fd);
    fdset_close(&fd);
    rig_expect_news(&rig, GREETING_EVIDENCE);
}

START_TEST(a_twin_socket_is_ours)
{
    struct message m;
    int theirs[2];

    lead_with_twin(theirs);
    greeting_decide(rig.greeting, 0, REASON_DENIED);
    rig_expect_news(&rig, GREETING_DONE);
    peer_recv(rig.client, &m);
    ck_assert_str_eq((const char *)m.payload + 4, TWIN_GIVEN);
    ck_assert_uint_eq(m.fds.n, 1);
    /* The client has not got the backend's socket: that has stayed here. */
    expect_joined(greeting_steal(rig.greeting, GREETING_CLIENT_TWIN), m.fds.fds[0]);
    expect_joined(greeting_steal(rig.greeting, GREETING_BACKEND_TWIN), theirs[0]);
    message_deinit(&m);
    sock_close(&theirs[0]);
}
END_TEST

static int no_wait_for_writing(const struct event_base *base, const struct event *e, void *arg)
{
    (void)base;
    (void)arg;
    ck_assert(!(event_get_events(e) & EV_WRITE));
    return 0;
}

START_TEST(a_twin_socket_waits_while_too_many_fds_are_in_flight)
{
    struct flight flight;
    struct message m;
    int theirs[2];

    lead_with_twin(theirs);
    flight_fill(&flight);
    greeting_decide(rig.greeting, 0, REASON_DENIED);
    rig_expect_no_news(&rig);
    peer_expect_silence(rig.client);
    /* The socket could be written: a loop that waited for that would spin. */
    ck_assert_int_eq(event_base_foreach_event(rig.base, no_wait_for_writing, NULL), 0);
    flight_empty(&flight);
    while (rig.n_news == 0) {
        ck_assert_int_eq(event_base_loop(rig.base, EVLOOP_ONCE), 0);
    }
    rig_expect_news(&rig, GREETING_DONE);
    peer_recv(rig.client, &m);
    ck_assert_uint_eq(m.fds.n, 1);
    expect_joined(greeting_steal(rig.greeting, GREETING_CLIENT_TWIN), m.fds.fds[0]);
    message_deinit(&m);
    sock_close(&theirs[0]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("greeting");
    TCase *tc = unit_case(s, "well");

    tcase_add_checked_fixture(tc, open_rig, close_rig);
    tcase_add_test(tc, the_exchange);
    tcase_add_test(tc, a_verdict_before_the_evidence_is_none);
    tcase_add_test(tc, without_version_data);
    tcase_add_loop_test(tc, a_backend_that_is_silent_about_fds, 0,
                        sizeof silent / sizeof silent[0]);
    tcase_add_test(tc, what_is_behind_version_is_not_touched);
    tcase_add_loop_test(tc, however_the_request_is_cut, 0, REQUEST_SIZE);
    tcase_add_loop_test(tc, however_the_reply_is_cut, 0, REPLY_SIZE);
    tcase_add_test(tc, version_data_at_the_limit);
    tcase_add_test(tc, numbers_pass_digit_for_digit);
    tcase_add_test(tc, a_twin_socket_is_ours);
    tcase_add_test(tc, a_twin_socket_waits_while_too_many_fds_are_in_flight);
    return unit_run(s);
}
