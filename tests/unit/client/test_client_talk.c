/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The client's conversation: the server's commands between replies, VERSION and the twin socket,
 * and the single requests that compare an answer with what was asked.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/sock.h"
#include "tests/unit/client/client_script.h"

/* ---- the server's commands ---- */

struct serving {
    unsigned calls;
    uint16_t command;
    uint8_t payload[64];
    size_t n;
    size_t room;
    ssize_t answer;
    bool done;
};

static ssize_t serve(struct client *client, const struct wire_hdr *hdr, const void *p, size_t n,
                     void *out, size_t room, void *arg)
{
    struct serving *s = arg;

    ck_assert_ptr_eq(client, &c);
    s->calls++;
    s->done = true;
    s->command = hdr->command;
    s->n = n;
    s->room = room;
    ck_assert_uint_le(n, sizeof s->payload);
    memcpy(s->payload, p, n);
    if (s->answer > 0 && (size_t)s->answer <= room) {
        memset(out, 0x5a, (size_t)s->answer);
    }
    return s->answer;
}

static void lay_dma_read_on(int fd, uint16_t id, uint32_t flags)
{
    const struct wire_dma_access a = {.address = 0x1000, .count = 4};

    lay_on(fd, (struct wire_hdr){.id = id, .command = WIRE_DMA_READ, .flags = flags}, &a, sizeof a,
           0);
}

START_TEST(commands_between_are_answered)
{
    struct serving s = {.answer = 20};
    struct wire_hdr h;
    uint8_t p[64];

    c.handler = serve;
    c.handler_arg = &s;
    c.max_data = 100;
    lay_dma_read_on(server_fd, 0x700, 0);
    lay_dma_read_on(server_fd, 0x700, 0);
    lay_reply(0, WIRE_DEVICE_RESET, NULL, 0, 0);
    ck_assert_int_eq(client_reset(&c), CLIENT_OK);
    ck_assert_uint_eq(s.calls, 2);
    ck_assert_uint_eq(s.room, 116);
    ck_assert_uint_eq(sent_on(server_fd, &h, p, sizeof p), 0);
    ck_assert_uint_eq(h.command, WIRE_DEVICE_RESET);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(sent_on(server_fd, &h, p, sizeof p), 20);
        ck_assert_uint_eq(h.id, 0x700);
        ck_assert_uint_eq(h.command, WIRE_DMA_READ);
        ck_assert_uint_eq(h.flags, WIRE_TYPE_REPLY);
        ck_assert_uint_eq(p[19], 0x5a);
    }
    ck_assert(nothing_sent(server_fd));
}
END_TEST

static void expect_error(int fd, uint16_t id, uint32_t error)
{
    struct wire_hdr h;

    ck_assert_uint_eq(sent_on(fd, &h, NULL, 0), 0);
    ck_assert_uint_eq(h.id, id);
    ck_assert_uint_eq(h.flags, WIRE_TYPE_REPLY | WIRE_ERROR);
    ck_assert_uint_eq(h.error, error);
}

START_TEST(commands_that_cannot_be_served)
{
    struct serving s = {.answer = -EFAULT};
    struct wire_hdr h;

    lay_dma_read_on(server_fd, 1, 0);
    lay_reply(0, WIRE_DEVICE_RESET, NULL, 0, 0);
    ck_assert_int_eq(client_reset(&c), CLIENT_OK);
    sent_on(server_fd, &h, NULL, 0);
    expect_error(server_fd, 1, ENOTSUP);

    c.handler = serve;
    c.handler_arg = &s;
    lay_dma_read_on(server_fd, 2, 0);
    /* A command that the page does not have, with an fd that must not stay. */
    lay_on(server_fd, (struct wire_hdr){.id = 3, .command = 99}, "abc", 3, 1);
    lay_reply(1, WIRE_DEVICE_RESET, NULL, 0, 0);
    ck_assert_int_eq(client_reset(&c), CLIENT_OK);
    ck_assert_uint_eq(s.calls, 1);
    sent_on(server_fd, &h, NULL, 0);
    expect_error(server_fd, 2, EFAULT);
    expect_error(server_fd, 3, ENOTSUP);

    s.answer = SSIZE_MAX;
    lay_dma_read_on(server_fd, 4, 0);
    lay_reply(2, WIRE_DEVICE_RESET, NULL, 0, 0);
    ck_assert_int_eq(client_reset(&c), CLIENT_OK);
    sent_on(server_fd, &h, NULL, 0);
    expect_error(server_fd, 4, EMSGSIZE);
}
END_TEST

