/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Sends and compares streams of messages. Waits only in poll.
 */
#define _GNU_SOURCE
#include "tests/support/stream.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"

#define FLOWS 8

/* Nothing having gone for this long, a full path is called full: see flow_fill. */
#define FULL_MS 300

/* Read at once by the receiving end at most. */
#define READ_SIZE 65536

void stream_init(struct stream *s)
{
    *s = (struct stream){.n = 0};
}

void stream_deinit(struct stream *s)
{
    for (size_t i = 0; i < s->count; i++) {
        fdset_close(&s->messages[i].fds);
    }
    free(s->messages);
    free(s->bytes);
    stream_init(s);
}

/* Bytes that depend on the message and on the place, so that nothing can be swapped unnoticed. */
static void fill_pattern(uint8_t *p, size_t n, uint32_t seed)
{
    uint32_t x = seed * 2654435761u + 1;

    for (size_t i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        p[i] = (uint8_t)x;
    }
}

/* Room for another message of size bytes. Doubled, since streams have many. */
static void make_room(struct stream *s, size_t size)
{
    if (s->n + size > s->bytes_room) {
        s->bytes_room = 2 * (s->n + size);
        s->bytes = realloc(s->bytes, s->bytes_room);
        ck_assert_ptr_nonnull(s->bytes);
    }
    if (s->count == s->messages_room) {
        s->messages_room = 2 * s->count + 8;
        s->messages = realloc(s->messages, s->messages_room * sizeof *s->messages);
        ck_assert_ptr_nonnull(s->messages);
    }
}

void stream_add(struct stream *s, struct wire_hdr hdr, const void *payload, size_t n,
                unsigned n_fds)
{
    const size_t size = WIRE_HDR_SIZE + n;
    struct stream_message *m;

    make_room(s, size);
    hdr.size = (uint32_t)size;
    wire_put_hdr(s->bytes + s->n, &hdr);
    if (payload) {
        memcpy(s->bytes + s->n + WIRE_HDR_SIZE, payload, n);
    } else {
        fill_pattern(s->bytes + s->n + WIRE_HDR_SIZE, n, (uint32_t)s->count);
    }
    m = &s->messages[s->count++];
    m->start = s->n;
    m->size = size;
    fdset_init(&m->fds);
    peer_memfds(&m->fds, n_fds);
    s->n += size;
}

/* The message that holds byte at. */
static const struct stream_message *message_of(const struct stream *s, size_t at)
{
    size_t low = 0;
    size_t high = s->count;

    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;

        if (s->messages[middle].start <= at) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return &s->messages[low];
}

/* Where a glued write that begins in message m must end: before the next one that has fds. */
static size_t glue_end(const struct stream *s, const struct stream_message *m)
{
    const struct stream_message *const end = s->messages + s->count;

    for (m++; m < end; m++) {
        if (m->fds.n > 0) {
            return m->start;
        }
    }
    return s->n;
}

static size_t cut_end(const struct flow *f, const struct stream_message *m)
{
    const size_t end = m->start + m->size;
    size_t at = f->at;

    switch (f->cut) {
    case FLOW_GLUED:
        return glue_end(f->stream, m);
    case FLOW_BYTES:
        return f->sent + 1;
    case FLOW_HEADER_BODY:
        at = WIRE_HDR_SIZE;
        break;
    case FLOW_AT:
        break;
    case FLOW_WHOLE:
        return end;
    }
    return at < m->size && f->sent < m->start + at ? m->start + at : end;
}

static bool sending(const struct flow *f)
{
    return f->sent < f->stream->n;
}

static bool receiving(const struct flow *f)
{
    return f->received < f->stream->n;
}

