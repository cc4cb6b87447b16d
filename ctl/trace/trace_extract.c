/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The action poemctl trace extract: copies parts of a trace into a new one. See
 * poemctl-trace-diff(1).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/trace/poemctl_trace.h"
#include "ctl/trace/trace_source.h"
#include "trace/report/extract.h"

static const char name[] = "trace extract";

#define FILTER_MAX 4096u

/* wanted has all options as one filter's terms; span has only the terms on sessions and times. */
struct options {
    const char *output;
    const char *file;
    struct cli_list sessions;
    struct cli_list after;
    struct cli_list before;
    struct cli_list filters;
    char wanted[FILTER_MAX];
    char span[FILTER_MAX];
    bool cuts_time;
};

/* Returns false if the filter has no room for the term. */
static bool trace_extract_add(char *filter, const char *term, size_t n)
{
    const size_t at = strlen(filter);

    return at + n + 2 <= FILTER_MAX &&
           snprintf(filter + at, FILTER_MAX - at, "%s%.*s", at ? " " : "", (int)n, term) > 0;
}

/* Returns true if the term begins with one of the heads. */
static bool trace_extract_begins(const char *term, const char *const *heads)
{
    term += *term == '!';
    for (; *heads; heads++) {
        if (strncmp(term, *heads, strlen(*heads)) == 0) {
            return true;
        }
    }
    return false;
}

static bool trace_extract_add_terms(struct options *o, const char *terms)
{
    static const char *const times[] = {"after=", "before=", "since=", "until=", NULL};
    static const char *const sessions[] = {"session=", "route=", NULL};
    size_t n;

    for (const char *t = terms; *t; t += n) {
        t += strspn(t, " ");
        n = strcspn(t, " ");
        if (n == 0) {
            break;
        }
        if (trace_extract_begins(t, times)) {
            o->cuts_time = true;
        }
        if (!trace_extract_add(o->wanted, t, n) ||
            ((trace_extract_begins(t, times) || trace_extract_begins(t, sessions)) &&
             !trace_extract_add(o->span, t, n))) {
            poemctl_error(name, "the filter has more than %u characters", FILTER_MAX - 1);
            return false;
        }
    }
    return true;
}

/* The terms HEAD=VALUE of an option's values. */
static bool trace_extract_add_values(struct options *o, const char *head,
                                     const struct cli_list *values)
{
    char term[128];

    for (size_t i = 0; i < values->n; i++) {
        if (strchr(values->items[i], ' ') ||
            snprintf(term, sizeof term, "%s=%s", head, values->items[i]) >= (int)sizeof term) {
            poemctl_error(name, "--%s: one value", head);
            return false;
        }
        if (!trace_extract_add_terms(o, term)) {
            return false;
        }
    }
    return true;
}

static bool trace_extract_add_filters(struct options *o)
{
    for (size_t i = 0; i < o->filters.n; i++) {
        if (!trace_extract_add_terms(o, o->filters.items[i])) {
            return false;
        }
    }
    return true;
}

struct run {
    struct extract *extract;
    const struct trace_source *source;
    struct filter *span;
    const char *wanted;
    bool begun; /* the section has been written */
    int err;    /* of the first error */
};

static void trace_extract_note(struct run *r, int err)
{
    r->err = r->err ? r->err : err;
}

/* Writes the section's block, which is complete once any item of it has been read. */
static void trace_extract_begin(struct run *r)
{
    if (!r->begun) {
        r->begun = true;
        trace_extract_note(
            r, extract_section(r->extract, trace_reader_section(r->source->reader), r->wanted));
    }
}

static void trace_extract_in_span(const struct trace_session *session,
                                  const struct trace_message *m, const char *comment, void *arg)
{
    struct run *const r = arg;

    (void)comment;
    trace_extract_note(r, extract_count(r->extract, session, m));
}

static void trace_extract_every(const struct trace_session *session, const struct trace_message *m,
                                void *arg)
{
    struct run *const r = arg;

    trace_extract_begin(r);
    filter_feed(r->span, session, m, NULL, trace_extract_in_span, r);
}

static void trace_extract_wanted(const struct trace_session *session, const struct trace_message *m,
                                 const char *comment, void *arg)
{
    struct run *const r = arg;

    trace_extract_note(r, extract_message(r->extract, session, m, comment));
}

static void trace_extract_statistics(const struct trace_session *session, void *arg)
{
    struct run *const r = arg;

    trace_extract_begin(r);
    trace_extract_note(r, extract_statistics(r->extract, session));
}

static int trace_extract_write_all(struct trace_source *source, FILE *f, const void *arg)
{
    static const struct trace_sink sink = {.every = trace_extract_every,
                                           .message = trace_extract_wanted,
                                           .statistics = trace_extract_statistics};
    const struct options *const o = arg;
    char why[512];
    struct run r = {.extract = extract_new(f, o->cuts_time),
                    .source = source,
                    .span = filter_new(o->span, why, sizeof why),
                    .wanted = o->wanted};
    int code;

    if (!r.extract || !r.span) {
        extract_free(r.extract);
        filter_free(r.span);
        return poemctl_could_not(name, o->output, "out of memory");
    }
    code = trace_source_run(source, &sink, &r);
    trace_extract_begin(&r);
    trace_extract_note(&r, extract_finish(r.extract));
    if (r.err == 0 && fflush(f) != 0) {
        r.err = -EIO;
    }
    if (r.err < 0) {
        code =
            poemctl_could_not(name, o->output, strerror(r.err == -EIO && errno ? errno : -r.err));
    } else if (code == POEMCTL_YES && extract_written(r.extract) == 0) {
        poemctl_error(name, "no message matches");
        code = POEMCTL_NO;
    }
    extract_free(r.extract);
    filter_free(r.span);
    return code;
}

static int trace_extract_main(int argc, char **argv)
{
    struct options o = {.output = NULL};
    char **const operands = poemctl_parse(&trace_extract, argc, argv, &o);

    if (!operands) {
        return POEMCTL_USAGE;
    }
    o.file = operands[0];
    if (!o.output || !trace_extract_add_values(&o, "session", &o.sessions) ||
        !trace_extract_add_values(&o, "after", &o.after) ||
        !trace_extract_add_values(&o, "before", &o.before) || !trace_extract_add_filters(&o)) {
        return poemctl_usage(&trace_extract);
    }
    return trace_source_convert(name, o.file, o.wanted, o.output, trace_extract_write_all, &o);
}

static const struct cli_option options[] = {
    {"session", 0, "NUMBER", "of this session", CLI_LIST(struct options, sessions)},
    {"after", 0, "SECONDS", "so long after the first message, or later",
     CLI_LIST(struct options, after)},
    {"before", 0, "SECONDS", "less long after the first message than this",
     CLI_LIST(struct options, before)},
    {"filter", 0, "FILTER", "only messages that match this filter",
     CLI_LIST(struct options, filters)},
    {"output", 'w', "OUT", "write the extract to this file", CLI_TEXT(struct options, output)},
    POEMCTL_END_OPTION,
};

const struct poemctl_command trace_extract = {
    .name = name,
    .synopsis = "[--session NUMBER] [--after SECONDS] [--before SECONDS] [--filter FILTER] "
                "-w OUT FILE",
    .what = "write a part of a trace as a trace",
    .manual = "poemctl-trace-diff(1)",
    .options = options,
    .least = 1,
    .most = 1,
    .run = trace_extract_main,
};
