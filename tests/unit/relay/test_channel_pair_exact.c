/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A lane between two real socket pairs: what it does not hold, headers that are no messages, and
 * what of a client's fds goes on where memory is withheld.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"
#include "tests/unit/relay/channel_pair_rig.h"

/*
 * What the gate does not judge it does not hold: of a large message of another command the header
 * goes on as soon as it is there, as without a gate. One that is judged waits for what is judged.
 */
START_TEST(a_large_message_that_is_not_judged_goes_on_at_once)
{
    const struct wire_hdr other = {
        .id = 1, .command = WIRE_DEVICE_GET_INFO, .size = LIMIT_QUEUE + 1};
    const struct wire_hdr judged = {.id = 2, .command = WIRE_DMA_MAP, .size = LIMIT_QUEUE + 1};
    const struct dma_settings set = {.withhold = _i == 1};
    uint8_t bytes[DMA_GATE_HEAD] = {0};
    uint8_t got[DMA_GATE_HEAD];

    channel_pair_begin(&set, _i == 0);
    wire_put_hdr(bytes, &other);
    peer_send_raw(client, bytes, WIRE_HDR_SIZE, NULL);
    channel_pair_settle();
    ck_assert_int_eq(recv(backend, got, sizeof got, MSG_DONTWAIT), WIRE_HDR_SIZE);
    ck_assert_mem_eq(got, bytes, WIRE_HDR_SIZE);
    channel_pair_gate_end();
    channel_pair_begin(&set, _i == 0);
    wire_put_hdr(bytes, &judged);
    peer_send_raw(client, bytes, DMA_GATE_HEAD - 1, NULL);
    channel_pair_settle();
    peer_expect_silence(backend);
    peer_send_raw(client, bytes + DMA_GATE_HEAD - 1, 1, NULL);
    channel_pair_settle();
    ck_assert_int_eq(recv(backend, got, sizeof got, MSG_DONTWAIT), DMA_GATE_HEAD);
    channel_pair_gate_end();
}
END_TEST

/* ---- headers that are no messages ---- */

static void channel_pair_send_small(int fd, uint16_t id, uint32_t flags, uint32_t size,
                                    const struct fdset *fds)
{
    const struct wire_hdr hdr = {
        .id = id, .command = WIRE_REGION_READ, .size = size, .flags = flags};
    uint8_t bytes[WIRE_HDR_SIZE];

    wire_put_hdr(bytes, &hdr);
    peer_send_raw(fd, bytes, sizeof bytes, fds);
    channel_pair_settle();
}

/* Answered with EINVAL, with and without a gate, from either side; the session goes on. */
START_TEST(a_header_below_its_own_size_is_answered)
{
    const struct dma_settings set = {.withhold = _i & 1};
    const bool by_client = _i & 2;
    int from;
    int to;

    channel_pair_begin(&set, false);
    from = by_client ? client : backend;
    to = by_client ? backend : client;
    for (uint32_t size = 0; size < WIRE_HDR_SIZE; size++) {
        struct bytes b = {NULL, 0};
        struct fdset fds;

        fdset_init(&fds);
        peer_memfds(&fds, size % 2);
        channel_pair_send_small(from, (uint16_t)size, 0, size, &fds);
        fdset_close(&fds);
        channel_pair_expect_error(from, (uint16_t)size, WIRE_REGION_READ, EINVAL);
        channel_pair_send_small(from, 77, WIRE_NO_REPLY, size, NULL);
        channel_pair_add(&b, (struct wire_hdr){.id = 100, .command = WIRE_DEVICE_RESET}, "", 0, 0);
        channel_pair_send_bytes(from, &b, NULL);
        channel_pair_expect(to, 100, WIRE_DEVICE_RESET);
    }
    peer_expect_silence(from);
    ck_assert_uint_eq(refusals, 1);
    ck_assert_int_eq(ended.reason, REASON_NONE);
    channel_pair_gate_end();
}
END_TEST

START_TEST(a_reply_below_its_header_s_size_ends_it)
{
    const struct dma_settings set = {.withhold = 0};

    channel_pair_begin(&set, false);
    channel_pair_send_small(backend, 1, WIRE_TYPE_REPLY, 15, NULL);
    ck_assert_int_eq(ended.reason, REASON_BAD_FRAME);
    ck_assert(!ended.from_client);
    channel_pair_gate_end();
}
END_TEST

