/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The action poemctl trace show: prints a trace message by message. See poemctl-trace(1). */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "ctl/trace/follow.h"
#include "ctl/trace/poemctl_trace.h"
#include "ctl/trace/trace_sessions.h"
#include "ctl/trace/trace_source.h"
#include "trace/decode/show.h"

static const char name[] = "trace show";

struct options {
    struct show_options show;
    const char *filter;
    const char *file;
    bool follow;
};

static bool trace_show_parse_colour(const char *text, bool *out)
{
    const char *const none = getenv("NO_COLOR");
    const char *const term = getenv("TERM");

    if (strcmp(text, "auto") == 0) {
        *out = isatty(STDOUT_FILENO) && !(none && *none) && term && strcmp(term, "dumb") != 0;
    } else if (strcmp(text, "always") == 0 || strcmp(text, "never") == 0) {
        *out = text[0] == 'a';
    } else {
        poemctl_error(name, "--color: auto, always or never");
        return false;
    }
    return true;
}

static bool trace_show_parse_time(const char *text, enum show_time *out)
{
    static const char *const words[] = {
        [SHOW_RELATIVE] = "relative", [SHOW_ABSOLUTE] = "absolute", [SHOW_DELTA] = "delta"};

    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = (enum show_time)i;
            return true;
        }
    }
    poemctl_error(name, "--time: relative, absolute or delta");
    return false;
}

static bool trace_show_parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"color", required_argument, NULL, 'c'},
        {"filter", required_argument, NULL, 'F'},
        {"follow", no_argument, NULL, 'f'},
        {"json", no_argument, NULL, 'j'},
        {"time", required_argument, NULL, 't'},
        {"verbose", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    int c;

    if (!trace_show_parse_colour("auto", &o->show.colour)) {
        return false;
    }
    while ((c = getopt_long(argc, argv, "v", longs, NULL)) != -1) {
        bool ok = true;

        switch (c) {
        case 'c':
            ok = trace_show_parse_colour(optarg, &o->show.colour);
            break;
        case 'F':
            o->filter = optarg;
            o->show.lazy = true;
            break;
        case 'f':
            o->follow = true;
            break;
        case 'j':
            o->show.json = true;
            break;
        case 't':
            ok = trace_show_parse_time(optarg, &o->show.time);
            break;
        case 'v':
            o->show.verbose = true;
            break;
        default:
            ok = false;
            break;
        }
        if (!ok) {
            return false;
        }
    }
    o->file = argv[optind];
    return argc - optind == 1;
}

static bool trace_show_write_all(const char *p, size_t n, void *arg)
{
    while (n > 0) {
        const ssize_t r = write(STDOUT_FILENO, p, n);

        if (r < 0 && errno == EINTR && !follow_stopped()) {
            continue;
        }
        if (r < 0) {
            *(int *)arg = errno;
            return false;
        }
        p += r;
        n -= (size_t)r;
    }
    return true;
}

struct run {
    struct trace_source source;
    struct show *show;
    int write_error; /* an errno */
    bool no_memory;
    struct trace_sessions sessions; /* their user pointers belong to the show */
};

static void trace_show_message(const struct trace_session *session, const struct trace_message *m,
                               const char *comment, void *arg)
{
    struct run *const r = arg;

    show_message(r->show, session, m, comment);
}

/* Shows all that can be read now. */
static enum trace_outcome trace_show_read_on(struct run *r)
{
    enum trace_outcome outcome;
    struct trace_item item;

    while ((outcome = trace_reader_next(r->source.reader, &item)) <= TRACE_STATISTICS) {
        if (outcome == TRACE_SESSION) {
            r->no_memory = !trace_sessions_add(&r->sessions, item.session);
            if (!r->no_memory) {
                show_session(r->show, item.session);
            }
        } else if (outcome == TRACE_STATISTICS) {
            show_statistics(r->show, item.session);
        } else {
            show_begin(r->show, item.message.read_ns);
            if (r->source.filter) {
                filter_feed(r->source.filter, item.session, &item.message, item.comment,
                            trace_show_message, r);
            } else {
                show_message(r->show, item.session, &item.message, item.comment);
            }
        }
        if (r->no_memory || show_failed(r->show)) {
            return TRACE_END;
        }
    }
    return outcome;
}

