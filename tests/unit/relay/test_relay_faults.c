/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * How a pipe ends, and what it makes of sockets that are not as they should be: ends in the middle,
 * fds that the kernel cuts off or holds back, urgent bytes, a socket that somebody else reads too.
 */
#define _GNU_SOURCE
#include "proxy/relay/relay_direction.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"
#include "tests/unit/relay/flight.h"
#include "tests/unit/relay/relay_rig.h"

static struct relay_rig rig;

static void open_rig(void)
{
    rig_init(&rig, 8, 1048576);
}

static void close_rig(void)
{
    rig_deinit(&rig);
}

static void send_to_rig(size_t size, unsigned fds)
{
    rig_command(&rig, size);
    rig_write(&rig, size, fds);
}

/* ---- ends ---- */

START_TEST(the_end_between_messages)
{
    send_to_rig(40, 1);
    shutdown(rig.source_fd, SHUT_WR);
    ck_assert_int_eq(rig_run(&rig), RELAY_EOF);
    rig_receive(&rig);
    ck_assert_uint_eq(rig.received, 1);
    ck_assert_int_eq(rig_run(&rig), RELAY_EOF);
}
END_TEST

START_TEST(the_end_before_anything)
{
    sock_close(&rig.source_fd);
    ck_assert_int_eq(rig_run(&rig), RELAY_EOF);
    rig_expect_nothing(&rig);
}
END_TEST

/* _i: bytes that have come of a message of 40; a turn before the end, or not; fds, or not. */
START_TEST(the_end_inside_a_message)
{
    for (unsigned bits = 0; bits < 4; bits++) {
        rig_init(&rig, 8, 4096);
        send_to_rig(24, 0);
        rig_command(&rig, 40);
        rig_write(&rig, (size_t)_i, bits & 1 ? 2 : 0);
        if (bits & 2) {
            ck_assert_int_eq(rig_run(&rig), RELAY_READ);
        }
        sock_close(&rig.source_fd);
        ck_assert_int_eq(rig_run(&rig), RELAY_TRUNCATED);
        /* What was whole has arrived, and nothing of what was not. */
        rig_receive(&rig);
        ck_assert_uint_eq(rig.received, 1);
        rig_deinit(&rig);
    }
}
END_TEST

START_TEST(the_end_inside_a_streaming_message)
{
    rig_command(&rig, LIMIT_QUEUE + 100);
    rig_write(&rig, 5000, 0);
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    sock_close(&rig.source_fd);
    ck_assert_int_eq(rig_run(&rig), RELAY_TRUNCATED);
}
END_TEST

START_TEST(the_receiver_is_gone)
{
    send_to_rig(40, 2);
    sock_close(&rig.sink_fd);
    ck_assert_int_eq(rig_run(&rig), RELAY_TO_ERROR);
    ck_assert_int_eq(rig.detail.err, EPIPE);
}
END_TEST

START_TEST(the_receiver_does_not_read_any_more)
{
    send_to_rig(40, 0);
    shutdown(rig.sink_fd, SHUT_RD);
    ck_assert_int_eq(rig_run(&rig), RELAY_TO_ERROR);
    ck_assert_int_eq(rig.detail.err, EPIPE);
}
END_TEST

START_TEST(the_sender_is_gone_with_something_unread)
{
    ck_assert_int_eq(send(rig.from_fd, "x", 1, 0), 1);
    sock_close(&rig.source_fd);
    ck_assert_int_eq(rig_run(&rig), RELAY_FROM_ERROR);
    ck_assert_int_eq(rig.detail.err, ECONNRESET);
}
END_TEST

START_TEST(held_fds_are_closed_with_the_pipe)
{
    rig_command(&rig, 40);
    rig_write(&rig, 20, 8);
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    /* The case's comparison of fds does the rest. */
}
END_TEST

/* ---- fds that do not come ---- */

/* Lets this process open just so many fds more. Returns what the limit was. */
static struct rlimit allow_more_fds(unsigned more)
{
    const int next = fcntl(rig.from_fd, F_DUPFD, 0);
    struct rlimit before;
    struct rlimit l;

    ck_assert_int_ge(next, 0);
    close(next);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    l = before;
    /* Whatever lies above the first gap is open: Check's own and the rig's are the lowest. */
    l.rlim_cur = (rlim_t)next + more;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &l), 0);
    return before;
}

/* _i: how many of the three fds that come there is room for. */
START_TEST(fds_that_the_kernel_cuts_off)
{
    struct rlimit before;

    send_to_rig(24, 0);
    send_to_rig(40, 3);
    fdset_close(&rig.messages[1].fds);
    before = allow_more_fds((unsigned)_i);
    ck_assert_int_eq(rig_run(&rig), RELAY_CUT_OFF);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    rig.count = 1;
    rig_receive(&rig);
    ck_assert_uint_eq(rig.received, 1);
}
END_TEST

