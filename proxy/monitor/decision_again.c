/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Verdicts on new processes of devices. policy/rules/rules_decide.c has the rules themselves. */
#include "proxy/monitor/decision_again.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/members.h"
#include "proxy/monitor/devices/spawn.h"
#include "proxy/monitor/facts/peer_facts.h"
#include "proxy/monitor/facts/verdict_facts.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/relook.h"
#include "proxy/monitor/routes/generation.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/workers/worker_pool_outbox.h"

/* The last eighth of the handshake's time is kept for the verdict, as for the first process. */
#define VERDICT_PART 8

static void decision_again_drop_facts(struct monitor_session *t)
{
    peer_facts_free(t->peer_facts);
    t->peer_facts = NULL;
}

/* Nothing of an earlier process is left for the next one, least of all its verdict. */
static void decision_again_forget(struct monitor_session *t)
{
    decision_again_drop_facts(t);
    t->allowed_again = false;
    t->unsent &= ~(1u << IPC_VERDICT);
}

static void decision_again_carry_out(struct monitor_session *t, struct decision_again *d)
{
    if (!d->denied && !relook_at_verdict(t)) {
        d->denied = true;
    }
    decision_again_drop_facts(t);
    t->allowed_again = !d->denied;
    worker_pool_verdict(t, d->denied ? EACCES : 0);
}

static void decision_again_on_recorded(void *arg, bool durable)
{
    struct decision_again *const d = arg;
    struct monitor_session *const t = d->session;
    const struct log_subject about = monitor_session_subject(t, "backend");

    if (!durable && !d->denied) {
        if (t->table->context->config->on_audit_failure == CONFIG_AUDIT_TAINT) {
            monitor_session_taint(t, TAINT_UNAUDITED);
        } else {
            log_line(LOG_ERROR, &about,
                     "denied: the audit log cannot be written, so the new process is not recorded");
            d->denied = true;
        }
    }
    decision_again_carry_out(t, d);
}

/* Returns what the record of the first process's verdict has about it, a new reference. */
static json_t *decision_again_before(const struct monitor_session *t)
{
    json_t *const facts = monitor_session_facts(t);
    json_t *const backend = json_incref(json_object_get(facts, "backend"));

    json_decref(facts);
    return backend ? backend : json_null();
}

static json_t *decision_again_record(const struct monitor_session *t, const struct verdict_facts *f)
{
    char letters[TAINT_COUNT + 1];

    return members_object((const struct member[]){
        {"session", members_number(t->id)},
        {"route", json_string(t->config->name)},
        {"verdict", json_string(rules_verdict_name(f->verdict.verdict))},
        {"rule", verdict_facts_rule(f)},
        {"configuration",
         *t->generation->digest ? json_string(t->generation->digest) : &members_omitted},
        {"taint", json_string(taint_text(t->taint, letters))},
        {"client", json_incref(f->parties[SIDE_CLIENT].json)},
        {"before", decision_again_before(t)},
        {"backend", json_incref(f->parties[SIDE_BACKEND].json)},
        {"evidence", json_incref(f->evidence)},
        {NULL, NULL}});
}

static void decision_again_log(const struct monitor_session *t, const struct rules_verdict *v)
{
    const struct log_subject about = monitor_session_subject(t, "backend");

    log_line(v->verdict == VERDICT_ALLOW ? LOG_INFO : LOG_WARNING, &about,
             "another process of its device: %s: %s", rules_verdict_name(v->verdict), v->why);
}

/* Returns the type of the verdict's record. */
static const char *decision_again_type(const struct decision_again *d)
{
    if (d->denied) {
        return "backend-refused";
    }
    return d->replaces ? "replacement-allowed" : "backend-replaced";
}

/* All facts are known. */
static void decision_again_on_known(void *arg)
{
    struct decision_again *const d = arg;
    struct monitor_session *const t = d->session;
    struct audit_writer *const audit_writer = &t->table->context->audit_writer;
    const struct rules_known known[SIDES] = {
        [SIDE_CLIENT] = peer_facts_known(t->peer_facts, SIDE_CLIENT),
        [SIDE_BACKEND] = peer_facts_known(t->peer_facts, SIDE_BACKEND),
    };
    struct verdict_facts f;
    json_t *record = NULL;

    verdict_facts_init(&f, t->generation->config, &t->config->rules, known,
                       audit_writer_today(audit_writer));
    d->denied = f.verdict.verdict == VERDICT_DENY;
    if (!d->denied) {
        for (int i = 0; i < SIDES; i++) {
            t->taint_of[i] |= f.verdict.taint_of[i];
        }
        monitor_session_taint(t, f.verdict.taint);
    }
    decision_again_log(t, &f.verdict);
    if (!verdict_facts_describe(&f)) {
        log_debug("out of memory for the facts of a verdict");
    }
    record = audit_writer_on(audit_writer) ? decision_again_record(t, &f) : NULL;
    if (!d->denied && d->replaces) {
        d->facts = verdict_facts_text(&f);
    } else if (!d->denied) {
        free(t->facts);
        t->facts = verdict_facts_text(&f);
    }
    verdict_facts_deinit(&f);
    if (!audit_writer_on(audit_writer)) {
        decision_again_carry_out(t, d);
    } else if (!audit_writer_await(audit_writer, decision_again_type(d), record, &d->recorded,
                                   decision_again_on_recorded, d)) {
        decision_again_on_recorded(d, false);
    }
}

bool decision_again_begin(struct monitor_session *t, struct decision_again *d)
{
    const int fds[SIDES] = {[SIDE_CLIENT] = t->client_fd, [SIDE_BACKEND] = t->backend_fd};
    const unsigned ms = t->config->handshake_ms;

    d->session = t;
    d->denied = false;
    decision_again_forget(t);
    t->peer_facts = peer_facts_new(
        t->table->context->base, t->generation->inspector, t->table->context->offload,
        &t->config->rules, (uint32_t)t->route->number, fds, t->device ? spawn_pid(t->device) : 0,
        ms - ms / VERDICT_PART, decision_again_on_known, d);
    if (t->peer_facts) {
        relook_replace_backend(t);
    }
    return t->peer_facts != NULL;
}

void decision_again_heard(struct monitor_session *t, const struct ipc_evidence *e)
{
    /* A worker that sends it twice is at fault, and gets no second verdict. */
    if (t->peer_facts) {
        peer_facts_heard(t->peer_facts, e);
    }
}

bool decision_again_denied(const struct decision_again *d)
{
    return d->denied;
}

void decision_again_note_refused(struct monitor_session *t, const char *reason, const char *why)
{
    (void)audit_writer_note(&t->table->context->audit_writer, "backend-refused",
                            members_object((const struct member[]){
                                {"session", members_number(t->id)},
                                {"route", json_string(t->config->name)},
                                {"reason", json_string(reason)},
                                {"difference", *why ? json_string(why) : &members_omitted},
                                {NULL, NULL}}));
}

void decision_again_end(struct monitor_session *t, struct decision_again *d)
{
    audit_writer_forget(&t->table->context->audit_writer, &d->recorded);
    decision_again_forget(t);
}
