/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * How the client takes what comes: replies, framing, fds. Every deviation has its outcome, and none
 * leaves an fd.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/sock.h"
#include "tests/unit/client/client_script.h"

/* ---- requests and replies ---- */

START_TEST(a_request_and_its_reply)
{
    struct wire_region_access a = {.offset = 0x10, .region = 2, .count = 4};
    uint8_t reply[20];
    uint8_t sent[64];
    struct wire_hdr h;
    uint32_t value = 0;
    unsigned later;

    memcpy(wire_put(reply, &a, sizeof a), "\x01\x02\x03\x04", 4);
    for (later = 0; later < 2; later++) {
        lay_reply((uint16_t)later, WIRE_REGION_READ, reply, sizeof reply, 0);
        ck_assert_int_eq(client_region_read(&c, 2, 0x10, &value, 4), CLIENT_OK);
        ck_assert_mem_eq(&value, "\x01\x02\x03\x04", 4);
        ck_assert_uint_eq(sent_on(server_fd, &h, sent, sizeof sent), sizeof a);
        ck_assert_uint_eq(h.id, later);
        ck_assert_uint_eq(h.command, WIRE_REGION_READ);
        ck_assert_uint_eq(h.flags, 0);
        ck_assert_mem_eq(sent, &a, sizeof a);
    }
}
END_TEST

START_TEST(ids_go_round)
{
    c.next_id = UINT16_MAX;
    lay_reply(UINT16_MAX, WIRE_DEVICE_RESET, NULL, 0, 0);
    lay_reply(0, WIRE_DEVICE_RESET, NULL, 0, 0);
    ck_assert_int_eq(client_reset(&c), CLIENT_OK);
    ck_assert_int_eq(client_reset(&c), CLIENT_OK);
}
END_TEST

START_TEST(refusals_keep_the_conversation)
{
    char text[128];

    lay_error(0, WIRE_DEVICE_RESET, EBUSY);
    lay_error(1, WIRE_DEVICE_RESET, 0);
    lay_error(2, WIRE_DEVICE_RESET, INT_MAX);
    lay_reply(3, WIRE_DEVICE_RESET, NULL, 0, 0);
    ck_assert_int_eq(client_reset(&c), CLIENT_REFUSED);
    ck_assert_int_eq(c.error, EBUSY);
    ck_assert_str_eq(client_text(&c, CLIENT_REFUSED, text, sizeof text),
                     "refused: Device or resource busy (EBUSY)");
    ck_assert_int_eq(client_reset(&c), CLIENT_REFUSED);
    ck_assert_int_eq(c.error, 0);
    ck_assert_str_eq(client_text(&c, CLIENT_REFUSED, text, sizeof text),
                     "refused, without an errno");
    ck_assert_int_eq(client_reset(&c), CLIENT_REFUSED);
    ck_assert_int_eq(client_reset(&c), CLIENT_OK);
}
END_TEST

START_TEST(an_error_that_is_no_errno)
{
    lay_error(0, WIRE_DEVICE_RESET, (uint32_t)INT_MAX + 1);
    MALFORMED(client_reset(&c), "an error number that is not an errno");
}
END_TEST

START_TEST(an_error_with_a_payload)
{
    lay_on(server_fd,
           (struct wire_hdr){
               .command = WIRE_DEVICE_RESET, .flags = WIRE_TYPE_REPLY | WIRE_ERROR, .error = EIO},
           "x", 1, 0);
    MALFORMED(client_reset(&c), "error reply with a payload");
}
END_TEST

START_TEST(an_error_without_the_reply_type)
{
    lay_on(server_fd,
           (struct wire_hdr){.command = WIRE_DEVICE_RESET, .flags = WIRE_ERROR, .error = EIO}, NULL,
           0, 0);
    MALFORMED(client_reset(&c), "the server sent a command that only clients may send");
}
END_TEST

START_TEST(another_id)
{
    lay_reply(1, WIRE_DEVICE_RESET, NULL, 0, 0);
    MALFORMED(client_reset(&c), "a reply with an id other than the request's");
}
END_TEST

START_TEST(another_command)
{
    lay_reply(0, WIRE_DEVICE_GET_INFO, NULL, 0, 0);
    MALFORMED(client_reset(&c), "a reply that names another command");
}
END_TEST

