/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor: the only process with rights. It listens, accepts, dials, decides and records; it
 * parses no byte that a peer sent.
 *
 *   route.c            a listening socket and the limits on new sessions
 *   monitor_session.c  a session as the monitor knows it, from the accepted connection to its
 *                      record
 *   worker_pool.c      the relay workers: started, given work, watched, started again
 *   spawn.c            a route's devices that the broker starts; children.c collects both
 *   monitor.c          the process: setup, signals, stop
 */
#ifndef POEMD_PROXY_MONITOR_MONITOR_H
#define POEMD_PROXY_MONITOR_MONITOR_H

#include <event2/event.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <sys/resource.h>

#include "proxy/config/config.h"
#include "audit/audit_line.h"
#include "policy/inspector/inspector.h"
#include "proxy/monitor/children.h"
#include "proxy/monitor/worker_pool.h"
#include "proxy/ipc/heap.h"
#include "proxy/monitor/audit_writer.h"
#include "proxy/monitor/repeats.h"
#include "proxy/monitor/route.h"
#include "proxy/monitor/monitor_session.h"

struct control;

struct monitor {
    struct event_base *base;
    const struct config *config; /* borrowed, resolved */
    struct route *routes;        /* config->n_routes entries */
    struct route **by_name;      /* … sorted by name */
    struct children children;
    struct rlimit nofile; /* the limit before this process raised its own */
    struct worker_pool worker_pool;
    struct monitor_session_list monitor_sessions[SESSION_STATES];
    struct monitor_session_tree by_id; /* sessions that are not dead */
    uint64_t last_session;             /* the last number used; numbers begin at 1 */
    unsigned sessions;                 /* alive, on all routes */
    unsigned lingering;                /* ended, but with fds that the peer has not received */
    uint32_t taint;                    /* of all sessions of this run */
    struct audit_writer audit_writer;
    struct repeats repeats;      /* users whose sessions are only counted in the log */
    struct tracing *tracing;     /* NULL before it is set up */
    struct inspector *inspector; /* NULL if nothing needs one */
    struct control *control;     /* NULL if not configured */
    uint64_t started_ms;
    struct heap heap;
    struct event *reap_event;
    struct event *beat; /* checks that the other processes make their turns */
    struct event *signals[4];
    int ready_fd; /* owned; -1 if not requested, or done */
    bool stopping;
    int status; /* the exit status, once it stops */
};

/*
 * Runs the broker until it is stopped. Writes "\n" to ready_fd (taken; -1 if there is no reader)
 * when every socket listens and every worker is ready. Returns the exit status: 0, or 3 if the
 * broker could not run.
 */
int monitor_main(const struct config *config, int ready_fd);

/* A worker is ready: if all are now, writes to ready_fd. */
void monitor_worker_ready(struct monitor *m);

/* A worker has gone, and all its sessions have ended. */
void monitor_worker_gone(struct monitor *m);

/* Stops: no new sessions, the running ones end, workers exit. status is the exit status. */
void monitor_stop(struct monitor *m, int status);

/* Returns the route of this name, or NULL. */
struct route *monitor_route(const struct monitor *m, const char *name);

/* Returns the time of day, UTC, of a past moment of clock_ms(). */
void monitor_time_of(uint64_t then_ms, char out[AUDIT_TIME_SIZE + 1]);

#endif
