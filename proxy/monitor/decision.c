/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Verdicts: requested, logged, recorded, carried out. policy/rules/rules_decide.c has the rules
 * themselves.
 */
#include "proxy/monitor/decision.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proxy/ipc/log_ids.h"
#include "base/log.h"
#include "base/members.h"
#include "base/wire/wire.h"
#include "base/wire/wire_command.h"
#include "proxy/config/config_where.h"
#include "proxy/monitor/devices/spawn.h"
#include "proxy/monitor/routes/generation.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/facts/kept_facts.h"
#include "proxy/monitor/facts/peer_facts.h"
#include "proxy/monitor/relook.h"
#include "proxy/monitor/repeats.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/facts/verdict_facts.h"
#include "proxy/monitor/keep/ended_record.h"
#include "proxy/monitor/keep/state_file.h"
#include "proxy/monitor/workers/worker_pool_outbox.h"

/*
 * The last eighth of the handshake's time is kept for the verdict: facts unknown by then stay
 * unknown.
 */
#define VERDICT_PART 8

/* Returns true if the contents of executables are recorded, or a rule depends on them. */
static bool decision_facts_matter(const struct monitor_session *t)
{
    const struct rules *r = &t->config->rules;

    return audit_writer_on(&t->table->context->audit_writer) || rules_ask_processes(r) ||
           t->config->look_ms > 0;
}

/* ---- carrying it out ---- */

static void decision_carry_out(struct monitor_session *t, int err)
{
    char letters[TAINT_COUNT + 1];
    const struct log_subject about = monitor_session_subject(t, NULL);

    if (!err && !relook_at_verdict(t)) {
        err = EACCES;
    }
    if (err || !monitor_session_relays(t)) {
        /* A fault of our own must not let the session relay. */
        worker_pool_verdict(t, err ? err : EACCES);
        return;
    }
    t->quiet = t->muted;
    t->route->taint |= t->taint;
    t->table->taint |= t->taint;
    if (t->taint) {
        log_line(LOG_WARNING, &about, "tainted: %s", taint_text(t->taint, letters));
    }
    peer_facts_free(t->peer_facts);
    t->peer_facts = NULL;
    worker_pool_verdict(t, 0);
}

/* The record of an allowed session could not be written. */
static void decision_unrecorded(struct monitor_session *t)
{
    struct log_subject about = monitor_session_subject(t, NULL);

    if (t->table->context->config->on_audit_failure == CONFIG_AUDIT_TAINT) {
        t->taint |= TAINT_UNAUDITED;
        decision_carry_out(t, 0);
        return;
    }
    about.verdict = rules_verdict_name(VERDICT_DENY);
    about.message_id = LOG_ID_AUDIT_FAILED;
    log_line(LOG_ERROR, &about,
             "denied: the audit log cannot be written, so the verdict is not recorded; repair that "
             "(the log's first error names the cause), or configure \"on-audit-failure taint\"");
    t->unrecorded = true;
    decision_carry_out(t, EACCES);
}

static void decision_on_recorded(void *arg, bool durable)
{
    struct monitor_session *t = arg;

    if (durable) {
        t->record = t->recorded.seq + 1;
        monitor_session_recorded(t);
    }
    if (t->denied) {
        decision_carry_out(t, EACCES);
    } else if (durable) {
        decision_carry_out(t, 0);
    } else {
        decision_unrecorded(t);
    }
}

/* ---- deciding ---- */

static json_t *decision_verdict_record(const struct monitor_session *t,
                                       const struct verdict_facts *f)
{
    char letters[TAINT_COUNT + 1];
    json_t *const looked = relook_record(t);

    return members_object((const struct member[]){
        {"session", members_number(t->id)},
        {"route", json_string(t->config->name)},
        {"verdict", json_string(rules_verdict_name(f->verdict.verdict))},
        {"rule", verdict_facts_rule(f)},
        {"configuration",
         *t->generation->digest ? json_string(t->generation->digest) : &members_omitted},
        {"taint", json_string(taint_text(t->taint, letters))},
        {"taints", verdict_facts_taints(t->taint_of)},
        {"permissive", json_boolean(f->verdict.permissive)},
        {"client", json_incref(f->parties[SIDE_CLIENT].json)},
        {"backend", json_incref(f->parties[SIDE_BACKEND].json)},
        {"code", f->code ? json_incref(f->code) : &members_omitted},
        {"looked", looked ? looked : &members_omitted},
        {"evidence", json_incref(f->evidence)},
        {NULL, NULL}});
}

