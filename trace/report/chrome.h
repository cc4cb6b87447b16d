/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Writes a trace as Chrome's trace events (JSON), which Perfetto and chrome://tracing open.
 *
 *   process   a session
 *   thread    requests of one side: as many lanes as requests waited at once
 *   X         a request, from its first byte read until its reply's; unanswered: to the end
 *   i         a message that is neither a request nor a reply to one
 *   s, f      from the client's last write to a region to a DMA request of the device that
 *             followed within CHROME_FLOW_NS
 *   C         messages per second of a session, by sender
 *
 * Events are written as they become known, a request when its reply comes, so not sorted by time.
 * Memory does not grow with the trace, except by half a KiB for each session. Times are since the
 * trace's first message.
 */
#ifndef POEMD_TRACE_REPORT_CHROME_H
#define POEMD_TRACE_REPORT_CHROME_H

#include <stdio.h>

#include "trace/decode/pair.h"

/* Lanes for requests of one side and session; further requests overlap as async events. */
#define CHROME_LANES 32u

/* Length of a counter's sample, in nanoseconds. */
#define CHROME_SAMPLE_NS 10000000u

/* Longest time from a write to a DMA request that is attributed to it, in nanoseconds. */
#define CHROME_FLOW_NS 10000000u

struct chrome;

/* Begins the list on f, which the caller keeps. Returns NULL if memory runs out. */
struct chrome *chrome_new(FILE *f) __attribute__((warn_unused_result));
void chrome_free(struct chrome *c);

/* Takes the next message. Returns 0, or -ENOMEM if there is no memory for a new session. */
int chrome_feed(struct chrome *c, const struct trace_session *s, const struct trace_message *m)
    __attribute__((warn_unused_result));

/* Ends the list: unanswered requests, last counters. ferror(f) is set if writing failed. */
void chrome_finish(struct chrome *c);

#endif