/* What waits to be answered is bounded, as refusals are, and every one is answered in the end. */
START_TEST(a_flood_of_small_headers_is_answered)
{
    const struct dma_settings set = {.withhold = 0};
    const struct wire_hdr hdr = {.command = WIRE_REGION_READ, .size = 3};
    uint8_t bytes[WIRE_HDR_SIZE];
    unsigned n = 0;

    channel_pair_begin(&set, false);
    wire_put_hdr(bytes, &hdr);
    ck_assert_int_eq(sock_nonblock(client), 0);
    for (int idle = 0; idle < 4;) {
        if (send(client, bytes, sizeof bytes, MSG_NOSIGNAL) == sizeof bytes) {
            n++;
            idle = 0;
            continue;
        }
        channel_pair_settle();
        idle++;
        ck_assert_uint_le(channels.dma.client.reply_end, (size_t)DMA_REPLIES * WIRE_HDR_SIZE);
    }
    ck_assert_int_eq(sock_block(client), 0);
    for (unsigned i = 0; i < n; i++) {
        if (i % 64 == 0) {
            channel_pair_settle();
        }
        channel_pair_expect_error(client, 0, WIRE_REGION_READ, EINVAL);
    }
    ck_assert_int_eq(ended.reason, REASON_NONE);
    channel_pair_gate_end();
}
END_TEST

/* ---- what goes on without its fds ---- */

/* The flags that speak of an fd go with it, and no others; what passed without is not counted. */
START_TEST(a_map_without_its_fd_does_not_speak_of_one)
{
    static const uint32_t flags[] = {R | W, R | W | WIRE_DMA_MMAP, R | WIRE_DMA_FILE_IO,
                                     R | W | WIRE_DMA_MMAP | WIRE_DMA_FILE_IO, 0x100 | R};

    channel_pair_withhold();
    for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++) {
        struct bytes b = {NULL, 0};
        struct wire_dma_map got;
        struct message m;
        struct fdset fd;

        fdset_init(&fd);
        peer_memfds(&fd, 1);
        channel_pair_add_map(&b, (uint16_t)i, i * UINT64_C(0x200000), flags[i]);
        channel_pair_send_bytes(client, &b, &fd);
        fdset_close(&fd);
        peer_recv(backend, &m);
        ck_assert(wire_get(m.payload, m.n, &got, sizeof got));
        ck_assert_uint_eq(got.flags, flags[i] & ~(WIRE_DMA_MMAP | WIRE_DMA_FILE_IO));
        ck_assert_uint_eq(got.address, i * UINT64_C(0x200000));
        ck_assert_uint_eq(m.fds.n, 0);
        message_deinit(&m);
    }
    ck_assert_uint_eq(channels.to_backend.mark->total.count.fds, 0);
    ck_assert_uint_eq(channels.to_backend.mark->total.count.messages, sizeof flags / sizeof *flags);
    channel_pair_gate_end();
}
END_TEST

/* _i: whether all are eventfds, or one among them is memory. */
START_TEST(interrupts_go_on_and_memory_among_them_does_not)
{
    struct bytes b = {NULL, 0};
    struct message m;
    struct fdset fds;

    channel_pair_withhold();
    fdset_init(&fds);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(fdset_add_take(&fds, eventfd(0, EFD_CLOEXEC)), 0);
    }
    peer_memfds(&fds, _i ? 0 : 1);
    channel_pair_add(&b, (struct wire_hdr){.id = 1, .command = WIRE_DEVICE_SET_IRQS}, "", 0, 20);
    channel_pair_send_bytes(client, &b, &fds);
    peer_recv(backend, &m);
    ck_assert_uint_eq(m.fds.n, _i ? 3 : 0);
    ck_assert_uint_eq(channels.to_backend.mark->total.count.fds, _i ? 3 : 0);
    message_deinit(&m);
    fdset_close(&fds);
    channel_pair_gate_end();
}
END_TEST

/* What the gate keeps back has not passed. */
START_TEST(what_is_kept_back_is_not_counted)
{
    struct bytes b = {NULL, 0};

    channel_pair_withhold();
    channel_pair_map(1, 0x200000, R);
    channel_pair_add_access(&b, 1, WIRE_DMA_READ, 0x200000, 8);
    channel_pair_add_access(&b, 2, WIRE_DMA_READ, 0x1000, 8);
    channel_pair_send_bytes(backend, &b, NULL);
    channel_pair_expect(client, 1, WIRE_DMA_READ);
    channel_pair_expect_error(backend, 2, WIRE_DMA_READ, EFAULT);
    ck_assert_uint_eq(channels.to_client.mark->total.count.messages, 1);
    ck_assert_uint_eq(channels.to_client.mark->total.count.bytes, 32);
    channel_pair_gate_end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lane_exact");
    TCase *tc = unit_case(s, "large");

    tcase_add_loop_test(tc, a_large_message_that_is_not_judged_goes_on_at_once, 0, 2);
    tc = unit_case(s, "small");
    tcase_add_loop_test(tc, a_header_below_its_own_size_is_answered, 0, 4);
    tcase_add_test(tc, a_reply_below_its_header_s_size_ends_it);
    tcase_add_test(tc, a_flood_of_small_headers_is_answered);
    tc = unit_case(s, "fds");
    tcase_add_test(tc, a_map_without_its_fd_does_not_speak_of_one);
    tcase_add_loop_test(tc, interrupts_go_on_and_memory_among_them_does_not, 0, 2);
    tcase_add_test(tc, what_is_kept_back_is_not_counted);
    return unit_run(s);
}
