/* SPDX-License-Identifier: GPL-2.0-or-later */
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
#include "proxy/monitor/decision.h"
#include "proxy/monitor/control/control.h"
#include "proxy/monitor/monitor.h"
#include "proxy/monitor/tracing/tracing_file.h"
#include "proxy/monitor/tracing/tracing_parts.h"
#include "trace/decode/filter.h"

static const char *const state_names[] = {[TRACING_BEGINNING] = "beginning",
                                          [TRACING_RUNNING] = "running",
                                          [TRACING_ENDING] = "ending",
                                          [TRACING_ENDED] = "ended"};

const char *tracing_state_name(enum tracing_state s)
{
    return (unsigned)s <= TRACING_ENDED ? state_names[s] : "?";
}

/* ---- captures ---- */

static int tracing_capture_compare(const struct capture *a, const struct capture *b)
{
    return a->id < b->id ? -1 : a->id > b->id;
}

TREE_GENERATE(capture_tree, capture, link, tracing_capture_compare)

struct capture *tracing_find(const struct tracing *t, uint64_t id)
{
    struct capture key = {.id = id};

    return capture_tree_RB_FIND(&((struct tracing *)t)->captures, &key);
}

struct capture *tracing_behind(const struct tracing *t, uint64_t id)
{
    struct capture key = {.id = id + 1};

    return capture_tree_RB_NFIND(&((struct tracing *)t)->captures, &key);
}

static void tracing_capture_free(struct tracing *t, struct capture *c)
{
    (void)capture_tree_RB_REMOVE(&t->captures, c);
    tracing_group_leave(c);
    if (c->state == TRACING_ENDED) {
        TAILQ_REMOVE(&t->ended, c, group_link);
        t->n_ended--;
    } else {
        t->n_alive--;
    }
    audit_writer_forget(&t->monitor->audit_writer, &c->recorded);
    tracing_open_cancel(c);
    sock_close(&c->fd);
    free(c->path);
    free(c->how.filter);
    free(c);
}

/* Ended captures are remembered, up to TRACING_REMEMBERED. */
void tracing_set_ended(struct tracing *t, struct capture *c, uint32_t why)
{
    tracing_open_cancel(c);
    sock_close(&c->fd);
    tracing_group_leave(c);
    c->state = TRACING_ENDED;
    c->why = tracer_why_word(why);
    TAILQ_INSERT_TAIL(&t->ended, c, group_link);
    t->n_alive--;
    t->n_ended++;
    control_trace_ended(t->monitor->control, c->id);
    if (t->n_ended > TRACING_REMEMBERED) {
        tracing_capture_free(t, TAILQ_FIRST(&t->ended));
    }
}

static struct capture *tracing_capture_new(struct tracing *t, const struct tracing_request *r,
                                           struct route *route)
{
    struct capture *const c = calloc(1, sizeof *c);

    if (!c) {
        return NULL;
    }
    *c = (struct capture){.id = ++t->last_id,
                          .session = r->session,
                          .route = route,
                          .fd = -1,
                          .given = r->fd >= 0,
                          .how = r->how,
                          .tracing = t};
    c->path = strdup(r->path ? r->path : "");
    c->how.filter = strdup(r->how.filter ? r->how.filter : "");
    (void)capture_tree_RB_INSERT(&t->captures, c);
    t->n_alive++;
    if (!c->path || !c->how.filter) {
        tracing_capture_free(t, c);
        return NULL;
    }
    return c;
}

/* ---- beginning ---- */

static struct route *tracing_find_route(const struct monitor *m, const struct tracing_request *r)
{
    const struct monitor_session *t;

