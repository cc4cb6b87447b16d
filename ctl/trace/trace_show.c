/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The action poemctl trace show: prints a trace message by message. See poemctl-trace(1). */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/poemctl_pager.h"
#include "ctl/trace/follow.h"
#include "ctl/trace/poemctl_trace.h"
#include "ctl/trace/trace_choice.h"
#include "ctl/trace/trace_sessions.h"
#include "ctl/trace/trace_source.h"
#include "base/clock.h"
#include "trace/decode/show.h"
#include "trace/report/stats_text.h"

static const char name[] = "trace show";

struct options {
    struct show_options show;
    struct trace_choice choice;
    const char *file;
    enum { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER } colour;
    bool follow;
    bool summary;
};

/* Whether --color auto means colours. */
static bool trace_show_colour(void)
{
    const char *const none = getenv("NO_COLOR");
    const char *const term = getenv("TERM");

    return isatty(STDOUT_FILENO) && !(none && *none) && term && strcmp(term, "dumb") != 0;
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
    struct stats *stats; /* of what was shown live; NULL: of a whole file */
    int write_error;     /* an errno */
    bool no_memory;
    bool summary;
    struct trace_sessions sessions; /* their user pointers belong to the show */
};

static void trace_show_message(const struct trace_session *session, const struct trace_message *m,
                               const char *comment, void *arg)
{
    struct run *const r = arg;

    show_message(r->show, session, m, comment);
    if (r->stats && stats_feed(r->stats, session, m, comment) < 0) {
        r->no_memory = true;
    }
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
                trace_show_message(item.session, &item.message, item.comment, r);
            }
        }
        if (r->no_memory || show_failed(r->show)) {
            return TRACE_END;
        }
    }
    return outcome;
}

/* Reads on until the writer has closed the file or pipe, or the user interrupts. */
static enum trace_outcome trace_show_read_growing(struct run *r, struct follow *f)
{
    enum follow_event event = FOLLOW_GROWN;

    for (;;) {
        const enum trace_outcome outcome = trace_show_read_on(r);

        if ((outcome != TRACE_END && outcome != TRACE_CUT_OFF) || r->no_memory ||
            show_failed(r->show) || event == FOLLOW_CLOSED || event == FOLLOW_FAILED ||
            follow_at_end(f)) {
            return outcome;
        }
        if (event == FOLLOW_STOP) {
            return TRACE_END;
        }
        show_flush(r->show, clock_ms());
        event = follow_wait(f);
    }
}

/* Summarizes what was shown, as strace -C. */
static void trace_show_summary(const struct run *r)
{
    stats_finish(r->stats);
    (void)fputs("poemctl: trace show: ", stderr);
    stats_text_line(r->stats, stderr);
    (void)fputc('\n', stderr);
}

static int trace_show_finish(struct run *r, enum trace_outcome outcome, const struct follow *f)
{
    const bool interrupted = f && follow_stopped();
    const uint64_t given_up = r->source.filter ? filter_given_up(r->source.filter) : 0;
    int code;

    if (interrupted && !follow_at_end(f)) {
        show_pause(r->show);
    } else {
        show_end(r->show);
    }
    if (interrupted || r->summary) {
        trace_show_summary(r);
    }
    code = trace_source_ended(&r->source, outcome);
    if (given_up) {
        poemctl_error(name, "%llu requests were dropped before their replies came",
                      (unsigned long long)given_up);
    }
    if ((r->no_memory || show_failed(r->show)) && !interrupted) {
        poemctl_error(name, "standard output: %s",
                      r->write_error ? strerror(r->write_error) : "out of memory");
        return POEMCTL_COULD_NOT;
    }
    return code;
}

