/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A route: one listening socket, and the backend to which its clients are connected.
 *
 * A route is known by its name. A reload changes its words, not the route: its sessions, counts,
 * taint and captures stay. A route that is no longer configured takes no new session, and goes when
 * its last one ends.
 */
#ifndef POEMD_PROXY_MONITOR_ROUTES_ROUTE_H
#define POEMD_PROXY_MONITOR_ROUTES_ROUTE_H

#include <event2/event.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "base/tree.h"
#include "handshake/recital.h"
#include "proxy/config/config.h"
#include "proxy/ipc/session_settings.h"
#include "proxy/monitor/routes/generation.h"
#include "proxy/monitor/routes/listener.h"
#include "base/observers.h"

struct monitor_session;
struct repeats_peer;
struct snapshot_counts;
struct spawn;
struct tracing_group;

TAILQ_HEAD(route_sessions, monitor_session);

/* Errors with which clients are refused; the broker sends less than ten. */
#define ROUTE_ERRNOS 16u

struct route_refusal {
    int err; /* 0: unused, as are all that follow */
    uint64_t times;
};

struct route {
    RB_ENTRY(route) number_link;            /* in the table, by number … */
    RB_ENTRY(route) name_link;              /* … and by name */
    struct generation *generation;          /* its last words', held */
    const struct config_route *config;      /* … in which they are; sessions have their own */
    unsigned number;                        /* of this run, from 0; never used again */
    bool gone;                              /* no longer configured */
    struct listener *listener;              /* owned; NULL: not listening */
    struct spawn *spawn;                    /* of "backend spawn", otherwise NULL */
    uint32_t kept_block;                    /* its record in the state file */
    struct recital_id self;                 /* its identity in recitals: random, for this run */
    unsigned sessions;                      /* alive */
    unsigned relayed;                       /* … with a worker */
    unsigned lingering;                     /* ended, but with fds that the peer has not received
                                             * (worker_pool_linger.c) */
    unsigned users;                         /* dead sessions that are not freed yet, and captures */
    uint64_t begun;                         /* since the broker's start */
    uint64_t resumed;                       /* times one of them has gone on in another worker */
    struct route_sessions monitor_sessions; /* those alive, in the order of arrival */
    struct tap_settings tap;                /* the most that any of its running captures wants */
    struct tracing_group
        *traced_by;              /* those captures; owned by tracing, NULL before it is set up */
    struct repeats_peer *others; /* its users without an entry of their own; owned by repeats */
    uint32_t taint;              /* of all its sessions so far */
    uint32_t observed;           /* … */
    uint64_t overdue;            /* their requests that were answered in the device's stead */
    uint64_t held;               /* times one of them has lost its device, and was held */
    uint64_t held_ms;            /* … and how long in all, of those that went on */
    uint64_t replaced;           /* times one of them has gone on with another process */
    uint64_t replacements;       /* devices that were replaced while they served */
    uint64_t pause_us;           /* … and how long their clients waited in all */
    uint64_t rejected;           /* processes that were denied, or promised less */
    struct route_refusal refusals[ROUTE_ERRNOS];
    struct snapshot_counts *metrics; /* of verdicts and sessions that have ended; owned by metrics;
                                      * NULL if none are served */
    uint64_t refused;                /* since the last log line about it */
    uint64_t refused_logged_ms;
};

RB_HEAD(route_numbers, route);
RB_HEAD(route_names, route);

/* Events of routes. Observers are called in the order in which they subscribed. */
struct route_events {
    /* It is about to be added. Sets *bad if that must fail for lack of memory. */
    void (*begun)(void *arg, struct route *r, bool *bad);
    /* It is about to be freed; also if it was never added. */
    void (*ended)(void *arg, struct route *r);
};

/* All routes. */
struct route_table {
    struct route_numbers by_number;
    struct route_names by_name;
    size_t n;
    unsigned next;         /* the next route's number */
    struct fdstore *store; /* with the sockets of an earlier monitor; NULL without a keeper */
    OBSERVERS_LIST(struct route_events) observers;
};

/*
 * Listens on the sockets of all routes; accept is called with arg for each client. Returns 0 or
 * -errno (logged). Call route_table_free in either case.
 */
int route_table_open(struct route_table *table, struct event_base *base, struct generation *g,
                     listener_accept_fn *accept, void *arg) __attribute__((warn_unused_result));

/* Closes and frees the routes. The caller owns the things to which they refer. */
void route_table_free(struct route_table *table);

/* Subscribes events (static) with their arg. Existing routes begin now; false: out of memory. */
bool route_table_observe(struct route_table *table, const struct route_events *events, void *arg)
    __attribute__((warn_unused_result));

/* Returns the route of this name, also if it is gone and still has sessions; or NULL. */
struct route *route_find(const struct route_table *table, const char *name);

/* Returns the route with this number, or the next greater one, or NULL. */
struct route *route_from(const struct route_table *table, unsigned number);

/* Returns the route behind this one, by number, or NULL. */
struct route *route_next(const struct route_table *table, const struct route *r);

/*
 * Returns a new route with the words of config, a route of g's, not added yet; NULL if out of
 * memory.
 */
struct route *route_new(struct route_table *table, struct generation *g,
                        const struct config_route *config) __attribute__((warn_unused_result));

/* Adds a new route. */
void route_add(struct route_table *table, struct route *r);

/* Frees a route that was not added, or is not used any more; its listener is closed. */
void route_free(struct route_table *table, struct route *r);

/* Gives it words of another generation, for its next sessions. */
void route_change(struct route *r, struct generation *g, const struct config_route *config);

/* Stops listening and removes the socket's file if it is still the one that was made. */
void route_close(struct route *r);

/* Counts a client that is refused with err. */
void route_count_refusal(struct route *r, int err);

/* Counts and logs that a client was refused with err, at most one line per second and route. */
void route_log_refusal(struct route *r, int err);

/*
 * Returns the time in ms in which a client of the route must be refused: as long as any client
 * waits, or longer if those of this route are known to.
 */
unsigned route_refusal_ms(const struct route *r);

#endif
