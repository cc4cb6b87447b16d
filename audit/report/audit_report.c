/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Gathers the report as JSON from the records while the log is verified. The broker wrote the
 * records, but their contents came from peers, and a log that does not verify may come from anyone:
 * no member is assumed to exist.
 */
#include "audit/report/audit_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_log.h"
#include "audit/report/audit_report_policy.h"
#include "audit/report/audit_report_session.h"
#include "base/members.h"

struct report {
    json_t *rows;     /* maps "ROLE PATH SHA256" to a row */
    json_t *events;   /* number of each event */
    json_t *repeated; /* number of sessions without records of their own, by route */
    uint64_t lost;    /* records that could not be written */
    uint64_t gone;    /* missing sealed records whose loss an operator accepted */
    uint64_t back;    /* number of times the clock was set back */
    json_t *live;     /* maps the number of an open session to its parties' rows, and itself */
    json_t *sessions; /* the latest, in the order of their verdicts */
    uint64_t older;   /* sessions before those */
    json_t *hosts;    /* number of starts of the broker, by host */
    json_t *versions; /* … by version */
    json_t *policies;
    uint64_t unattributed; /* verdicts and ends that do not name a party … */
    json_t *suspended;     /* … and their letters, as "taint" of this object */
    char since[AUDIT_TIME_SIZE + 1];
    char until[AUDIT_TIME_SIZE + 1];
    uint64_t unread; /* records that are not JSON */
    bool failed;     /* out of memory */
};

static void audit_report_set(struct report *r, json_t *o, const char *key, json_t *value)
{
    if (json_object_set_new(o, key, value) < 0) {
        r->failed = true;
    }
}

/* Adds one to a counter of the object. */
static void audit_report_count(struct report *r, json_t *o, const char *key)
{
    audit_report_set(r, o, key, json_integer(json_integer_value(json_object_get(o, key)) + 1));
}

/* Does the same in an object of names, limited in number. */
static void audit_report_count_name(struct report *r, json_t *names, const char *key)
{
    if (!json_object_get(names, key) && json_object_size(names) >= AUDIT_REPORT_NAMES) {
        key = "others";
    }
    audit_report_count(r, names, key);
}

static const char *audit_report_text_of(const json_t *o, const char *key, const char *otherwise)
{
    const char *const s = json_string_value(json_object_get(o, key));

    return s && *s ? s : otherwise;
}

static json_t *audit_report_new_row(const char *role, const char *path, const char *sha256,
                                    const char *time)
{
    return members_object((const struct member[]){{"role", json_string(role)},
                                                  {"path", json_string(path)},
                                                  {"sha256", json_string(sha256)},
                                                  {"sessions", json_integer(0)},
                                                  {"verdicts", json_object()},
                                                  {"licences", json_object()},
                                                  {"routes", json_object()},
                                                  {"taint", json_string("")},
                                                  {"first_seen", json_string(time)},
                                                  {"last_seen", json_string(time)},
                                                  {"users", json_object()},
                                                  {"memory", json_object()},
                                                  {"memory_passed_bytes", json_integer(0)},
                                                  {NULL, NULL}});
}

static json_t *audit_report_find_row(struct report *r, const char *role, const json_t *party,
                                     const char *time)
{
    const json_t *const exe = json_object_get(party, "exe");
    const char *path = audit_report_text_of(exe, "path", "unknown");
    const char *sha256 = audit_report_text_of(exe, "sha256", "unknown");
    char key[8192];
    json_t *row;

    if (json_object_size(r->rows) >= AUDIT_REPORT_ROWS) {
        path = sha256 = "others";
    }
    snprintf(key, sizeof key, "%s %s %s", role, path, sha256);
    row = json_object_get(r->rows, key);
    if (!row) {
        row = audit_report_new_row(role, path, sha256, time);
        audit_report_set(r, r->rows, key, row);
        row = json_object_get(r->rows, key);
    }
    return row;
}