START_TEST(neither_command_nor_reply)
{
    lay_on(server_fd, (struct wire_hdr){.command = WIRE_DEVICE_RESET, .flags = 2}, NULL, 0, 0);
    MALFORMED(client_reset(&c), "neither command nor reply");
}
END_TEST

START_TEST(reserved_flags)
{
    lay_on(server_fd, (struct wire_hdr){.command = WIRE_DEVICE_RESET, .flags = 0x41}, NULL, 0, 0);
    MALFORMED(client_reset(&c), "reserved or contradicting flags");
}
END_TEST

START_TEST(a_payload_too_short_or_long)
{
    struct wire_device_info info = {.argsz = sizeof info};
    uint8_t p[17] = {0};

    if (_i == 0) {
        lay_reply(0, WIRE_DEVICE_GET_INFO, p, 15, 0);
        MALFORMED(client_device_info(&c, &info), "payload shorter than its fixed part");
    } else {
        lay_reply(0, WIRE_DEVICE_GET_INFO, p, 17, 0);
        MALFORMED(client_device_info(&c, &info), "payload longer than it may be");
    }
}
END_TEST

/* ---- framing ---- */

static void lay_size(uint32_t size)
{
    const struct wire_hdr h = {.command = WIRE_REGION_READ, .size = size, .flags = WIRE_TYPE_REPLY};

    lay_raw(server_fd, &h, sizeof h, 0);
}

START_TEST(sizes_out_of_bounds)
{
    uint8_t byte;

    c.max_data = 100;
    if (_i == 0) {
        lay_size(15);
        MALFORMED(client_region_read(&c, 0, 0, &byte, 1),
                  "message size below 16, the size of its header");
    } else {
        lay_size(100 + LIMIT_MESSAGE_OVERHEAD + 1);
        MALFORMED(client_region_read(&c, 0, 0, &byte, 1),
                  "message size above the negotiated limit");
    }
}
END_TEST

START_TEST(the_largest_size_is_waited_for)
{
    uint8_t byte;

    c.max_data = 100;
    lay_size(100 + LIMIT_MESSAGE_OVERHEAD);
    ck_assert_int_eq(client_region_read(&c, 0, 0, &byte, 1), CLIENT_TIMEOUT);
    /* In the middle of a message: nothing that follows could be understood. */
    ck_assert_int_eq(c.fd, -1);
}
END_TEST

START_TEST(the_version_reply_has_its_own_bound)
{
    struct wire_hdr h = {.command = WIRE_VERSION,
                         .size = WIRE_HDR_SIZE + 4 + LIMIT_VERSION_JSON + (uint32_t)_i,
                         .flags = WIRE_TYPE_REPLY};

    lay_raw(server_fd, &h, sizeof h, 0);
    ck_assert_int_eq(client_version(&c, 0, 0, "{}"), _i == 0 ? CLIENT_TIMEOUT : CLIENT_MALFORMED);
}
END_TEST

START_TEST(an_end_at_every_byte)
{
    const struct wire_hdr h = {.command = WIRE_DEVICE_GET_INFO, .size = 32, .flags = 1};
    uint8_t raw[32] = {0};
    struct wire_device_info info;
    enum client_outcome o;

    wire_put_hdr(raw, &h);
    if (_i > 0) {
        lay_raw(server_fd, raw, (size_t)_i, 0);
    }
    /* Half closed: the request can be sent, the answer ends early. */
    shutdown(server_fd, SHUT_WR);
    o = client_device_info(&c, &info);
    if (_i == 0) {
        ck_assert_int_eq(o, CLIENT_CLOSED);
    } else if (_i < 16) {
        ck_assert_int_eq(o, CLIENT_MALFORMED);
        ck_assert_str_eq(c.why, "the stream ended inside a header");
    } else if (_i < 32) {
        ck_assert_int_eq(o, CLIENT_MALFORMED);
        ck_assert_str_eq(c.why, "the stream ended inside a message");
    } else {
        ck_assert_int_eq(o, CLIENT_OK);
    }
}
END_TEST

