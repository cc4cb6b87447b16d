/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Requests about captures: rows of the table in control_dispatch.c, and their answers' parts. */
#ifndef POEMD_PROXY_MONITOR_CONTROL_CONTROL_TRACE_H
#define POEMD_PROXY_MONITOR_CONTROL_CONTROL_TRACE_H

#include "proxy/monitor/control/control_client.h"

void control_trace_start(struct control_client *c);
void control_trace_stop(struct control_client *c);
void control_trace_dump(struct control_client *c);

/*
 * Returns the capture after c->after as {"trace": {…}}, a new reference. Returns NULL if there is
 * no further capture (*over is set), or if out of memory.
 */
json_t *control_trace_next(struct control_client *c, bool *over)
    __attribute__((warn_unused_result));

/* Returns the capture that c has held, with its last counts; an empty object if forgotten. */
json_t *control_trace_end(struct control_client *c) __attribute__((warn_unused_result));

#endif
