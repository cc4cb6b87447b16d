/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The action poemctl trace diff: shows two traces side by side. See poemctl-trace-diff(1). */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ctl/poemctl_json.h"
#include "ctl/trace/poemctl_trace.h"
#include "ctl/trace/trace_source.h"
#include "trace/report/diff.h"

static const char name[] = "trace diff";

/* Common lines printed before and after a difference. */
#define CONTEXT 3u

struct options {
    char *const *files; /* two */
    bool json;
};

struct run {
    const struct options *o;
    struct trace_source sources[2];
    struct diff_maker *makers[2];
    uint64_t lost[2];
    int code; /* POEMCTL_YES, or the exit code of reading a source */
    uint64_t counts[3];
    /* The output's state. */
    char *context[CONTEXT]; /* common lines not printed yet */
    size_t n_context;
    size_t behind; /* common lines still to be printed after a difference */
    bool shown;    /* anything was printed */
};

static int trace_diff_next_line(unsigned side, struct diff_line **out, void *arg)
{
    struct run *const r = arg;
    struct trace_source *const source = &r->sources[side];
    struct trace_item item;
    const enum trace_outcome outcome = trace_source_next(source, &item);

    if (outcome != TRACE_MESSAGE) {
        const int code = trace_source_ended(source, outcome);

        r->code = code ? code : r->code;
        return 0;
    }
    r->lost[side] += item.message.lost;
    *out = diff_maker_line(r->makers[side], item.session, &item.message);
    return *out ? 1 : -ENOMEM;
}

/* ---- output as diff's ---- */

/* Prints the head of a hunk; a or b is NULL if that trace has no line in it. */
static void trace_diff_put_place(const struct diff_line *a, const struct diff_line *b)
{
    printf("@@");
    if (a) {
        printf(" -%" PRIu64 " at %" PRIu64 ".%06u s", a->message, a->read_ns / 1000000000,
               (unsigned)(a->read_ns % 1000000000 / 1000));
    }
    if (b) {
        printf(" +%" PRIu64 " at %" PRIu64 ".%06u s", b->message, b->read_ns / 1000000000,
               (unsigned)(b->read_ns % 1000000000 / 1000));
    }
    printf(" @@\n");
}

static void trace_diff_put_head(const struct run *r)
{
    char shown[512];

    for (unsigned i = 0; i < 2; i++) {
        printf("%s %s\n", i == 0 ? "---" : "+++",
               log_escape(shown, sizeof shown, r->o->files[i], strlen(r->o->files[i])));
    }
}

static void trace_diff_forget_context(struct run *r)
{
    for (size_t i = 0; i < r->n_context; i++) {
        free(r->context[i]);
    }
    r->n_context = 0;
}

static void trace_diff_keep_context(struct run *r, const struct diff_line *line)
{
    if (r->n_context == CONTEXT) {
        free(r->context[0]);
        memmove(r->context, r->context + 1, (CONTEXT - 1) * sizeof *r->context);
        r->n_context--;
    }
    r->context[r->n_context] = strdup(line->text);
    r->n_context += r->context[r->n_context] != NULL;
}

static void trace_diff_notify_text(struct run *r, enum diff_kind kind, const struct diff_line *a,
                                   const struct diff_line *b)
{
    if (kind == DIFF_BOTH) {
        if (r->behind > 0) {
            r->behind--;
            printf(" %s\n", a->text);
        } else {
            trace_diff_keep_context(r, a);
        }
        return;
    }
    if (!r->shown) {
        trace_diff_put_head(r);
    }
    if (r->behind == 0 && (!r->shown || r->n_context > 0)) {
        trace_diff_put_place(a, b);
        for (size_t i = 0; i < r->n_context; i++) {
            printf(" %s\n", r->context[i]);
        }
        trace_diff_forget_context(r);
    }
    r->shown = true;
    printf("%c%s\n", kind == DIFF_ONLY_A ? '-' : '+', a ? a->text : b->text);
    r->behind = CONTEXT;
}

static void trace_diff_end_text(const struct run *r)
{
    if (r->shown) {
        printf("\n");
    }
    printf("%" PRIu64 " messages are the same, %" PRIu64 " only in -, %" PRIu64 " only in +\n",
           r->counts[DIFF_BOTH], r->counts[DIFF_ONLY_A], r->counts[DIFF_ONLY_B]);
    for (unsigned i = 0; i < 2; i++) {
        if (r->lost[i] > 0) {
            printf("%" PRIu64 " messages are not in %s, which lost them\n", r->lost[i],
                   i == 0 ? "-" : "+");
        }
    }
}

/* ---- output as JSON ---- */

static void trace_diff_put_string(const char *text)
{
    json_t *const string = json_string(text);

    (void)poemctl_json_write(string, JSON_ENCODE_ANY, stdout);
    json_decref(string);
}

