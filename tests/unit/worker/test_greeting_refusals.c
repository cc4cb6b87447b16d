/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The VERSION exchange that does not go well: for each way, the reason, whose fault it is called,
 * and what the client is told. After each both sockets are closed.
 */
#define _GNU_SOURCE
#include "proxy/worker/greeting/greeting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"
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

/* A message that is to be refused: a good one, with something made wrong. */
struct wrong {
    const char *name;
    /* header: 0 leaves what a good one has */
    uint16_t command;
    uint32_t flags;
    uint16_t id_off_by;
    uint32_t size; /* claimed; 1 stands for 0 */
    /* payload: NULL leaves "{}" */
    const char *json;
    size_t json_n; /* 0: with its NUL */
    uint16_t major;
    uint16_t minor;
    bool bare; /* the header alone comes, and is to be enough */
    unsigned fds;
    enum session_reason reason; /* 0: REASON_VERSION_MALFORMED */
    int err;                    /* 0: EINVAL of a request, EPROTO of a reply */
};

static void send_wrong(int fd, const struct wrong *w, uint32_t good_flags)
{
    static uint8_t bytes[WIRE_HDR_SIZE + VERSION_PAYLOAD_MAX + 1];
    const char *const json = w->json ? w->json : "{}";
    const size_t n = rig_version(bytes, sizeof bytes, w->flags ? w->flags : good_flags, json,
                                 w->json_n ? w->json_n : strlen(json) + 1);
    const struct wire_version number = {.major = w->major, .minor = w->minor};
    struct wire_hdr hdr;
    struct fdset fds;

    memcpy(bytes + WIRE_HDR_SIZE, &number, sizeof number);
    ck_assert_int_eq(wire_get_hdr(bytes, n, UINT32_MAX, &hdr), WIRE_FRAME_OK);
    hdr.command = w->command ? w->command : WIRE_VERSION;
    hdr.id = (uint16_t)(hdr.id + w->id_off_by);
    hdr.size = w->size == 1 ? 0 : w->size ? w->size : hdr.size;
    hdr.error = (uint32_t)w->err;
    wire_put_hdr(bytes, &hdr);
    fdset_init(&fds);
    peer_memfds(&fds, w->fds);
    /* A message that claims to be shorter is as short; one that claims to be longer is not sent. */
    peer_send_raw(fd, bytes, w->bare ? WIRE_HDR_SIZE : n, &fds);
    fdset_close(&fds);
}

static void send_request(const struct wrong *w)
{
    rig.command = w->command ? w->command : WIRE_VERSION;
    send_wrong(rig.client, w, WIRE_TYPE_COMMAND);
}

static void expect_refusal(const struct wrong *w, bool by_backend)
{
    rig_expect_failure(&rig, w->reason ? w->reason : REASON_VERSION_MALFORMED,
                       w->err       ? w->err
                       : by_backend ? EPROTO
                                    : EINVAL,
                       by_backend);
}

/* ---- the client's request ---- */

static const struct wrong requests[] = {
    {"another command", .command = WIRE_DEVICE_GET_INFO, .bare = true},
    {"an unknown command", .command = 0x7777, .bare = true},
    {"a reply", .flags = WIRE_TYPE_REPLY, .bare = true},
    {"an unknown type", .flags = 0x2, .bare = true},
    {"no reply wanted", .flags = WIRE_NO_REPLY, .bare = true},
    {"size 0", .size = 1, .bare = true},
    {"size 15", .size = 15, .bare = true},
    {"size one past the limit", .size = WIRE_HDR_SIZE + VERSION_PAYLOAD_MAX + 1, .bare = true},
    {"the largest size", .size = UINT32_MAX, .bare = true},
    {"without numbers", .size = 16, .bare = true},
    {"fds", .fds = 1},
    {"many fds", .fds = LIMIT_FDS_KERNEL},
    {"no NUL", .json = "{}", .json_n = 2},
    {"a NUL inside", .json = "{}\0{}", .json_n = 6},
    {"two NULs and white space", .json = "{}\0\n", .json_n = 5},
    {"no object", .json = "[]"},
    {"no JSON", .json = "hello"},
    {"empty JSON", .json = ""},
    {"a key twice", .json = "{\"a\":1,\"a\":1}"},
    {"a key twice below", .json = "{\"capabilities\":{\"max_msg_fds\":1,\"max_msg_fds\":8}}"},
    {"too deep", .json = "{\"a\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}"},
    {"not UTF-8", .json = "{\"a\":\"\xff\"}"},
    {"capabilities that are none", .json = "{\"capabilities\":1}"},
    {"fds below 0", .json = "{\"capabilities\":{\"max_msg_fds\":-1}}"},
};

