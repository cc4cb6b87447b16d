/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Malformed VERSION messages. Of the client's own it is told EINVAL, of the backend's EPROTO, with
 * its own id; nothing malformed reaches the other side, and no fd stays.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/daemon/rig.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

#define ID 0x1234

/* ---- malformed VERSION, of either side ---- */

struct bad {
    const char *name;
    struct wire_hdr hdr; /* size 0: as long as the message is; id is set */
    const void *payload; /* behind the header; NULL with n: version 0.0 alone */
    size_t n;
};

#define V0 "\0\0\0\0"
#define JSON(name, text) \
    { \
        name, {.command = WIRE_VERSION}, V0 text, sizeof(V0 text) \
    }
/* Without the NUL that C puts behind a string. */
#define BYTES(name, text) \
    { \
        name, {.command = WIRE_VERSION}, V0 text, sizeof(V0 text) - 1 \
    }
#define HEAD(name, ...) \
    { \
        name, {__VA_ARGS__}, V0 "{}", sizeof(V0 "{}") \
    }
#define D5 "[[[[["
#define D50 D5 D5 D5 D5 D5 D5 D5 D5 D5 D5
#define D500 D50 D50 D50 D50 D50 D50 D50 D50 D50 D50
#define D5000 D500 D500 D500 D500 D500 D500 D500 D500 D500 D500

/* A reply has the same faults: its type bit is set where the case's flags are 0. */
static const struct bad bad_both[] = {
    HEAD("size 0 of 22", .command = WIRE_VERSION, .size = UINT32_MAX),
    HEAD("size 15", .command = WIRE_VERSION, .size = 15),
    HEAD("size 1", .command = WIRE_VERSION, .size = 1),
    HEAD("one past the bound", .command = WIRE_VERSION,
         .size = WIRE_HDR_SIZE + 4 + LIMIT_VERSION_JSON + 1),
    HEAD("size of 2 GiB", .command = WIRE_VERSION, .size = 0x80000000u),
    HEAD("another command", .command = WIRE_DEVICE_GET_INFO),
    HEAD("command 0", .command = 0),
    HEAD("command 65535", .command = 65535),
    HEAD("type 2", .command = WIRE_VERSION, .flags = 2),
    HEAD("type 15", .command = WIRE_VERSION, .flags = 15),
    {"header alone", {.command = WIRE_VERSION}, "", 0},
    {"half of the numbers", {.command = WIRE_VERSION}, "\0\0\0", 3},
    BYTES("no NUL at the end", "{}"),
    BYTES("NUL alone", "\0"),
    BYTES("no NUL behind a space", "{} "),
    JSON("NUL inside", "{}\0{}"),
    JSON("NUL inside a string", "{\"a\": \"b\0c\"}"),
    JSON("\\u0000 in a key", "{\"a\\u0000b\": 1}"),
    JSON("a key twice", "{\"a\": 1, \"a\": 2}"),
    JSON("a capability twice", "{\"capabilities\": {\"max_msg_fds\": 1, \"max_msg_fds\": 16}}"),
    JSON("capabilities twice", "{\"capabilities\": {}, \"capabilities\": {}}"),
    JSON("a key twice, once escaped", "{\"ab\": 1, \"a\\u0062\": 2}"),
    JSON("one deeper than the limit", "{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}"),
    JSON("5,000 brackets", "{\"a\":" D5000),
    JSON("a byte that is not UTF-8", "{\"a\": \"\xff\"}"),
    JSON("an overlong form", "{\"a\": \"\xc0\xaf\"}"),
    JSON("a lone surrogate", "{\"a\": \"\xed\xa0\x80\"}"),
    JSON("a lone surrogate escaped", "{\"a\": \"\\ud800\"}"),
    JSON("beyond Unicode", "{\"a\": \"\xf5\x80\x80\x80\"}"),
    JSON("a cut UTF-8 form in a key", "{\"a\xe2\x82\": 1}"),
    JSON("a byte order mark", "\xef\xbb\xbf{}"),
    JSON("a number with a leading 0", "{\"a\": 01}"),
    JSON("hexadecimal", "{\"a\": 0x10}"),
    JSON("NaN", "{\"a\": NaN}"),
    JSON("an array", "[]"),
    JSON("a string", "\"{}\""),
    JSON("a number", "3"),
    JSON("null", "null"),
    JSON("spaces", "   "),
    JSON("cut off", "{\"capabilities\": {\"max_msg_fds\": 1}"),
    JSON("something behind", "{} x"),
    JSON("two objects", "{}{}"),
    JSON("a comma too many", "{\"a\": 1,}"),
    JSON("single quotes", "{'a': 1}"),
    JSON("a comment", "{} // x"),
    JSON("a newline in a string", "{\"a\": \"b\nc\"}"),
    JSON("capabilities an array", "{\"capabilities\": []}"),
    JSON("capabilities null", "{\"capabilities\": null}"),
    JSON("max_msg_fds negative", "{\"capabilities\": {\"max_msg_fds\": -1}}"),
    JSON("max_msg_fds a string", "{\"capabilities\": {\"max_msg_fds\": \"8\"}}"),
    JSON("max_msg_fds a real", "{\"capabilities\": {\"max_msg_fds\": 8.0}}"),
    JSON("max_data_xfer_size null", "{\"capabilities\": {\"max_data_xfer_size\": null}}"),
    JSON("twin_socket true", "{\"capabilities\": {\"twin_socket\": true}}"),
    JSON("twin_socket supported 1", "{\"capabilities\": {\"twin_socket\": {\"supported\": 1}}}"),
};

