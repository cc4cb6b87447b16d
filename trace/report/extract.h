/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Makes a trace from parts of another: the selected sessions, span of time and messages, with the
 * interfaces' texts, and with losses at their places.
 *
 * Two filters are given: the span, which selects sessions and times, and the messages wanted within
 * it. Messages of the span that are not wanted do not count as lost; messages lost before them are
 * reported with the next wanted one. A session's statistics are copied, unless the span limits
 * time: then they are counted within the span.
 *
 * A session whose first messages are missing is marked like one with a late capture.
 */
#ifndef POEMD_TRACE_REPORT_EXTRACT_H
#define POEMD_TRACE_REPORT_EXTRACT_H

#include <stdio.h>

#include "trace/file/message.h"
#include "trace/file/reader.h"

struct extract;

/*
 * Writes to f, which the caller keeps. cuts_time: the span is only a part of a session's time.
 * Returns NULL if memory runs out.
 */
struct extract *extract_new(FILE *f, bool cuts_time) __attribute__((warn_unused_result));
void extract_free(struct extract *e);

/*
 * Writes the section: comment is the source's, filter the new one. Returns 0, -ENOMEM, or -EIO with
 * the cause in f; so do all functions below.
 */
int extract_section(struct extract *e, const char *comment, const char *filter)
    __attribute__((warn_unused_result));

/* Counts a message of the span, wanted or not; call it before extract_message. */
int extract_count(struct extract *e, const struct trace_session *s, const struct trace_message *m)
    __attribute__((warn_unused_result));

/* Writes a wanted message; comment may be NULL. */
int extract_message(struct extract *e, const struct trace_session *s, const struct trace_message *m,
                    const char *comment) __attribute__((warn_unused_result));

/* Takes new statistics of the session. */
int extract_statistics(struct extract *e, const struct trace_session *s)
    __attribute__((warn_unused_result));

/* Ends the trace: writes the counted statistics of its sessions, which must still live. */
int extract_finish(struct extract *e) __attribute__((warn_unused_result));

/* Messages written. */
uint64_t extract_written(const struct extract *e);

#endif
