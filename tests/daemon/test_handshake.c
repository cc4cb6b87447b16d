/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * VERSION through poemd: what passes and how it is written anew, and sides that refuse, go or are
 * slow. What is malformed is test_malformed.c's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/rig.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

/* Long enough for a busy machine, short enough for a test that must see it pass. */

#define ID 0x1234

/* ---- what passes ---- */

struct passing {
    const char *name;
    const char *sent;
    const char *written; /* NULL: no version data */
};

static const struct passing passing[] = {
    {"no version data", NULL, NULL},
    {"an empty object", "{}", "{}"},
    {"spaces go", " { \"capabilities\" : { \"max_msg_fds\" : 8 } } \n",
     "{\"capabilities\":{\"max_msg_fds\":8}}"},
    {"unknown keys stay, in their order",
     "{\"z\": [1, 2.5, null, true], \"capabilities\": {\"a\": {\"b\": \"c\"}}, \"a\": -1}",
     "{\"z\":[1,2.5,null,true],\"capabilities\":{\"a\":{\"b\":\"c\"}},\"a\":-1}"},
    {"UTF-8 stays", "{\"poem\": \"\xc3\xa4\xe2\x82\xac\xf0\x9f\x8c\xb2\"}",
     "{\"poem\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x8c\xb2\"}"},
    {"the largest integer", "{\"x\": 9223372036854775807}", "{\"x\":9223372036854775807}"},
    {"a mask of 64 bits", "{\"capabilities\": {\"pgsizes\": 18446744073709547520}}",
     "{\"capabilities\":{\"pgsizes\":18446744073709547520}}"},
    {"numbers stay as they are", "{\"x\": [1.50, 1e999, -0, 36893488147419103232]}",
     "{\"x\":[1.50,1e999,-0,36893488147419103232]}"},
    {"limits at their ends",
     "{\"capabilities\": {\"max_msg_fds\": 1, \"max_data_xfer_size\": "
     "4294967295}}",
     "{\"capabilities\":{\"max_msg_fds\":1,\"max_data_xfer_size\":4294967295}}"},
    {"nested as deep as the limit",
     "{\"a\":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}", /* 16 levels: LIMIT_JSON_DEPTH */
     "{\"a\":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}"},
    {"brackets in a string are not nesting", "{\"a\": \"[[[[[[[[[[[[[[[[[[[[[[\"}",
     "{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[\"}"},
};

#define PASSING (sizeof passing / sizeof *passing)

START_TEST(request_and_reply_are_written_anew)
{
    struct rig r;

    rig_start(&r, "");
    /* Each once as the request and once as the reply to a request that leaves no room for more. */
    for (size_t i = 0; i < 2 * PASSING; i++) {
        const struct passing *const req = i < PASSING ? &passing[i] : &passing[0];
        const struct passing *const rep = i < PASSING ? &passing[0] : &passing[i - PASSING];
        struct pair p = {.client_fd = peer_connect(r.listen)};

        peer_send_version(p.client_fd, ID, WIRE_TYPE_COMMAND, req->sent, NULL);
        p.backend_fd = peer_accept(r.backend_fd);
        peer_recv_version(p.backend_fd, ID, WIRE_TYPE_COMMAND, req->written);
        peer_expect_silence(p.client_fd);
        peer_send_version(p.backend_fd, ID, WIRE_TYPE_REPLY, rep->sent, NULL);
        peer_recv_version(p.client_fd, ID, WIRE_TYPE_REPLY, rep->written);
        pair_ping(&p);
        pair_close(&p);
        rig_await_log(&r, " ended: ", NULL, 0);
    }
    rig_stop(&r);
}
END_TEST

