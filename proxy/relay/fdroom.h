/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * How many fds of peers a worker holds or has in flight, so that no session takes what another
 * needs.
 *
 * Two limits of the kernel are shared by sessions that have nothing to do with each other: a
 * process can have RLIMIT_NOFILE fds open, and all processes of a user together can have as many in
 * flight: sent, and not received (sendmsg then fails with ETOOMANYREFS, for every session of every
 * worker). An fd of a session's counts from its receipt until its receiver has it. Every session
 * has a share of its own; the monitor sees to it that all shares together are below the limit. What
 * a session needs beyond its share comes out of its worker's spare room, if there is any left; else
 * its source is not read.
 *
 * The kernel does not report which fds were received, only when all were (sock_all_received). It is
 * asked when room runs out, not before.
 */
#ifndef POEMD_PROXY_RELAY_FDROOM_H
#define POEMD_PROXY_RELAY_FDROOM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A worker's. */
struct fdroom {
    uint32_t share; /* of each session; 0: there are no bounds */
    uint32_t spare; /* left for those that need more */
    pid_t broker;   /* the monitor's process, 0: not known; see fdroom_is_ours */
};

/* Both directions of both sockets. */
#define FDROOM_LEGS 4

struct fdroom_session;

/* One direction of a session. */
struct fdroom_leg {
    struct fdroom_session *session;
    int to_fd;       /* borrowed; where its fds are sent to */
    uint32_t held;   /* in its queue */
    uint32_t flying; /* sent, and not known to be received */
};

/* A session's. Zeroed, with the room set, it is good for use. */
struct fdroom_session {
    struct fdroom *room; /* borrowed */
    uint32_t used;       /* held and in flight, of all legs */
    uint32_t extra;      /* of these, out of the worker's spare room */
    uint64_t received;   /* how many its receivers are known to have had: progress */
    unsigned n_legs;
    struct fdroom_leg legs[FDROOM_LEGS];
};

/* Adds a direction, which sends to to_fd. NULL: the session has no bounds. */
struct fdroom_leg *fdroom_leg(struct fdroom_session *s, int to_fd);

/* Whether n more fds may come. May ask the kernel what has been received. */
bool fdroom_has(struct fdroom_leg *leg, uint32_t n);

/* The direction's queue now holds n fds; of those that it held more than that, sent have been sent
 * and the others were closed. */
void fdroom_hold(struct fdroom_leg *leg, uint32_t n, uint32_t sent);

/* Asks the kernel what has been received, in all directions. */
void fdroom_look(struct fdroom_session *s);

/* Charges what the legs have, whose numbers the caller has set. Of a session that has no account.
 */
void fdroom_charge(struct fdroom_session *s);

/* Gives up what the session has; its sockets are about to be closed. */
void fdroom_leave(struct fdroom_session *s);

/*
 * Whether the fd is a socket that leads to this broker: a peer's end of a session, of whatever
 * socket. Who connected to or made the other end is the broker's process.
 */
bool fdroom_is_ours(const struct fdroom *room, int fd);

#endif
