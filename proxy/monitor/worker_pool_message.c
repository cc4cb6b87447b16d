/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Makes the messages about a session for its worker. Sends nothing itself. */
#include <stdio.h>

#include "proxy/monitor/worker_pool_parts.h"
#include "proxy/monitor/monitor.h"
#include "proxy/monitor/tracing/tracing.h"

/*
 * Returns what to ask a backend for: it reveals its own licence, and that of servers behind it,
 * only if asked. A recital is requested if a rule can depend on it; the rest can always be used
 * against the backend.
 */
static enum reciter_wants worker_pool_message_wants(const struct config_route *r)
{
    enum reciter_wants ask =
        r->demand_from & CONFIG_FROM_BACKEND ? RECITER_WANTS_RECITAL : RECITER_WANTS_NOTHING;

    for (size_t i = 0; i < r->rules.n_licence; i++) {
        const struct rules_licence *l = &r->rules.licence[i];

        if (l->party == RULES_BACKEND && l->least <= EVIDENCE_RECITED) {
            return RECITER_WANTS_RECITAL;
        }
        if (l->party == RULES_BACKEND && ask == RECITER_WANTS_NOTHING) {
            ask = RECITER_WANTS_WHO;
        }
    }
    return ask;
}

static struct ipc_session worker_pool_message_begin(const struct monitor_session *t)
{
    const struct config_route *r = t->route->config;
    struct ipc_session begin = {.handshake_ms = monitor_session_handshake_left_ms(t),
                                .drain_ms = r->drain_ms,
                                .stall_ms = r->stall_ms,
                                .recite = r->recite_to_client,
                                .ask_backend = worker_pool_message_wants(r),
                                .recorded = audit_writer_on(&t->monitor->audit_writer),
                                .quiet = t->muted   ? IPC_MUTED
                                         : t->quiet ? IPC_QUIET
                                                    : IPC_LOGGED,
                                .tap = tracing_tap(t->monitor, t),
                                .self = t->route->self,
                                .dma = r->dma};

    monitor_session_witness(t, &begin.same);
    snprintf(begin.route, sizeof begin.route, "%s", r->name);
    return begin;
}

struct ipc_msg worker_pool_message(const struct monitor_session *t, enum ipc_type type)
{
    struct ipc_msg m = {.type = type, .session = t->id};

    if (type == IPC_SESSION) {
        m.u.begin = worker_pool_message_begin(t);
    } else if (type == IPC_VERDICT) {
        m.u.verdict.err = (uint32_t)t->verdict_err;
        m.u.verdict.unrecorded = t->unrecorded;
    } else if (type == IPC_GONE) {
        m.u.gone.parties = t->gone;
    } else if (type == IPC_TAP) {
        m.u.tap = tracing_tap(t->monitor, t);
    }
    return m;
}
