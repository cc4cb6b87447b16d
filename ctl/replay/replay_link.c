/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Sends and receives messages on a non-blocking socket. Reads exactly a header, then exactly its
 * payload, so that each fd belongs to a known message.
 */
#define _GNU_SOURCE
#include "ctl/replay/replay_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sock.h"

void replay_link_init_take(struct replay_link *l, int fd, uint32_t max_size)
{
    *l = (struct replay_link){.fd = fd, .max_size = max_size};
    fdset_init(&l->in_fds);
    fdset_init(&l->out_fds);
}

void replay_link_deinit(struct replay_link *l)
{
    sock_hang_up(&l->fd);
    fdset_close(&l->in_fds);
    fdset_close(&l->out_fds);
    free(l->in);
    free(l->out);
    l->in = NULL;
    l->out = NULL;
}

static bool replay_link_grow(uint8_t **p, size_t *room, size_t n)
{
    uint8_t *more;

    if (*p && n <= *room) {
        return true;
    }
    more = realloc(*p, n ? n : 1);
    if (!more) {
        return false;
    }
    *p = more;
    *room = n;
    return true;
}

/* ---- receiving ---- */

static enum link_outcome replay_link_malformed(struct replay_link *l, const char *why)
{
    l->why = why;
    return LINK_MALFORMED;
}

static enum link_outcome replay_link_failed(struct replay_link *l, ssize_t err)
{
    l->error = (int)-err;
    return LINK_FAILED;
}

/* Reads until n bytes of the message, header included, have come; those from `from` on go to p. */
static enum link_outcome replay_link_read_until(struct replay_link *l, uint8_t *p, size_t from,
                                                size_t n)
{
    while (l->got < n) {
        const ssize_t r =
            sock_recv(l->fd, p + (l->got - from), n - l->got, &l->in_fds, MSG_DONTWAIT);

        if (r == -EAGAIN) {
            return LINK_AGAIN;
        }
        if (r == 0 || r == -ECONNRESET) {
            return l->got == 0 ? LINK_CLOSED
                               : replay_link_malformed(l, "the stream ended inside a message");
        }
        if (r == -EMSGSIZE) {
            return replay_link_malformed(l, "more fds than this process can take");
        }
        if (r < 0) {
            return replay_link_failed(l, r);
        }
        l->got += (size_t)r;
    }
    return LINK_OK;
}

enum link_outcome replay_link_read(struct replay_link *l)
{
    enum link_outcome o = LINK_OK;

    if (l->got < WIRE_HDR_SIZE) {
        enum wire_frame frame;

        o = replay_link_read_until(l, l->head, 0, WIRE_HDR_SIZE);
        if (o != LINK_OK) {
            return o;
        }
        frame = wire_get_hdr(l->head, WIRE_HDR_SIZE, l->max_size, &l->hdr);
        if (frame != WIRE_FRAME_OK) {
            return replay_link_malformed(l, wire_frame_text(frame));
        }
        if (!replay_link_grow(&l->in, &l->in_room, l->hdr.size - WIRE_HDR_SIZE)) {
            return replay_link_failed(l, -ENOMEM);
        }
    }
    return replay_link_read_until(l, l->in, WIRE_HDR_SIZE, l->hdr.size);
}

void replay_link_done(struct replay_link *l)
{
    fdset_close(&l->in_fds);
    l->got = 0;
}

/* ---- sending ---- */

uint8_t *replay_link_put(struct replay_link *l, size_t n)
{
    if (!replay_link_grow(&l->out, &l->out_room, n)) {
        return NULL;
    }
    l->out_n = n;
    l->sent = 0;
    return l->out;
}

enum link_outcome replay_link_write(struct replay_link *l)
{
    while (l->sent < l->out_n) {
        const ssize_t r = sock_send(l->fd, l->out + l->sent, l->out_n - l->sent,
                                    l->out_fds.n > 0 ? &l->out_fds : NULL, MSG_DONTWAIT);

        if (r == -EAGAIN || r == -ETOOMANYREFS) {
            return LINK_AGAIN;
        }
        if (r == -EPIPE || r == -ECONNRESET) {
            return LINK_CLOSED;
        }
        if (r < 0) {
            return replay_link_failed(l, r);
        }
        l->sent += (size_t)r;
        /* They were sent with the first byte. */
        fdset_close(&l->out_fds);
    }
    return LINK_OK;
}

const char *replay_link_text(const struct replay_link *l, enum link_outcome o, const char *who,
                             char *out, size_t size)
{
    if (o == LINK_MALFORMED) {
        snprintf(out, size, "%s broke the framing: %s", who, l->why);
    } else if (o == LINK_FAILED) {
        snprintf(out, size, "%s's socket: %s", who, strerror(l->error));
    } else {
        snprintf(out, size, "%s closed the connection", who);
    }
    return out;
}
