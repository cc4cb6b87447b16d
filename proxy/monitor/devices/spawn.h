/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * "backend spawn": the devices of a route that the broker starts itself, one process per session.
 *
 *   STARTING  forked; its program is not executed yet
 *   READY     waits on its socket for a session: one is kept ready, so that no client waits for it
 *   SERVING   a session has its socket
 *   ENDING    its socket is closed on our side: it ends by itself, or by SIGTERM, or by SIGKILL
 *   GONE      it has ended while its session still holds it
 *   LEFT      it has ended, but its guard (device.c) has not: a child of the device may remain
 *
 * At most as many live at once as the route has sessions. So if that is one, a device has ended
 * before the next is started, since both may need the same disk. A device that ends before it has
 * served is started again after a delay that doubles; likewise one that ends its session itself,
 * before the client does, unless it has lived for long. After any other session the next one is
 * started at once.
 *
 * The pid is certain to be that of the started process: it is a child, and is not collected while
 * the pid is in use.
 */
#ifndef POEMD_PROXY_MONITOR_DEVICES_SPAWN_H
#define POEMD_PROXY_MONITOR_DEVICES_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/sock.h"
#include "proxy/ipc/session_state.h"

struct children;
struct config_route;
struct event_base;
struct fdstore;
struct spawn;
struct spawned;

/* What devices need of the process that starts them; borrowed, until the last has ended. */
struct spawn_host {
    struct event_base *base;
    struct children *children;
    struct fdstore *store; /* for their output; NULL without a keeper */
    struct rlimit nofile;  /* the devices' own */
};

/*
 * Prepares a route's devices (config->spawn is their command; borrowed). Free *out with spawn_free.
 * Returns 0, or -errno (logged).
 */
int spawn_new(struct spawn **out, const struct spawn_host *host, const struct config_route *config)
    __attribute__((warn_unused_result));

/*
 * Starts the first device. before are the route's devices with an earlier command, which have been
 * retired, or NULL: all count together. A device that cannot be started is tried again later.
 */
void spawn_start(struct spawn *s, struct spawn *before);

/* Borrows another configuration of the same command, user and group instead. */
void spawn_change(struct spawn *s, const struct config_route *config);

/* Returns true if it was retired or stopped, and has no device left. */
bool spawn_is_over(const struct spawn *s);

/* Starts no more devices. Those that serve go on until spawn_release; the others are ended. */
void spawn_retire(struct spawn *s);

/* Does the same as the broker stops: devices that are to end are given no time for it. */
void spawn_stop(struct spawn *s);

/* Call once all are collected, or nothing will collect them any more. NULL is allowed. */
void spawn_free(struct spawn *s);

/*
 * Takes a device that is ready. Returns its socket, which the caller owns; pass *out to
 * spawn_release. Returns -EAGAIN if one is being started or replaced, -ECONNREFUSED if it failed
 * and is tried again later.
 */
int spawn_take(struct spawn *s, struct spawned **out) __attribute__((warn_unused_result));

/* Returns its pid. Once the process has ended, all facts about it are unknown. */
pid_t spawn_pid(const struct spawned *d);

/* A device that serves a session, as the next monitor must know it. */
struct spawn_kept {
    pid_t device;
    pid_t guard;
    uint64_t since_ms; /* when it was started */
};

void spawn_keep(const struct spawned *d, struct spawn_kept *out);

/*
 * Goes on with a device of an earlier monitor, which serves a session; pass *out to spawn_release.
 * Returns false if it does not exist any more, or out of memory.
 */
bool spawn_adopt(struct spawn *s, const struct spawn_kept *kept, struct spawned **out)
    __attribute__((warn_unused_result));

/* Returns the pid, user and group with which the process sends. */
void spawn_who(const struct spawned *d, struct sock_sender *out);

/* Ends the device: its session is over, for this reason. */
void spawn_release(struct spawned *d, enum session_reason reason);

/* Consecutive failures of a route's devices, and ms until the next attempt (0: at once). */
struct spawn_health {
    unsigned failures;
    unsigned again_ms;
};

void spawn_health(const struct spawn *s, struct spawn_health *out);

#endif