START_TEST(a_command_with_no_reply_gets_none)
{
    struct serving s = {.answer = 20};
    struct wire_hdr h;

    c.handler = serve;
    c.handler_arg = &s;
    lay_dma_read_on(server_fd, 1, WIRE_NO_REPLY);
    lay_reply(0, WIRE_DEVICE_RESET, NULL, 0, 0);
    ck_assert_int_eq(client_reset(&c), CLIENT_OK);
    ck_assert_uint_eq(s.calls, 1);
    sent_on(server_fd, &h, NULL, 0);
    ck_assert(nothing_sent(server_fd));
}
END_TEST

START_TEST(commands_of_the_wrong_side)
{
    const struct wire_region_access a = {.count = 4};

    lay_on(server_fd, (struct wire_hdr){.command = WIRE_REGION_READ}, &a, sizeof a, 0);
    MALFORMED(client_reset(&c), "the server sent a command that only clients may send");
}
END_TEST

START_TEST(commands_that_are_malformed)
{
    const struct wire_dma_access a = {.count = 5};
    uint8_t p[20] = {0};
    struct serving s = {.answer = 0};

    c.handler = serve;
    c.handler_arg = &s;
    wire_put(p, &a, sizeof a);
    lay_on(server_fd, (struct wire_hdr){.command = WIRE_DMA_WRITE}, p, sizeof p, 0);
    MALFORMED(client_reset(&c), "a count does not agree with the payload's size");
    ck_assert_uint_eq(s.calls, 0);
}
END_TEST

START_TEST(serving_without_a_request)
{
    struct serving s = {.answer = 20};
    bool never = false;

    c.handler = serve;
    c.handler_arg = &s;
    lay_dma_read_on(server_fd, 1, 0);
    ck_assert_int_eq(client_serve(&c, &s.done), CLIENT_OK);
    ck_assert_uint_eq(s.calls, 1);
    ck_assert_int_eq(client_serve(&c, &never), CLIENT_TIMEOUT);
    /* Nothing was half read: the client goes on. */
    lay_reply(0, WIRE_DEVICE_RESET, NULL, 0, 0);
    ck_assert_int_eq(client_reset(&c), CLIENT_OK);
    lay_reply(1, WIRE_DEVICE_RESET, NULL, 0, 0);
    ck_assert_int_eq(client_serve(&c, &never), CLIENT_MALFORMED);
    ck_assert_str_eq(c.why, "a reply without a request");
    ck_assert_int_eq(client_serve(&c, &never), CLIENT_CLOSED);
}
END_TEST

/* ---- VERSION ---- */

#define OFFER_TWIN "{\"capabilities\":{\"twin_socket\":{\"supported\":true}}}"

static void lay_version(const char *data, size_t n, unsigned n_fds)
{
    const struct wire_version v = {.major = 0, .minor = 1};
    uint8_t p[128];

    wire_put(p, &v, sizeof v);
    memcpy(p + sizeof v, data, n);
    lay_reply(0, WIRE_VERSION, p, sizeof v + n, n_fds);
}

START_TEST(version_is_kept)
{
    struct wire_hdr h;
    uint8_t p[64];

    lay_version("{\"a\":1}\0\0", 9, 0);
    ck_assert_int_eq(client_version(&c, 0, 2, "{}"), CLIENT_OK);
    ck_assert_uint_eq(c.version.minor, 1);
    ck_assert_str_eq(c.json, "{\"a\":1}");
    ck_assert_uint_eq(c.json_size, 9);
    ck_assert_uint_eq(sent_on(server_fd, &h, p, sizeof p), 7);
    ck_assert_mem_eq(p, "\0\0\x02\0{}\0", 7);
}
END_TEST

START_TEST(version_without_data)
{
    struct wire_hdr h;
    uint8_t p[64];

    lay_version("", 0, 0);
    ck_assert_int_eq(client_version(&c, 0, 0, NULL), CLIENT_OK);
    ck_assert_ptr_null(c.json);
    ck_assert_uint_eq(sent_on(server_fd, &h, p, sizeof p), 4);
}
END_TEST

