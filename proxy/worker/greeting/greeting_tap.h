/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The VERSION exchange, captured. Its messages pass through no relay direction, and each is seen on
 * one leg, since the broker rewrites them. They are kept until the verdict, so that a session's
 * first record contains it; FORMAT.trace, section 4. If the session is not captured, every call is
 * allowed and does nothing.
 */
#ifndef POEMD_PROXY_WORKER_GREETING_TAP_H
#define POEMD_PROXY_WORKER_GREETING_TAP_H

#include "base/fdset.h"
#include "proxy/relay/tap.h"

/* Requests and replies on both legs, and an error reply. */
#define GREETING_TAP_MESSAGES 6u

struct greeting_tap {
    struct tap_session *session; /* borrowed; NULL: not captured */
    bool flushed;                /* messages are recorded at once */
    bool reading;                /* since in_ns */
    uint64_t in_ns;              /* arrival of the first bytes of the message being read */
    unsigned n;
    struct greeting_tap_note {
        struct trace_message message;
        void *memory; /* owned: fds and data */
    } notes[GREETING_TAP_MESSAGES];
};

/* Bytes of a message have been read. */
void greeting_tap_read(struct greeting_tap *t);

/*
 * Reading is done, with n bytes of a message at data; stopped: its sender sent no more, though its
 * header announced more.
 */
void greeting_tap_in(struct greeting_tap *t, enum side sender, const void *data, size_t n,
                     const struct fdset *fds, bool stopped);

/* A message of the broker's in sender's direction; sent: it has gone. fds may be NULL. */
void greeting_tap_out(struct greeting_tap *t, enum side sender, const void *data, size_t n,
                      const struct fdset *fds, bool sent);

/* The verdict is known, or will not come: records all messages, and later ones at once. */
void greeting_tap_flush(struct greeting_tap *t);

/* Drops all kept messages. */
void greeting_tap_deinit(struct greeting_tap *t);

#endif
