/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * How sessions end by their peers: what was sent before still arrives, one side may close before
 * the other, and a message that is cut off by the end is not passed on as if it were one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/rig.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/stream.h"
#include "tests/support/unit.h"

#define CAPS "{\"capabilities\":{\"max_msg_fds\":16}}"

/* Turns the pair round: what is said of the client then holds for the backend. */
static struct pair turned(const struct pair *p, bool turn)
{
    return turn ? (struct pair){.client_fd = p->backend_fd, .backend_fd = p->client_fd} : *p;
}

/* Small messages with and without fds, and two of 1 MiB. */
static void add_last_words(struct stream *s)
{
    for (uint16_t i = 0; i < 50; i++) {
        stream_add(s, (struct wire_hdr){.id = i, .command = WIRE_DMA_MAP}, NULL, i, i % 10 == 3);
    }
    stream_add(s, (struct wire_hdr){.id = 50, .command = WIRE_REGION_WRITE}, NULL, 1048576, 0);
    stream_add(s, (struct wire_hdr){.id = 51, .command = WIRE_REGION_WRITE}, NULL, 1048576, 2);
    stream_add(s, (struct wire_hdr){.id = 52, .command = WIRE_DEVICE_RESET}, NULL, 0, 1);
}

/* One side closes its writing: all arrives, then the end; the other side may answer at length. */
START_TEST(half_close)
{
    struct stream s;
    struct rig r;
    struct pair p;

    stream_init(&s);
    add_last_words(&s);
    rig_start(&r, "");
    for (int turn = 0; turn < 2; turn++) {
        struct pair sides;

        rig_session(&r, CAPS, CAPS, &p);
        sides = turned(&p, turn);
        flow_pass(&s, sides.client_fd, sides.backend_fd, FLOW_WHOLE, 0);
        ck_assert_int_eq(shutdown(sides.client_fd, SHUT_WR), 0);
        peer_expect_eof(sides.backend_fd);
        flow_pass(&s, sides.backend_fd, sides.client_fd, FLOW_GLUED, 0);
        peer_expect_silence(sides.client_fd);
        ck_assert_int_eq(shutdown(sides.backend_fd, SHUT_WR), 0);
        peer_expect_eof(sides.client_fd);
        pair_close(&p);
        rig_await_log(&r, turn ? "reason=backend-closed" : "reason=client-closed", NULL, 0);
        rig_settle(&r);
    }
    stream_deinit(&s);
    rig_stop(&r);
}
END_TEST

/* Both close their writing at once, each with much on its way. */
START_TEST(both_half_close)
{
    struct stream s;
    struct rig r;
    struct pair p;
    struct flow flows[2] = {{.stream = &s}, {.stream = &s}};

    stream_init(&s);
    for (uint16_t i = 0; i < 100; i++) {
        stream_add(&s, (struct wire_hdr){.id = i, .command = WIRE_DMA_MAP}, NULL, i, i % 10 == 3);
    }
    rig_start(&r, "");
    rig_session(&r, CAPS, CAPS, &p);
    flows[0].from_fd = flows[1].to_fd = p.client_fd;
    flows[0].to_fd = flows[1].from_fd = p.backend_fd;
    flow_send(&flows[0]);
    flow_send(&flows[1]);
    ck_assert_int_eq(shutdown(p.client_fd, SHUT_WR), 0);
    ck_assert_int_eq(shutdown(p.backend_fd, SHUT_WR), 0);
    flow_run(flows, 2);
    pair_expect_end(&p);
    rig_await_log(&r, "-closed ", NULL, 0);
    stream_deinit(&s);
    rig_stop(&r);
}
END_TEST

/* A side that closes wholly: its last words arrive, fds included, although it is gone. */
START_TEST(last_words_of_the_gone)
{
    struct stream s;
    struct rig r;
    struct pair p;

    stream_init(&s);
    for (uint16_t i = 0; i < 60; i++) {
        stream_add(&s, (struct wire_hdr){.id = i, .command = WIRE_DMA_MAP}, NULL, i, i % 10 == 3);
    }
    rig_start(&r, "");
    for (int turn = 0; turn < 2; turn++) {
        struct pair sides;
        struct flow f = {.stream = &s, .cut = FLOW_WHOLE};

        rig_session(&r, CAPS, CAPS, &p);
        sides = turned(&p, turn);
        f.from_fd = sides.client_fd;
        f.to_fd = sides.backend_fd;
        flow_send(&f);
        sock_close(&sides.client_fd);
        flow_run(&f, 1);
        peer_expect_eof(sides.backend_fd);
        sock_close(&sides.backend_fd);
        rig_await_log(&r, turn ? "reason=backend-closed" : "reason=client-closed", NULL, 0);
        rig_settle(&r);
    }
    stream_deinit(&s);
    rig_stop(&r);
}
END_TEST

/* A side that neither reads nor closes after the other's end has the drain time-out, no more. */
START_TEST(the_other_side_does_nothing)
{
    struct rig r;
    struct pair p;

    rig_start(&r, "    drain-timeout 200ms");
    for (int turn = 0; turn < 2; turn++) {
        rig_session(&r, CAPS, CAPS, &p);
        ck_assert_int_eq(shutdown(turn ? p.backend_fd : p.client_fd, SHUT_WR), 0);
        pair_expect_end(&p);
        rig_await_log(&r, "reason=drain-timeout", NULL, 0);
    }
    rig_stop(&r);
}
END_TEST

