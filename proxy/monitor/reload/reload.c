/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The steps of a reload, one after the other; one reload at a time. */
#include "proxy/ipc/fdstore.h"
#include "proxy/monitor/reload/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "proxy/config/config_where.h"
#include "proxy/config/options.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/reload/reload_answer.h"
#include "proxy/monitor/reload/reload_apply.h"
#include "proxy/monitor/reload/reload_job.h"
#include "proxy/monitor/reload/reload_spawn.h"
#include "proxy/monitor/reload/reload_try.h"

/* ---- the end ---- */

static void reload_over(struct reload *r)
{
    json_t *const parts = r->parts;
    reload_done_fn *const done = r->done;

    event_del(r->patience);
    event_del(r->step);
    generation_release(r->tried);
    if (!r->request.dry_run) {
        fdstore_reloaded(r->subject.context->store);
    }
    r->tried = NULL;
    r->parts = NULL;
    r->done = NULL;
    done(r->arg, parts);
}

/* Nothing has changed. */
static void reload_failed(struct reload *r, const char *why)
{
    log_error("not reloaded: %s; the configuration stays as it was", why);
    reload_answer_begin(r, "failed", why, r->subject.context->generation, "");
    reload_over(r);
}

static void reload_unread(struct reload *r, int err)
{
    const char *const file = options_file(r->subject.options);
    char shown[512];
    char why[640];

    snprintf(why, sizeof why, "cannot read \"%s\": %s",
             log_escape(shown, sizeof shown, file, strlen(file)), strerror(err));
    reload_failed(r, why);
}

static void reload_log_errors(const struct reload *r, const struct reload_job *j)
{
    const char *const file = options_file(r->subject.options);
    char shown[512];

    log_escape(shown, sizeof shown, file, strlen(file));
    for (size_t i = 0; i < j->errors.n; i++) {
        const struct config_error *const e = &j->errors.error[i];
        char included[512];
        char at[32] = "";

        if (e->at.line) {
            snprintf(at, sizeof at, ":%u:%u", config_where_line(e->at.line), e->at.column);
        }
        log_escape(included, sizeof included, e->file, strlen(e->file));
        log_error("%s%s: %s%s%s", *e->file ? included : shown, at, e->text, *e->hint ? "; " : "",
                  e->hint);
    }
    log_error("not reloaded: %zu error%s in %s; the configuration stays as it was", j->errors.total,
              j->errors.total == 1 ? "" : "s", shown);
}

static void reload_wrong(struct reload *r, const struct reload_job *j)
{
    if (!r->request.dry_run) {
        reload_log_errors(r, j);
    }
    reload_answer_begin(r, "wrong", NULL, r->subject.context->generation, "");
    reload_answer_faults(r, j);
    reload_over(r);
}

/* ---- trying ---- */

static void reload_on_step(evutil_socket_t fd, short what, void *arg)
{
    const struct timeval pause = clock_timeval(LIMIT_RELOAD_LOOK_MS);
    struct reload *const r = arg;

    (void)fd;
    (void)what;
    switch (reload_try_some(r)) {
    case RELOAD_TRY_MORE:
        event_active(r->step, 0, 0);
        return;
    case RELOAD_TRY_WAIT:
        event_add(r->step, &pause);
        return;
    case RELOAD_TRY_DONE:
        break;
    }
    if (r->request.end_denied && r->n_denied > 0) {
        log_warning("reloaded: %u running session%s denied by the new rules end%s", r->n_denied,
                    r->n_denied == 1 ? "" : "s", r->n_denied == 1 ? "s" : "");
    }
    reload_over(r);
}

/* Tries the rules of g on the sessions that run. */
static void reload_try(struct reload *r, struct generation *g)
{
    r->tried = generation_hold(g);
    r->tried_upto = 0;
    r->tried_since_ms = clock_ms();
    r->n_denied = 0;
    event_active(r->step, 0, 0);
}

/* ---- read ---- */

static void reload_log_warnings(const struct reload_job *j)
{
    const json_t *text;
    size_t i;

    json_array_foreach(j->warnings, i, text)
    {
        log_warning("%s", json_string_value(text));
    }
}

static void reload_log_done(const struct reload *r)
{
    const struct config *const c = r->subject.context->config;

    if (r->request.folders) {
        log_info("reloaded, since folders have come or gone: %zu route%s", c->n_routes,
                 c->n_routes == 1 ? "" : "s");
    } else if (r->request.signal) {
        log_info("reloaded on SIGHUP: %zu route%s", c->n_routes, c->n_routes == 1 ? "" : "s");
    } else {
        log_info("reloaded on request of uid=%u pid=%d: %zu route%s", (unsigned)r->request.uid,
                 (int)r->request.pid, c->n_routes, c->n_routes == 1 ? "" : "s");
    }
}