/* Shows an open trace; f follows its file, NULL if it is not followed. */
static int trace_show_opened(const struct options *o, struct run *r, struct follow *f)
{
    enum trace_outcome outcome;
    struct poemctl_pager pager = {.pid = 0};
    struct follow pipe;
    int code;
    int err;

    if (r->source.live_fd >= 0) {
        f = &pipe;
        err = follow_begin_pipe(f, r->source.live_fd);
        if (err < 0) {
            return poemctl_could_not(name, o->file, strerror(-err));
        }
        trace_reader_ask(r->source.reader, follow_ready, f);
    }
    r->show = show_new(&o->show, trace_show_write_all, &r->write_error);
    r->stats = f || o->summary ? stats_new() : NULL;
    if (!r->show || ((f || o->summary) && !r->stats)) {
        poemctl_error(name, "out of memory");
        return POEMCTL_COULD_NOT;
    }
    if (!f) {
        poemctl_pager_begin(&pager);
    }
    outcome = f ? trace_show_read_growing(r, f) : trace_show_read_on(r);
    code = trace_show_finish(r, outcome, f);
    poemctl_pager_end(&pager);
    return code;
}

static int trace_show_run(const struct options *o, struct follow *f)
{
    struct run r = {.summary = o->summary};
    int code = trace_source_open(&r.source, name, o->file, o->choice.filter);

    if (code == POEMCTL_YES) {
        code = trace_show_opened(o, &r, f);
        for (size_t i = 0; i < r.sessions.n; i++) {
            show_forget(r.sessions.session[i]);
        }
        trace_sessions_deinit(&r.sessions);
        show_free(r.show);
        stats_free(r.stats);
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
    int code = POEMCTL_YES;
    int err;

    if (o->choice.filter && !trace_show_filter_good(o->choice.filter)) {
        return POEMCTL_USAGE;
    }
    err = follow_begin(&f, o->file);
    if (err == 0) {
        err = follow_until_there(&f);
    }
    if (err == 0) {
        code = trace_show_run(o, &f);
    } else if (err != -EINTR) {
        code = poemctl_could_not(name, o->file, strerror(-err));
    }
    follow_end(&f);
    return code;
}

static int trace_show_main(int argc, char **argv)
{
    struct options o = {.follow = false};
    char **const operands = poemctl_parse(&trace_show, argc, argv, &o);
    int code;

    if (!operands) {
        return POEMCTL_USAGE;
    }
    o.file = operands[0];
    o.show.colour = o.colour == COLOUR_AUTO ? trace_show_colour() : o.colour == COLOUR_ALWAYS;
    if (o.follow && strcmp(o.file, "-") == 0) {
        poemctl_error(name, "--follow takes a file, not standard input");
        return poemctl_usage(&trace_show);
    }
    if (!trace_choice_settle(&o.choice, name)) {
        trace_choice_deinit(&o.choice);
        return POEMCTL_USAGE;
    }
    o.show.lazy = o.choice.filter != NULL;
    code = o.follow ? trace_show_run_following(&o) : trace_show_run(&o, NULL);
    trace_choice_deinit(&o.choice);
    return code;
}

_Static_assert(SHOW_RELATIVE == 0 && SHOW_ABSOLUTE == 1 && SHOW_DELTA == 2 && SHOW_LOCAL == 3,
               "the words of --time in order");

static const struct cli_option options[] = {
    POEMCTL_JSON_OPTION(struct options, show.json),
    {"follow", 0, NULL, "wait for what is still written to the file",
     CLI_FLAG(struct options, follow)},
    TRACE_CHOICE_OPTIONS(struct options, choice),
    {"color", 0, "auto|always|never", "auto: if standard output is a terminal",
     CLI_CHOICE(struct options, colour)},
    {"time", 0, "relative|absolute|delta|local",
     "since the first message, of day in UTC, since the line before, of day",
     CLI_CHOICE(struct options, show.time)},
    {"summary", 0, NULL, "sum up at the end", CLI_FLAG(struct options, summary)},
    {"verbose", 'v', NULL, "show all fields, and the bytes",
     CLI_FLAG(struct options, show.verbose)},
    {"hex", 'x', NULL, "show the bytes of each message", CLI_FLAG(struct options, show.hex)},
    POEMCTL_END_OPTION,
};

const struct poemctl_command trace_show = {
    .name = name,
    .synopsis = "[--json] [--follow] [--filter FILTER] [--since TIME] [--until TIME] "
                "[--color auto | always | never] [--time relative | absolute | delta | local] "
                "[--summary] [-v | --verbose] "
                "[-x | --hex] FILE",
    .what = "show a trace message by message",
    .manual = "poemctl-trace(1)",
    .options = options,
    .least = 1,
    .most = 1,
    .run = trace_show_main,
};
