/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Parses the filter's language from text into terms. Pure. Its errors name the fault, its place and
 * the expected words.
 */
#define _DEFAULT_SOURCE
#include "trace/decode/filter_terms.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text/date.h"
#include "base/text/numbers.h"
#include "base/wire/wire_command.h"
#include "trace/file/message.h"

struct reading {
    const char *begin;
    char *why;
    size_t n;
};

static const struct word {
    const char *name;
    enum term_kind kind;
    bool has_value;
    bool list;
    const char *right; /* expected behind it */
} words[] = {
    {"command", TERM_COMMAND, true, true, "names of commands, such as DMA_MAP, or their numbers"},
    {"from", TERM_FROM, true, false, "\"client\" or \"backend\""},
    {"region", TERM_REGION, true, true, "numbers of regions, such as 0,7"},
    {"session", TERM_SESSION, true, true, "numbers of sessions"},
    {"route", TERM_ROUTE, true, true, "names of routes"},
    {"id", TERM_ID, true, true, "message ids, 0 to 65535"},
    {"after", TERM_AFTER, true, false, "seconds since the first message, such as 1.5"},
    {"before", TERM_BEFORE, true, false, "seconds since the first message, such as 1.5"},
    {"since", TERM_SINCE, true, false, "a time in UTC, such as 2026-11-29T18:24:05Z"},
    {"until", TERM_UNTIL, true, false, "a time in UTC, such as 2026-11-29T18:24:05Z"},
    {"errors", TERM_ERRORS, false, false, "nothing"},
    {"slower", TERM_SLOWER, true, false, "a time, such as 50us (ns, us, ms or s)"},
    {"fds", TERM_FDS, false, false, "nothing"},
};

#define WORDS (sizeof words / sizeof *words)

/* Reports an error at p; returns false, for the caller to return. */
static bool filter_terms_wrong(const struct reading *r, const char *p, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static bool filter_terms_wrong(const struct reading *r, const char *p, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    snprintf(r->why, r->n, "filter, character %zu: %s", (size_t)(p - r->begin) + 1, text);
    return false;
}

/* Parses a decimal fraction of units of `unit` nanoseconds, from p up to `end`. */
static bool filter_terms_duration(const char *p, const char *end, uint64_t unit, uint64_t *out)
{
    uint64_t whole = 0;
    uint64_t part = 0;
    uint64_t scale = unit;

    if (p == end || *p < '0' || *p > '9') {
        return false;
    }
    for (; p < end && *p >= '0' && *p <= '9'; p++) {
        whole = whole * 10 + (uint64_t)(*p - '0');
        if (whole > UINT64_MAX / 20 / unit) {
            return false;
        }
    }
    if (p < end && *p == '.') {
        for (p++; p < end && *p >= '0' && *p <= '9'; p++) {
            scale /= 10;
            part += scale * (uint64_t)(*p - '0');
        }
    }
    *out = whole * unit + part;
    return p == end;
}

static bool filter_terms_read_slower(const char *p, uint64_t *out)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}};
    const size_t digits = strspn(p, "0123456789.");

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(p + digits, units[i].name) == 0) {
            return filter_terms_duration(p, p + digits, units[i].ns, out);
        }
    }
    return false;
}

/* Reads "T", an hour in UTC and "Z", such as T18:24:05.5Z, as nanoseconds of the day. */
static bool filter_terms_hour(const char *p, uint64_t *out)
{
    const size_t n = strlen(p);
    const size_t minutes = strlen("T18:24");
    uint64_t hour;
    uint64_t minute;
    uint64_t seconds = 0;

    if (n <= minutes || p[0] != 'T' || p[3] != ':' || p[n - 1] != 'Z' ||
        !numbers_read(p + 1, 2, 23, &hour) || !numbers_read(p + 4, 2, 59, &minute)) {
        return false;
    }
    if (n > minutes + 1 &&
        (p[minutes] != ':' ||
         !filter_terms_duration(p + minutes + 1, p + n - 1, CLOCK_S_NS, &seconds) ||
         seconds >= 60 * (uint64_t)CLOCK_S_NS)) {
        return false;
    }
    *out = (hour * 3600 + minute * 60) * CLOCK_S_NS + seconds;
    return true;
}

/* Reads a day, or a day and an hour, as nanoseconds since 1970. */
static bool filter_terms_read_time(const char *p, uint64_t *out)
{
    uint64_t hour = 0;
    uint32_t day;
    struct tm tm = {.tm_sec = 0};

    if (!date_read(p, &day) || (p[DATE_SIZE - 1] && !filter_terms_hour(p + DATE_SIZE - 1, &hour))) {
        return false;
    }
    tm.tm_year = (int)(day / 10000) - 1900;
    tm.tm_mon = (int)(day / 100 % 100) - 1;
    tm.tm_mday = (int)(day % 100);
    *out = (uint64_t)timegm(&tm) * CLOCK_S_NS + hour;
    return true;
}

