/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The action poemctl trace export: converts a trace for other tools. See poemctl-trace-stats(1). */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/replay/reproducer.h"
#include "ctl/trace/poemctl_trace.h"
#include "ctl/trace/trace_choice.h"
#include "ctl/trace/trace_database.h"
#include "ctl/trace/trace_source.h"
#include "trace/report/chrome.h"

static const char name[] = "trace export";

struct options {
    struct trace_choice choice;
    const char *chrome;
    const char *sqlite;
    int test;                 /* enum reproducer_language; -1: not asked for */
    struct replay_reading in; /* for test */
    const char *file;
};

struct run {
    struct chrome *chrome;
    int err;
};

static void trace_export_feed(const struct trace_session *session, const struct trace_message *m,
                              const char *comment, void *arg)
{
    struct run *const r = arg;
    const int err = chrome_feed(r->chrome, session, m);

    (void)comment;
    r->err = err < 0 ? err : r->err;
}

static int trace_export_write_all(struct trace_source *source, FILE *f, const void *arg)
{
    static const struct trace_sink sink = {.message = trace_export_feed};
    const char *const path = arg;
    struct run r = {.chrome = chrome_new(f)};
    int code;

    if (!r.chrome) {
        return poemctl_could_not(name, path, "out of memory");
    }
    code = trace_source_run(source, &sink, &r);
    chrome_finish(r.chrome);
    chrome_free(r.chrome);
    if (r.err < 0) {
        return poemctl_could_not(name, path, strerror(-r.err));
    }
    return fflush(f) != 0 || ferror(f) ? poemctl_could_not(name, path, strerror(errno)) : code;
}

static bool trace_export_read_session(void *values, const char *text)
{
    return replay_read_choice(&((struct options *)values)->in, name, text);
}

static int trace_export_test(struct options *o)
{
    int code = replay_read(&o->in, name, o->file);

    if (code == POEMCTL_YES) {
        code = reproducer_write(&o->in, (enum reproducer_language)o->test, name, o->file);
    }
    replay_script_deinit(&o->in.script);
    return code;
}

static int trace_export_main(int argc, char **argv)
{
    struct options o = {.test = -1, .in.leg = TRACE_LEG_BACKEND};
    char **const operands = poemctl_parse(&trace_export, argc, argv, &o);
    int code;

    if (!operands) {
        return POEMCTL_USAGE;
    }
    o.file = operands[0];
    if ((o.chrome != NULL) + (o.sqlite != NULL) + (o.test >= 0) != 1) {
        poemctl_error(name, "one of --chrome, --sqlite and --test is needed");
        return poemctl_usage(&trace_export);
    }
    if (o.test >= 0 ? o.choice.filter || o.choice.since || o.choice.until : o.in.one_session) {
        poemctl_error(name,
                      "--session is for --test, --filter, --since and --until for the others");
        return poemctl_usage(&trace_export);
    }
    if (o.test >= 0) {
        return trace_export_test(&o);
    }
    code = !trace_choice_settle(&o.choice, name) ? POEMCTL_USAGE
           : o.sqlite ? trace_database_write(name, o.file, o.choice.filter, o.sqlite)
                      : trace_source_convert(name, o.file, o.choice.filter, o.chrome,
                                             trace_export_write_all, o.chrome);
    trace_choice_deinit(&o.choice);
    return code;
}

static const struct cli_option options[] = {
    {"chrome", 0, "OUT", "write events for Perfetto and chrome://tracing to this file",
     CLI_TEXT(struct options, chrome)},
    {"sqlite", 0, "OUT", "write tables of sqlite to this new file",
     CLI_TEXT(struct options, sqlite)},
    {"test", 0, "c|python", "print a program that plays the client to a device",
     CLI_CHOICE(struct options, test)},
    {"session", 0, "N", "for --test: the session with this number",
     CLI_READ(trace_export_read_session)},
    TRACE_CHOICE_OPTIONS(struct options, choice),
    POEMCTL_END_OPTION,
};

const struct poemctl_command trace_export = {
    .name = name,
    .synopsis = "--chrome OUT | --sqlite OUT [--filter FILTER] [--since TIME] [--until TIME] FILE\n"
                "--test c | python [--session N] FILE",
    .what = "convert a trace for other tools",
    .manual = "poemctl-trace-stats(1)",
    .options = options,
    .least = 1,
    .most = 1,
    .run = trace_export_main,
};
