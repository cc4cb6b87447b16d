/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads and writes lines of the audit log. Uses no files and no clock. */
#define _GNU_SOURCE
#include "audit/audit_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text/base64.h"
#include "base/text/hex.h"
#include "base/log.h"
#include "audit/audit_note.h"

const struct audit_event audit_events[] = {
    {"broker-start", true, false, {"version", "pid", NULL}},
    {"broker-stop", true, false, {"reason", "sessions", NULL}},
    {"broker-upgraded", true, false, {"version", "from", "by", NULL}},
    {"broker-resumed", true, false, {"version", "pid", "from", "reason", "sessions", NULL}},
    {"config", false, false, {"sha256", NULL}},
    {"reloaded", true, false, {"old", "new", "by", NULL}},
    {"session-opened", false, false, {"session", "route", NULL}},
    {"verdict",
     true,
     false,
     {"session", "route", "verdict", "rule", "taint", "client", "backend", NULL}},
    {"memory-exported", false, false, {"session", "how", "ranges", NULL}},
    {"executable-changed",
     true,
     false,
     {"session", "route", "of", "judged", "changed", "then", NULL}},
    {"session-resumed",
     false,
     false,
     {"session", "route", "reason", "from", "to", "in-hand", "doubt", NULL}},
    {"backend-lost", false, false, {"session", "route", "reason", "requests", NULL}},
    {"backend-replaced",
     true,
     false,
     {"session", "route", "verdict", "rule", "taint", "before", "backend", NULL}},
    {"replacement-allowed",
     true,
     false,
     {"session", "route", "verdict", "rule", "taint", "before", "backend", NULL}},
    {"replacement", false, false, {"session", "route", "outcome", "pause-us", "steps-us", NULL}},
    {"backend-refused", true, false, {"session", "route", NULL}},
    {"session-ended", false, false, {"session", "route", "reason", "taint", NULL}},
    {AUDIT_REPEATED, true, false, {"route", "count", "first", "last", "reasons", NULL}},
    {"override", true, false, {"session", "route", "what", "by", "where", NULL}},
    {"injection", true, false, {"session", "route", "rules", "by", NULL}},
    {"trace-started", false, false, {"file", "by", NULL}},
    {"trace-ended", false, false, {"file", "reason", NULL}},
    {AUDIT_ROTATED, true, true, {"file", "tree_size", "root", "frontier", NULL}},
    {AUDIT_RECOVERED, true, true, {"bytes", "unsealed", NULL}},
    {AUDIT_LOSS, true, true, {"kept", "sealed", NULL}},
    {AUDIT_LOST, true, true, {"count", "first", "last", "events", NULL}},
    {AUDIT_CLOCK, true, true, {"before", NULL}},
    {AUDIT_CHECKPOINT, false, true, {"note", NULL}},
    {NULL, false, false, {NULL}},
};

const struct audit_event *audit_event_find(const char *name, size_t n)
{
    for (const struct audit_event *e = audit_events; e->name; e++) {
        if (strlen(e->name) == n && memcmp(e->name, name, n) == 0) {
            return e;
        }
    }
    return NULL;
}

/* "time" as a pattern for audit_line_take_pattern. */
#define AUDIT_TIME_PATTERN "0000-00-00T00:00:00.000000000Z"

/* ---- reading ---- */

/* The unread bytes of a line. */
struct cursor {
    const char *p;
    size_t n;
};

static bool audit_line_take(struct cursor *c, const char *text)
{
    const size_t n = strlen(text);

    if (c->n < n || memcmp(c->p, text, n) != 0) {
        return false;
    }
    c->p += n;
    c->n -= n;
    return true;
}

static bool audit_line_take_number(struct cursor *c, uint64_t *out)
{
    const char *const from = c->p;
    uint64_t v = 0;

    while (c->n > 0 && *c->p >= '0' && *c->p <= '9') {
        if (__builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (unsigned)(*c->p - '0'), &v)) {
            return false;
        }
        c->p++;
        c->n--;
    }
    *out = v;
    return c->p != from && (*from != '0' || c->p == from + 1);
}

/* Takes bytes that match a pattern: 0 is a digit, x a hexadecimal digit, all else itself. */
static bool audit_line_take_pattern(struct cursor *c, const char *pattern, const char **out)
{
    const size_t n = strlen(pattern);

    if (c->n < n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const char b = c->p[i];
        const bool digit = b >= '0' && b <= '9';
        const bool hex = digit || (b >= 'a' && b <= 'f');

        if (pattern[i] == '0' ? !digit : pattern[i] == 'x' ? !hex : b != pattern[i]) {
            return false;
        }
    }
    *out = c->p;
    c->p += n;
    c->n -= n;
    return true;
}