static void reload_carry_out(struct reload *r, struct reload_job *j)
{
    char text[128];
    const char *why;

    why = reload_apply(r, j, text, sizeof text);
    if (why) {
        reload_failed(r, why);
        return;
    }
    reload_log_warnings(j);
    reload_log_done(r);
    reload_answer_begin(r, "reloaded", NULL, j->running, r->subject.context->generation->digest);
    reload_answer_faults(r, j);
    reload_answer_differences(r, j->running->config, r->subject.context->config);
    if (r->request.end_denied) {
        reload_try(r, r->subject.context->generation);
    } else {
        reload_over(r);
    }
}

static void reload_show(struct reload *r, struct reload_job *j)
{
    struct generation *const g = generation_new_take(j->config);

    if (!g) {
        reload_failed(r, "out of memory");
        return;
    }
    j->config = NULL;
    reload_answer_begin(r, "would reload", NULL, j->running, g->digest);
    reload_answer_faults(r, j);
    reload_answer_differences(r, j->running->config, g->config);
    reload_try(r, g);
    generation_release(g);
}

/* Returns true if the text is the one in force. */
static bool reload_is_same(const struct reload_job *j)
{
    return memcmp(j->config->digest, j->running->config->digest, sizeof j->config->digest) == 0;
}

static void reload_on_read(struct offload_job *job)
{
    struct reload_job *const j = (struct reload_job *)job;
    struct reload *const r = j->reload;

    r->job = NULL;
    event_del(r->patience);
    if (r->subject.context->stopping || r->subject.context->draining) {
        reload_failed(r, "poemd is stopping");
    } else if (j->err == -EINVAL) {
        reload_wrong(r, j);
    } else if (j->err) {
        reload_unread(r, -j->err);
    } else if (r->request.folders && reload_is_same(j)) {
        reload_over(r);
    } else if (r->request.dry_run) {
        reload_show(r, j);
    } else {
        reload_carry_out(r, j);
    }
    reload_job_free(j);
}

/* A job that was given up has returned. */
static void reload_on_dropped(struct offload_job *job)
{
    struct reload_job *const j = (struct reload_job *)job;

    j->reload->blocked = false;
    reload_job_free(j);
}

static void reload_on_patience(evutil_socket_t fd, short what, void *arg)
{
    struct reload *const r = arg;
    struct reload_job *const j = r->job;

    (void)fd;
    (void)what;
    r->job = NULL;
    r->blocked = true;
    offload_forget(r->offload, &j->job);
    reload_failed(r, "its files could not be read within 30 s");
}

/* ---- for the monitor ---- */

const char *reload_begin(struct reload *r, const struct reload_request *q, reload_done_fn *done,
                         void *arg)
{
    const struct timeval patience = clock_timeval(LIMIT_RELOAD_MS);

    if (r->subject.context->stopping || r->subject.context->draining) {
        return "poemd is stopping";
    }
    if (!options_file(r->subject.options)) {
        return "poemd was started without a configuration file";
    }
    if (r->done) {
        return "another reload is under way; try again";
    }
    if (r->blocked) {
        return "an earlier reload still reads its files, on a file system that does not answer";
    }
    r->request = *q;
    r->offload = r->offload ? r->offload : offload_new(r->subject.context->base);
    r->job = r->offload ? reload_job_new(r, reload_on_read, reload_on_dropped) : NULL;
    if (!r->job || event_add(r->patience, &patience) < 0) {
        reload_job_free(r->job);
        r->job = NULL;
        return "out of memory";
    }
    r->done = done;
    r->arg = arg;
    if (!q->dry_run) {
        fdstore_reloading(r->subject.context->store);
    }
    offload_add(r->offload, &r->job->job);
    return NULL;
}

bool reload_retire(struct reload *r, struct spawn *retired, struct generation *g)
{
    return reload_spawn_adopt(r, retired, g);
}

void reload_stop(struct reload *r)
{
    reload_spawn_stop(r);
}

bool reload_is_busy(const struct reload *r)
{
    return r->done != NULL;
}

void reload_beat(struct reload *r)
{
    reload_apply_reap(r, false);
}

struct reload *reload_new(const struct reload_subject *subject)
{
    struct reload *const r = calloc(1, sizeof *r);

    if (!r) {
        return NULL;
    }
    r->subject = *subject;
    SLIST_INIT(&r->retired);
    SLIST_INIT(&r->inspectors);
    r->patience = evtimer_new(subject->context->base, reload_on_patience, r);
    r->step = event_new(subject->context->base, -1, 0, reload_on_step, r);
    if (!r->patience || !r->step) {
        reload_free(r);
        return NULL;
    }
    return r;
}

void reload_free(struct reload *r)
{
    if (!r) {
        return;
    }
    offload_free(r->offload);
    reload_apply_reap(r, true);
    generation_release(r->tried);
    json_decref(r->parts);
    if (r->patience) {
        event_free(r->patience);
    }
    if (r->step) {
        event_free(r->step);
    }
    free(r);
}
