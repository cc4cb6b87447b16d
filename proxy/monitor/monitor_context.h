/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What every part of the monitor may use. It lives in struct monitor, which outlives all parts;
 * they get a pointer to it instead of the monitor itself, so that none of them can reach another
 * one that it is not given.
 */
#ifndef POEMD_PROXY_MONITOR_MONITOR_CONTEXT_H
#define POEMD_PROXY_MONITOR_MONITOR_CONTEXT_H

#include <event2/event.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "proxy/config/config.h"
#include "proxy/monitor/audit_writer.h"
#include "proxy/monitor/children.h"

struct inspector;

struct monitor_context {
    struct event_base *base;
    const struct config *config; /* borrowed, resolved */
    struct children children;
    struct audit_writer audit_writer;
    struct inspector *inspector; /* owned by the monitor; NULL: nothing needs one */
    struct rlimit nofile;        /* the limit before this process raised its own */
    bool stopping;               /* no session begins any more */
};

#endif
