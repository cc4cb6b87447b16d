/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Converts statistics to JSON. Foreign text occurs only as strings; invalid UTF-8 is replaced. */
#define _GNU_SOURCE
#include "trace/report/stats_json.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/members.h"
#include "base/wire/wire_command.h"
#include "trace/decode/names.h"
#include "trace/report/stats_excerpts.h"

/* jansson's integers are signed: larger values, which no real trace has, become the largest. */
static json_t *stats_json_number(uint64_t v)
{
    return json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v);
}

/* A string of digits, since an offset has 64 bits, and numbers of other languages' readers less. */
static json_t *stats_json_hex(uint64_t v)
{
    char text[32];

    snprintf(text, sizeof text, "0x%" PRIx64, v);
    return json_string(text);
}

static json_t *stats_json_foreign(const char *text)
{
    char shown[1024];
    json_t *s;

    if (!text) {
        return json_null();
    }
    s = json_string(text);
    return s ? s : json_string(log_escape(shown, sizeof shown, text, strlen(text)));
}

static json_t *stats_json_time_text(uint64_t ns)
{
    const time_t seconds = (time_t)(ns / 1000000000);
    char day[40];
    char text[64];
    struct tm tm;

    if (ns == 0 || !gmtime_r(&seconds, &tm) || strftime(day, sizeof day, "%FT%T", &tm) == 0) {
        return json_null();
    }
    snprintf(text, sizeof text, "%s.%09" PRIu64 "Z", day, ns % 1000000000);
    return json_string(text);
}

/* Lists the steps that are not empty: [from, below, count]. */
static json_t *stats_json_steps(const struct stats_histogram *h)
{
    json_t *const list = json_array();

    for (unsigned i = 0; i < STATS_HISTOGRAM_STEPS; i++) {
        const uint64_t n = stats_histogram_step_count(h, i);

        if (n > 0) {
            json_array_append_new(
                list, json_pack("[o, o, o]", stats_json_number(stats_histogram_step_low(i)),
                                stats_json_number(stats_histogram_step_low(i + 1)),
                                stats_json_number(n)));
        }
    }
    return list;
}

static json_t *stats_json_spread(const struct stats_histogram *h)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "count", stats_json_number(h->count), "min_ns",
        stats_json_number(h->min), "median_ns", stats_json_number(stats_histogram_quantile(h, 500)),
        "p99_ns", stats_json_number(stats_histogram_quantile(h, 990)), "max_ns",
        stats_json_number(h->max), "mean_ns", stats_json_number(h->count ? h->sum / h->count : 0),
        "histogram", stats_json_steps(h));
}

static json_t *stats_json_row(const struct stats_row *r)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "requests", stats_json_number(r->requests),
        "no_reply", stats_json_number(r->no_reply), "replies", stats_json_number(r->replies),
        "errors", stats_json_number(r->errors), "unanswered", stats_json_number(r->unanswered),
        "bytes", stats_json_number(r->bytes), "latency", stats_json_spread(&r->latency));
}

static json_t *stats_json_commands(const struct stats *s)
{
    json_t *const list = json_array();

    for (unsigned i = 0; i < STATS_COMMANDS; i++) {
        /* Row 0, for commands without a name, comes last. */
        const unsigned code = (i + 1) % STATS_COMMANDS;
        const struct stats_row *const r = &s->commands[code];

        if (r->requests + r->replies > 0) {
            json_t *const o = stats_json_row(r);

            json_object_set_new(o, "command", json_string(stats_command_name(code)));
            json_array_append_new(list, o);
        }
    }
    return list;
}

static json_t *stats_json_cells(const uint64_t *counts, size_t n)
{
    json_t *const list = json_array();

    for (size_t i = 0; i < n; i++) {
        json_array_append_new(list, stats_json_number(counts[i]));
    }
    return list;
}

static json_t *stats_json_region(const struct stats_region *r, bool own)
{
    const size_t used = stats_heat_used(&r->heat);

    return members_object((const struct member[]){
        {"route", own ? stats_json_foreign(r->route) : json_null()},
        {"region", own ? stats_json_number(r->index) : json_null()},
        {"name", own ? members_text(wire_name_of(wire_regions, r->index)) : json_null()},
        {"size", r->size > 0 ? stats_json_hex(r->size) : json_null()},
        {"read", stats_json_row(&r->read)},
        {"write", stats_json_row(&r->write)},
        {"first", used ? stats_json_hex(r->heat.first) : json_null()},
        {"last", used ? stats_json_hex(r->heat.last) : json_null()},
        {"cell_bytes", stats_json_number((uint64_t)1 << r->heat.shift)},
        {"cell_reads", stats_json_cells(r->heat.reads, used)},
        {"cell_writes", stats_json_cells(r->heat.writes, used)},
        {NULL, NULL}});
}

