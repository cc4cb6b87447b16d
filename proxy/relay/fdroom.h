/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Counts the peers' fds that a worker holds or has in flight, so that no session takes what another
 * needs.
 *
 * Two limits of the kernel are shared by unrelated sessions: a process can have RLIMIT_NOFILE fds
 * open, and all processes of a user together can have as many in flight, that is sent but not
 * received (beyond that sendmsg fails with ETOOMANYREFS, for every session of every worker). A
 * session's fd counts from its receipt until its receiver has it. Every session has a share of its
 * own; the monitor ensures that all shares together stay below the limit. Fds beyond a session's
 * share come out of its worker's spare room; if that is used up, their source is not read.
 *
 * The kernel does not report which fds were received, only when all were (sock_all_received). It is
 * queried only when room runs out.
 */
#ifndef POEMD_PROXY_RELAY_FDROOM_H
#define POEMD_PROXY_RELAY_FDROOM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"

/* Of a worker. */
struct fdroom {
    uint32_t share;                 /* of each session; 0: unlimited */
    uint32_t spare;                 /* left for sessions that need more */
    pid_t monitors[LIMIT_MONITORS]; /* pids of this one and earlier ones; 0: none */
    unsigned next_monitor;          /* the place of the next one */
};

/* Both directions of both sockets. */
#define FDROOM_LEGS 4

struct fdroom_session;

/* One direction of a session. */
struct fdroom_leg {
    struct fdroom_session *session;
    int to_fd;       /* borrowed; the receiver of its fds */
    uint32_t held;   /* in its queue */
    uint32_t flying; /* sent, and not known to be received */
};

/* Of a session. Ready for use when zeroed, with the room set. */
struct fdroom_session {
    struct fdroom *room; /* borrowed */
    uint32_t used;       /* held and in flight, of all legs */
    uint32_t extra;      /* the part of these out of the worker's spare room */
    uint64_t received;   /* number known to be received: progress */
    unsigned n_legs;
    struct fdroom_leg legs[FDROOM_LEGS];
};

/* Adds a direction that sends to to_fd. Returns NULL if the session is unlimited. */
struct fdroom_leg *fdroom_leg(struct fdroom_session *s, int to_fd);

/* Returns true if n more fds may come. May ask the kernel what has been received. */
bool fdroom_has(struct fdroom_leg *leg, uint32_t n);

/*
 * The direction's queue now holds n fds; sent of those that have left it were sent, the others were
 * closed.
 */
void fdroom_hold(struct fdroom_leg *leg, uint32_t n, uint32_t sent);

/* The leg's receiver is gone, and another takes its place: nothing is in flight any more. */
void fdroom_redirect(struct fdroom_leg *leg, int to_fd);

/* Asks the kernel what has been received, in all directions. */
void fdroom_look(struct fdroom_session *s);

/* Charges the fds of the legs, as set by the caller, for a session without an account. */
void fdroom_charge(struct fdroom_session *s);

/* Returns all that the session has used; its sockets are about to be closed. */
void fdroom_leave(struct fdroom_session *s);

/* Adds the pid of a monitor, unless it is known; the oldest gives way. */
void fdroom_add_monitor(struct fdroom *room, pid_t pid);

/*
 * Returns true if the fd is a socket that leads to this broker: a peer's end of any session's
 * socket. The other end was then connected or created by a monitor or this process.
 */
bool fdroom_is_ours(const struct fdroom *room, int fd);

#endif
