/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The rig of the pipe's suites. Everything is non-blocking: what is not there is missing.
 */
#define _GNU_SOURCE
#include "tests/unit/relay/relay_rig.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

void rig_init(struct relay_rig *r, uint32_t max_fds, uint32_t max_data)
{
    const struct wire_takes takes = {.max_data = max_data, .max_bitmap = max_data};
    const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int in[2];
    int out[2];

    *r = (struct relay_rig){.n = 0};
    ck_assert_int_eq(socketpair(AF_UNIX, type, 0, in), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, type, 0, out), 0);
    r->source_fd = in[0];
    r->from_fd = in[1];
    r->to_fd = out[0];
    r->sink_fd = out[1];
    r->messages = calloc(RIG_MESSAGES, sizeof *r->messages);
    ck_assert_ptr_nonnull(r->messages);
    queue_pool_init(&r->pool);
    relay_init(&r->direction, r->from_fd, r->to_fd, max_fds, &takes, &r->pool, &r->mark);
}

static void forget_messages(struct relay_rig *r)
{
    for (size_t i = 0; i < r->count; i++) {
        fdset_close(&r->messages[i].fds);
    }
    r->count = 0;
    r->received = 0;
    r->n = 0;
    r->written = 0;
}

void rig_deinit(struct relay_rig *r)
{
    forget_messages(r);
    relay_deinit(&r->direction);
    queue_pool_deinit(&r->pool);
    sock_close(&r->source_fd);
    sock_close(&r->from_fd);
    sock_close(&r->to_fd);
    sock_close(&r->sink_fd);
    free(r->messages);
    free(r->bytes);
    free(r->got);
}

void rig_restart(struct relay_rig *r)
{
    ck_assert(r->written == r->n);
    ck_assert(r->received == r->count);
    forget_messages(r);
}

static void make_room(struct relay_rig *r, size_t n)
{
    if (n > r->room) {
        r->room = 2 * n;
        r->bytes = realloc(r->bytes, r->room);
        r->got = realloc(r->got, r->room);
        ck_assert_ptr_nonnull(r->bytes);
        ck_assert_ptr_nonnull(r->got);
    }
}

void rig_message(struct relay_rig *r, struct wire_hdr hdr, size_t size)
{
    struct rig_message *const m = &r->messages[r->count];

    ck_assert(r->count < RIG_MESSAGES);
    ck_assert(size >= WIRE_HDR_SIZE);
    make_room(r, r->n + size);
    hdr.id = (uint16_t)r->count;
    hdr.size = (uint32_t)size;
    wire_put_hdr(r->bytes + r->n, &hdr);
    for (size_t i = WIRE_HDR_SIZE; i < size; i++) {
        r->bytes[r->n + i] = (uint8_t)(r->count * 31 + i * 7 + i / 251);
    }
    m->start = r->n;
    m->size = size;
    fdset_init(&m->fds);
    r->n += size;
    r->count++;
}

void rig_command(struct relay_rig *r, size_t size)
{
    rig_message(r, (struct wire_hdr){.command = WIRE_DEVICE_SET_IRQS}, size);
}

/* The message that holds byte at of the stream. */
static struct rig_message *message_at(struct relay_rig *r, size_t at)
{
    size_t i = r->count - 1;

    while (r->messages[i].start > at) {
        i--;
    }
    return &r->messages[i];
}

void rig_write(struct relay_rig *r, size_t n, unsigned n_fds)
{
    struct fdset fds;

    ck_assert(r->written + n <= r->n);
    fdset_init(&fds);
    peer_memfds(&fds, n_fds);
    ck_assert(sock_send(r->source_fd, r->bytes + r->written, n, &fds, 0) == (ssize_t)n);
    /* More than a set holds are more than any pipe passes on: never to be compared. */
    (void)fdset_append_take(&message_at(r, r->written)->fds, &fds);
    r->written += n;
}

/* As the loop sees it. */
static bool is_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

enum relay_outcome rig_run(struct relay_rig *r)
{
    enum relay_outcome o;
    uint64_t before;

    r->detail = (struct relay_detail){.err = 0};
    do {
        before = r->direction.mark->total.taken;
        o = relay_turn(&r->direction, &r->detail);
        if (o == RELAY_READ && r->direction.mark->total.taken == before &&
            is_readable(r->from_fd)) {
            ck_abort_msg("the pipe waits for what is there: the loop would spin");
        }
    } while (o == RELAY_MORE || (o == RELAY_READ && is_readable(r->from_fd)));
    return o;
}

/* One message. Its fds must have come with its first byte. */
static void receive(const struct relay_rig *r, const struct rig_message *m)
{
    struct fdset fds;
    struct fdset late;
    int err;

    fdset_init(&fds);
    fdset_init(&late);
    err = sock_recv_all(r->sink_fd, r->got, 1, &fds);
    if (!err) {
        err = sock_recv_all(r->sink_fd, r->got + 1, m->size - 1, &late);
    }
    if (err) {
        ck_abort_msg("message %td has not come whole: %s", m - r->messages, strerror(-err));
    }
    ck_assert(memcmp(r->got, r->bytes + m->start, m->size) == 0);
    if (fds.n != m->fds.n) {
        ck_abort_msg("message %td has %u fds, not %u", m - r->messages, fds.n, m->fds.n);
    }
    ck_assert(late.n == 0);
    if (fds.n > 0) {
        peer_expect_same_fds(&m->fds, &fds);
    }
    fdset_close(&fds);
}

void rig_receive(struct relay_rig *r)
{
    while (r->received < r->count) {
        struct rig_message *const m = &r->messages[r->received];

        if (m->start + m->size > r->written) {
            break;
        }
        receive(r, m);
        fdset_close(&m->fds);
        r->received++;
    }
    rig_expect_nothing(r);
}

void rig_expect_nothing(const struct relay_rig *r)
{
    uint8_t byte;
    const ssize_t n = recv(r->sink_fd, &byte, 1, MSG_PEEK);

    if (n >= 0 || errno != EAGAIN) {
        ck_abort_msg("instead of nothing came %s", n == 0 ? "the end" : "bytes");
    }
}
