/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What is relayed arrives unchanged, whole, in order and with its fds, however it is cut on the way
 * in, in both directions at once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"
#include "base/wire/wire_command.h"
#include "tests/daemon/rig.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/stream.h"
#include "tests/support/unit.h"

#define CAPS "{\"capabilities\":{\"max_msg_fds\":16}}"

static const struct {
    const char *name;
    enum flow_cut cut;
    size_t at;
} cuts[] = {
    {"whole", FLOW_WHOLE, 0},      {"glued", FLOW_GLUED, 0},
    {"bytes", FLOW_BYTES, 0},      {"header and body", FLOW_HEADER_BODY, 0},
    {"in the header", FLOW_AT, 9}, {"behind one byte", FLOW_AT, 1},
    {"in the body", FLOW_AT, 23},
};

#define CUTS ((int)(sizeof cuts / sizeof *cuts))

/* Both streams at once, one each way. */
static void pass_both(const struct pair *p, const struct stream *to_backend,
                      const struct stream *to_client, enum flow_cut cut, size_t at)
{
    struct flow flows[2] = {
        {.stream = to_backend,
         .from_fd = p->client_fd,
         .to_fd = p->backend_fd,
         .cut = cut,
         .at = at},
        {.stream = to_client,
         .from_fd = p->backend_fd,
         .to_fd = p->client_fd,
         .cut = cut,
         .at = at},
    };

    flow_run(flows, 2);
    peer_expect_silence(p->client_fd);
    peer_expect_silence(p->backend_fd);
}

/* ---- every command ---- */

/* One command code with this many payload bytes in every kind of message that there is. */
static void add_kinds(struct stream *s, uint16_t code, uint32_t size, unsigned fds)
{
    static const uint32_t flags[] = {
        WIRE_TYPE_COMMAND, WIRE_TYPE_COMMAND | WIRE_NO_REPLY,
        WIRE_TYPE_REPLY,   WIRE_TYPE_REPLY | WIRE_ERROR,
        0xfffffff2u, /* reserved bits, an unknown type */
    };

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        stream_add(s,
                   (struct wire_hdr){.id = (uint16_t)(s->count % 3),
                                     .command = code,
                                     .flags = flags[i],
                                     .error = flags[i] & WIRE_ERROR ? EINVAL : 0},
                   NULL, size, fds);
    }
}

static void add_sizes(struct stream *s, uint16_t code, const struct wire_body *body)
{
    add_kinds(s, code, body->fixed, 0);
    add_kinds(s, code, body->fixed + 1, 0);
    if (body->tail != WIRE_TAIL_NONE) {
        add_kinds(s, code, body->fixed + 256, 0);
    }
    if (body->fds) {
        add_kinds(s, code, body->fixed, 1);
        add_kinds(s, code, body->fixed + 8, 3);
    }
}

/* Every row of the table as request and reply, and what no table has. */
static void add_every_command(struct stream *s)
{
    static const uint16_t unknown[] = {0, 14, 19, 255, 0x7fff, 0xffff};

    for (size_t i = 0; i < wire_command_count(); i++) {
        const struct wire_command_info *const c = wire_command_at(i);

        add_sizes(s, (uint16_t)c->code, &c->request);
        add_sizes(s, (uint16_t)c->code, &c->reply);
        /* Odd ones: nothing at all, and fds where the specification has none. */
        add_kinds(s, (uint16_t)c->code, 0, 0);
        add_kinds(s, (uint16_t)c->code, 3, 1);
    }
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        add_kinds(s, unknown[i], 0, 0);
        add_kinds(s, unknown[i], 77, 2);
    }
}

START_TEST(every_command_both_ways)
{
    struct stream up;
    struct stream down;
    struct rig r;
    struct pair p;

    stream_init(&up);
    stream_init(&down);
    add_every_command(&up);
    add_kinds(&down, WIRE_DMA_READ, sizeof(struct wire_dma_access), 0);
    add_every_command(&down);
    rig_start(&r, "");
    rig_session(&r, CAPS, CAPS, &p);
    pass_both(&p, &up, &down, cuts[_i].cut, cuts[_i].at);
    pair_close(&p);
    stream_deinit(&up);
    stream_deinit(&down);
    rig_stop(&r);
}
END_TEST

/* ---- every cut ---- */

