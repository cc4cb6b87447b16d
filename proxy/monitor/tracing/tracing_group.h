/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The running captures of one route, or of one session, and what they have together: so that what
 * is to be kept of a session is known without a look at all captures.
 */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_GROUP_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_GROUP_H

#include <sys/queue.h>

#include "proxy/ipc/session_settings.h"

struct capture;

struct tracing_group {
    TAILQ_HEAD(tracing_captures, capture)
    captures;                /* those that the tracer was told of last are last */
    struct tap_settings tap; /* as much as any of them wants */
};

#endif
