/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Captures as the monitor knows them. Everything that is sent to the tracer is kept here, so that a
 * new tracer can be sent all of it again.
 */
#define _GNU_SOURCE
#include "proxy/monitor/tracing/tracing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sock.h"
#include "proxy/config/config_value.h"
#include "proxy/monitor/keep/state_file.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/tracing/tracing_file.h"
#include "proxy/monitor/tracing/tracing_group.h"
#include "proxy/monitor/tracing/tracing_keep.h"
#include "proxy/monitor/tracing/tracing_list.h"
#include "proxy/monitor/tracing/tracing_run.h"
#include "trace/decode/filter.h"

static const char *const state_names[] = {[TRACING_BEGINNING] = "beginning",
                                          [TRACING_RUNNING] = "running",
                                          [TRACING_ENDING] = "ending",
                                          [TRACING_ENDED] = "ended"};

const char *tracing_state_name(enum tracing_state s)
{
    return (unsigned)s <= TRACING_ENDED ? state_names[s] : "?";
}

/* ---- starting ---- */

static struct route *tracing_find_route(const struct tracing *t, const struct tracing_request *r)
{
    const struct monitor_session *session;

    if (!r->session) {
        return r->route ? route_find(t->routes, r->route) : NULL;
    }
    session = monitor_session_find(t->sessions, r->session);
    return session && session->state >= SESSION_RECITING ? session->route : NULL;
}

static bool tracing_is_taken(const struct tracing *t, const char *path)
{
    const struct capture *c;

    for (c = tracing_behind(t, 0); c; c = tracing_behind(t, c->id)) {
        if (c->state != TRACING_ENDED && *c->path && value_same_path(c->path, path)) {
            return true;
        }
    }
    return false;
}

static int tracing_refuse(int err, char *why, size_t n, const char *text)
{
    snprintf(why, n, "%s", text);
    return err;
}

/* Checks a request before anything is done. Returns 0 or -errno. */
static int tracing_check(const struct tracing *t, const struct tracing_request *r, char *why,
                         size_t n)
{
    struct filter *filter;

    if (t->context->stopping) {
        return tracing_refuse(-ESHUTDOWN, why, n, "the broker is stopping");
    }
    if (!tracing_find_route(t, r)) {
        return tracing_refuse(-ENOENT, why, n, r->session ? "no such session" : "no such route");
    }
    if (t->n_alive >= TRACING_MAX) {
        return tracing_refuse(-ENOSPC, why, n, "too many captures");
    }
    filter = filter_new(r->how.filter ? r->how.filter : "", why, n);
    if (!filter) {
        return -EINVAL;
    }
    filter_free(filter);
    if (r->fd < 0 && tracing_is_taken(t, r->path)) {
        return tracing_refuse(-EBUSY, why, n, "another capture writes to this file");
    }
    return 0;
}

static const char *tracing_file_hint(int err)
{
    switch (err) {
    case -ENXIO:
        return ": no process reads this FIFO";
    case -ELOOP:
        return ": symbolic links are not followed";
    case -ENOENT:
        return ": its folder is missing";
    default:
        return "";
    }
}

static json_t *tracing_started_record(const struct capture *c, json_t *by)
{
    json_t *const o = json_object();
    int bad = !o;

    bad = bad || json_object_set_new(o, "file", audit_text(c->path, strlen(c->path)));
    bad = bad || (by ? json_object_set(o, "by", by)
                     : json_object_set_new(o, "by", json_string("configuration")));
    bad = bad || json_object_set_new(o, "route", json_string(c->route->config->name));
    if (c->session) {
        bad = bad || json_object_set_new(o, "session", json_integer((json_int_t)c->session));
    }
    if (*c->how.filter) {
        bad = bad || json_object_set_new(o, "filter", json_string(c->how.filter));
    }
    if (bad) {
        json_decref(o);
        return NULL;
    }
    return o;
}

