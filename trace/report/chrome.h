/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A trace as Chrome's trace events (JSON), which Perfetto and chrome://tracing open.
 *
 *   process   a session
 *   thread    requests of one side, and of those as many lanes as were waiting at once
 *   X         a request, from when it was read to when its reply was; unanswered: to the end
 *   i         a message that is no request and answers none
 *   s, f      from the client's last write to a region to a DMA request of the device that
 *             followed, as far as that write is near (CHROME_FLOW_NS)
 *   C         messages per second of a session, by sender
 *
 * Events are written as they become known: a request when its reply comes, so not by time. Memory
 * does not grow with the trace, but by half a KiB with each of its sessions. Times are since the
 * trace's first message.
 */
#ifndef POEMD_TRACE_REPORT_CHROME_H
#define POEMD_TRACE_REPORT_CHROME_H

#include <stdio.h>

#include "trace/decode/pair.h"

/* Requests of one side and session that have lanes of their own; more overlap as async events. */
#define CHROME_LANES 32u

/* A counter's sample is of so many nanoseconds. */
#define CHROME_SAMPLE_NS 10000000u

/* A DMA request is led back to a write that is at most so much older. */
#define CHROME_FLOW_NS 10000000u

struct chrome;

/* Begins the list on f, which stays the caller's. NULL: no memory. */
struct chrome *chrome_new(FILE *f) __attribute__((warn_unused_result));
void chrome_free(struct chrome *c);

/* Takes the next message. 0, or -ENOMEM: a new session could not be noted. */
int chrome_feed(struct chrome *c, const struct trace_session *s, const struct trace_message *m)
    __attribute__((warn_unused_result));

/* Ends the list: unanswered requests, last counters. Whether all was written is ferror(f). */
void chrome_finish(struct chrome *c);

#endif
