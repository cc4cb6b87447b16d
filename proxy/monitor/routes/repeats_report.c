/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reports of counted sessions. */
#define _GNU_SOURCE
#include "proxy/monitor/routes/repeats_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "proxy/config/config_where.h"
#include "proxy/monitor/routes/repeats_peer.h"
#include "proxy/monitor/routes/route.h"

/* Room for all reasons of a line, with their counts. */
#define REPORT_TEXT 1024

/* Adds to a text of REPORT_TEXT bytes, as much as fits. */
__attribute__((format(printf, 2, 3))) static void repeats_report_put(char *text, const char *fmt,
                                                                     ...)
{
    const size_t n = strlen(text);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text + n, REPORT_TEXT - n, fmt, ap);
    va_end(ap);
}

void repeats_report_log(const struct repeats_peer *p, uint64_t now_ms)
{
    const struct log_subject about = {.route = p->route->config->name, .leg = "client"};
    char text[REPORT_TEXT] = "";
    char user[32] = "other users";

    for (unsigned i = 0; i < REASON_COUNT; i++) {
        if (p->reasons[i] > 0) {
            repeats_report_put(text, "%s%" PRIu64 " %s", *text ? ", " : "", p->reasons[i],
                               session_reason_word((enum session_reason)i));
        }
    }
    for (unsigned i = 0; i < REPEATS_RULES && p->rules[i].n > 0; i++) {
        char place[CONFIG_WHERE_SIZE];

        repeats_report_put(text, "; %" PRIu64 " by %s", p->rules[i].n,
                           config_where(p->route->generation->config, p->rules[i].line, place));
    }
    if (!p->others) {
        snprintf(user, sizeof user, "uid=%u", (unsigned)p->uid);
    }
    log_line(LOG_WARNING, &about,
             "%" PRIu64 " more sessions of %s ended in %" PRIu64
             " s without lines of their own: %s",
             p->count, user, (now_ms - p->since_ms) / 1000, text);
}

static json_t *repeats_report_rules(const struct repeats_peer *p)
{
    json_t *const o = json_object();

    for (unsigned i = 0; o && i < REPEATS_RULES && p->rules[i].n > 0; i++) {
        char place[CONFIG_WHERE_SIZE];

        (void)json_object_set_new(
            o, config_where(p->route->generation->config, p->rules[i].line, place),
            json_integer((json_int_t)p->rules[i].n));
    }
    if (o && p->other_rules > 0) {
        (void)json_object_set_new(o, "others", json_integer((json_int_t)p->other_rules));
    }
    return o;
}

json_t *repeats_report_record(const struct repeats_peer *p)
{
    json_t *const reasons = json_object();
    json_t *o;

    for (unsigned i = 0; reasons && i < REASON_COUNT; i++) {
        if (p->reasons[i] > 0) {
            (void)json_object_set_new(reasons, session_reason_word((enum session_reason)i),
                                      json_integer((json_int_t)p->reasons[i]));
        }
    }
    o = json_pack("{s:s,s:I,s:s,s:s,s:o,s:o}", "route", p->route->config->name, "count",
                  (json_int_t)p->count, "first", p->first, "last", p->last, "reasons", reasons,
                  "rules", repeats_report_rules(p));
    if (o && !p->others && json_object_set_new(o, "uid", json_integer(p->uid)) < 0) {
        json_decref(o);
        return NULL;
    }
    return o;
}
