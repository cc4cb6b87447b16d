/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * "backend spawn": the devices of a route that the broker starts itself, one process a session.
 *
 *   STARTING  forked; its program is not executed yet
 *   READY     waits on its socket for a session: one is kept so, that no client waits for it
 *   SERVING   a session has its socket
 *   ENDING    its socket is closed on our side: it ends by itself, or by SIGTERM, or by SIGKILL
 *   GONE      it has ended while its session still holds it
 *   LEFT      it has ended, and its guard (device.c) has not yet: something it forked may be there
 *
 * No more live at once than the route has sessions, so that where that is one, a device has ended
 * before the next is started: both may want the same disk. One that ends before it has served is
 * started again after a while that doubles; so is one that ends its session itself, before its
 * client does, unless it has lived for long. After any other session the next is started at once.
 *
 * That the process is the one that was started, and not another by its number, is sure: it is a
 * child, and not collected while anything is asked of it.
 */
#ifndef POEMD_PROXY_MONITOR_DEVICES_SPAWN_H
#define POEMD_PROXY_MONITOR_DEVICES_SPAWN_H

#include <sys/types.h>

#include "base/sock.h"
#include "proxy/ipc/session_state.h"

struct monitor;
struct config_route;
struct spawn;
struct spawned;

/*
 * Starts the route's first device (config->spawn is its command; borrowed). *out is to be freed. 0,
 * or -errno, which has been logged; that a device cannot be started is no error here.
 */
int spawn_new(struct spawn **out, struct monitor *m, const struct config_route *config)
    __attribute__((warn_unused_result));

/* No more are started. Those that serve go on until spawn_release; the others are told to end. */
void spawn_stop(struct spawn *s);

/* When all have been collected or nobody will collect any more. NULL is allowed. */
void spawn_free(struct spawn *s);

/*
 * Takes a device that is ready: its socket, which is the caller's. *out is to be released. Or
 * -EAGAIN: one is being started or replaced; -ECONNREFUSED: it failed, and is tried again later.
 */
int spawn_take(struct spawn *s, struct spawned **out) __attribute__((warn_unused_result));

/* Its process: where it has ended, whatever is asked about it is unknown. */
pid_t spawn_pid(const struct spawned *d);

/* The process as it sends: its number, user and group. */
void spawn_who(const struct spawned *d, struct sock_sender *out);

/* Its session is over, for this reason: it is to end. */
void spawn_release(struct spawned *d, enum session_reason reason);

/* How a route's devices do: failures in a row, and in how many ms the next is tried; 0: at once. */
struct spawn_health {
    unsigned failures;
    unsigned again_ms;
};

void spawn_health(const struct spawn *s, struct spawn_health *out);

#endif