static bool audit_line_take_event(struct cursor *c, const struct audit_event **out)
{
    const char *const end = memchr(c->p, '"', c->n);

    *out = end ? audit_event_find(c->p, (size_t)(end - c->p)) : NULL;
    if (!*out) {
        return false;
    }
    c->n -= (size_t)(end + 1 - c->p);
    c->p = end + 1;
    return true;
}

/*
 * Returns whether the bytes look like one JSON object as the log writes it, in printable ASCII.
 * Only strings and brackets are checked, which is enough to reject two lines that were joined.
 */
static bool audit_line_is_one_object(const char *p, size_t n)
{
    unsigned depth = 0;
    bool text = false;

    for (size_t i = 0; i < n; i++) {
        const char c = p[i];

        if (c < 0x20 || c == 0x7f) {
            return false;
        }
        if (text) {
            i += c == '\\';
            text = c != '"';
        } else if (c == '"') {
            text = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && (depth == 0 || (--depth == 0 && i + 1 < n))) {
            return false;
        }
    }
    return depth == 0 && !text;
}

bool audit_line_read(struct audit_head *h, const char *line, size_t n)
{
    struct cursor c = {line, n};

    h->time = NULL;
    if (n > AUDIT_LINE_MAX || !audit_line_take(&c, "{\"seq\":") ||
        !audit_line_take_number(&c, &h->seq)) {
        return false;
    }
    if (audit_line_take(&c, ",\"time\":\"") &&
        (!audit_line_take_pattern(&c, AUDIT_TIME_PATTERN, &h->time) ||
         !audit_line_take(&c, "\""))) {
        return false;
    }
    if (!audit_line_take(&c, ",\"prev\":\"") ||
        !audit_line_take_pattern(&c, "xxxxxxxxxxxxxxxx", &h->prev) ||
        !audit_line_take(&c, "\",\"event\":\"") || !audit_line_take_event(&c, &h->event)) {
        return false;
    }
    h->rest = c.p;
    h->rest_n = c.n;
    if (c.n == 0 || c.p[c.n - 1] != '}' || (c.n > 1 && c.p[0] != ',')) {
        return false;
    }
    return audit_line_is_one_object(line, n) &&
           (h->time == NULL) == (strcmp(h->event->name, AUDIT_CHECKPOINT) == 0);
}

/* ---- writing ---- */

/* Maximum size of foreign text in a record. */
#define TEXT_MAX 4096

json_t *audit_text(const void *p, size_t n)
{
    char text[TEXT_MAX];

    return json_string(log_escape(text, sizeof text, p, n));
}

void audit_line_prev(const struct audit_hash *leaf, char out[AUDIT_PREV_SIZE + 1])
{
    static const struct audit_hash none;

    (void)hex_text((leaf ? leaf : &none)->b, AUDIT_PREV_SIZE / 2, out);
}

void audit_line_time(const struct timespec *t, char out[AUDIT_TIME_SIZE + 1])
{
    /* Years have four digits; a clock beyond year 9999 is wrong in any case. */
    const time_t last = 253402300799;
    time_t seconds = t->tv_sec < 0 ? 0 : t->tv_sec > last ? last : t->tv_sec;
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(out, AUDIT_TIME_SIZE + 1, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + 19, AUDIT_TIME_SIZE + 1 - 19, ".%09uZ", (unsigned)t->tv_nsec % 1000000000u);
}

void audit_line_now(char out[AUDIT_TIME_SIZE + 1])
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    audit_line_time(&now, out);
}

size_t audit_line_head(char *out, uint64_t seq, const char *time, const char *prev,
                       const char *event)
{
    return (size_t)snprintf(
        out, AUDIT_HEAD_MAX, "{\"seq\":%" PRIu64 "%s%s%s,\"prev\":\"%s\",\"event\":\"%s\"", seq,
        time ? ",\"time\":\"" : "", time ? time : "", time ? "\"" : "", prev, event);
}

/* ---- checkpoints ---- */

#define DASH "\xe2\x80\x94"
#define DASH_JSON "\\u2014"

/* A note consists of letters, digits, blanks, +/=._:-, newlines and a dash. */
size_t audit_line_checkpoint(char *out, uint64_t seq, const char *prev, const char *note)
{
    char *to = out + audit_line_head(out, seq, NULL, prev, AUDIT_CHECKPOINT);

    to = stpcpy(to, ",\"note\":\"");
    while (*note) {
        if (*note == '\n') {
            to = stpcpy(to, "\\n");
            note++;
        } else if (strncmp(note, DASH, strlen(DASH)) == 0) {
            to = stpcpy(to, DASH_JSON);
            note += strlen(DASH);
        } else {
            *to++ = *note++;
        }
    }
    return (size_t)(stpcpy(to, "\"}") - out);
}

