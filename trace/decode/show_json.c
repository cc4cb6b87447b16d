/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Prints lines for programs: one JSON object each. Numbers above 2^53 and times are strings,
 * addresses strings in hexadecimal.
 */
#include "trace/decode/decode_fields.h"
#include "trace/decode/show_line.h"

#include <string.h>

#define STR(p, name, s) printer_text(p, name, s, strlen(s))

static void show_json_put_time(struct printer *p, uint64_t ns)
{
    printer_label(p, "time");
    strbuf_char(p->t, '"');
    strbuf_dec(p->t, ns / 1000000000);
    strbuf_char(p->t, '.');
    strbuf_dec_in(p->t, ns % 1000000000, 9, '0');
    strbuf_char(p->t, '"');
}

static void show_json_flags(struct printer *p, const struct decode_view *v)
{
    const uint32_t type = v->hdr.flags & WIRE_TYPE_MASK;
    const uint32_t other = v->hdr.flags & ~WIRE_TYPE_MASK;

    if (type != WIRE_TYPE_COMMAND && type != WIRE_TYPE_REPLY) {
        printer_dec(p, "type_bits", type);
    }
    if (other) {
        printer_flags(p, "flags", wire_header_flags, other);
    }
}

/* Prints the capture's own facts about a message. */
static void show_json_capture(struct printer *p, const struct trace_message *m)
{
    printer_dec(p, "number", m->number);
    show_json_put_time(p, m->read_ns);
    printer_dec(p, "passed_ns", m->passed_ns);
    if (m->waited_ns > 0) {
        printer_dec(p, "waited_ns", m->waited_ns);
    }
    printer_word(p, "from", side_name(m->sender), 0);
    if ((m->legs & TRACE_LEGS) != TRACE_LEGS) {
        printer_word(p, "leg", m->legs & TRACE_LEG_CLIENT ? "client" : "backend", 0);
    }
    if (m->flags & TRACE_TWIN) {
        printer_true(p, "twin");
    }
    if (m->flags & TRACE_BROKER) {
        printer_true(p, "by_broker");
    }
    if (m->flags & TRACE_UNDELIVERED) {
        printer_true(p, "undelivered");
    }
    if (m->flags & TRACE_BIG_ENDIAN) {
        printer_true(p, "big_endian");
    }
    if (m->lost) {
        printer_dec(p, "lost_before", m->lost);
    }
    printer_dec(p, "size", m->size);
    if (m->kept < m->size) {
        printer_dec(p, "kept", m->kept);
    }
    if (m->missing > 0) {
        printer_dec(p, "missing", m->missing);
    }
}

static void show_json_rest(struct printer *p, const struct show_item *i)
{
    const struct decode_view *v = i->v;

    printer_fds(p, v->m);
    if (v->check != WIRE_OK) {
        STR(p, "malformed", wire_check_text(v->check));
    }
    if (i->comment) {
        STR(p, "comment", i->comment);
    }
}

static void show_json_error(struct printer *p, const struct decode_view *v)
{
    const char *name = names_errno(v->hdr.error);

    printer_word(p, "error", name, v->hdr.error);
    printer_dec(p, "errno", v->hdr.error);
}

static void show_json_answer(struct printer *p, const struct show_item *i)
{
    const struct decode_view *v = i->v;

    if (i->request) {
        printer_dec(p, "latency_ns", trace_latency(i->request, v->m));
    }
    if (v->hdr.flags & WIRE_ERROR) {
        show_json_error(p, v);
        decode_raw(p, v->p, v->n, v->total, 0);
    } else {
        printer_open(p, "result");
        decode_reply(p, v, i->request, i->shown->config);
        printer_close(p);
    }
}

static void show_json_command(struct printer *p, const struct decode_view *v)
{
    char name[16];

    printer_dec(p, "id", v->hdr.id);
    printer_word(p, "command", decode_command(v->hdr.command, name), 0);
    printer_dec(p, "code", v->hdr.command);
}

void show_json_head(struct show_look *l, struct strbuf *line, const struct show_item *i)
{
    const struct decode_view *v = i->v;
    struct printer printer = {.t = line, .json = true, .verbose = l->o.verbose, .first = true};
    struct printer *const p = &printer;

    strbuf_str(line, "{\"type\":\"message\"");
    p->first = false;
    printer_dec(p, "session", v->m->session);
    STR(p, "name", i->session->name);
    show_json_capture(p, v->m);
    if (!v->has_hdr) {
        printer_data(p, "raw", v->m->data, v->m->kept, v->m->size);
        show_json_rest(p, i);
        return;
    }
    show_json_command(p, v);
    show_json_flags(p, v);
    if (v->reply || i->request) {
        if (i->request) {
            printer_dec(p, "reply_to", i->request->number);
        } else {
            printer_true(p, "unasked_for");
        }
        show_json_answer(p, i);
    } else {
        printer_open(p, "args");
        decode_request(p, v, i->shown->config);
        printer_close(p);
    }
    show_json_rest(p, i);
}

void show_json_reply(struct show_look *l, struct strbuf *line, const struct show_item *i)
{
    const struct decode_view *v = i->v;
    struct printer printer = {.t = line, .json = true, .verbose = l->o.verbose, .first = false};
    struct printer *const p = &printer;

    printer_open(p, "reply");
    show_json_capture(p, v->m);
    if (i->request && i->request->hdr.command != v->hdr.command) {
        show_json_command(p, v);
    }
    show_json_flags(p, v);
    show_json_answer(p, i);
    show_json_rest(p, i);
    printer_close(p);
}

void show_json_end(struct strbuf *line, enum show_end end)
{
    static const char *const texts[] = {
        [SHOW_ANSWERED] = "}\n",
        [SHOW_POSTED] = "}\n",
        [SHOW_UNFINISHED] = ",\"unfinished\":true}\n",
        [SHOW_NEVER] = ",\"reply\":null}\n",
    };

    strbuf_str(line, texts[end]);
}

void show_json_session(struct strbuf *line, const struct trace_session *s)
{
    struct printer p = {.t = line, .json = true, .first = false};

    strbuf_str(line, "{\"type\":\"session\"");
    printer_dec(&p, "session", s->number);
    STR(&p, "name", s->name);
    STR(&p, "route", s->route);
    if (*s->comment) {
        printer_json(&p, "facts", s->comment, strlen(s->comment) + 1);
    }
    strbuf_str(line, "}\n");
}

void show_json_statistics(struct strbuf *line, const struct trace_session *s)
{
    struct printer p = {.t = line, .json = true, .first = false};

    strbuf_str(line, "{\"type\":\"end\"");
    printer_dec(&p, "session", s->number);
    STR(&p, "name", s->name);
    printer_dec(&p, "messages", s->seen);
    printer_dec(&p, "lost", s->lost);
    if (*s->ending) {
        printer_json(&p, "ending", s->ending, strlen(s->ending) + 1);
    }
    strbuf_str(line, "}\n");
}
