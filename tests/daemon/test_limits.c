/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What breaks framing ends the session, at the limit and one past it; and a slow reader stops its
 * writer, while poemd's memory stays where base/limits.h says.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "tests/daemon/rig.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/stream.h"
#include "tests/support/unit.h"

/* ---- sizes ---- */

/* What the client and the backend take: different, so that they cannot be mistaken. */
#define CLIENT_DATA 5000u
#define BACKEND_DATA 9000u
#define CLIENT_CAPS "{\"capabilities\":{\"max_data_xfer_size\":5000}}"
#define BACKEND_CAPS "{\"capabilities\":{\"max_data_xfer_size\":9000}}"

struct bound {
    uint16_t command;
    uint32_t flags;
    bool to_client;
    uint32_t most; /* bytes of the whole message */
};

#define DATA_MOST(max, fixed) (WIRE_HDR_SIZE + (uint32_t)sizeof(fixed) + (max))
/* Too large to be sent here: where it begins is enough. */
#define OTHER_MOST LIMIT_MESSAGE

static const struct bound bounds[] = {
    {WIRE_REGION_WRITE, WIRE_TYPE_COMMAND, false,
     DATA_MOST(BACKEND_DATA, struct wire_region_access)},
    {WIRE_REGION_WRITE, WIRE_NO_REPLY, false, DATA_MOST(BACKEND_DATA, struct wire_region_access)},
    {WIRE_REGION_READ, WIRE_TYPE_REPLY, true, DATA_MOST(CLIENT_DATA, struct wire_region_access)},
    {WIRE_DMA_READ, WIRE_TYPE_REPLY, false, DATA_MOST(BACKEND_DATA, struct wire_dma_access)},
    {WIRE_DMA_WRITE, WIRE_TYPE_COMMAND, true, DATA_MOST(CLIENT_DATA, struct wire_dma_access)},
    {WIRE_REGION_READ, WIRE_TYPE_COMMAND, false, OTHER_MOST},
    {WIRE_REGION_WRITE, WIRE_TYPE_REPLY, true, OTHER_MOST},
    {WIRE_DEVICE_SET_IRQS, WIRE_TYPE_COMMAND, false, OTHER_MOST},
    {WIRE_DEVICE_GET_REGION_INFO, WIRE_TYPE_REPLY, true, OTHER_MOST},
    {WIRE_VERSION, WIRE_TYPE_COMMAND, false, OTHER_MOST},
    {0xffff, 0xffffffff, true, OTHER_MOST},
};

/* The largest message that is allowed passes; the header of one that is a byte larger is the end.
 */
START_TEST(sizes_at_the_bound)
{
    struct rig r;
    struct pair p;

    rig_start(&r, "");
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        const struct bound *const b = &bounds[i];
        struct wire_hdr hdr = {.id = 3, .command = b->command, .flags = b->flags};
        uint8_t bytes[WIRE_HDR_SIZE];
        struct stream s;

        stream_init(&s);
        stream_add(&s, hdr, NULL, b->most < OTHER_MOST ? b->most - WIRE_HDR_SIZE : 1u << 20, 0);
        rig_session(&r, CLIENT_CAPS, BACKEND_CAPS, &p);
        flow_pass(&s, b->to_client ? p.backend_fd : p.client_fd,
                  b->to_client ? p.client_fd : p.backend_fd, FLOW_WHOLE, 0);
        stream_deinit(&s);
        pair_ping(&p);
        hdr.size = b->most + 1;
        wire_put_hdr(bytes, &hdr);
        peer_send_raw(b->to_client ? p.backend_fd : p.client_fd, bytes, sizeof bytes, NULL);
        pair_expect_end(&p);
        rig_await_log(&r, "message size above the negotiated limit", NULL, 0);
        rig_await_log(&r,
                      b->to_client ? "reason=bad-frame by=backend" : "reason=bad-frame by=client",
                      NULL, 0);
    }
    rig_stop(&r);
}
END_TEST

