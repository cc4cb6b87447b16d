/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A route: one listening socket, and the backend to which its clients are connected. */
#ifndef POEMD_PROXY_MONITOR_ROUTE_H
#define POEMD_PROXY_MONITOR_ROUTE_H

#include <event2/event.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "handshake/recital.h"
#include "proxy/config/config.h"
#include "proxy/ipc/session_settings.h"

struct monitor_session;
struct route;
struct spawn;
struct tracing_group;

TAILQ_HEAD(route_sessions, monitor_session);

/* A client of the route has connected. Takes the socket. */
typedef void route_accept_fn(void *arg, struct route *r, int client_fd);

struct route {
    const struct config_route *config; /* borrowed */
    size_t number;                     /* its place in the configuration */
    route_accept_fn *accept;
    void *accept_arg;
    int listen_fd;          /* -1: not listening */
    struct spawn *spawn;    /* of "backend spawn", otherwise NULL */
    struct recital_id self; /* its identity in recitals: random, for this run */
    dev_t dev;              /* of the socket's file, so that only ours is removed */
    ino_t ino;
    struct event *acceptable;
    struct event *resume;                   /* accepting again after the fds ran out */
    unsigned sessions;                      /* alive */
    unsigned relayed;                       /* … with a worker */
    unsigned lingering;                     /* ended, but with fds that the peer has not received
                                             * (worker_pool_linger.c) */
    uint64_t begun;                         /* since the broker's start */
    struct route_sessions monitor_sessions; /* those alive, in the order of arrival */
    struct tap_settings tap;                /* the most that any of its running captures wants */
    struct tracing_group
        *traced_by;    /* those captures; owned by tracing, NULL before it is set up */
    uint32_t taint;    /* of all its sessions so far */
    uint32_t observed; /* … */
    uint64_t refused;  /* since the last log line about it */
    uint64_t refused_logged_ms;
    uint64_t stuck_logged_ms; /* last line about failing accepts */
};

/* All routes. */
struct route_table {
    struct route *routes;   /* n of them, in the configuration's order */
    struct route **by_name; /* … sorted by name */
    size_t n;
};

/*
 * Listens on the sockets of all routes; accept is called with arg for each client. Returns 0 or
 * -errno (logged). Call route_table_free in either case.
 */
int route_table_open(struct route_table *table, struct event_base *base,
                     const struct config *config, route_accept_fn *accept, void *arg)
    __attribute__((warn_unused_result));

/* Closes and frees the routes. The caller owns the things to which they refer. */
void route_table_free(struct route_table *table);

/* Returns the route of this name, or NULL. */
struct route *route_find(const struct route_table *table, const char *name);

/* Stops listening and removes the socket's file if it is still the one that was made. */
void route_close(struct route *r);

/* Logs that a client was refused with err, at most one line per second and route. */
void route_log_refusal(struct route *r, int err);

/*
 * Returns the time in ms in which a client of the route must be refused: as long as any client
 * waits, or longer if those of this route are known to.
 */
unsigned route_refusal_ms(const struct route *r);

#endif
