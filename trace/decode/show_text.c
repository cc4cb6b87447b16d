/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Prints lines for people, in the manner of strace. Text from the trace is always escaped. */
#define _POSIX_C_SOURCE 200809L
#include "trace/decode/show_hex.h"
#include "trace/decode/show_line.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "handshake/json.h"
#include "trace/decode/decode_fields.h"

#define BOLD "\33[1m"
#define DIM "\33[2m"
#define RED "\33[31m"
#define YELLOW "\33[33m"
#define CYAN "\33[36m"
#define PLAIN "\33[0m"

/* Indent of the lines below a message. */
#define BELOW "             "

static void show_text_colour(const struct show_look *l, struct strbuf *t, const char *code)
{
    if (l->o.colour) {
        strbuf_str(t, code);
    }
}

/* ---- time ---- */

static void show_text_fraction(struct strbuf *t, uint64_t seconds, uint64_t ns, unsigned width)
{
    strbuf_dec_in(t, seconds, width, ' ');
    strbuf_char(t, '.');
    strbuf_dec_in(t, ns / 1000, 6, '0');
}

static void show_text_absolute(struct show_look *l, struct strbuf *t, uint64_t ns)
{
    const uint64_t second = ns / 1000000000;

    if (second != l->second || !*l->date) {
        const time_t at = (time_t)second;
        struct tm tm;

        l->second = second;
        if (!(l->o.time == SHOW_LOCAL ? localtime_r(&at, &tm) : gmtime_r(&at, &tm)) ||
            strftime(l->date, sizeof l->date, "%FT%T", &tm) == 0 ||
            strftime(l->zone, sizeof l->zone, l->o.time == SHOW_LOCAL ? "%z" : "Z", &tm) == 0) {
            snprintf(l->date, sizeof l->date, "%llu", (unsigned long long)second);
            l->zone[0] = '\0';
        }
        if (strlen(l->zone) == sizeof "+hhmm" - 1) {
            memmove(l->zone + 4, l->zone + 3, sizeof "mm");
            l->zone[3] = ':';
        }
    }
    strbuf_str(t, l->date);
    strbuf_char(t, '.');
    strbuf_dec_in(t, ns % 1000000000 / 1000, 6, '0');
    strbuf_str(t, l->zone);
}

static void show_text_relative(struct strbuf *t, uint64_t ns, uint64_t since, char sign)
{
    /* The clock may have been set back. */
    const bool before = ns < since;
    const uint64_t d = before ? since - ns : ns - since;

    if (before) {
        sign = '-';
    }
    strbuf_char(t, sign);
    show_text_fraction(t, d / 1000000000, d % 1000000000, 5);
}

static void show_text_put_time(struct show_look *l, struct strbuf *t, uint64_t ns)
{
    switch (l->o.time) {
    case SHOW_RELATIVE:
        show_text_relative(t, ns, l->first_ns, ' ');
        break;
    case SHOW_ABSOLUTE:
    case SHOW_LOCAL:
        show_text_absolute(l, t, ns);
        break;
    case SHOW_DELTA:
        show_text_relative(t, ns, l->last_ns ? l->last_ns : ns, '+');
        l->last_ns = ns;
        break;
    }
}

/* ---- messages ---- */

/*
 * The arrow from sender to receiver. If only one leg saw the message, the broker is the other end,
 * marked by the bar.
 */
