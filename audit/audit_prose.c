/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Records as sentences. Each text of a record is escaped, and cut, on its own. */
#include "audit/audit_prose.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text/numbers.h"

/* Sizes of texts from a record: a path, a reason. */
#define PROSE_NAME 512u
#define PROSE_WHY 800u

/* Writes "29 November 2026 at 18:24 UTC"; "an unknown day" if it is not a record's time. */
static const char *audit_prose_time(const char *time, char out[64])
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    uint64_t date[3];
    uint64_t clock[2];

    if (!time || strlen(time) != AUDIT_TIME_SIZE || numbers_series(time, "-", date, 3) != 3 ||
        numbers_series(time + 11, ":", clock, 2) != 2 || date[1] < 1 || date[1] > 12) {
        snprintf(out, 64, "an unknown day");
    } else {
        snprintf(out, 64, "%" PRIu64 " %s %" PRIu64 " at %02" PRIu64 ":%02" PRIu64 " UTC", date[2],
                 months[date[1] - 1], date[0], clock[0], clock[1]);
    }
    return out;
}

/* The sentence so far. */
struct prose {
    char *out;
    size_t n;
};

static void audit_prose_add(struct prose *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void audit_prose_add(struct prose *p, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(p->out + p->n, AUDIT_PROSE_MAX - p->n, fmt, ap);
    va_end(ap);
    p->n += n < 0 ? 0 : (size_t)n;
    p->n = p->n < AUDIT_PROSE_MAX ? p->n : AUDIT_PROSE_MAX - 1;
}

/*
 * Returns a member's text as printable ASCII, or a number in decimal; if it is neither, the other
 * text. Quotes stay as they are, unlike in a log's lines: they delimit nothing here.
 */
static const char *audit_prose_text(const json_t *o, const char *key, const char *otherwise,
                                    char *out, size_t size)
{
    const json_t *const v = json_object_get(o, key);
    const char *s = json_string_value(v);
    size_t n = 0;

    if (json_is_integer(v)) {
        snprintf(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
        return out;
    }
    for (s = s && *s ? s : otherwise; *s && n + 5 < size; s++) {
        if (*s >= 0x20 && *s < 0x7f) {
            out[n++] = *s;
        } else {
            n += (size_t)snprintf(out + n, size - n, "\\x%02x", (unsigned char)*s);
        }
    }
    snprintf(out + n, size - n, "%s", *s ? "..." : "");
    return out;
}

/* Adds a party: its executable, or its lack of one, its process and user. */
static void audit_prose_add_party(struct prose *p, const json_t *record, const char *role)
{
    const json_t *const party = json_object_get(record, role);
    char path[PROSE_NAME];
    char pid[32];
    char uid[32];

    audit_prose_add(p, "%s (process %s, user %s)",
                    audit_prose_text(json_object_get(party, "exe"), "path", "an unknown executable",
                                     path, sizeof path),
                    audit_prose_text(party, "pid", "unknown", pid, sizeof pid),
                    audit_prose_text(party, "uid", "unknown", uid, sizeof uid));
}

static void audit_prose_add_rule(struct prose *p, const json_t *rule)
{
    char preset[PROSE_NAME];
    char line[32];

    if (json_integer_value(json_object_get(rule, "line")) <= 0) {
        return;
    }
    audit_prose_text(rule, "line", "?", line, sizeof line);
    if (json_object_get(rule, "preset")) {
        audit_prose_add(p, " (line %s of the preset %s)", line,
                        audit_prose_text(rule, "preset", "?", preset, sizeof preset));
    } else if (json_object_get(rule, "file")) {
        audit_prose_add(p, " (line %s of %s)", line,
                        audit_prose_text(rule, "file", "?", preset, sizeof preset));
    } else {
        audit_prose_add(p, " (line %s of the configuration)", line);
    }
}

/* Adds the reason of a verdict, and, if it is not to be liked, how to change it. */
static void audit_prose_add_reason(struct prose *p, const json_t *record, bool fault)
{
    const json_t *const rule = json_object_get(record, "rule");
    const char *const of = json_string_value(json_object_get(rule, "of"));
    char text[PROSE_WHY];

    audit_prose_add(
        p, ", because%s: %s",
        !of || !fault                ? ""
        : strcmp(of, "client") == 0  ? " of the client"
        : strcmp(of, "backend") == 0 ? " of the device"
                                     : "",
        json_is_object(rule)
            ? audit_prose_text(rule, "why", "no reason was recorded", text, sizeof text)
            : audit_prose_text(record, "rule", "no reason was recorded", text, sizeof text));
    audit_prose_add_rule(p, rule);
    audit_prose_add(p, ".");
    if (fault && json_object_get(rule, "mend")) {
        audit_prose_add(p, " To change that, %s.",
                        audit_prose_text(rule, "mend", "", text, sizeof text));
    }
}

static void audit_prose_add_verdict(struct prose *p, const json_t *record)
{
    const char *const verdict = json_string_value(json_object_get(record, "verdict"));
    const bool denied = verdict && strcmp(verdict, "deny") == 0;
    const bool tainted = verdict && strcmp(verdict, "allow-tainted") == 0;
    char text[PROSE_NAME];

    audit_prose_add(p, " the client ");
    audit_prose_add_party(p, record, "client");
    audit_prose_add(p, denied ? " was refused the device " : " was connected with the device ");
    audit_prose_add_party(p, record, "backend");
    audit_prose_add(p, " on route \"%s\"",
                    audit_prose_text(record, "route", "unknown", text, sizeof text));
    if (tainted) {
        audit_prose_add(p, ", with taint %s",
                        audit_prose_text(record, "taint", "-", text, sizeof text));
    }
    audit_prose_add_reason(p, record, denied || tainted);
}

/* Sentences about other events: text, member, text, member … A member's absence is "unknown". */
static const struct {
    const char *event;
    const char *parts[8];
} sentences[] = {
    {"broker-start", {"poemd ", "version", " started."}},
    {"broker-stop", {"poemd stopped: ", "reason", "."}},
    {"broker-upgraded", {"poemd ", "version", " went on for poemd ", "from", "."}},
    {"broker-resumed",
     {"another process of poemd went on in the place of one that had ended (", "reason", "), with ",
      "sessions", " sessions."}},
    {"config", {"poemd ran with the configuration whose SHA-256 is ", "sha256", "."}},
    {"reloaded",
     {"poemd took over the configuration whose SHA-256 is ", "new", ", in place of that with ",
      "old", "."}},
    {"session-opened", {"session ", "session", " began on route \"", "route", "\"."}},
    {"session-resumed",
     {"session ", "session", " on route \"", "route",
      "\" went on in another worker process after the end of its own: ", "reason", "."}},
    {"backend-lost",
     {"the device of session ", "session", " on route \"", "route",
      "\" went, and the session was held: ", "reason", "."}},
    {"backend-replaced",
     {"another process of the device was allowed for session ", "session", " on route \"", "route",
      "\"."}},
    {"replacement-allowed",
     {"another process of the device was allowed to replace that of session ", "session",
      " on route \"", "route", "\"."}},
    {"replacement",
     {"the replacement of the device of session ", "session", " on route \"", "route",
      "\" ended: ", "outcome", "."}},
    {"backend-refused",
     {"another process of the device was refused for session ", "session", " on route \"", "route",
      "\"."}},
    {"session-ended",
     {"session ", "session", " on route \"", "route", "\" ended: ", "reason", "."}},
    {"memory-exported", {"the client of session ", "session", " gave memory to its device."}},
    {"executable-changed",
     {"the process of the ", "of", " in session ", "session",
      " was found to execute another file than the one judged; consequence: ", "then", "."}},
    {AUDIT_REPEATED,
     {"", "count", " more unsuccessful sessions were counted on route \"", "route", "\"."}},
    {"override",
     {"the operator's configuration (", "where", ") overrode the evidence in session ", "session",
      ": ", "what", "."}},
    {"injection",
     {"an operator put rules for faults on purpose in force for session ", "session",
      " on route \"", "route", "\"."}},
    {"trace-started", {"a trace began, to the file \"", "file", "\"."}},
    {"trace-ended", {"the trace to the file \"", "file", "\" ended: ", "reason", "."}},
    {AUDIT_LOST, {"", "count", " records had been lost."}},
    {AUDIT_CLOCK, {"the clock was set back, from ", "before", "."}},
};

static void audit_prose_add_event(struct prose *p, const json_t *record, const char *event)
{
    char text[PROSE_NAME];

    audit_prose_add(p, " ");
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++) {
        if (strcmp(sentences[i].event, event) != 0) {
            continue;
        }
        for (size_t k = 0; k < 8 && sentences[i].parts[k]; k++) {
            audit_prose_add(p, "%s",
                            k % 2 == 0 ? sentences[i].parts[k]
                                       : audit_prose_text(record, sentences[i].parts[k], "unknown",
                                                          text, sizeof text));
        }
        return;
    }
    audit_prose_add(p, "poemd recorded the event \"%s\".",
                    audit_prose_text(record, "event", "unknown", text, sizeof text));
}

const char *audit_prose(const json_t *record, char out[AUDIT_PROSE_MAX])
{
    const json_t *const host = json_object_get(record, "host");
    const char *const event = json_string_value(json_object_get(record, "event"));
    struct prose p = {.n = 0};
    char text[PROSE_NAME];
    char when[64];

    p.out = out;
    if (event && strcmp(event, "checkpoint") == 0) {
        audit_prose_add(&p, "poemd sealed all records before this one with a signed checkpoint, "
                            "which has no time of its own.");
        return out;
    }
    audit_prose_add(&p, "On %s",
                    audit_prose_time(json_string_value(json_object_get(record, "time")), when));
    if (json_object_get(host, "name")) {
        audit_prose_add(&p, ", on host %s,", audit_prose_text(host, "name", "", text, sizeof text));
    }
    if (event && strcmp(event, "verdict") == 0) {
        audit_prose_add_verdict(&p, record);
    } else {
        audit_prose_add_event(&p, record, event ? event : "");
    }
    return out;
}
