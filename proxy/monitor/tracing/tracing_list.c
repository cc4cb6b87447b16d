/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* All captures: created, found, ended, remembered for a while. */
#include "proxy/monitor/tracing/tracing_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/sock.h"
#include "base/unconst.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/tracing/tracing_group.h"
#include "proxy/monitor/tracing/tracing_keep.h"
#include "proxy/monitor/tracing/tracing_open.h"

static int tracing_list_compare(const struct capture *a, const struct capture *b)
{
    return a->id < b->id ? -1 : a->id > b->id;
}

TREE_GENERATE(capture_tree, capture, link, tracing_list_compare)

struct capture *tracing_find(const struct tracing *t, uint64_t id)
{
    struct capture key = {.id = id};

    return capture_tree_RB_FIND(unconst_pointer(&t->captures), &key);
}

struct capture *tracing_behind(const struct tracing *t, uint64_t id)
{
    struct capture key = {.id = id + 1};

    return capture_tree_RB_NFIND(unconst_pointer(&t->captures), &key);
}

void tracing_list_count(const struct capture *c, struct tracing_totals *to)
{
    to->messages += c->before.messages + c->counts.messages;
    to->lost += c->before.lost + c->counts.lost;
    to->bytes += c->before.bytes + c->counts.bytes;
}

void tracing_list_remove(struct tracing *t, struct capture *c)
{
    (void)capture_tree_RB_REMOVE(&t->captures, c);
    tracing_list_count(c, &t->forgotten);
    tracing_group_leave(c);
    if (c->state == TRACING_ENDED) {
        TAILQ_REMOVE(&t->ended, c, group_link);
        t->n_ended--;
    } else {
        t->n_alive--;
    }
    audit_writer_forget(&t->context->audit_writer, &c->recorded);
    tracing_open_cancel(c);
    tracing_keep_drop(c);
    sock_close(&c->fd);
    c->route->users--;
    free(c->path);
    free(c->how.filter);
    free(c);
}

/* Ended captures are remembered, up to TRACING_REMEMBERED. */
void tracing_set_ended(struct tracing *t, struct capture *c, uint32_t why)
{
    tracing_open_cancel(c);
    sock_close(&c->fd);
    tracing_group_leave(c);
    tracing_keep_drop(c);
    c->state = TRACING_ENDED;
    c->why = tracer_why_word(why);
    TAILQ_INSERT_TAIL(&t->ended, c, group_link);
    t->n_alive--;
    t->n_ended++;
    if (t->on_ended) {
        t->on_ended(t->on_ended_arg, c->id);
    }
    if (t->n_ended > TRACING_REMEMBERED) {
        tracing_list_remove(t, TAILQ_FIRST(&t->ended));
    }
}

struct capture *tracing_list_add(struct tracing *t, const struct tracing_request *r,
                                 struct route *route, uint64_t id)
{
    struct capture *const c = calloc(1, sizeof *c);

    if (!c) {
        return NULL;
    }
    *c = (struct capture){.id = id,
                          .session = r->session,
                          .route = route,
                          .fd = -1,
                          .configured = r->by == NULL,
                          .given = r->fd >= 0,
                          .how = r->how,
                          .tracing = t};
    c->path = strdup(r->path ? r->path : "");
    c->how.filter = strdup(r->how.filter ? r->how.filter : "");
    route->users++;
    (void)capture_tree_RB_INSERT(&t->captures, c);
    t->n_alive++;
    if (!c->path || !c->how.filter) {
        tracing_list_remove(t, c);
        return NULL;
    }
    return c;
}
