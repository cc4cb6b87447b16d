/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Changes over in two steps. The first makes all that can fail, and is undone if it does; the
 * second cannot fail, and is over within one turn of the loop: no client sees half of it.
 */
#include "proxy/monitor/reload/reload_apply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/members.h"
#include "base/sock.h"
#include "policy/inspector/inspector.h"
#include "proxy/config/config_difference.h"
#include "proxy/config/config_index.h"
#include "proxy/config/config_value.h"
#include "proxy/config/worker_pool_settings.h"
#include "proxy/monitor/facts/policy_record.h"
#include "proxy/monitor/inspection.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/config/nofile.h"
#include "proxy/monitor/reload/reload_spawn.h"
#include "proxy/monitor/repeats.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/takeover/takeover_keep.h"
#include "proxy/monitor/tracing/tracing.h"
#include "proxy/monitor/workers/worker_pool.h"
#include "proxy/monitor/workers/worker_pool_limits.h"

/* Inspectors that handshakes still use; each is a process. */
#define INSPECTORS_MAX 4u

/* One route of the new configuration. */
struct reload_route {
    const struct config_route *config;
    struct route *route; /* its object: an existing one, or */
    bool is_new;         /* ... made for it */
    struct listener *listener;
    struct spawn *spawn;            /* new devices, or NULL */
    struct reload_retired *retired; /* room for the devices that they replace, or NULL */
};

struct reload_plan {
    struct generation *generation;
    struct reload_route *routes;
    size_t n;
    struct reload_retired **gone; /* room for the devices of each route that is gone */
    size_t n_gone;
    struct inspector *inspector;
    bool inspector_is_new;
    struct reload_inspector *old_inspector; /* room for the one that it replaces, or NULL */
    int settings_fd;
};

/* ---- what can fail ---- */

/* Returns the listener at this path, open or new. */
static struct listener *reload_apply_find_listener(const struct reload *r, const char *path)
{
    for (const struct route *each = route_from(r->subject.routes, 0); each;
         each = route_next(r->subject.routes, each)) {
        if (each->listener && value_same_path(each->listener->path, path)) {
            return each->listener;
        }
    }
    return NULL;
}

static int reload_apply_plan_listener(const struct reload *r, struct reload_route *p,
                                      struct listener *fresh)
{
    if (fresh) {
        p->listener = fresh;
        return listener_prepare(fresh, r->subject.context->base, r->subject.context->store,
                                r->subject.accept, r->subject.sessions);
    }
    p->listener = p->route->listener && value_same_path(p->route->listener->path, p->config->listen)
                      ? p->route->listener
                      : reload_apply_find_listener(r, p->config->listen);
    return p->listener ? 0 : -EBADFD;
}

static int reload_apply_plan_route(const struct reload *r, struct reload_plan *plan,
                                   struct reload_route *p, struct listener *fresh)
{
    int err;

    p->route = route_find(r->subject.routes, p->config->name);
    if (!p->route) {
        p->route = route_new(r->subject.routes, plan->generation, p->config);
        p->is_new = p->route != NULL;
    }
    if (!p->route) {
        return -ENOMEM;
    }
    err = reload_apply_plan_listener(r, p, fresh);
    if (err || reload_spawn_stays(p->route, p->config)) {
        return err;
    }
    if (p->route->spawn) {
        p->retired = calloc(1, sizeof *p->retired);
        if (!p->retired) {
            return -ENOMEM;
        }
    }
    return p->config->spawn ? spawn_new(&p->spawn, &r->subject.host, p->config) : 0;
}

/* Returns true if the route will be gone. */
static bool reload_apply_goes(const struct route *route, const struct config *config)
{
    return !config_route_find(config, route->config->name);
}

static int reload_apply_plan_gone(const struct reload *r, struct reload_plan *plan)
{
    plan->gone = calloc(r->subject.routes->n + 1, sizeof *plan->gone);
    for (const struct route *each = route_from(r->subject.routes, 0); plan->gone && each;
         each = route_next(r->subject.routes, each)) {
        if (each->spawn && reload_apply_goes(each, plan->generation->config)) {
            plan->gone[plan->n_gone] = calloc(1, sizeof **plan->gone);
            if (!plan->gone[plan->n_gone]) {
                return -ENOMEM;
            }
            plan->n_gone++;
        }
    }
    return plan->gone ? 0 : -ENOMEM;
}

