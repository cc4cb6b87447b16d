/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Sends a device messages of the broker's own, one at a time, and reads its replies.
 *
 * Alone on its socket, it answers requests of the device with EBUSY: its client does not know of it
 * yet. Beside a channel pair, which relays on the same socket, it reads only what that leaves for
 * it (channel_pair_await), and starts to read when device_io_go_on is called.
 */
#ifndef POEMD_PROXY_WORKER_DEVICE_IO_H
#define POEMD_PROXY_WORKER_DEVICE_IO_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire/wire.h"

struct device_io;
struct fdset;
struct reattach_message;
struct sender_check;

enum device_io_news {
    DEVICE_IO_SENT,  /* the message, to which no reply is expected */
    DEVICE_IO_REPLY, /* a reply has come, perhaps not the one that was asked for */
    DEVICE_IO_GONE,  /* the device has closed its socket */
    DEVICE_IO_STRAY, /* it has sent a message that cannot be read: too large, or not a message; or
                      * another process has, for which the session would end */
};

struct device_io_event {
    enum device_io_news news;
    struct wire_hdr hdr;  /* of DEVICE_IO_REPLY and DEVICE_IO_STRAY */
    const uint8_t *bytes; /* of a reply: its header, and the payload behind that */
    const uint8_t *payload;
    size_t n;                /* of the payload */
    const struct fdset *fds; /* that came with it; borrowed */
};

/* May call device_io_send and device_io_free. */
typedef void device_io_fn(void *arg, const struct device_io_event *e);

/*
 * Borrows the socket, which is non-blocking. room is the size of the largest message that it reads,
 * with its header. Returns NULL if out of memory.
 */
struct device_io *device_io_new(struct event_base *base, int fd, size_t room, device_io_fn *fn,
                                void *arg) __attribute__((warn_unused_result));

/* NULL is allowed. */
void device_io_free(struct device_io *io);

/* Checks the sender of each message. check is borrowed; NULL: not. */
void device_io_check_senders(struct device_io *io, struct sender_check *check);

/* Is beside a channel pair from now on, or alone. */
void device_io_set_beside(struct device_io *io, bool beside);

/*
 * Sends a message, which is borrowed until it is answered, or sent. Only after the news about the
 * one before. One without bytes is only answered with DEVICE_IO_SENT, in the next turn of the loop.
 */
void device_io_send(struct device_io *io, const struct reattach_message *m, bool expects_reply);

/* The channel pair has left a reply in the socket. */
void device_io_go_on(struct device_io *io);

#endif