static bool stats_json_accessed(const struct stats_region *r)
{
    return r->read.requests + r->write.requests + r->read.replies + r->write.replies > 0;
}

static json_t *stats_json_regions(const struct stats *s)
{
    json_t *const list = json_array();

    for (size_t i = 0; i < s->n_regions; i++) {
        if (stats_json_accessed(s->regions[i])) {
            json_array_append_new(list, stats_json_region(s->regions[i], true));
        }
    }
    if (stats_json_accessed(&s->others)) {
        json_array_append_new(list, stats_json_region(&s->others, false));
    }
    return list;
}

static json_t *stats_json_sender(const struct stats_sender *from)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "messages", stats_json_number(from->messages), "bytes",
                     stats_json_number(from->bytes), "fds", stats_json_number(from->fds), "passed",
                     stats_json_spread(&from->passed));
}

static json_t *stats_json_sessions(const struct stats *s)
{
    json_t *const list = json_array();

    for (size_t i = 0; i < s->sessions_room && json_array_size(list) < STATS_SESSIONS; i++) {
        const struct stats_session *const one = &s->sessions[i];

        if (one->session) {
            json_array_append_new(list,
                                  json_pack("{s:o, s:o, s:o, s:o, s:b}", "session",
                                            stats_json_number(one->session->number), "route",
                                            stats_json_foreign(one->session->route), "messages",
                                            stats_json_number(one->messages), "lost",
                                            stats_json_number(stats_session_lost(one)), "ended",
                                            one->session->over));
        }
    }
    return list;
}

static uint64_t stats_json_count_sessions(const struct stats *s)
{
    uint64_t n = 0;

    for (size_t i = 0; i < s->sessions_room; i++) {
        n += s->sessions[i].session != NULL;
    }
    return n;
}

static json_t *stats_json_notes(const struct stats *s)
{
    json_t *const list = json_array();

    for (size_t i = 0; i < s->n_notes; i++) {
        json_array_append_new(list,
                              json_pack("{s:o, s:o}", "what", stats_json_foreign(s->notes[i].text),
                                        "count", stats_json_number(s->notes[i].count)));
    }
    return list;
}

/* ---- for plots ---- */

static json_t *stats_json_latency_cells(const struct stats_column *c)
{
    json_t *const list = json_array();

    for (unsigned i = 0; i < STATS_TIME_ROWS; i++) {
        if (c->latency[i] > 0) {
            json_array_append_new(list,
                                  json_pack("[i, o]", (int)i, stats_json_number(c->latency[i])));
        }
    }
    return list;
}

