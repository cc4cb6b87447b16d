/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Captures at work, with sessions, workers and the tracer. */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_RUN_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_RUN_H

#include "proxy/monitor/tracing/tracing_capture.h"

/* Follows sessions and workers from now on. */
void tracing_run_observe(struct tracing *t);

/* The capture's record is on disk: begins the capture. */
void tracing_begin(struct capture *c);

/* The tracer knows the capture: adds its sessions. */
void tracing_announced(struct capture *c);

/* Sends tracer and workers the captures of all sessions that have a worker. */
void tracing_refresh_all(struct tracing *t);

/* The capture is over, at the tracer as well: logs and records why. */
void tracing_stopped(struct capture *c, uint32_t why);

/* Ends the capture; messages under way are still written. */
void tracing_end(struct capture *c, uint32_t why);

/* Sends a message with only the capture's number. */
void tracing_say_of(struct capture *c, enum tracer_type type);

/* The event's callback: sends changes to tracer and workers, as much as fits a turn. */
void tracing_on_later(evutil_socket_t fd, short what, void *arg);

void tracing_on_link(void *arg, enum tracing_link_news news, const struct tracer_msg *m);

#endif