static const char *show_text_arrow(const struct trace_message *m)
{
    const bool client = m->sender == SIDE_CLIENT;

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

static void show_text_note(const struct show_look *l, struct strbuf *t, const char *text)
{
    strbuf_char(t, ' ');
    show_text_colour(l, t, YELLOW);
    strbuf_char(t, '[');
    strbuf_str(t, text);
    strbuf_char(t, ']');
    show_text_colour(l, t, PLAIN);
}

/* Reports a message that its sender began and did not finish. */
static void show_text_missing(const struct show_look *l, struct strbuf *t,
                              const struct trace_message *m)
{
    strbuf_char(t, ' ');
    show_text_colour(l, t, RED);
    strbuf_str(t, "[incomplete: ");
    strbuf_dec(t, m->size - m->missing);
    strbuf_str(t, " of ");
    strbuf_dec(t, m->size);
    strbuf_str(t, " bytes in ");
    strbuf_duration(t, m->passed_ns);
    strbuf_char(t, ']');
    show_text_colour(l, t, PLAIN);
}

/* Prints the oddities of a message, and the details that -v asks for. */
static void show_text_notes(const struct show_look *l, struct strbuf *t,
                            const struct decode_view *v)
{
    const struct trace_message *m = v->m;

    if (v->check != WIRE_OK && v->check != WIRE_UNKNOWN_COMMAND) {
        strbuf_char(t, ' ');
        show_text_colour(l, t, RED);
        strbuf_str(t, "[malformed: ");
        strbuf_str(t, wire_check_text(v->check));
        strbuf_char(t, ']');
        show_text_colour(l, t, PLAIN);
    }
    if (v->hdr.flags & ~(WIRE_TYPE_MASK | WIRE_NO_REPLY | WIRE_ERROR)) {
        strbuf_str(t, " [flags ");
        strbuf_hex(t, v->hdr.flags);
        strbuf_char(t, ']');
    }
    if (m->missing > 0) {
        show_text_missing(l, t, m);
    } else if (m->flags & TRACE_UNDELIVERED) {
        show_text_note(l, t, "not delivered");
    }
    if ((m->flags & TRACE_BROKER) && v->reply) {
        show_text_note(l, t, "by the broker");
    }
    if (l->o.verbose) {
        strbuf_str(t, " [#");
        strbuf_dec(t, m->number);
        strbuf_char(t, ' ');
        strbuf_dec(t, m->size);
        strbuf_str(t, " bytes, passed on in ");
        strbuf_duration(t, trace_message_broker_ns(m));
        if (m->waited_ns > 0) {
            strbuf_str(t, " and ");
            strbuf_duration(t, m->waited_ns);
            strbuf_str(t, " in which its sender paused");
        }
        strbuf_char(t, ']');
    }
}

static void show_text_below(struct show_look *l, struct strbuf *after, const struct show_item *i)
{
    if (i->comment) {
        strbuf_str(after, BELOW);
        show_text_colour(l, after, YELLOW);
        strbuf_str(after, "^ ");
        strbuf_escape(after, i->comment, strlen(i->comment));
        show_text_colour(l, after, PLAIN);
        strbuf_char(after, '\n');
    }
    if (l->o.hex) {
        show_hex_dump(after, i->v->m);
    }
}

static void show_text_lost(struct show_look *l, struct strbuf *line, const struct show_item *i)
{
    const struct trace_message *m = i->v->m;

    if (m->lost == 0) {
        return;
    }
    strbuf_str(line, BELOW);
    show_text_colour(l, line, RED);
    strbuf_str(line, i->shown->label);
    strbuf_str(line, ": ");
    strbuf_dec(line, m->lost);
    strbuf_str(line, m->lost == 1 ? " message lost here" : " messages lost here");
    show_text_colour(l, line, PLAIN);
    strbuf_char(line, '\n');
}

static void show_text_result(struct show_look *l, struct strbuf *line, const struct show_item *i)
{
    const struct decode_view *v = i->v;
    struct printer printer = {.t = line, .verbose = l->o.verbose, .first = true};
    const char *word;

    strbuf_str(line, " = ");
    if (v->hdr.flags & WIRE_ERROR) {
        word = names_errno(v->hdr.error);
        show_text_colour(l, line, RED);
        strbuf_char(line, '-');
        if (word) {
            strbuf_str(line, word);
        } else {
            strbuf_dec(line, v->hdr.error);
        }
        show_text_colour(l, line, PLAIN);
        if (l->o.verbose && word) {
            strbuf_str(line, " (");
            strbuf_str(line, strerror((int)v->hdr.error));
            strbuf_char(line, ')');
        }
        if (v->total > 0) {
            strbuf_char(line, ' ');
            decode_raw(&printer, v->p, v->n, v->total, 0);
        }
    } else {
        decode_reply(&printer, v, i->request, i->shown->config);
    }
    if (v->m->n_fds > 0) {
        strbuf_char(line, ' ');
        printer.first = true;
        printer_fds(&printer, v->m);
    }
}

static void show_text_command(struct show_look *l, struct strbuf *line, const char *before,
                              uint16_t code, const char *behind)
{
    char name[16];

    strbuf_str(line, before);
    show_text_colour(l, line, BOLD);
    strbuf_str(line, decode_command(code, name));
    show_text_colour(l, line, PLAIN);
    strbuf_str(line, behind);
}

static void show_text_arguments(struct show_look *l, struct strbuf *line, const struct show_item *i)
{
    struct printer printer = {.t = line, .verbose = l->o.verbose, .first = true};

    show_text_command(l, line, "", i->v->hdr.command, "(");
    decode_request(&printer, i->v, i->shown->config);
    printer_fds(&printer, i->v->m);
    strbuf_char(line, ')');
}

/* Prints a message without a kept header. */
static void show_text_headless(struct strbuf *line, const struct trace_message *m)
{
    struct printer printer = {.t = line, .first = true};

    strbuf_str(line, "    - ? (");
    printer_data(&printer, "raw", m->data, m->kept, m->size);
    strbuf_char(line, ')');
}

void show_text_head(struct show_look *l, struct strbuf *line, struct strbuf *after,
                    const struct show_item *i)
{
    const struct decode_view *v = i->v;

    show_text_lost(l, line, i);
    show_text_put_time(l, line, v->m->read_ns);
    strbuf_char(line, ' ');
    strbuf_str(line, i->shown->label);
    strbuf_char(line, ' ');
    strbuf_str(line, show_text_arrow(v->m));
    strbuf_char(line, ' ');
    if (!v->has_hdr) {
        show_text_headless(line, v->m);
        show_text_below(l, after, i);
        return;
    }
    strbuf_dec_in(line, v->hdr.id, 5, ' ');
    strbuf_char(line, ' ');
    if (v->reply || i->request) {
        show_text_command(l, line, "<... ", v->hdr.command,
                          i->request ? " resumed>" : " unasked for>");
        show_text_reply(l, line, after, i);
        return;
    }
    if ((v->hdr.flags & WIRE_TYPE_MASK) != WIRE_TYPE_COMMAND) {
        strbuf_str(line, "type ");
        strbuf_dec(line, v->hdr.flags & WIRE_TYPE_MASK);
        strbuf_char(line, ' ');
    }
    show_text_arguments(l, line, i);
    show_text_notes(l, line, v);
    show_text_below(l, after, i);
}

void show_text_reply(struct show_look *l, struct strbuf *line, struct strbuf *after,
                     const struct show_item *i)
{
    const struct decode_view *v = i->v;

    show_text_result(l, line, i);
    if (i->request) {
        strbuf_str(line, " ");
        show_text_colour(l, line, DIM);
        strbuf_char(line, '<');
        strbuf_duration(line, trace_latency(i->request, v->m));
        strbuf_char(line, '>');
        show_text_colour(l, line, PLAIN);
        if (i->request->hdr.command != v->hdr.command) {
            strbuf_char(line, ' ');
            show_text_colour(l, line, RED);
            show_text_command(l, line, "[a reply to ", v->hdr.command, "]");
            show_text_colour(l, line, PLAIN);
        }
    }
    show_text_notes(l, line, v);
    show_text_below(l, after, i);
}

void show_text_end(struct show_look *l, struct strbuf *line, enum show_end end)
{
    static const char *const texts[] = {
        [SHOW_ANSWERED] = "",
        [SHOW_POSTED] = " = no reply wanted",
        [SHOW_UNFINISHED] = " <unfinished ...>",
        [SHOW_NEVER] = " = no reply",
    };

    if (end == SHOW_NEVER) {
        show_text_colour(l, line, RED);
    }
    strbuf_str(line, texts[end]);
    if (end == SHOW_NEVER) {
        show_text_colour(l, line, PLAIN);
    }
    strbuf_char(line, '\n');
}

/* ---- sessions ---- */

static void show_text_part(struct strbuf *line, bool *first, const char *word, const char *text)
{
    strbuf_str(line, *first ? ": " : "; ");
    *first = false;
    strbuf_str(line, word);
    strbuf_escape(line, text, strlen(text));
}

/* Prints the facts that decide how far the rest can be trusted; -v prints all of them. */
static void show_text_facts_in_short(struct strbuf *line, bool *first, const char *comment)
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
        show_text_part(line, first, "", verdict);
    }
    if (taint && strcmp(taint, "-") != 0) {
        show_text_part(line, first, "taint ", taint);
    }
    if (json_is_integer(record) && json_integer_value(record) >= 0) {
        show_text_part(line, first, "audit record ", "");
        strbuf_dec(line, (uint64_t)json_integer_value(record));
    }
    if (json_is_true(json_object_get(facts, "late"))) {
        show_text_part(line, first, "captured late", "");
    }
    json_decref(facts);
}