/* MIG_DATA's fixed part is 8 bytes shorter than the other data-carrying messages'. */
START_TEST(sizes_of_migration_data)
{
    static const struct bound migration[] = {
        {WIRE_MIG_DATA_WRITE, WIRE_TYPE_COMMAND, false,
         DATA_MOST(BACKEND_DATA, struct wire_mig_data)},
        {WIRE_MIG_DATA_READ, WIRE_TYPE_REPLY, true, DATA_MOST(CLIENT_DATA, struct wire_mig_data)},
    };
    struct rig r;
    struct pair p;

    rig_start(&r, "");
    for (size_t i = 0; i < 2; i++) {
        const struct bound *const b = &migration[i];
        struct wire_hdr hdr = {.id = 3, .command = b->command, .flags = b->flags};
        uint8_t bytes[WIRE_HDR_SIZE];
        struct stream s;

        stream_init(&s);
        stream_add(&s, hdr, NULL, b->most - WIRE_HDR_SIZE, 0);
        rig_session(&r, CLIENT_CAPS, BACKEND_CAPS, &p);
        flow_pass(&s, b->to_client ? p.backend_fd : p.client_fd,
                  b->to_client ? p.client_fd : p.backend_fd, FLOW_WHOLE, 0);
        stream_deinit(&s);
        hdr.size = b->most + 1;
        wire_put_hdr(bytes, &hdr);
        peer_send_raw(b->to_client ? p.backend_fd : p.client_fd, bytes, sizeof bytes, NULL);
        pair_expect_end(&p);
        rig_await_log(&r, "reason=bad-frame", NULL, 0);
    }
    rig_stop(&r);
}
END_TEST

/* Sizes that are none, in one piece and byte by byte, with good messages before. */
START_TEST(sizes_that_are_none)
{
    static const uint32_t sizes[] = {LIMIT_MESSAGE + 1, 0x7fffffff, 0x80000000, 0xffffffff};
    struct stream s;
    struct rig r;
    struct pair p;

    stream_init(&s);
    for (int i = 0; i < 10; i++) {
        stream_add(&s, (struct wire_hdr){.command = WIRE_DMA_MAP}, NULL, 32, i % 3 == 1);
    }
    rig_start(&r, "");
    for (size_t i = 0; i < 4 * sizeof sizes / sizeof *sizes; i++) {
        const struct wire_hdr hdr = {.command = WIRE_DMA_MAP, .size = sizes[i / 4]};
        const bool from_client = i % 2;
        uint8_t bytes[WIRE_HDR_SIZE];
        int from_fd;

        wire_put_hdr(bytes, &hdr);
        rig_session(&r, "{}", "{}", &p);
        from_fd = from_client ? p.client_fd : p.backend_fd;
        flow_pass(&s, from_fd, from_client ? p.backend_fd : p.client_fd, FLOW_GLUED, 0);
        if (i % 4 < 2) {
            peer_send_raw(from_fd, bytes, sizeof bytes, NULL);
        } else {
            for (size_t n = 0; n < sizeof bytes; n++) {
                peer_send_raw(from_fd, bytes + n, 1, NULL);
            }
        }
        pair_expect_end(&p);
        rig_await_log(&r, "reason=bad-frame", NULL, 0);
        rig_settle(&r);
    }
    stream_deinit(&s);
    rig_stop(&r);
}
END_TEST

