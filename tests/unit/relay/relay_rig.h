/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A pipe between two real socket pairs, and the stream of messages that goes through it.
 *
 *   source_fd ── from_fd  [pipe]  to_fd ── sink_fd
 *
 * A test says which messages there are (rig_message), cuts them into writes as it likes, with fds
 * where it likes (rig_write), lets the pipe have turns (rig_run), and then asks that just what must
 * have come out has come out (rig_receive): every message that has been written whole, in one
 * piece, in order, with the fds of those writes that began in it, and nothing else.
 */
#ifndef POEMD_TESTS_UNIT_RELAY_RELAY_RIG_H
#define POEMD_TESTS_UNIT_RELAY_RELAY_RIG_H

#include "base/fdset.h"
#include "proxy/relay/relay_direction.h"

#define RIG_MESSAGES 512

struct rig_message {
    size_t start; /* in the stream's bytes */
    size_t size;
    struct fdset fds; /* memfds that were sent with it, owned; one more of each is under way */
};

struct relay_rig {
    int source_fd;
    int from_fd;
    int to_fd;
    int sink_fd;
    struct queue_pool pool;
    struct relay_mark mark;
    struct relay_direction direction;
    struct relay_detail detail; /* of the last turn */
    uint8_t *bytes;             /* the stream: all messages */
    size_t n;
    size_t room;  /* for bytes, in bytes and in got */
    uint8_t *got; /* a message that is being received */
    size_t written;
    struct rig_message *messages; /* RIG_MESSAGES of them */
    size_t count;
    size_t received; /* messages */
};

/* Opens it, for a receiver with these limits, max_data being that of bitmaps as well. */
void rig_init(struct relay_rig *r, uint32_t max_fds, uint32_t max_data);

/* Closes all that is open. */
void rig_deinit(struct relay_rig *r);

/* Begins another stream on the same sockets. What was written of the last one must be received. */
void rig_restart(struct relay_rig *r);

/* Adds a message to the stream: hdr with this size, and as many bytes as it takes. */
void rig_message(struct relay_rig *r, struct wire_hdr hdr, size_t size);

/* Adds a small command of this size. */
void rig_command(struct relay_rig *r, size_t size);

/* Writes the next n bytes of the stream, all of it by one sendmsg, with n_fds new memfds. */
void rig_write(struct relay_rig *r, size_t n, unsigned n_fds);

/*
 * Turns, as the loop gives them, until the pipe waits for something that is not there, or has
 * failed.
 */
enum relay_outcome rig_run(struct relay_rig *r);

/* Receives every message that has been written whole; fails where one is missing or altered. */
void rig_receive(struct relay_rig *r);

/* Fails where anything lies at the receiver. */
void rig_expect_nothing(const struct relay_rig *r);

#endif