/* A small message with fds between two others, cut at each of its bytes. */
START_TEST(cut_at_every_byte)
{
    enum { PAYLOAD = 20 };
    struct stream s;
    struct rig r;
    struct pair p;

    stream_init(&s);
    stream_add(&s, (struct wire_hdr){.id = 1, .command = WIRE_DEVICE_RESET}, NULL, 0, 0);
    stream_add(&s, (struct wire_hdr){.id = 2, .command = WIRE_DEVICE_SET_IRQS}, NULL, PAYLOAD, 2);
    stream_add(&s, (struct wire_hdr){.id = 3, .command = WIRE_DEVICE_GET_INFO}, NULL, PAYLOAD, 0);
    rig_start(&r, "");
    rig_session(&r, CAPS, CAPS, &p);
    for (size_t at = 1; at < WIRE_HDR_SIZE + PAYLOAD; at++) {
        pass_both(&p, &s, &s, FLOW_AT, at);
    }
    pair_close(&p);
    stream_deinit(&s);
    rig_stop(&r);
}
END_TEST

/* Sizes at which the relay goes another way: what it looks at, and what it holds. */
static const uint32_t edges[] = {
    LIMIT_PEEK - 1,      LIMIT_PEEK,      LIMIT_PEEK + 1,      2 * LIMIT_PEEK,
    LIMIT_QUEUE - 1,     LIMIT_QUEUE,     LIMIT_QUEUE + 1,     LIMIT_QUEUE + LIMIT_PEEK,
    2 * LIMIT_QUEUE - 1, 2 * LIMIT_QUEUE, 2 * LIMIT_QUEUE + 1, 1048576,
};

static void add_edges(struct stream *s, bool fds)
{
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        stream_add(s, (struct wire_hdr){.id = 1, .command = WIRE_DEVICE_RESET}, NULL, 0, 0);
        stream_add(s, (struct wire_hdr){.id = 2, .command = WIRE_REGION_WRITE}, NULL,
                   edges[i] - WIRE_HDR_SIZE, fds ? 1 + (unsigned)i % 3 : 0);
        stream_add(s, (struct wire_hdr){.id = 3, .command = WIRE_DMA_MAP}, NULL, 32, fds);
    }
}

START_TEST(sizes_at_the_relays_edges)
{
    static const struct {
        enum flow_cut cut;
        size_t at;
    } big_cuts[] = {
        {FLOW_WHOLE, 0},
        {FLOW_GLUED, 0},
        {FLOW_HEADER_BODY, 0},
        {FLOW_AT, 1},
        {FLOW_AT, 15},
        {FLOW_AT, LIMIT_PEEK},
        {FLOW_AT, LIMIT_PEEK + 1},
        {FLOW_AT, LIMIT_QUEUE},
        {FLOW_AT, LIMIT_QUEUE + 1},
    };
    struct stream s;
    struct rig r;
    struct pair p;

    stream_init(&s);
    add_edges(&s, _i);
    rig_start(&r, "");
    rig_session(&r, CAPS, CAPS, &p);
    for (size_t i = 0; i < sizeof big_cuts / sizeof *big_cuts; i++) {
        pass_both(&p, &s, &s, big_cuts[i].cut, big_cuts[i].at);
    }
    pair_close(&p);
    stream_deinit(&s);
    rig_stop(&r);
}
END_TEST

/* Ten thousand small messages, as many in one write as go, some of them with fds. */
START_TEST(many_in_one_write)
{
    struct stream s;
    struct rig r;
    struct pair p;

    stream_init(&s);
    for (uint32_t i = 0; i < 10000; i++) {
        stream_add(&s, (struct wire_hdr){.id = (uint16_t)i, .command = WIRE_REGION_READ}, NULL,
                   i % 57, _i && i % 100 == 99);
    }
    rig_start(&r, "");
    rig_session(&r, CAPS, CAPS, &p);
    pass_both(&p, &s, &s, FLOW_GLUED, 0);
    pair_close(&p);
    stream_deinit(&s);
    rig_stop(&r);
}
END_TEST

static char worker_state(const struct rig *r)
{
    pid_t workers[RIG_WORKERS];
    char path[64];
    char state = '?';
    FILE *f;

    ck_assert_uint_eq(rig_workers(r, workers), 1);
    snprintf(path, sizeof path, "/proc/%d/stat", workers[0]);
    f = fopen(path, "re");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fscanf(f, "%*d (%*[^)]) %c", &state), 1);
    fclose(f);
    return state;
}

