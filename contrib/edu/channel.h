/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A vfio-user socket without blocking: whole messages in, whole messages out.
 */
#ifndef POEMD_EDU_CHANNEL_H
#define POEMD_EDU_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fdset.h"
#include "base/wire.h"

enum channel_event {
    CHANNEL_MESSAGE, /* a whole message is there: hdr, channel_payload(), fds */
    CHANNEL_WAIT,    /* not yet */
    CHANNEL_CLOSED,  /* the peer closed between two messages */
    CHANNEL_BROKEN,  /* the stream is of no more use; why is logged */
};

struct channel_out;

struct channel {
    int fd;            /* owned; -1: not there */
    uint32_t max_size; /* of a message that comes, bytes */

    /* The message that is coming or has come. */
    struct wire_hdr hdr;
    uint8_t *buf; /* owned */
    size_t room;
    size_t got;
    struct fdset fds;

    /* What the socket has not taken yet. */
    struct channel_out *first;
    struct channel_out *last;
    size_t queued; /* bytes */
    bool held;     /* queue, do not send: a late answer is being played */
    bool mute;     /* drop what is sent from now on */
};

void channel_init(struct channel *c);

/* Takes a connected socket. 0 or -errno; fd is closed then. */
int channel_open_take(struct channel *c, int fd, uint32_t max_size)
    __attribute__((warn_unused_result));

void channel_deinit(struct channel *c);

/* Reads on. After CHANNEL_MESSAGE, channel_next must come before the next call. */
enum channel_event channel_receive(struct channel *c) __attribute__((warn_unused_result));

/* The whole message, its header as it came; hdr.size bytes. */
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

/* Done with the message: the fds left in it are closed. */
void channel_next(struct channel *c);

/*
 * Sends n bytes, a whole message or what a fault makes of one, with the fds (may be NULL), which
 * are closed; at once and by one sendmsg where the socket can take it. 0, or -errno: the stream is
 * of no more use.
 */
int channel_send(struct channel *c, const void *p, size_t n, struct fdset *fds)
    __attribute__((warn_unused_result));

/* Sends what is queued, as far as it goes. 0 or -errno. */
int channel_flush(struct channel *c) __attribute__((warn_unused_result));

/* Whether there is something that a writable socket would take. */
static inline bool channel_wants_out(const struct channel *c)
{
    return c->first && !c->held;
}

#endif