START_TEST(a_silence_at_every_byte)
{
    const struct wire_hdr h = {.command = WIRE_DEVICE_GET_INFO, .size = 32, .flags = 1};
    uint8_t raw[32] = {0};
    struct wire_device_info info;

    wire_put_hdr(raw, &h);
    c.timeout_ms = 1;
    if (_i > 0) {
        lay_raw(server_fd, raw, (size_t)_i, 0);
    }
    ck_assert_int_eq(client_device_info(&c, &info), CLIENT_TIMEOUT);
    ck_assert_int_eq(c.fd == -1, _i > 0);
}
END_TEST

START_TEST(a_late_reply_is_not_taken_for_the_next)
{
    ck_assert_int_eq(client_reset(&c), CLIENT_TIMEOUT);
    lay_reply(0, WIRE_DEVICE_RESET, NULL, 0, 0);
    MALFORMED(client_reset(&c), "a reply with an id other than the request's");
}
END_TEST

START_TEST(a_refusal_before_the_close_is_heard)
{
    lay_error(0, WIRE_VERSION, EACCES);
    sock_close(&server_fd);
    ck_assert_int_eq(client_version(&c, 0, 0, "{}"), CLIENT_REFUSED);
    ck_assert_int_eq(c.error, EACCES);
    ck_assert_int_eq(client_version(&c, 0, 0, "{}"), CLIENT_CLOSED);
}
END_TEST

START_TEST(a_server_that_does_not_read)
{
    const size_t n = 4u << 20;
    uint8_t *data = calloc(1, n);

    ck_assert_ptr_nonnull(data);
    ck_assert_int_eq(client_region_write(&c, 0, 0, data, (uint32_t)n), CLIENT_TIMEOUT);
    ck_assert_int_eq(c.fd, -1);
    free(data);
}
END_TEST

START_TEST(a_request_too_large_to_be_one)
{
    const void *out;
    size_t n;

    ck_assert_int_eq(
        client_request(&c, WIRE_REGION_WRITE, NULL, 0, "", (size_t)1 << 32, NULL, &out, &n, NULL),
        CLIENT_FAILED);
    ck_assert_int_eq(c.error, EMSGSIZE);
    ck_assert(nothing_sent(server_fd));
}
END_TEST

START_TEST(a_posted_command_is_not_waited_for)
{
    const struct wire_region_access a = {.region = 1, .count = 2};
    struct wire_hdr h;
    uint8_t p[32];

    ck_assert_int_eq(client_post(&c, WIRE_REGION_WRITE, &a, sizeof a, "ab", 2), CLIENT_OK);
    ck_assert_uint_eq(sent_on(server_fd, &h, p, sizeof p), 18);
    ck_assert_uint_eq(h.flags, WIRE_NO_REPLY);
    ck_assert_mem_eq(p + 16, "ab", 2);
    sock_close(&server_fd);
    ck_assert_int_eq(client_post(&c, WIRE_REGION_WRITE, &a, sizeof a, "ab", 2), CLIENT_CLOSED);
}
END_TEST

/* ---- fds ---- */

START_TEST(fds_go_with_the_request)
{
    struct fdset fds = some_fds(3);
    struct fdset got;
    uint8_t raw[64];

    fdset_init(&got);
    lay_reply(0, WIRE_DEVICE_SET_IRQS, NULL, 0, 0);
    ck_assert_int_eq(client_set_irqs(&c, WIRE_PCI_MSIX, 4, 3, &fds), CLIENT_OK);
    ck_assert_uint_eq(fds.n, 3);
    ck_assert_int_eq(sock_recv(server_fd, raw, sizeof raw, &got, 0), 36);
    ck_assert_uint_eq(got.n, 3);
    ck_assert_int_eq(
        wire_check(&(struct wire_hdr){.command = WIRE_DEVICE_SET_IRQS, .size = 36}, raw + 16, 20),
        WIRE_OK);
    fdset_close(&got);
    fdset_close(&fds);
}
END_TEST

