/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A route: one listening socket, and the backend to which its clients are connected. */
#ifndef POEMD_PROXY_MONITOR_ROUTE_H
#define POEMD_PROXY_MONITOR_ROUTE_H

#include <event2/event.h>
#include <stdint.h>
#include <sys/types.h>

#include "handshake/recital.h"
#include "proxy/config/config.h"
#include "proxy/monitor/repeats.h"
#include "proxy/monitor/devices/spawn.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/tracing/tracing_group.h"

struct monitor;

struct route {
    struct monitor *monitor;
    const struct config_route *config; /* borrowed */
    int listen_fd;                     /* -1: not listening */
    struct spawn *spawn;               /* of "backend spawn", otherwise NULL */
    struct recital_id self;            /* its identity in recitals: random, for this run */
    dev_t dev;                         /* of the socket's file, so that only ours is removed */
    ino_t ino;
    struct event *acceptable;
    struct event *resume; /* accepting again after the fds ran out */
    unsigned sessions;    /* alive */
    unsigned relayed;     /* … with a worker */
    unsigned lingering;   /* ended, but with fds that the peer has not received
                           * (worker_pool_linger.c) */
    uint64_t begun;       /* since the broker's start */
    struct monitor_session_list monitor_sessions; /* those alive, in the order of arrival */
    struct tracing_group traced_by;
    uint32_t taint;             /* of all its sessions so far */
    struct repeats_peer others; /* users without an entry of their own in repeats.h */
    uint64_t refused;           /* since the last log line about it */
    uint64_t refused_logged_ms;
    uint64_t stuck_logged_ms; /* last line about failing accepts */
};

/* Listens. Returns 0, or -errno (logged) with r as route_close leaves it. */
int route_open(struct route *r, struct monitor *m, const struct config_route *config)
    __attribute__((warn_unused_result));

/* Stops listening and removes the socket's file if it is still the one that was made. */
void route_close(struct route *r);

/* Logs that a client was refused with err, at most one line per second and route. */
void route_log_refusal(struct route *r, int err);

#endif
