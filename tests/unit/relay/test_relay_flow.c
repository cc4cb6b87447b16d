/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * How much a pipe holds: small messages until they are whole, large ones never; a slow receiver
 * stops the sender, and what is held stays bounded. And what it counts.
 */
#define _GNU_SOURCE
#include "proxy/relay/relay_direction.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"
#include "tests/unit/relay/relay_rig.h"

static struct relay_rig rig;

static void open_rig(void)
{
    rig_init(&rig, 8, 8u << 20);
}

static void close_rig(void)
{
    rig_deinit(&rig);
}

/* Reads at most n bytes at the receiver's end, which must be those of the stream from at on. */
static size_t take(size_t at, size_t n, struct fdset *fds)
{
    static uint8_t got[65536];
    const ssize_t r =
        sock_recv(rig.sink_fd, got, n < sizeof got ? n : sizeof got, fds, MSG_DONTWAIT);

    if (r == -EAGAIN) {
        return 0;
    }
    ck_assert_int_gt(r, 0);
    ck_assert_mem_eq(got, rig.bytes + at, (size_t)r);
    return (size_t)r;
}

/* Writes as much of the stream as the sender's socket takes. Whether anything went. */
static bool write_some(void)
{
    const size_t left = rig.n - rig.written;
    ssize_t n = -EAGAIN;

    if (left > 0) {
        n = sock_send(rig.source_fd, rig.bytes + rig.written, left, NULL, 0);
    }
    ck_assert(n > 0 || n == -EAGAIN);
    rig.written += n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* What the pipe has taken and not yet sent. */
static size_t held(void)
{
    return rig.direction.queue ? rig.direction.queue->end - rig.direction.queue->start : 0;
}

/* ---- held or streamed ---- */

static const struct {
    size_t size;
    bool streams;
} sizes[] = {
    {65536, false},          {LIMIT_QUEUE - 1, false}, {LIMIT_QUEUE, false},
    {LIMIT_QUEUE + 1, true}, {2 * LIMIT_QUEUE, true},  {2 * LIMIT_QUEUE + 1, true},
    {1048576 + 32, true},    {5000000, true},
};

START_TEST(a_message_is_held_until_it_is_whole_or_streams)
{
    struct fdset fds;
    size_t got = 0;
    bool early = false;

    fdset_init(&fds);
    rig_command(&rig, sizes[_i].size);
    while (got < rig.n) {
        enum relay_outcome o;

        (void)write_some();
        o = rig_run(&rig);

        ck_assert(o == RELAY_READ || o == RELAY_WRITE);
        ck_assert_uint_le(held(), LIMIT_QUEUE);
        if (rig.written < rig.n && !sizes[_i].streams) {
            rig_expect_nothing(&rig);
            continue;
        }
        ck_assert(!sizes[_i].streams || held() == 0 || o == RELAY_WRITE);
        for (size_t n = 1; n > 0; got += n) {
            n = take(got, rig.n - got, &fds);
        }
        early |= got > 0 && rig.written < rig.n;
    }
    ck_assert_int_eq(early, sizes[_i].streams);
    ck_assert_uint_eq(fds.n, 0);
    ck_assert_uint_eq(rig.direction.mark->total.count.messages, 1);
    ck_assert_uint_eq(rig.direction.mark->total.count.bytes, rig.n);
    ck_assert_ptr_null(rig.direction.queue);
}
END_TEST

/* A streaming message, then a small one with an fd, glued to its end. */
START_TEST(what_follows_a_streaming_message_is_a_message)
{
    const size_t first = 3 * LIMIT_QUEUE + 5;
    struct fdset fds;
    size_t got = 0;

    fdset_init(&fds);
    rig_command(&rig, first);
    while (got < first) {
        (void)write_some();
        (void)rig_run(&rig);
        got += take(got, first - got, &fds);
    }
    ck_assert_uint_eq(fds.n, 0);
    rig.received = 1;
    rig_command(&rig, 40);
    rig_command(&rig, 24);
    rig_write(&rig, 64, 2);
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    rig_receive(&rig);
    ck_assert_uint_eq(rig.received, 3);
}
END_TEST

START_TEST(fds_of_a_streaming_message_arrive_within_it)
{
    struct fdset fds;
    size_t got = 0;

    fdset_init(&fds);
    rig_command(&rig, 2 * LIMIT_QUEUE);
    rig_write(&rig, 1000, 2);
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    got += take(got, 1, &fds);
    ck_assert_uint_eq(fds.n, 2);
    rig_write(&rig, 1000, 1);
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    while (got < rig.n) {
        (void)write_some();
        (void)rig_run(&rig);
        got += take(got, rig.n - got, &fds);
    }
    peer_expect_same_fds(&rig.messages[0].fds, &fds);
    fdset_close(&fds);
}
END_TEST

/* ---- a slow receiver ---- */

#define ONE 1000

START_TEST(a_slow_receiver_stops_the_sender_and_loses_nothing)
{
    struct fdset fds;
    uint64_t taken;
    size_t got = 0;

    fdset_init(&fds);
    for (size_t i = 0; i < RIG_MESSAGES; i++) {
        rig_command(&rig, _i ? 20 * ONE : ONE + i);
    }
    do {
        ck_assert_uint_lt(rig.written, rig.n);
        (void)write_some();
    } while (rig_run(&rig) != RELAY_WRITE);
    /* What a look shows whole stays in the sender's socket; the others are held. */
    ck_assert_int_eq(held() > 0, _i);
    ck_assert_uint_le(held(), LIMIT_QUEUE);
    taken = rig.direction.mark->total.taken;
    /* However often it is its turn, it takes nothing more; the sender's socket fills up. */
    while (write_some()) {
        ck_assert_int_eq(rig_run(&rig), RELAY_WRITE);
        ck_assert_uint_eq(rig.direction.mark->total.taken, taken);
    }
    ck_assert_uint_lt(rig.written, rig.n);
    while (got < rig.n) {
        const size_t n = take(got, ONE, &fds);

        got += n;
        if (n == 0) {
            const enum relay_outcome o = rig_run(&rig);

            ck_assert(o == RELAY_READ || o == RELAY_WRITE);
            ck_assert_uint_le(held(), LIMIT_QUEUE);
            (void)write_some();
        }
    }
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    ck_assert_uint_eq(rig.direction.mark->total.count.messages, RIG_MESSAGES);
    ck_assert_uint_eq(fds.n, 0);
    ck_assert_ptr_null(rig.direction.queue);
}
END_TEST

/* Makes the pipe's sending socket so small that a message leaves in parts. */
static void narrow(void)
{
    const int small = 1;

    ck_assert_int_eq(setsockopt(rig.to_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
}

START_TEST(fds_go_once_with_the_first_part)
{
    struct fdset fds;
    struct fdset late;
    size_t got;

    fdset_init(&fds);
    fdset_init(&late);
    narrow();
    rig_command(&rig, 100000);
    rig_write(&rig, 100000, 3);
    ck_assert_int_eq(rig_run(&rig), RELAY_WRITE);
    ck_assert_uint_lt(held(), 100000);
    got = take(0, 1, &fds);
    peer_expect_same_fds(&rig.messages[0].fds, &fds);
    while (got < rig.n) {
        (void)rig_run(&rig);
        got += take(got, rig.n - got, &late);
    }
    ck_assert_uint_eq(late.n, 0);
    fdset_close(&fds);
}
END_TEST

/* While it waits, so do the fds: they belong to a message that has not begun to leave. */
START_TEST(fds_wait_with_their_message)
{
    struct fdset fds;
    size_t got = 0;

    fdset_init(&fds);
    narrow();
    rig_command(&rig, 50000);
    rig_command(&rig, 40);
    rig_write(&rig, 50000, 0);
    rig_write(&rig, 40, 2);
    ck_assert_int_eq(rig_run(&rig), RELAY_WRITE);
    while (got < 50000) {
        got += take(got, 50000 - got, &fds);
        (void)rig_run(&rig);
    }
    ck_assert_uint_eq(fds.n, 0);
    rig.received = 1;
    rig_receive(&rig);
    ck_assert_uint_eq(rig.received, 2);
}
END_TEST

START_TEST(the_end_waits_until_all_is_delivered)
{
    struct fdset fds;
    size_t got = 0;

    fdset_init(&fds);
    narrow();
    rig_command(&rig, 50000);
    rig_write(&rig, 50000, 0);
    sock_close(&rig.source_fd);
    ck_assert_int_eq(rig_run(&rig), RELAY_WRITE);
    while (got < rig.n) {
        const enum relay_outcome o = rig_run(&rig);

        ck_assert(o == RELAY_WRITE || o == RELAY_EOF);
        got += take(got, rig.n - got, &fds);
    }
    ck_assert_int_eq(rig_run(&rig), RELAY_EOF);
    ck_assert_uint_eq(fds.n, 0);
}
END_TEST

/* ---- turns and counts ---- */

START_TEST(a_flood_leaves_others_their_turn)
{
    struct relay_detail detail;
    unsigned turns = 1;

    for (int i = 0; i < 10 * LIMIT_TURNS; i++) {
        rig_command(&rig, 24);
        rig_write(&rig, 24, 1);
    }
    while (relay_turn(&rig.direction, &detail) == RELAY_MORE) {
        /* With fds each is taken alone: a turn takes so many, and no more. */
        ck_assert_uint_eq(rig.direction.mark->total.count.messages, turns * LIMIT_TURNS);
        turns++;
    }
    rig_receive(&rig);
    ck_assert_uint_ge(turns, 10);
}
END_TEST

START_TEST(messages_bytes_and_fds_are_counted)
{
    rig_command(&rig, 16);
    rig_command(&rig, 40);
    rig_command(&rig, 5000);
    rig_write(&rig, 30, 2);
    rig_write(&rig, 26, 1);
    rig_write(&rig, 4999, 0);
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    /* The third is here, and has not been delivered. */
    ck_assert_uint_eq(rig.direction.mark->total.count.messages, 2);
    ck_assert_uint_eq(rig.direction.mark->total.count.bytes, 56);
    ck_assert_uint_eq(rig.direction.mark->total.count.fds, 3);
    ck_assert_uint_eq(rig.direction.mark->total.taken, 5055);
    rig_write(&rig, 1, 4);
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    rig_receive(&rig);
    ck_assert_uint_eq(rig.received, 3);
    ck_assert_uint_eq(rig.direction.mark->total.count.messages, 3);
    ck_assert_uint_eq(rig.direction.mark->total.count.bytes, 5056);
    ck_assert_uint_eq(rig.direction.mark->total.count.fds, 7);
}
END_TEST

/* A receiver that is gone with part of what was on its way: the rest has not passed. */
START_TEST(what_is_not_delivered_is_not_counted)
{
    struct fdset fds;
    size_t got;

    fdset_init(&fds);
    narrow();
    for (int i = 0; i < 4; i++) {
        rig_command(&rig, 1000);
    }
    rig_write(&rig, 4000, 0);
    rig_command(&rig, 40);
    rig_write(&rig, 40, 2);
    while (rig_run(&rig) == RELAY_READ) {
        rig_command(&rig, 1000);
        rig_write(&rig, 1000, 0);
    }
    got = (size_t)rig.direction.mark->total.count.bytes;
    ck_assert_uint_lt(got, rig.n);
    ck_assert_uint_gt(got, 0);
    sock_close(&rig.sink_fd);
    ck_assert_int_eq(rig_run(&rig), RELAY_TO_ERROR);
    relay_deinit(&rig.direction);
    ck_assert_uint_eq(rig.direction.mark->total.count.bytes, got);
    ck_assert_uint_eq(rig.direction.mark->total.count.fds, got > 4000 ? 2 : 0);
    ck_assert_uint_eq(rig.direction.mark->total.count.messages, got < 4000 ? got / 1000
                                                                : got < 4040
                                                                    ? 4
                                                                    : 5 + (got - 4040) / 1000);
}
END_TEST

START_TEST(half_a_message_that_never_ends_is_not_counted)
{
    rig_command(&rig, 40);
    rig_command(&rig, 1000);
    rig_write(&rig, 900, 3);
    sock_close(&rig.source_fd);
    ck_assert_int_eq(rig_run(&rig), RELAY_TRUNCATED);
    ck_assert_uint_eq(rig.detail.count, 860);
    ck_assert_uint_eq(rig.detail.bound, 1000);
    ck_assert_uint_eq(rig.detail.hdr.size, 1000);
    ck_assert_uint_eq(rig.direction.mark->total.count.messages, 1);
    ck_assert_uint_eq(rig.direction.mark->total.count.bytes, 40);
    ck_assert_uint_eq(rig.direction.mark->total.count.fds, 3);
}
END_TEST

START_TEST(a_pipe_that_waits_holds_no_queue)
{
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    ck_assert_ptr_null(rig.direction.queue);
    rig_command(&rig, 40);
    rig_write(&rig, 40, 1);
    ck_assert_int_eq(rig_run(&rig), RELAY_READ);
    ck_assert_ptr_null(rig.direction.queue);
    ck_assert_uint_eq(rig.pool.n_free, 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pipe_flow");
    TCase *tc = unit_case(s, "flow");

    tcase_add_checked_fixture(tc, open_rig, close_rig);
    tcase_add_loop_test(tc, a_message_is_held_until_it_is_whole_or_streams, 0,
                        sizeof sizes / sizeof sizes[0]);
    tcase_add_test(tc, what_follows_a_streaming_message_is_a_message);
    tcase_add_test(tc, fds_of_a_streaming_message_arrive_within_it);
    tcase_add_loop_test(tc, a_slow_receiver_stops_the_sender_and_loses_nothing, 0, 2);
    tcase_add_test(tc, fds_go_once_with_the_first_part);
    tcase_add_test(tc, fds_wait_with_their_message);
    tcase_add_test(tc, the_end_waits_until_all_is_delivered);
    tcase_add_test(tc, a_flood_leaves_others_their_turn);
    tcase_add_test(tc, messages_bytes_and_fds_are_counted);
    tcase_add_test(tc, what_is_not_delivered_is_not_counted);
    tcase_add_test(tc, half_a_message_that_never_ends_is_not_counted);
    tcase_add_test(tc, a_pipe_that_waits_holds_no_queue);
    return unit_run(s);
}
