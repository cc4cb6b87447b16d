/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * One session in a report: its verdict, and the part that each of its parties has in it. A party is
 * held responsible only for the things that the record attributes to it.
 */
#include "audit/report/audit_report_session.h"

#include <string.h>

#include "audit/audit_prose.h"
#include "base/members.h"

enum finding {
    FINDING_ALLOW,
    FINDING_TAINTED,
    FINDING_DENY,
    FINDING_OTHER_DENIED,
    FINDING_UNATTRIBUTED,
    FINDINGS,
};

static const struct {
    const char *name;
    const char *meaning;
} findings[FINDINGS] = {
    [FINDING_ALLOW] = {"allow", "nothing was found against this program"},
    [FINDING_TAINTED] = {"allow-tainted",
                         "the session was allowed, and the letters are due to this program"},
    [FINDING_DENY] = {"deny", "the session was refused because of this program"},
    [FINDING_OTHER_DENIED] = {"other-denied", "the session was refused because of the other "
                                              "program; this one was not the reason"},
    [FINDING_UNATTRIBUTED] = {"unattributed", "the session was refused or tainted, and its record, "
                                              "of an older version, does not name the party"},
};

static const char *audit_report_session_text(const json_t *o, const char *key)
{
    const char *const s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

bool audit_report_unattributed(const json_t *record)
{
    return !json_is_object(json_object_get(record, "taints"));
}

const char *audit_report_taint_of(const json_t *record, const char *role)
{
    const char *const letters = audit_report_session_text(json_object_get(record, "taints"), role);

    return strcmp(letters, "-") == 0 ? "" : letters;
}

const char *audit_report_finding(const json_t *record, const char *role)
{
    const char *const verdict = audit_report_session_text(record, "verdict");
    const char *const of = audit_report_session_text(json_object_get(record, "rule"), "of");
    const bool denied = strcmp(verdict, findings[FINDING_DENY].name) == 0;

    if (!denied && strcmp(verdict, findings[FINDING_TAINTED].name) != 0) {
        return *verdict ? verdict : "unknown";
    }
    if (audit_report_unattributed(record) || (denied && !*of)) {
        return findings[FINDING_UNATTRIBUTED].name;
    }
    if (denied) {
        return findings[strcmp(of, role) == 0 ? FINDING_DENY : FINDING_OTHER_DENIED].name;
    }
    return findings[*audit_report_taint_of(record, role) ? FINDING_TAINTED : FINDING_ALLOW].name;
}

json_t *audit_report_findings(void)
{
    json_t *list[FINDINGS];

    for (size_t i = 0; i < FINDINGS; i++) {
        list[i] = json_pack("{s:s, s:s}", "name", findings[i].name, "meaning", findings[i].meaning);
    }
    return members_array(list, FINDINGS);
}

/* Returns the evidence of one party's licence, as it was recorded. */
static json_t *audit_report_session_evidence(const json_t *record, const char *role)
{
    static const char *const members[] = {"grade", "source", "licence", "name"};
    json_t *const list = json_array();
    const json_t *e;
    size_t i;

    json_array_foreach(json_object_get(record, "evidence"), i, e)
    {
        json_t *o;

        if (strcmp(audit_report_session_text(e, "of"), role) != 0) {
            continue;
        }
        o = json_object();
        for (size_t k = 0; k < sizeof members / sizeof *members; k++) {
            if (json_object_set_new(o, members[k],
                                    json_string(audit_report_session_text(e, members[k]))) < 0) {
                json_decref(o);
                o = NULL;
                break;
            }
        }
        if (json_array_append_new(list, o) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Returns what the kernel has measured the executable by, in words; null if it has not. */
static json_t *audit_report_session_measured(const json_t *exe)
{
    const json_t *const ima = json_object_get(exe, "ima");
    const char *const verity = audit_report_session_text(exe, "verity");

    if (*verity) {
        return json_sprintf("fs-verity, %s", verity);
    }
    return json_is_object(ima)
               ? json_sprintf("IMA, entry %" JSON_INTEGER_FORMAT " (PCR %" JSON_INTEGER_FORMAT ")",
                              json_integer_value(json_object_get(ima, "entry")),
                              json_integer_value(json_object_get(ima, "pcr")))
               : json_null();
}

static json_t *audit_report_session_party(const json_t *record, const char *role)
{
    const json_t *const party = json_object_get(record, role);
    const json_t *const exe = json_object_get(party, "exe");

    return members_object((const struct member[]){
        {"path", json_string(audit_report_session_text(exe, "path"))},
        {"sha256", json_string(audit_report_session_text(exe, "sha256"))},
        {"measured", audit_report_session_measured(exe)},
        {"finding", json_string(audit_report_finding(record, role))},
        {"taint", json_string(audit_report_taint_of(record, role))},
        {"evidence", audit_report_session_evidence(record, role)},
        {"contradiction", members_text(json_string_value(json_object_get(party, "contradiction")))},
        {NULL, NULL}});
}

/* Returns a copy of a member that is an integer, or null. */
static json_t *audit_report_session_number(const json_t *o, const char *key)
{
    json_t *const v = json_object_get(o, key);

    return json_is_integer(v) ? json_incref(v) : json_null();
}

json_t *audit_report_session(const json_t *record)
{
    json_t *const rule = json_object_get(record, "rule");
    char prose[AUDIT_PROSE_MAX];

    return members_object((const struct member[]){
        {"record", audit_report_session_number(record, "seq")},
        {"session", audit_report_session_number(record, "session")},
        {"time", json_string(audit_report_session_text(record, "time"))},
        {"host", json_string(audit_report_session_text(json_object_get(record, "host"), "name"))},
        {"route", json_string(audit_report_session_text(record, "route"))},
        {"configuration",
         members_text(json_string_value(json_object_get(record, "configuration")))},
        {"verdict", json_string(audit_report_session_text(record, "verdict"))},
        {"taint", json_string(audit_report_session_text(record, "taint"))},
        {"rule", json_is_object(rule) ? json_incref(rule) : json_null()},
        {"text", json_string(audit_prose(record, prose))},
        {"client", audit_report_session_party(record, "client")},
        {"backend", audit_report_session_party(record, "backend")},
        {"ended", json_null()},
        {NULL, NULL}});
}

bool audit_report_session_end(json_t *session, const json_t *record)
{
    static const char *const roles[] = {"client", "backend"};
    int err = json_object_set_new(session, "ended",
                                  json_string(audit_report_session_text(record, "reason")));

    err |= json_object_set_new(session, "taint",
                               json_string(audit_report_session_text(record, "taint")));
    for (size_t i = 0; i < 2 && !audit_report_unattributed(record); i++) {
        err |= json_object_set_new(json_object_get(session, roles[i]), "taint",
                                   json_string(audit_report_taint_of(record, roles[i])));
    }
    return err == 0;
}