/* The same with the other side's socket full of what it does not read. */
START_TEST(the_other_side_is_full)
{
    struct stream s;
    struct rig r;
    struct pair p;
    struct flow f = {.stream = &s, .cut = FLOW_WHOLE};

    stream_init(&s);
    for (uint16_t i = 0; i < 16; i++) {
        stream_add(&s, (struct wire_hdr){.id = i, .command = WIRE_REGION_WRITE}, NULL, 1048576, 0);
    }
    rig_start(&r, "    drain-timeout 200ms");
    rig_session(&r, CAPS, CAPS, &p);
    f.from_fd = p.client_fd;
    f.to_fd = p.backend_fd;
    flow_fill(&f);
    /* The end behind half a message is met only when that has been read, which it never is. */
    ck_assert_int_eq(shutdown(p.backend_fd, SHUT_WR), 0);
    rig_await_log(&r, "reason=drain-timeout", NULL, 0);
    pair_close(&p);
    stream_deinit(&s);
    rig_stop(&r);
}
END_TEST

/* ---- messages that the end cuts off ---- */

/* Cut behind each of these bytes of a message of that size; nothing of a small one passes. */
static const struct {
    uint32_t size;
    size_t at;
    unsigned fds;
} cut_offs[] = {
    {16, 1, 0},  {16, 15, 0}, {16, 15, 1}, {48, 8, 0},    {48, 16, 0},
    {48, 47, 0}, {48, 20, 2}, {48, 47, 2}, {5000, 17, 1}, {LIMIT_QUEUE, LIMIT_QUEUE - 1, 1},
};

START_TEST(cut_off_by_the_end)
{
    struct stream s;
    struct rig r;
    struct pair p;

    stream_init(&s);
    stream_add(&s, (struct wire_hdr){.id = 1, .command = WIRE_DMA_MAP}, NULL, 32, 1);
    rig_start(&r, "");
    for (size_t i = 0; i < sizeof cut_offs / sizeof *cut_offs; i++) {
        uint8_t *const bytes = calloc(1, cut_offs[i].size);
        const struct wire_hdr hdr = {.command = WIRE_REGION_WRITE, .size = cut_offs[i].size};
        struct pair sides;
        struct fdset fds;

        ck_assert_ptr_nonnull(bytes);
        wire_put_hdr(bytes, &hdr);
        rig_session(&r, CAPS, CAPS, &p);
        sides = turned(&p, i % 2);
        fdset_init(&fds);
        peer_memfds(&fds, cut_offs[i].fds);
        flow_pass(&s, sides.client_fd, sides.backend_fd, FLOW_WHOLE, 0);
        peer_send_raw(sides.client_fd, bytes, cut_offs[i].at, &fds);
        ck_assert_int_eq(shutdown(sides.client_fd, SHUT_WR), 0);
        fdset_close(&fds);
        free(bytes);
        pair_expect_end(&p);
        rig_await_log(&r, "reason=truncated-message", NULL, 0);
        rig_settle(&r);
    }
    stream_deinit(&s);
    rig_stop(&r);
}
END_TEST

/* The client of the next test: half a message, in a process of its own, since it blocks. */
struct half {
    const struct stream *stream;
    const struct pair *pair;
    size_t n;
};

static void send_half(void *arg)
{
    const struct half *const h = arg;

    peer_send_raw(h->pair->client_fd, h->stream->bytes, h->n, NULL);
    ck_assert_int_eq(shutdown(h->pair->client_fd, SHUT_WR), 0);
}

/* A large one streams: the other side has part of it, then the end, never something else. */
START_TEST(a_stream_cut_off_by_the_end)
{
    static uint8_t got[65536];
    struct stream s;
    struct rig r;
    struct pair p;
    struct half half = {.stream = &s, .pair = &p, .n = 700001};
    size_t received = 0;
    ssize_t n;
    pid_t pid;

    stream_init(&s);
    stream_add(&s, (struct wire_hdr){.id = 1, .command = WIRE_REGION_WRITE}, NULL, 1048576, 0);
    rig_start(&r, "");
    rig_session(&r, CAPS, CAPS, &p);
    pid = process_fork(send_half, &half);
    while ((n = recv(p.backend_fd, got, sizeof got, 0)) > 0) {
        ck_assert_uint_le(received + (size_t)n, half.n);
        ck_assert_mem_eq(got, s.bytes + received, (size_t)n);
        received += (size_t)n;
    }
    ck_assert_int_eq(n, 0);
    ck_assert_uint_gt(received, 0);
    ck_assert_int_eq(process_wait(pid), 0);
    pair_close(&p);
    rig_await_log(&r, "reason=truncated-message", NULL, 0);
    stream_deinit(&s);
    rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("daemon: close");
    TCase *const tc = rig_case(suite, "close");

    tcase_add_test(tc, half_close);
    tcase_add_test(tc, both_half_close);
    tcase_add_test(tc, last_words_of_the_gone);
    tcase_add_test(tc, the_other_side_does_nothing);
    tcase_add_test(tc, the_other_side_is_full);
    tcase_add_test(tc, cut_off_by_the_end);
    tcase_add_test(tc, a_stream_cut_off_by_the_end);
    return unit_run(suite);
}