/* It serves all its sessions as ever, and sleeps when there are no messages any more. */
START_TEST(a_worker_that_stays_awake_sleeps_in_the_end)
{
    struct patience patience;
    struct stream s;
    struct rig r;
    struct pair p;
    struct pair other;

    stream_init(&s);
    for (uint16_t i = 0; i < 1000; i++) {
        stream_add(&s, (struct wire_hdr){.id = i, .command = WIRE_REGION_READ}, NULL, i % 57,
                   i % 100 == 99);
    }
    rig_start(&r, "    sessions 2\n    busy-poll 1ms");
    rig_session(&r, CAPS, CAPS, &p);
    rig_session(&r, CAPS, CAPS, &other);
    pass_both(&p, &s, &s, FLOW_WHOLE, 0);
    pass_both(&other, &s, &s, FLOW_GLUED, 0);
    patience = patience_begin();
    while (worker_state(&r) != 'S') {
        ck_assert(patience_again(&patience));
    }
    pair_ping(&p);
    pair_ping(&other);
    pair_close(&p);
    pair_close(&other);
    stream_deinit(&s);
    rig_stop(&r);
}
END_TEST

/* Sent byte by byte, a message still leaves by one sendmsg: its receiver may read it at once. */
START_TEST(a_message_leaves_whole)
{
    static uint8_t got[LIMIT_PEEK];
    struct stream s;
    struct rig r;
    struct pair p;

    stream_init(&s);
    stream_add(&s, (struct wire_hdr){.id = 1, .command = WIRE_REGION_WRITE}, NULL, 1000, 0);
    rig_start(&r, "");
    rig_session(&r, CAPS, CAPS, &p);
    for (size_t i = 0; i + 1 < s.n; i++) {
        peer_send_raw(p.client_fd, s.bytes + i, 1, NULL);
        peer_expect_silence(p.backend_fd);
    }
    peer_send_raw(p.client_fd, s.bytes + s.n - 1, 1, NULL);
    ck_assert_int_eq(recv(p.backend_fd, got, sizeof got, 0), (ssize_t)s.n);
    ck_assert_mem_eq(got, s.bytes, s.n);
    pair_close(&p);
    stream_deinit(&s);
    rig_stop(&r);
}
END_TEST

/* ---- much at once ---- */

/* Neither side's megabytes wait for the other's. VERSION without JSON: the defaults allow it. */
START_TEST(a_mebibyte_both_ways)
{
    struct stream up;
    struct stream down;
    struct rig r;
    struct pair p;

    stream_init(&up);
    stream_init(&down);
    for (uint16_t i = 0; i < 16; i++) {
        stream_add(&up, (struct wire_hdr){.id = i, .command = WIRE_REGION_WRITE}, NULL,
                   sizeof(struct wire_region_access) + LIMIT_DATA_XFER_DEFAULT, 0);
        stream_add(
            &down,
            (struct wire_hdr){.id = i, .command = WIRE_REGION_READ, .flags = WIRE_TYPE_REPLY}, NULL,
            sizeof(struct wire_region_access) + LIMIT_DATA_XFER_DEFAULT, 0);
    }
    rig_start(&r, "");
    rig_session(&r, NULL, NULL, &p);
    pass_both(&p, &up, &down, FLOW_WHOLE, 0);
    pass_both(&p, &up, &down, FLOW_GLUED, 0);
    pair_close(&p);
    stream_deinit(&up);
    stream_deinit(&down);
    rig_stop(&r);
}
END_TEST

