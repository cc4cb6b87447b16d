/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Lines for people, in the manner of strace. Nothing of a trace is printed raw. */
#define _POSIX_C_SOURCE 200809L
#include "trace/decode/show_parts.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "handshake/json.h"
#include "trace/decode/decode_parts.h"

#define BOLD "\33[1m"
#define DIM "\33[2m"
#define RED "\33[31m"
#define YELLOW "\33[33m"
#define CYAN "\33[36m"
#define PLAIN "\33[0m"

/* Where what belongs below a line begins. */
#define BELOW "             "

static void colour(const struct show_look *l, struct text *t, const char *code)
{
    if (l->o.colour) {
        text_str(t, code);
    }
}

/* ---- time ---- */

static void fraction(struct text *t, uint64_t seconds, uint64_t ns, unsigned width)
{
    text_dec_in(t, seconds, width, ' ');
    text_char(t, '.');
    text_dec_in(t, ns / 1000, 6, '0');
}

static void absolute(struct show_look *l, struct text *t, uint64_t ns)
{
    const uint64_t second = ns / 1000000000;

    if (second != l->second || !*l->date) {
        const time_t at = (time_t)second;
        struct tm tm;

        l->second = second;
        if (!gmtime_r(&at, &tm) || strftime(l->date, sizeof l->date, "%FT%T", &tm) == 0) {
            snprintf(l->date, sizeof l->date, "%llu", (unsigned long long)second);
        }
    }
    text_str(t, l->date);
    text_char(t, '.');
    text_dec_in(t, ns % 1000000000 / 1000, 6, '0');
    text_char(t, 'Z');
}

static void relative(struct text *t, uint64_t ns, uint64_t since, char sign)
{
    /* Clocks are set back now and then. */
    const bool before = ns < since;
    const uint64_t d = before ? since - ns : ns - since;

    if (before) {
        sign = '-';
    }
    text_char(t, sign);
    fraction(t, d / 1000000000, d % 1000000000, 5);
}

static void put_time(struct show_look *l, struct text *t, uint64_t ns)
{
    switch (l->o.time) {
    case SHOW_RELATIVE:
        relative(t, ns, l->first_ns, ' ');
        break;
    case SHOW_ABSOLUTE:
        absolute(l, t, ns);
        break;
    case SHOW_DELTA:
        relative(t, ns, l->last_ns ? l->last_ns : ns, '+');
        l->last_ns = ns;
        break;
    }
}

/* ---- messages ---- */

/* Who to whom; one leg: the broker is one of them, at the bar. */
static const char *arrow(const struct trace_message *m)
{
    const bool client = m->sender == TRACE_FROM_CLIENT;

    if (m->legs == TRACE_LEG_CLIENT) {
        return client ? "->|" : "<-|";
    }
    if (m->legs == TRACE_LEG_BACKEND) {
        return client ? "|->" : "|<-";
    }
    if (m->flags & TRACE_TWIN) {
        return client ? "==>" : "<==";
    }
    return client ? "-->" : "<--";
}

static void note(const struct show_look *l, struct text *t, const char *text)
{
    text_char(t, ' ');
    colour(l, t, YELLOW);
    text_char(t, '[');
    text_str(t, text);
    text_char(t, ']');
    colour(l, t, PLAIN);
}

/* What is odd about a message, and what is asked for by -v. */
static void notes(const struct show_look *l, struct text *t, const struct decode_view *v)
{
    const struct trace_message *m = v->m;

    if (v->check != WIRE_OK && v->check != WIRE_UNKNOWN_COMMAND) {
        text_char(t, ' ');
        colour(l, t, RED);
        text_str(t, "[malformed: ");
        text_str(t, wire_check_text(v->check));
        text_char(t, ']');
        colour(l, t, PLAIN);
    }
    if (v->hdr.flags & ~(WIRE_TYPE_MASK | WIRE_NO_REPLY | WIRE_ERROR)) {
        text_str(t, " [flags ");
        text_hex(t, v->hdr.flags);
        text_char(t, ']');
    }
    if (m->flags & TRACE_UNDELIVERED) {
        note(l, t, "not delivered");
    }
    if ((m->flags & TRACE_BROKER) && v->reply) {
        note(l, t, "by the broker");
    }
    if (l->o.verbose) {
        text_str(t, " [#");
        text_dec(t, m->number);
        text_char(t, ' ');
        text_dec(t, m->size);
        text_str(t, " bytes, passed on in ");
        text_duration(t, m->passed_ns);
        text_char(t, ']');
    }
}