START_TEST(version_data_that_is_no_string)
{
    if (_i == 0) {
        lay_version("{}", 2, 0);
        MALFORMED(client_version(&c, 0, 0, "{}"), "version data without a NUL at its end");
    } else {
        lay_version("{}\0x", 5, 0);
        MALFORMED(client_version(&c, 0, 0, "{}"), "version data with a NUL in the middle");
    }
    ck_assert_ptr_null(c.json);
}
END_TEST

START_TEST(version_with_fds_that_nobody_asked_for)
{
    /* Not offered; two of them; no socket. */
    static const struct {
        const char *offer;
        unsigned fds;
        const char *why;
    } cases[] = {
        {"{}", 1, "unexpected fds with the version reply"},
        {NULL, 1, "unexpected fds with the version reply"},
        {OFFER_TWIN, 2, "unexpected fds with the version reply"},
        {OFFER_TWIN, 1, "the twin socket's fd is not a stream socket"},
    };

    lay_version("{}", 3, cases[_i].fds);
    MALFORMED(client_version(&c, 0, 0, cases[_i].offer), cases[_i].why);
    ck_assert_int_eq(c.twin_fd, -1);
}
END_TEST

/* Negotiates a twin socket; returns the server's end. */
static int with_twin(void)
{
    struct wire_hdr h = {.command = WIRE_VERSION, .size = 20 + 3, .flags = WIRE_TYPE_REPLY};
    uint8_t raw[23] = {0};
    struct fdset fds;
    uint8_t p[64];
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    fdset_init(&fds);
    ck_assert_int_eq(fdset_add_take(&fds, pair[0]), 0);
    wire_put_hdr(raw, &h);
    memcpy(raw + 20, "{}", 3);
    ck_assert_int_eq(sock_send_all(server_fd, raw, sizeof raw, &fds), 0);
    fdset_close(&fds);
    ck_assert_int_eq(client_version(&c, 0, 0, OFFER_TWIN), CLIENT_OK);
    ck_assert_int_ge(c.twin_fd, 0);
    sent_on(server_fd, &h, p, sizeof p);
    return pair[1];
}

START_TEST(twin_commands_are_answered_on_the_twin)
{
    struct serving s = {.answer = 20};
    int twin_fd = with_twin();
    struct wire_hdr h;
    uint8_t p[64];

    c.handler = serve;
    c.handler_arg = &s;
    lay_reply(1, WIRE_DEVICE_RESET, NULL, 0, 0);
    lay_dma_read_on(twin_fd, 5, 0);
    ck_assert_int_eq(client_reset(&c), CLIENT_OK);
    /* Both were there: the command came first. */
    ck_assert_uint_eq(s.calls, 1);
    ck_assert_uint_eq(sent_on(twin_fd, &h, p, sizeof p), 20);
    ck_assert_uint_eq(h.id, 5);
    sent_on(server_fd, &h, p, sizeof p);
    ck_assert(nothing_sent(server_fd));
    sock_close(&twin_fd);
}
END_TEST

START_TEST(twin_and_first_socket_mixed_up)
{
    int twin_fd = with_twin();

    if (_i == 0) {
        lay_dma_read_on(server_fd, 1, 0);
        MALFORMED(client_reset(&c),
                  "a command outside the twin socket that was negotiated for them");
    } else {
        lay_on(twin_fd, (struct wire_hdr){.id = 1, .command = WIRE_DEVICE_RESET, .flags = 1}, NULL,
               0, 0);
        MALFORMED(client_reset(&c), "a reply on the twin socket");
    }
    ck_assert_int_eq(c.twin_fd, -1);
    sock_close(&twin_fd);
}
END_TEST

START_TEST(a_twin_that_closes)
{
    int twin_fd = with_twin();

    sock_close(&twin_fd);
    ck_assert_int_eq(client_reset(&c), CLIENT_CLOSED);
}
END_TEST

/* ---- single requests ---- */