/* Merges letters, each once, in order; other characters, as in "none", are ignored. */
static void audit_report_add_taint(struct report *r, json_t *row, const char *letters)
{
    const char *const had = audit_report_text_of(row, "taint", "");
    bool seen[128] = {false};
    char out[128];
    size_t n = 0;

    for (const char *p = had; *p; p++) {
        seen[*p & 127] = true;
    }
    for (const char *p = letters; *p; p++) {
        seen[*p & 127] = true;
    }
    for (int c = 'A'; c <= 'Z'; c++) {
        if (seen[c]) {
            out[n++] = (char)c;
        }
    }
    out[n] = '\0';
    audit_report_set(r, row, "taint", json_string(out));
}

/*
 * Counts the evidence of the licence: "GPL-2.0-or-later (packaged)". Records of older versions of
 * poemd do not have which of it counted.
 */
static void audit_report_add_licences(struct report *r, json_t *row, const char *role,
                                      const json_t *evidence)
{
    size_t i;
    const json_t *e;
    char text[512];
    bool any = false;

    json_array_foreach(evidence, i, e)
    {
        if (strcmp(audit_report_text_of(e, "of", ""), role) == 0) {
            snprintf(text, sizeof text, "%.400s (%.64s%s)",
                     audit_report_text_of(e, "licence", "unknown"),
                     audit_report_text_of(e, "grade", "unknown"),
                     json_is_false(json_object_get(e, "counts")) ? ", does not count" : "");
            audit_report_count_name(r, json_object_get(row, "licences"), text);
            any = true;
        }
    }
    if (!any) {
        audit_report_count_name(r, json_object_get(row, "licences"), "unknown (no evidence)");
    }
}

/* Adds the party to its executable's row and returns the row, or NULL if out of memory. */
static json_t *audit_report_add_party(struct report *r, const json_t *record, const char *role,
                                      const char *time)
{
    const json_t *const party = json_object_get(record, role);
    const json_t *const uid = json_object_get(party, "uid");
    json_t *const row = audit_report_find_row(r, role, party, time);
    char user[32];

    if (!row) {
        r->failed = true;
        return NULL;
    }
    audit_report_count(r, row, "sessions");
    audit_report_count_name(r, json_object_get(row, "verdicts"),
                            audit_report_finding(record, role));
    audit_report_count_name(r, json_object_get(row, "routes"),
                            audit_report_text_of(record, "route", "unknown"));
    snprintf(user, sizeof user, "%" JSON_INTEGER_FORMAT, json_integer_value(uid));
    audit_report_count_name(r, json_object_get(row, "users"),
                            json_is_integer(uid) ? user : "unknown");
    audit_report_add_licences(r, row, role, json_object_get(record, "evidence"));
    audit_report_add_taint(r, row, audit_report_taint_of(record, role));
    audit_report_set(r, row, "last_seen", json_string(time));
    return row;
}

/* ---- the course of sessions ---- */

/* Returns the key of a record's session; out has 32 bytes. */
static const char *audit_report_session_of(const json_t *record, char out[32])
{
    snprintf(out, 32, "%" JSON_INTEGER_FORMAT,
             json_integer_value(json_object_get(record, "session")));
    return out;
}

