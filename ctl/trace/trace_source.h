/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A trace file as an action of poemctl trace reads it: opened, filtered, read to its end, and what
 * went wrong said on standard error.
 */
#ifndef POEMD_CTL_TRACE_TRACE_SOURCE_H
#define POEMD_CTL_TRACE_TRACE_SOURCE_H

#include <sys/types.h>

#include "trace/decode/filter.h"
#include "trace/file/reader.h"

struct trace_source {
    const char *action; /* "trace stats": before its errors */
    const char *path;   /* "-": standard input */
    struct trace_reader *reader;
    dev_t dev; /* of the file */
    ino_t ino;
    struct filter *filter; /* NULL: everything is wanted */
    char broken[320];      /* why the trace ends where it does; "": it is whole */
};

/*
 * Opens path for an action; filter NULL: none. 0, or an exit code, said: POEMCTL_USAGE where the
 * filter makes no sense. trace_source_close in every case.
 */
int trace_source_open(struct trace_source *s, const char *action, const char *path,
                      const char *filter) __attribute__((warn_unused_result));
void trace_source_close(struct trace_source *s);

/* Whether path is the file that is read: what is written there would eat its own source. */
bool trace_source_is(const struct trace_source *s, const char *path);

/* What is called for what is in the trace; NULL: nothing. */
struct trace_sink {
    /* All messages, before they are filtered. */
    void (*every)(const struct trace_session *session, const struct trace_message *m, void *arg);
    filter_fn *message; /* those that are wanted; not NULL */
    /* session->seen and lost are new. */
    void (*statistics)(const struct trace_session *session, void *arg);
};

/*
 * Reads all of it. POEMCTL_YES: to its end. POEMCTL_COULD_NOT: up to where it is cut off, damaged
 * or cannot be read, which is said and is in broken; what stands before has been given.
 */
int trace_source_run(struct trace_source *s, const struct trace_sink *sink, void *arg)
    __attribute__((warn_unused_result));

/* The next message, wanted or not; or how the trace ended. */
enum trace_outcome trace_source_next(struct trace_source *s, struct trace_item *item)
    __attribute__((warn_unused_result));

/* Says why a trace ended so, if it was not whole, and whether nothing is in it. The exit code. */
int trace_source_ended(struct trace_source *s, enum trace_outcome outcome)
    __attribute__((warn_unused_result));

#endif