START_TEST(region_info_is_asked_again_with_more_room)
{
    struct wire_region_info info = {
        .argsz = 64, .flags = WIRE_REGION_FLAG_CAPS, .index = 2, .cap_offset = 32};
    struct wire_region_info out;
    struct wire_hdr h;
    struct fdset fds;
    uint8_t p[64] = {0};
    const void *got;
    size_t n;

    fdset_init(&fds);
    wire_put(p, &info, sizeof info);
    wire_put(p + 32, &(struct wire_cap){.id = 1, .version = 1}, sizeof(struct wire_cap));
    lay_reply(0, WIRE_DEVICE_GET_REGION_INFO, p, 32, 1);
    lay_reply(1, WIRE_DEVICE_GET_REGION_INFO, p, 64, 1);
    ck_assert_int_eq(client_region_info(&c, 2, &out, &got, &n, &fds), CLIENT_OK);
    ck_assert_uint_eq(n, 64);
    /* Those of the first answer are not counted twice. */
    ck_assert_uint_eq(fds.n, 1);
    fdset_close(&fds);
    sent_on(server_fd, &h, &info, sizeof info);
    ck_assert_uint_eq(info.argsz, 32);
    sent_on(server_fd, &h, &info, sizeof info);
    ck_assert_uint_eq(info.argsz, 64);
    ck_assert_uint_eq(info.index, 2);
}
END_TEST

START_TEST(region_info_that_never_has_enough)
{
    struct wire_region_info info = {.argsz = _i == 0 ? 64 : UINT32_MAX};
    struct wire_region_info out;
    const void *got;
    size_t n;

    lay_reply(0, WIRE_DEVICE_GET_REGION_INFO, &info, sizeof info, 0);
    lay_reply(1, WIRE_DEVICE_GET_REGION_INFO, &info, sizeof info, 0);
    MALFORMED(client_region_info(&c, 0, &out, &got, &n, NULL), "a reply shorter than its argsz");
}
END_TEST

START_TEST(answers_about_something_else)
{
    const struct wire_region_info region = {.argsz = 32, .index = 3};
    const struct wire_irq_info irq = {.argsz = 16, .index = 3};
    const struct wire_region_io_fds io = {.argsz = 16, .index = 3};
    const struct wire_dma_unmap unmap = {.argsz = 24, .address = 0x1000, .size = 0x2000};
    const struct wire_region_access write = {.region = 2, .count = 1};
    const struct wire_feature feature = {.argsz = 8, .flags = WIRE_FEATURE_PROBE | 2};
    const uint8_t read[17] = {1};
    struct wire_region_info region_out;
    struct wire_region_io_fds io_out;
    struct wire_irq_info irq_out;
    const void *p;
    size_t n;
    uint8_t byte;

    switch (_i) {
    case 0:
        lay_reply(0, WIRE_DEVICE_GET_REGION_INFO, &region, sizeof region, 0);
        MALFORMED(client_region_info(&c, 2, &region_out, &p, &n, NULL),
                  "region info for another region");
        break;
    case 1:
        lay_reply(0, WIRE_DEVICE_GET_IRQ_INFO, &irq, sizeof irq, 0);
        MALFORMED(client_irq_info(&c, 2, &irq_out), "interrupt info for another index");
        break;
    case 2:
        lay_reply(0, WIRE_DEVICE_GET_REGION_IO_FDS, &io, sizeof io, 0);
        MALFORMED(client_region_io_fds(&c, 2, &io_out, &p, &n, NULL), "IO fds for another region");
        break;
    case 3:
        lay_reply(0, WIRE_DMA_UNMAP, &unmap, sizeof unmap, 0);
        MALFORMED(client_dma_unmap(&c, 0x1000, 0x1000), "an unmap reply for another range");
        break;
    case 4:
        lay_reply(0, WIRE_REGION_WRITE, &write, sizeof write, 0);
        MALFORMED(client_region_write(&c, 2, 0, "xy", 2),
                  "a write reply for another offset or length");
        break;
    case 5:
        /* Offset 1, and a count of none with a byte behind it. */
        lay_reply(0, WIRE_REGION_READ, read, sizeof read, 0);
        MALFORMED(client_region_read(&c, 0, 0, &byte, 1),
                  "a count does not agree with the payload's size");
        break;
    case 6:
        lay_reply(0, WIRE_REGION_READ, read, 16, 0);
        MALFORMED(client_region_read(&c, 0, 1, &byte, 1),
                  "a read reply for another offset or length");
        break;
    default:
        lay_reply(0, WIRE_DEVICE_FEATURE, &feature, sizeof feature, 0);
        MALFORMED(client_feature_probe(&c, 1, WIRE_FEATURE_GET),
                  "a reply for another device feature");
        break;
    }
}
END_TEST

