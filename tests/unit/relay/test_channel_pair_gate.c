/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A lane with a gate between two real socket pairs: what does not go on is answered between two
 * messages, in every cut, in the midst of large messages, and by peers that do not read.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"
#include "tests/unit/relay/channel_pair_rig.h"

/* ---- order ---- */

/* Good and bad ones in one write, or byte by byte: each goes where it belongs, in order. */
START_TEST(good_and_bad_requests_in_every_cut)
{
    static const size_t cuts[] = {1, 2, 15, 16, 17, 31, 32, 33, 48, 4096, SIZE_MAX};
    struct bytes b = {NULL, 0};
    size_t cut = cuts[_i];

    channel_pair_withhold();
    channel_pair_map(1, 0x200000, R | W);
    for (uint16_t i = 0; i < 24; i++) {
        const uint64_t address = i % 3 == 1 ? 0x200000 : 0x1ffff8;

        channel_pair_add_access(&b, i, i % 2 ? WIRE_DMA_READ : WIRE_DMA_WRITE, address + i, 9);
    }
    for (size_t at = 0; at < b.n; at += cut) {
        cut = cut < b.n - at ? cut : b.n - at;
        peer_send_raw(backend, b.p + at, cut, NULL);
        channel_pair_settle();
    }
    bytes_free(&b);
    for (uint16_t i = 0; i < 24; i++) {
        const bool good = i % 3 == 1 || i >= 8;
        const uint16_t command = i % 2 ? WIRE_DMA_READ : WIRE_DMA_WRITE;

        if (good) {
            channel_pair_expect(client, i, command);
        } else {
            channel_pair_expect_error(backend, i, command, EFAULT);
        }
    }
    peer_expect_silence(client);
    peer_expect_silence(backend);
    ck_assert_uint_eq(denials, 5);
    ck_assert_uint_eq(report.taint[SIDE_BACKEND], TAINT_DMA);
    channel_pair_gate_end();
}
END_TEST

START_TEST(maps_that_are_too_many_never_arrive)
{
    const struct dma_settings set = {.max_maps = 2};
    struct bytes b = {NULL, 0};
    struct fdset fd;
    struct message m;

    channel_pair_begin(&set, false);
    channel_pair_add(&b, (struct wire_hdr){.id = 1, .command = WIRE_DEVICE_RESET}, "", 0, 0);
    for (uint16_t i = 2; i < 6; i++) {
        channel_pair_add_map(&b, i, i * UINT64_C(0x200000), R);
    }
    channel_pair_add(&b, (struct wire_hdr){.id = 6, .command = WIRE_DEVICE_RESET}, "", 0, 0);
    channel_pair_send_bytes(client, &b, NULL);
    channel_pair_expect(backend, 1, WIRE_DEVICE_RESET);
    channel_pair_expect(backend, 2, WIRE_DMA_MAP);
    channel_pair_expect(backend, 3, WIRE_DMA_MAP);
    channel_pair_expect(backend, 6, WIRE_DEVICE_RESET);
    peer_expect_silence(backend);
    channel_pair_expect_error(client, 4, WIRE_DMA_MAP, ENOSPC);
    channel_pair_expect_error(client, 5, WIRE_DMA_MAP, ENOSPC);
    peer_expect_silence(client);
    /* The fd of one that is refused is closed; the unit harness counts. */
    fdset_init(&fd);
    peer_memfds(&fd, 2);
    channel_pair_add_map(&b, 7, 0x10000000, R);
    channel_pair_add_map(&b, 8, 0x20000000, R);
    channel_pair_send_bytes(client, &b, &fd);
    fdset_close(&fd);
    channel_pair_expect_error(client, 7, WIRE_DMA_MAP, ENOSPC);
    channel_pair_expect_error(client, 8, WIRE_DMA_MAP, ENOSPC);
    /* Where it may pass, it passes. */
    peer_send(backend,
              (struct wire_hdr){.id = 2,
                                .command = WIRE_DMA_MAP,
                                .flags = WIRE_TYPE_REPLY | WIRE_ERROR,
                                .error = EINVAL},
              "", 0, NULL);
    channel_pair_settle();
    channel_pair_expect_error(client, 2, WIRE_DMA_MAP, EINVAL);
    peer_memfds(&fd, 1);
    channel_pair_add_map(&b, 9, 0x10000000, R);
    channel_pair_send_bytes(client, &b, &fd);
    peer_recv(backend, &m);
    peer_expect_same_fds(&fd, &m.fds);
    message_deinit(&m);
    fdset_close(&fd);
    channel_pair_gate_end();
}
END_TEST