/* A command below its header's size is answered, as libvfio-user does, and the session goes on. */
START_TEST(sizes_below_the_header_s)
{
    static const uint32_t sizes[] = {0, 1, 15};
    struct rig r;
    struct pair p;

    rig_start(&r, "");
    rig_session(&r, "{}", "{}", &p);
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        const int from_fd = i % 2 ? p.client_fd : p.backend_fd;
        const struct wire_hdr hdr = {
            .id = (uint16_t)i, .command = WIRE_REGION_WRITE, .size = sizes[i / 2]};
        uint8_t bytes[WIRE_HDR_SIZE];

        wire_put_hdr(bytes, &hdr);
        peer_send_raw(from_fd, bytes, sizeof bytes, NULL);
        ck_assert_int_eq(peer_recv_error(from_fd, (uint16_t)i, WIRE_REGION_WRITE), EINVAL);
        pair_ping(&p);
    }
    rig_await_log(&r, "message size below 16, the size of its header: command 10 (REGION_WRITE)",
                  NULL, 0);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* A bad header glued behind good messages: those arrive, and it does not. */
START_TEST(a_bad_header_behind_good_messages)
{
    const struct wire_hdr bad = {.command = WIRE_REGION_WRITE, .size = UINT32_MAX};
    struct stream s;
    struct rig r;
    struct pair p;
    struct flow f = {.stream = &s};
    uint8_t *bytes;

    stream_init(&s);
    for (int i = 0; i < 20; i++) {
        stream_add(&s, (struct wire_hdr){.command = WIRE_DMA_UNMAP}, NULL, 24, 0);
    }
    bytes = malloc(s.n + WIRE_HDR_SIZE);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, s.bytes, s.n);
    wire_put_hdr(bytes + s.n, &bad);
    rig_start(&r, "");
    rig_session(&r, "{}", "{}", &p);
    peer_send_raw(p.client_fd, bytes, s.n + WIRE_HDR_SIZE, NULL);
    free(bytes);
    f.from_fd = p.client_fd;
    f.to_fd = p.backend_fd;
    f.sent = s.n;
    flow_run(&f, 1);
    pair_expect_end(&p);
    rig_await_log(&r, "reason=bad-frame", NULL, 0);
    stream_deinit(&s);
    rig_stop(&r);
}
END_TEST

/* ---- slow readers ---- */

/* One queue each way is what a session may hold; and as much again for the allocator. */
#define HELD_KIB ((long)(2 * 2 * LIMIT_QUEUE / 1024))

static void add_mebibytes(struct stream *s, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        stream_add(s, (struct wire_hdr){.id = (uint16_t)i, .command = WIRE_REGION_WRITE}, NULL,
                   sizeof(struct wire_region_access) + LIMIT_DATA_XFER_DEFAULT, i % 8 == 5);
    }
}

/*
 * Neither side reads while both write megabytes: both are stopped, the worker holds no more than
 * its queues; then both read, and all of it is there.
 */
START_TEST(nobody_reads_megabytes)
{
    struct stream s;
    struct rig r;
    struct pair p;
    struct flow flows[2] = {{.stream = &s}, {.stream = &s}};

    stream_init(&s);
    add_mebibytes(&s, 16);
    rig_start(&r, "");
    rig_session(&r, "{}", "{}", &p);
    flows[0].from_fd = flows[1].to_fd = p.client_fd;
    flows[0].to_fd = flows[1].from_fd = p.backend_fd;
    flow_fill(&flows[0]);
    flow_fill(&flows[1]);
    /* A message that large is not held whole, not even one. */
    ck_assert_uint_lt(flows[0].sent, LIMIT_DATA_XFER_DEFAULT);
    ck_assert_uint_lt(flows[1].sent, LIMIT_DATA_XFER_DEFAULT);
    if (rig_measurable()) {
        const long kib = process_anon_kib(rig_worker(&r));

        ck_assert_msg(kib <= r.worker_kib + HELD_KIB, "the worker has %ld KiB, began with %ld", kib,
                      r.worker_kib);
    }
    flow_run(flows, 2);
    pair_ping(&p);
    pair_close(&p);
    stream_deinit(&s);
    rig_stop(&r);
}
END_TEST