START_TEST(without_fds_a_full_table_is_no_matter)
{
    struct rlimit before;

    send_to_rig(40, 0);
    send_to_rig(40, 0);
    before = allow_more_fds(0);
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    rig_receive(&rig);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
END_TEST

START_TEST(too_many_fds_in_flight_is_a_pause)
{
    struct flight flight;

    send_to_rig(40, 2);
    flight_fill(&flight);
    ck_assert_int_eq(rig_run(&rig), RELAY_PAUSE);
    rig_expect_nothing(&rig);
    ck_assert_int_eq(rig_run(&rig), RELAY_PAUSE);
    flight_empty(&flight);
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    rig_receive(&rig);
    ck_assert_uint_eq(rig.received, 1);
}
END_TEST

/* ---- sockets with a will of their own ---- */

static void send_urgent(void)
{
    ck_assert_int_eq(send(rig.source_fd, "!", 1, MSG_OOB), 1);
}

/* Nobody reads urgent bytes, and without a proxy the receiver would not get them either. */
START_TEST(urgent_bytes_are_passed_over_and_nobody_waits_for_them)
{
    send_urgent();
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    send_to_rig(40, 1);
    send_urgent();
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    rig_receive(&rig);
    send_urgent();
    send_to_rig(24, 0);
    send_to_rig(24, 2);
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    rig_receive(&rig);
    rig_command(&rig, 40);
    for (size_t cut = 8; cut <= 40; cut += 8) {
        rig_write(&rig, 8, 0);
        send_urgent();
        ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    }
    rig_receive(&rig);
    ck_assert_uint_eq(rig.received, rig.count);
    send_urgent();
    sock_close(&rig.source_fd);
    ck_assert_int_eq(rig_run(&rig), RELAY_EOF);
}
END_TEST

/*
 * A twin socket comes from a peer, which may have kept it and set it up as it likes: looking then
 * shows other bytes than reading takes. Nothing may pass that was not judged: either nothing, or
 * the message that was seen, and then the pipe ends.
 */
static const struct {
    int look_at; /* the next look begins so many bytes ahead */
    size_t sizes[2];
} lies[] = {
    {40, {40, 64}},   /* a whole message, longer than what would be taken */
    {40, {40, 24}},   /* … shorter */
    {40, {40, 9000}}, /* a message's beginning */
    {8, {40, 40}},    /* bytes that were meant to be payload */
};

START_TEST(a_look_that_lies_lets_nothing_unseen_pass)
{
    const int ahead = lies[_i].look_at;
    uint8_t got[64];
    enum relay_outcome o;
    ssize_t n;

    ck_assert_int_eq(setsockopt(rig.from_fd, SOL_SOCKET, SO_PEEK_OFF, &ahead, sizeof ahead), 0);
    rig_command(&rig, lies[_i].sizes[0]);
    rig_command(&rig, lies[_i].sizes[1]);
    rig_write(&rig, rig.n, 1);
    o = rig_run(&rig);
    ck_assert(o == RELAY_FROM_ERROR || o == RELAY_BAD_FRAME);
    n = recv(rig.sink_fd, got, sizeof got, 0);
    if (n > 0) {
        ck_assert_int_eq(n, (ssize_t)rig.messages[1].size);
        ck_assert_mem_eq(got, rig.bytes + rig.messages[1].start, (size_t)n);
    }
    rig_expect_nothing(&rig);
}
END_TEST

/* Looking ahead by what has been looked at already, it never sees anything: reading alone does. */
START_TEST(a_look_that_shows_nothing_loses_nothing)
{
    const int ahead = 0;

    ck_assert_int_eq(setsockopt(rig.from_fd, SOL_SOCKET, SO_PEEK_OFF, &ahead, sizeof ahead), 0);
    rig_command(&rig, 40);
    rig_command(&rig, 40);
    rig_command(&rig, 64);
    rig_write(&rig, 80, 0);
    rig_write(&rig, 64, 1);
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    rig_receive(&rig);
    ck_assert_uint_eq(rig.received, rig.count);
}
END_TEST

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

/* The sender's pidfd with each message, which nobody has asked for, must not stay open. */
START_TEST(pidfds_that_nobody_wants_are_closed)
{
    const int on = 1;

    if (setsockopt(rig.from_fd, SOL_SOCKET, SO_PASSPIDFD, &on, sizeof on) < 0) {
        ck_assert_int_eq(errno, ENOPROTOOPT);
        fprintf(stderr, "skipped: this kernel has no SO_PASSPIDFD\n");
        return;
    }
    send_to_rig(40, 0);
    send_to_rig(40, 0);
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    rig_receive(&rig);
    /* The case's comparison of fds does the rest. */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pipe_faults");
    TCase *tc = unit_case(s, "inside a message");

    tcase_add_loop_test(tc, the_end_inside_a_message, 1, 40);
    tc = unit_case(s, "ends");
    tcase_add_checked_fixture(tc, open_rig, close_rig);
    tcase_add_test(tc, the_end_between_messages);
    tcase_add_test(tc, the_end_before_anything);
    tcase_add_test(tc, the_end_inside_a_streaming_message);
    tcase_add_test(tc, the_receiver_is_gone);
    tcase_add_test(tc, the_receiver_does_not_read_any_more);
    tcase_add_test(tc, the_sender_is_gone_with_something_unread);
    tcase_add_test(tc, held_fds_are_closed_with_the_pipe);
    tc = unit_case(s, "fds");
    tcase_add_checked_fixture(tc, open_rig, close_rig);
    tcase_add_loop_test(tc, fds_that_the_kernel_cuts_off, 0, 3);
    tcase_add_test(tc, without_fds_a_full_table_is_no_matter);
    tcase_add_test(tc, too_many_fds_in_flight_is_a_pause);
    tc = unit_case(s, "sockets");
    tcase_add_checked_fixture(tc, open_rig, close_rig);
    tcase_add_test(tc, urgent_bytes_are_passed_over_and_nobody_waits_for_them);
    tcase_add_loop_test(tc, a_look_that_lies_lets_nothing_unseen_pass, 0,
                        sizeof lies / sizeof lies[0]);
    tcase_add_test(tc, a_look_that_shows_nothing_loses_nothing);
    tcase_add_test(tc, pidfds_that_nobody_wants_are_closed);
    return unit_run(s);
}
