/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Makes traces from traces: writes their blocks again with trace/file/pcapng.h. */
#include "trace/report/extract.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "handshake/json.h"
#include "trace/file/pcapng.h"

/* The largest packet with the longest comment. */
#define BLOCK_MAX (LIMIT_TRACE_PACKET + 2 * PCAPNG_COMMENT_MAX + PCAPNG_BLOCK_MAX_OVERHEAD)

/* A session of the source, and its interface in the new trace. */
struct part {
    const struct trace_session *session; /* NULL: no message of it came */
    bool written;                        /* it has an interface … */
    uint32_t interface;                  /* … with this number */
    uint64_t seen;                       /* messages of the span, lost ones included */
    uint64_t lost;                       /* of these, lost */
    uint64_t pending;                    /* lost, not yet reported with a message */
    uint64_t begin_ns;                   /* of the first message written */
    uint64_t end_ns;                     /* of the latest delivery */
};

struct extract {
    FILE *f;
    bool cuts_time;
    struct part *parts; /* by the session's index */
    size_t room;
    uint32_t interfaces;
    uint64_t written;
    uint8_t block[BLOCK_MAX];
};

struct extract *extract_new(FILE *f, bool cuts_time)
{
    struct extract *const e = malloc(sizeof *e);

    if (e) {
        /* All members except the block. */
        e->f = f;
        e->cuts_time = cuts_time;
        e->parts = NULL;
        e->room = 0;
        e->interfaces = 0;
        e->written = 0;
    }
    return e;
}

void extract_free(struct extract *e)
{
    if (e) {
        free(e->parts);
        free(e);
    }
}

uint64_t extract_written(const struct extract *e)
{
    return e->written;
}

static struct part *extract_part_of(struct extract *e, const struct trace_session *s)
{
    struct part *more;
    size_t room = e->room;

    if (s->index >= room) {
        while (s->index >= room) {
            room = room ? 2 * room : 16;
        }
        more = realloc(e->parts, room * sizeof *more);
        if (!more) {
            return NULL;
        }
        memset(more + e->room, 0, (room - e->room) * sizeof *more);
        e->parts = more;
        e->room = room;
    }
    e->parts[s->index].session = s;
    return &e->parts[s->index];
}

/* Writes a block of n bytes; 0: the block was larger than any reader accepts. */
static int extract_put_block(struct extract *e, size_t n)
{
    if (n == 0) {
        return -EMSGSIZE;
    }
    return fwrite(e->block, 1, n, e->f) == n ? 0 : -EIO;
}

/* ---- comments: known members are kept, new ones added ---- */

/*
 * Returns the members of a foreign comment, none if it is not an object; NULL if memory runs out.
 */
static json_t *extract_members_of(const char *comment)
{
    json_t *o;

    return json_read(comment, strlen(comment) + 1, &o) == JSON_OK ? o : json_object();
}

/* Returns the object as one line, or NULL if memory runs out. Takes the reference. */
static char *extract_line_of_take(json_t *o)
{
    char *const line = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);

    json_decref(o);
    return line;
}

/* Joins the trace's own filter and the new one. */
static json_t *extract_both_filters(const json_t *before, const char *now)
{
    const char *const text = json_string_value(before);

    return text && *text ? json_sprintf("%s %s", text, now) : json_string(now);
}

int extract_section(struct extract *e, const char *comment, const char *filter)
{
    json_t *const o = extract_members_of(comment);
    char *line;
    int err;

    if (!o) {
        return -ENOMEM;
    }
    json_object_set_new(o, "poemd-trace", json_integer(1));
    if (*filter) {
        json_object_set_new(o, "filter",
                            extract_both_filters(json_object_get(o, "filter"), filter));
    }
    line = extract_line_of_take(o);
    if (!line) {
        return -ENOMEM;
    }
    err = extract_put_block(e, pcapng_section(e->block, sizeof e->block, line));
    free(line);
    return err;
}

static int extract_put_interface(struct extract *e, const struct trace_session *s, struct part *p,
                                 const struct trace_message *first)
{
    json_t *const o = extract_members_of(s->comment);
    char *line;
    int err;

    if (!o) {
        return -ENOMEM;
    }
    if (first->number > 1) {
        json_object_set_new(o, "late", json_true());
    }
    line = extract_line_of_take(o);
    if (!line) {
        return -ENOMEM;
    }
    err = extract_put_block(
        e, pcapng_interface(e->block, sizeof e->block, s->name, s->description, line));
    free(line);
    p->written = true;
    p->interface = e->interfaces++;
    p->begin_ns = first->read_ns;
    return err;
}

/* ---- messages ---- */

int extract_count(struct extract *e, const struct trace_session *s, const struct trace_message *m)
{
    struct part *const p = extract_part_of(e, s);

    if (!p) {
        return -ENOMEM;
    }
    p->seen += 1 + (uint64_t)m->lost;
    p->lost += m->lost;
    p->pending += m->lost;
    return 0;
}

int extract_message(struct extract *e, const struct trace_session *s, const struct trace_message *m,
                    const char *comment)
{
    struct part *const p = extract_part_of(e, s);
    struct trace_message copy = *m;
    int err;

    if (!p) {
        return -ENOMEM;
    }
    err = p->written ? 0 : extract_put_interface(e, s, p, m);
    if (err < 0) {
        return err;
    }
    copy.lost = p->pending > UINT32_MAX ? UINT32_MAX : (uint32_t)p->pending;
    p->pending -= copy.lost;
    if (m->read_ns + m->passed_ns > p->end_ns) {
        p->end_ns = m->read_ns + m->passed_ns;
    }
    e->written++;
    return extract_put_block(
        e, pcapng_message(e->block, sizeof e->block, p->interface, &copy, comment));
}

/* ---- statistics ---- */

static int extract_put_statistics(struct extract *e, const struct part *p,
                                  const struct pcapng_statistics *counts, const char *ending)
{
    return extract_put_block(e, pcapng_statistics(e->block, sizeof e->block, p->interface, counts,
                                                  *ending ? ending : NULL));
}

/* Copies the session's own statistics. */
static int extract_copy_statistics(struct extract *e, const struct part *p)
{
    const struct trace_session *const s = p->session;

    return extract_put_statistics(e, p,
                                  &(struct pcapng_statistics){.now_ns = p->end_ns,
                                                              .begin_ns = p->begin_ns,
                                                              .seen = s->seen,
                                                              .lost = s->lost,
                                                              .over = s->over},
                                  s->ending);
}

int extract_statistics(struct extract *e, const struct trace_session *s)
{
    struct part *const p = extract_part_of(e, s);

    if (!p) {
        return -ENOMEM;
    }
    return p->written && !e->cuts_time ? extract_copy_statistics(e, p) : 0;
}

int extract_finish(struct extract *e)
{
    int err = 0;

    for (size_t i = 0; i < e->room && e->cuts_time && err == 0; i++) {
        const struct part *const p = &e->parts[i];

        if (p->written) {
            err = extract_put_statistics(e, p,
                                         &(struct pcapng_statistics){.now_ns = p->end_ns,
                                                                     .begin_ns = p->begin_ns,
                                                                     .seen = p->seen,
                                                                     .lost = p->lost,
                                                                     .over = true},
                                         "");
        }
    }
    return err;
}
