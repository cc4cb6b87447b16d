/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#include "proxy/monitor/service_status.h"

#include <stdio.h>
#include <string.h>

#include "proxy/ipc/fdstore.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/workers/worker_pool.h"

/* Returns the number of routes that should listen and do not. */
static size_t service_status_deaf(const struct route_table *routes)
{
    size_t n = 0;

    for (const struct route *r = route_from(routes, 0); r; r = route_next(routes, r)) {
        n += !r->gone && !r->listener;
    }
    return n;
}

/* Writes the sentence, printable ASCII. */
static void service_status_write(char out[SERVICE_STATUS_SIZE], const struct route_table *routes,
                                 const struct monitor_session_table *sessions,
                                 const struct worker_pool *workers)
{
    const struct monitor_context *const context = sessions->context;
    const size_t deaf = context->draining ? 0 : service_status_deaf(routes);
    char failing[64] = "";

    if (deaf > 0) {
        snprintf(failing, sizeof failing, "; %zu route%s not listen", deaf,
                 deaf == 1 ? " does" : "s do");
    }
    snprintf(out, SERVICE_STATUS_SIZE, "%u session%s on %zu route%s%s%s%s%s", sessions->alive,
             sessions->alive == 1 ? "" : "s", routes->n, routes->n == 1 ? "" : "s",
             context->draining ? "; ends with the last session" : "", failing,
             context->audit_writer.failing ? "; the audit log cannot be written" : "",
             worker_pool_all_ready(workers) ? "" : "; a worker is starting");
}

void service_status_beat(struct service_status *s, const struct route_table *routes,
                         const struct monitor_session_table *sessions,
                         const struct worker_pool *workers)
{
    char text[SERVICE_STATUS_SIZE];
    const char *changed = NULL;

    service_status_write(text, routes, sessions, workers);
    if (strcmp(text, s->text) != 0) {
        memcpy(s->text, text, sizeof text);
        changed = s->text;
    }
    fdstore_alive(sessions->context->store, changed);
}