static json_t *stats_json_columns(const struct stats *s, bool detail)
{
    const size_t used = stats_time_used(&s->time);
    json_t *const list = json_array();

    for (size_t i = 0; i < used; i++) {
        const struct stats_column *const c = &s->time.columns[i];
        json_t *const o = json_pack(
            "{s:o, s:o, s:o, s:o, s:o, s:o}", "client", stats_json_number(c->messages[SIDE_CLIENT]),
            "backend", stats_json_number(c->messages[SIDE_BACKEND]), "errors",
            stats_json_number(c->errors), "lost", stats_json_number(c->lost), "median_ns",
            stats_json_number(stats_column_quantile(c, 500)), "p99_ns",
            stats_json_number(stats_column_quantile(c, 990)));

        if (detail) {
            json_object_set_new(o, "latency", stats_json_latency_cells(c));
        }
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *stats_json_step_bounds(void)
{
    json_t *const list = json_array();

    for (unsigned i = 0; i <= STATS_TIME_ROWS; i++) {
        json_array_append_new(list, stats_json_number(stats_histogram_step_low(i)));
    }
    return list;
}

static json_t *stats_json_place(const struct access *a)
{
    char text[96];

    if (a->kind == ACCESS_NONE) {
        return json_string("");
    }
    if (a->kind == ACCESS_MEMORY) {
        snprintf(text, sizeof text, "memory 0x%" PRIx64 ", %" PRIu64 " bytes", a->offset, a->count);
    } else {
        const char *const name = wire_name_of(wire_regions, a->region);
        char numbered[32];

        snprintf(numbered, sizeof numbered, "region %" PRIu32, a->region);
        if (a->count > 0) {
            snprintf(text, sizeof text, "%s+0x%" PRIx64 ", %" PRIu64 " bytes",
                     name ? name : numbered, a->offset, a->count);
        } else {
            snprintf(text, sizeof text, "%s", name ? name : numbered);
        }
    }
    return json_string(text);
}

static json_t *stats_json_error_name(const struct access *a)
{
    const char *name;
    char text[32];

    if (!wire_is_reply(&a->hdr) || (a->hdr.flags & WIRE_ERROR) == 0) {
        return json_string("");
    }
    name = names_errno(a->hdr.error);
    snprintf(text, sizeof text, "error %" PRIu32, a->hdr.error);
    return json_string(name ? name : text);
}

/* The parts of a step, in the order in which stats_json_step has them. */
static const char *const step_fields[] = {"session", "number", "read_ns", "passed_ns", "latency_ns",
                                          "command", "id",     "reply",   "sender",    "legs",
                                          "size",    "place",  "error",   "fds"};

#define STEP_FIELDS (sizeof step_fields / sizeof *step_fields)

static json_t *stats_json_step(const struct stats_step *m)
{
    const char *const name =
        stats_command_name(wire_command_find(m->access.hdr.command) ? m->access.hdr.command : 0);

    json_t *const values[STEP_FIELDS] = {stats_json_number(m->session),
                                         stats_json_number(m->number),
                                         stats_json_number(m->read_ns),
                                         stats_json_number(m->passed_ns),
                                         stats_json_number(m->latency),
                                         json_string(name),
                                         json_integer(m->access.hdr.id),
                                         json_integer(wire_is_reply(&m->access.hdr)),
                                         json_integer(m->sender),
                                         json_integer(m->legs),
                                         stats_json_number(m->access.hdr.size),
                                         stats_json_place(&m->access),
                                         stats_json_error_name(&m->access),
                                         json_integer(m->n_fds)};

    return members_array(values, STEP_FIELDS);
}

static json_t *stats_json_excerpts(const struct stats_excerpts *e)
{
    json_t *const head = json_array();
    json_t *const tail = json_array();
    json_t *const slow = json_array();
    json_t *const fields = json_array();

    for (size_t i = 0; i < STEP_FIELDS; i++) {
        json_array_append_new(fields, json_string(step_fields[i]));
    }
    for (size_t i = 0; i < e->n_head; i++) {
        json_array_append_new(head, stats_json_step(&e->head[i]));
    }
    for (size_t i = 0; i < e->n_slow; i++) {
        json_array_append_new(slow, stats_json_step(&e->slow[i]));
    }
    for (size_t i = 0; i < e->n_tail; i++) {
        json_array_append_new(tail, stats_json_step(stats_excerpts_tail(e, i)));
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "fields", fields, "head", head, "slow", slow, "tail",
                     tail);
}

static json_t *stats_json_whole(const struct stats *s)
{
    return json_pack("{s:o, s:o}", "own_ns", stats_json_number(s->broker_ns), "whole_ns",
                     stats_json_number(s->whole_ns));
}

static json_t *stats_json_senders(const struct stats *s)
{
    return json_pack("{s:o, s:o}", "client", stats_json_sender(&s->senders[SIDE_CLIENT]), "backend",
                     stats_json_sender(&s->senders[SIDE_BACKEND]));
}

static json_t *stats_json_over_time(const struct stats *s, bool detail)
{
    return json_pack("{s:o, s:o}", "column_ns", stats_json_number(s->time.width), "columns",
                     stats_json_columns(s, detail));
}

json_t *stats_json(const struct stats *s, const struct stats_about *about, bool detail)
{
    const struct member {
        const char *name;
        json_t *value;
    } members[] = {
        {"format", json_string("poemd-trace-stats/1")},
        {"file", stats_json_foreign(about->file)},
        {"filter", stats_json_foreign(about->filter)},
        {"broken", stats_json_foreign(about->broken)},
        {"begin", stats_json_time_text(s->begin_ns)},
        {"duration_ns", stats_json_number(s->end_ns > s->begin_ns ? s->end_ns - s->begin_ns : 0)},
        {"messages", stats_json_number(s->messages)},
        {"made", stats_json_number(s->made)},
        {"lost", stats_json_number(stats_lost(s))},
        {"unasked", stats_json_number(s->unasked)},
        {"undelivered", stats_json_number(s->undelivered)},
        {"malformed", stats_json_number(s->malformed)},
        {"given_up", stats_json_number(s->given_up)},
        {"senders", stats_json_senders(s)},
        {"broker", stats_json_whole(s)},
        {"latency", stats_json_spread(&s->latency)},
        {"commands", stats_json_commands(s)},
        {"regions", stats_json_regions(s)},
        {"session_count", stats_json_number(stats_json_count_sessions(s))},
        {"sessions", stats_json_sessions(s)},
        {"unseen", stats_json_notes(s)},
        {"more_unseen", stats_json_number(s->more_notes)},
        {"time", stats_json_over_time(s, detail)},
        {"steps", detail ? stats_json_step_bounds() : NULL},
        {"excerpts", detail ? stats_json_excerpts(&s->excerpts) : NULL},
    };
    const size_t n = sizeof members / sizeof *members - (detail ? 0 : 2);
    json_t *const o = json_object();
    bool ok = o != NULL;

    /* Takes each value, also if memory ran out for another one. */
    for (size_t i = 0; i < n; i++) {
        ok = json_object_set_new(o, members[i].name, members[i].value) == 0 && ok;
    }
    if (!ok) {
        json_decref(o);
        return NULL;
    }
    return o;
}