static int reload_apply_plan_inspector(const struct reload *r, struct reload_plan *plan)
{
    struct monitor_context *const context = r->subject.context;
    int err;

    plan->inspector = context->inspector;
    if (context->inspector && inspection_same(context->config, plan->generation->config)) {
        return 0;
    }
    err = inspection_start(&plan->inspector, context, plan->generation->config);
    plan->inspector_is_new = true;
    if (!err && context->inspector) {
        plan->old_inspector = calloc(1, sizeof *plan->old_inspector);
        err = plan->old_inspector ? 0 : -ENOMEM;
    }
    return err;
}

static int reload_apply_plan(const struct reload *r, struct reload_plan *plan,
                             const struct reload_job *j)
{
    const struct config *const c = plan->generation->config;
    int err;

    plan->routes = calloc(c->n_routes + 1, sizeof *plan->routes);
    if (!plan->routes) {
        return -ENOMEM;
    }
    plan->settings_fd = worker_pool_settings_write(c, &c->poem.poem, r->subject.context->monitors);
    err = plan->settings_fd < 0 ? plan->settings_fd : 0;
    for (; !err && plan->n < c->n_routes; plan->n++) {
        plan->routes[plan->n].config = &c->routes[plan->n];
        err = reload_apply_plan_route(r, plan, &plan->routes[plan->n], j->listeners[plan->n]);
    }
    if (!err) {
        err = reload_apply_plan_gone(r, plan);
    }
    return err ? err : reload_apply_plan_inspector(r, plan);
}

/* Frees the plan; of one that was not carried out, also what it has made. */
static void reload_apply_plan_free(struct reload *r, struct reload_plan *plan, bool done)
{
    for (size_t i = 0; !done && i < plan->n; i++) {
        struct reload_route *const p = &plan->routes[i];

        spawn_free(p->spawn);
        free(p->retired);
        if (p->is_new) {
            route_free(r->subject.routes, p->route);
        }
    }
    for (size_t i = 0; !done && i < plan->n_gone; i++) {
        free(plan->gone[i]);
    }
    if (!done && plan->inspector_is_new) {
        inspector_free(plan->inspector);
    }
    if (!done) {
        free(plan->old_inspector);
        sock_close(&plan->settings_fd);
    }
    free(plan->gone);
    free(plan->routes);
    generation_release(plan->generation);
}

/* ---- what cannot ---- */

static void reload_apply_gone(struct reload *r, const struct reload_plan *plan)
{
    size_t n = 0;

    for (struct route *each = route_from(r->subject.routes, 0); each;
         each = route_next(r->subject.routes, each)) {
        if (!reload_apply_goes(each, plan->generation->config)) {
            continue;
        }
        each->gone = true;
        reload_spawn_retire(r, each, each->spawn ? plan->gone[n++] : NULL);
        tracing_route_gone(r->subject.tracing, each);
    }
}

/* Gives the listeners to their routes; those that no route wants any more are closed. */
static void reload_apply_listeners(const struct reload *r, const struct reload_plan *plan)
{
    for (size_t i = 0; i < plan->n; i++) {
        struct route *const owner = plan->routes[i].listener->route;

        if (owner) {
            owner->listener = NULL;
        }
    }
    for (struct route *each = route_from(r->subject.routes, 0); each;
         each = route_next(r->subject.routes, each)) {
        route_close(each);
    }
    for (size_t i = 0; i < plan->n; i++) {
        struct reload_route *const p = &plan->routes[i];

        p->route->listener = p->listener;
        listener_serve(p->listener, p->route, p->config->name);
    }
}

static void reload_apply_route(struct reload *r, const struct reload_plan *plan,
                               struct reload_route *p)
{
    const bool traced =
        p->is_new || p->route->gone || config_difference_in(p->route->config, p->config, "trace");
    struct spawn *const before = p->route->spawn;

    p->route->gone = false;
    reload_spawn_retire(r, p->route, p->retired);
    if (p->is_new) {
        route_add(r->subject.routes, p->route);
    } else {
        if (p->route->spawn) {
            spawn_change(p->route->spawn, p->config);
        }
        route_change(p->route, plan->generation, p->config);
    }
    if (p->spawn) {
        p->route->spawn = p->spawn;
        spawn_start(p->spawn, before);
    }
    if (traced) {
        tracing_reconfigure(r->subject.tracing, p->route);
    }
}

static void reload_apply_inspector(struct reload *r, const struct reload_plan *plan)
{
    struct monitor_context *const context = r->subject.context;

    if (plan->old_inspector) {
        *plan->old_inspector = (struct reload_inspector){.inspector = context->inspector,
                                                         .last = r->subject.sessions->last};
        SLIST_INSERT_HEAD(&r->inspectors, plan->old_inspector, link);
        r->n_inspectors++;
    }
    context->inspector = plan->inspector;
    plan->generation->inspector = plan->inspector;
}

