/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A trace made from parts of another: the sessions, the span of time and the messages that are
 * wanted, with the interfaces' texts, and losses where they were.
 *
 * Two choices come in: the span, which sessions and which time it is about, and of it what is
 * wanted. Messages of the span that are not wanted are not lost, they were not asked for; what was
 * lost before them is told by the next one that is. What a session's statistics say is what they
 * said, unless the span cuts time: then it is counted in the span.
 *
 * A session whose first messages are not in it is marked as one whose capture began late.
 */
#ifndef POEMD_TRACE_REPORT_EXTRACT_H
#define POEMD_TRACE_REPORT_EXTRACT_H

#include <stdio.h>

#include "trace/file/message.h"
#include "trace/file/reader.h"

struct extract;

/*
 * Writes to f, which stays the caller's. cuts_time: the span is not all of a session's time.
 * NULL: no memory.
 */
struct extract *extract_new(FILE *f, bool cuts_time) __attribute__((warn_unused_result));
void extract_free(struct extract *e);

/*
 * The section: comment is the one it is taken from, filter what was asked for. 0; -ENOMEM; -EIO: f
 * says why. The same of all below.
 */
int extract_section(struct extract *e, const char *comment, const char *filter)
    __attribute__((warn_unused_result));

/* A message of the span, wanted or not; before extract_message for one that is. */
int extract_count(struct extract *e, const struct trace_session *s, const struct trace_message *m)
    __attribute__((warn_unused_result));

/* A message that is wanted; comment NULL if none. */
int extract_message(struct extract *e, const struct trace_session *s, const struct trace_message *m,
                    const char *comment) __attribute__((warn_unused_result));

/* The session's statistics are new. */
int extract_statistics(struct extract *e, const struct trace_session *s)
    __attribute__((warn_unused_result));

/* Ends it: statistics that were counted, of sessions that must still live. */
int extract_finish(struct extract *e) __attribute__((warn_unused_result));

/* Messages that were written. */
uint64_t extract_written(const struct extract *e);

#endif