#define BAD_BOTH (sizeof bad_both / sizeof *bad_both)

/* The bytes of the case as a request or reply, whose good type is given. UINT32_MAX stands for 0.
 */
static uint8_t *bad_bytes(const struct bad *b, uint32_t good_type, size_t *n)
{
    uint8_t *const bytes = malloc(WIRE_HDR_SIZE + b->n + 1);
    struct wire_hdr hdr = b->hdr;

    ck_assert_ptr_nonnull(bytes);
    *n = WIRE_HDR_SIZE + b->n;
    hdr.id = ID;
    hdr.flags = hdr.flags ? hdr.flags : good_type;
    hdr.size = hdr.size == UINT32_MAX ? 0 : hdr.size ? hdr.size : (uint32_t)*n;
    wire_put_hdr(bytes, &hdr);
    memcpy(bytes + WIRE_HDR_SIZE, b->payload, b->n);
    return bytes;
}

/* The client is told EINVAL with its own id and command; the backend hears nothing at all. */
START_TEST(malformed_request)
{
    struct rig r;

    rig_start(&r, "");
    for (size_t i = 0; i < BAD_BOTH; i++) {
        size_t n;
        uint8_t *const bytes = bad_bytes(&bad_both[i], WIRE_TYPE_COMMAND, &n);
        struct pair p = {.client_fd = peer_connect(r.listen)};
        int err;

        peer_send_raw(p.client_fd, bytes, n, NULL);
        free(bytes);
        p.backend_fd = peer_accept(r.backend_fd);
        err = peer_recv_error(p.client_fd, ID, bad_both[i].hdr.command);
        ck_assert_msg(err == EINVAL, "%s: %s", bad_both[i].name, strerror(err));
        pair_expect_end(&p);
        rig_await_log(&r, "reason=version-malformed", NULL, 0);
    }
    rig_stop(&r);
}
END_TEST