START_TEST(a_bad_request_is_told_and_goes_no_further)
{
    send_request(&requests[_i]);
    expect_refusal(&requests[_i], false);
}
END_TEST

/* _i: how many bytes of the request come before the client closes. */
START_TEST(a_client_that_goes)
{
    uint8_t bytes[214];

    (void)rig_version(bytes, sizeof bytes, WIRE_TYPE_COMMAND, peer_qemu_json, 194);
    if (_i > 0) {
        peer_send_raw(rig.client, bytes, (size_t)_i, NULL);
        rig_expect_no_news(&rig);
    }
    sock_close(&rig.client);
    rig_expect_failure(&rig, REASON_CLIENT_GONE, 0, false);
}
END_TEST

START_TEST(a_client_that_goes_before_its_reply)
{
    rig_request(&rig);
    rig_reply(&rig);
    sock_close(&rig.client);
    greeting_decide(rig.greeting, 0, REASON_DENIED);
    rig_expect_failure(&rig, REASON_CLIENT_GONE, 0, false);
}
END_TEST

/* Every fault of a header is logged with what the header has. */
START_TEST(a_bad_header_is_named)
{
    const char *why;

    send_request(&(struct wrong){"", .size = 15, .bare = true});
    rig_expect_news(&rig, GREETING_FAILED);
    why = greeting_result(rig.greeting)->why;
    ck_assert_ptr_nonnull(strstr(why, "message size below 16"));
    ck_assert_ptr_nonnull(strstr(why, "command 1 (VERSION), id "));
    ck_assert_ptr_nonnull(strstr(why, "size 15, flags 0x0, at most 65556 bytes allowed"));
}
END_TEST

/* ---- the backend's reply ---- */

#define TWIN "{\"capabilities\":{\"twin_socket\":{\"supported\":true,\"fd_index\":0}}}"

static const struct wrong replies[] = {
    {"another command", .command = WIRE_DEVICE_GET_INFO, .bare = true},
    {"a command", .flags = WIRE_NO_REPLY, .bare = true},
    {"another id", .id_off_by = 1, .bare = true},
    {"size 0", .size = 1, .bare = true},
    {"size 15", .size = 15, .bare = true},
    {"size one past the limit", .size = WIRE_HDR_SIZE + VERSION_PAYLOAD_MAX + 1, .bare = true},
    {"without numbers", .size = 16, .bare = true},
    {"a higher major", .major = 1},
    {"a higher minor", .minor = 1},
    {"an fd", .fds = 1},
    {"no NUL", .json = "{}", .json_n = 2},
    {"a NUL inside", .json = "{}\0{}", .json_n = 6},
    {"no object", .json = "[]"},
    {"a key twice", .json = "{\"a\":1,\"a\":1}"},
    {"fds that are no number", .json = "{\"capabilities\":{\"max_msg_fds\":\"8\"}}"},
    {"no fds at all", .json = "{\"capabilities\":{\"max_msg_fds\":0}}"},
    {"a twin socket unasked", .json = TWIN, .fds = 1},
    {"an error", .flags = WIRE_TYPE_REPLY | WIRE_ERROR, .bare = true, .size = 16,
     .reason = REASON_BACKEND_REFUSED, .err = ENODEV},
    {"an error with a payload", .flags = WIRE_TYPE_REPLY | WIRE_ERROR,
     .reason = REASON_BACKEND_REFUSED, .err = EINVAL},
};

START_TEST(a_bad_reply_is_told_as_an_error)
{
    rig_request(&rig);
    send_wrong(rig.backend, &replies[_i], WIRE_TYPE_REPLY);
    expect_refusal(&replies[_i], true);
}
END_TEST