    if (!r->session) {
        return r->route ? monitor_route(m, r->route) : NULL;
    }
    t = monitor_session_find(m, r->session);
    return t && t->state >= SESSION_RECITING ? t->route : NULL;
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
static int tracing_check(const struct monitor *m, const struct tracing_request *r, char *why,
                         size_t n)
{
    const struct tracing *const t = m->tracing;
    struct filter *filter;

    if (!t || m->stopping) {
        return tracing_refuse(-ESHUTDOWN, why, n, "the broker is stopping");
    }
    if (!tracing_find_route(m, r)) {
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
        return tracing_refuse(-EBUSY, why, n, "another capture writes this file");
    }
    return 0;
}

static const char *tracing_file_hint(int err)
{
    switch (err) {
    case -ENXIO:
        return ": nobody reads this FIFO";
    case -ELOOP:
        return ": a symbolic link is not followed";
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
    struct monitor *const m = c->tracing->monitor;

    if (durable || m->config->on_audit_failure == CONFIG_AUDIT_TAINT) {
        tracing_begin(c);
        return;
    }
    log_error("capture %llu does not begin: that cannot be recorded", (unsigned long long)c->id);
    tracing_set_ended(c->tracing, c, TRACER_NOT_RECORDED);
}

int tracing_start(struct monitor *m, const struct tracing_request *r, uint64_t *id, char *why,
                  size_t n)
{
    int err = tracing_check(m, r, why, n);
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
        c = tracing_capture_new(m->tracing, r, tracing_find_route(m, r));
        err = c ? 0 : tracing_refuse(-ENOMEM, why, n, "out of memory");
    }
    if (err) {
        sock_close(&fd);
        return err;
    }
    c->fd = fd;
    *id = c->id;
    if (!audit_writer_on(&m->audit_writer)) {
        tracing_begin(c);
    } else if (!audit_writer_await(&m->audit_writer, "trace-started",
                                   tracing_started_record(c, r->by), &c->recorded,
                                   tracing_on_recorded, c)) {
        tracing_on_recorded(c, false);
    }
    return 0;
}

/* ---- the end, and the rest ---- */

int tracing_stop(struct monitor *m, uint64_t id)
{
    struct capture *const c = m->tracing ? tracing_find(m->tracing, id) : NULL;

    if (!c || c->state > TRACING_RUNNING) {
        return -ENOENT;
    }
    if (c->state == TRACING_BEGINNING) {
        audit_writer_forget(&m->audit_writer, &c->recorded);
        tracing_set_ended(m->tracing, c, TRACER_ASKED);
        return 0;
    }
    tracing_end(c, TRACER_ASKED);
    return 0;
}

int tracing_dump(struct monitor *m, uint64_t id)
{
    struct capture *const c = m->tracing ? tracing_find(m->tracing, id) : NULL;

    if (!c || c->state != TRACING_RUNNING) {
        return -ENOENT;
    }
    if (c->how.memory_mib == 0) {
        return -EINVAL;
    }
    tracing_say_of(c, TRACER_DUMP);
    return 0;
}

bool tracing_next(const struct monitor *m, uint64_t id, struct tracing_info *out)
{
    const struct capture *const c = m->tracing ? tracing_behind(m->tracing, id) : NULL;

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

/* Starts the configured captures. If one cannot begin, logs that, and the broker stops. */
static int tracing_start_configured(struct monitor *m)
{
    for (size_t i = 0; i < m->config->n_routes; i++) {
        const struct config_route *const r = &m->config->routes[i];
        const struct tracing_request request = {
            .route = r->name, .fd = -1, .path = r->trace_file, .how = r->trace};
        char shown[256];
        char why[256];
        uint64_t id;

        if (!r->trace_file) {
            continue;
        }
        const int err = tracing_start(m, &request, &id, why, sizeof why);

        if (err) {
            log_escape(shown, sizeof shown, r->trace_file, strlen(r->trace_file));
            log_line(LOG_ERROR, &(struct log_subject){.route = r->name}, "no trace to \"%s\": %s",
                     shown, why);
            return err;
        }
    }
    return 0;
}

int tracing_init(struct monitor *m)
{
    struct tracing *const t = calloc(1, sizeof *t);
    int err;

    if (!t) {
        return -ENOMEM;
    }
    m->tracing = t;
    t->monitor = m;
    RB_INIT(&t->captures);
    TAILQ_INIT(&t->ended);
    TAILQ_INIT(&t->stale);
    t->later = event_new(m->base, -1, 0, tracing_on_later, t);
    err = tracing_link_init(&t->link, m, tracing_on_link, t);
    if (!err && !t->later) {
        err = -ENOMEM;
    }
    if (!err) {
        err = tracing_start_configured(m);
    }
    /* No session may begin uncaptured, so the records must be on disk before clients come in. */
    if (!err) {
        audit_writer_settle(&m->audit_writer);
        tracing_on_later(-1, 0, t);
    }
    return err;
}

void tracing_deinit(struct monitor *m)
{
    struct tracing *const t = m->tracing;

    if (!t) {
        return;
    }
    while (RB_ROOT(&t->captures)) {
        tracing_capture_free(t, RB_ROOT(&t->captures));
    }
    tracing_link_deinit(&t->link);
    if (t->later) {
        event_free(t->later);
    }
    free(t);
    m->tracing = NULL;
}
