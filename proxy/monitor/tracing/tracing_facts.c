/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Facts about sessions as JSON, and as a line for people. */
#include "proxy/monitor/tracing/tracing_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/facts/verdict_facts.h"
#include "trace/file/pcapng.h"

/* The maximum length of a comment, less later additions: the record's number, "late". */
#define FACTS_MAX (PCAPNG_COMMENT_MAX - 64u)

static char *tracing_facts_text_of(json_t *o)
{
    char *const text = o ? json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

    json_decref(o);
    return text;
}

static json_t *tracing_facts_of_begun(const struct monitor_session *t)
{
    return json_pack("{s:I,s:s}", "session", (json_int_t)t->id, "route", t->config->name);
}

static json_t *tracing_facts_judged(const struct monitor_session *t, const char *verdict)
{
    char letters[TAINT_COUNT + 1];
    json_t *const o = tracing_facts_of_begun(t);

    if (o && (json_object_set_new(o, "verdict", json_string(verdict)) < 0 ||
              json_object_set_new(o, "taint", json_string(taint_text(t->taint, letters))) < 0)) {
        json_decref(o);
        return NULL;
    }
    return o;
}

/* Adds the parties, each of which may be NULL; leaves them out if that is too long. */
static char *tracing_facts_with_parties(const struct monitor_session *t, const char *verdict,
                                        json_t *client, json_t *backend)
{
    json_t *const o = tracing_facts_judged(t, verdict);
    char *text;

    if (o && client) {
        (void)json_object_set(o, "client", client);
    }
    if (o && backend) {
        (void)json_object_set(o, "backend", backend);
    }
    text = tracing_facts_text_of(o);
    if (text && strlen(text) > FACTS_MAX) {
        /* A truncated JSON text would be invalid. */
        free(text);
        text = tracing_facts_text_of(tracing_facts_judged(t, verdict));
    }
    return text;
}

char *tracing_facts_decided(const struct monitor_session *t, const struct verdict_facts *f)
{
    return tracing_facts_with_parties(t, rules_verdict_name(f->verdict.verdict),
                                      f->parties[SIDE_CLIENT].json, f->parties[SIDE_BACKEND].json);
}

char *tracing_facts_recorded(const char *facts, const struct monitor_session *t)
{
    json_t *const o = json_loads(facts, 0, NULL);

    if (o && json_object_set_new(o, "audit", json_integer((json_int_t)t->record - 1)) < 0) {
        json_decref(o);
        return NULL;
    }
    return tracing_facts_text_of(o);
}

char *tracing_facts_known(const struct monitor_session *t)
{
    json_t *known;
    char *facts;
    char *recorded;

    if (t->state < SESSION_RELAYING) {
        return tracing_facts_text_of(tracing_facts_of_begun(t));
    }
    known = monitor_session_facts(t);
    facts = tracing_facts_with_parties(t, t->taint ? "allow-tainted" : "allow",
                                       json_object_get(known, "client"),
                                       json_object_get(known, "backend"));
    json_decref(known);
    if (!facts || !t->record) {
        return facts;
    }
    recorded = tracing_facts_recorded(facts, t);
    free(facts);
    return recorded;
}

/* ---- for people ---- */

static void tracing_facts_describe(const json_t *facts, const char *party, char *out, size_t n)
{
    const json_t *const p = json_object_get(facts, party);
    const json_t *const pid = json_object_get(p, "pid");
    const char *const path = json_string_value(json_object_get(json_object_get(p, "exe"), "path"));
    const size_t at = strlen(out);

    if (json_is_integer(pid)) {
        snprintf(out + at, n - at, "%s%s %s, pid %lld", at ? "; " : "", party,
                 path ? path : "unknown", (long long)json_integer_value(pid));
    } else {
        snprintf(out + at, n - at, "%s%s %s", at ? "; " : "", party, path ? path : "unknown");
    }
}

bool tracing_facts_add(struct tracer_msg *m, const char *facts)
{
    char description[1024] = "";
    json_t *const o = json_loads(facts, 0, NULL);

    tracing_facts_describe(o, "client", description, sizeof description);
    tracing_facts_describe(o, "backend", description, sizeof description);
    json_decref(o);
    return tracer_msg_add(m, description) && tracer_msg_add(m, facts);
}

json_t *tracing_ended_record(const struct capture *c, const char *why)
{
    return json_pack("{s:o,s:s,s:s}", "file", audit_text(c->path, strlen(c->path)), "reason", why,
                     "route", c->route->config->name);
}
