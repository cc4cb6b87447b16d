/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Shows a trace as lines: one for each request with its reply folded in, in the order of the
 * requests. Memory is bounded, whatever the trace: if the reply comes too late, the request is
 * shown as unfinished and its reply on a line of its own.
 */
#ifndef POEMD_TRACE_DECODE_SHOW_H
#define POEMD_TRACE_DECODE_SHOW_H

#include <stddef.h>

#include "trace/file/reader.h"

/*
 * Limits of the lines held for their replies: their number, their bytes, and the trace's time from
 * first to last.
 */
#define SHOW_HELD_MAX 1024u
#define SHOW_HELD_BYTES (4u << 20)
#define SHOW_HELD_NS UINT64_C(1000000000)

/* How long a request waits on its line for its reply while nothing else comes. */
#define SHOW_PATIENCE_MS 200u

enum show_time {
    SHOW_RELATIVE, /* since the trace's first message */
    SHOW_ABSOLUTE, /* of day, UTC */
    SHOW_DELTA,    /* since the previous line */
    SHOW_LOCAL,    /* of day, in the local time zone */
};

struct show_options {
    bool json; /* one object per line */
    bool verbose;
    bool hex; /* the bytes of each message below its line */
    bool colour;
    bool lazy; /* announce a session only at its first message that is shown */
    enum show_time time;
};

/* Writes n bytes at p, whole lines. After it has returned false, nothing more is written. */
typedef bool show_write_fn(const char *p, size_t n, void *arg);

struct show;

/* Returns NULL if memory runs out. */
struct show *show_new(const struct show_options *o, show_write_fn *write, void *arg)
    __attribute__((warn_unused_result));
void show_free(struct show *s);

/* Take what the reader returns, in its order. A session's user pointer belongs to the show. */
void show_session(struct show *s, struct trace_session *session);
void show_message(struct show *s, const struct trace_session *session,
                  const struct trace_message *m, const char *comment);
void show_statistics(struct show *s, struct trace_session *session);

/*
 * Sets the time from which times are counted: the trace's first message, shown or not. Only the
 * first call counts.
 */
void show_begin(struct show *s, uint64_t ns);

/*
 * Writes all complete lines at once, since there is nothing more to read at time now_ms, of any
 * clock that does not run backwards. If the oldest held line has been the oldest one for
 * SHOW_PATIENCE_MS, shows all held lines.
 */
void show_flush(struct show *s, uint64_t now_ms);

/* Shows and writes all held lines. */
void show_pause(struct show *s);

/* Ends the output: marks requests still without a reply, and writes all that is held. */
void show_end(struct show *s);

/* Frees a session's user pointer, if the reader is freed before the show. */
void show_forget(struct trace_session *session);

/* Returns true if writing failed or memory ran out. */
bool show_failed(const struct show *s);

#endif
