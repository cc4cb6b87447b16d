/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Reads a trace file for an action of poemctl trace: opens it, filters it, reads it to its end, and
 * reports errors on standard error.
 */
#ifndef POEMD_CTL_TRACE_TRACE_SOURCE_H
#define POEMD_CTL_TRACE_TRACE_SOURCE_H

#include <stdio.h>
#include <sys/types.h>

#include "trace/decode/filter.h"
#include "trace/file/reader.h"

struct trace_source {
    const char *action; /* "trace stats": the prefix of its errors */
    const char *path;   /* "-": standard input */
    struct trace_reader *reader;
    dev_t dev; /* of the file */
    ino_t ino;
    int live_fd;           /* a pipe or other file that grows while it is read, borrowed; else -1 */
    struct filter *filter; /* NULL: select all messages */
    char broken[320];      /* why the trace ends early; "": it is whole */
};

/*
 * Opens path for an action; filter may be NULL. Returns 0, or an exit code after an error message:
 * POEMCTL_USAGE if the filter is wrong. Call trace_source_close in either case.
 */
int trace_source_open(struct trace_source *s, const char *action, const char *path,
                      const char *filter) __attribute__((warn_unused_result));
void trace_source_close(struct trace_source *s);

/* Returns true if path is the file being read, which writing to it would destroy. */
bool trace_source_is(const struct trace_source *s, const char *path);

/* Callbacks for the items of the trace; each but `message` may be NULL. */
struct trace_sink {
    /* All messages, before they are filtered. */
    void (*every)(const struct trace_session *session, const struct trace_message *m, void *arg);
    filter_fn *message; /* the selected ones; never NULL */
    /* session->seen and session->lost have changed. */
    void (*statistics)(const struct trace_session *session, void *arg);
};

/*
 * Reads the whole trace. Returns POEMCTL_YES at its end; POEMCTL_COULD_NOT if it is cut off,
 * damaged or unreadable: then the reason is printed and in broken, and all items before it have
 * been passed on.
 */
int trace_source_run(struct trace_source *s, const struct trace_sink *sink, void *arg)
    __attribute__((warn_unused_result));

/* Reads the next item, selected or not, or how the trace ended. */
enum trace_outcome trace_source_next(struct trace_source *s, struct trace_item *item)
    __attribute__((warn_unused_result));

/* Reports why a trace ended early, or that it has no session. Returns the exit code. */
int trace_source_ended(struct trace_source *s, enum trace_outcome outcome)
    __attribute__((warn_unused_result));

/*
 * Opens the trace file and the output, which is standard output if its path is "-"; then calls
 * convert, which reads the one and writes the other and returns an exit code; closes both. Returns
 * an exit code. Reports errors.
 */
typedef int trace_convert_fn(struct trace_source *source, FILE *f, const void *arg);
int trace_source_convert(const char *action, const char *file, const char *filter,
                         const char *output, trace_convert_fn *convert, const void *arg);

#endif