static void tracing_on_recorded(void *arg, bool durable)
{
    struct capture *const c = arg;
    if (durable || c->tracing->context->config->on_audit_failure == CONFIG_AUDIT_TAINT) {
        tracing_begin(c);
        return;
    }
    log_error("capture %llu does not begin: its audit record cannot be written",
              (unsigned long long)c->id);
    tracing_set_ended(c->tracing, c, TRACER_NOT_RECORDED);
}

int tracing_start(struct tracing *t, const struct tracing_request *r, uint64_t *id, char *why,
                  size_t n)
{
    int err = tracing_check(t, r, why, n);
    int fd = r->fd;
    struct capture *c = NULL;

    if (!err && fd < 0 && r->how.memory_mib == 0) {
        fd = tracing_file_open(r->path, r->how.keep);
        err = fd < 0 ? fd : 0;
        if (err) {
            snprintf(why, n, "%s%s", strerror(-err), tracing_file_hint(err));
        }
    }
    if (!err) {
        c = tracing_list_add(t, r, tracing_find_route(t, r), ++t->last_id);
        err = c ? 0 : tracing_refuse(-ENOMEM, why, n, "out of memory");
    }
    if (err) {
        sock_close(&fd);
        return err;
    }
    c->fd = fd;
    *id = c->id;
    tracing_keep_last(t);
    if (!audit_writer_on(&t->context->audit_writer)) {
        tracing_begin(c);
    } else if (!audit_writer_await(&t->context->audit_writer, "trace-started",
                                   tracing_started_record(c, r->by), &c->recorded,
                                   tracing_on_recorded, c)) {
        tracing_on_recorded(c, false);
    }
    return 0;
}

/* ---- the end, and the rest ---- */

int tracing_stop(struct tracing *t, uint64_t id)
{
    struct capture *const c = tracing_find(t, id);

    if (!c || c->state > TRACING_RUNNING) {
        return -ENOENT;
    }
    if (c->state == TRACING_BEGINNING) {
        audit_writer_forget(&t->context->audit_writer, &c->recorded);
        tracing_set_ended(t, c, TRACER_ASKED);
        return 0;
    }
    tracing_end(c, TRACER_ASKED);
    return 0;
}

int tracing_dump(struct tracing *t, uint64_t id)
{
    struct capture *const c = tracing_find(t, id);

    if (!c || c->state != TRACING_RUNNING) {
        return -ENOENT;
    }
    if (c->how.memory_mib == 0) {
        return -EINVAL;
    }
    tracing_say_of(c, TRACER_DUMP);
    return 0;
}

bool tracing_next(const struct tracing *t, uint64_t id, struct tracing_info *out)
{
    const struct capture *const c = tracing_behind(t, id);

    if (!c) {
        return false;
    }
    *out = (struct tracing_info){.id = c->id,
                                 .session = c->session,
                                 .route = c->route->config->name,
                                 .file = c->path,
                                 .filter = c->how.filter,
                                 .state = c->state,
                                 .why = c->why ? c->why : "",
                                 .messages = c->before.messages + c->counts.messages,
                                 .lost = c->before.lost + c->counts.lost,
                                 .bytes = c->before.bytes + c->counts.bytes,
                                 .files = c->before.files + c->counts.files,
                                 .sessions = tracing_sessions(c),
                                 .how = &c->how};
    return true;
}

void tracing_sum(const struct tracing *t, struct tracing_totals *out)
{
    *out = t->forgotten;
    for (const struct capture *c = tracing_behind(t, 0); c; c = tracing_behind(t, c->id)) {
        out->running += c->state == TRACING_RUNNING;
        tracing_list_count(c, out);
    }
}

