/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "proxy/config/config_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/config/config_value.h"

static const char *config_index_name(const struct config_route *r)
{
    return r->name;
}

static const char *config_index_listen(const struct config_route *r)
{
    return r->listen;
}

static const char *config_index_trace(const struct config_route *r)
{
    return r->trace_file;
}

static const struct {
    const char *(*text)(const struct config_route *r);
    int (*compare)(const char *a, const char *b);
} keys[] = {
    [CONFIG_BY_NAME] = {config_index_name, strcmp},
    [CONFIG_BY_LISTEN] = {config_index_listen, value_compare_paths},
    [CONFIG_BY_TRACE] = {config_index_trace, value_compare_paths},
};

/* Orders equal ones as in the file. */
static int config_index_compare(const void *a, const void *b, void *arg)
{
    const struct config_route *const one = *(const struct config_route *const *)a;
    const struct config_route *const other = *(const struct config_route *const *)b;
    const enum config_by *const by = arg;
    const int order = keys[*by].compare(keys[*by].text(one), keys[*by].text(other));

    return order != 0 ? order : (one > other) - (one < other);
}

int config_index_make(struct config *c)
{
    config_index_deinit(c);
    for (enum config_by by = 0; by < CONFIG_BYS; by++) {
        struct config_index *const x = calloc(1, sizeof *x);

        c->by[by] = x;
        if (x) {
            x->routes = reallocarray(NULL, c->n_routes + 1, sizeof(const struct config_route *));
        }
        if (!x || !x->routes) {
            return -ENOMEM;
        }
        for (size_t i = 0; i < c->n_routes; i++) {
            if (keys[by].text(&c->routes[i])) {
                x->routes[x->n++] = &c->routes[i];
            }
        }
        qsort_r(x->routes, x->n, sizeof *x->routes, config_index_compare, &by);
    }
    return 0;
}

void config_index_deinit(struct config *c)
{
    for (enum config_by by = 0; by < CONFIG_BYS; by++) {
        if (c->by[by]) {
            free(c->by[by]->routes);
            free(c->by[by]);
        }
        c->by[by] = NULL;
    }
}

static const struct config_route *config_index_find(const struct config *c, enum config_by by,
                                                    const char *text)
{
    const struct config_index *const x = c->by[by];
    size_t first = 0;
    size_t n = x->n;

    while (n > 0) {
        const size_t half = n / 2;

        if (keys[by].compare(keys[by].text(x->routes[first + half]), text) < 0) {
            first += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return first < x->n && keys[by].compare(keys[by].text(x->routes[first]), text) == 0
               ? x->routes[first]
               : NULL;
}

const struct config_route *config_route_find(const struct config *c, const char *name)
{
    return config_index_find(c, CONFIG_BY_NAME, name);
}

const struct config_route *config_route_at(const struct config *c, const char *listen)
{
    return config_index_find(c, CONFIG_BY_LISTEN, listen);
}

const struct config_route *config_route_tracing(const struct config *c, const char *trace_file)
{
    return config_index_find(c, CONFIG_BY_TRACE, trace_file);
}
