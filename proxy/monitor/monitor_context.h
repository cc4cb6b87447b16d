/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The things that every part of the monitor may use. They are in struct monitor, which outlives all
 * parts; a part gets a pointer to them instead of to the monitor, so that it cannot reach other
 * parts unless it is given them.
 */
#ifndef POEMD_PROXY_MONITOR_MONITOR_CONTEXT_H
#define POEMD_PROXY_MONITOR_MONITOR_CONTEXT_H

#include <event2/event.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/limits.h"
#include "proxy/config/config.h"
#include "proxy/monitor/facts/audit_writer.h"
#include "proxy/ipc/children.h"

struct fdstore;
struct generation;
struct inspector;
struct offload;
struct state_file;

struct monitor_context {
    struct event_base *base;
    struct generation *generation; /* the configuration in force, held … */
    const struct config *config;   /* … and its contents */
    struct fdstore *store;         /* owned by the monitor; NULL without a keeper … */
    struct state_file *state; /* … and then there is no state that outlives the monitor either */
    struct children children;
    struct audit_writer audit_writer;
    struct inspector *inspector;    /* owned by the monitor; NULL if nothing needs one */
    struct offload *offload;        /* owned by the monitor */
    pid_t monitors[LIMIT_MONITORS]; /* this one and earlier ones; 0: none */
    bool draining;                  /* no new sessions begin … */
    bool stopping;                  /* … and those that run end */
};

#endif
