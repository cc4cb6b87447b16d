/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The VERSION exchange, captured: its messages pass no pipe, and each is seen on one leg, since the
 * broker writes them anew. They are kept until the verdict, so that what is recorded first of a
 * session carries it; FORMAT.trace, section 4. Everything is allowed, and does nothing, where the
 * session is not captured.
 */
#ifndef POEMD_PROXY_WORKER_GREETING_TAP_H
#define POEMD_PROXY_WORKER_GREETING_TAP_H

#include "base/fdset.h"
#include "proxy/relay/tap.h"

/* Requests and replies on both legs, and an error reply. */
#define GREETING_TAP_MESSAGES 6u

struct greeting_tap {
    struct tap_session *session; /* borrowed; NULL: not captured */
    bool flushed;                /* messages go on at once */
    bool reading;                /* since in_ns */
    uint64_t in_ns;              /* when the first bytes of what is being read came */
    unsigned n;
    struct greeting_tap_note {
        struct trace_message message;
        void *memory; /* owned: fds and data */
    } notes[GREETING_TAP_MESSAGES];
};

/* Bytes of a message have been read. */
void greeting_tap_read(struct greeting_tap *t);

/* What has been read is done with: n bytes of it at data. */
void greeting_tap_in(struct greeting_tap *t, enum trace_sender sender, const void *data, size_t n,
                     const struct fdset *fds);

/* A message of the broker's in the direction of sender's; sent: it has gone. fds may be NULL. */
void greeting_tap_out(struct greeting_tap *t, enum trace_sender sender, const void *data, size_t n,
                      const struct fdset *fds, bool sent);

/* The verdict is there, or none will come: records what is kept, and the rest at once. */
void greeting_tap_flush(struct greeting_tap *t);

/* Forgets what is kept. */
void greeting_tap_deinit(struct greeting_tap *t);

#endif
