/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The control socket: the monitor answers poemctl. control_wire.h describes the protocol.
 *
 *   control.c           the socket and its clients: permission, requests, sending, dropping
 *   control_dispatch.c  the action of each request, and the parts of its answer
 *   control_json.c      the parts as JSON
 *
 * Clients are operators, but are bounded all the same: their number, one request each, an answer
 * that is made part by part as they read it, and a time limit for every step. A client can neither
 * block the monitor nor make it grow.
 */
#ifndef POEMD_PROXY_MONITOR_CONTROL_CONTROL_H
#define POEMD_PROXY_MONITOR_CONTROL_CONTROL_H

struct control;
struct control_subject;

/*
 * Listens at the configured path. Sets *out to NULL if no control socket is configured. subject is
 * copied. Returns 0 or -errno (logged).
 */
int control_new(struct control **out, const struct control_subject *subject)
    __attribute__((warn_unused_result));

/* Goes on with the clients that held captures at an earlier monitor's end. NULL is allowed. */
void control_resume(struct control *control);

/* Stops accepting clients and removes the socket's file. NULL is allowed, here and below. */
void control_close(struct control *c);

/* Drops all clients, which ends the captures they hold. */
void control_free(struct control *c);

#endif
