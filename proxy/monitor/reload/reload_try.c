/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A session is tried by the facts of its own verdict, which are kept while it lives. What the new
 * rules ask, and the old ones did not, is not known: that denies no session.
 */
#include "proxy/monitor/reload/reload_try.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "proxy/config/config_difference.h"
#include "proxy/config/config_index.h"
#include "proxy/ipc/turn.h"
#include "proxy/monitor/facts/kept_facts.h"
#include "proxy/monitor/inspection.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/monitor_session_stop.h"
#include "proxy/monitor/reload/reload_answer.h"
#include "proxy/monitor/workers/worker_pool_message.h"

static enum kept_verdict reload_try_rules(const struct reload *r, const struct monitor_session *t,
                                          const struct config_route *route,
                                          char why[RULES_TEXT_SIZE])
{
    enum kept_verdict verdict;

    if (worker_pool_message_wants(route) > worker_pool_message_wants(t->config)) {
        snprintf(why, RULES_TEXT_SIZE, "backend: it was not asked to recite");
        return KEPT_NOT_KNOWN;
    }
    verdict = kept_facts_try(t->kept, &route->rules, r->tried->config,
                             audit_writer_today(&r->subject.context->audit_writer), why);
    if (verdict == KEPT_WOULD_DENY &&
        (rules_ask_executable(&route->rules, SIDE_CLIENT) ||
         rules_ask_executable(&route->rules, SIDE_BACKEND)) &&
        inspection_gains(t->generation->config, r->tried->config)) {
        snprintf(why, RULES_TEXT_SIZE,
                 "keys or envelopes are new since its executables were inspected");
        return KEPT_NOT_KNOWN;
    }
    return verdict;
}

/* Ends the session, if that was requested. Returns the result, as in the answer. */
static const char *reload_try_end(const struct reload *r, struct monitor_session *t,
                                  const char *why)
{
    const struct log_subject about = monitor_session_subject(t, NULL);

    if (!r->request.end_denied) {
        return "no";
    }
    log_line(LOG_WARNING, &about, "ended: denied by the new configuration: %s", why);
    return monitor_session_stop(t, REASON_RELOAD) ? "ended" : "ending";
}

static bool reload_try_is_decided(const struct monitor_session *t)
{
    return t->state == SESSION_RELAYING || t->state == SESSION_DRAINING;
}

static void reload_try_session(struct reload *r, struct monitor_session *t)
{
    const struct config_route *const route = config_route_find(r->tried->config, t->config->name);
    char why[RULES_TEXT_SIZE] = "its handshake takes too long";
    enum kept_verdict verdict = KEPT_WOULD_DENY;
    const uint64_t id = t->id;
    const char *end = "no";

    if (!route || t->generation == r->tried) {
        return;
    }
    if (reload_try_is_decided(t)) {
        verdict = reload_try_rules(r, t, route, why);
    } else if (!r->request.end_denied) {
        return;
    }
    if (verdict == KEPT_WOULD_PASS) {
        return;
    }
    if (verdict == KEPT_WOULD_DENY) {
        r->n_denied++;
        end = reload_try_end(r, t, why);
    }
    reload_answer_add(r, "session",
                      json_pack("{s:I,s:s,s:s,s:s,s:s}", "number", (json_int_t)id, "route",
                                route->name, "verdict",
                                verdict == KEPT_WOULD_DENY ? "deny" : "unknown", "why", why, "end",
                                end));
}

/* Returns true if the rules in force when the session began may still allow it. */
static bool reload_try_must_wait(const struct reload *r, const struct monitor_session *t)
{
    return r->request.end_denied && t->generation != r->tried && !reload_try_is_decided(t) &&
           config_route_find(r->tried->config, t->config->name) &&
           clock_ms() - r->tried_since_ms < LIMIT_RELOAD_HANDSHAKES_MS;
}

enum reload_try reload_try_some(struct reload *r)
{
    struct monitor_session *t;

    while ((t = monitor_session_behind(r->subject.sessions, r->tried_upto))) {
        if (reload_try_must_wait(r, t)) {
            return RELOAD_TRY_WAIT;
        }
        r->tried_upto = t->id;
        reload_try_session(r, t);
        if (turn_is_long()) {
            return RELOAD_TRY_MORE;
        }
    }
    return RELOAD_TRY_DONE;
}