START_TEST(fds_of_a_reply_go_to_the_caller_or_are_closed)
{
    const struct wire_region_info info = {.argsz = sizeof info, .index = 2};
    struct wire_region_info out;
    struct fdset got;
    const void *p;
    size_t n;

    fdset_init(&got);
    lay_reply(0, WIRE_DEVICE_GET_REGION_INFO, &info, sizeof info, 2);
    lay_reply(1, WIRE_DEVICE_GET_REGION_INFO, &info, sizeof info, 2);
    lay_reply(2, WIRE_DEVICE_GET_REGION_INFO, &info, sizeof info, 1);
    ck_assert_int_eq(client_region_info(&c, 2, &out, &p, &n, &got), CLIENT_OK);
    ck_assert_uint_eq(got.n, 2);
    ck_assert_int_eq(client_region_info(&c, 2, &out, &p, &n, NULL), CLIENT_OK);
    /* What the caller's set holds stays there. */
    ck_assert_int_eq(client_region_info(&c, 2, &out, &p, &n, &got), CLIENT_OK);
    ck_assert_uint_eq(got.n, 3);
    fdset_close(&got);
}
END_TEST

START_TEST(fds_at_the_limit_and_one_past)
{
    const struct wire_region_info info = {.argsz = sizeof info, .index = 2};
    struct wire_region_info out;
    struct fdset got;
    const void *p;
    size_t n;

    c.max_fds = 8;
    fdset_init(&got);
    lay_reply(0, WIRE_DEVICE_GET_REGION_INFO, &info, sizeof info, 8);
    lay_reply(1, WIRE_DEVICE_GET_REGION_INFO, &info, sizeof info, 9);
    ck_assert_int_eq(client_region_info(&c, 2, &out, &p, &n, &got), CLIENT_OK);
    ck_assert_uint_eq(got.n, 8);
    MALFORMED(client_region_info(&c, 2, &out, &p, &n, &got),
              "more fds in one message than the client accepts");
    ck_assert_uint_eq(got.n, 8);
    fdset_close(&got);
}
END_TEST

START_TEST(out_of_fds)
{
    struct rlimit old;
    struct rlimit low;

    lay_reply(0, WIRE_DEVICE_RESET, NULL, 0, 3);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = old;
    /* Not below 2, or poll would find its own two too many. */
    low.rlim_cur = 2;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
    MALFORMED(client_reset(&c), "more fds than this process can take (MSG_CTRUNC)");
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
}
END_TEST

static void add_replies(Suite *s)
{
    TCase *tc = script_case(s, "replies");

    tcase_add_test(tc, a_request_and_its_reply);
    tcase_add_test(tc, ids_go_round);
    tcase_add_test(tc, refusals_keep_the_conversation);
    tcase_add_test(tc, an_error_that_is_no_errno);
    tcase_add_test(tc, an_error_with_a_payload);
    tcase_add_test(tc, an_error_without_the_reply_type);
    tcase_add_test(tc, another_id);
    tcase_add_test(tc, another_command);
    tcase_add_test(tc, neither_command_nor_reply);
    tcase_add_test(tc, reserved_flags);
    tcase_add_loop_test(tc, a_payload_too_short_or_long, 0, 2);
}

static void add_framing(Suite *s)
{
    TCase *tc = script_case(s, "framing");

    tcase_add_loop_test(tc, sizes_out_of_bounds, 0, 2);
    tcase_add_test(tc, the_largest_size_is_waited_for);
    tcase_add_loop_test(tc, the_version_reply_has_its_own_bound, 0, 2);
    tcase_add_loop_test(tc, an_end_at_every_byte, 0, 33);
    tcase_add_loop_test(tc, a_silence_at_every_byte, 0, 32);
    tcase_add_test(tc, a_late_reply_is_not_taken_for_the_next);
    tcase_add_test(tc, a_refusal_before_the_close_is_heard);
    tcase_add_test(tc, a_server_that_does_not_read);
    tcase_add_test(tc, a_request_too_large_to_be_one);
    tcase_add_test(tc, a_posted_command_is_not_waited_for);
    tc = script_case(s, "fds");
    tcase_add_test(tc, fds_go_with_the_request);
    tcase_add_test(tc, fds_of_a_reply_go_to_the_caller_or_are_closed);
    tcase_add_test(tc, fds_at_the_limit_and_one_past);
    tcase_add_test(tc, out_of_fds);
}

int main(void)
{
    Suite *s = suite_create("client");

    add_replies(s);
    add_framing(s);
    return unit_run(s);
}
