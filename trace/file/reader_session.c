/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The facts about one session in a trace. Its interface's comment is foreign JSON: handshake/json.h
 * reads it, with bounds on length and depth; facts missing from it are taken from the name.
 */
#define _GNU_SOURCE
#include "trace/file/reader_session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/numbers.h"
#include "handshake/json.h"
#include "trace/file/pcapng_blocks.h"

#define TSRESOL_NANOSECONDS 9u
#define TSRESOL_BINARY 0x80u
#define SECOND_NS UINT64_C(1000000000)

/* Copies a text of n foreign bytes, up to a NUL in it. */
static char *reader_session_text_new(struct reader_text t)
{
    return t.p ? strndup((const char *)t.p, t.n) : strdup("");
}

static bool reader_session_set_route(struct trace_session *s, const char *route, size_t n)
{
    if (n == 0 || n > LIMIT_NAME) {
        return false;
    }
    memcpy(s->route, route, n);
    s->route[n] = '\0';
    return true;
}

/* ROUTE/NUMBER */
static void reader_session_read_name(struct trace_session *s)
{
    const char *const slash = strrchr(s->name, '/');
    uint64_t n;

    if (slash && numbers_decimal(slash + 1, UINT64_MAX, &n) &&
        reader_session_set_route(s, s->name, (size_t)(slash - s->name))) {
        s->number = n;
    }
}

/* Returns true if the comment names a session. */
static bool reader_session_read_comment(struct trace_session *s)
{
    json_t *facts;
    const json_t *number;
    const char *route;
    bool known;

    if (json_read(s->comment, strlen(s->comment) + 1, &facts) != JSON_OK) {
        return false;
    }
    number = json_object_get(facts, "session");
    route = json_string_value(json_object_get(facts, "route"));
    known = json_is_integer(number) && json_integer_value(number) >= 0;
    if (known) {
        s->number = (uint64_t)json_integer_value(number);
    }
    if (route) {
        reader_session_set_route(s, route, strlen(route));
    }
    json_decref(facts);
    return known;
}

struct reader_session *reader_session_new(struct reader_text name, struct reader_text description,
                                          struct reader_text comment)
{
    struct reader_session *s = calloc(1, sizeof *s);

    if (!s) {
        return NULL;
    }
    s->name = reader_session_text_new(name);
    s->description = reader_session_text_new(description);
    s->comment = reader_session_text_new(comment);
    if (!s->name || !s->description || !s->comment) {
        reader_session_free(s);
        return NULL;
    }
    s->texts = name.n + description.n + comment.n;
    s->resolution = PCAPNG_TSRESOL_DEFAULT;
    s->public.name = s->name;
    s->public.description = s->description;
    s->public.comment = s->comment;
    s->public.ending = "";
    reader_session_read_name(&s->public);
    s->known = reader_session_read_comment(&s->public);
    return s;
}

void reader_session_free(struct reader_session *s)
{
    if (s) {
        free(s->name);
        free(s->description);
        free(s->comment);
        free(s->ending);
        free(s);
    }
}

bool reader_session_end(struct reader_session *s, const char *comment, size_t n)
{
    char *const ending = reader_session_text_new((struct reader_text){(const uint8_t *)comment, n});

    if (!ending) {
        return false;
    }
    free(s->ending);
    s->ending = ending;
    s->public.ending = ending;
    s->ending_size = n;
    return true;
}

uint64_t reader_session_time(const struct reader_session *s, uint64_t units)
{
    const uint64_t offset = (uint64_t)s->offset_s * SECOND_NS;
    unsigned digits = s->resolution;

    if (digits == TSRESOL_NANOSECONDS) {
        return units + offset;
    }
    if (digits & TSRESOL_BINARY) {
        digits &= ~TSRESOL_BINARY;
        if (digits >= 64) {
            return offset;
        }
        /*
         * Whole seconds first, so that the product of the rest stays below 2^64 for any real clock.
         */
        units = (units >> digits) * SECOND_NS +
                (uint64_t)((double)(units & ((UINT64_C(1) << digits) - 1)) /
                           (double)(UINT64_C(1) << digits) * (double)SECOND_NS);
        return units + offset;
    }
    for (; digits < TSRESOL_NANOSECONDS; digits++) {
        units *= 10;
    }
    for (; digits > TSRESOL_NANOSECONDS; digits--) {
        units /= 10;
    }
    return units + offset;
}