/* Keeps the letters of a record that does not attribute them to a party. */
static void audit_report_suspend(struct report *r, const json_t *record)
{
    const char *const letters = audit_report_text_of(record, "taint", "");

    if (audit_report_unattributed(record) && strpbrk(letters, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
        r->unattributed++;
        audit_report_add_taint(r, r->suspended, letters);
    }
}

/* Adds the session to the list, from which it takes the oldest one if it is full. */
static void audit_report_list_session(struct report *r, json_t *session)
{
    if (json_array_size(r->sessions) >= AUDIT_REPORT_ROWS) {
        (void)json_array_remove(r->sessions, 0);
        r->older++;
    }
    if (json_array_append(r->sessions, session) < 0) {
        r->failed = true;
    }
}

static void audit_report_add_verdict(struct report *r, const json_t *record, const char *time)
{
    json_t *const client = audit_report_add_party(r, record, "client", time);
    json_t *const backend = audit_report_add_party(r, record, "backend", time);
    json_t *const made = audit_report_session(record);
    char session[32];

    audit_report_suspend(r, record);
    audit_report_list_session(r, made);
    /* Only a log made to exhaust memory has more open sessions than this limit. */
    if (client && backend && json_object_size(r->live) < AUDIT_REPORT_ROWS) {
        audit_report_set(r, r->live, audit_report_session_of(record, session),
                         json_pack("[O,O,O]", client, backend, made));
    }
    json_decref(made);
}

/* Counts ranges by their handling, and the bytes of those that were passed. */
static void audit_report_add_range(struct report *r, json_t *row, const json_t *range)
{
    const char *const how = audit_report_text_of(range, "how", "unknown");
    const uint64_t size = strtoull(audit_report_text_of(range, "size", "0"), NULL, 16);
    const json_int_t had = json_integer_value(json_object_get(row, "memory_passed_bytes"));
    uint64_t bytes;

    audit_report_count_name(r, json_object_get(row, "memory"), how);
    if (strcmp(how, "passed") == 0) {
        bytes = size > (uint64_t)(INT64_MAX - had) ? INT64_MAX : (uint64_t)had + size;
        audit_report_set(r, row, "memory_passed_bytes", json_integer((json_int_t)bytes));
    }
}

static void audit_report_add_exported(struct report *r, const json_t *record)
{
    const json_t *const ranges = json_object_get(record, "ranges");
    char session[32];
    json_t *const rows = json_object_get(r->live, audit_report_session_of(record, session));
    json_t *range;
    size_t k;

    for (size_t i = 0; i < 2 && json_is_array(rows); i++) {
        json_array_foreach(ranges, k, range)
        {
            audit_report_add_range(r, json_array_get(rows, i), range);
        }
    }
}

/* A session may have become tainted since its verdict. */
static void audit_report_add_end(struct report *r, const json_t *record)
{
    static const char *const roles[] = {"client", "backend"};
    char session[32];
    json_t *const rows = json_object_get(r->live, audit_report_session_of(record, session));

    if (rows) {
        for (size_t i = 0; i < 2; i++) {
            audit_report_add_taint(r, json_array_get(rows, i),
                                   audit_report_taint_of(record, roles[i]));
        }
        audit_report_suspend(r, record);
        r->failed = !audit_report_session_end(json_array_get(rows, 2), record) || r->failed;
    }
    (void)json_object_del(r->live, session);
}

static void audit_report_add_start(struct report *r, const json_t *record)
{
    audit_report_count_name(
        r, r->hosts, audit_report_text_of(json_object_get(record, "host"), "name", "unknown"));
    audit_report_count_name(r, r->versions, audit_report_text_of(record, "version", "unknown"));
    /* Session numbers restart with each start of the broker. */
    (void)json_object_clear(r->live);
}

/* Counts sessions without records of their own by route. */
static void audit_report_add_repeated(struct report *r, const json_t *record)
{
    const char *route = audit_report_text_of(record, "route", "unknown");
    json_int_t n;

    if (!json_object_get(r->repeated, route) &&
        json_object_size(r->repeated) >= AUDIT_REPORT_NAMES) {
        route = "others";
    }
    n = json_integer_value(json_object_get(r->repeated, route));
    audit_report_set(r, r->repeated, route,
                     json_integer(n + json_integer_value(json_object_get(record, "count"))));
}

static void audit_report_add_record(struct report *r, const char *event, const json_t *record,
                                    const char *time)
{
    if (strcmp(event, "verdict") == 0) {
        audit_report_add_verdict(r, record, time);
    } else if (strcmp(event, "memory-exported") == 0) {
        audit_report_add_exported(r, record);
    } else if (strcmp(event, "session-ended") == 0) {
        audit_report_add_end(r, record);
    } else if (strcmp(event, AUDIT_REPEATED) == 0) {
        audit_report_add_repeated(r, record);
    } else if (strcmp(event, "config") == 0) {
        r->failed = !audit_report_policy_add(r->policies, AUDIT_REPORT_NAMES, record) || r->failed;
    } else {
        audit_report_add_start(r, record);
    }
}

static bool audit_report_matters(const char *event)
{
    static const char *const events[] = {"verdict",      "memory-exported", "session-ended",
                                         "broker-start", "config",          AUDIT_REPEATED};

    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (strcmp(event, events[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Clocks may be set back, and logs of several hosts may overlap. */
static void audit_report_note_time(struct report *r, const char *time)
{
    if (!r->since[0] || strcmp(time, r->since) < 0) {
        memcpy(r->since, time, sizeof r->since);
    }
    if (strcmp(time, r->until) > 0) {
        memcpy(r->until, time, sizeof r->until);
    }
}

static bool audit_report_on_line(void *arg, const struct audit_walk *w,
                                 const struct audit_head *head, const char *line, size_t n)
{
    struct report *const r = arg;
    json_t *record;
    char time[AUDIT_TIME_SIZE + 1] = "";

    (void)w;
    audit_report_count(r, r->events, head->event->name);
    if (head->time) {
        memcpy(time, head->time, AUDIT_TIME_SIZE);
        audit_report_note_time(r, time);
    }
    if (!audit_report_matters(head->event->name)) {
        return !r->failed;
    }
    record = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
    if (record) {
        audit_report_add_record(r, head->event->name, record, time);
    } else {
        r->unread++;
    }
    json_decref(record);
    return !r->failed;
}

/* Returns the rows as an array, in order of first appearance. */
static json_t *audit_report_finish(struct report *r, json_t *verification)
{
    json_t *const list = json_array();
    const char *key;
    json_t *row;

    json_object_foreach(r->rows, key, row)
    {
        if (json_array_append(list, row) < 0) {
            r->failed = true;
        }
    }
    if (r->failed) {
        json_decref(list);
        json_decref(verification);
        return NULL;
    }
    return members_object((const struct member[]){
        {"format", json_string("poemd-audit-report/2")},
        {"verification", verification},
        {"since", json_string(r->since)},
        {"until", json_string(r->until)},
        {"events", json_incref(r->events)},
        {"unread_records", members_number(r->unread)},
        {"lost_records", members_number(r->lost)},
        {"accepted_losses", members_number(r->gone)},
        {"clock_set_back", members_number(r->back)},
        {"repeated_sessions", json_incref(r->repeated)},
        {"hosts", json_incref(r->hosts)},
        {"versions", json_incref(r->versions)},
        {"policies", json_incref(r->policies)},
        {"findings", audit_report_findings()},
        {"unattributed", members_number(r->unattributed)},
        {"unattributed_taint", json_incref(json_object_get(r->suspended, "taint"))},
        {"executables", list},
        {"older_sessions", members_number(r->older)},
        {"sessions", json_incref(r->sessions)},
        {NULL, NULL}});
}

static void audit_report_on_log(void *arg, const struct audit_result *log)
{
    struct report *const r = arg;

    r->lost += log->gaps.lost;
    r->gone += log->gaps.gone;
    r->back += log->gaps.back + log->gaps.unmarked;
    (void)json_object_clear(r->live);
}

static void audit_report_deinit(struct report *r)
{
    json_decref(r->rows);
    json_decref(r->events);
    json_decref(r->repeated);
    json_decref(r->live);
    json_decref(r->sessions);
    json_decref(r->hosts);
    json_decref(r->versions);
    json_decref(r->policies);
    json_decref(r->suspended);
}

json_t *audit_report_make(const struct audit_question *q, struct audit_result *verified)
{
    struct report r = {.rows = json_object(),
                       .events = json_object(),
                       .repeated = json_object(),
                       .live = json_object(),
                       .sessions = json_array(),
                       .hosts = json_object(),
                       .versions = json_object(),
                       .policies = json_array(),
                       .suspended = json_pack("{s:s}", "taint", "")};
    struct audit_question question = *q;
    json_t *report = NULL;

    question.on_line = audit_report_on_line;
    question.on_log = audit_report_on_log;
    question.arg = &r;
    if (r.rows && r.events && r.repeated && r.live && r.sessions && r.hosts && r.versions &&
        r.policies && r.suspended) {
        (void)audit_verify(&question, verified);
        report = audit_report_finish(&r, q->key ? audit_verify_json(verified) : json_null());
    }
    audit_report_deinit(&r);
    return report;
}
