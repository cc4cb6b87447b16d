/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Makes room for the blocks and list elements that statements begin. */
#define _GNU_SOURCE
#include "proxy/config/config_words_begin.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "proxy/config/config_where.h"

/* Makes room for one more route, with the defaults. */
void *config_words_route_begin(struct config_parser *p, struct config_place at)
{
    struct config *c = p->config;
    struct config_route *routes;

    if (c->n_routes == LIMIT_ROUTES) {
        config_errors_add(p->errors, at, NULL, "more than %d routes", LIMIT_ROUTES);
        return NULL;
    }
    /* Grows only at powers of two. */
    if ((c->n_routes & (c->n_routes - 1)) == 0) {
        const size_t room = c->n_routes > 0 ? c->n_routes * 2 : 1;

        routes = reallocarray(c->routes, room, sizeof *routes);
        if (!routes) {
            p->no_memory = true;
            return NULL;
        }
        c->routes = routes;
    }
    c->routes[c->n_routes] = config_route_default(at);
    return &c->routes[c->n_routes++];
}

/* Makes room for one more element after n of them; moves *list. Returns NULL if out of memory. */
static void *config_words_grow(struct config_parser *p, void **list, size_t n, size_t size)
{
    void *const more = reallocarray(*list, n + 1, size);

    if (!more) {
        p->no_memory = true;
        return NULL;
    }
    *list = more;
    memset((char *)more + n * size, 0, size);
    return (char *)more + n * size;
}

/* Statements in a route block belong to the last route. */
static struct config_route *config_words_this_route(struct config_parser *p)
{
    return &p->config->routes[p->config->n_routes - 1];
}

void *config_words_allow_begin(struct config_parser *p, struct config_place at)
{
    struct config_route *r = config_words_this_route(p);
    void *list = r->allow;
    struct config_allow *a = config_words_grow(p, &list, r->n_allow, sizeof *a);

    if (a) {
        r->allow = list;
        r->n_allow++;
        a->at = at;
    }
    return a;
}

void *config_words_licence_begin(struct config_parser *p, struct config_place at)
{
    struct config_route *r = config_words_this_route(p);
    void *list = r->licence;
    struct config_licence *l = config_words_grow(p, &list, r->n_licence, sizeof *l);

    if (l) {
        r->licence = list;
        r->n_licence++;
        l->at = at;
        l->target = CONFIG_TARGET_NONE;
        l->grade = CONFIG_GRADE_NONE;
        l->covers = CONFIG_COVERS_EXECUTABLE;
    }
    return l;
}

void *config_words_code_begin(struct config_parser *p, struct config_place at)
{
    struct config_route *r = config_words_this_route(p);
    void *list = r->code;
    struct config_code *c = config_words_grow(p, &list, r->n_code, sizeof *c);

    if (c) {
        r->code = list;
        r->n_code++;
        c->at = at;
    }
    return c;
}

void *config_words_executable_begin(struct config_parser *p, struct config_place at)
{
    struct config_route *r = config_words_this_route(p);
    void *list = r->executable;
    struct config_executable *e = config_words_grow(p, &list, r->n_executable, sizeof *e);

    if (e) {
        r->executable = list;
        r->n_executable++;
        e->at = at;
    }
    return e;
}

void *config_words_assign_begin(struct config_parser *p, struct config_place at)
{
    struct config_route *r = config_words_this_route(p);
    void *list = r->assign;
    struct config_assign *a = config_words_grow(p, &list, r->n_assign, sizeof *a);

    if (a) {
        r->assign = list;
        r->n_assign++;
        a->at = at;
    }
    return a;
}

static void *config_words_text_begin(struct config_parser *p, struct config_list *l,
                                     struct config_place at)
{
    void *list = l->items;
    struct config_text *t = config_words_grow(p, &list, l->n, sizeof *t);

    if (t) {
        l->items = list;
        l->n++;
        t->at = at;
    }
    return t;
}

void *config_words_trust_key_begin(struct config_parser *p, struct config_place at)
{
    return config_words_text_begin(p, &p->config->trust_keys, at);
}

void *config_words_envelope_begin(struct config_parser *p, struct config_place at)
{
    return config_words_text_begin(p, &p->config->envelopes, at);
}

/* Returns true if a place is among the defaults for routes. */
static bool config_words_is_default(const struct config_parser *p, struct config_place at)
{
    return p->defaults_begin.line > 0 && at.line > p->defaults_begin.line &&
           at.line < p->defaults_end.line;
}

/* Reports a statement that was given before with the same first word; *first is its place. */
static void *config_words_once(struct config_parser *p, struct config_place at,
                               struct config_place *first, const char *what)
{
    if (first->line > 0 && config_words_is_default(p, *first) == config_words_is_default(p, at)) {
        char hint[CONFIG_WHERE_SIZE + 32];
        char where[CONFIG_WHERE_SIZE];

        snprintf(hint, sizeof hint, "the first is in %s",
                 config_where(p->config, first->line, where));
        config_errors_add(p->errors, at, hint, "duplicate \"%s\"", what);
    }
    *first = at;
    return config_words_this_route(p);
}

void *config_words_dma_begin(struct config_parser *p, struct config_place at)
{
    return config_words_once(p, at, &config_words_this_route(p)->dma_at, "dma");
}

void *config_words_dma_max_maps_begin(struct config_parser *p, struct config_place at)
{
    return config_words_once(p, at, &config_words_this_route(p)->dma_max_maps_at, "dma max-maps");
}

void *config_words_dma_max_bytes_begin(struct config_parser *p, struct config_place at)
{
    return config_words_once(p, at, &config_words_this_route(p)->dma_max_bytes_at, "dma max-bytes");
}

void *config_words_dma_ranges_begin(struct config_parser *p, struct config_place at)
{
    struct config_list *ranges = &config_words_this_route(p)->dma_ranges;

    if (ranges->n == LIMIT_DMA_RANGES) {
        config_errors_add(p->errors, at, NULL, "more than %u ranges", LIMIT_DMA_RANGES);
        return NULL;
    }
    return config_words_text_begin(p, ranges, at);
}

void *config_words_inject_begin(struct config_parser *p, struct config_place at)
{
    return config_words_once(p, at, &config_words_this_route(p)->inject_at, "inject");
}

void *config_words_inject_rule_begin(struct config_parser *p, struct config_place at)
{
    struct config_list *rules = &config_words_this_route(p)->inject_rules;

    if (rules->n == LIMIT_INJECT_RULES) {
        config_errors_add(p->errors, at, NULL, "more than %u rules", LIMIT_INJECT_RULES);
        return NULL;
    }
    return config_words_text_begin(p, rules, at);
}