/* Records the change, and the new text before it if that is another one. */
static void reload_apply_record(const struct reload *r, const struct generation *old,
                                const struct generation *g)
{
    struct audit_writer *const w = &r->subject.context->audit_writer;
    json_t *const by = r->request.folders  ? json_string("folders")
                       : r->request.signal ? json_string("SIGHUP")
                                           : json_pack("{s:i,s:i}", "uid", (int)r->request.uid,
                                                       "pid", (int)r->request.pid);

    if (!audit_writer_on(w)) {
        json_decref(by);
        return;
    }
    if (strcmp(old->digest, g->digest) != 0) {
        policy_record_write(w, g->config);
    }
    (void)audit_writer_note(w, "reloaded",
                            members_object((const struct member[]){
                                {"old", members_text(*old->digest ? old->digest : NULL)},
                                {"new", members_text(*g->digest ? g->digest : NULL)},
                                {"by", by},
                                {NULL, NULL}}));
}

static void reload_apply_carry_out(struct reload *r, struct reload_plan *plan)
{
    struct monitor_context *const context = r->subject.context;
    struct generation *const old = context->generation;

    repeats_flush(r->subject.repeats);
    reload_apply_record(r, old, plan->generation);
    context->generation = generation_hold(plan->generation);
    context->config = plan->generation->config;
    takeover_keep_generation(context);
    log_level_set(context->config->log_level);
    nofile_raise(context->config);
    worker_pool_limits_change_take(r->subject.workers, plan->settings_fd);
    reload_apply_gone(r, plan);
    reload_apply_listeners(r, plan);
    for (size_t i = 0; i < plan->n; i++) {
        reload_apply_route(r, plan, &plan->routes[i]);
    }
    reload_apply_inspector(r, plan);
    generation_release(old);
}

const char *reload_apply(struct reload *r, struct reload_job *j, char *text, size_t size)
{
    const struct monitor_context *const context = r->subject.context;
    struct reload_plan plan = {.settings_fd = -1};
    int err;

    if (context->audit_writer.failing && context->config->on_audit_failure == CONFIG_AUDIT_REFUSE) {
        return "the audit log cannot be written, so the change would not be recorded";
    }
    if (r->n_inspectors >= INSPECTORS_MAX) {
        return "handshakes still use the keys of earlier reloads; try again";
    }
    plan.generation = generation_new_take(j->config);
    if (!plan.generation) {
        return "out of memory";
    }
    j->config = NULL;
    err = reload_apply_plan(r, &plan, j);
    if (!err) {
        reload_apply_carry_out(r, &plan);
        /* The routes have the new ones now. */
        j->n_listeners = 0;
    }
    reload_apply_plan_free(r, &plan, !err);
    if (err) {
        snprintf(text, size, "%s", strerror(-err));
        return text;
    }
    return NULL;
}

/* ---- afterwards ---- */

/* Returns true if a session up to this number has not been decided. */
static bool reload_apply_deciding(const struct reload *r, uint64_t last)
{
    const struct monitor_session *t;

    for (int state = SESSION_ACCEPTED; state <= SESSION_DECIDING; state++) {
        TAILQ_FOREACH(t, &r->subject.sessions->states[state], link)
        {
            if (t->id <= last) {
                return true;
            }
        }
    }
    return false;
}

static void reload_apply_drop_inspector(struct reload *r, struct reload_inspector *i)
{
    SLIST_REMOVE(&r->inspectors, i, reload_inspector, link);
    r->n_inspectors--;
    inspector_free(i->inspector);
    free(i);
}

static void reload_apply_reap_inspectors(struct reload *r, bool over)
{
    struct reload_inspector *each;
    struct reload_inspector *next;

    SLIST_FOREACH_SAFE(each, &r->inspectors, link, next)
    {
        if (over || !reload_apply_deciding(r, each->last)) {
            reload_apply_drop_inspector(r, each);
        }
    }
}

static void reload_apply_reap_routes(struct reload *r)
{
    struct route *each = route_from(r->subject.routes, 0);

    while (each) {
        const unsigned number = each->number;

        if (each->gone && each->users == 0 && each->lingering == 0) {
            route_free(r->subject.routes, each);
        }
        each = route_from(r->subject.routes, number + 1);
    }
}

void reload_apply_reap(struct reload *r, bool over)
{
    reload_apply_reap_inspectors(r, over);
    reload_spawn_reap(r, over);
    if (!over) {
        reload_apply_reap_routes(r);
    }
}
