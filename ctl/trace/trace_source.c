/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads trace files for the actions of poemctl trace. */
#define _GNU_SOURCE
#include "ctl/trace/trace_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "ctl/poemctl.h"

static int trace_source_write(const struct trace_source *s, const char *why)
{
    return poemctl_could_not(s->action, s->path, why);
}

int trace_source_open(struct trace_source *s, const char *action, const char *path,
                      const char *filter)
{
    struct stat st;
    char why[512];
    int fd;

    *s = (struct trace_source){.action = action, .path = path, .live_fd = -1};
    if (filter) {
        s->filter = filter_new(filter, why, sizeof why);
        if (!s->filter) {
            poemctl_error(action, "%s", why);
            return POEMCTL_USAGE;
        }
    }
    fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return trace_source_write(s, strerror(errno));
    }
    if (fstat(fd, &st) == 0) {
        s->dev = st.st_dev;
        s->ino = st.st_ino;
        s->live_fd = S_ISREG(st.st_mode) ? -1 : fd;
    }
    s->reader = trace_reader_new_take(fd);
    return s->reader ? POEMCTL_YES : trace_source_write(s, "out of memory");
}

void trace_source_close(struct trace_source *s)
{
    trace_reader_free(s->reader);
    filter_free(s->filter);
    s->reader = NULL;
    s->filter = NULL;
}

bool trace_source_is(const struct trace_source *s, const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_dev == s->dev &&
           st.st_ino == s->ino;
}

int trace_source_ended(struct trace_source *s, enum trace_outcome outcome)
{
    if (outcome == TRACE_END) {
        if (trace_reader_sessions(s->reader) == 0) {
            /* Not an error, but a hint to a user with the wrong file. */
            (void)trace_source_write(s, "the trace has no vfio-user session");
        }
        return POEMCTL_YES;
    }
    log_escape(s->broken, sizeof s->broken, trace_reader_why(s->reader),
               strlen(trace_reader_why(s->reader)));
    return trace_source_write(s, s->broken);
}

int trace_source_run(struct trace_source *s, const struct trace_sink *sink, void *arg)
{
    enum trace_outcome outcome;
    struct trace_item item;

    while ((outcome = trace_reader_next(s->reader, &item)) <= TRACE_STATISTICS) {
        if (outcome == TRACE_MESSAGE && sink->every) {
            sink->every(item.session, &item.message, arg);
        }
        if (outcome == TRACE_MESSAGE && s->filter) {
            filter_feed(s->filter, item.session, &item.message, item.comment, sink->message, arg);
        } else if (outcome == TRACE_MESSAGE) {
            sink->message(item.session, &item.message, item.comment, arg);
        } else if (outcome == TRACE_STATISTICS && sink->statistics) {
            sink->statistics(item.session, arg);
        }
    }
    return trace_source_ended(s, outcome);
}

enum trace_outcome trace_source_next(struct trace_source *s, struct trace_item *item)
{
    enum trace_outcome outcome;

    do {
        outcome = trace_reader_next(s->reader, item);
    } while (outcome == TRACE_SESSION || outcome == TRACE_STATISTICS);
    return outcome;
}

int trace_source_convert(const char *action, const char *file, const char *filter,
                         const char *output, trace_convert_fn *convert, const void *arg)
{
    struct trace_source source;
    FILE *f;
    int code = trace_source_open(&source, action, file, filter);

    if (code == POEMCTL_YES && trace_source_is(&source, output)) {
        code = poemctl_could_not(action, output, "this is the input trace: choose another file");
    }
    if (code == POEMCTL_YES) {
        f = strcmp(output, "-") == 0 ? stdout : fopen(output, "we");
        code = f ? convert(&source, f, arg) : poemctl_could_not(action, output, strerror(errno));
        if (f && f != stdout && fclose(f) != 0 && code == POEMCTL_YES) {
            code = poemctl_could_not(action, output, strerror(errno));
        }
    }
    trace_source_close(&source);
    return code;
}
