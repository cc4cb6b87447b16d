/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The control socket: the monitor answers poemctl. What is said there is in control_wire.h.
 *
 *   control.c         the socket, its clients, who may be one, how they are answered and dropped
 *   control_dispatch.c    what each request does, and the parts of its answer
 *   control_json.c    the parts as JSON
 *
 * Clients are operators, and are bounded all the same: so many at once, one request each, an answer
 * that is made part by part as they read it, and a time for every step. Nobody can block the
 * monitor, or make it grow.
 */
#ifndef POEMD_PROXY_MONITOR_CONTROL_CONTROL_H
#define POEMD_PROXY_MONITOR_CONTROL_CONTROL_H

#include <stdint.h>

struct monitor;
struct control;

/*
 * Listens where the configuration says so; *out is NULL where it does not. 0 or -errno, which has
 * been logged.
 */
int control_new(struct control **out, struct monitor *m) __attribute__((warn_unused_result));

/* Takes no more clients, and removes the socket's file. NULL is allowed, here and below. */
void control_close(struct control *c);

/* Drops all clients: what they hold ends. */
void control_free(struct control *c);

/* A worker has told its counts, or died. Answers follow from the loop. */
void control_counted(struct control *c);

/* A capture has ended, its last counts known: who holds it is told, from the loop. */
void control_trace_ended(struct control *c, uint64_t id);

#endif