START_TEST(a_feature_with_too_little_data)
{
    const struct wire_feature f = {.argsz = 8, .flags = WIRE_FEATURE_GET | 1};
    uint8_t p[16] = {0};
    uint64_t value;

    wire_put(p, &f, sizeof f);
    p[8] = 1;
    lay_reply(0, WIRE_DEVICE_FEATURE, p, 16, 0);
    lay_reply(1, WIRE_DEVICE_FEATURE, p, 15, 0);
    ck_assert_int_eq(client_feature_get(&c, 1, &value, sizeof value), CLIENT_OK);
    ck_assert_uint_eq(value, 1);
    MALFORMED(client_feature_get(&c, 1, &value, sizeof value),
              "payload shorter than its fixed part");
}
END_TEST

START_TEST(a_dma_map_lends_its_fd)
{
    const int fd = eventfd(0, EFD_CLOEXEC);
    struct fdset got;
    uint8_t raw[128];

    fdset_init(&got);
    lay_reply(0, WIRE_DMA_MAP, NULL, 0, 0);
    lay_reply(1, WIRE_DMA_MAP, NULL, 0, 0);
    ck_assert_int_eq(client_dma_map(&c, 0x1000, 0x1000, 0, 3, fd), CLIENT_OK);
    ck_assert_int_eq(client_dma_map(&c, 0x2000, 0x1000, 0, 3, -1), CLIENT_OK);
    ck_assert_int_eq(sock_recv(server_fd, raw, 48, &got, 0), 48);
    ck_assert_uint_eq(got.n, 1);
    ck_assert_int_eq(sock_recv(server_fd, raw, 48, &got, 0), 48);
    ck_assert_uint_eq(got.n, 1);
    fdset_close(&got);
    ck_assert_int_eq(close(fd), 0);
}
END_TEST

/* ---- connecting ---- */

START_TEST(nobody_is_there)
{
    struct client other;

    ck_assert_int_eq(client_init(&other, unit_path("none"), SOON_MS), -ENOENT);
    ck_assert_int_eq(client_reset(&other), CLIENT_CLOSED);
    client_deinit(&other);
}
END_TEST

START_TEST(a_queue_that_stays_full)
{
    const char *path = unit_path("full");
    int listen_fd = sock_listen(path, 0600, (uid_t)-1, (gid_t)-1, 0);
    struct client first;
    struct client second;

    ck_assert_int_ge(listen_fd, 0);
    ck_assert_int_eq(client_init(&first, path, SOON_MS), 0);
    ck_assert_int_eq(client_init(&second, path, SOON_MS), -ETIMEDOUT);
    client_deinit(&first);
    client_deinit(&second);
    sock_close(&listen_fd);
}
END_TEST

static void add_commands(Suite *s)
{
    TCase *tc = script_case(s, "commands");

    tcase_add_test(tc, commands_between_are_answered);
    tcase_add_test(tc, commands_that_cannot_be_served);
    tcase_add_test(tc, a_command_with_no_reply_gets_none);
    tcase_add_test(tc, commands_of_the_wrong_side);
    tcase_add_test(tc, commands_that_are_malformed);
    tcase_add_test(tc, serving_without_a_request);
}

static void add_version(Suite *s)
{
    TCase *tc = script_case(s, "version");

    tcase_add_test(tc, version_is_kept);
    tcase_add_test(tc, version_without_data);
    tcase_add_loop_test(tc, version_data_that_is_no_string, 0, 2);
    tcase_add_loop_test(tc, version_with_fds_that_nobody_asked_for, 0, 4);
    tcase_add_test(tc, twin_commands_are_answered_on_the_twin);
    tcase_add_loop_test(tc, twin_and_first_socket_mixed_up, 0, 2);
    tcase_add_test(tc, a_twin_that_closes);
}

int main(void)
{
    Suite *s = suite_create("client talk");
    TCase *tc;

    add_commands(s);
    add_version(s);
    tc = script_case(s, "requests");
    tcase_add_test(tc, region_info_is_asked_again_with_more_room);
    tcase_add_loop_test(tc, region_info_that_never_has_enough, 0, 2);
    tcase_add_loop_test(tc, answers_about_something_else, 0, 8);
    tcase_add_test(tc, a_feature_with_too_little_data);
    tcase_add_test(tc, a_dma_map_lends_its_fd);
    tc = unit_case(s, "connecting");
    tcase_add_test(tc, nobody_is_there);
    tcase_add_test(tc, a_queue_that_stays_full);
    return unit_run(s);
}
