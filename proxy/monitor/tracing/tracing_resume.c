/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The tracer lives on with its files, its captures and what it knows of sessions. So a capture goes
 * on in its file; messages that were lost meanwhile are counted there, since they have numbers.
 */
#define _GNU_SOURCE
#include "proxy/monitor/tracing/tracing_resume.h"

#include <inttypes.h>
#include <stdlib.h>

#include "proxy/monitor/keep/state_file.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/tracing/tracing_group.h"
#include "proxy/monitor/tracing/tracing_keep.h"
#include "proxy/monitor/tracing/tracing_list.h"
#include "proxy/monitor/tracing/tracing_run.h"

/* Makes the capture of a record. Returns NULL if its route is gone, or if out of memory. */
/* NOLINTNEXTLINE(readability-non-const-parameter): part of a request, which has a char *. */
static struct capture *tracing_resume_capture(struct tracing *t, char *filter,
                                              const struct state_capture *s)
{
    const struct tracing_request r = {
        .session = s->session,
        .fd = -1,
        .how = {.payload = s->payload, .memory_mib = s->memory_mib, .filter = filter}};
    struct route *const route = route_find(t->routes, s->route);
    struct capture *const c =
        route && !tracing_find(t, s->number) ? tracing_list_add(t, &r, route, s->number) : NULL;

    if (c) {
        c->configured = false;
        c->given = true;
        c->state = TRACING_RUNNING;
    }
    return c;
}

/* Goes on with the capture of the record in the block. */
static void tracing_resume_one(struct tracing *t, uint32_t block, const struct state_capture *s)
{
    char *const filter = state_file_text(t->context->state, block);
    struct capture *const c = tracing_resume_capture(t, filter, s);

    free(filter);
    if (!c) {
        log_error("capture %" PRIu64 " cannot go on: its route is not known", s->number);
        tracing_keep_stop(t, s);
        state_file_drop(t->context->state, block);
        return;
    }
    c->kept_block = block;
    if (!t->adopted) {
        /* Only the tracer had its file. */
        tracing_stopped(c, TRACER_GONE);
        return;
    }
    tracing_say_of(c, TRACER_RESUME);
    tracing_group_join(c);
    tracing_announced(c);
    if (!c->group) {
        tracing_end(c, TRACER_SESSION_ENDED);
        return;
    }
    log_info("capture %" PRIu64 " goes on", c->id);
}

void tracing_resume(struct tracing *t, bool requested)
{
    struct state_capture s;
    uint32_t block = STATE_NO_BLOCK;

    if (!t->context->state) {
        return;
    }
    while ((block = tracing_keep_next(t, block, &s))) {
        t->replaces = true;
        if (!s.configured && requested) {
            tracing_resume_one(t, block, &s);
        }
    }
    tracing_refresh_all(t);
    t->requested = requested;
}
