/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "ctl/trace/trace_choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/poemctl.h"

/* "2026-11-29T18:24:05" */
#define TRACE_CHOICE_SECONDS 20u

/* Reads a time into tm, which has the beginning of today. Returns what follows it, or NULL. */
static const char *trace_choice_parse(const char *text, const struct tm *today, struct tm *tm)
{
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%H:%M:%S",
                                        "%Y-%m-%dT%H:%M",    "%Y-%m-%d %H:%M",    "%H:%M",
                                        "%Y-%m-%d"};

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const char *end;

        *tm = *today;
        end = strptime(text, forms[i], tm);
        if (end && (*end == '\0' || *end == 'Z' || (*end == '.' && strstr(forms[i], "%S")))) {
            return end;
        }
    }
    return NULL;
}

/* Writes the time as a filter has it, in UTC; returns the length, or 0 if it is not a time. */
static int trace_choice_utc(const char *text, char *out, size_t size)
{
    const bool utc = *text && text[strlen(text) - 1] == 'Z';
    const time_t now = time(NULL);
    char seconds[TRACE_CHOICE_SECONDS];
    struct tm today;
    struct tm tm;
    const char *end;
    size_t digits;
    time_t t;
    int day;

    (void)(utc ? gmtime_r(&now, &today) : localtime_r(&now, &today));
    today.tm_hour = today.tm_min = today.tm_sec = 0;
    today.tm_isdst = -1;
    end = trace_choice_parse(text, &today, &tm);
    if (!end) {
        return 0;
    }
    digits = *end == '.' ? 1 + strspn(end + 1, "0123456789") : 0;
    if (digits == 1 || digits > 10 || strcmp(end + digits, utc ? "Z" : "") != 0) {
        return 0;
    }
    day = tm.tm_mday;
    t = utc ? timegm(&tm) : mktime(&tm);
    /* A 31st of February would be a day of March. */
    if (tm.tm_mday != day || !gmtime_r(&t, &tm) ||
        strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
        return 0;
    }
    return snprintf(out, size, "%s%.*sZ", seconds, (int)digits, end);
}

static bool trace_choice_add(FILE *f, const char *action, const char *word, const char *time)
{
    char utc[64];

    if (!time) {
        return true;
    }
    if (trace_choice_utc(time, utc, sizeof utc) == 0) {
        poemctl_error(action,
                      "--%s: \"%s\" is not a time: give one such as \"2026-11-29 18:24:05\", "
                      "18:24, or 2026-11-29T18:24:05Z",
                      word, time);
        return false;
    }
    fprintf(f, " %s=%s", word, utc);
    return true;
}

bool trace_choice_settle(struct trace_choice *c, const char *action)
{
    size_t size;
    FILE *f;
    bool good;

    if (!c->since && !c->until) {
        return true;
    }
    f = open_memstream(&c->text, &size);
    if (!f) {
        poemctl_error(action, "out of memory");
        return false;
    }
    fputs(c->filter ? c->filter : "", f);
    good = trace_choice_add(f, action, "since", c->since) &&
           trace_choice_add(f, action, "until", c->until);
    if (fclose(f) != 0 && good) {
        poemctl_error(action, "out of memory");
        return false;
    }
    c->filter = c->text;
    return good;
}

void trace_choice_deinit(struct trace_choice *c)
{
    free(c->text);
    c->text = NULL;
}