/* ---- large messages ---- */

/* Swallowed to its end, in whatever pieces; what follows passes. */
START_TEST(a_large_write_outside_is_swallowed)
{
    static const size_t cuts[] = {16, 40, 47, 48, 4096, 100000};
    struct bytes b = {NULL, 0};
    const size_t cut = cuts[_i];

    channel_pair_withhold();
    channel_pair_map(1, 0x200000, R);
    channel_pair_add_access(&b, 5, WIRE_DMA_WRITE, 0x200000, LARGE);
    channel_pair_add_access(&b, 6, WIRE_DMA_READ, 0x200000, 4);
    peer_send_raw(backend, b.p, cut, NULL);
    for (size_t at = cut; at < b.n; at += 60000) {
        channel_pair_settle();
        peer_send_raw(backend, b.p + at, b.n - at < 60000 ? b.n - at : 60000, NULL);
    }
    bytes_free(&b);
    channel_pair_settle();
    channel_pair_expect(client, 6, WIRE_DMA_READ);
    peer_expect_silence(client);
    channel_pair_expect_error(backend, 5, WIRE_DMA_WRITE, EFAULT);
    peer_expect_silence(backend);
    ck_assert_uint_eq(denials, 1);
    ck_assert_ptr_null(channels.to_client.queue);
    channel_pair_gate_end();
}
END_TEST

/* Reads all there is at the client into at most n bytes. */
static size_t drain(int fd, uint8_t *out, size_t n)
{
    size_t got = 0;
    ssize_t r;

    while (got < n && (r = recv(fd, out + got, n - got, MSG_DONTWAIT)) > 0) {
        got += (size_t)r;
        channel_pair_settle();
    }
    return got;
}

/* A reply does not fall into a message, and comes right behind it. */
START_TEST(replies_wait_for_the_end_of_a_large_message)
{
    const struct dma_settings set = {.max_maps = 1};
    struct bytes b = {NULL, 0};
    struct bytes maps = {NULL, 0};
    uint8_t *got;
    size_t first;
    size_t n;

    channel_pair_begin(&set, false);
    channel_pair_map(1, 0x200000, W);
    channel_pair_add_access(&b, 5, WIRE_DMA_WRITE, 0x200000, LARGE);
    got = malloc(b.n + 64);
    ck_assert_ptr_nonnull(got);
    first = 64;
    peer_send_raw(backend, b.p, first, NULL);
    channel_pair_settle();
    n = drain(client, got, first);
    ck_assert_uint_eq(n, first);
    channel_pair_add_map(&maps, 2, 0x900000, R);
    channel_pair_send_bytes(client, &maps, NULL);
    peer_expect_silence(client);
    for (size_t at = first; at < b.n; at += 50000) {
        peer_send_raw(backend, b.p + at, b.n - at < 50000 ? b.n - at : 50000, NULL);
        channel_pair_settle();
        n += drain(client, got + n, b.n + 16 - n);
    }
    ck_assert_uint_eq(n, b.n + 16);
    ck_assert_mem_eq(got, b.p, b.n);
    ck_assert_uint_eq(got[b.n], 2);
    ck_assert_uint_eq(got[b.n + 2], WIRE_DMA_MAP);
    free(got);
    bytes_free(&b);
    channel_pair_gate_end();
}
END_TEST

/* Of a message that is not whole nothing has gone: nobody has to wait for its rest. */
START_TEST(replies_do_not_wait_for_half_a_message)
{
    static const size_t parts[] = {1, 8, 15, 16, 40, 30000};
    const struct dma_settings set = {.max_maps = 1};
    struct bytes b = {NULL, 0};
    struct bytes maps = {NULL, 0};

    channel_pair_begin(&set, false);
    channel_pair_map(1, 0x200000, W);
    channel_pair_add_access(&b, 5, WIRE_DMA_WRITE, 0x200000, 60000);
    peer_send_raw(backend, b.p, parts[_i], NULL);
    channel_pair_settle();
    channel_pair_add_map(&maps, 2, 0x900000, R);
    channel_pair_send_bytes(client, &maps, NULL);
    channel_pair_expect_error(client, 2, WIRE_DMA_MAP, ENOSPC);
    peer_send_raw(backend, b.p + parts[_i], b.n - parts[_i], NULL);
    bytes_free(&b);
    channel_pair_settle();
    channel_pair_expect(client, 5, WIRE_DMA_WRITE);
    channel_pair_gate_end();
}
END_TEST

