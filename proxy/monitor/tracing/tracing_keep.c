/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Without a keeper there is no state file, and nothing is kept. */
#define _GNU_SOURCE
#include "proxy/monitor/tracing/tracing_keep.h"

#include <inttypes.h>
#include <stdio.h>

#include "proxy/ipc/turn.h"
#include "proxy/monitor/keep/state_file.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/routes/route.h"

void tracing_keep_last(const struct tracing *t)
{
    if (t->context->state) {
        state_file_head(t->context->state)->last_capture = t->last_id;
        state_file_write_head(t->context->state);
    }
}

void tracing_keep(struct capture *c)
{
    struct state_file *const state = c->tracing->context->state;
    struct state_capture s = {.number = c->id,
                              .session = c->session,
                              .payload = c->how.payload,
                              .memory_mib = c->how.memory_mib,
                              .configured = c->configured};

    if (!state || c->kept_block != STATE_NO_BLOCK) {
        return;
    }
    snprintf(s.route, sizeof s.route, "%s", c->route->config->name);
    c->kept_block = state_file_add(state, STATE_CAPTURE, &s);
    /* A configured one begins anew. */
    if (c->kept_block != STATE_NO_BLOCK && !c->configured && *c->how.filter &&
        !state_file_put_text(state, c->kept_block, c->how.filter)) {
        tracing_keep_drop(c);
    }
    if (c->kept_block == STATE_NO_BLOCK) {
        log_warning("capture %" PRIu64 " ends if the monitor dies: there is no room to keep it",
                    c->id);
    }
}

void tracing_keep_drop(struct capture *c)
{
    struct state_file *const state = c->tracing->context->state;

    if (state) {
        state_file_drop(state, c->kept_block);
    }
    c->kept_block = STATE_NO_BLOCK;
}

uint32_t tracing_keep_next(const struct tracing *t, uint32_t block, struct state_capture *s)
{
    do {
        block = state_file_next(t->context->state, block, STATE_CAPTURE, s);
    } while (block != STATE_NO_BLOCK && s->number > t->inherited);
    return block;
}

void tracing_keep_stop(struct tracing *t, const struct state_capture *s)
{
    tracer_msg_init(&t->msg, TRACER_STOP);
    t->msg.capture = s->number;
    t->msg.error = TRACER_SHUTDOWN;
    tracing_link_say_take(&t->link, &t->msg, -1, -1);
}

void tracing_keep_replace(struct tracing *t)
{
    struct state_capture s;
    uint32_t block = STATE_NO_BLOCK;

    if (!t->replaces) {
        return;
    }
    while ((block = tracing_keep_next(t, block, &s))) {
        if (s.configured || !t->requested) {
            tracing_keep_stop(t, &s);
            state_file_drop(t->context->state, block);
            if (turn_is_long()) {
                event_active(t->later, 0, 0);
                return;
            }
        }
    }
    t->replaces = false;
}
