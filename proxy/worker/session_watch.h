/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A session that relays, looked at from time to time while something is not as it should be:
 *
 *   a receiver takes nothing of what waits for it      until the route's stall-timeout
 *   a sender stops inside a message that is held       … as well
 *   fds beyond the session's share are not received    LIMIT_FDS_UNREAD_MS
 *   a party's process is gone                          the route's drain-timeout
 *
 * The last is needed since a socket hangs up only when its last reference goes, and references may
 * lie anywhere: with another process, or in the queue of a socket. A socket that another process
 * was seen to use has been handed on, and outlives the process that connected or listened: a
 * listener's socket may have come from a service manager, its connections may be served by
 * children. So nothing ends then; and if another process uses it only after that one is gone, the
 * session goes on too.
 *
 * All is ended by session_end, as ever.
 */
#ifndef POEMD_PROXY_WORKER_SESSION_WATCH_H
#define POEMD_PROXY_WORKER_SESSION_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sock.h"
#include "policy/rules/rules.h"
#include "proxy/ipc/session_state.h"

struct session;

/* Both directions of both lanes. */
#define SESSION_WATCH_DIRECTIONS 4

struct session_watch {
    unsigned stall_ms;
    uint64_t moved[SESSION_WATCH_DIRECTIONS]; /* bytes that each direction had read and sent */
    unsigned still_ms[SESSION_WATCH_DIRECTIONS];
    uint64_t received; /* fds, as of the last look */
    unsigned unread_ms;
    uint32_t gone; /* 1 << enum rules_party: its process is, and nobody else uses its socket */
    unsigned gone_ms;
    uint32_t handed_on; /* 1 << enum rules_party: another process uses its socket */
};

/* A session in RELAYING is looked at from now on, as long as there is a reason for it. */
void session_watch_soon(struct session *s);

/* The time for a look at a session in RELAYING has come. May end it. */
void session_watch_turn(struct session *s);

/* Has witnesses look at who sends; one that only notes it, at the main sockets alone. */
void session_watch_senders(struct session *s);

/* The monitor reports that the processes of these parties are gone. Of a session with its lanes. */
void session_watch_gone(struct session *s);

/* Another process than the one that connected or listened has used that party's socket. */
void session_watch_stranger(struct session *s, enum rules_party party,
                            const struct sock_sender *from);

/* Why a session ends whose party's process is gone; REASON_NONE: none is. */
enum session_reason session_watch_died(const struct session *s);

#endif