/* A client that hides memory behind the beginning of a large message hides it in vain. */
START_TEST(fds_in_the_midst_of_a_large_message)
{
    struct bytes b = {NULL, 0};
    struct fdset fds;
    struct fdset came;
    uint8_t *got;
    size_t n = 0;

    channel_pair_withhold();
    fdset_init(&came);
    fdset_init(&fds);
    peer_memfds(&fds, 1);
    channel_pair_add(&b, (struct wire_hdr){.id = 1, .command = WIRE_DMA_MAP}, "", 0,
                     LIMIT_QUEUE + 100000);
    got = malloc(b.n);
    ck_assert_ptr_nonnull(got);
    for (size_t at = 0; at < b.n; at += 50000) {
        peer_send_raw(client, b.p + at, b.n - at < 50000 ? b.n - at : 50000, &fds);
        channel_pair_settle();
        while (n < b.n) {
            const ssize_t r = sock_recv(backend, got + n, b.n - n, &came, MSG_DONTWAIT);

            if (r <= 0) {
                break;
            }
            n += (size_t)r;
            channel_pair_settle();
        }
    }
    fdset_close(&fds);
    ck_assert_uint_eq(n, b.n);
    /* The flags that speak of the fd have gone with it. */
    b.p[WIRE_HDR_SIZE + offsetof(struct wire_dma_map, flags)] &=
        (uint8_t) ~(WIRE_DMA_MMAP | WIRE_DMA_FILE_IO);
    ck_assert_mem_eq(got, b.p, b.n);
    ck_assert_uint_eq(came.n, 0);
    free(got);
    bytes_free(&b);
    channel_pair_gate_end();
}
END_TEST

/* ---- peers that do not read ---- */

/* Writes bad requests until no more go. How many have. */
static unsigned flood(void)
{
    unsigned n = 0;

    ck_assert_int_eq(sock_nonblock(backend), 0);
    for (int idle = 0; idle < 4;) {
        struct bytes b = {NULL, 0};
        ssize_t sent;

        channel_pair_add_access(&b, (uint16_t)n, WIRE_DMA_READ, 0x1000, 1);
        sent = send(backend, b.p, b.n, MSG_NOSIGNAL);
        bytes_free(&b);
        if (sent < 0) {
            ck_assert_int_eq(errno, EAGAIN);
            channel_pair_settle();
            idle++;
            continue;
        }
        ck_assert_int_eq(sent, 32);
        idle = 0;
        n++;
    }
    ck_assert_int_eq(sock_block(backend), 0);
    return n;
}

/* What the broker holds for it is bounded, and when it reads at last it finds every answer. */
START_TEST(a_backend_that_never_reads_its_replies)
{
    const int small = 1;
    unsigned n;

    channel_pair_withhold();
    /* As small as the system lets it: replies go in pieces that end anywhere. */
    ck_assert_int_eq(setsockopt(channels.backend.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small),
                     0);
    n = flood();
    ck_assert_uint_gt(denials, DMA_REPLIES_FULL);
    ck_assert_uint_le(channels.dma.backend.reply_end - channels.dma.backend.reply_start,
                      DMA_REPLIES * WIRE_HDR_SIZE);
    ck_assert(dma_gate_blocked(&channels.dma, false));
    ck_assert(!event_pending(&channels.backend.readable, EV_READ, NULL));
    for (unsigned i = 0; i < n; i++) {
        channel_pair_settle();
        channel_pair_expect_error(backend, (uint16_t)i, WIRE_DMA_READ, EFAULT);
    }
    channel_pair_settle();
    peer_expect_silence(backend);
    peer_expect_silence(client);
    ck_assert_uint_eq(denials, n);
    ck_assert_ptr_null(channels.dma.backend.replies);
    ck_assert(event_pending(&channels.backend.readable, EV_READ, NULL));
    channel_pair_gate_end();
}
END_TEST

START_TEST(who_is_stopped_may_still_go)
{
    channel_pair_withhold();
    (void)flood();
    if (_i == 0) {
        sock_close(&backend);
    } else {
        sock_close(&client);
    }
    channel_pair_settle();
    /* The backend's end is seen though nothing is read from it; without a client, too. */
    ck_assert_int_eq(ended.reason, _i == 0 ? REASON_BACKEND_CLOSED : REASON_CLIENT_CLOSED);
    channel_pair_gate_end();
}
END_TEST