START_TEST(malformed_reply)
{
    struct rig r;

    rig_start(&r, "");
    for (size_t i = 0; i < BAD_BOTH; i++) {
        size_t n;
        uint8_t *const bytes = bad_bytes(&bad_both[i], WIRE_TYPE_REPLY, &n);
        struct pair p = {.client_fd = peer_connect(r.listen)};
        int err;

        peer_send_version(p.client_fd, ID, WIRE_TYPE_COMMAND, "{}", NULL);
        p.backend_fd = peer_accept(r.backend_fd);
        peer_recv_version(p.backend_fd, ID, WIRE_TYPE_COMMAND, "{}");
        peer_send_raw(p.backend_fd, bytes, n, NULL);
        free(bytes);
        err = peer_recv_error(p.client_fd, ID, WIRE_VERSION);
        ck_assert_msg(err == EPROTO, "%s: %s", bad_both[i].name, strerror(err));
        pair_expect_end(&p);
        rig_await_log(&r, "reason=version-malformed", NULL, 0);
    }
    rig_stop(&r);
}
END_TEST

/* A VERSION request that wants no reply, or is a reply, cannot begin a session. */
START_TEST(request_of_a_wrong_kind)
{
    static const uint32_t flags[] = {WIRE_NO_REPLY, WIRE_TYPE_REPLY, WIRE_TYPE_REPLY | WIRE_ERROR};
    struct rig r;

    rig_start(&r, "");
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        struct pair p = {.client_fd = peer_connect(r.listen)};

        peer_send_version(p.client_fd, ID, flags[i], "{}", NULL);
        p.backend_fd = peer_accept(r.backend_fd);
        ck_assert_int_eq(peer_recv_error(p.client_fd, ID, WIRE_VERSION), EINVAL);
        pair_expect_end(&p);
        rig_await_log(&r, "reason=version-malformed", NULL, 0);
    }
    rig_stop(&r);
}
END_TEST

/* What is wrong in a reply alone: it does not go with the request. */
START_TEST(reply_that_does_not_fit)
{
    static const struct {
        uint16_t id;
        uint32_t flags;
        struct wire_version number;
    } replies[] = {
        {ID + 1, WIRE_TYPE_REPLY, {1, 4}},  /* another id */
        {ID, WIRE_TYPE_COMMAND, {1, 4}},    /* a command */
        {ID, WIRE_TYPE_REPLY, {0, 4}},      /* a lower major number */
        {ID, WIRE_TYPE_REPLY, {2, 0}},      /* a higher one */
        {ID, WIRE_TYPE_REPLY, {1, 5}},      /* a higher minor number */
        {ID, WIRE_TYPE_REPLY, {1, 0xffff}}, /* the highest */
    };
    const struct wire_version asked = {1, 4};
    struct rig r;

    rig_start(&r, "");
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        struct pair p = {.client_fd = peer_connect(r.listen)};
        struct message m;
        struct wire_hdr hdr = {
            .id = replies[i].id, .command = WIRE_VERSION, .flags = replies[i].flags};

        peer_send(p.client_fd, (struct wire_hdr){.id = ID, .command = WIRE_VERSION}, &asked,
                  sizeof asked, NULL);
        p.backend_fd = peer_accept(r.backend_fd);
        peer_recv(p.backend_fd, &m);
        message_deinit(&m);
        peer_send(p.backend_fd, hdr, &replies[i].number, sizeof replies[i].number, NULL);
        ck_assert_int_eq(peer_recv_error(p.client_fd, ID, WIRE_VERSION), EPROTO);
        pair_expect_end(&p);
        rig_await_log(&r, "reason=version-malformed", NULL, 0);
    }
    rig_stop(&r);
}
END_TEST

/* ---- fds with VERSION ---- */

START_TEST(fds_with_the_request)
{
    static const unsigned counts[] = {1, 2, 253};
    struct rig r;

    rig_start(&r, "");
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct pair p = {.client_fd = peer_connect(r.listen)};
        struct fdset fds;

        fdset_init(&fds);
        peer_memfds(&fds, counts[i]);
        peer_send_version(p.client_fd, ID, WIRE_TYPE_COMMAND, "{}", &fds);
        fdset_close(&fds);
        p.backend_fd = peer_accept(r.backend_fd);
        ck_assert_int_eq(peer_recv_error(p.client_fd, ID, WIRE_VERSION), EINVAL);
        pair_expect_end(&p);
        rig_await_log(&r, "reason=version-malformed", NULL, 0);
        rig_settle(&r);
    }
    rig_stop(&r);
}
END_TEST

