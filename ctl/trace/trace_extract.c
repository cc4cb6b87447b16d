/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The action poemctl trace extract: copies parts of a trace into a new one. See
 * poemctl-trace-diff(1).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "ctl/trace/poemctl_trace.h"
#include "ctl/trace/trace_source.h"
#include "trace/report/extract.h"

static const char name[] = "trace extract";

#define FILTER_MAX 4096u

/* wanted has all options as one filter's terms; span has only the terms on sessions and times. */
struct options {
    const char *output;
    const char *file;
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
    static const char *const times[] = {"after=", "before=", NULL};
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

static bool trace_extract_add_option(struct options *o, const char *head, const char *value)
{
    char term[128];

    if (strchr(value, ' ') ||
        snprintf(term, sizeof term, "%s%s", head, value) >= (int)sizeof term) {
        poemctl_error(name, "--%.*s: one value", (int)strlen(head) - 1, head);
        return false;
    }
    return trace_extract_add_terms(o, term);
}

static bool trace_extract_parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"after", required_argument, NULL, 'a'},   {"before", required_argument, NULL, 'b'},
        {"filter", required_argument, NULL, 'f'},  {"output", required_argument, NULL, 'w'},
        {"session", required_argument, NULL, 's'}, {NULL, 0, NULL, 0},
    };
    bool ok = true;
    int c;

    while (ok && (c = getopt_long(argc, argv, "w:", longs, NULL)) != -1) {
        switch (c) {
        case 'a':
            ok = trace_extract_add_option(o, "after=", optarg);
            break;
        case 'b':
            ok = trace_extract_add_option(o, "before=", optarg);
            break;
        case 'f':
            ok = trace_extract_add_terms(o, optarg);
            break;
        case 's':
            ok = trace_extract_add_option(o, "session=", optarg);
            break;
        case 'w':
            o->output = optarg;
            break;
        default:
            return false;
        }
    }
    o->file = argv[optind];
    return ok && argc - optind == 1 && o->output;
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

static int trace_extract_could_not(const char *path, const char *why)
{
    char shown[512];

    poemctl_error(name, "%s: %s", log_escape(shown, sizeof shown, path, strlen(path)), why);
    return POEMCTL_COULD_NOT;
}

static int trace_extract_write_all(struct trace_source *source, const struct options *o, FILE *f)
{
    static const struct trace_sink sink = {.every = trace_extract_every,
                                           .message = trace_extract_wanted,
                                           .statistics = trace_extract_statistics};
    char why[512];
    struct run r = {.extract = extract_new(f, o->cuts_time),
                    .source = source,
                    .span = filter_new(o->span, why, sizeof why),
                    .wanted = o->wanted};
    int code;

    if (!r.extract || !r.span) {
        extract_free(r.extract);
        filter_free(r.span);
        return trace_extract_could_not(o->output, "out of memory");
    }
    code = trace_source_run(source, &sink, &r);
    trace_extract_begin(&r);
    trace_extract_note(&r, extract_finish(r.extract));
    if (r.err == 0 && fflush(f) != 0) {
        r.err = -EIO;
    }
    if (r.err < 0) {
        code =
            trace_extract_could_not(o->output, strerror(r.err == -EIO && errno ? errno : -r.err));
    } else if (code == POEMCTL_YES && extract_written(r.extract) == 0) {
        poemctl_error(name, "no message is wanted");
        code = POEMCTL_NO;
    }
    extract_free(r.extract);
    filter_free(r.span);
    return code;
}

static int trace_extract_run(const struct options *o)
{
    struct trace_source source;
    FILE *f;
    int code = trace_source_open(&source, name, o->file, o->wanted);

    if (code == POEMCTL_YES && trace_source_is(&source, o->output)) {
        code = trace_extract_could_not(o->output, "this is the trace itself");
    }
    if (code == POEMCTL_YES) {
        f = strcmp(o->output, "-") == 0 ? stdout : fopen(o->output, "we");
        code = f ? trace_extract_write_all(&source, o, f)
                 : trace_extract_could_not(o->output, strerror(errno));
        if (f && f != stdout && fclose(f) != 0 && code == POEMCTL_YES) {
            code = trace_extract_could_not(o->output, strerror(errno));
        }
    }
    trace_source_close(&source);
    return code;
}

int trace_extract_main(int argc, char **argv)
{
    struct options o = {.output = NULL};

    if (!trace_extract_parse(argc, argv, &o)) {
        return trace_usage("extract");
    }
    return poemctl_finish(name, trace_extract_run(&o));
}