bool audit_line_note(const struct audit_head *h, char *out)
{
    struct cursor c = {h->rest, h->rest_n};
    char *const end = out + AUDIT_NOTE_MAX - 4;

    if (!audit_line_take(&c, ",\"note\":\"") || c.n < 2) {
        return false;
    }
    while (c.n > 2 && out < end) {
        if (audit_line_take(&c, "\\n")) {
            *out++ = '\n';
        } else if (audit_line_take(&c, DASH_JSON)) {
            out = stpcpy(out, DASH);
        } else if (*c.p <= 0x20 ? *c.p != ' ' : *c.p >= 0x7f || *c.p == '"' || *c.p == '\\') {
            return false;
        } else {
            *out++ = *c.p++;
            c.n--;
        }
    }
    *out = '\0';
    return c.n == 2 && memcmp(c.p, "\"}", 2) == 0;
}

/* ---- rotation ---- */

static bool audit_line_read_hash(const json_t *v, struct audit_hash *out)
{
    const char *const text = json_string_value(v);

    return text && base64_read(text, json_string_length(v), out->b, sizeof out->b);
}

/* Returns whether a text has the form of "time". */
static bool line_is_time(const char *text)
{
    struct cursor c = {text, strlen(text)};
    const char *out;

    return audit_line_take_pattern(&c, AUDIT_TIME_PATTERN, &out) && c.n == 0;
}

static void audit_line_read_latest(const json_t *o, char *latest)
{
    const char *const text = json_string_value(json_object_get(o, "latest"));

    if (latest) {
        snprintf(latest, AUDIT_TIME_SIZE + 1, "%s", text && line_is_time(text) ? text : "");
    }
}

static bool audit_line_read_rotated(const json_t *o, uint64_t seq, struct audit_tree *out)
{
    const json_t *const size = json_object_get(o, "tree_size");
    const json_t *const frontier = json_object_get(o, "frontier");
    struct audit_hash peak[AUDIT_PEAKS];
    struct audit_hash named;
    struct audit_hash root;
    const size_t n = json_array_size(frontier);

    if (n > AUDIT_PEAKS || !json_is_string(json_object_get(o, "file")) || !json_is_integer(size) ||
        json_integer_value(size) < 1 || (uint64_t)json_integer_value(size) != seq ||
        !audit_line_read_hash(json_object_get(o, "root"), &named)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!audit_line_read_hash(json_array_get(frontier, i), &peak[i])) {
            return false;
        }
    }
    return audit_tree_set(out, seq, peak, (unsigned)n) && audit_tree_root(out, &root) == 0 &&
           audit_hash_same(&root, &named);
}

json_t *audit_line_members(const struct audit_head *h)
{
    /* The rest is an object with a comma as its first byte instead of a brace. */
    char text[AUDIT_LINE_MAX];

    if (h->rest_n < 2 || h->rest_n > sizeof text) {
        return NULL;
    }
    memcpy(text, h->rest, h->rest_n);
    text[0] = '{';
    return json_loadb(text, h->rest_n, JSON_REJECT_DUPLICATES, NULL);
}

bool audit_line_rotated(const struct audit_head *h, struct audit_tree *out, char *latest)
{
    json_t *const o = audit_line_members(h);
    const bool ok = o && audit_line_read_rotated(o, h->seq, out);

    if (ok) {
        audit_line_read_latest(o, latest);
    }
    json_decref(o);
    return ok;
}

static json_t *audit_line_hash_text(const struct audit_hash *h)
{
    char text[BASE64_SIZE(AUDIT_HASH_SIZE) + 1];

    base64_write(h->b, sizeof h->b, text);
    return json_string(text);
}

json_t *audit_line_rotate(const struct audit_tree *t, const char *file, const char *latest)
{
    struct audit_hash root;
    json_t *const frontier = json_array();
    bool ok = frontier && audit_tree_root(t, &root) == 0;

    for (unsigned i = 0; ok && i < t->peaks; i++) {
        ok = json_array_append_new(frontier, audit_line_hash_text(&t->peak[i])) == 0;
    }
    if (!ok) {
        json_decref(frontier);
        return NULL;
    }
    return json_pack("{s:o, s:I, s:o, s:o, s:s*}", "file", audit_text(file, strlen(file)),
                     "tree_size", (json_int_t)t->size, "root", audit_line_hash_text(&root),
                     "frontier", frontier, "latest", *latest ? latest : NULL);
}