static void decision_log_verdict(const struct monitor_session *t, const struct rules_verdict *v,
                                 const struct peer *client)
{
    char letters[TAINT_COUNT + 1];
    struct log_subject about =
        monitor_session_subject(t, v->verdict == VERDICT_ALLOW ? NULL : side_name(v->party));

    about.vm = peer_knows(client, PEER_VM) ? client->vm : NULL;
    about.verdict = rules_verdict_name(v->verdict);
    about.taint = taint_text(v->taint, letters);
    about.message_id = v->verdict == VERDICT_DENY      ? LOG_ID_DENIED
                       : v->verdict == VERDICT_TAINTED ? LOG_ID_TAINTED
                                                       : NULL;
    if (v->verdict == VERDICT_DENY) {
        log_line(LOG_WARNING, &about, "denied: %s%s%s", v->why, *v->mend ? "; to allow it, " : "",
                 v->mend);
    } else {
        log_line(v->verdict == VERDICT_ALLOW ? LOG_INFO : LOG_WARNING, &about, "%s: %s%s%s",
                 v->verdict == VERDICT_ALLOW ? "allowed" : "allowed with taint", v->why,
                 *v->mend ? "; to remove the taint, " : "", v->mend);
    }
}

/* Records the verdict; takes the reference. Returns false if it cannot be queued. */
static bool decision_record_verdict(struct monitor_session *t, json_t *record)
{
    return audit_writer_await(&t->table->context->audit_writer, "verdict", record, &t->recorded,
                              decision_on_recorded, t);
}

/* Records the beginning of a session, unless that is done or still held back. */
static void decision_note_opened(struct monitor_session *t)
{
    char began[AUDIT_TIME_SIZE + 1];

    if (t->opened) {
        return;
    }
    audit_writer_time_of(t->accepted_ms, began);
    t->opened = audit_writer_note(&t->table->context->audit_writer, "session-opened",
                                  json_pack("{s:I,s:s,s:s*}", "session", (json_int_t)t->id, "route",
                                            t->config->name, "opened", t->held ? began : NULL));
}

/* Records an event of its own if the operator's configuration overrides the evidence. */
static void decision_note_override(const struct monitor_session *t, const char *what, unsigned line)
{
    char place[CONFIG_WHERE_SIZE];

    (void)audit_writer_note(&t->table->context->audit_writer, "override",
                            json_pack("{s:I,s:s,s:s,s:s,s:s}", "session", (json_int_t)t->id,
                                      "route", t->config->name, "what", what, "by", "configuration",
                                      "where", config_where(t->generation->config, line, place)));
}

/* Returns true if a rule depends on the party's licence; for a backend, one always does. */
static bool decision_licence_matters(const struct rules *rules, enum side party)
{
    bool matters = party == SIDE_BACKEND;

    for (size_t i = 0; i < rules->n_licence; i++) {
        matters = matters || rules->licence[i].party == party ||
                  rules->licence[i].kind == RULES_WITH_OTHER;
    }
    for (size_t i = 0; i < rules->n_trait; i++) {
        matters =
            matters || (rules->trait[i].party == party && rules->trait[i].kind == RULES_CONSISTENT);
    }
    return matters || rules_ask_code(rules, party);
}

static void decision_note_overrides(const struct monitor_session *t, const struct verdict_facts *f)
{
    const struct rules *rules = &t->config->rules;
    char what[64];

    if (!(f->verdict.taint & TAINT_OVERRIDE)) {
        return;
    }
    for (int i = 0; i < SIDES; i++) {
        const enum side party = (enum side)i;
        const struct rules_assign *const a = f->parties[i].assigned;

        if (a && decision_licence_matters(rules, party)) {
            snprintf(what, sizeof what, "licence assigned to %s", side_name(party));
            decision_note_override(t, what, a->line);
        }
    }
    if (f->verdict.permissive) {
        decision_note_override(t, "permissive", rules->permissive_line);
    }
}