/* Reads on until the writer has closed the file or the user interrupts. */
static enum trace_outcome trace_show_read_growing(struct run *r, struct follow *f)
{
    enum follow_event event = FOLLOW_GROWN;

    for (;;) {
        const enum trace_outcome outcome = trace_show_read_on(r);

        if ((outcome != TRACE_END && outcome != TRACE_CUT_OFF) || r->no_memory ||
            show_failed(r->show) || event == FOLLOW_CLOSED || event == FOLLOW_FAILED) {
            return outcome;
        }
        if (event == FOLLOW_STOP) {
            return TRACE_END;
        }
        if (event == FOLLOW_IDLE) {
            show_pause(r->show);
        }
        event = follow_wait(f);
    }
}

static int trace_show_finish(struct run *r, enum trace_outcome outcome, bool interrupted)
{
    const uint64_t given_up = r->source.filter ? filter_given_up(r->source.filter) : 0;
    int code;

    if (interrupted) {
        show_pause(r->show);
    } else {
        show_end(r->show);
    }
    code = trace_source_ended(&r->source, outcome);
    if (given_up) {
        poemctl_error(name, "%llu requests were not kept until their replies came",
                      (unsigned long long)given_up);
    }
    if ((r->no_memory || show_failed(r->show)) && !interrupted) {
        poemctl_error(name, "standard output: %s",
                      r->write_error ? strerror(r->write_error) : "out of memory");
        return POEMCTL_COULD_NOT;
    }
    return code;
}

static int trace_show_run(const struct options *o, struct follow *f)
{
    struct run r = {.show = NULL};
    enum trace_outcome outcome;
    int code = trace_source_open(&r.source, name, o->file, o->filter);

    if (code == POEMCTL_YES) {
        r.show = show_new(&o->show, trace_show_write_all, &r.write_error);
        if (r.show) {
            outcome = f ? trace_show_read_growing(&r, f) : trace_show_read_on(&r);
            code = trace_show_finish(&r, outcome, f && follow_stopped());
        } else {
            poemctl_error(name, "out of memory");
            code = POEMCTL_COULD_NOT;
        }
        for (size_t i = 0; i < r.sessions.n; i++) {
            show_forget(r.sessions.session[i]);
        }
        trace_sessions_deinit(&r.sessions);
        show_free(r.show);
    }
    trace_source_close(&r.source);
    return code;
}

/* Checks the filter, to report its errors before waiting for a file. */
static bool trace_show_filter_good(const char *text)
{
    char why[512];
    struct filter *const f = filter_new(text, why, sizeof why);

    if (!f) {
        poemctl_error(name, "%s", why);
        return false;
    }
    filter_free(f);
    return true;
}

/* Shows a growing file; waits first until it exists. */
static int trace_show_run_following(const struct options *o)
{
    struct follow f;
    char shown[512];
    int code = POEMCTL_YES;
    int err;

    if (o->filter && !trace_show_filter_good(o->filter)) {
        return POEMCTL_USAGE;
    }
    err = follow_begin(&f, o->file);
    if (err == 0) {
        err = follow_until_there(&f);
    }
    if (err == 0) {
        code = trace_show_run(o, &f);
    } else if (err != -EINTR) {
        poemctl_error(name, "%s: %s", log_escape(shown, sizeof shown, o->file, strlen(o->file)),
                      strerror(-err));
        code = POEMCTL_COULD_NOT;
    }
    follow_end(&f);
    return code;
}

int trace_show_main(int argc, char **argv)
{
    struct options o = {.follow = false};

    if (!trace_show_parse(argc, argv, &o)) {
        return trace_usage("show");
    }
    if (o.follow && strcmp(o.file, "-") == 0) {
        poemctl_error(name, "--follow takes a file, not standard input");
        return trace_usage("show");
    }
    return o.follow ? trace_show_run_following(&o) : trace_show_run(&o, NULL);
}
