/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A trace as lines: one for each request with its reply folded into it, in the order of the
 * requests. Bounded memory, whatever the trace: a request whose reply is far away is shown as
 * unfinished, and its reply on a line of its own.
 */
#ifndef POEMD_TRACE_DECODE_SHOW_H
#define POEMD_TRACE_DECODE_SHOW_H

#include <stddef.h>

#include "trace/file/reader.h"

/* Lines held back at once for a reply, their bytes, and the trace's time between the two. */
#define SHOW_HELD_MAX 1024u
#define SHOW_HELD_BYTES (4u << 20)
#define SHOW_HELD_NS UINT64_C(1000000000)

enum show_time {
    SHOW_RELATIVE, /* since the trace's first message */
    SHOW_ABSOLUTE, /* of day, UTC */
    SHOW_DELTA,    /* since the line before */
};

struct show_options {
    bool json; /* one object a line */
    bool verbose;
    bool colour;
    bool lazy; /* a session is told of with its first message: others are not wanted */
    enum show_time time;
};

/* Where the lines go: n bytes at p, whole lines. False: that failed; nothing more is written. */
typedef bool show_write_fn(const char *p, size_t n, void *arg);

struct show;

/* NULL: no memory. */
struct show *show_new(const struct show_options *o, show_write_fn *write, void *arg)
    __attribute__((warn_unused_result));
void show_free(struct show *s);

/* What the reader gave, in its order. A session's user pointer is the show's. */
void show_session(struct show *s, struct trace_session *session);
void show_message(struct show *s, const struct trace_session *session,
                  const struct trace_message *m, const char *comment);
void show_statistics(struct show *s, struct trace_session *session);

/* From when times are counted: the trace's first message, wanted or not. The first call counts. */
void show_begin(struct show *s, uint64_t ns);

/* Nothing comes for a while: all that is held is shown, and written. */
void show_pause(struct show *s);

/* Nothing more comes: what is still without a reply is told so, and all is written. */
void show_end(struct show *s);

/* Frees what a session's user pointer is, for when the reader is freed before the show is. */
void show_forget(struct trace_session *session);

/* Whether writing has failed, or memory. */
bool show_failed(const struct show *s);

#endif
