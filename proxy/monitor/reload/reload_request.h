/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What a reload changes, and how it is requested. */
#ifndef POEMD_PROXY_MONITOR_RELOAD_RELOAD_REQUEST_H
#define POEMD_PROXY_MONITOR_RELOAD_RELOAD_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "proxy/monitor/devices/spawn.h"
#include "proxy/monitor/routes/listener.h"

struct inspector;
struct monitor_context;
struct monitor_session_table;
struct options;
struct repeats;
struct route_table;
struct tracing;
struct worker_pool;

/* What a reload changes; all borrowed. */
struct reload_subject {
    struct monitor_context *context;
    const struct options *options;
    struct route_table *routes;
    struct monitor_session_table *sessions;
    struct worker_pool *workers;
    struct repeats *repeats;
    struct tracing *tracing;
    struct spawn_host host;     /* of devices */
    listener_accept_fn *accept; /* called with sessions */
};

struct reload_request {
    bool dry_run;    /* only shows what would change */
    bool end_denied; /* ends running sessions that the new rules deny */
    bool folders;    /* folders have come or gone: nothing is said unless this changes anything */
    bool signal;     /* requested by SIGHUP, otherwise by: */
    uid_t uid;
    pid_t pid;
};

/*
 * The reload is over. parts has its result, as objects for the control socket (reload_answer.h);
 * the function takes the reference, which is NULL if out of memory.
 */
typedef void reload_done_fn(void *arg, json_t *parts);

#endif
