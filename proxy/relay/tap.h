/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Taps: record a session's messages in a worker as they pass.
 *
 *   struct tap_session   one for each captured session: its numbers, and how much to keep
 *   struct tap           one for each of its relay directions: the messages held at the moment
 *
 * A relay direction without a tap only tests a pointer. One with a tap reports the bytes read and
 * sent; the tap finds the messages in the bytes still held, and writes each into the worker's ring
 * (trace/capture/ring.h) when its last byte has been delivered. If the ring is full the message is
 * dropped and counted: nothing here waits, and there is no system call per message (except a few
 * for fds, which are rare). FORMAT.trace, sections 4 and 6.
 */
#ifndef POEMD_PROXY_RELAY_TAP_H
#define POEMD_PROXY_RELAY_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fdset.h"
#include "proxy/ipc/session_settings.h"
#include "trace/file/message.h"
#include "trace/capture/ring.h"

struct tap_session;
struct tap;

/* Shared by all taps of a worker. */
struct tap_host {
    struct ring_writer *ring; /* may change; NULL: every message is lost, and counted */
    int fdinfo_fd;            /* of base/fdinfo.h; -1: eventfds are not told apart */
};

/* Begins to capture a session; borrows host for its life. Returns NULL if out of memory. */
struct tap_session *tap_session_new(uint64_t session, const struct tap_settings *settings,
                                    const struct tap_host *host)
    __attribute__((warn_unused_result));

/* Frees it with its taps, which must not be in use any more. NULL is allowed. */
void tap_session_free(struct tap_session *s);

/* Changes how much is kept, from the next message on. Ignores settings->on. */
void tap_session_set(struct tap_session *s, const struct tap_settings *settings);

/*
 * Keeps the number of messages so far in *number (borrowed), for a worker that goes on with the
 * session.
 */
void tap_session_keep(struct tap_session *s, uint64_t *number);

/* Goes on behind this number of messages, which another worker's tap has seen. */
void tap_session_go_on(struct tap_session *s, uint64_t number);

/* Returns the number of messages so far, including lost ones. */
uint64_t tap_session_seen(const struct tap_session *s);

/* Returns nanoseconds since 1970, by a clock that does not run backwards within a session. */
uint64_t tap_now(const struct tap_session *s);

/*
 * Records a message outside of a relay direction. Fills in m's session, number and lost, and cuts
 * kept (all of it is at data) to the length to keep.
 */
void tap_session_record(struct tap_session *s, struct trace_message *m);

/* Describes an open fd (borrowed): trace/file/fd.h. */
struct trace_fd tap_describe(const struct tap_session *s, int fd);

/* ---- of a relay direction ---- */

/* Returns the tap for this sender's direction; twin: of the twin sockets. Lives as long as s. */
struct tap *tap_of(struct tap_session *s, enum side sender, bool twin);

/*
 * The direction is between two messages and holds nothing: from here on it reports everything to
 * the tap, which ignores the message under way when it was set.
 */
void tap_begin(struct tap *t);

/* So many messages have passed, or one in part, of which another worker has died. */
void tap_missed(struct tap *t, uint32_t messages);

/* The direction has read bytes; fds->fds[before … n-1] came with them. */
void tap_read(struct tap *t, const struct fdset *fds, unsigned before);

/* A message has begun, and its sender is waited for until the next read. */
void tap_wait(struct tap *t);

/* Of the held bytes data[0 … end-1], those up to start have been sent; start == end: all. */
void tap_sent(struct tap *t, const uint8_t *data, size_t start, size_t end);

/*
 * The same for whole messages data[0 … end-1] that leave the direction in any case: the rest of one
 * that has been sent in part is read again, and sent later.
 */
void tap_sent_part(struct tap *t, const uint8_t *data, size_t start, size_t end);

/* The direction ends; held bytes were not delivered. end 0: there are none, data may be NULL. */
void tap_end(struct tap *t, const uint8_t *data, size_t end);

/* A message is refused, and the session will end. Its header, at least, is at data. */
void tap_refused(struct tap *t, const struct wire_hdr *hdr, const uint8_t *data);

/* The fds read but not sent yet have been removed from their message. */
void tap_withheld(struct tap *t);

/*
 * The message that begins at data, with n bytes there, does not go on: the broker has answered it
 * itself, or will. It has one leg, its sender's.
 */
void tap_kept_back(struct tap *t, const struct wire_hdr *hdr, const uint8_t *data, size_t n);

/* A message of the broker's own, of n bytes, has been sent in this direction. */
void tap_made(struct tap *t, const uint8_t *data, size_t n);

#endif
