/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Sessions that have ended while some of their fds were not received (session_linger.h): each
 * counts towards its route's limit until its worker reports that they were.
 */
#include "proxy/monitor/workers/worker_pool_linger.h"

#include <stdlib.h>

#include "proxy/monitor/routes/route.h"

struct worker_pool_lingerer {
    SLIST_ENTRY(worker_pool_lingerer) link;
    uint64_t session;
    struct route *route;
};

void worker_pool_linger(struct worker_process *w, const struct monitor_session *t, uint32_t unread)
{
    struct worker_pool_lingerer *l = unread > 0 ? calloc(1, sizeof *l) : NULL;

    if (!l) {
        return;
    }
    l->session = t->id;
    l->route = t->route;
    l->route->lingering++;
    w->worker_pool->sessions->lingering++;
    SLIST_INSERT_HEAD(&w->lingering, l, link);
}

static void worker_pool_linger_drop(struct worker_process *w, struct worker_pool_lingerer *l)
{
    SLIST_REMOVE(&w->lingering, l, worker_pool_lingerer, link);
    l->route->lingering--;
    w->worker_pool->sessions->lingering--;
    free(l);
}

bool worker_pool_linger_over(struct worker_process *w, uint64_t session)
{
    struct worker_pool_lingerer *l;

    SLIST_FOREACH(l, &w->lingering, link)
    {
        if (l->session == session) {
            worker_pool_linger_drop(w, l);
            break;
        }
    }
    return true;
}

void worker_pool_linger_forget(struct worker_process *w)
{
    while (!SLIST_EMPTY(&w->lingering)) {
        worker_pool_linger_drop(w, SLIST_FIRST(&w->lingering));
    }
}
