/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Message framing on a non-blocking socket.
 *
 * Reads exactly a header, then exactly the rest, so that each fd stays with its message. Calls
 * never block, whatever the socket's mode, which all holders of a passed socket share. The caller
 * bounds the queue of unsent messages by not reading on.
 */
#include "contrib/edu/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/sock.h"

struct channel_out {
    struct channel_out *next;
    size_t n;
    size_t sent;
    struct fdset fds;
    uint8_t bytes[];
};

void channel_init(struct channel *c)
{
    *c = (struct channel){.fd = -1};
    fdset_init(&c->fds);
}

static int edu_channel_reserve(struct channel *c, size_t n)
{
    uint8_t *buf;

    if (n <= c->room) {
        return 0;
    }
    buf = realloc(c->buf, n);
    if (!buf) {
        return -ENOMEM;
    }
    c->buf = buf;
    c->room = n;
    return 0;
}

int channel_open_take(struct channel *c, int fd, uint32_t max_size)
{
    int err;

    channel_init(c);
    c->fd = fd;
    c->max_size = max_size;
    err = edu_channel_reserve(c, WIRE_HDR_SIZE);
    if (err) {
        channel_deinit(c);
    }
    return err;
}

static void edu_channel_drop_first(struct channel *c)
{
    struct channel_out *out = c->first;

    c->first = out->next;
    c->queued -= out->n - out->sent;
    fdset_close(&out->fds);
    free(out);
}

void channel_deinit(struct channel *c)
{
    while (c->first) {
        edu_channel_drop_first(c);
    }
    fdset_close(&c->fds);
    free(c->buf);
    sock_close(&c->fd);
    channel_init(c);
}

static enum channel_event edu_channel_broken(const char *why)
{
    log_warning("the client's stream is broken: %s", why);
    return CHANNEL_BROKEN;
}

/* Handles a read that returned fewer bytes than requested. */
static enum channel_event edu_channel_stopped(const struct channel *c, ssize_t got)
{
    if (got == -EAGAIN) {
        return CHANNEL_WAIT;
    }
    if (got == 0 || got == -ECONNRESET) {
        return c->got == 0 ? CHANNEL_CLOSED : edu_channel_broken("it ends within a message");
    }
    return edu_channel_broken(got == -EMSGSIZE ? "file descriptors were lost"
                                               : strerror((int)-got));
}

/* Handles a complete header. */
static enum channel_event edu_channel_announced(struct channel *c)
{
    const enum wire_frame f = wire_get_hdr(c->buf, WIRE_HDR_SIZE, c->max_size, &c->hdr);

    if (f != WIRE_FRAME_OK) {
        return edu_channel_broken(wire_frame_text(f));
    }
    return edu_channel_reserve(c, c->hdr.size) == 0 ? CHANNEL_MESSAGE
                                                    : edu_channel_broken("out of memory");
}

enum channel_event channel_receive(struct channel *c)
{
    for (;;) {
        const size_t want = c->got < WIRE_HDR_SIZE ? WIRE_HDR_SIZE : c->hdr.size;
        ssize_t got;

        if (c->got == want) {
            return CHANNEL_MESSAGE;
        }
        got = sock_recv(c->fd, c->buf + c->got, want - c->got, &c->fds, MSG_DONTWAIT);
        if (got <= 0) {
            return edu_channel_stopped(c, got);
        }
        c->got += (size_t)got;
        if (c->got == WIRE_HDR_SIZE) {
            const enum channel_event e = edu_channel_announced(c);

            if (e != CHANNEL_MESSAGE) {
                return e;
            }
        }
    }
}

void channel_next(struct channel *c)
{
    fdset_close(&c->fds);
    c->got = 0;
}

/* Queues the bytes from sent on; fds still to be sent move along. */
static int edu_channel_enqueue(struct channel *c, const void *p, size_t n, size_t sent,
                               struct fdset *fds)
{
    struct channel_out *out = malloc(sizeof *out + n);

    if (!out) {
        return -ENOMEM;
    }
    out->next = NULL;
    out->n = n;
    out->sent = sent;
    memcpy(out->bytes, p, n);
    fdset_init(&out->fds);
    if (fds && sent == 0) {
        out->fds = *fds;
        fds->n = 0;
    }
    if (c->first) {
        c->last->next = out;
    } else {
        c->first = out;
    }
    c->last = out;
    c->queued += n - sent;
    return 0;
}

static bool edu_channel_later(ssize_t sent)
{
    return sent == -EAGAIN || sent == -ETOOMANYREFS;
}

int channel_send(struct channel *c, const void *p, size_t n, struct fdset *fds)
{
    ssize_t sent = 0;
    int err = 0;

    if (!c->mute) {
        if (!c->first && !c->held) {
            sent = sock_send(c->fd, p, n, fds, MSG_DONTWAIT);
        }
        if (edu_channel_later(sent)) {
            sent = 0;
        }
        err = sent < 0 ? (int)sent : 0;
        if (!err && (size_t)sent < n) {
            err = edu_channel_enqueue(c, p, n, (size_t)sent, fds);
        }
    }
    if (fds) {
        fdset_close(fds);
    }
    return err;
}

int channel_flush(struct channel *c)
{
    while (channel_wants_out(c)) {
        struct channel_out *out = c->first;
        const ssize_t sent =
            sock_send(c->fd, out->bytes + out->sent, out->n - out->sent, &out->fds, MSG_DONTWAIT);

        if (sent < 0) {
            return edu_channel_later(sent) ? 0 : (int)sent;
        }
        fdset_close(&out->fds);
        out->sent += (size_t)sent;
        c->queued -= (size_t)sent;
        if (out->sent == out->n) {
            edu_channel_drop_first(c);
        }
    }
    return 0;
}
