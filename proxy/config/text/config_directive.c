/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Statements about the configuration's text: "include", "source", "define", "instances". */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/config/text/config_parse.h"
#include "proxy/config/config_where.h"

void config_directive_keep(struct parse *p, struct config_list *l, const char *text,
                           struct config_place at)
{
    struct config_text *const items = reallocarray(l->items, l->n + 1, sizeof *items);

    if (items) {
        l->items = items;
        l->items[l->n] = (struct config_text){.text = strdup(text), .at = at};
    }
    if (!items || !items[l->n].text) {
        p->parser.no_memory = true;
        return;
    }
    l->n++;
}

static void config_directive_define(struct parse *p)
{
    const struct parse_word *const w = p->statement.words;
    struct value_fault fault;
    const int r = config_variables_define(&p->variables, w[1].text, w[2].text, &fault);

    if (r == -EINVAL) {
        config_parse_fault(p, w[1].at, fault.hint, "%s", fault.text);
    }
    p->parser.no_memory = p->parser.no_memory || r == -ENOMEM;
}

void config_directive_unclosed(struct parse *p)
{
    for (unsigned i = 1; i <= p->depth; i++) {
        if (!p->blocks[i].unopened) {
            config_parse_fault(p, p->blocks[i].at, "close it with a line that contains only \"}\"",
                               "unclosed block");
        }
    }
}

/* Returns the number of an included file, which is kept, or c->files.n if it has none. */
static size_t config_directive_file(struct parse *p, const struct parse_word *w)
{
    struct config_list *const files = &p->parser.config->files;

    for (size_t i = files->n; i > 0; i--) {
        if (strcmp(files->items[i - 1].text, w->text) == 0) {
            return i - 1;
        }
    }
    if (files->n < LIMIT_CONFIG_FILES) {
        config_directive_keep(p, files, w->text, w->at);
        return p->parser.no_memory ? files->n : files->n - 1;
    }
    return files->n;
}

bool config_directive_resume(struct parse *p, const char *line, struct value_fault *fault)
{
    unsigned n = 0;

    if (!value_read(VALUE_COUNT, line, 1, CONFIG_WHERE_MOST - LIMIT_CONFIG_FILE, &n, fault)) {
        return false;
    }
    p->lex.before = p->source + n - p->lex.line - 1;
    return true;
}

void config_directive_source(struct parse *p)
{
    const struct parse_word *const w = p->statement.words;
    const bool to_main = strcmp(w[1].text, "main") == 0;
    const size_t file = to_main ? 0 : config_directive_file(p, &w[1]);
    const unsigned base = to_main ? 0 : config_where_file_base(file);
    struct value_fault fault;

    if (!to_main && file == p->parser.config->files.n) {
        config_parse_fault(p, w[1].at, NULL, "more than %u files", LIMIT_CONFIG_FILES);
        return;
    }
    if (base != p->source) {
        config_directive_unclosed(p);
        p->depth = 0;
        p->source = base;
    }
    if (!config_directive_resume(p, w[2].text, &fault)) {
        config_parse_fault(p, w[2].at, fault.hint, "%s", fault.text);
    }
}

bool config_directive_is_source(const struct parse_statement *s)
{
    return s->n == 3 && strcmp(s->words[0].text, "source") == 0;
}

static void config_directive_instances(struct parse *p)
{
    const struct parse_statement *const s = &p->statement;

    if (!p->instance) {
        config_parse_fault(p, s->words[0].at, "end the route's name with \"@\": route NAME@ {",
                           "only a template has instances");
    }
}

void config_directive(struct parse *p, const struct config_word *row)
{
    const struct parse_statement *const s = &p->statement;
    const unsigned before = (unsigned)p->parser.errors->total;

    if (row->special == CONFIG_INSTANCES) {
        config_directive_instances(p);
        return;
    }
    config_parse_arguments(p, row, NULL);
    if (p->parser.errors->total > before || p->parser.no_memory || s->n < 2) {
        return;
    }
    if (row->special == CONFIG_DEFINE) {
        config_directive_define(p);
    } else if (p->source) {
        config_parse_fault(p, s->words[0].at, "include it from the configuration itself",
                           "an included file cannot include others");
    }
}
