/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * How a line looks: show.c decides what stands in which line, show_text.c and show_json.c write it.
 */
#ifndef POEMD_TRACE_DECODE_SHOW_PARTS_H
#define POEMD_TRACE_DECODE_SHOW_PARTS_H

#include "trace/decode/decode.h"
#include "trace/decode/show.h"

/* A session as it is shown: its user pointer. */
struct show_session {
    char label[80]; /* its name, escaped */
    bool told;
    struct decode_config *config; /* NULL: nothing was shown of it */
};

struct show_look {
    struct show_options o;
    bool begun;
    uint64_t first_ns;
    uint64_t last_ns; /* of the line before */
    uint64_t second;  /* of which date is the text */
    char date[24];
};

/* What of a message is rendered. */
struct show_item {
    const struct show_session *shown;
    const struct trace_session *session;
    const struct decode_view *v;
    const struct trace_request *request; /* of a reply: what it answers; NULL: not known */
    const char *comment;                 /* NULL: none */
};

/* Why a reply does not stand behind its request. */
enum show_end {
    SHOW_ANSWERED,   /* it does */
    SHOW_POSTED,     /* none was asked for */
    SHOW_UNFINISHED, /* it comes on a line of its own */
    SHOW_NEVER,      /* it never came */
};

/*
 * A line is its head (a request, or whatever stands alone), then the reply's part, if any, then its
 * end with the line feed; `after` are whole lines that belong below it, written by both.
 */
void show_text_head(struct show_look *l, struct strbuf *line, struct strbuf *after,
                    const struct show_item *i);
void show_text_reply(struct show_look *l, struct strbuf *line, struct strbuf *after,
                     const struct show_item *i);
void show_text_end(struct show_look *l, struct strbuf *line, enum show_end end);
void show_text_session(struct show_look *l, struct strbuf *line, const struct show_session *shown,
                       const struct trace_session *s);
void show_text_statistics(struct show_look *l, struct strbuf *line,
                          const struct show_session *shown, const struct trace_session *s);

void show_json_head(struct show_look *l, struct strbuf *line, const struct show_item *i);
void show_json_reply(struct show_look *l, struct strbuf *line, const struct show_item *i);
void show_json_end(struct strbuf *line, enum show_end end);
void show_json_session(struct strbuf *line, const struct trace_session *s);
void show_json_statistics(struct strbuf *line, const struct trace_session *s);

#endif