struct fds_reply {
    const char *name;
    const char *request;
    const char *reply;
    unsigned memfds;
    unsigned sockets;
};

#define ASKS "{\"capabilities\":{\"twin_socket\":{\"supported\":true}}}"
#define ASKS_NOT "{\"capabilities\":{\"twin_socket\":{\"supported\":false}}}"
#define ENABLES(index) \
    "{\"capabilities\":{\"twin_socket\":{\"supported\":true,\"fd_index\":" index "}}}"

static const struct fds_reply fds_replies[] = {
    {"an fd without a twin socket", "{}", "{}", 1, 0},
    {"many", "{}", "{}", 253, 0},
    {"an fd although a twin socket was asked for", ASKS, "{}", 1, 0},
    {"an fd beside supported false", ASKS, ASKS_NOT, 0, 1},
    {"a twin socket unasked", "{}", ENABLES("0"), 0, 1},
    {"a twin socket unasked, without capabilities", NULL, ENABLES("0"), 0, 1},
    {"a twin socket declined", ASKS_NOT, ENABLES("0"), 0, 1},
    {"no fd", ASKS, ENABLES("0"), 0, 0},
    {"no index", ASKS, ASKS, 0, 1},
    {"an index past the fds", ASKS, ENABLES("1"), 0, 1},
    {"an index far past", ASKS, ENABLES("4294967295"), 0, 1},
    {"a negative index", ASKS, ENABLES("-1"), 0, 1},
    {"two fds", ASKS, ENABLES("0"), 1, 1},
    {"a file as twin socket", ASKS, ENABLES("0"), 1, 0},
};

static void add_sockets(struct fdset *fds, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        int pair[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        ck_assert_int_eq(fdset_add_take(fds, pair[0]), 0);
        close(pair[1]);
    }
}

START_TEST(fds_with_the_reply)
{
    struct rig r;

    rig_start(&r, "");
    for (size_t i = 0; i < sizeof fds_replies / sizeof *fds_replies; i++) {
        const struct fds_reply *const c = &fds_replies[i];
        struct pair p = {.client_fd = peer_connect(r.listen)};
        struct fdset fds;
        int err;

        fdset_init(&fds);
        add_sockets(&fds, c->sockets);
        peer_memfds(&fds, c->memfds);
        peer_send_version(p.client_fd, ID, WIRE_TYPE_COMMAND, c->request, NULL);
        p.backend_fd = peer_accept(r.backend_fd);
        peer_recv_version(p.backend_fd, ID, WIRE_TYPE_COMMAND, c->request);
        peer_send_version(p.backend_fd, ID, WIRE_TYPE_REPLY, c->reply, &fds);
        fdset_close(&fds);
        err = peer_recv_error(p.client_fd, ID, WIRE_VERSION);
        ck_assert_msg(err == EPROTO, "%s: %s", c->name, strerror(err));
        pair_expect_end(&p);
        rig_await_log(&r, "reason=version-malformed", NULL, 0);
        rig_settle(&r);
    }
    rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("daemon: malformed VERSION");
    TCase *const bad = rig_case(suite, "malformed");

    tcase_set_tags(bad, RIG_VALGRIND);
    tcase_add_test(bad, malformed_request);
    tcase_add_test(bad, malformed_reply);
    tcase_add_test(bad, request_of_a_wrong_kind);
    tcase_add_test(bad, reply_that_does_not_fit);
    tcase_add_test(bad, fds_with_the_request);
    tcase_add_test(bad, fds_with_the_reply);
    return unit_run(suite);
}
