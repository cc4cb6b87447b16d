/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Taps: what a worker sees of a session's messages, written down as they pass.
 *
 *   struct tap_session   one for each session that is captured: its numbers, what is kept
 *   struct tap           one for each pipe of it: the messages that the pipe holds at the moment
 *
 * A pipe without a tap pays the test of a pointer. One with a tap says what it has read and what
 * it has sent; the tap finds the messages in the bytes that the pipe still holds, and writes each
 * into the worker's ring (trace/capture/ring.h) when its last byte has been delivered. Where the
 * ring is full the message is dropped and counted: nothing here waits, and there is no system call
 * per message (fds, which are rare, are looked at by a few). FORMAT.trace, sections 4 and 6.
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

/* What all taps of a worker share. */
struct tap_host {
    struct ring_writer *ring; /* may change; NULL: then everything is lost, and counted */
    int fdinfo_fd;            /* of base/fdinfo.h; -1: eventfds are not told apart */
};

/* A session begins to be captured. host is borrowed for its life. NULL: no memory. */
struct tap_session *tap_session_new(uint64_t session, const struct tap_settings *settings,
                                    const struct tap_host *host)
    __attribute__((warn_unused_result));

/* With its taps, which no pipe may have any more. NULL is allowed. */
void tap_session_free(struct tap_session *s);

/* Something else is to be kept from the next message on. settings->on is not looked at. */
void tap_session_set(struct tap_session *s, const struct tap_settings *settings);

/* Messages so far, lost ones included. */
uint64_t tap_session_seen(const struct tap_session *s);

/* Nanoseconds since 1970, of a clock that does not run backwards within a session. */
uint64_t tap_now(const struct tap_session *s);

/*
 * Records a message that passed no pipe. m's session, number and lost are filled in here, and its
 * kept (all of it is at data) is cut to what is to be kept.
 */
void tap_session_record(struct tap_session *s, struct trace_message *m);

/* Describes an open fd (borrowed): trace/file/fd.h. */
struct trace_fd tap_describe(const struct tap_session *s, int fd);

/* ---- a pipe's ---- */

/* The tap for the session's pipe of this sender; twin: of the twin sockets. Lives as long as s. */
struct tap *tap_of(struct tap_session *s, enum trace_sender sender, bool twin);

/*
 * The pipe is between two messages and holds nothing: from here on all is told to the tap, which
 * says nothing of what was under way when it was put in.
 */
void tap_begin(struct tap *t);

/* The pipe has read bytes; fds->fds[before … n-1] came with them. */
void tap_read(struct tap *t, const struct fdset *fds, unsigned before);

/* Of the held bytes data[0 … end-1] those up to start have been sent; start == end: all. */
void tap_sent(struct tap *t, const uint8_t *data, size_t start, size_t end);

/* The pipe ends: what it holds was not delivered. end of 0: nothing, and data may be NULL. */
void tap_end(struct tap *t, const uint8_t *data, size_t end);

/* A message that was looked at is refused, and the session will end. n bytes of it are at data. */
void tap_refused(struct tap *t, const uint8_t *data, size_t n);

/* The fds that were read and not sent yet have been taken out of their message. */
void tap_withheld(struct tap *t);

/*
 * The message that begins at data, n bytes of which are there, does not go on: the broker has
 * answered it itself, or will. It has one leg, its sender's.
 */
void tap_kept_back(struct tap *t, const uint8_t *data, size_t n);

/* A message of the broker's own, in this direction, has been sent: n bytes. */
void tap_made(struct tap *t, const uint8_t *data, size_t n);

#endif
