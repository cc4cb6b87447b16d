/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the two halves of tracing know of each other: tracing.c has captures as they are asked for,
 * tracing_run.c what becomes of them with sessions, workers and the tracer.
 */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_PARTS_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_PARTS_H

#include <bsd/sys/queue.h>

#include "base/tree.h"
#include "proxy/monitor/audit_writer.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/tracing/tracing.h"
#include "proxy/monitor/tracing/tracing_link.h"

/* Captures that have ended are listed still, so many of them. */
#define TRACING_REMEMBERED 64u

struct capture {
    RB_ENTRY(capture) link;          /* among all, by number */
    TAILQ_ENTRY(capture) group_link; /* while it runs; later among those that have ended */
    struct tracing_group *group;     /* NULL: it does not run */
    struct tracing *tracing;
    uint64_t id;
    uint64_t session;    /* 0: the route's */
    struct route *route; /* of the session, too */
    char *path;          /* "" where fd was given */
    int fd;              /* until the tracer has it; -1 */
    uint64_t run; /* greater than of those that the tracer was told of before; 0: it was not */
    bool given;   /* fd came from outside: there is no next file */
    struct config_trace how; /* owns its filter, which is never NULL */
    enum tracing_state state;
    const char *why;
    struct tracing_file *opening; /* a file that is being opened, step by step; NULL: none */
    struct event *step;
    bool opens_first; /* … it is the first one for this tracer */
    struct audit_writer_wait recorded;
    struct tracer_counts before; /* of tracers that have died */
    struct tracer_counts counts;
};

RB_HEAD(capture_tree, capture);

struct tracing {
    struct monitor *monitor;
    struct tracing_link link;
    struct capture_tree captures;
    TAILQ_HEAD(, capture) ended;       /* of them, the oldest first */
    struct monitor_session_list stale; /* sessions whose captures have changed */
    struct event *later;               /* made active while there are some, or a tracer is new */
    bool renewing;                     /* a new tracer is being told of everything */
    uint64_t renewed;                  /* … of captures up to this number */
    uint64_t last_run;
    unsigned n_alive;
    unsigned n_ended;
    uint64_t last_id;
    struct tracer_msg msg; /* being made */
};

struct capture *tracing_find(const struct tracing *t, uint64_t id);

/*
 * The capture with the next greater number; NULL: none. What ends one may free another: so numbers
 * are what one goes by from one to the next.
 */
struct capture *tracing_behind(const struct tracing *t, uint64_t id);

void tracing_set_ended(struct tracing *t, struct capture *c, uint32_t why);

/* The capture's record is on disk: it begins. */
void tracing_begin(struct capture *c);

/* It is to end: what is under way is still written. */
void tracing_end(struct capture *c, uint32_t why);

/* Sends a message that has nothing but the capture's number. */
void tracing_say_of(struct capture *c, enum tracer_type type);

/* ---- tracing_group.c ---- */

/* It runs from now on: its sessions have it. */
void tracing_group_join(struct capture *c);

/* The tracer has been told of it: it goes behind those that it was told of before. */
void tracing_group_told(struct capture *c);

/* It does not run any more. May be called for one that does not. */
void tracing_group_leave(struct capture *c);

/* The session is over: its captures have none. */
void tracing_group_session_ended(struct monitor_session *t);

/* The next of its sessions that a worker has, behind t; NULL: the first. NULL: no more. */
struct monitor_session *tracing_next_ticket(const struct capture *c,
                                            const struct monitor_session *t);

/* ---- tracing_run.c ---- */

/*
 * Opens the capture's file anew, while the loop goes on; then tracing_opened_take is called with
 * the fd, or -errno. From the loop, or from within where it cannot even begin.
 */
void tracing_open(struct capture *c, bool first);
void tracing_opened_take(struct capture *c, bool first, int fd);

/* It is not opened any more: the tracer that wanted it, or the capture, is gone. */
void tracing_open_cancel(struct capture *c);

/* Sessions that it has at the moment. */
unsigned tracing_sessions(const struct capture *c);

/* ---- tracing_run.c ---- */

/* The event's callback: tells tracer and workers what has changed, as much as fits a turn. */
void tracing_on_later(evutil_socket_t fd, short what, void *arg);

void tracing_on_link(void *arg, enum tracing_link_news news, const struct tracer_msg *m);

#endif