static void below(struct show_look *l, struct text *after, const struct show_item *i)
{
    if (i->comment) {
        text_str(after, BELOW);
        colour(l, after, YELLOW);
        text_str(after, "^ ");
        text_escape(after, i->comment, strlen(i->comment));
        colour(l, after, PLAIN);
        text_char(after, '\n');
    }
}

static void lost(struct show_look *l, struct text *line, const struct show_item *i)
{
    const struct trace_message *m = i->v->m;

    if (m->lost == 0) {
        return;
    }
    text_str(line, BELOW);
    colour(l, line, RED);
    text_str(line, i->shown->label);
    text_str(line, ": ");
    text_dec(line, m->lost);
    text_str(line, m->lost == 1 ? " message lost here" : " messages lost here");
    colour(l, line, PLAIN);
    text_char(line, '\n');
}

static void result(struct show_look *l, struct text *line, const struct show_item *i)
{
    const struct decode_view *v = i->v;
    struct pen pen = {.t = line, .verbose = l->o.verbose, .first = true};
    const char *word;

    text_str(line, " = ");
    if (v->hdr.flags & WIRE_ERROR) {
        word = name_errno(v->hdr.error);
        colour(l, line, RED);
        text_char(line, '-');
        if (word) {
            text_str(line, word);
        } else {
            text_dec(line, v->hdr.error);
        }
        colour(l, line, PLAIN);
        if (l->o.verbose && word) {
            text_str(line, " (");
            text_str(line, strerror((int)v->hdr.error));
            text_char(line, ')');
        }
        if (v->total > 0) {
            text_char(line, ' ');
            decode_raw(&pen, v, 0);
        }
    } else {
        decode_reply(&pen, v, i->request, i->shown->config);
    }
    if (v->m->n_fds > 0) {
        text_char(line, ' ');
        pen.first = true;
        pen_fds(&pen, v->m);
    }
}

static void command(struct show_look *l, struct text *line, const char *before, uint16_t code,
                    const char *behind)
{
    char name[16];

    text_str(line, before);
    colour(l, line, BOLD);
    text_str(line, decode_command(code, name));
    colour(l, line, PLAIN);
    text_str(line, behind);
}

static void arguments(struct show_look *l, struct text *line, const struct show_item *i)
{
    struct pen pen = {.t = line, .verbose = l->o.verbose, .first = true};

    command(l, line, "", i->v->hdr.command, "(");
    decode_request(&pen, i->v, i->shown->config);
    pen_fds(&pen, i->v->m);
    text_char(line, ')');
}

/* A message without a header's bytes. */
static void headless(struct text *line, const struct trace_message *m)
{
    struct pen pen = {.t = line, .first = true};

    text_str(line, "    - ? (");
    pen_data(&pen, "raw", m->data, m->kept, m->size);
    text_char(line, ')');
}

void show_text_head(struct show_look *l, struct text *line, struct text *after,
                    const struct show_item *i)
{
    const struct decode_view *v = i->v;

    lost(l, line, i);
    put_time(l, line, v->m->read_ns);
    text_char(line, ' ');
    text_str(line, i->shown->label);
    text_char(line, ' ');
    text_str(line, arrow(v->m));
    text_char(line, ' ');
    if (!v->has_hdr) {
        headless(line, v->m);
        below(l, after, i);
        return;
    }
    text_dec_in(line, v->hdr.id, 5, ' ');
    text_char(line, ' ');
    if (v->reply || i->request) {
        command(l, line, "<... ", v->hdr.command, i->request ? " resumed>" : " unasked for>");
        show_text_reply(l, line, after, i);
        return;
    }
    if ((v->hdr.flags & WIRE_TYPE_MASK) != WIRE_TYPE_COMMAND) {
        text_str(line, "type ");
        text_dec(line, v->hdr.flags & WIRE_TYPE_MASK);
        text_char(line, ' ');
    }
    arguments(l, line, i);
    notes(l, line, v);
    below(l, after, i);
}

