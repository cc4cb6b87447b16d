/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The running captures of one route, or of one session, with their combined settings: so the
 * settings of a session are known without a look at all captures.
 */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_GROUP_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_GROUP_H

#include <sys/queue.h>

#include "proxy/ipc/session_settings.h"

struct capture;

struct tracing_group {
    TAILQ_HEAD(tracing_captures, capture)
    captures;                /* in the order in which they were announced to the tracer */
    struct tap_settings tap; /* the most that any of them wants */
};

#endif