/* The same with small messages and fds: the kernel's queue of fds in flight is bounded too. */
START_TEST(nobody_reads_small_messages)
{
    struct stream s;
    struct rig r;
    struct pair p;
    struct flow f = {.stream = &s, .cut = FLOW_GLUED};

    stream_init(&s);
    for (unsigned i = 0; i < 60000; i++) {
        stream_add(&s, (struct wire_hdr){.id = (uint16_t)i, .command = WIRE_REGION_WRITE}, NULL,
                   i % 64, i % 600 == 599);
    }
    rig_start(&r, "");
    rig_session(&r, "{}", "{}", &p);
    f.from_fd = p.client_fd;
    f.to_fd = p.backend_fd;
    flow_fill(&f);
    if (rig_measurable()) {
        const long kib = process_anon_kib(rig_worker(&r));

        ck_assert_msg(kib <= r.worker_kib + HELD_KIB, "the worker has %ld KiB, began with %ld", kib,
                      r.worker_kib);
    }
    flow_run(&f, 1);
    pair_ping(&p);
    pair_close(&p);
    stream_deinit(&s);
    rig_stop(&r);
}
END_TEST

/* One session's slow reader is no other session's matter, in the same worker. */
START_TEST(a_slow_reader_holds_up_nobody_else)
{
    struct stream s;
    struct stream quick;
    struct rig r;
    struct pair slow;
    struct pair p;
    struct flow f = {.stream = &s};

    stream_init(&s);
    stream_init(&quick);
    add_mebibytes(&s, 4);
    add_mebibytes(&quick, 2);
    rig_start(&r, "    sessions 2");
    rig_session(&r, "{}", "{}", &slow);
    rig_session(&r, "{}", "{}", &p);
    f.from_fd = slow.client_fd;
    f.to_fd = slow.backend_fd;
    flow_fill(&f);
    for (int i = 0; i < 50; i++) {
        pair_ping(&p);
    }
    flow_pass(&quick, p.client_fd, p.backend_fd, FLOW_WHOLE, 0);
    /* Nor is its own other direction. */
    flow_pass(&quick, slow.backend_fd, slow.client_fd, FLOW_WHOLE, 0);
    flow_run(&f, 1);
    pair_close(&slow);
    pair_close(&p);
    stream_deinit(&s);
    stream_deinit(&quick);
    rig_stop(&r);
}
END_TEST

/* A slow reader that goes away, the queue being full and fds held: all of it is given back. */
START_TEST(a_slow_reader_goes)
{
    struct stream s;
    struct rig r;
    struct pair p;

    stream_init(&s);
    add_mebibytes(&s, 16);
    rig_start(&r, "");
    for (int i = 0; i < 4; i++) {
        struct flow f = {.stream = &s};

        rig_session(&r, "{}", "{}", &p);
        f.from_fd = i % 2 ? p.client_fd : p.backend_fd;
        f.to_fd = i % 2 ? p.backend_fd : p.client_fd;
        flow_fill(&f);
        if (i < 2) {
            sock_close(i % 2 ? &p.backend_fd : &p.client_fd);
            peer_expect_eof(f.from_fd);
        }
        pair_close(&p);
        rig_await_log(&r, " ended: ", NULL, 0);
        rig_settle(&r);
    }
    stream_deinit(&s);
    rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("daemon: limits");
    TCase *const tc = rig_case(suite, "limits");

    tcase_add_test(tc, sizes_at_the_bound);
    tcase_add_test(tc, sizes_of_migration_data);
    tcase_add_test(tc, sizes_that_are_none);
    tcase_add_test(tc, sizes_below_the_header_s);
    tcase_add_test(tc, a_bad_header_behind_good_messages);
    tcase_add_test(tc, nobody_reads_megabytes);
    tcase_add_test(tc, nobody_reads_small_messages);
    tcase_add_test(tc, a_slow_reader_holds_up_nobody_else);
    tcase_add_test(tc, a_slow_reader_goes);
    return unit_run(suite);
}