START_TEST(a_backend_that_refuses_without_an_errno)
{
    const struct wire_hdr hdr = {
        .id = RIG_ID, .command = WIRE_VERSION, .flags = WIRE_TYPE_REPLY | WIRE_ERROR};

    rig_request(&rig);
    peer_send(rig.backend, hdr, NULL, 0, NULL);
    rig_expect_failure(&rig, REASON_BACKEND_REFUSED, ECONNREFUSED, true);
}
END_TEST

/* _i: how many bytes of its reply come before the backend closes. */
START_TEST(a_backend_that_goes)
{
    uint8_t bytes[64];

    (void)rig_version(bytes, sizeof bytes, WIRE_TYPE_REPLY, "{}", 3);
    rig_request(&rig);
    if (_i > 0) {
        peer_send_raw(rig.backend, bytes, (size_t)_i, NULL);
        rig_expect_no_news(&rig);
    }
    sock_close(&rig.backend);
    rig_expect_failure(&rig, REASON_BACKEND_GONE, ECONNREFUSED, true);
}
END_TEST

START_TEST(a_backend_that_is_gone_already)
{
    sock_close(&rig.backend);
    peer_send_version(rig.client, RIG_ID, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    rig_expect_failure(&rig, REASON_BACKEND_GONE, ECONNREFUSED, true);
}
END_TEST

/* ---- a twin socket that is none ---- */

static int new_memfd(void)
{
    return peer_memfd();
}

/* One of a pair; the other is closed. */
static int new_socket(int domain, int type)
{
    int pair[2] = {-1, -1};

    if (domain == AF_UNIX) {
        ck_assert_int_eq(socketpair(domain, type | SOCK_CLOEXEC, 0, pair), 0);
    } else {
        pair[0] = socket(domain, type | SOCK_CLOEXEC, 0);
        ck_assert_int_ge(pair[0], 0);
    }
    sock_close(&pair[1]);
    return pair[0];
}

static int new_datagram(void)
{
    return new_socket(AF_UNIX, SOCK_DGRAM);
}

static int new_seqpacket(void)
{
    return new_socket(AF_UNIX, SOCK_SEQPACKET);
}

static int new_tcp(void)
{
    return new_socket(AF_INET, SOCK_STREAM);
}

static const struct {
    int (*make)(void);
    unsigned n;
    const char *index;
} twins[] = {
    {new_memfd, 1, "0"}, {new_datagram, 1, "0"}, {new_seqpacket, 1, "0"}, {new_tcp, 1, "0"},
    {new_memfd, 0, "0"}, {new_memfd, 1, "1"},    {new_memfd, 2, "0"},     {new_memfd, 2, "1"},
};

START_TEST(a_twin_socket_that_is_none)
{
    char json[128];
    struct fdset fds;
    struct message m;

    peer_send_version(rig.client, RIG_ID, WIRE_TYPE_COMMAND,
                      "{\"capabilities\":{\"twin_socket\":{\"supported\":true}}}", NULL);
    rig_expect_no_news(&rig);
    peer_recv(rig.backend, &m);
    message_deinit(&m);
    snprintf(json, sizeof json,
             "{\"capabilities\":{\"twin_socket\":{\"supported\":true,\"fd_index\":%s}}}",
             twins[_i].index);
    fdset_init(&fds);
    for (unsigned i = 0; i < twins[_i].n; i++) {
        ck_assert_int_eq(fdset_add_take(&fds, twins[_i].make()), 0);
    }
    peer_send_version(rig.backend, RIG_ID, WIRE_TYPE_REPLY, json, &fds);
    fdset_close(&fds);
    rig_expect_news(&rig, GREETING_FAILED);
    ck_assert_int_eq(greeting_result(rig.greeting)->reason, REASON_VERSION_MALFORMED);
    ck_assert(greeting_result(rig.greeting)->by_backend);
    ck_assert_int_eq(peer_recv_error(rig.client, RIG_ID, WIRE_VERSION), EPROTO);
}
END_TEST

/* ---- ended by its owner ---- */

START_TEST(denied)
{
    rig_request(&rig);
    rig_reply(&rig);
    greeting_decide(rig.greeting, EACCES, REASON_DENIED);
    rig_expect_failure(&rig, REASON_DENIED, EACCES, true);
}
END_TEST

/* A client that has not asked waits for no answer. _i: bytes that have come of its request. */
START_TEST(aborted_before_the_request_is_whole)
{
    uint8_t bytes[214];

    (void)rig_version(bytes, sizeof bytes, WIRE_TYPE_COMMAND, peer_qemu_json, 194);
    if (_i > 0) {
        peer_send_raw(rig.client, bytes, (size_t)_i, NULL);
    }
    rig_expect_no_news(&rig);
    greeting_abort(rig.greeting, REASON_HANDSHAKE_TIMEOUT, ETIMEDOUT, "too long");
    rig_expect_failure(&rig, REASON_HANDSHAKE_TIMEOUT, 0, false);
}
END_TEST

START_TEST(aborted_while_the_backend_is_silent)
{
    rig_request(&rig);
    greeting_abort(rig.greeting, REASON_HANDSHAKE_TIMEOUT, ETIMEDOUT, "too long");
    rig_expect_failure(&rig, REASON_HANDSHAKE_TIMEOUT, ETIMEDOUT, true);
}
END_TEST

START_TEST(aborted_before_the_verdict)
{
    rig_request(&rig);
    rig_reply(&rig);
    greeting_abort(rig.greeting, REASON_HANDSHAKE_TIMEOUT, ETIMEDOUT, "too long");
    rig_expect_failure(&rig, REASON_HANDSHAKE_TIMEOUT, ETIMEDOUT, false);
}
END_TEST

START_TEST(aborted_when_it_is_over)
{
    rig_request(&rig);
    rig_reply(&rig);
    greeting_decide(rig.greeting, 0, REASON_DENIED);
    rig_expect_news(&rig, GREETING_DONE);
    greeting_abort(rig.greeting, REASON_SHUTDOWN, ETIMEDOUT, "too late");
    rig_expect_no_news(&rig);
    peer_recv_version(rig.client, RIG_ID, WIRE_TYPE_REPLY, RIG_REPLY_ANEW);
    peer_expect_silence(rig.client);
}
END_TEST

/* ---- refusing ---- */

static const struct wrong refused[] = {
    {"a good request", .reason = REASON_REFUSED, .err = EBUSY},
    /* Nobody reads the JSON of a client that is refused anyway. */
    {"no JSON", .json = "hello", .reason = REASON_REFUSED, .err = EBUSY},
    {"fds", .fds = 3, .reason = REASON_REFUSED, .err = EBUSY},
    {"another command", .command = WIRE_DEVICE_RESET, .bare = true},
    {"size 15", .size = 15, .bare = true},
};

START_TEST(a_client_is_refused)
{
    rig_begin_refusing(&rig, EBUSY);
    rig_expect_no_news(&rig);
    send_request(&refused[_i]);
    expect_refusal(&refused[_i], false);
    rig_finish(&rig);
}
END_TEST

#define ROWS(table) (sizeof(table) / sizeof(table)[0])

int main(void)
{
    Suite *s = suite_create("greeting_refusals");
    TCase *tc = unit_case(s, "peers");

    tcase_add_checked_fixture(tc, open_rig, close_rig);
    tcase_add_loop_test(tc, a_bad_request_is_told_and_goes_no_further, 0, ROWS(requests));
    tcase_add_loop_test(tc, a_client_that_goes, 0, 214);
    tcase_add_test(tc, a_client_that_goes_before_its_reply);
    tcase_add_test(tc, a_bad_header_is_named);
    tcase_add_loop_test(tc, a_bad_reply_is_told_as_an_error, 0, ROWS(replies));
    tcase_add_test(tc, a_backend_that_refuses_without_an_errno);
    tcase_add_loop_test(tc, a_backend_that_goes, 0, 23);
    tcase_add_test(tc, a_backend_that_is_gone_already);
    tcase_add_loop_test(tc, a_twin_socket_that_is_none, 0, ROWS(twins));
    tc = unit_case(s, "owner");
    tcase_add_checked_fixture(tc, open_rig, close_rig);
    tcase_add_test(tc, denied);
    tcase_add_loop_test(tc, aborted_before_the_request_is_whole, 0, 214);
    tcase_add_test(tc, aborted_while_the_backend_is_silent);
    tcase_add_test(tc, aborted_before_the_verdict);
    tcase_add_test(tc, aborted_when_it_is_over);
    tc = unit_case(s, "refusing");
    tcase_add_loop_test(tc, a_client_is_refused, 0, ROWS(refused));
    return unit_run(s);
}
