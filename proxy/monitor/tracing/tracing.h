/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Captures, from the monitor's side: which sessions are captured to which files.
 *
 * A capture (in poemd.conf: a route's "trace") has a destination and a filter, and belongs to one
 * route or to one session. The monitor opens files, starts the tracer (trace/capture/tracer.h) when
 * the first capture begins, hands it files and the workers' rings, and announces sessions to it; it
 * tells workers which sessions to tap (proxy/relay/tap.h). The messages themselves never come here.
 *
 * A capture begins when its "trace-started" record is on disk. It ends if its reader has gone;
 * while its disk is full, messages are lost. If the tracer dies it is started again, and captures
 * go on in new files. If the monitor dies, the tracer and what clients requested go on with the
 * next one. Sessions are never harmed, and never wait.
 */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/config/config_trace.h"
#include "proxy/monitor/tracing/tracing_info.h"

struct monitor_session_table;
struct route;
struct route_table;
struct tracing;

/* ---- captures: for the control socket ---- */

/*
 * Begins a capture, in TRACING_BEGINNING. Returns 0 and its number in *id, or -errno with the cause
 * in why (n bytes, printable ASCII): -ENOENT (no such session or route), -EINVAL (the filter),
 * -EBUSY (the file belongs to another capture), -ENOSPC (TRACING_MAX), or an error of the file.
 */
int tracing_start(struct tracing *t, const struct tracing_request *r, uint64_t *id, char *why,
                  size_t n) __attribute__((warn_unused_result));

/*
 * Makes a route's configured capture, if any, that of its present words; the words before are
 * another "trace", or none. Logs an error.
 */
void tracing_reconfigure(struct tracing *t, struct route *r);

/* Ends all captures of a route that is gone. */
void tracing_route_gone(struct tracing *t, const struct route *r);

/* Ends a capture; its last counts come later. Returns 0, or -ENOENT if there is none to end. */
int tracing_stop(struct tracing *t, uint64_t id) __attribute__((warn_unused_result));

/* Makes a flight recorder write its contents. Returns 0, -ENOENT, or -EINVAL if it is not one. */
int tracing_dump(struct tracing *t, uint64_t id) __attribute__((warn_unused_result));

/* Returns the word for a state: "beginning", "running", "ending", "ended". Static. */
const char *tracing_state_name(enum tracing_state s);

/*
 * Puts the capture with the next greater number into *out, with texts that are valid until the loop
 * goes on. Returns false if there is none.
 */
bool tracing_next(const struct tracing *t, uint64_t id, struct tracing_info *out)
    __attribute__((warn_unused_result));

/* Sums up all captures of this run. */
void tracing_sum(const struct tracing *t, struct tracing_totals *out);

/* ---- for the monitor itself ---- */

/*
 * Begins the routes' captures, and captures sessions of workers that start from now on. Borrows
 * everything. Returns 0 or -errno (logged); free *out in either case.
 */
int tracing_new(struct tracing **out, struct route_table *routes,
                struct monitor_session_table *sessions) __attribute__((warn_unused_result));

/* Frees everything. tracing_quit must have ended the tracer. NULL is allowed. */
void tracing_free(struct tracing *t);

/* Has fn called with each capture that ends. */
void tracing_on_ended(struct tracing *t, tracing_ended_fn *fn, void *arg);

/* Returns the tracer's pid, or -1 if there is none. */
pid_t tracing_pid(const struct tracing *t);

/* Checks every LIMIT_BEAT_MS that the tracer makes its turns. */
void tracing_beat(struct tracing *t);

/* All workers have gone: the tracer writes its remaining messages, and exits. */
void tracing_quit(struct tracing *t);

#endif
