/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What of captures outlives the monitor: their records in its state file. */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_KEEP_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_KEEP_H

#include "proxy/monitor/keep/state_record.h"
#include "proxy/monitor/tracing/tracing_capture.h"

/* Notes the last number used, so that it is not used again. */
void tracing_keep_last(const struct tracing *t);

/* The tracer has the capture: notes it. Logs an error. */
void tracing_keep(struct capture *c);

/* The capture has ended: forgets it. */
void tracing_keep_drop(struct capture *c);

/*
 * Reads the record behind a block (STATE_NO_BLOCK: the first one) of an earlier monitor's next
 * capture. Returns its block, or STATE_NO_BLOCK behind the last one.
 */
uint32_t tracing_keep_next(const struct tracing *t, uint32_t block, struct state_capture *s)
    __attribute__((warn_unused_result));

/* Has the tracer end a capture that this monitor does not go on with. */
void tracing_keep_stop(struct tracing *t, const struct state_capture *s);

/*
 * The configured captures have begun, in new files: ends those of the earlier monitor, so that no
 * message is in none of both. If they are many it goes on in a later turn.
 */
void tracing_keep_replace(struct tracing *t);

#endif