/* Starts a route's configured capture, if it has one. Returns 0 or -errno (logged). */
static int tracing_start_configured(struct tracing *t, const struct config_route *r)
{
    const struct tracing_request request = {
        .route = r->name, .fd = -1, .path = r->trace_file, .how = r->trace};
    char shown[256];
    char why[256];
    uint64_t id;
    int err;

    if (!r->trace_file) {
        return 0;
    }
    err = tracing_start(t, &request, &id, why, sizeof why);
    if (err) {
        log_escape(shown, sizeof shown, r->trace_file, strlen(r->trace_file));
        log_line(LOG_ERROR, &(struct log_subject){.route = r->name}, "cannot capture to \"%s\": %s",
                 shown, why);
    }
    return err;
}

/* Starts all of them. If one cannot begin, the broker stops. */
static int tracing_start_all(struct tracing *t)
{
    int err = 0;

    for (const struct route *r = route_from(t->routes, 0); !err && r;
         r = route_next(t->routes, r)) {
        err = tracing_start_configured(t, r->config);
    }
    return err;
}

/* Ends the route's captures: the configured one, or all. */
static void tracing_end_route(struct tracing *t, const struct route *r, bool all)
{
    const struct capture *c = tracing_behind(t, 0);

    while (c) {
        const uint64_t id = c->id;

        if (c->route == r && c->state <= TRACING_RUNNING && (all || c->configured) &&
            tracing_stop(t, id) < 0) {
            log_debug("capture %llu has ended by itself", (unsigned long long)id);
        }
        c = tracing_behind(t, id);
    }
}

void tracing_reconfigure(struct tracing *t, struct route *r)
{
    tracing_end_route(t, r, false);
    (void)tracing_start_configured(t, r->config);
}

void tracing_route_gone(struct tracing *t, const struct route *r)
{
    tracing_end_route(t, r, true);
}

/* Goes on with the tracer of an earlier monitor, if it lives, and with its numbers. */
static void tracing_adopt(struct tracing *t)
{
    struct state_file *const state = t->context->state;

    t->last_id = state ? state_file_head(state)->last_capture : 0;
    t->inherited = t->last_id;
    t->adopted = tracing_link_adopt(&t->link);
}

int tracing_new(struct tracing **out, struct route_table *routes,
                struct monitor_session_table *sessions)
{
    static const struct route_events of_routes = {.begun = tracing_group_route_begun,
                                                  .ended = tracing_group_route_ended};
    struct monitor_context *const context = sessions->context;
    struct tracing *const t = calloc(1, sizeof *t);
    int err;

    *out = t;
    if (!t) {
        return -ENOMEM;
    }
    t->context = context;
    t->routes = routes;
    t->sessions = sessions;
    RB_INIT(&t->captures);
    TAILQ_INIT(&t->ended);
    TAILQ_INIT(&t->stale);
    t->later = event_new(context->base, -1, 0, tracing_on_later, t);
    err = tracing_link_init(&t->link, context, &sessions->alive, tracing_on_link, t);
    if (!err && !t->later) {
        err = -ENOMEM;
    }
    if (!err && !route_table_observe(routes, &of_routes, t)) {
        err = -ENOMEM;
    }
    if (!err) {
        tracing_run_observe(t);
        tracing_adopt(t);
        err = tracing_start_all(t);
    }
    /* No session may begin uncaptured, so the records must be on disk before clients come in. */
    if (!err) {
        audit_writer_settle(&context->audit_writer);
        tracing_on_later(-1, 0, t);
    }
    return err;
}

void tracing_free(struct tracing *t)
{
    if (!t) {
        return;
    }
    while (RB_ROOT(&t->captures)) {
        tracing_list_remove(t, RB_ROOT(&t->captures));
    }
    tracing_link_deinit(&t->link);
    if (t->later) {
        event_free(t->later);
    }
    free(t);
}

void tracing_on_ended(struct tracing *t, tracing_ended_fn *fn, void *arg)
{
    t->on_ended = fn;
    t->on_ended_arg = arg;
}

void tracing_quit(struct tracing *t)
{
    tracing_link_quit(&t->link);
}

pid_t tracing_pid(const struct tracing *t)
{
    return t->link.pid;
}

void tracing_beat(struct tracing *t)
{
    tracing_link_beat(&t->link);
}