/* One sendmsg. Whether something went. */
static bool send_some(struct flow *f, int flags)
{
    const struct stream_message *const m = message_of(f->stream, f->sent);
    const struct fdset *const fds = f->sent == m->start ? &m->fds : NULL;
    const ssize_t n =
        sock_send(f->from_fd, f->stream->bytes + f->sent, cut_end(f, m) - f->sent, fds, flags);

    if (n == -EAGAIN || n == -ETOOMANYREFS) {
        return false;
    }
    ck_assert_msg(n > 0, "sending message %zu: %s", (size_t)(m - f->stream->messages),
                  strerror((int)-n));
    f->sent += (size_t)n;
    return true;
}

/* One recvmsg, which never goes past a header or a message. Whether something came. */
static bool receive_some(struct flow *f)
{
    const struct stream_message *const m = &f->stream->messages[f->done];
    const size_t in = f->received - m->start;
    const size_t want = in < WIRE_HDR_SIZE ? WIRE_HDR_SIZE - in : m->size - in;
    static uint8_t bytes[READ_SIZE];
    struct fdset fds;
    ssize_t n;

    fdset_init(&fds);
    n = sock_recv(f->to_fd, bytes, want < sizeof bytes ? want : sizeof bytes, &fds, MSG_DONTWAIT);
    if (n == -EAGAIN) {
        return false;
    }
    ck_assert_msg(n > 0, "message %zu, byte %zu: %s", f->done, in,
                  n == 0 ? "the stream ends" : strerror((int)-n));
    ck_assert_msg(memcmp(bytes, f->stream->bytes + f->received, (size_t)n) == 0,
                  "message %zu: other bytes among %zd from %zu on", f->done, n, in);
    if (in == 0) {
        ck_assert_msg(fds.n == m->fds.n, "message %zu: %u fds, not %u", f->done, fds.n, m->fds.n);
        peer_expect_same_fds(&m->fds, &fds);
    } else {
        ck_assert_msg(fds.n == 0, "message %zu: %u fds at byte %zu", f->done, fds.n, in);
    }
    fdset_close(&fds);
    f->received += (size_t)n;
    f->done += f->received == m->start + m->size;
    return true;
}

static size_t watch(struct flow *flows, size_t n, struct pollfd *p)
{
    size_t n_p = 0;

    for (size_t i = 0; i < n; i++) {
        if (sending(&flows[i])) {
            p[n_p++] = (struct pollfd){.fd = flows[i].from_fd, .events = POLLOUT};
        }
        if (receiving(&flows[i])) {
            p[n_p++] = (struct pollfd){.fd = flows[i].to_fd, .events = POLLIN};
        }
    }
    return n_p;
}

void flow_run(struct flow *flows, size_t n)
{
    struct pollfd p[2 * FLOWS];
    size_t n_p;

    ck_assert_uint_le(n, FLOWS);
    while ((n_p = watch(flows, n, p)) > 0) {
        ck_assert_msg(poll(p, n_p, patience_ms()) > 0,
                      "nothing moves: flow 0 sent %zu, received %zu of %zu bytes", flows[0].sent,
                      flows[0].received, flows[0].stream->n);
        for (size_t i = 0; i < n; i++) {
            if (sending(&flows[i])) {
                (void)send_some(&flows[i], MSG_DONTWAIT);
            }
            while (receiving(&flows[i]) && receive_some(&flows[i])) {
            }
        }
    }
}

void flow_fill(struct flow *f)
{
    struct pollfd p = {.fd = f->from_fd, .events = POLLOUT};

    while (sending(f) && poll(&p, 1, FULL_MS) == 1) {
        (void)send_some(f, MSG_DONTWAIT);
    }
    ck_assert_msg(sending(f), "all %zu bytes went although nobody reads", f->stream->n);
}

void flow_send(struct flow *f)
{
    while (sending(f)) {
        ck_assert_msg(send_some(f, 0), "the other end takes nothing");
    }
}

void flow_pass(const struct stream *s, int from_fd, int to_fd, enum flow_cut cut, size_t at)
{
    struct flow f = {.stream = s, .from_fd = from_fd, .to_fd = to_fd, .cut = cut, .at = at};

    flow_run(&f, 1);
}
