/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Shared by the two halves of tracing: tracing.c handles requests for captures, tracing_run.c runs
 * them with sessions, workers and the tracer.
 */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_PARTS_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_PARTS_H

#include <bsd/sys/queue.h>

#include "base/tree.h"
#include "proxy/monitor/audit_writer.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/tracing/tracing.h"
#include "proxy/monitor/tracing/tracing_link.h"

/* The number of ended captures that are still listed. */
#define TRACING_REMEMBERED 64u

struct capture {
    RB_ENTRY(capture) link;          /* in the tree of all, by number */
    TAILQ_ENTRY(capture) group_link; /* while it runs; later in the list of ended ones */
    struct tracing_group *group;     /* NULL: it does not run */
    struct tracing *tracing;
    uint64_t id;
    uint64_t session;        /* 0: the route's */
    struct route *route;     /* of the session, too */
    char *path;              /* "" if fd was given */
    int fd;                  /* until the tracer has it; then -1 */
    uint64_t run;            /* rises with each announcement to the tracer; 0: not announced */
    bool given;              /* fd came from outside, so there is no next file */
    struct config_trace how; /* owns its filter, which is never NULL */
    enum tracing_state state;
    const char *why;
    struct tracing_file *opening; /* a file that is being opened, step by step, or NULL */
    struct event *step;
    bool opens_first; /* … as the first one for this tracer */
    struct audit_writer_wait recorded;
    struct tracer_counts before; /* of tracers that have died */
    struct tracer_counts counts;
};

RB_HEAD(capture_tree, capture);

struct tracing {
    struct monitor *monitor;
    struct tracing_link link;
    struct capture_tree captures;
    TAILQ_HEAD(, capture) ended;       /* the oldest first */
    struct monitor_session_list stale; /* sessions whose captures have changed */
    struct event *later;               /* active while there are stale sessions, or the tracer is
                                        * new */
    bool renewing;                     /* a new tracer is being sent everything */
    uint64_t renewed;                  /* … captures up to this number are done */
    uint64_t last_run;
    unsigned n_alive;
    unsigned n_ended;
    uint64_t last_id;
    struct tracer_msg msg; /* the message under construction */
};

struct capture *tracing_find(const struct tracing *t, uint64_t id);

/*
 * Returns the capture with the next greater number, or NULL. Ending one may free another, so loops
 * proceed by number.
 */
struct capture *tracing_behind(const struct tracing *t, uint64_t id);

void tracing_set_ended(struct tracing *t, struct capture *c, uint32_t why);

/* The capture's record is on disk: begins the capture. */
void tracing_begin(struct capture *c);

/* Ends the capture; messages under way are still written. */
void tracing_end(struct capture *c, uint32_t why);

/* Sends a message with only the capture's number. */
void tracing_say_of(struct capture *c, enum tracer_type type);

/* ---- tracing_group.c ---- */

/* The capture runs from now on: adds it to its group. */
void tracing_group_join(struct capture *c);

/* The capture has been announced to the tracer: moves it behind those announced before. */
void tracing_group_told(struct capture *c);

/* The capture stops running: removes it from its group, if any. */
void tracing_group_leave(struct capture *c);

/* The session is over: removes its group from its captures. */
void tracing_group_session_ended(struct monitor_session *t);

/* Returns the capture's next session with a worker after t (NULL: the first), or NULL. */
struct monitor_session *tracing_next_ticket(const struct capture *c,
                                            const struct monitor_session *t);

/* ---- tracing_next.c ---- */

/*
 * Creates the capture's file while the loop goes on; then calls tracing_opened_take with the fd, or
 * -errno. That call comes from the loop, or from within if opening cannot even begin.
 */
void tracing_open(struct capture *c, bool first);
void tracing_opened_take(struct capture *c, bool first, int fd);

/* Stops opening: the tracer that wanted the file, or the capture, is gone. */
void tracing_open_cancel(struct capture *c);

/* Returns the number of sessions that it captures at the moment. */
unsigned tracing_sessions(const struct capture *c);

/* ---- tracing_next.c ---- */

/* The event's callback: sends changes to tracer and workers, as much as fits a turn. */
void tracing_on_later(evutil_socket_t fd, short what, void *arg);

void tracing_on_link(void *arg, enum tracing_link_news news, const struct tracer_msg *m);

#endif
