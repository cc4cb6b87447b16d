/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Requests about captures: rows of the table in control_dispatch.c, and their answers' parts. */
#ifndef POEMD_PROXY_MONITOR_CONTROL_CONTROL_TRACE_H
#define POEMD_PROXY_MONITOR_CONTROL_CONTROL_TRACE_H

#include "proxy/monitor/control/control_client.h"

struct fdstore;

void control_trace_start(struct control_client *c);
void control_trace_stop(struct control_client *c);
void control_trace_dump(struct control_client *c);

/*
 * Takes the connection of the next client that held a capture at an earlier monitor's end. Returns
 * it with the capture's number, or -ENOENT at the end.
 */
int control_trace_take_holder(struct fdstore *store, uint64_t *capture)
    __attribute__((warn_unused_result));

/* The client holds this capture, which may be over. */
void control_trace_resume(struct control_client *c, uint64_t capture);

/* The client is dropped: no monitor goes on with it. */
void control_trace_drop(const struct control_client *c);

/*
 * Returns the capture after c->after as {"trace": {…}}, a new reference. Returns NULL if there is
 * no further capture (*over is set), or if out of memory.
 */
json_t *control_trace_next(struct control_client *c, bool *over)
    __attribute__((warn_unused_result));

/* Returns the capture that c has held, with its last counts; an empty object if forgotten. */
json_t *control_trace_end(struct control_client *c) __attribute__((warn_unused_result));

#endif
