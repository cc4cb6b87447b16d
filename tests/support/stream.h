/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Streams of messages, sent in any cut at one end and compared byte by byte and fd by fd at the
 * other.
 *
 *   struct stream   what is sent: messages one behind the other, with their memfds
 *   struct flow     one stream on its way from one fd to another
 *   flow_run        moves several flows at once, never blocking on one of them
 */
#ifndef POEMD_TESTS_SUPPORT_STREAM_H
#define POEMD_TESTS_SUPPORT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fdset.h"
#include "base/wire/wire.h"

struct stream_message {
    size_t start; /* in bytes */
    size_t size;
    struct fdset fds; /* owned memfds */
};

struct stream {
    uint8_t *bytes;
    size_t n;
    struct stream_message *messages;
    size_t count;
    size_t bytes_room; /* allocated */
    size_t messages_room;
};

/* Makes it empty. */
void stream_init(struct stream *s);
void stream_deinit(struct stream *s);

/*
 * Adds a message: hdr with its size made 16 + n, n payload bytes (payload NULL: a pattern that no
 * other message has), and n_fds new memfds.
 */
void stream_add(struct stream *s, struct wire_hdr hdr, const void *payload, size_t n,
                unsigned n_fds);

/* How a stream is cut into sendmsg calls. A message with fds always begins one. */
enum flow_cut {
    FLOW_WHOLE,       /* a message each */
    FLOW_GLUED,       /* as many messages as can be in one */
    FLOW_BYTES,       /* a byte each */
    FLOW_HEADER_BODY, /* header and payload apart */
    FLOW_AT,          /* each message in two at byte `at` */
};

struct flow {
    const struct stream *stream;
    int from_fd; /* borrowed; the messages are written here */
    int to_fd;   /* … and must come out there */
    enum flow_cut cut;
    size_t at;
    size_t sent;     /* bytes; 0 to begin with */
    size_t received; /* bytes */
    size_t done;     /* messages received whole */
};

/* Moves all flows until each has arrived whole. What arrives otherwise fails the test. */
void flow_run(struct flow *flows, size_t n);

/*
 * Sends as much of the flow as goes without anybody reading at the other end, and returns when
 * nothing more has gone for a while. Fails where all of it goes.
 */
void flow_fill(struct flow *f);

/* Sends what is left of the flow, blocking; nothing is received. */
void flow_send(struct flow *f);

/* One stream one way, in this cut: the plainest use of the above. */
void flow_pass(const struct stream *s, int from_fd, int to_fd, enum flow_cut cut, size_t at);

#endif
