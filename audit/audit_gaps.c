/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Gathers the gaps that a log records about itself while it is verified, and converts a result to
 * JSON.
 */
#define _GNU_SOURCE
#include "audit/audit_verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/members.h"

/* Returns a number of a record, or 0 if missing; the log writes no negative numbers. */
static uint64_t audit_gaps_number(const json_t *o, const char *key)
{
    const json_int_t v = json_integer_value(json_object_get(o, key));

    return v > 0 ? (uint64_t)v : 0;
}

/* Adds with saturation: a forged log may contain any number. */
static void audit_gaps_add(uint64_t *sum, uint64_t more)
{
    if (__builtin_add_overflow(*sum, more, sum)) {
        *sum = INT64_MAX;
    }
}

static void audit_gaps_members(struct audit_gaps *t, const struct audit_head *head)
{
    json_t *const o = audit_line_members(head);
    const char *const event = head->event->name;

    if (strcmp(event, AUDIT_LOST) == 0) {
        t->lost_seq = t->lost ? t->lost_seq : head->seq;
        audit_gaps_add(&t->lost, audit_gaps_number(o, "count"));
    } else if (strcmp(event, AUDIT_LOSS) == 0) {
        const uint64_t sealed = audit_gaps_number(o, "sealed");
        const uint64_t kept = audit_gaps_number(o, "kept");

        t->gone_seq = t->gone ? t->gone_seq : head->seq;
        audit_gaps_add(&t->gone, sealed > kept ? sealed - kept : 0);
    } else {
        audit_gaps_add(&t->repeated, audit_gaps_number(o, "count"));
    }
    json_decref(o);
}

/* In older logs, a log-rotated record may be later than the records that waited to be written. */
static void audit_gaps_time(struct audit_gaps *t, const struct audit_head *head, const char *before)
{
    const bool marked = strcmp(head->event->name, AUDIT_CLOCK) == 0;

    if (!head->time || !*before || memcmp(head->time, before, AUDIT_TIME_SIZE) >= 0) {
        return;
    }
    if (t->back == 0 && t->unmarked == 0) {
        t->back_seq = head->seq;
    }
    if (marked) {
        t->back++;
    } else {
        t->unmarked++;
    }
}

void audit_gaps_line(struct audit_gaps *t, const struct audit_head *head, const char *before)
{
    static const char *const events[] = {AUDIT_LOST, AUDIT_LOSS, AUDIT_REPEATED};

    audit_gaps_time(t, head, before);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (strcmp(head->event->name, events[i]) == 0) {
            audit_gaps_members(t, head);
        }
    }
}

__attribute__((format(printf, 3, 4))) static void audit_gaps_print(char **out, size_t *size,
                                                                   const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(*out, *size, fmt, ap);
    va_end(ap);
    if (n > 0 && (size_t)n < *size) {
        *out += n;
        *size -= (size_t)n;
    } else {
        *size = 0;
    }
}

void audit_gaps_text(const struct audit_gaps *t, char *out, size_t size)
{
    const uint64_t back = t->back + t->unmarked;

    if (t->lost > 0) {
        audit_gaps_print(
            &out, &size,
            "; %" PRIu64
            " more could not be written and are lost (first reported by record %" PRIu64 ")",
            t->lost, t->lost_seq);
    }
    if (t->gone > 0) {
        audit_gaps_print(&out, &size,
                         "; %" PRIu64
                         " sealed records are missing, which an operator accepted (record "
                         "%" PRIu64 ")",
                         t->gone, t->gone_seq);
    }
    if (back > 0) {
        audit_gaps_print(&out, &size,
                         "; the clock was set back %" PRIu64 " time%s, first at record %" PRIu64,
                         back, back == 1 ? "" : "s", t->back_seq);
    }
}

json_t *audit_verify_json(const struct audit_result *r)
{
    const json_int_t to = r->bad_to > INT64_MAX ? -1 : (json_int_t)r->bad_to;

    return members_object((const struct member[]){
        {"format", json_string("poemd-audit-verify/1")},
        {"verdict", json_string(audit_verdict_word(r->verdict))},
        {"text", json_string(r->text)},
        {"first", members_number(r->first)},
        {"size", members_number(r->size)},
        {"sealed", members_number(r->sealed)},
        {"partial_bytes", members_number(r->partial)},
        {"being_written", json_boolean(r->written)},
        {"checkpoint", r->has_checkpoint ? json_string(r->note) : json_null()},
        {"bad", r->has_bad ? json_pack("{s:I, s:o}", "from", (json_int_t)r->bad_from, "to",
                                       to < 0 ? json_null() : json_integer(to))
                           : json_null()},
        {"host", r->host[0] ? json_string(r->host) : &members_omitted},
        {"lost_records", members_number(r->gaps.lost)},
        {"accepted_losses", members_number(r->gaps.gone)},
        {"clock_set_back", members_number(r->gaps.back + r->gaps.unmarked)},
        {"repeated_sessions", members_number(r->gaps.repeated)},
        {"file", r->bad_file[0] ? json_string(r->bad_file) : &members_omitted},
        {"line", r->bad_line > 0 ? members_number(r->bad_line) : &members_omitted},
        {NULL, NULL}});
}