/* Logs contradicting statements by one party: one of them must be wrong, whatever the verdict. */
static void decision_log_contradictions(const struct monitor_session *t,
                                        const struct verdict_facts *f)
{
    char text[VERDICT_FACTS_CONTRADICTION];

    for (int i = 0; i < SIDES; i++) {
        const enum side party = (enum side)i;
        const struct log_subject about = monitor_session_subject(t, side_name(party));

        if (verdict_facts_contradiction(f, party, text)) {
            log_line(LOG_WARNING, &about, "contradiction: %s", text);
        }
    }
}

/* Records a verdict that has been logged, and carries it out once the record is on disk. */
static void decision_record(struct monitor_session *t, const struct verdict_facts *f)
{
    decision_note_opened(t);
    decision_note_overrides(t, f);
    if (decision_record_verdict(t, decision_verdict_record(t, f))) {
        return;
    } else if (t->denied) {
        decision_carry_out(t, EACCES);
    } else {
        decision_unrecorded(t);
    }
}

/* All facts are known. */
static void decision_on_known(void *arg)
{
    struct monitor_session *t = arg;
    const bool audited = audit_writer_on(&t->table->context->audit_writer);
    const struct rules_known known[SIDES] = {
        [SIDE_CLIENT] = peer_facts_known(t->peer_facts, SIDE_CLIENT),
        [SIDE_BACKEND] = peer_facts_known(t->peer_facts, SIDE_BACKEND),
    };
    struct verdict_facts f;
    bool told = true;

    verdict_facts_init(&f, t->generation->config, &t->config->rules, known,
                       audit_writer_today(&t->table->context->audit_writer));
    t->taint |= f.verdict.taint;
    for (int i = 0; i < SIDES; i++) {
        t->taint_of[i] |= f.verdict.taint_of[i];
    }
    t->denied = f.verdict.verdict == VERDICT_DENY;
    if ((audited || t->table->shown || t->traced || t->config->hold_ms > 0) &&
        !verdict_facts_describe(&f)) {
        log_debug("out of memory for the facts of a verdict");
    }
    if (t->denied) {
        /* One of very many denials, which are only counted. */
        told = repeats_denied(t, &f);
    } else {
        repeats_allowed(t);
    }
    decision_log_contradictions(t, &f);
    decision_log_verdict(t, &f.verdict, known[SIDE_CLIENT].peer);
    if (t->table->shown || t->config->hold_ms > 0) {
        t->facts = verdict_facts_text(&f);
    }
    if (t->table->shown) {
        t->kept = t->denied ? NULL : kept_facts_new(known);
    }
    monitor_session_decided(t, &f);
    if (audited && told) {
        decision_record(t, &f);
    } else {
        decision_carry_out(t, t->denied ? EACCES : 0);
    }
    verdict_facts_deinit(&f);
}

bool decision_begin(struct monitor_session *t)
{
    const bool facts = decision_facts_matter(t);
    /* The parties' identity also appears in the list of sessions and in captures. */
    const bool who = facts || t->table->shown || monitor_session_tap(t).on ||
                     t->config->same_process != CONFIG_SAME_UNASKED;
    const unsigned left = monitor_session_handshake_left_ms(t);
    const int fds[SIDES] = {
        [SIDE_CLIENT] = who ? t->client_fd : -1, [SIDE_BACKEND] = who ? t->backend_fd : -1};

    t->peer_facts = peer_facts_new(
        t->table->context->base, facts ? t->generation->inspector : NULL,
        t->table->context->offload, &t->config->rules, (uint32_t)t->route->number, fds,
        t->device ? spawn_pid(t->device) : 0, left - left / VERDICT_PART, decision_on_known, t);
    if (!t->peer_facts) {
        return false;
    }
    relook_begin(t);
    if (!t->quiet) {
        decision_note_opened(t);
    }
    return true;
}

static void decision_on_evidence(void *arg, struct monitor_session *t, const struct ipc_evidence *e)
{
    const struct log_subject about = monitor_session_subject(t, NULL);

    (void)arg;
    log_line(LOG_INFO, &about,
             "handshake: version=%u.%u request=%u reply=%u twin=%s recital-of-backend=%s "
             "recital-of-client=%s",
             e->major, e->minor, e->request_size, e->reply_size, e->twin ? "yes" : "no",
             e->heard[SIDE_BACKEND].recital == RECITAL_OK ? "yes" : "no",
             e->heard[SIDE_CLIENT].recital == RECITAL_OK ? "yes" : "no");
    peer_facts_heard(t->peer_facts, e);
}

