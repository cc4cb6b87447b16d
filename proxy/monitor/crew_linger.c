/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Sessions that have ended while fds of theirs were not received (session_linger.h): each counts
 * among its route's until its worker reports that they were.
 */
#include <stdlib.h>

#include "proxy/monitor/crew_parts.h"
#include "proxy/monitor/monitor.h"

struct crew_lingerer {
    SLIST_ENTRY(crew_lingerer) link;
    uint64_t session;
    struct route *route;
};

void crew_linger(struct crew_member *w, const struct ticket *t, uint32_t unread)
{
    struct crew_lingerer *l = unread > 0 ? calloc(1, sizeof *l) : NULL;

    if (!l) {
        return;
    }
    l->session = t->id;
    l->route = t->route;
    l->route->lingering++;
    w->crew->monitor->lingering++;
    SLIST_INSERT_HEAD(&w->lingering, l, link);
}

static void crew_linger_drop(struct crew_member *w, struct crew_lingerer *l)
{
    SLIST_REMOVE(&w->lingering, l, crew_lingerer, link);
    l->route->lingering--;
    w->crew->monitor->lingering--;
    free(l);
}

bool crew_linger_over(struct crew_member *w, uint64_t session)
{
    struct crew_lingerer *l;

    SLIST_FOREACH(l, &w->lingering, link)
    {
        if (l->session == session) {
            crew_linger_drop(w, l);
            break;
        }
    }
    return true;
}

void crew_linger_forget(struct crew_member *w)
{
    while (!SLIST_EMPTY(&w->lingering)) {
        crew_linger_drop(w, SLIST_FIRST(&w->lingering));
    }
}
