/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Captures, as all parts of tracing know them:
 *
 *   tracing_list.c    all of them, including ended ones
 *   tracing_group.c   the captures of a session, and the sessions of a capture
 *   tracing_open.c    a capture's next file
 *   tracing_run.c     captures at work, with sessions, workers and the tracer
 *   tracing_keep.c    what of them outlives the monitor
 *   tracing_resume.c  captures of an earlier monitor
 *   tracing.c         requests for captures
 */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_CAPTURE_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_CAPTURE_H

#include <bsd/sys/queue.h>

#include "base/tree.h"
#include "proxy/monitor/facts/audit_writer.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/tracing/tracing_info.h"
#include "proxy/monitor/tracing/tracing_link.h"

struct route_table;
struct tracing_file;

struct capture;

/* The file of the capture is open: fd, which is taken, or -errno. */
typedef void tracing_opened_fn(struct capture *c, bool first, int fd);

/*
 * The running captures of one route, or of one session, with their combined settings: so the
 * settings of a session are known without a look at all captures.
 */
struct tracing_group {
    TAILQ_HEAD(tracing_captures, capture)
    captures;                 /* in the order in which they were announced to the tracer */
    struct tap_settings *tap; /* the most that any of them wants: the route's, or the session's */
};

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
    bool configured;         /* by a route's "trace" */
    bool given;              /* fd came from outside, so there is no next file */
    struct config_trace how; /* owns its filter, which is never NULL */
    enum tracing_state state;
    const char *why;
    uint64_t full_ms;             /* when the log last reported its disk as full, or no longer so */
    struct tracing_file *opening; /* a file that is being opened, step by step, or NULL */
    struct event *step;
    bool opens_first; /* … as the first one for this tracer */
    tracing_opened_fn *opened;
    struct audit_writer_wait recorded;
    uint32_t kept_block;         /* of the state file, once the tracer has it; or STATE_NO_BLOCK */
    struct tracer_counts before; /* of tracers that have died */
    struct tracer_counts counts;
};

RB_HEAD(capture_tree, capture);

struct tracing {
    struct monitor_context *context;
    struct route_table *routes;
    struct monitor_session_table *sessions;
    tracing_ended_fn *on_ended;
    void *on_ended_arg;
    struct tracing_link link;
    struct capture_tree captures;
    TAILQ_HEAD(, capture) ended;       /* the oldest first */
    struct monitor_session_list stale; /* sessions whose captures have changed */
    struct event *later;               /* active while there are stale sessions, or the tracer is
                                        * new */
    bool adopted;                      /* the tracer is that of an earlier monitor */
    bool replaces;                     /* … whose configured captures still run */
    bool requested;                    /* … and what clients requested goes on */
    bool renewing;                     /* a new tracer is being sent everything */
    uint64_t renewed;                  /* … captures up to this number are done */
    uint64_t last_run;
    struct tracing_totals forgotten; /* captures that are not in the tree any more */
    unsigned n_alive;
    unsigned n_ended;
    uint64_t last_id;
    uint64_t inherited;    /* captures up to this number are those of earlier monitors */
    struct tracer_msg msg; /* the message under construction */
};

#endif
