/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The running captures of a session, and the sessions of a capture. */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_GROUP_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_GROUP_H

#include "proxy/monitor/tracing/tracing_capture.h"

/* Events of a route: its group is made, and freed; no capture is left then. arg is not used. */
void tracing_group_route_begun(void *arg, struct route *r, bool *bad);
void tracing_group_route_ended(void *arg, struct route *r);

/* The capture runs from now on: adds it to its group. */
void tracing_group_join(struct capture *c);

/* The capture has been announced to the tracer: moves it behind those announced before. */
void tracing_group_notified(struct capture *c);

/* The capture stops running: removes it from its group, if any. */
void tracing_group_leave(struct capture *c);

/* The session is over: removes its group from its captures. */
void tracing_group_session_ended(struct monitor_session *t);

/* Returns the capture's next session with a worker after t (NULL: the first), or NULL. */
struct monitor_session *tracing_group_next_session(const struct capture *c,
                                                   const struct monitor_session *t);

/* Returns the number of sessions that it captures at the moment. */
unsigned tracing_sessions(const struct capture *c);

#endif
