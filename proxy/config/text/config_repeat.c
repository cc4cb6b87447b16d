/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Lines that are read where others stand: of a preset that a route names, of the defaults for each
 * route, of a template for each of its instances. Their errors are reported at the lines
 * themselves, those of a preset where it is named.
 *
 * Lines that are read again can lead to others, three deep at most: a template to the defaults, and
 * these to a preset.
 */
#define _GNU_SOURCE
#include "proxy/config/text/config_parse.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/config/text/config_lines.h"
#include "proxy/config/text/config_source.h"
#include "proxy/config/config_where.h"
#include "proxy/config/preset.h"

/* The instance of which a template without any is an example, so that its lines are checked. */
#define EXAMPLE "instance"

/* NOLINTNEXTLINE(misc-no-recursion): see above. */
static void config_repeat_lines(struct parse *p, const struct lex *body)
{
    const struct lex lex = p->lex;
    const struct lex_token token = p->token;

    p->lex = *body;
    for (lex_next(&p->lex, &p->token); p->token.kind != LEX_END && !p->stop && !p->parser.no_memory;
         lex_next(&p->lex, &p->token)) {
        config_parse_line(p);
        config_repeat_pending(p);
    }
    p->lex = lex;
    p->token = token;
}

/* ---- presets ---- */

/* NOLINTNEXTLINE(misc-no-recursion): see above. */
static void config_repeat_preset(struct parse *p, const struct config_route *r)
{
    const struct preset *preset;
    struct lex lex;

    if (r->preset == PRESET_NONE) {
        return;
    }
    preset = preset_get(r->preset);
    lex_init(&lex, preset->text, preset->n);
    lex.before = config_where_preset(r->preset) + preset->first_line - 1;
    p->preset = &r->preset_at;
    config_repeat_lines(p, &lex);
    p->preset = NULL;
}

/* ---- blocks ---- */

/*
 * Goes to the line behind the block that has just begun; at is the place of its statement. Returns
 * the place of its "}", with line 0 if it has none.
 */
static struct config_place config_repeat_take(struct parse *p, struct config_place at,
                                              struct parse_body *body)
{
    struct config_line l;
    struct config_place end = {0, 0};
    struct value_fault fault;
    unsigned depth = 1;
    bool more;

    body->set = true;
    body->lex = p->lex;
    while ((more = config_lines_next(&p->lex, &l))) {
        depth -= l.closes;
        if (depth == 0) {
            break;
        }
        depth += l.opens;
        if (l.n == 3 && strcmp(l.words[0], "source") == 0 &&
            !config_directive_resume(p, l.words[2], &fault)) {
            config_parse_fault(p, l.at[2], fault.hint, "%s", fault.text);
        }
    }
    if (!more) {
        config_parse_fault(p, at, "close it with a line that contains only \"}\"",
                           "unclosed block");
        return end;
    }
    end = (struct config_place){p->lex.before + p->lex.line, 1};
    if (!l.alone) {
        config_parse_fault(p, end, NULL, "\"}\" must stand alone on its line");
    }
    body->lex.n = l.start;
    return end;
}

/* ---- defaults ---- */

static const struct config_word *config_repeat_row(enum config_context opens)
{
    size_t i = 0;

    while (config_word_at(i)->opens != opens) {
        i++;
    }
    return config_word_at(i);
}

/* NOLINTNEXTLINE(misc-no-recursion): see above. */
static void config_repeat_defaults_in(struct parse *p, struct config_route *r)
{
    if (!p->defaults.set) {
        return;
    }
    config_parse_push(p, (struct parse_block){.row = config_repeat_row(CONTEXT_DEFAULTS),
                                              .context = CONTEXT_DEFAULTS,
                                              .target = r,
                                              .at = r->at});
    if (!p->stop) {
        const unsigned depth = p->depth;

        config_repeat_lines(p, &p->defaults.lex);
        p->depth = depth - 1;
    }
}

/* Drops the last route, which was only read to check it. */
static void config_repeat_drop(struct parse *p)
{
    config_route_deinit(&p->parser.config->routes[--p->parser.config->n_routes]);
}

/* NOLINTNEXTLINE(misc-no-recursion): see above. */
static void config_repeat_defaults(struct parse *p)
{
    const struct config_place at = p->statement.words[0].at;
    const struct config_place end = config_repeat_take(p, at, &p->defaults);
    struct config_route *const example = config_repeat_row(CONTEXT_ROUTE)->begin(&p->parser, at);

    p->parser.defaults_begin = at;
    p->parser.defaults_end = end.line > 0 ? end : (struct config_place){~0u, 0};
    if (example) {
        config_repeat_defaults_in(p, example);
        config_repeat_drop(p);
    }
}

/* ---- templates ---- */

/* Reads a route's lines once, for one instance. */
/* NOLINTNEXTLINE(misc-no-recursion): see above. */
static void config_repeat_instance(struct parse *p, const struct config_word *row,
                                   const struct parse_word *name, const char *instance,
                                   const struct parse_body *body)
{
    struct config_route *const r = row->begin(&p->parser, name->at);
    const unsigned depth = p->depth;

    if (!r) {
        return;
    }
    p->instance = instance;
    if (asprintf(&r->name, "%s%s", name->text, instance) < 0) {
        r->name = NULL;
        p->parser.no_memory = true;
        return;
    }
    r->name_at = name->at;
    if (strlen(r->name) > LIMIT_NAME) {
        config_parse_fault(p, name->at, "shorten the template's name",
                           "the name \"%s\" is too long", r->name);
    }
    config_repeat_defaults_in(p, r);
    config_parse_push(
        p, (struct parse_block){.row = row, .context = CONTEXT_ROUTE, .target = r, .at = name->at});
    if (!p->stop) {
        config_repeat_lines(p, &body->lex);
        p->depth = depth + 1;
        config_parse_pop(p, name->at);
    }
    p->instance = NULL;
}

