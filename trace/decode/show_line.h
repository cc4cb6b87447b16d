/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Formats lines: show_line.c decides which line shows a message, show_text.c and show_json.c print
 * it.
 */
#ifndef POEMD_TRACE_DECODE_SHOW_LINE_H
#define POEMD_TRACE_DECODE_SHOW_LINE_H

#include "trace/decode/decode.h"
#include "trace/decode/show.h"

/* A session's state in the show: its user pointer. */
struct show_session {
    char label[80]; /* its name, escaped */
    bool told;
    struct decode_config *config; /* NULL: no part was read yet */
};

struct show_look {
    struct show_options o;
    bool begun;
    uint64_t first_ns;
    uint64_t last_ns; /* of the previous line */
    uint64_t second;  /* the second that date shows */
    char date[24];
    char zone[8]; /* … behind the fraction of the second */
};

/* A message to be printed. */
struct show_item {
    const struct show_session *shown;
    const struct trace_session *session;
    const struct decode_view *v;
    const struct trace_request *request; /* of a reply: its request; NULL: not known */
    const char *comment;                 /* NULL if none */
};

/* The place of the reply at the end of a request's line. */
enum show_end {
    SHOW_ANSWERED,   /* on this line */
    SHOW_POSTED,     /* no reply was wanted */
    SHOW_UNFINISHED, /* on a line of its own */
    SHOW_NEVER,      /* it never came */
};

/*
 * A line is its head (a request, or a message that stands alone), then the reply's part, if any,
 * then its end with the line feed. Head and reply may both add whole lines to `after`, which follow
 * below it.
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
