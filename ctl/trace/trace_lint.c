/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The action poemctl trace lint: checks the peers against the specification and a profile. See
 * poemctl-trace(1).
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/wire/wire_command.h"
#include "ctl/poemctl_pager.h"
#include "ctl/trace/poemctl_trace.h"
#include "ctl/trace/trace_sessions.h"
#include "ctl/trace/trace_source.h"
#include "trace/lint/lint.h"
#include "trace/decode/printer.h"

static const char name[] = "trace lint";

struct options {
    bool json;
    int profile; /* enum profile */
};

struct run {
    struct trace_source source;
    struct lint *lint;
    struct strbuf line;
    enum profile profile;
    bool json;
    bool no_memory;
    uint64_t messages;
    uint64_t first_ns;
    struct trace_sessions sessions; /* their user pointers belong to the lint */
};

static void trace_lint_command(struct run *r, const struct lint_finding *f)
{
    const struct wire_command_info *c = wire_command_find(f->command);

    if (c) {
        strbuf_str(&r->line, c->name);
    } else {
        strbuf_str(&r->line, "COMMAND_");
        strbuf_dec(&r->line, f->command);
    }
}

static void trace_lint_where(struct run *r, const struct lint_finding *f)
{
    const uint64_t since = f->read_ns > r->first_ns ? f->read_ns - r->first_ns : 0;

    strbuf_str(&r->line, " #");
    strbuf_dec(&r->line, f->number);
    strbuf_char(&r->line, ' ');
    strbuf_dec(&r->line, since / 1000000000);
    strbuf_char(&r->line, '.');
    strbuf_dec_in(&r->line, since % 1000000000 / 1000, 6, '0');
    strbuf_char(&r->line, ' ');
    strbuf_str(&r->line, side_name(f->party));
    strbuf_char(&r->line, ' ');
    trace_lint_command(r, f);
    strbuf_str(&r->line, " id ");
    strbuf_dec(&r->line, f->id);
}

static void trace_lint_print_text(struct run *r, const struct lint_finding *f)
{
    const struct lint_rule *rule = lint_rule(f->code);

    strbuf_str(&r->line, lint_level_name(f->level));
    strbuf_str(&r->line, ": ");
    strbuf_escape(&r->line, f->session->name, strlen(f->session->name));
    if (f->more) {
        strbuf_str(&r->line, ": ");
        strbuf_dec(&r->line, f->more);
        strbuf_str(&r->line, " more ");
    } else {
        trace_lint_where(r, f);
        strbuf_str(&r->line, ": ");
    }
    strbuf_str(&r->line, rule->name);
    if (!f->more) {
        strbuf_str(&r->line, ": ");
        strbuf_str(&r->line, rule->text);
        if (*f->detail) {
            strbuf_str(&r->line, ": ");
            strbuf_str(&r->line, f->detail);
        }
        if (f->effect) {
            strbuf_str(&r->line, "; ");
            strbuf_str(&r->line, profile_name(r->profile));
            strbuf_char(&r->line, ' ');
            strbuf_str(&r->line, f->effect);
        }
        strbuf_str(&r->line, " (");
        strbuf_str(&r->line, f->section);
        strbuf_char(&r->line, ')');
    }
    strbuf_char(&r->line, '\n');
}

static void trace_lint_print_json(struct run *r, const struct lint_finding *f)
{
    const struct lint_rule *rule = lint_rule(f->code);
    struct printer p = {.t = &r->line, .json = true, .first = true};

    printer_open(&p, NULL);
    printer_word(&p, "type", f->more ? "more" : "finding", 0);
    printer_word(&p, "level", lint_level_name(f->level), 0);
    printer_word(&p, "rule", rule->name, 0);
    printer_dec(&p, "session", f->session->number);
    printer_text(&p, "name", f->session->name, strlen(f->session->name));
    if (f->more) {
        printer_dec(&p, "count", f->more);
    } else {
        printer_dec(&p, "number", f->number);
        printer_label(&p, "time");
        strbuf_char(&r->line, '"');
        strbuf_dec(&r->line, f->read_ns / 1000000000);
        strbuf_char(&r->line, '.');
        strbuf_dec_in(&r->line, f->read_ns % 1000000000, 9, '0');
        strbuf_char(&r->line, '"');
        printer_word(&p, "party", side_name(f->party), 0);
        printer_dec(&p, "id", f->id);
        printer_label(&p, "command");
        strbuf_char(&r->line, '"');
        trace_lint_command(r, f);
        strbuf_char(&r->line, '"');
        printer_word(&p, "text", rule->text, 0);
        printer_text(&p, "detail", f->detail, strlen(f->detail));
        if (f->effect) {
            printer_text(&p, "effect", f->effect, strlen(f->effect));
        }
        printer_word(&p, "section", f->section, 0);
    }
    printer_close(&p);
    strbuf_char(&r->line, '\n');
}

