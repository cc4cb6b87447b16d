/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Captures, from the monitor's side: which sessions are captured to which files.
 *
 *   A capture (in poemd.conf: a route's "trace") has a destination, a filter, and is of one route
 *   or of one session. The monitor opens files, starts the tracer (trace/capture/tracer.h) when the
 * first capture begins, hands it files and the workers' rings, and tells it of sessions; workers
 * are told which sessions to tap (proxy/relay/tap.h). The messages themselves never come here.
 *
 * A capture begins when its "trace-started" record is on disk. One whose disk is full, or whose
 * reader has gone, ends; a tracer that dies is started again, and captures go on in new files.
 * Sessions are never harmed, and never wait.
 */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/config/config_trace.h"
#include "proxy/ipc/ipc.h"
#include "proxy/ipc/session_settings.h"

struct monitor;
struct monitor_session;
struct worker_process;

/* ---- captures: for the control socket ---- */

/* What is to be captured. Texts are borrowed for the call. */
struct tracing_request {
    uint64_t session;  /* 0: the route's sessions, those to come included */
    const char *route; /* where session is 0 */
    int fd;            /* taken in every case: a file or a pipe, open for writing; -1: path */
    const char *path;  /* absolute; opened, rotated and kept by the monitor */
    struct config_trace how;
    json_t *by; /* borrowed; who asked, for the audit record; NULL: the configuration */
};

/*
 * Begins a capture. 0 and its number in *id; or -errno, why (n bytes) saying in printable ASCII
 * what is wrong: -ENOENT (no such session or route), -EINVAL (the filter), -EBUSY (the file is
 * another capture's), -ENOSPC (TRACING_MAX), or of the file. It is TRACING_BEGINNING at first.
 */
int tracing_start(struct monitor *m, const struct tracing_request *r, uint64_t *id, char *why,
                  size_t n) __attribute__((warn_unused_result));

/* Ends it; its last counts come later. 0 or -ENOENT: no such capture, or it has ended. */
int tracing_stop(struct monitor *m, uint64_t id) __attribute__((warn_unused_result));

/* A flight recorder writes down what it holds. 0, -ENOENT, or -EINVAL: it is none. */
int tracing_dump(struct monitor *m, uint64_t id) __attribute__((warn_unused_result));

enum tracing_state {
    TRACING_BEGINNING, /* its audit record is not on disk yet */
    TRACING_RUNNING,
    TRACING_ENDING, /* stopped; what is under way is still written */
    TRACING_ENDED,  /* why says why; listed for a while */
};

struct tracing_info {
    uint64_t id;
    uint64_t session; /* 0: of a route */
    const char *route;
    const char *file;   /* "" where it was given as an fd */
    const char *filter; /* "" for everything */
    enum tracing_state state;
    const char *why;   /* TRACING_ENDED: "asked", "disk full", "i/o error", "limit", "reader gone",
                          "session ended", "shutdown", "not recorded"; else "" */
    uint64_t messages; /* written */
    uint64_t lost;     /* not written, though wanted, for want of room or time */
    uint64_t bytes;    /* written, all files together */
    uint64_t files;    /* begun */
    unsigned sessions; /* being captured */
    const struct config_trace *how;
};

/* Word of a state: "beginning", "running", "ending", "ended". Static. */
const char *tracing_state_name(enum tracing_state s);

/*
 * The capture with the next greater number than this, in *out, whose texts are good until the loop
 * goes on. False: there is none.
 */
bool tracing_next(const struct monitor *m, uint64_t id, struct tracing_info *out)
    __attribute__((warn_unused_result));

/* ---- for the monitor itself ---- */

/* Captures at once, and as many ended ones are remembered. */
#define TRACING_MAX 4352u

/* The routes' captures. 0 or -errno, which has been logged; to be deinit'ed in either case. */
int tracing_init(struct monitor *m) __attribute__((warn_unused_result));

/* Forgets everything. The tracer, which tracing_quit has ended, is gone. */
void tracing_deinit(struct monitor *m);

/* A worker has been started: it gets a ring, where there is a tracer. */
void tracing_worker_started(struct monitor *m, struct worker_process *w);

/* Every LIMIT_BEAT_MS: asks the tracer whether it makes its turns. */
void tracing_beat(struct monitor *m);

/* All workers have gone: the tracer writes what it has, and exits. */
void tracing_quit(struct monitor *m);

/* How a session is to be tapped at this moment; off where no capture wants it. */
struct tap_settings tracing_tap(const struct monitor *m, const struct monitor_session *t);

/* The session goes to a worker: the tracer is told first. */
void tracing_session_begins(struct monitor *m, struct monitor_session *t);

/*
 * Its verdict is known, and not yet told to the worker. record is that of the audit log (borrowed,
 * NULL: there is none).
 */
void tracing_session_decided(struct monitor *m, struct monitor_session *t, const char *verdict,
                             const json_t *record);

/* The verdict's record is on disk: the ticket has its number. */
void tracing_session_recorded(struct monitor *m, struct monitor_session *t);

/* It is over; what may be NULL. */
void tracing_session_ended(struct monitor *m, struct monitor_session *t, enum session_reason reason,
                           const struct ipc_ended *what);

#endif
