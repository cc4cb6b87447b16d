/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The action poemctl trace stats: prints a trace's statistics. See poemctl-trace-stats(1). */
#define _GNU_SOURCE
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl/poemctl_json.h"
#include "ctl/trace/poemctl_trace.h"
#include "ctl/trace/trace_choice.h"
#include "ctl/trace/trace_source.h"
#include "trace/report/stats_json.h"
#include "trace/report/stats_text.h"

static const char name[] = "trace stats";

struct options {
    struct trace_choice choice;
    const char *html;
    const char *file;
    bool json;
};

struct run {
    struct stats *stats;
    int err;
};

static void trace_stats_feed(const struct trace_session *session, const struct trace_message *m,
                             const char *comment, void *arg)
{
    struct run *const r = arg;
    const int err = stats_feed(r->stats, session, m, comment);

    r->err = err < 0 ? err : r->err;
}

/* Without a terminal, no graphs are drawn. */
static struct stats_canvas trace_stats_canvas(void)
{
    struct stats_canvas c = {.width = 0};
    struct winsize size;

    if (isatty(STDOUT_FILENO)) {
        c.width =
            ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
        c.utf8 = setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    }
    return c;
}

static int trace_stats_no_memory(void)
{
    poemctl_error(name, "out of memory");
    return POEMCTL_COULD_NOT;
}

static int trace_stats_write_page(const struct stats *s, const struct stats_about *about,
                                  const char *path)
{
    FILE *const f = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    int err;

    if (!f) {
        return poemctl_could_not(name, path, strerror(errno));
    }
    err = stats_html(s, about, f);
    if (f != stdout && fclose(f) != 0 && err == 0) {
        err = -EIO;
    }
    if (err < 0) {
        return poemctl_could_not(name, path, err == -ENOMEM ? "out of memory" : strerror(errno));
    }
    return POEMCTL_YES;
}

static int trace_stats_show(const struct stats *s, const struct stats_about *about,
                            const struct options *o)
{
    const struct stats_canvas c = trace_stats_canvas();
    int code = POEMCTL_YES;

    if (o->html) {
        code = trace_stats_write_page(s, about, o->html);
    }
    if (o->json) {
        const int shown = poemctl_json(name, stats_json(s, about, false), POEMCTL_YES);

        return code ? code : shown;
    }
    if (!o->html) {
        stats_text(s, about, &c, stdout);
    }
    return code;
}

static int trace_stats_run(const struct options *o)
{
    static const struct trace_sink sink = {.message = trace_stats_feed};
    struct stats_about about = {.file = o->file, .filter = o->choice.filter};
    struct run r = {.stats = NULL};
    struct trace_source source;
    int shown;
    int code = trace_source_open(&source, name, o->file, o->choice.filter);

    if (code == POEMCTL_YES && o->html && trace_source_is(&source, o->html)) {
        poemctl_error(name, "--html: this is the input trace: choose another file");
        code = POEMCTL_COULD_NOT;
    }
    if (code == POEMCTL_YES) {
        r.stats = stats_new();
        if (!r.stats) {
            trace_source_close(&source);
            return trace_stats_no_memory();
        }
        code = trace_source_run(&source, &sink, &r);
        stats_finish(r.stats);
        about.broken = source.broken[0] ? source.broken : NULL;
        shown = r.err ? trace_stats_no_memory() : trace_stats_show(r.stats, &about, o);
        code = shown ? shown : code;
        stats_free(r.stats);
    }
    trace_source_close(&source);
    return code;
}

static int trace_stats_main(int argc, char **argv)
{
    struct options o = {.json = false};
    char **const operands = poemctl_parse(&trace_stats, argc, argv, &o);
    int code;

    if (!operands) {
        return POEMCTL_USAGE;
    }
    o.file = operands[0];
    code = trace_choice_settle(&o.choice, name) ? trace_stats_run(&o) : POEMCTL_USAGE;
    trace_choice_deinit(&o.choice);
    return code;
}

static const struct cli_option options[] = {
    POEMCTL_JSON_OPTION(struct options, json),
    TRACE_CHOICE_OPTIONS(struct options, choice),
    {"html", 0, "OUT", "write a page with diagrams to this file", CLI_TEXT(struct options, html)},
    POEMCTL_END_OPTION,
};

const struct poemctl_command trace_stats = {
    .name = name,
    .synopsis = "[--json] [--filter FILTER] [--since TIME] [--until TIME] [--html OUT] FILE",
    .what = "show the statistics of a trace",
    .manual = "poemctl-trace-stats(1)",
    .options = options,
    .least = 1,
    .most = 1,
    .run = trace_stats_main,
};
