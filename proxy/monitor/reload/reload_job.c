/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The thread's part of a reload. It logs nothing, and touches only the job. */
#include "proxy/monitor/reload/reload_job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_line.h"
#include "base/log.h"
#include "proxy/config/config_index.h"
#include "proxy/config/config_reload.h"
#include "proxy/monitor/monitor_context.h"

static void reload_job_on_warning(const char *text, void *arg)
{
    struct reload_job *const j = arg;

    (void)json_array_append_new(j->warnings, audit_text(text, strlen(text)));
}

static void reload_job_open(struct reload_job *j)
{
    struct config *const c = j->config;

    j->listeners = calloc(c->n_routes + 1, sizeof *j->listeners);
    if (!j->listeners) {
        j->err = -ENOMEM;
        return;
    }
    j->n_listeners = c->n_routes;
    for (size_t i = 0; i < c->n_routes; i++) {
        const struct config_route *const route = &c->routes[i];
        char shown[128];
        int err;

        if (config_route_at(j->running->config, route->listen)) {
            continue;
        }
        err = listener_open(&j->listeners[i], route);
        if (err) {
            config_errors_add(&j->errors, route->listen_at, NULL, "cannot listen on \"%s\": %s%s",
                              log_escape(shown, sizeof shown, route->listen, strlen(route->listen)),
                              strerror(-err), listener_hint(err));
            j->err = -EINVAL;
        }
    }
}

static void reload_job_run(struct offload_job *job)
{
    struct reload_job *const j = (struct reload_job *)job;

    j->config = calloc(1, sizeof *j->config);
    j->err = j->config ? config_init(j->config) : -ENOMEM;
    if (!j->err) {
        j->err = config_reload(j->options, j->running->config, j->config, &j->errors,
                               reload_job_on_warning, j);
    }
    if (!j->err && j->opens) {
        reload_job_open(j);
    }
}

struct reload_job *reload_job_new(struct reload *r, void (*done)(struct offload_job *job),
                                  void (*drop)(struct offload_job *job))
{
    struct reload_job *const j = calloc(1, sizeof *j);

    if (!j) {
        return NULL;
    }
    j->job = (struct offload_job){.run = reload_job_run, .done = done, .drop = drop};
    j->reload = r;
    j->options = r->subject.options;
    j->running = generation_hold(r->subject.context->generation);
    j->opens = !r->request.dry_run;
    j->warnings = json_array();
    config_errors_init(&j->errors);
    return j;
}

void reload_job_free(struct reload_job *j)
{
    if (!j) {
        return;
    }
    for (size_t i = 0; i < j->n_listeners; i++) {
        listener_close(j->listeners[i]);
    }
    free(j->listeners);
    if (j->config) {
        config_deinit(j->config);
        free(j->config);
    }
    json_decref(j->warnings);
    generation_release(j->running);
    free(j);
}