struct config_repeat_names {
    size_t n;
    char **names;
    void *tree; /* the same, for tsearch */
};

static int config_repeat_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Belongs to the list. */
static void config_repeat_keep(void *name)
{
    (void)name;
}

static void config_repeat_add_name(struct parse *p, struct config_repeat_names *names,
                                   const struct lex_token *t)
{
    struct value_fault fault;
    unsigned none;
    char **more;

    if (!value_read(VALUE_NAME, t->text, 0, 0, &none, &fault)) {
        config_parse_fault(p, t->at, fault.hint, "%s", fault.text);
        return;
    }
    if (tfind(t->text, &names->tree, config_repeat_compare)) {
        config_parse_fault(p, t->at, NULL, "duplicate instance \"%s\"", t->text);
        return;
    }
    more = reallocarray(names->names, names->n + 1, sizeof *more);
    if (more) {
        names->names = more;
        more[names->n] = strdup(t->text);
    }
    if (!more || !more[names->n]) {
        p->parser.no_memory = true;
        return;
    }
    p->parser.no_memory = !tsearch(more[names->n++], &names->tree, config_repeat_compare);
}

/* Checks a pattern of folders, and keeps it. */
static void config_repeat_pattern(struct parse *p, const struct lex_token *t)
{
    struct config_list *const folders = &p->parser.config->folders;
    char pattern[CONFIG_EXPANDED];
    struct value_fault fault;

    if (!config_expand(&p->variables, NULL, t->text, pattern, &fault)) {
        config_parse_fault(p, t->at, fault.hint, "%s", fault.text);
    } else if (config_source_star(pattern) == 0) {
        config_parse_fault(p, t->at, "such as \"/run/vm/*/\", where the star is the instance",
                           "this is neither a name nor a pattern of folders");
    } else {
        config_directive_keep(p, folders, pattern, t->at);
    }
}

/* Reads the words of one "instances". */
static void config_repeat_instances(struct parse *p, const struct config_line *l,
                                    struct config_repeat_names *names)
{
    struct lex lex = l->lex;
    struct lex_token t;

    lex_next(&lex, &t);
    for (lex_next(&lex, &t); t.kind == LEX_WORD && !p->parser.no_memory; lex_next(&lex, &t)) {
        if (strpbrk(t.text, "/*$")) {
            config_repeat_pattern(p, &t);
        } else {
            config_repeat_add_name(p, names, &t);
        }
    }
    if (l->n == 1) {
        config_parse_fault(p, l->at[0], "instances NAME ...", "missing NAME after \"instances\"");
    }
}

static void config_repeat_collect(struct parse *p, const struct parse_body *body,
                                  struct config_repeat_names *names)
{
    struct lex lex = body->lex;
    struct config_line l;
    bool any = false;

    while (config_lines_next(&lex, &l)) {
        if (l.n > 0 && strcmp(l.words[0], "instances") == 0 && !l.opens && !l.fault) {
            config_repeat_instances(p, &l, names);
            any = true;
        }
    }
    if (!any) {
        config_parse_fault(p, p->name.at, "instances NAME ...",
                           "this template has no \"instances\"");
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): see above. */
static void config_repeat_template(struct parse *p)
{
    const struct config_word *const row = config_repeat_row(CONTEXT_ROUTE);
    char text[CONFIG_EXPANDED];
    struct parse_word name = p->name;
    struct config_repeat_names names = {0};
    struct parse_body body;
    struct value_fault fault;
    unsigned none;
    size_t n;

    snprintf(text, sizeof text, "%s", name.text);
    n = strlen(text);
    (void)config_repeat_take(p, name.at, &body);
    p->parser.config->has_template = true;
    text[n - 1] = '\0';
    if (!value_read(VALUE_NAME, text, 0, 0, &none, &fault)) {
        config_parse_fault(p, name.at, fault.hint, "%s", fault.text);
        return;
    }
    text[n - 1] = '@';
    name.text = text;
    config_repeat_collect(p, &body, &names);
    for (size_t i = 0; i < names.n && !p->stop && !p->parser.no_memory; i++) {
        config_repeat_instance(p, row, &name, names.names[i], &body);
    }
    if (names.n == 0) {
        const size_t before = p->parser.config->n_routes;

        config_repeat_instance(p, row, &name, EXAMPLE, &body);
        if (p->parser.config->n_routes > before) {
            config_repeat_drop(p);
        }
    }
    tdestroy(names.tree, config_repeat_keep);
    while (names.n > 0) {
        free(names.names[--names.n]);
    }
    free(names.names);
}

/* NOLINTNEXTLINE(misc-no-recursion): see above. */
void config_repeat_pending(struct parse *p)
{
    const enum parse_pending pending = p->pending;

    p->pending = PARSE_NOTHING;
    switch (pending) {
    case PARSE_PRESET:
        config_repeat_preset(p, p->route);
        break;
    case PARSE_ROUTE:
        config_repeat_defaults_in(p, p->route);
        break;
    case PARSE_DEFAULTS:
        config_repeat_defaults(p);
        break;
    case PARSE_TEMPLATE:
        config_repeat_template(p);
        break;
    case PARSE_NOTHING:
        break;
    }
}
