/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Makes the messages about a session for its worker. Sends nothing itself. */
#include "proxy/monitor/workers/worker_pool_message.h"

#include <stdio.h>

#include "base/sock.h"
#include "proxy/ipc/setup_lack.h"
#include "proxy/monitor/monitor_session_inject.h"
#include "proxy/monitor/devices/spawn.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/facts/peer_facts.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/workers/worker_process.h"

/*
 * A backend reveals its own licence, and that of servers behind it, only if asked. A recital is
 * requested if a rule can depend on it; the rest can always be used against the backend.
 */
enum reciter_wants worker_pool_message_wants(const struct config_route *r)
{
    enum reciter_wants ask =
        r->demand_from & CONFIG_FROM_BACKEND ? RECITER_WANTS_RECITAL : RECITER_WANTS_NOTHING;

    for (size_t i = 0; i < r->rules.n_trait; i++) {
        if (r->rules.trait[i].party == SIDE_BACKEND && r->rules.trait[i].kind == RULES_CONSISTENT) {
            return RECITER_WANTS_RECITAL;
        }
    }
    for (size_t i = 0; i < r->rules.n_licence; i++) {
        const struct rules_licence *l = &r->rules.licence[i];

        const bool asks = l->party == SIDE_BACKEND || l->kind == RULES_WITH_OTHER;

        if (asks && l->least <= EVIDENCE_RECITED) {
            return RECITER_WANTS_RECITAL;
        }
        if (asks && ask == RECITER_WANTS_NOTHING) {
            ask = RECITER_WANTS_WHO;
        }
    }
    return ask;
}

/*
 * Fills in the process at the socket: its senders are checked by pid, user and group. Sets pid 0,
 * which matches no sender, if one of these is not reliable.
 */
static void worker_pool_message_sender(const struct monitor_session *t, enum side party,
                                       struct sock_sender *out)
{
    static const enum peer_fact needed[] = {PEER_PID, PEER_PIDNS, PEER_UID, PEER_GID};
    const struct peer *p = peer_facts_peer(t->peer_facts, party);
    const struct log_subject about = monitor_session_subject(t, side_name(party));
    char why[256];

    *out = (struct sock_sender){.pid = p->pid, .uid = p->uid, .gid = p->gid};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (!peer_knows(p, needed[i])) {
            log_line(LOG_WARNING, &about,
                     "same-process: its process counts as another one, because its %s is %s",
                     peer_fact_name(needed[i]), peer_why(p, needed[i], why, sizeof why));
            *out = (struct sock_sender){.pid = 0};
            return;
        }
    }
}

static void worker_pool_message_sender_check(const struct monitor_session *t,
                                             struct sender_check_settings *out)
{
    const struct config_route *r = t->config;

    *out = (struct sender_check_settings){.act = SENDER_CHECK_NOTE};
    if (r->same_process != CONFIG_SAME_UNASKED) {
        out->act = r->same_process == CONFIG_SAME_END ? SENDER_CHECK_END : SENDER_CHECK_TAINT;
    }
    for (int i = 0; i < SIDES; i++) {
        const enum side party = (enum side)i;

        if (!config_route_watches(r, party)) {
            /* Only a note depends on this party. */
            sock_peer(party == SIDE_CLIENT ? t->client_fd : t->backend_fd, &out->who[i]);
            if (party == SIDE_BACKEND && t->device) {
                spawn_who(t->device, &out->who[i]);
            }
            continue;
        }
        out->parties |= 1u << i;
        if (party == SIDE_BACKEND && t->device) {
            /* Our own child, in a pid namespace of ours. */
            spawn_who(t->device, &out->who[i]);
        } else {
            worker_pool_message_sender(t, party, &out->who[i]);
        }
    }
}

static struct ipc_session worker_pool_message_begin(const struct monitor_session *t)
{
    static const enum setup_shares shares[] = {[CONFIG_MAPPABLE_PASS] = SETUP_SHARES_ALL,
                                               [CONFIG_MAPPABLE_STRIP] = SETUP_SHARES_NONE,
                                               [CONFIG_MAPPABLE_ADOPT] = SETUP_SHARES_MEMORY};
    const struct config_route *r = t->config;
    struct ipc_session begin = {.handshake_ms = monitor_session_handshake_left_ms(t),
                                .drain_ms = r->drain_ms,
                                .stall_ms = r->stall_ms,
                                .answer_ms = r->answer_ms,
                                .busy_poll_us = r->busy_poll_us,
                                .recite = r->recite_to_client,
                                .ask_backend = worker_pool_message_wants(r),
                                .recorded = audit_writer_on(&t->table->context->audit_writer),
                                .hold = r->hold_ms > 0,
                                .assist = r->assist,
                                .shares = shares[config_route_mappable(r)],
                                .quiet = t->muted   ? IPC_MUTED
                                         : t->quiet ? IPC_QUIET
                                                    : IPC_LOGGED,
                                .tap = monitor_session_tap(t),
                                .self = t->route->self,
                                .dma = r->dma,
                                .same = t->senders,
                                .slot = t->slot,
                                .record = t->record};

    if (t->member) {
        begin.tally = worker_tallies_take(t->member->tallies, t->route->number);
    }
    snprintf(begin.route, sizeof begin.route, "%s", r->name);
    return begin;
}

void worker_pool_message_senders(struct monitor_session *t)
{
    worker_pool_message_sender_check(t, &t->senders);
}

bool worker_pool_exporting(const struct monitor_session *t)
{
    return t->recorded.number != 0 || (t->unsent & (1u << IPC_RECORDED));
}

struct ipc_msg worker_pool_message(const struct monitor_session *t, enum ipc_type type)
{
    struct ipc_msg m = {.type = type, .session = t->id};

    if (type == IPC_SESSION) {
        m.u.begin = worker_pool_message_begin(t);
    } else if (type == IPC_RESUME) {
        m.type = t->twin_fds[SIDE_CLIENT] < 0 ? IPC_RESUME : IPC_RESUME_TWIN;
        m.u.begin = worker_pool_message_begin(t);
        m.u.begin.exporting = worker_pool_exporting(t);
    } else if (type == IPC_ATTACH) {
        m.u.begin = worker_pool_message_begin(t);
        m.u.begin.handshake_ms = t->config->handshake_ms;
    } else if (type == IPC_REPLACE) {
        m.u.begin = worker_pool_message_begin(t);
        m.u.begin.handshake_ms = t->config->handshake_ms;
        m.u.begin.same = t->successor->senders;
        m.u.begin.dry_run = t->successor->dry;
    } else if (type == IPC_VERDICT) {
        m.u.verdict.err = (uint32_t)t->verdict_err;
        m.u.verdict.unrecorded = t->unrecorded;
        m.u.verdict.record = t->record;
    } else if (type == IPC_GONE) {
        m.u.gone.parties = t->gone;
    } else if (type == IPC_INJECT) {
        monitor_session_injections(t, &m.u.inject);
    } else if (type == IPC_TAP) {
        m.u.tap = monitor_session_tap(t);
    }
    return m;
}
