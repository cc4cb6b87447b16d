/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A vfio-user socket that never blocks: whole messages in, whole messages out. */
#ifndef POEMD_EDU_CHANNEL_H
#define POEMD_EDU_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fdset.h"
#include "base/wire/wire.h"

enum channel_event {
    CHANNEL_MESSAGE, /* complete: hdr, channel_payload(), fds */
    CHANNEL_WAIT,    /* not yet */
    CHANNEL_CLOSED,  /* the peer closed between two messages */
    CHANNEL_BROKEN,  /* the stream is unusable; the reason is logged */
};

struct channel_out;

struct channel {
    int fd;            /* owned; -1: not open */
    uint32_t max_size; /* of a received message, in bytes */

    /* The message being received, or complete. */
    struct wire_hdr hdr;
    uint8_t *buf; /* owned */
    size_t room;
    size_t got;
    struct fdset fds;

    /* Messages that the socket has not accepted yet. */
    struct channel_out *first;
    struct channel_out *last;
    size_t queued; /* bytes */
    bool held;     /* queue only: a late answer is being simulated */
    bool mute;     /* drop all further output */
};

void channel_init(struct channel *c);

/* Takes a connected socket. Returns 0, or -errno after closing fd. */
int channel_open_take(struct channel *c, int fd, uint32_t max_size)
    __attribute__((warn_unused_result));

void channel_deinit(struct channel *c);

/* Reads on. After CHANNEL_MESSAGE, call channel_next before the next call. */
enum channel_event channel_receive(struct channel *c) __attribute__((warn_unused_result));

/* The whole message of hdr.size bytes, with its header as received. */
static inline const uint8_t *channel_message(const struct channel *c)
{
    return c->buf;
}

static inline const uint8_t *channel_payload(const struct channel *c)
{
    return c->buf + WIRE_HDR_SIZE;
}

static inline size_t channel_payload_size(const struct channel *c)
{
    return c->hdr.size - WIRE_HDR_SIZE;
}

/* Releases the message; closes the fds left in it. */
void channel_next(struct channel *c);

/*
 * Sends n bytes, a whole message or a faulty one, with the fds (may be NULL), which are closed; at
 * once and with one sendmsg if the socket accepts it. Returns 0, or -errno: the stream is unusable.
 */
int channel_send(struct channel *c, const void *p, size_t n, struct fdset *fds)
    __attribute__((warn_unused_result));

/* Sends as much of the queue as the socket accepts. Returns 0 or -errno. */
int channel_flush(struct channel *c) __attribute__((warn_unused_result));

/* Returns true if a writable socket would be given more. */
static inline bool channel_wants_out(const struct channel *c)
{
    return c->first && !c->held;
}

#endif
