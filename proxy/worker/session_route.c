/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A worker's routes by name. */
#include "proxy/worker/session_route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int session_route_compare(const struct session_route *a, const struct session_route *b)
{
    return strcmp(a->name, b->name);
}

TREE_GENERATE(session_routes, session_route, link, session_route_compare)

struct session_route *session_route_hold(struct session_routes *all, const char *name)
{
    struct session_route key;
    struct session_route *r;

    snprintf(key.name, sizeof key.name, "%s", name);
    r = session_routes_RB_FIND(all, &key);
    if (!r) {
        r = calloc(1, sizeof *r);
        if (!r) {
            return NULL;
        }
        memcpy(r->name, key.name, sizeof r->name);
        (void)session_routes_RB_INSERT(all, r);
    }
    r->sessions++;
    return r;
}

void session_route_release(struct session_routes *all, struct session_route *r)
{
    if (r && --r->sessions == 0) {
        (void)session_routes_RB_REMOVE(all, r);
        free(r);
    }
}