void show_text_session(struct show_look *l, struct strbuf *line, const struct show_session *shown,
                       const struct trace_session *s)
{
    struct printer printer = {.t = line, .verbose = l->o.verbose, .first = true};
    bool first = true;

    show_text_colour(l, line, CYAN);
    strbuf_str(line, "=== ");
    strbuf_str(line, shown->label);
    strbuf_str(line, " begins");
    if (*s->description) {
        show_text_part(line, &first, "", s->description);
    }
    if (!l->o.verbose) {
        show_text_facts_in_short(line, &first, s->comment);
    } else if (*s->comment) {
        strbuf_str(line, first ? ": " : "; ");
        printer_json(&printer, "session", s->comment, strlen(s->comment));
    }
    show_text_colour(l, line, PLAIN);
    strbuf_char(line, '\n');
}

void show_text_statistics(struct show_look *l, struct strbuf *line,
                          const struct show_session *shown, const struct trace_session *s)
{
    struct printer printer = {.t = line, .verbose = l->o.verbose, .first = true};

    show_text_colour(l, line, CYAN);
    strbuf_str(line, "=== ");
    strbuf_str(line, shown->label);
    strbuf_str(line, " ends: ");
    strbuf_dec(line, s->seen);
    strbuf_str(line, s->seen == 1 ? " message, " : " messages, ");
    strbuf_dec(line, s->lost);
    strbuf_str(line, " lost");
    if (*s->ending) {
        strbuf_str(line, ", ");
        printer.first = true;
        printer_json(&printer, "ending", s->ending, strlen(s->ending));
    }
    show_text_colour(l, line, PLAIN);
    strbuf_char(line, '\n');
}
