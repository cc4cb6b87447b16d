/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Captures, from the monitor's side: which sessions are captured to which files.
 *
 * A capture (in poemd.conf: a route's "trace") has a destination and a filter, and belongs to one
 * route or to one session. The monitor opens files, starts the tracer (trace/capture/tracer.h) when
 * the first capture begins, hands it files and the workers' rings, and announces sessions to it; it
 * tells workers which sessions to tap (proxy/relay/tap.h). The messages themselves never come here.
 *
 * A capture begins when its "trace-started" record is on disk. It ends if its disk is full or its
 * reader has gone. If the tracer dies it is started again, and captures go on in new files.
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

/* A requested capture. Texts are borrowed for the call. */
struct tracing_request {
    uint64_t session;  /* 0: the route's sessions, including later ones */
    const char *route; /* if session is 0 */
    int fd;            /* taken in every case: a file or a pipe, open for writing; -1: use path */
    const char *path;  /* absolute; opened, rotated and kept by the monitor */
    struct config_trace how;
    json_t *by; /* borrowed: the requester, for the audit record; NULL: the configuration */
};

/*
 * Begins a capture, in TRACING_BEGINNING. Returns 0 and its number in *id, or -errno with the cause
 * in why (n bytes, printable ASCII): -ENOENT (no such session or route), -EINVAL (the filter),
 * -EBUSY (the file belongs to another capture), -ENOSPC (TRACING_MAX), or an error of the file.
 */
int tracing_start(struct monitor *m, const struct tracing_request *r, uint64_t *id, char *why,
                  size_t n) __attribute__((warn_unused_result));

/* Ends a capture; its last counts come later. Returns 0, or -ENOENT if there is none to end. */
int tracing_stop(struct monitor *m, uint64_t id) __attribute__((warn_unused_result));

/* Makes a flight recorder write its contents. Returns 0, -ENOENT, or -EINVAL if it is not one. */
int tracing_dump(struct monitor *m, uint64_t id) __attribute__((warn_unused_result));

enum tracing_state {
    TRACING_BEGINNING, /* its audit record is not on disk yet */
    TRACING_RUNNING,
    TRACING_ENDING, /* stopped, but messages under way are still written */
    TRACING_ENDED,  /* with the reason in why; listed for a while */
};

struct tracing_info {
    uint64_t id;
    uint64_t session; /* 0: of a route */
    const char *route;
    const char *file;   /* "" if given as an fd */
    const char *filter; /* "" for all messages */
    enum tracing_state state;
    const char *why;   /* TRACING_ENDED: "asked", "disk full", "i/o error", "limit", "reader gone",
                          "session ended", "shutdown", "not recorded"; else "" */
    uint64_t messages; /* written */
    uint64_t lost;     /* wanted but not written, for lack of room or time */
    uint64_t bytes;    /* written, in all files */
    uint64_t files;    /* number of files begun */
    unsigned sessions; /* being captured */
    const struct config_trace *how;
};

/* Returns the word for a state: "beginning", "running", "ending", "ended". Static. */
const char *tracing_state_name(enum tracing_state s);

/*
 * Puts the capture with the next greater number into *out, with texts that are valid until the loop
 * goes on. Returns false if there is none.
 */
bool tracing_next(const struct monitor *m, uint64_t id, struct tracing_info *out)
    __attribute__((warn_unused_result));

/* ---- for the monitor itself ---- */

/* The maximum number of captures at once. */
#define TRACING_MAX 4352u

/* Starts the routes' captures. Returns 0 or -errno (logged). Call tracing_deinit in either case. */
int tracing_init(struct monitor *m) __attribute__((warn_unused_result));

/* Frees everything. tracing_quit must have ended the tracer. */
void tracing_deinit(struct monitor *m);

/* A worker has been started: gives it a ring, if there is a tracer. */
void tracing_worker_started(struct monitor *m, struct worker_process *w);

/* Checks every LIMIT_BEAT_MS that the tracer makes its turns. */
void tracing_beat(struct monitor *m);

/* All workers have gone: the tracer writes its remaining messages, and exits. */
void tracing_quit(struct monitor *m);

/* Returns how a session is to be tapped at this moment; off if no capture wants it. */
struct tap_settings tracing_tap(const struct monitor *m, const struct monitor_session *t);

/* The session goes to a worker: announces it to the tracer first. */
void tracing_session_begins(struct monitor *m, struct monitor_session *t);

/*
 * The session's verdict is known, but not sent to the worker yet. record is the audit record
 * (borrowed), or NULL.
 */
void tracing_session_decided(struct monitor *m, struct monitor_session *t, const char *verdict,
                             const json_t *record);

/* The verdict's record is on disk, and the session has its number. */
void tracing_session_recorded(struct monitor *m, struct monitor_session *t);

/* The session is over. what may be NULL. */
void tracing_session_ended(struct monitor *m, struct monitor_session *t, enum session_reason reason,
                           const struct ipc_ended *what);

#endif