/* Both sides' commands in flight at once with the same ids, each answered by the other side. */
START_TEST(commands_of_both_sides_interleave)
{
    const struct wire_region_access read = {.offset = 8, .region = 0, .count = 4};
    const struct wire_dma_access dma = {.address = 4096, .count = 8};
    struct rig r;
    struct pair p;
    struct message m;

    rig_start(&r, "");
    rig_session(&r, CAPS, CAPS, &p);
    for (uint16_t i = 0; i < 200; i++) {
        const uint16_t id = i % 2;
        const struct wire_hdr up = {.id = id, .command = WIRE_REGION_READ};
        const struct wire_hdr down = {.id = id, .command = WIRE_DMA_READ};

        peer_send(p.client_fd, up, &read, sizeof read, NULL);
        peer_send(p.backend_fd, down, &dma, sizeof dma, NULL);
        peer_recv(p.backend_fd, &m);
        ck_assert_uint_eq(m.hdr.command, WIRE_REGION_READ);
        ck_assert_uint_eq(m.hdr.id, id);
        message_deinit(&m);
        /* The backend answers only when its own question has been answered. */
        peer_recv(p.client_fd, &m);
        ck_assert_uint_eq(m.hdr.command, WIRE_DMA_READ);
        peer_send(p.client_fd, wire_reply_hdr(&m.hdr, sizeof dma), &dma, sizeof dma, NULL);
        message_deinit(&m);
        peer_recv(p.backend_fd, &m);
        ck_assert_uint_eq(m.hdr.command, WIRE_DMA_READ);
        ck_assert(wire_is_reply(&m.hdr));
        message_deinit(&m);
        peer_send(p.backend_fd, wire_reply_hdr(&up, sizeof read), &read, sizeof read, NULL);
        peer_recv(p.client_fd, &m);
        ck_assert_uint_eq(m.hdr.command, WIRE_REGION_READ);
        ck_assert(wire_is_reply(&m.hdr));
        message_deinit(&m);
    }
    peer_expect_silence(p.client_fd);
    peer_expect_silence(p.backend_fd);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* Posted writes are passed on, and nobody answers them. */
START_TEST(no_reply_is_respected)
{
    struct stream s;
    struct rig r;
    struct pair p;

    stream_init(&s);
    for (uint16_t i = 0; i < 100; i++) {
        stream_add(&s,
                   (struct wire_hdr){.id = i, .command = WIRE_REGION_WRITE, .flags = WIRE_NO_REPLY},
                   NULL, 20, 0);
    }
    rig_start(&r, "");
    rig_session(&r, CAPS, CAPS, &p);
    flow_pass(&s, p.client_fd, p.backend_fd, FLOW_WHOLE, 0);
    peer_expect_silence(p.client_fd);
    /* What comes next on the client's side is the answer to the one question. */
    pair_ping(&p);
    peer_expect_silence(p.client_fd);
    pair_close(&p);
    stream_deinit(&s);
    rig_stop(&r);
}
END_TEST

/* What passed stands in the log's line of the session's end. */
START_TEST(what_passed_is_counted)
{
    struct stream up;
    struct stream down;
    struct rig r;
    struct pair p;
    char line[512];
    char want[256];

    stream_init(&up);
    stream_init(&down);
    for (uint16_t i = 0; i < 300; i++) {
        stream_add(&up, (struct wire_hdr){.id = i, .command = WIRE_DMA_MAP}, NULL, 32, i % 3);
    }
    stream_add(&up, (struct wire_hdr){.id = 1, .command = WIRE_REGION_WRITE}, NULL, 1000000, 1);
    stream_add(&down, (struct wire_hdr){.command = WIRE_REGION_READ, .flags = WIRE_TYPE_REPLY},
               NULL, 700000, 0);
    rig_start(&r, "");
    rig_session(&r, CAPS, CAPS, &p);
    pass_both(&p, &up, &down, cuts[_i].cut, cuts[_i].at);
    snprintf(want, sizeof want, " to-backend=%zu/%zu/%u to-client=%zu/%zu/%u ", up.count, up.n,
             300 + 1, down.count, down.n, 0);
    pair_close(&p);
    rig_await_log(&r, " ended: ", line, sizeof line);
    ck_assert_msg(strstr(line, want), "%s: not%s", line, want);
    stream_deinit(&up);
    stream_deinit(&down);
    rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("daemon: relay");
    TCase *const commands = rig_case(suite, "commands");
    TCase *const sizes = rig_case(suite, "sizes");

    tcase_set_tags(commands, RIG_VALGRIND);
    tcase_add_loop_test(commands, every_command_both_ways, 0, CUTS);
    tcase_add_test(commands, commands_of_both_sides_interleave);
    tcase_add_test(commands, no_reply_is_respected);
    tcase_add_loop_test(commands, what_passed_is_counted, 0, 2);
    tcase_add_test(sizes, cut_at_every_byte);
    tcase_add_loop_test(sizes, sizes_at_the_relays_edges, 0, 2);
    tcase_add_loop_test(sizes, many_in_one_write, 0, 2);
    tcase_add_test(sizes, a_worker_that_stays_awake_sleeps_in_the_end);
    tcase_add_test(sizes, a_message_leaves_whole);
    tcase_add_test(sizes, a_mebibyte_both_ways);
    return unit_run(suite);
}