/* QEMU's reply buffer is as large as its request was: an equal offer must come back no longer. */
START_TEST(an_equal_reply_is_no_longer_than_the_request)
{
    struct rig r;
    struct pair p;
    struct message m;

    rig_start(&r, "");
    p.client_fd = peer_connect(r.listen);
    peer_send_version(p.client_fd, 0, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    peer_recv(p.backend_fd, &m);
    message_deinit(&m);
    peer_send_version(p.backend_fd, 0, WIRE_TYPE_REPLY, peer_qemu_json, NULL);
    peer_recv(p.client_fd, &m);
    ck_assert_uint_le(m.hdr.size, 214);
    message_deinit(&m);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/*
 * A reply that is silent about max_msg_fds means 1 by the specification, and QEMU takes 8 for it:
 * so it is said, where the request leaves the room.
 */
START_TEST(a_silent_reply_says_how_many_fds)
{
    struct rig r;
    struct pair p;
    struct message m;

    rig_start(&r, "");
    p.client_fd = peer_connect(r.listen);
    peer_send_version(p.client_fd, ID, WIRE_TYPE_COMMAND, peer_qemu_json, NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    peer_recv(p.backend_fd, &m);
    message_deinit(&m);
    peer_send_version(p.backend_fd, ID, WIRE_TYPE_REPLY, "{\"capabilities\": {\"pgsizes\": 4096}}",
                      NULL);
    peer_recv_version(p.client_fd, ID, WIRE_TYPE_REPLY,
                      "{\"capabilities\":{\"pgsizes\":4096,\"max_msg_fds\":1}}");
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* The numbers pass; a reply may have a lower minor number. */
START_TEST(version_numbers_pass)
{
    const struct wire_version asked = {.major = 3, .minor = 7};
    const struct wire_version answered = {.major = 3, .minor = 2};
    struct rig r;
    struct pair p;
    struct message m;

    rig_start(&r, "");
    p.client_fd = peer_connect(r.listen);
    peer_send(p.client_fd, (struct wire_hdr){.id = ID, .command = WIRE_VERSION}, &asked,
              sizeof asked, NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    peer_recv(p.backend_fd, &m);
    ck_assert_uint_eq(m.n, sizeof asked);
    ck_assert_mem_eq(m.payload, &asked, sizeof asked);
    peer_send(p.backend_fd, wire_reply_hdr(&m.hdr, sizeof answered), &answered, sizeof answered,
              NULL);
    message_deinit(&m);
    peer_recv(p.client_fd, &m);
    ck_assert_uint_eq(m.n, sizeof answered);
    ck_assert_mem_eq(m.payload, &answered, sizeof answered);
    message_deinit(&m);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

static void send_bytewise(int fd, const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        peer_send_raw(fd, (const uint8_t *)p + i, 1, NULL);
    }
}

/* Writes a whole VERSION message to out (room for 64 KiB). Returns its bytes. */
static size_t version_bytes(uint8_t *out, uint32_t flags, const void *json, size_t n)
{
    const struct wire_version number = {0};
    const struct wire_hdr hdr = {.id = ID,
                                 .command = WIRE_VERSION,
                                 .size = (uint32_t)(WIRE_HDR_SIZE + sizeof number + n),
                                 .flags = flags};

    wire_put_hdr(out, &hdr);
    memcpy(out + WIRE_HDR_SIZE, &number, sizeof number);
    if (n > 0) {
        memcpy(out + WIRE_HDR_SIZE + sizeof number, json, n);
    }
    return hdr.size;
}

START_TEST(version_in_single_bytes)
{
    static uint8_t bytes[1024];
    const char json[] = "{\"capabilities\":{\"max_msg_fds\":4}}";
    struct rig r;
    struct pair p;
    size_t n;

    rig_start(&r, "");
    p.client_fd = peer_connect(r.listen);
    n = version_bytes(bytes, WIRE_TYPE_COMMAND, json, sizeof json);
    send_bytewise(p.client_fd, bytes, n);
    p.backend_fd = peer_accept(r.backend_fd);
    peer_recv_version(p.backend_fd, ID, WIRE_TYPE_COMMAND, json);
    n = version_bytes(bytes, WIRE_TYPE_REPLY, json, sizeof json);
    send_bytewise(p.backend_fd, bytes, n);
    peer_recv_version(p.client_fd, ID, WIRE_TYPE_REPLY, json);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* JSON of n bytes with its NUL, of spaces but for its ends. */
static char *padded_json(size_t n)
{
    char *const json = malloc(n);

    ck_assert_ptr_nonnull(json);
    memset(json, ' ', n);
    json[0] = '{';
    json[n - 2] = '}';
    json[n - 1] = '\0';
    return json;
}

START_TEST(json_at_its_limit)
{
    char *const json = padded_json(LIMIT_VERSION_JSON);
    struct rig r;
    struct pair p;

    rig_start(&r, "");
    p.client_fd = peer_connect(r.listen);
    peer_send_version(p.client_fd, ID, WIRE_TYPE_COMMAND, json, NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    peer_recv_version(p.backend_fd, ID, WIRE_TYPE_COMMAND, "{}");
    peer_send_version(p.backend_fd, ID, WIRE_TYPE_REPLY, json, NULL);
    peer_recv_version(p.client_fd, ID, WIRE_TYPE_REPLY, "{\"capabilities\":{\"max_msg_fds\":1}}");
    pair_ping(&p);
    pair_close(&p);
    free(json);
    rig_stop(&r);
}
END_TEST

/* What the client sends behind its VERSION waits, fds included, until the backend has answered. */
START_TEST(early_messages_wait_for_the_verdict)
{
    static uint8_t bytes[1024];
    const struct wire_hdr hdr = {.id = 2, .command = WIRE_DEVICE_RESET, .size = WIRE_HDR_SIZE};
    struct rig r;
    struct pair p;
    struct message m;
    struct fdset fds;
    size_t n;

    rig_start(&r, "");
    fdset_init(&fds);
    peer_memfds(&fds, 1);
    p.client_fd = peer_connect(r.listen);
    n = version_bytes(bytes, WIRE_TYPE_COMMAND, NULL, 0);
    wire_put_hdr(bytes + n, &hdr);
    peer_send_raw(p.client_fd, bytes, n + WIRE_HDR_SIZE, NULL);
    peer_send(p.client_fd, (struct wire_hdr){.id = 3, .command = WIRE_DMA_MAP}, bytes, 32, &fds);
    p.backend_fd = peer_accept(r.backend_fd);
    peer_recv_version(p.backend_fd, ID, WIRE_TYPE_COMMAND, NULL);
    peer_expect_silence(p.backend_fd);
    peer_send_version(p.backend_fd, ID, WIRE_TYPE_REPLY, NULL, NULL);
    peer_recv_version(p.client_fd, ID, WIRE_TYPE_REPLY, NULL);
    peer_recv(p.backend_fd, &m);
    ck_assert_uint_eq(m.hdr.id, 2);
    ck_assert_uint_eq(m.fds.n, 0);
    message_deinit(&m);
    peer_recv(p.backend_fd, &m);
    ck_assert_uint_eq(m.hdr.id, 3);
    peer_expect_same_fds(&fds, &m.fds);
    message_deinit(&m);
    fdset_close(&fds);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* ---- a backend that refuses, closes or is silent; a client that gives up ---- */

START_TEST(backend_refuses)
{
    static const int errors[] = {EACCES, EBUSY, ENOTSUP, EIO, 4095};
    struct rig r;

    rig_start(&r, "");
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct pair p = {.client_fd = peer_connect(r.listen)};
        struct wire_hdr hdr;

        peer_send_version(p.client_fd, ID, WIRE_TYPE_COMMAND, "{}", NULL);
        p.backend_fd = peer_accept(r.backend_fd);
        peer_recv_version(p.backend_fd, ID, WIRE_TYPE_COMMAND, "{}");
        hdr = (struct wire_hdr){.id = ID,
                                .command = WIRE_VERSION,
                                .flags = WIRE_TYPE_REPLY | WIRE_ERROR,
                                .error = (uint32_t)errors[i]};
        peer_send(p.backend_fd, hdr, NULL, 0, NULL);
        ck_assert_int_eq(peer_recv_error(p.client_fd, ID, WIRE_VERSION), errors[i]);
        pair_expect_end(&p);
        rig_await_log(&r, "reason=backend-refused", NULL, 0);
    }
    rig_stop(&r);
}
END_TEST

/* Closing at once, after the request, and inside the reply: the client is told in each case. */
START_TEST(backend_closes)
{
    static uint8_t bytes[64];
    const size_t whole = version_bytes(bytes, WIRE_TYPE_REPLY, "{}", 3);
    struct rig r;

    rig_start(&r, "");
    for (size_t n = 0; n < whole + 1; n++) {
        struct pair p = {.client_fd = peer_connect(r.listen)};

        peer_send_version(p.client_fd, ID, WIRE_TYPE_COMMAND, "{}", NULL);
        p.backend_fd = peer_accept(r.backend_fd);
        if (n > 0) {
            peer_recv_version(p.backend_fd, ID, WIRE_TYPE_COMMAND, "{}");
            if (n > 1) {
                peer_send_raw(p.backend_fd, bytes, n - 1, NULL);
            }
        }
        sock_close(&p.backend_fd);
        ck_assert_int_eq(peer_recv_error(p.client_fd, ID, WIRE_VERSION), ECONNREFUSED);
        peer_expect_eof(p.client_fd);
        sock_close(&p.client_fd);
        rig_await_log(&r, "reason=backend-gone", NULL, 0);
    }
    rig_stop(&r);
}
END_TEST

/* The client goes at every byte of its VERSION; before the first one no backend hears of it. */
START_TEST(client_gives_up)
{
    static uint8_t bytes[64];
    const size_t whole = version_bytes(bytes, WIRE_TYPE_COMMAND, "{}", 3);
    struct rig r;

    rig_start(&r, "");
    for (size_t n = 0; n < whole; n++) {
        struct pair p = {.client_fd = peer_connect(r.listen)};

        if (n > 0) {
            peer_send_raw(p.client_fd, bytes, n, NULL);
        }
        sock_close(&p.client_fd);
        if (n > 0) {
            p.backend_fd = peer_accept(r.backend_fd);
            peer_expect_eof(p.backend_fd);
            sock_close(&p.backend_fd);
        }
        rig_await_log(&r, "reason=client-gone", NULL, 0);
    }
    ck_assert(!peer_waits(r.backend_fd, 0));
    rig_stop(&r);
}
END_TEST

/* A client that goes while its backend is silent does not hold the route until the time-out. */
START_TEST(client_goes_and_backend_is_silent)
{
    struct rig r;
    struct pair gone;
    struct pair p;
    struct message m;

    rig_start(&r, "");
    gone.client_fd = peer_connect(r.listen);
    peer_send_version(gone.client_fd, ID, WIRE_TYPE_COMMAND, "{}", NULL);
    gone.backend_fd = peer_accept(r.backend_fd);
    peer_recv(gone.backend_fd, &m);
    message_deinit(&m);
    close(gone.client_fd);
    peer_expect_eof(gone.backend_fd);
    rig_await_log(&r, "reason=client-gone", NULL, 0);
    rig_session(&r, "{}", "{}", &p);
    pair_ping(&p);
    pair_close(&p);
    close(gone.backend_fd);
    rig_stop(&r);
}
END_TEST

START_TEST(backend_is_silent)
{
    struct rig r;
    struct pair p;

    rig_start(&r, rig_short_handshake());
    p.client_fd = peer_connect(r.listen);
    peer_send_version(p.client_fd, ID, WIRE_TYPE_COMMAND, "{}", NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    peer_recv_version(p.backend_fd, ID, WIRE_TYPE_COMMAND, "{}");
    ck_assert_int_eq(peer_recv_error(p.client_fd, ID, WIRE_VERSION), ETIMEDOUT);
    pair_expect_end(&p);
    rig_await_log(&r, "reason=handshake-timeout", NULL, 0);
    rig_stop(&r);
}
END_TEST

/* A header begun and nothing more: there is no id to answer to. */
START_TEST(client_is_silent)
{
    struct rig r;
    struct pair p;

    rig_start(&r, rig_short_handshake());
    /* Not a byte: it is not even worth a backend. */
    p.client_fd = peer_connect(r.listen);
    peer_expect_eof(p.client_fd);
    sock_close(&p.client_fd);
    rig_await_log(&r, "reason=handshake-timeout", NULL, 0);
    ck_assert(!peer_waits(r.backend_fd, 0));
    p.client_fd = peer_connect(r.listen);
    peer_send_raw(p.client_fd, "\0\0\1", 3, NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    pair_expect_end(&p);
    rig_await_log(&r, "reason=handshake-timeout", NULL, 0);
    rig_stop(&r);
}
END_TEST

/*
 * A byte a second never gets further than the whole handshake's time: the time-out is not one of
 * each byte. Waiting for the end is the pace, so nothing sleeps.
 */
static int drip(int fd, const uint8_t *bytes, size_t n)
{
    int seconds = 0;

    for (size_t i = 0; i < n; i++) {
        struct pollfd p = {.fd = fd, .events = POLLIN};

        if (poll(&p, 1, 0) == 1 || sock_send(fd, bytes + i, 1, NULL, 0) != 1 ||
            poll(&p, 1, 1000) == 1) {
            break;
        }
        seconds++;
    }
    return seconds;
}

START_TEST(a_byte_a_second_from_the_client)
{
    static uint8_t bytes[64];
    const size_t n = version_bytes(bytes, WIRE_TYPE_COMMAND, "{}", 3);
    struct rig r;
    struct pair p;

    rig_start(&r, rig_short_handshake());
    p.client_fd = peer_connect(r.listen);
    ck_assert_int_lt(drip(p.client_fd, bytes, n), WIRE_HDR_SIZE);
    p.backend_fd = peer_accept(r.backend_fd);
    pair_expect_end(&p);
    rig_await_log(&r, "reason=handshake-timeout", NULL, 0);
    rig_stop(&r);
}
END_TEST

START_TEST(a_byte_a_second_from_the_backend)
{
    static uint8_t bytes[64];
    const size_t n = version_bytes(bytes, WIRE_TYPE_REPLY, "{}", 3);
    struct rig r;
    struct pair p;

    rig_start(&r, rig_short_handshake());
    p.client_fd = peer_connect(r.listen);
    peer_send_version(p.client_fd, ID, WIRE_TYPE_COMMAND, "{}", NULL);
    p.backend_fd = peer_accept(r.backend_fd);
    peer_recv_version(p.backend_fd, ID, WIRE_TYPE_COMMAND, "{}");
    ck_assert_int_lt(drip(p.backend_fd, bytes, n), (int)n);
    ck_assert_int_eq(peer_recv_error(p.client_fd, ID, WIRE_VERSION), ETIMEDOUT);
    pair_expect_end(&p);
    rig_await_log(&r, "reason=handshake-timeout", NULL, 0);
    rig_stop(&r);
}
END_TEST

/* Where clients are known to wait longer than those of QEMU's, one that is refused may, too. */
START_TEST(a_refused_client_has_its_routes_time)
{
    struct rig r;
    struct pair p;
    int fd;

    rig_start(&r, "    handshake-timeout 1m");
    rig_session(&r, "{}", "{}", &p);
    fd = peer_connect(r.listen);
    ck_assert_msg(!peer_waits(fd, LIMIT_HANDSHAKE_MS + 2 * LIMIT_HANDSHAKE_GRACE_MS),
                  "it is closed before the route's time is over");
    peer_send_version(fd, ID, WIRE_TYPE_COMMAND, "{}", NULL);
    ck_assert_int_eq(peer_recv_error(fd, ID, WIRE_VERSION), EBUSY);
    peer_expect_eof(fd);
    sock_close(&fd);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("daemon: handshake");
    TCase *const good = rig_case(suite, "passes");
    TCase *const end = rig_case(suite, "ends");

    tcase_set_tags(good, RIG_VALGRIND);
    tcase_add_test(good, request_and_reply_are_written_anew);
    tcase_add_test(good, an_equal_reply_is_no_longer_than_the_request);
    tcase_add_test(good, a_silent_reply_says_how_many_fds);
    tcase_add_test(good, version_numbers_pass);
    tcase_add_test(good, version_in_single_bytes);
    tcase_add_test(good, json_at_its_limit);
    tcase_add_test(good, early_messages_wait_for_the_verdict);
    tcase_add_test(end, backend_refuses);
    tcase_add_test(end, backend_closes);
    tcase_add_test(end, client_gives_up);
    tcase_add_test(end, client_goes_and_backend_is_silent);
    tcase_add_test(end, backend_is_silent);
    tcase_add_test(end, client_is_silent);
    tcase_add_test(end, a_byte_a_second_from_the_client);
    tcase_add_test(end, a_byte_a_second_from_the_backend);
    tcase_add_test(end, a_refused_client_has_its_routes_time);
    return unit_run(suite);
}