void show_text_reply(struct show_look *l, struct text *line, struct text *after,
                     const struct show_item *i)
{
    const struct decode_view *v = i->v;

    result(l, line, i);
    if (i->request) {
        text_str(line, " ");
        colour(l, line, DIM);
        text_char(line, '<');
        text_duration(line, trace_latency(i->request, v->m));
        text_char(line, '>');
        colour(l, line, PLAIN);
        if (i->request->hdr.command != v->hdr.command) {
            text_char(line, ' ');
            colour(l, line, RED);
            command(l, line, "[a reply to ", v->hdr.command, "]");
            colour(l, line, PLAIN);
        }
    }
    notes(l, line, v);
    below(l, after, i);
}

void show_text_end(struct show_look *l, struct text *line, enum show_end end)
{
    static const char *const texts[] = {
        [SHOW_ANSWERED] = "",
        [SHOW_POSTED] = " = no reply wanted",
        [SHOW_UNFINISHED] = " <unfinished ...>",
        [SHOW_NEVER] = " = no reply",
    };

    if (end == SHOW_NEVER) {
        colour(l, line, RED);
    }
    text_str(line, texts[end]);
    if (end == SHOW_NEVER) {
        colour(l, line, PLAIN);
    }
    text_char(line, '\n');
}

/* ---- sessions ---- */

static void part(struct text *line, bool *first, const char *word, const char *text)
{
    text_str(line, *first ? ": " : "; ");
    *first = false;
    text_str(line, word);
    text_escape(line, text, strlen(text));
}

/* Of the facts what decides how much the rest is worth; -v has them all. */
static void facts_in_short(struct text *line, bool *first, const char *comment)
{
    json_t *facts;
    const char *verdict, *taint;
    const json_t *record;

    if (json_read(comment, strlen(comment) + 1, &facts) != JSON_OK) {
        return;
    }
    verdict = json_string_value(json_object_get(facts, "verdict"));
    taint = json_string_value(json_object_get(facts, "taint"));
    record = json_object_get(facts, "audit");
    if (verdict) {
        part(line, first, "", verdict);
    }
    if (taint && strcmp(taint, "-") != 0) {
        part(line, first, "taint ", taint);
    }
    if (json_is_integer(record) && json_integer_value(record) >= 0) {
        part(line, first, "audit record ", "");
        text_dec(line, (uint64_t)json_integer_value(record));
    }
    if (json_is_true(json_object_get(facts, "late"))) {
        part(line, first, "captured late", "");
    }
    json_decref(facts);
}

void show_text_session(struct show_look *l, struct text *line, const struct show_session *shown,
                       const struct trace_session *s)
{
    struct pen pen = {.t = line, .verbose = l->o.verbose, .first = true};
    bool first = true;

    colour(l, line, CYAN);
    text_str(line, "=== ");
    text_str(line, shown->label);
    text_str(line, " begins");
    if (*s->description) {
        part(line, &first, "", s->description);
    }
    if (!l->o.verbose) {
        facts_in_short(line, &first, s->comment);
    } else if (*s->comment) {
        text_str(line, first ? ": " : "; ");
        pen_json(&pen, "session", s->comment, strlen(s->comment));
    }
    colour(l, line, PLAIN);
    text_char(line, '\n');
}

void show_text_statistics(struct show_look *l, struct text *line, const struct show_session *shown,
                          const struct trace_session *s)
{
    struct pen pen = {.t = line, .verbose = l->o.verbose, .first = true};

    colour(l, line, CYAN);
    text_str(line, "=== ");
    text_str(line, shown->label);
    text_str(line, " ends: ");
    text_dec(line, s->seen);
    text_str(line, s->seen == 1 ? " message, " : " messages, ");
    text_dec(line, s->lost);
    text_str(line, " lost");
    if (*s->ending) {
        text_str(line, ", ");
        pen.first = true;
        pen_json(&pen, "ending", s->ending, strlen(s->ending));
    }
    colour(l, line, PLAIN);
    text_char(line, '\n');
}