/* ---- while it relays ---- */

static json_t *decision_range_record(const struct ipc_range *r)
{
    static const char *const hows[IPC_HOWS] = {[IPC_PASSED] = "passed",
                                               [IPC_WITHHELD] = "withheld",
                                               [IPC_WITHOUT] = "without",
                                               [IPC_REFUSED] = "refused",
                                               [IPC_UNMAPPED] = "unmapped"};
    static const char *const flags[] = {"-", "r", "w", "rw"};
    char address[20];
    char size[20];
    json_t *o;

    snprintf(address, sizeof address, "0x%" PRIx64, r->address);
    snprintf(size, sizeof size, "0x%" PRIx64, r->size);
    o = json_pack("{s:s,s:s,s:s,s:s}", "address", address, "size", size, "flags",
                  flags[r->flags & (WIRE_DMA_READABLE | WIRE_DMA_WRITEABLE)], "how", hows[r->how]);
    if (o && (r->flags & (WIRE_DMA_MMAP | WIRE_DMA_FILE_IO)) &&
        json_object_set_new(o, "by",
                            json_string(r->flags & WIRE_DMA_FILE_IO ? "file-io" : "mmap")) < 0) {
        json_decref(o);
        return NULL;
    }
    return o;
}

static json_t *decision_export_record(const struct monitor_session *t, const struct ipc_export *e)
{
    json_t *ranges = json_array();
    json_t *o;

    for (uint32_t i = 0; ranges && i < e->n; i++) {
        if (json_array_append_new(ranges, decision_range_record(&e->ranges[i])) < 0) {
            json_decref(ranges);
            ranges = NULL;
        }
    }
    o = json_pack("{s:I,s:s,s:s,s:o}", "session", (json_int_t)t->id, "route", t->config->name,
                  "how",
                  t->config->dma.withhold           ? "withhold"
                  : t->config->dma.withhold_file_io ? "withhold-file-io"
                                                    : "pass",
                  "ranges", ranges);
    if (o && e->again) {
        (void)json_object_set_new(o, "again", json_true());
    }
    return o;
}

static void decision_on_export_recorded(void *arg, bool durable)
{
    struct monitor_session *t = arg;

    if (!durable) {
        const struct log_subject about = monitor_session_subject(t, NULL);

        if (!(t->taint & TAINT_UNAUDITED)) {
            log_line(LOG_ERROR, &about,
                     "memory was handed out without a record: the audit log cannot be written");
        }
        monitor_session_taint(t, TAINT_UNAUDITED);
    }
    worker_pool_recorded(t);
}

/*
 * Records memory that was handed out, and notifies the worker when that is done. A lost record
 * taints the session.
 */
static void decision_on_exported(void *arg, struct monitor_session *t, const struct ipc_export *e)
{
    struct audit_writer *audit_writer = &t->table->context->audit_writer;

    (void)arg;
    if (!audit_writer_on(audit_writer) ||
        !audit_writer_await(audit_writer, "memory-exported", decision_export_record(t, e),
                            &t->recorded, decision_on_export_recorded, t)) {
        decision_on_export_recorded(t, !audit_writer_on(audit_writer));
    }
}

/* ---- in another worker ---- */

static json_t *decision_counts(const struct ipc_count *c)
{
    return json_pack("{s:I,s:I,s:I}", "messages", (json_int_t)c->messages, "bytes",
                     (json_int_t)c->bytes, "fds", (json_int_t)c->fds);
}

static json_t *decision_counts_both(const struct ipc_count *to_backend,
                                    const struct ipc_count *to_client)
{
    return json_pack("{s:o,s:o}", "to-backend", decision_counts(to_backend), "to-client",
                     decision_counts(to_client));
}

