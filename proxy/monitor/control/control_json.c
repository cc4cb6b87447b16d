/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The monitor's state as JSON, for the control socket. Changes nothing. */
#include "proxy/monitor/control/control_json.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text/hex.h"
#include "base/members.h"
#include "audit/audit_line.h"
#include "policy/inspector/inspector.h"
#include "proxy/ipc/setup_lack.h"
#include "proxy/monitor/control/control_subject.h"
#include "proxy/monitor/devices/spawn.h"
#include "proxy/monitor/metrics/metrics.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/monitor_session_replace.h"
#include "proxy/monitor/tracing/tracing.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/workers/worker_process.h"
#include "proxy/ipc/turn.h"
#include "proxy/monitor/upgrade/upgrade.h"

/* Returns foreign text, escaped, or null. */
static json_t *control_json_text(const char *s)
{
    return s ? audit_text(s, strlen(s)) : json_null();
}

static json_t *control_json_taint(uint32_t bits)
{
    char letters[TAINT_COUNT + 1];

    return json_string(taint_text(bits, letters));
}

static json_t *control_json_age(uint64_t then_ms)
{
    return json_integer((json_int_t)(clock_ms() - then_ms));
}

/* Returns the time of day, UTC, at which clock_ms() was then_ms. */
static json_t *control_json_time_of(uint64_t then_ms)
{
    char out[AUDIT_TIME_SIZE + 1];

    audit_writer_time_of(then_ms, out);
    return json_string(out);
}

/* ---- the broker ---- */

static json_t *control_json_configuration(const struct config *c)
{
    char digest[2 * CONFIG_DIGEST_SIZE + 1];

    if (!c->from_file) {
        return json_null();
    }
    return json_pack("{s:o,s:s}", "file", control_json_text(c->file), "sha256",
                     hex_text(c->digest, sizeof c->digest, digest));
}

static json_t *control_json_workers(const struct worker_pool *c)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < c->n; i++) {
        const struct worker_process *w = &c->members[i];

        if (w->pid > 0) {
            (void)json_array_append_new(list, json_pack("{s:i,s:b,s:i,s:I}", "pid", (int)w->pid,
                                                        "ready", w->ready, "sessions",
                                                        (int)w->sessions, "longest-turn-us",
                                                        (json_int_t)w->longest_turn_us));
        }
    }
    return list;
}

static json_t *control_json_audit(const struct monitor_context *m)
{
    if (!audit_writer_on(&m->audit_writer)) {
        return json_null();
    }
    return json_pack("{s:o,s:I,s:b}", "file", control_json_text(m->config->audit_file), "records",
                     (json_int_t)audit_log_size(m->audit_writer.log), "failing",
                     m->audit_writer.failing);
}

static void control_json_process(json_t *list, const char *role, pid_t pid)
{
    if (pid > 0) {
        (void)json_array_append_new(list, json_pack("{s:s,s:i}", "role", role, "pid", (int)pid));
    }
}

/* Returns the pid of the process that was started, which passes signals on. */
static pid_t control_json_keeper(const struct control_subject *m)
{
    return m->context->store ? getppid() : getpid();
}

static json_t *control_json_processes(const struct control_subject *m)
{
    json_t *list = json_array();

    control_json_process(list, "keeper", control_json_keeper(m));
    control_json_process(list, "monitor", getpid());
    for (unsigned i = 0; i < m->workers->n; i++) {
        control_json_process(list, "worker", m->workers->members[i].pid);
    }
    if (m->context->inspector) {
        control_json_process(list, "inspector", inspector_pid(m->context->inspector));
    }
    control_json_process(list, "tracer", tracing_pid(m->tracing));
    control_json_process(list, "exporter", metrics_pid(m->metrics));
    return list;
}

json_t *control_broker(const struct control_subject *m)
{
    return json_pack("{s:o}", "broker",
                     members_object((const struct member[]){
                         {"version", json_string(POEMD_VERSION)},
                         {"pid", json_integer(control_json_keeper(m))},
                         {"processes", control_json_processes(m)},
                         {"since", control_json_time_of(m->started_ms)},
                         {"ms", control_json_age(m->started_ms)},
                         {"upgrade", upgrade_json(m->upgrade)},
                         {"configuration", control_json_configuration(m->context->config)},
                         {"taint", control_json_taint(m->sessions->taint)},
                         {"observed", control_json_taint(m->sessions->observed)},
                         {"sessions", json_pack("{s:i,s:i,s:I,s:I}", "now", (int)m->sessions->alive,
                                                "most", (int)m->context->config->max_sessions,
                                                "begun", (json_int_t)m->sessions->last, "resumed",
                                                (json_int_t)m->sessions->resumed)},
                         {"longest-turn-us", json_integer(turn_longest_us())},
                         {"workers", control_json_workers(m->workers)},
                         {"audit", control_json_audit(m->context)},
                         {NULL, NULL}}));
}

/* Returns the state of the route's devices, or null if it does not start any. */
static json_t *control_json_devices(const struct route *r)
{
    struct spawn_health h;

    if (!r->spawn) {
        return json_null();
    }
    spawn_health(r->spawn, &h);
    return json_pack("{s:i,s:i}", "failures", (int)h.failures, "again-ms", (int)h.again_ms);
}

