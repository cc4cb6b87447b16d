/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The names of routes in a worker, for the lines of their sessions in the log: one copy for all
 * sessions of a route, which must be small.
 */
#ifndef POEMD_PROXY_WORKER_SESSION_ROUTE_H
#define POEMD_PROXY_WORKER_SESSION_ROUTE_H

#include "base/limits.h"
#include "base/tree.h"

struct session_route {
    RB_ENTRY(session_route) link;
    unsigned sessions; /* number of holders */
    char name[LIMIT_NAME + 1];
};

RB_HEAD(session_routes, session_route);

/*
 * Returns the route of this name, held: to be released by session_route_release. NULL if out of
 * memory. A name is cut at LIMIT_NAME characters.
 */
struct session_route *session_route_hold(struct session_routes *all, const char *name)
    __attribute__((warn_unused_result));

/* Frees it with its last holder. NULL is allowed. */
void session_route_release(struct session_routes *all, struct session_route *r);

#endif
