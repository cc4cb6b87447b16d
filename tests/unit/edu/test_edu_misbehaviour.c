/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The edu program's faults: each does what its description says, and only there. */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client/client.h"
#include "contrib/edu/fault.h"
#include "contrib/edu/regs.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"
#include "tests/unit/edu/edu_process.h"

static const struct wire_region_access ident = {.offset = EDU_IDENT, .count = 4};

static struct edu edu;
static struct client c;
static struct message m;

static void begin(const char *fault)
{
    const char *const options[] = {"--fault", fault, NULL};

    edu_start(&edu, "edu", options);
    edu_connect(&edu, &c);
}

static void end(void)
{
    client_deinit(&c);
    edu_stop(&edu);
}

static void ask(uint16_t id)
{
    peer_send(c.fd, (struct wire_hdr){.id = id, .command = WIRE_REGION_READ}, &ident, sizeof ident,
              NULL);
}

static void expect(uint16_t id, uint16_t command, size_t n)
{
    peer_recv(c.fd, &m);
    ck_assert_uint_eq(m.hdr.id, id);
    ck_assert_uint_eq(m.hdr.command, command);
    ck_assert_uint_eq(m.hdr.flags, WIRE_TYPE_REPLY);
    ck_assert_uint_eq(m.n, n);
    message_deinit(&m);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

START_TEST(late)
{
    int64_t asked;

    begin("late:3:150");
    ask(1);
    expect(1, WIRE_REGION_READ, 20);
    asked = now_ms();
    ask(2);
    ask(3);
    expect(2, WIRE_REGION_READ, 20);
    /* Never too early; how much later is the machine's affair. */
    ck_assert_int_ge(now_ms() - asked, 150);
    expect(3, WIRE_REGION_READ, 20);
    end();
}
END_TEST

START_TEST(short_)
{
    struct wire_hdr hdr;
    uint8_t bytes[64];

    begin("short:REGION_READ");
    ask(1);
    ask(2);
    ck_assert_int_eq(recv(c.fd, bytes, WIRE_HDR_SIZE + 19, MSG_WAITALL), WIRE_HDR_SIZE + 19);
    ck_assert_int_eq(wire_get_hdr(bytes, WIRE_HDR_SIZE, 100, &hdr), WIRE_FRAME_OK);
    ck_assert_uint_eq(hdr.size, WIRE_HDR_SIZE + 20);
    /* Nothing follows, and the end only when the client goes. */
    ck_assert_int_eq(shutdown(c.fd, SHUT_WR), 0);
    peer_expect_eof(c.fd);
    end();
}
END_TEST

START_TEST(oversized)
{
    begin(_i ? "oversized:2:16" : "oversized:2");
    ask(1);
    expect(1, WIRE_REGION_READ, 20 + (_i ? 16 : FAULT_OVERSIZED_DEFAULT));
    ask(2);
    expect(2, WIRE_REGION_READ, 20);
    end();
}
END_TEST

START_TEST(unasked)
{
    begin("unasked:2");
    ask(7);
    expect(7, WIRE_REGION_READ, 20);
    expect(7 ^ 0x8000, WIRE_REGION_READ, 0);
    ask(9);
    expect(9, WIRE_REGION_READ, 20);
    end();
}
END_TEST

START_TEST(missing)
{
    begin("missing:2");
    ask(1);
    ask(2);
    expect(2, WIRE_REGION_READ, 20);
    end();
}
END_TEST

/* The command is not carried out any more. */
START_TEST(exit_)
{
    begin("exit:DEVICE_RESET");
    ask(1);
    expect(1, WIRE_REGION_READ, 20);
    peer_send(c.fd, (struct wire_hdr){.command = WIRE_DEVICE_RESET}, NULL, 0, NULL);
    peer_expect_eof(c.fd);
    ck_assert_int_eq(edu_join(edu.pid), 1);
    client_deinit(&c);
}
END_TEST

START_TEST(exit_at_version)
{
    const char *const options[] = {"--fault", "exit:1", NULL};

    edu_start(&edu, "edu", options);
    edu_dial(edu.path, &c);
    ck_assert_int_eq(client_version(&c, 0, 0, NULL), CLIENT_CLOSED);
    ck_assert_int_eq(edu_join(edu.pid), 1);
    client_deinit(&c);
}
END_TEST

/* Each client's messages are counted from 1. */
START_TEST(counted_anew)
{
    begin("missing:2");
    client_deinit(&c);
    edu_connect(&edu, &c);
    ask(1);
    ask(2);
    expect(2, WIRE_REGION_READ, 20);
    end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("edu misbehaviour");
    TCase *tc = unit_case(s, "faults");

    tcase_add_test(tc, late);
    tcase_add_test(tc, short_);
    tcase_add_loop_test(tc, oversized, 0, 2);
    tcase_add_test(tc, unasked);
    tcase_add_test(tc, missing);
    tcase_add_test(tc, exit_);
    tcase_add_test(tc, exit_at_version);
    tcase_add_test(tc, counted_anew);
    return unit_run(s);
}