static void trace_lint_print(const struct lint_finding *f, void *arg)
{
    struct run *const r = arg;

    strbuf_clear(&r->line);
    if (r->json) {
        trace_lint_print_json(r, f);
    } else {
        trace_lint_print_text(r, f);
    }
    fwrite(r->line.p, 1, r->line.n, stdout);
}

static void trace_lint_summary(const struct run *r)
{
    const uint64_t errors = lint_count(r->lint, LINT_ERROR);
    const uint64_t warnings = lint_count(r->lint, LINT_WARNING);
    const uint64_t notes = lint_count(r->lint, LINT_NOTE);

    if (r->json) {
        printf("{\"type\":\"summary\",\"messages\":%" PRIu64 ",\"errors\":%" PRIu64
               ",\"warnings\":%" PRIu64 ",\"notes\":%" PRIu64 "}\n",
               r->messages, errors, warnings, notes);
    } else {
        printf("%" PRIu64 " message%s: %" PRIu64 " error%s, %" PRIu64 " warning%s, %" PRIu64
               " note%s\n",
               r->messages, POEMCTL_PLURAL(r->messages), errors, POEMCTL_PLURAL(errors), warnings,
               POEMCTL_PLURAL(warnings), notes, POEMCTL_PLURAL(notes));
    }
}

static enum trace_outcome trace_lint_read_all(struct run *r)
{
    enum trace_outcome outcome;
    struct trace_item item;

    while ((outcome = trace_reader_next(r->source.reader, &item)) <= TRACE_STATISTICS) {
        if (outcome == TRACE_SESSION) {
            r->no_memory =
                r->no_memory || !trace_sessions_add(&r->sessions, item.session) ||
                !lint_session(r->lint, item.session, trace_reader_section(r->source.reader));
        } else if (outcome == TRACE_STATISTICS) {
            lint_statistics(r->lint, item.session);
        } else {
            r->first_ns = r->messages++ ? r->first_ns : item.message.read_ns;
            lint_message(r->lint, item.session, &item.message);
        }
    }
    return outcome;
}

static int trace_lint_judge(struct run *r)
{
    const enum trace_outcome outcome = trace_lint_read_all(r);
    int code;

    lint_end(r->lint);
    for (size_t i = 0; i < r->sessions.n; i++) {
        lint_forget(r->lint, r->sessions.session[i]);
    }
    trace_lint_summary(r);
    code = trace_source_ended(&r->source, outcome);
    if (r->no_memory) {
        poemctl_error(name, "out of memory");
        return POEMCTL_COULD_NOT;
    }
    if (code == POEMCTL_YES && r->messages == 0) {
        /* A gate must not pass if nothing ever connected; the reason has been printed. */
        if (r->sessions.n > 0) {
            (void)poemctl_could_not(name, r->source.path, "the trace has no message to check");
        }
        return POEMCTL_COULD_NOT;
    }
    if (code == POEMCTL_YES &&
        lint_count(r->lint, LINT_ERROR) + lint_count(r->lint, LINT_WARNING) > 0) {
        return POEMCTL_NO;
    }
    return code;
}

static int trace_lint_run(const char *file, const struct options *o)
{
    struct run r = {.json = o->json, .profile = (enum profile)o->profile};
    struct poemctl_pager pager = {.pid = 0};
    int code = trace_source_open(&r.source, name, file, NULL);

    if (r.source.live_fd >= 0) {
        /* Each finding when it is made, also if standard output is a pipe. */
        (void)setvbuf(stdout, NULL, _IOLBF, 0);
    }
    if (code == POEMCTL_YES) {
        r.lint = lint_new(r.profile, trace_lint_print, &r);
        if (r.lint) {
            if (r.source.live_fd < 0) {
                poemctl_pager_begin(&pager);
            }
            code = trace_lint_judge(&r);
            poemctl_pager_end(&pager);
        } else {
            poemctl_error(name, "out of memory");
            code = POEMCTL_COULD_NOT;
        }
        lint_free(r.lint);
    }
    trace_sessions_deinit(&r.sessions);
    strbuf_deinit(&r.line);
    trace_source_close(&r.source);
    return code;
}

static int trace_lint_main(int argc, char **argv)
{
    struct options o = {.json = false};
    char **const operands = poemctl_parse(&trace_lint, argc, argv, &o);

    return operands ? trace_lint_run(operands[0], &o) : POEMCTL_USAGE;
}

static const struct cli_option options[] = {
    POEMCTL_JSON_OPTION(struct options, json),
    POEMCTL_FOR_OPTION(struct options, profile),
    POEMCTL_END_OPTION,
};

const struct poemctl_command trace_lint = {
    .name = name,
    .synopsis = "[--json] [--for qemu | spec | libvfio-user | cloud-hypervisor] FILE",
    .what = "check what both sides sent against the specification, and QEMU",
    .manual = "poemctl-trace(1)",
    .options = options,
    .least = 1,
    .most = 1,
    .run = trace_lint_main,
};