/* Records that the session goes on in another worker, with the counts of the last one. */
static void decision_on_resumed(void *arg, struct monitor_session *t, const struct ipc_resumed *r)
{
    (void)arg;
    if (!t->opened) {
        return;
    }
    (void)audit_writer_note(&t->table->context->audit_writer, "session-resumed",
                            json_pack("{s:I,s:s,s:s,s:i,s:i,s:b,s:s,s:o}", "session",
                                      (json_int_t)t->id, "route", t->config->name, "reason",
                                      session_reason_word(t->lost_by), "from", (int)t->resumed_from,
                                      "to", (int)t->member->pid, "in-hand", t->resumed_in_hand,
                                      "doubt", ipc_doubt_word(r->doubt), "counts",
                                      decision_counts_both(&t->to_backend, &t->to_client)));
}

/* ---- the end ---- */

/* Adds the message of which two workers died. Returns false if out of memory. */
static bool decision_add_message(json_t *o, const struct monitor_session_suspect *s)
{
    json_t *const m = json_pack(
        "{s:s,s:i,s:s,s:i,s:I,s:I}", "from", side_name(session_page_from(s->way)), "command",
        (int)s->hdr.command, "name", wire_command_name(s->hdr.command), "id", (int)s->hdr.id,
        "size", (json_int_t)s->hdr.size, "flags", (json_int_t)s->hdr.flags);

    return json_object_set_new(o, "message", m) == 0;
}

/*
 * Makes the record of an end. The counts are those of the worker's last report; if the worker has
 * not sent one, they are the last ones heard ("at-least"), and are left out if none was heard.
 */
static json_t *decision_end_record(const struct monitor_session *t, enum session_reason reason,
                                   const struct ipc_ended *what)
{
    const struct ipc_count *const to_backend = what ? &what->to_backend : &t->to_backend;
    const struct ipc_count *const to_client = what ? &what->to_client : &t->to_client;
    char letters[TAINT_COUNT + 1];
    char seen[TAINT_COUNT + 1];
    json_t *o = json_pack("{s:I,s:s,s:s,s:s,s:s,s:o}", "session", (json_int_t)t->id, "route",
                          t->config->name, "reason", session_reason_word(reason), "taint",
                          taint_text(t->taint, letters), "observed", taint_text(t->observed, seen),
                          "taints", verdict_facts_taints(t->taint_of));
    const uint64_t overdue = what ? what->overdue : t->overdue;
    json_t *looked;
    json_t *c = NULL;

    if (o && what && what->by &&
        json_object_set_new(o, "by", json_string(ipc_by_word(what->by))) < 0) {
        json_decref(o);
        return NULL;
    }
    if (o && reason == REASON_POISONED && !decision_add_message(o, &t->suspect)) {
        json_decref(o);
        return NULL;
    }
    if (o && overdue > 0) {
        (void)json_object_set_new(o, "overdue", json_integer((json_int_t)overdue));
    }
    if (o && what && what->injected > 0) {
        (void)json_object_set_new(o, "injected", json_integer((json_int_t)what->injected));
    }
    looked = relook_record(t);
    if (o && looked) {
        (void)json_object_set(o, "looked", looked);
    }
    json_decref(looked);
    if (!o || (!what && !t->counted)) {
        return o;
    }
    c = decision_counts_both(to_backend, to_client);
    if ((!what && json_object_set_new(c, "at-least", json_true()) < 0) ||
        json_object_set_new(o, "counts", c) < 0) {
        json_decref(o);
        return NULL;
    }
    return o;
}

/* Drops all that waits for the session, and records its end. */
static void decision_on_ended(void *arg, struct monitor_session *t, enum session_reason reason,
                              const struct ipc_ended *what)
{
    (void)arg;
    audit_writer_forget(&t->table->context->audit_writer, &t->recorded);
    peer_facts_free(t->peer_facts);
    t->peer_facts = NULL;
    if (!t->opened) {
        return;
    }
    t->opened = false;
    ended_record_write_take(&t->table->ended, &t->table->context->audit_writer,
                            t->table->context->state, t->id, t->kept_block,
                            decision_end_record(t, reason, what));
    t->kept_block = STATE_NO_BLOCK;
}

void decision_init(struct monitor_session_table *sessions)
{
    static const struct monitor_session_events events = {.evidence = decision_on_evidence,
                                                         .exported = decision_on_exported,
                                                         .resumed = decision_on_resumed,
                                                         .ended = decision_on_ended};

    monitor_session_observe(sessions, &events, NULL);
}
