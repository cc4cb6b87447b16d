/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The monitor's routes, by number and by name. */
#define _GNU_SOURCE
#include "proxy/monitor/routes/route.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/unconst.h"

static int route_compare_numbers(const struct route *a, const struct route *b)
{
    return a->number < b->number ? -1 : a->number > b->number;
}

static int route_compare_names(const struct route *a, const struct route *b)
{
    return strcmp(a->config->name, b->config->name);
}

TREE_GENERATE(route_numbers, route, number_link, route_compare_numbers)
TREE_GENERATE(route_names, route, name_link, route_compare_names)

static void route_log_cannot_listen(const struct config_route *config, int err)
{
    const struct log_subject about = {.route = config->name};
    char path[256];

    log_escape(path, sizeof path, config->listen, strlen(config->listen));
    log_line(LOG_ERROR, &about, "cannot listen on \"%s\": %s%s", path, strerror(-err),
             listener_hint(err));
}

void route_close(struct route *r)
{
    listener_close(r->listener);
    r->listener = NULL;
}

void route_count_refusal(struct route *r, int err)
{
    for (unsigned i = 0; i < ROUTE_ERRNOS; i++) {
        struct route_refusal *const of = &r->refusals[i];

        if (of->err == 0 || of->err == err) {
            of->err = err;
            of->times++;
            return;
        }
    }
}

void route_log_refusal(struct route *r, int err)
{
    const struct log_subject about = {.route = r->config->name, .leg = "client"};
    const uint64_t now = clock_ms();

    route_count_refusal(r, err);
    r->refused++;
    if (r->refused_logged_ms && now - r->refused_logged_ms < 1000) {
        return;
    }
    log_line(LOG_WARNING, &about, "refused %llu: %s; %u of %u sessions are in use%s",
             (unsigned long long)r->refused, strerror(err), r->sessions, r->config->sessions,
             r->lingering ? "; peers of ended sessions have not received all fds" : "");
    r->refused = 0;
    r->refused_logged_ms = now;
}

unsigned route_refusal_ms(const struct route *r)
{
    const unsigned ms = r->config->handshake_ms;

    return ms > LIMIT_HANDSHAKE_MS ? ms : LIMIT_HANDSHAKE_MS;
}

/* ---- one route ---- */

struct route *route_new(struct route_table *table, struct generation *g,
                        const struct config_route *config)
{
    struct route *const r = calloc(1, sizeof *r);
    bool bad = false;

    if (!r) {
        return NULL;
    }
    r->config = config;
    TAILQ_INIT(&r->monitor_sessions);
    if (getrandom(&r->self, sizeof r->self, 0) != sizeof r->self) {
        free(r);
        return NULL;
    }
    r->generation = generation_hold(g);
    r->number = table->next++;
    OBSERVERS_NOTIFY(&table->observers, begun, r, &bad);
    if (bad) {
        route_free(table, r);
        return NULL;
    }
    return r;
}

void route_add(struct route_table *table, struct route *r)
{
    (void)route_numbers_RB_INSERT(&table->by_number, r);
    (void)route_names_RB_INSERT(&table->by_name, r);
    table->n++;
}

void route_free(struct route_table *table, struct route *r)
{
    if (route_numbers_RB_FIND(&table->by_number, r) == r) {
        (void)route_numbers_RB_REMOVE(&table->by_number, r);
        (void)route_names_RB_REMOVE(&table->by_name, r);
        table->n--;
    }
    OBSERVERS_NOTIFY(&table->observers, ended, r);
    route_close(r);
    generation_release(r->generation);
    free(r);
}

void route_change(struct route *r, struct generation *g, const struct config_route *config)
{
    struct generation *const old = r->generation;

    r->generation = generation_hold(g);
    /* The name is the same, so the tree by name stays in order. */
    r->config = config;
    generation_release(old);
}

/* ---- all of them ---- */

/* Adds a route that listens. Returns 0 or -errno (logged). */
static int route_table_open_one(struct route_table *table, struct event_base *base,
                                struct generation *g, const struct config_route *config,
                                listener_accept_fn *accept, void *arg)
{
    struct route *const r = route_new(table, g, config);
    int err;

    if (!r) {
        return -ENOMEM;
    }
    route_add(table, r);
    err = listener_activate(&r->listener, table->store, config);
    if (err == -ENOENT) {
        err = listener_inherit(&r->listener, table->store, config->listen);
    }
    if (err == -ENOENT) {
        err = listener_open(&r->listener, config);
    }
    if (!err) {
        err = listener_prepare(r->listener, base, table->store, accept, arg);
    }
    if (err) {
        route_log_cannot_listen(config, err);
        return err;
    }
    listener_serve(r->listener, r, config->name);
    return 0;
}

int route_table_open(struct route_table *table, struct event_base *base, struct generation *g,
                     listener_accept_fn *accept, void *arg)
{
    int err = 0;

    RB_INIT(&table->by_number);
    RB_INIT(&table->by_name);
    for (size_t i = 0; !err && i < g->config->n_routes; i++) {
        err = route_table_open_one(table, base, g, &g->config->routes[i], accept, arg);
    }
    return err;
}

void route_table_free(struct route_table *table)
{
    struct route *r;

    while ((r = RB_ROOT(&table->by_number))) {
        route_free(table, r);
    }
}

bool route_table_observe(struct route_table *table, const struct route_events *events, void *arg)
{
    struct route *r;
    bool bad = false;

    OBSERVERS_ADD(&table->observers, events, arg);
    for (r = route_from(table, 0); r; r = route_from(table, r->number + 1)) {
        events->begun(arg, r, &bad);
    }
    return !bad;
}

struct route *route_find(const struct route_table *table, const char *name)
{
    struct config_route named = {.name = unconst_pointer(name)};
    struct route key = {.config = &named};

    return route_names_RB_FIND(unconst_pointer(&table->by_name), &key);
}

struct route *route_from(const struct route_table *table, unsigned number)
{
    struct route key = {.number = number};

    return route_numbers_RB_NFIND(unconst_pointer(&table->by_number), &key);
}

struct route *route_next(const struct route_table *table, const struct route *r)
{
    return route_from(table, r->number + 1);
}