static void trace_diff_begin_json(const struct run *r)
{
    char shown[512];

    printf("{\"format\":\"poemd-trace-diff/1\",\"a\":");
    trace_diff_put_string(log_escape(shown, sizeof shown, r->o->files[0], strlen(r->o->files[0])));
    printf(",\"b\":");
    trace_diff_put_string(log_escape(shown, sizeof shown, r->o->files[1], strlen(r->o->files[1])));
    printf(",\"differences\":[");
}

static void trace_diff_notify_json(struct run *r, enum diff_kind kind, const struct diff_line *line)
{
    printf("%s\n{\"only\":\"%s\",\"message\":%" PRIu64 ",\"session\":%" PRIu64 ",\"ns\":%" PRIu64
           ",\"text\":",
           r->shown ? "," : "", kind == DIFF_ONLY_A ? "a" : "b", line->message, line->session,
           line->read_ns);
    trace_diff_put_string(line->text);
    putchar('}');
    r->shown = true;
}

static void trace_diff_end_json(const struct run *r)
{
    printf("],\n\"same\":%s,\"common\":%" PRIu64 ",\"only_a\":%" PRIu64 ",\"only_b\":%" PRIu64
           ",\"lost_a\":%" PRIu64 ",\"lost_b\":%" PRIu64 ",\"whole\":%s}\n",
           r->counts[DIFF_ONLY_A] + r->counts[DIFF_ONLY_B] == 0 ? "true" : "false",
           r->counts[DIFF_BOTH], r->counts[DIFF_ONLY_A], r->counts[DIFF_ONLY_B], r->lost[0],
           r->lost[1], r->code == POEMCTL_YES ? "true" : "false");
}

/* ---- both forms ---- */

static void trace_diff_notify(enum diff_kind kind, const struct diff_line *a,
                              const struct diff_line *b, void *arg)
{
    struct run *const r = arg;

    r->counts[kind]++;
    if (!r->o->json) {
        trace_diff_notify_text(r, kind, a, b);
    } else if (kind != DIFF_BOTH) {
        trace_diff_notify_json(r, kind, a ? a : b);
    }
}

static int trace_diff_compare(struct run *r)
{
    static const struct diff_calls calls = {.next = trace_diff_next_line,
                                            .tell = trace_diff_notify};
    int err;

    if (r->o->json) {
        trace_diff_begin_json(r);
    }
    err = diff_run(&calls, r);
    if (err < 0) {
        poemctl_error(name, "%s", strerror(-err));
        return POEMCTL_COULD_NOT;
    }
    if (r->o->json) {
        trace_diff_end_json(r);
    } else {
        trace_diff_end_text(r);
    }
    if (r->code) {
        return r->code;
    }
    return r->counts[DIFF_ONLY_A] + r->counts[DIFF_ONLY_B] > 0 ? POEMCTL_NO : POEMCTL_YES;
}

static int trace_diff_run(const struct options *o)
{
    struct run r = {.o = o};
    int code = trace_source_open(&r.sources[0], name, o->files[0], NULL);

    if (code == POEMCTL_YES) {
        code = trace_source_open(&r.sources[1], name, o->files[1], NULL);
    }
    if (code == POEMCTL_YES) {
        r.makers[0] = diff_maker_new();
        r.makers[1] = diff_maker_new();
        if (r.makers[0] && r.makers[1]) {
            code = trace_diff_compare(&r);
        } else {
            poemctl_error(name, "out of memory");
            code = POEMCTL_COULD_NOT;
        }
    }
    trace_diff_forget_context(&r);
    for (unsigned i = 0; i < 2; i++) {
        diff_maker_free(r.makers[i]);
        trace_source_close(&r.sources[i]);
    }
    return code;
}

static int trace_diff_main(int argc, char **argv)
{
    struct options o = {.json = false};
    char **const operands = poemctl_parse(&trace_diff, argc, argv, &o);

    if (!operands) {
        return POEMCTL_USAGE;
    }
    o.files = operands;
    if (strcmp(o.files[0], "-") == 0 && strcmp(o.files[1], "-") == 0) {
        poemctl_error(name, "only one of both can be standard input");
        return poemctl_usage(&trace_diff);
    }
    return trace_diff_run(&o);
}

static const struct cli_option options[] = {
    POEMCTL_JSON_OPTION(struct options, json),
    POEMCTL_END_OPTION,
};

const struct poemctl_command trace_diff = {
    .name = name,
    .synopsis = "[--json] A B",
    .what = "compare two traces message by message",
    .manual = "poemctl-trace-diff(1)",
    .options = options,
    .least = 2,
    .most = 2,
    .run = trace_diff_main,
};