static bool filter_terms_read_command(const struct reading *r, const char *p, uint64_t *out)
{
    const struct wire_command_info *c;
    char all[512];
    char name[64];
    size_t n = 0;

    for (size_t i = 0; (c = wire_command_at(i)); i++) {
        if (strcasecmp(p, c->name) == 0) {
            *out = c->code;
            return true;
        }
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", c->name);
    }
    if (numbers_read(p, strlen(p), UINT16_MAX, out)) {
        return true;
    }
    return filter_terms_wrong(r, p, "unknown command \"%s\"; the commands are %s",
                              log_escape(name, sizeof name, p, strlen(p)), all);
}

static bool filter_terms_read_from(const char *p, uint64_t *out)
{
    *out = strcmp(p, "backend") == 0 ? SIDE_BACKEND : SIDE_CLIENT;
    return *out == SIDE_BACKEND || strcmp(p, "client") == 0;
}

static bool filter_terms_read_value(const struct reading *r, const struct word *w, struct term *t,
                                    char *p)
{
    uint64_t *out = &t->value[t->n].number;
    char text[64];
    bool ok = false;

    switch (w->kind) {
    case TERM_COMMAND:
        if (!filter_terms_read_command(r, p, out)) {
            return false;
        }
        ok = true;
        break;
    case TERM_FROM:
        ok = filter_terms_read_from(p, out);
        break;
    case TERM_REGION:
        ok = numbers_read(p, strlen(p), UINT32_MAX, out);
        break;
    case TERM_SESSION:
        ok = numbers_read(p, strlen(p), UINT64_MAX, out);
        break;
    case TERM_ID:
        ok = numbers_read(p, strlen(p), UINT16_MAX, out);
        break;
    case TERM_ROUTE:
        t->value[t->n].name = p;
        ok = *p != '\0';
        break;
    case TERM_AFTER:
    case TERM_BEFORE:
        ok = filter_terms_duration(p, p + strlen(p), 1000000000, out);
        break;
    case TERM_SINCE:
    case TERM_UNTIL:
        ok = filter_terms_read_time(p, out);
        break;
    case TERM_SLOWER:
        ok = filter_terms_read_slower(p, out);
        break;
    case TERM_ERRORS:
    case TERM_FDS:
        break;
    }
    t->n++;
    return ok || filter_terms_wrong(r, p, "\"%s\" is not a value of %s=, which takes %s",
                                    log_escape(text, sizeof text, p, strlen(p)), w->name, w->right);
}

static bool filter_terms_read_values(const struct reading *r, const struct word *w, struct term *t,
                                     char *p)
{
    for (;;) {
        char *const comma = w->list ? strchr(p, ',') : NULL;

        if (comma) {
            *comma = '\0';
        }
        if (t->n == FILTER_VALUES_MAX) {
            return filter_terms_wrong(r, p, "more than %u values; several terms can share them",
                                      FILTER_VALUES_MAX);
        }
        if (!filter_terms_read_value(r, w, t, p)) {
            return false;
        }
        if (!comma) {
            return true;
        }
        p = comma + 1;
    }
}

static bool filter_terms_read_term(const struct reading *r, struct term *t, char *p)
{
    char *const name = p + (*p == '!');
    char *const sign = strchr(name, '=');
    const size_t n = sign ? (size_t)(sign - name) : strlen(name);
    char text[64];

    t->negated = *p == '!';
    for (size_t i = 0; i < WORDS; i++) {
        const struct word *w = &words[i];

        if (strlen(w->name) != n || strncmp(w->name, name, n) != 0) {
            continue;
        }
        t->kind = w->kind;
        if (!w->has_value) {
            return !sign || filter_terms_wrong(r, sign, "\"%s\" takes no value", w->name);
        }
        if (!sign) {
            return filter_terms_wrong(r, name + n, "\"%s\" needs \"=\" and %s behind it", w->name,
                                      w->right);
        }
        return filter_terms_read_values(r, w, t, sign + 1);
    }
    return filter_terms_wrong(r, name,
                              "unknown term \"%s\"; the terms are command=, from=, region=, "
                              "session=, route=, id=, after=, before=, since=, until=, errors, "
                              "slower= and fds",
                              log_escape(text, sizeof text, name, n));
}

bool filter_terms_read(struct terms *t, char *text, char *why, size_t size)
{
    struct reading r;
    char *p = text;

    r.begin = text;
    r.why = why;
    r.n = size;
    t->n = 0;
    for (;;) {
        size_t n;
        bool more;

        p += strspn(p, " ");
        n = strcspn(p, " ");
        if (n == 0) {
            return true;
        }
        if (t->n == FILTER_TERMS_MAX) {
            return filter_terms_wrong(&r, p, "more than %u terms", FILTER_TERMS_MAX);
        }
        more = p[n] != '\0';
        p[n] = '\0';
        if (!filter_terms_read_term(&r, &t->term[t->n], p)) {
            return false;
        }
        t->n++;
        if (!more) {
            return true;
        }
        p += n + 1;
    }
}