/* Returns why the session would not outlive its device. */
static enum setup_lack control_json_restart_lack(const struct monitor_session *t)
{
    return t->config->hold_ms == 0 ? SETUP_LACKS_WORD : (enum setup_lack)t->lack;
}

/* Returns why its device cannot be replaced, or NULL. */
static const char *control_json_replace_lack(const struct monitor_session *t)
{
    const char *const why = monitor_session_replace_lack(t);

    return !why && t->migrates == MIGRATES_NOT ? "its device does not support migration" : why;
}

/* Returns the numbers of the route's sessions. */
static json_t *control_json_sessions(const struct route *r)
{
    const struct monitor_session *t;
    uint64_t restartable = 0;
    uint64_t replaceable = 0;

    TAILQ_FOREACH(t, &r->monitor_sessions, route_link)
    {
        restartable += control_json_restart_lack(t) == SETUP_KEPT;
        replaceable += control_json_replace_lack(t) == NULL;
    }
    return members_object((const struct member[]){{"now", members_number(r->sessions)},
                                                  {"most", members_number(r->config->sessions)},
                                                  {"begun", members_number(r->begun)},
                                                  {"resumed", members_number(r->resumed)},
                                                  {"restartable", members_number(restartable)},
                                                  {"replaceable", members_number(replaceable)},
                                                  {NULL, NULL}});
}

/* Devices that its sessions have lost and got again, or got instead. */
static json_t *control_json_restarts(const struct route *r)
{
    return members_object((const struct member[]){{"held", members_number(r->held)},
                                                  {"held-ms", members_number(r->held_ms)},
                                                  {"replaced", members_number(r->replaced)},
                                                  {"replacements", members_number(r->replacements)},
                                                  {"pause-us", members_number(r->pause_us)},
                                                  {"rejected", members_number(r->rejected)},
                                                  {NULL, NULL}});
}

json_t *control_route(const struct route *r)
{
    const struct config_route *c = r->config;

    return json_pack("{s:o}", "route",
                     members_object((const struct member[]){
                         {"name", json_string(c->name)},
                         {"listen", control_json_text(c->listen)},
                         {"listening", json_boolean(r->listener != NULL)},
                         {"backend", control_json_text(c->spawn ? NULL : c->backend)},
                         {"spawn", control_json_text(c->spawn)},
                         {"sessions", control_json_sessions(r)},
                         {"taint", control_json_taint(r->taint)},
                         {"observed", control_json_taint(r->observed)},
                         {"overdue", members_number(r->overdue)},
                         {"devices", control_json_devices(r)},
                         {"restarts", control_json_restarts(r)},
                         {NULL, NULL}}));
}

/* ---- a session ---- */

static json_t *control_json_counts(const struct monitor_session *t, const struct ipc_count *c)
{
    if (!t->counted) {
        return json_null();
    }
    return json_pack("{s:I,s:I,s:I}", "messages", (json_int_t)c->messages, "bytes",
                     (json_int_t)c->bytes, "fds", (json_int_t)c->fds);
}

static json_t *control_json_overdue(const struct monitor_session *t)
{
    return t->counted ? json_integer((json_int_t)t->overdue) : json_null();
}

/* Whether its device could be restarted now, and if not, why. */
static json_t *control_json_restart(const struct monitor_session *t)
{
    const enum setup_lack lack = control_json_restart_lack(t);

    return members_object((const struct member[]){
        {"held", json_boolean(t->hold != NULL)},
        {"possible", json_boolean(lack == SETUP_KEPT)},
        {"why", lack == SETUP_KEPT ? json_null() : json_string(setup_lack_text(lack))},
        {NULL, NULL}});
}

/* Whether its device could be replaced now, and if not, why. */
static json_t *control_json_replace(const struct monitor_session *t)
{
    const char *const why = control_json_replace_lack(t);

    return members_object((const struct member[]){
        {"possible", json_boolean(!why)},
        {"why", why ? json_string(why) : json_null()},
        {"migration",
         t->migrates == MIGRATES_UNKNOWN ? json_null() : json_boolean(t->migrates == MIGRATES)},
        {NULL, NULL}});
}

json_t *control_session(const struct monitor_session *t)
{
    /* Set by the verdict. */
    json_t *facts = monitor_session_facts(t);
    json_t *o = members_object(
        (const struct member[]){{"number", members_number(t->id)},
                                {"route", json_string(t->config->name)},
                                {"state", json_string(session_state_name(t->state))},
                                {"since", control_json_time_of(t->accepted_ms)},
                                {"ms", control_json_age(t->accepted_ms)},
                                {"worker", t->member ? json_integer(t->member->pid) : json_null()},
                                {"resumed", members_number(t->resumed)},
                                {"taint", control_json_taint(t->taint)},
                                {"observed", control_json_taint(t->observed)},
                                {"to-backend", control_json_counts(t, &t->to_backend)},
                                {"to-client", control_json_counts(t, &t->to_client)},
                                {"overdue", control_json_overdue(t)},
                                {"restart", control_json_restart(t)},
                                {"replace", control_json_replace(t)},
                                {NULL, NULL}});

    if (o && facts) {
        (void)json_object_update(o, facts);
    }
    json_decref(facts);
    return json_pack("{s:o}", "session", o);
}
