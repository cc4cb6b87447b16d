/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Lines for programs: one JSON object each. Numbers above 2^53 and times are strings, addresses
 * strings in hexadecimal.
 */
#include "trace/decode/decode_parts.h"
#include "trace/decode/show_parts.h"

#include <string.h>

#define STR(p, name, s) pen_text(p, name, s, strlen(s))

static void put_time(struct pen *p, uint64_t ns)
{
    pen_label(p, "time");
    text_char(p->t, '"');
    text_dec(p->t, ns / 1000000000);
    text_char(p->t, '.');
    text_dec_in(p->t, ns % 1000000000, 9, '0');
    text_char(p->t, '"');
}

static void flags(struct pen *p, const struct decode_view *v)
{
    const uint32_t type = v->hdr.flags & WIRE_TYPE_MASK;
    const uint32_t other = v->hdr.flags & ~WIRE_TYPE_MASK;

    if (type != WIRE_TYPE_COMMAND && type != WIRE_TYPE_REPLY) {
        pen_dec(p, "type_bits", type);
    }
    if (other) {
        pen_flags(p, "flags", name_header_flags, other);
    }
}

/* What the capture knows of a message. */
static void capture(struct pen *p, const struct trace_message *m)
{
    pen_dec(p, "number", m->number);
    put_time(p, m->read_ns);
    pen_dec(p, "passed_ns", m->passed_ns);
    pen_word(p, "from", m->sender == TRACE_FROM_CLIENT ? "client" : "backend", 0);
    if ((m->legs & TRACE_LEGS) != TRACE_LEGS) {
        pen_word(p, "leg", m->legs & TRACE_LEG_CLIENT ? "client" : "backend", 0);
    }
    if (m->flags & TRACE_TWIN) {
        pen_true(p, "twin");
    }
    if (m->flags & TRACE_BROKER) {
        pen_true(p, "by_broker");
    }
    if (m->flags & TRACE_UNDELIVERED) {
        pen_true(p, "undelivered");
    }
    if (m->flags & TRACE_BIG_ENDIAN) {
        pen_true(p, "big_endian");
    }
    if (m->lost) {
        pen_dec(p, "lost_before", m->lost);
    }
    pen_dec(p, "size", m->size);
    if (m->kept < m->size) {
        pen_dec(p, "kept", m->kept);
    }
}

static void rest(struct pen *p, const struct show_item *i)
{
    const struct decode_view *v = i->v;

    pen_fds(p, v->m);
    if (v->check != WIRE_OK) {
        STR(p, "malformed", wire_check_text(v->check));
    }
    if (i->comment) {
        STR(p, "comment", i->comment);
    }
}

static void error(struct pen *p, const struct decode_view *v)
{
    const char *name = name_errno(v->hdr.error);

    pen_word(p, "error", name, v->hdr.error);
    pen_dec(p, "errno", v->hdr.error);
}

static void answer(struct pen *p, const struct show_item *i)
{
    const struct decode_view *v = i->v;

    if (i->request) {
        pen_dec(p, "latency_ns", trace_latency(i->request, v->m));
    }
    if (v->hdr.flags & WIRE_ERROR) {
        error(p, v);
        decode_raw(p, v, 0);
    } else {
        pen_open(p, "result");
        decode_reply(p, v, i->request, i->shown->config);
        pen_close(p);
    }
}

static void command(struct pen *p, const struct decode_view *v)
{
    char name[16];

    pen_dec(p, "id", v->hdr.id);
    pen_word(p, "command", decode_command(v->hdr.command, name), 0);
    pen_dec(p, "code", v->hdr.command);
}

void show_json_head(struct show_look *l, struct text *line, const struct show_item *i)
{
    const struct decode_view *v = i->v;
    struct pen pen = {.t = line, .json = true, .verbose = l->o.verbose, .first = true};
    struct pen *const p = &pen;

    text_str(line, "{\"type\":\"message\"");
    p->first = false;
    pen_dec(p, "session", v->m->session);
    STR(p, "name", i->session->name);
    capture(p, v->m);
    if (!v->has_hdr) {
        pen_data(p, "raw", v->m->data, v->m->kept, v->m->size);
        rest(p, i);
        return;
    }
    command(p, v);
    flags(p, v);
    if (v->reply || i->request) {
        if (i->request) {
            pen_dec(p, "reply_to", i->request->number);
        } else {
            pen_true(p, "unasked_for");
        }
        answer(p, i);
    } else {
        pen_open(p, "args");
        decode_request(p, v, i->shown->config);
        pen_close(p);
    }
    rest(p, i);
}

void show_json_reply(struct show_look *l, struct text *line, const struct show_item *i)
{
    const struct decode_view *v = i->v;
    struct pen pen = {.t = line, .json = true, .verbose = l->o.verbose, .first = false};
    struct pen *const p = &pen;

    pen_open(p, "reply");
    capture(p, v->m);
    if (i->request && i->request->hdr.command != v->hdr.command) {
        command(p, v);
    }
    flags(p, v);
    answer(p, i);
    rest(p, i);
    pen_close(p);
}

void show_json_end(struct text *line, enum show_end end)
{
    static const char *const texts[] = {
        [SHOW_ANSWERED] = "}\n",
        [SHOW_POSTED] = "}\n",
        [SHOW_UNFINISHED] = ",\"unfinished\":true}\n",
        [SHOW_NEVER] = ",\"reply\":null}\n",
    };

    text_str(line, texts[end]);
}

void show_json_session(struct text *line, const struct trace_session *s)
{
    struct pen p = {.t = line, .json = true, .first = false};

    text_str(line, "{\"type\":\"session\"");
    pen_dec(&p, "session", s->number);
    STR(&p, "name", s->name);
    STR(&p, "route", s->route);
    if (*s->comment) {
        pen_json(&p, "facts", s->comment, strlen(s->comment) + 1);
    }
    text_str(line, "}\n");
}

void show_json_statistics(struct text *line, const struct trace_session *s)
{
    struct pen p = {.t = line, .json = true, .first = false};

    text_str(line, "{\"type\":\"end\"");
    pen_dec(&p, "session", s->number);
    STR(&p, "name", s->name);
    pen_dec(&p, "messages", s->seen);
    pen_dec(&p, "lost", s->lost);
    if (*s->ending) {
        pen_json(&p, "ending", s->ending, strlen(s->ending) + 1);
    }
    text_str(line, "}\n");
}