START_TEST(a_client_that_has_closed_its_side_lets_the_rest_drain)
{
    struct bytes b = {NULL, 0};
    char byte;

    channel_pair_withhold();
    channel_pair_map(1, 0x200000, R);
    ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
    channel_pair_settle();
    ck_assert_int_eq(recv(backend, &byte, 1, 0), 0);
    /* Nobody can be told; still only what is good arrives. */
    for (uint16_t i = 0; i < 2000; i++) {
        channel_pair_add_access(&b, i, WIRE_DMA_READ, i == 1999 ? 0x200000 : 0, 1);
    }
    channel_pair_send_bytes(backend, &b, NULL);
    channel_pair_expect(client, 1999, WIRE_DMA_READ);
    peer_expect_silence(client);
    sock_close(&backend);
    channel_pair_settle();
    ck_assert_int_eq(ended.reason, REASON_CLIENT_CLOSED);
    channel_pair_gate_end();
}
END_TEST

/* ---- what waits to be recorded ---- */

START_TEST(nothing_is_read_until_what_is_exported_is_told)
{
    const struct dma_settings set = {.withhold = 0};
    const unsigned n = 3 * REPORT_RANGES;
    struct bytes b = {NULL, 0};
    unsigned told = 0;
    struct ipc_msg m;

    channel_pair_begin(&set, true);
    for (unsigned i = 0; i < n; i++) {
        channel_pair_add_map(&b, (uint16_t)i, i * UINT64_C(0x200000), R);
    }
    channel_pair_send_bytes(client, &b, NULL);
    ck_assert(report_full(&report));
    ck_assert_uint_lt(report.n, n);
    while (report_next(&report, &m)) {
        for (uint32_t i = 0; i < m.u.exports.n; i++) {
            ck_assert_uint_eq(m.u.exports.ranges[i].address, told++ * UINT64_C(0x200000));
        }
        report_sent(&report, &m);
        report_answered(&report);
        channel_pair_resume(&channels);
        channel_pair_settle();
    }
    ck_assert_uint_eq(told, n);
    for (unsigned i = 0; i < n; i++) {
        channel_pair_expect(backend, (uint16_t)i, WIRE_DMA_MAP);
    }
    channel_pair_gate_end();
}
END_TEST

/* ---- while there is no room for fds ---- */

/* The other direction holds half a message: it waits, too, but for something else. */
START_TEST(looks_for_room_become_rare_whatever_the_other_direction_waits_for)
{
    const struct dma_settings set = {.withhold = 0};
    const uint8_t half[WIRE_HDR_SIZE / 2] = {0};
    struct fdroom room = {.share = 1};
    struct fdroom_session session = {.room = &room};
    struct fdset fds;

    channel_pair_begin(&set, false);
    channel_pair_count_fds(&channels, &session);
    peer_send_raw(backend, half, sizeof half, NULL);
    channel_pair_settle();
    ck_assert_int_eq(channels.to_client_wait, CHANNEL_PAIR_WAIT_SENDER);
    fdset_init(&fds);
    peer_memfds(&fds, 2);
    peer_send(client, (struct wire_hdr){.id = 1, .command = WIRE_DEVICE_SET_IRQS}, NULL, 0, &fds);
    fdset_close(&fds);
    for (unsigned ms = LIMIT_PAUSE_MS; ms < LIMIT_PAUSE_MAX_MS; ms *= 2) {
        ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
        ck_assert_int_eq(channels.to_backend_wait, CHANNEL_PAIR_WAIT_FDS);
        ck_assert_uint_eq(channels.pause_ms, ms);
    }
    channel_pair_gate_end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lane_gate");
    TCase *tc = unit_case(s, "order");

    tcase_add_loop_test(tc, good_and_bad_requests_in_every_cut, 0, 11);
    tcase_add_test(tc, maps_that_are_too_many_never_arrive);
    tc = unit_case(s, "large");
    tcase_add_loop_test(tc, a_large_write_outside_is_swallowed, 0, 6);
    tcase_add_test(tc, replies_wait_for_the_end_of_a_large_message);
    tcase_add_loop_test(tc, replies_do_not_wait_for_half_a_message, 0, 6);
    tcase_add_test(tc, fds_in_the_midst_of_a_large_message);
    tc = unit_case(s, "slow");
    tcase_add_test(tc, a_backend_that_never_reads_its_replies);
    tcase_add_loop_test(tc, who_is_stopped_may_still_go, 0, 2);
    tcase_add_test(tc, a_client_that_has_closed_its_side_lets_the_rest_drain);
    tcase_add_test(tc, nothing_is_read_until_what_is_exported_is_told);
    tc = unit_case(s, "room for fds");
    tcase_add_test(tc, looks_for_room_become_rare_whatever_the_other_direction_waits_for);
    return unit_run(s);
}
