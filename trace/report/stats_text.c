/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Prints statistics as tables. Foreign text is escaped; the output never moves the cursor or sets a
 * colour.
 */
#define _GNU_SOURCE
#include "trace/report/stats_text.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "trace/report/stats_labels.h"
#include "trace/decode/names.h"
#include "trace/report/stats_draw.h"

static const char *stats_text_bytes_text(uint64_t bytes, char *out, size_t n)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double v = (double)bytes;
    size_t i = 0;

    while (v >= 1024 && i + 1 < sizeof names / sizeof *names) {
        v /= 1024;
        i++;
    }
    snprintf(out, n, "%.*f %s", i > 0 && v < 10 ? 2 : i > 0 && v < 100 ? 1 : 0, v, names[i]);
    return out;
}

static void stats_text_put_foreign(FILE *f, const char *label, const char *text)
{
    char shown[1024];

    fprintf(f, "%-11s%s\n", label, log_escape(shown, sizeof shown, text, strlen(text)));
}

/* ---- the head ---- */

static void stats_text_put_begin(const struct stats *s, FILE *f)
{
    const time_t seconds = (time_t)(s->begin_ns / 1000000000);
    char took[32];
    char day[40];
    struct tm tm;

    if (s->messages > 0 && gmtime_r(&seconds, &tm) && strftime(day, sizeof day, "%F %T", &tm) > 0) {
        fprintf(f, "%-11s%s.%09" PRIu64 " UTC, took %s\n", "Begun:", day, s->begin_ns % 1000000000,
                stats_duration(s->end_ns > s->begin_ns ? s->end_ns - s->begin_ns : 0, took,
                               sizeof took));
    }
}

static void stats_text_put_sender(const struct stats_sender *from, const char *label, FILE *f)
{
    char size[32];
    char t[3][32];

    fprintf(f, "%-11s%" PRIu64 " messages, %s, %" PRIu64 " fds", label, from->messages,
            stats_text_bytes_text(from->bytes, size, sizeof size), from->fds);
    if (from->passed.count > 0) {
        fprintf(f, "; passed on in %s median, %s p99, %s max",
                stats_duration(stats_histogram_quantile(&from->passed, 500), t[0], sizeof t[0]),
                stats_duration(stats_histogram_quantile(&from->passed, 990), t[1], sizeof t[1]),
                stats_duration(from->passed.max, t[2], sizeof t[2]));
    }
    fputc('\n', f);
}

static void stats_text_put_odd(uint64_t n, const char *what, FILE *f)
{
    if (n > 0) {
        fprintf(f, "%-11s%" PRIu64 " %s\n", "", n, what);
    }
}

/* Returns the number of sessions that have messages. */
static size_t stats_text_sessions(const struct stats *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->sessions_room; i++) {
        n += s->sessions[i].session != NULL;
    }
    return n;
}

static void stats_text_put_head(const struct stats *s, const struct stats_about *about, FILE *f)
{
    const uint64_t lost = stats_lost(s);
    const size_t sessions = stats_text_sessions(s);

    stats_text_put_foreign(f, "Trace:", about->file);
    if (about->filter) {
        stats_text_put_foreign(f, "Filter:", about->filter);
    }
    if (about->broken) {
        stats_text_put_foreign(f, "Up to:", about->broken);
    }
    stats_text_put_begin(s, f);
    fprintf(f, "%-11s%" PRIu64 " in %zu session%s, %" PRIu64 " made by the broker\n",
            "Messages:", s->messages, sessions, sessions == 1 ? "" : "s", s->made);
    fprintf(f, "%-11s%" PRIu64 "%s\n", "Lost:", lost,
            lost > 0 ? " messages are missing in the trace and in these statistics" : "");
    stats_text_put_sender(&s->senders[SIDE_CLIENT], "Client:", f);
    stats_text_put_sender(&s->senders[SIDE_BACKEND], "Backend:", f);
    if (s->whole_ns > 0) {
        fprintf(f, "%-11s%.1f %% of request time\n",
                "Overhead:", 100.0 * (double)s->broker_ns / (double)s->whole_ns);
    }
    stats_text_put_odd(s->unasked, "replies without a request in the trace", f);
    stats_text_put_odd(s->undelivered, "not delivered, since their session had ended", f);
    stats_text_put_odd(s->malformed, "that are neither command nor reply", f);
    stats_text_put_odd(s->given_up,
                       "requests forgotten before their replies, since too many waited", f);
}

/* ---- tables ---- */

static void stats_text_put_latency(const struct stats_histogram *h, FILE *f)
{
    char t[3][32];

    if (h->count == 0) {
        fprintf(f, " %10s %10s %10s\n", "-", "-", "-");
        return;
    }
    fprintf(f, " %10s %10s %10s\n",
            stats_duration(stats_histogram_quantile(h, 500), t[0], sizeof t[0]),
            stats_duration(stats_histogram_quantile(h, 990), t[1], sizeof t[1]),
            stats_duration(h->max, t[2], sizeof t[2]));
}

static void stats_text_put_row(const char *name, const struct stats_row *r, FILE *f)
{
    char size[32];

    fprintf(f, "%-26s %10" PRIu64 " %10s %8" PRIu64 " %10" PRIu64, name, r->requests,
            stats_text_bytes_text(r->bytes, size, sizeof size), r->errors, r->unanswered);
    stats_text_put_latency(&r->latency, f);
}

static void stats_text_put_titles(const char *first, FILE *f)
{
    fprintf(f, "\n%-26s %10s %10s %8s %10s %10s %10s %10s\n", first, "COUNT", "BYTES", "ERRORS",
            "UNANSWERED", "MEDIAN", "P99", "MAX");
}

static void stats_text_put_commands(const struct stats *s, FILE *f)
{
    stats_text_put_titles("COMMAND", f);
    for (unsigned i = 0; i < STATS_COMMANDS; i++) {
        const unsigned code = (i + 1) % STATS_COMMANDS;
        const struct stats_row *const r = &s->commands[code];

        if (r->requests + r->replies > 0) {
            stats_text_put_row(stats_command_name(code), r, f);
        }
    }
}

static bool stats_text_accessed(const struct stats_row *r)
{
    return r->requests + r->replies > 0;
}

static void stats_text_put_region(const struct stats_region *r, FILE *f)
{
    char label[LIMIT_NAME + 32];
    char name[LIMIT_NAME + 48];

    stats_region_label(r, label, sizeof label);
    if (stats_text_accessed(&r->read)) {
        snprintf(name, sizeof name, "%s read", label);
        stats_text_put_row(name, &r->read, f);
    }
    if (stats_text_accessed(&r->write)) {
        snprintf(name, sizeof name, "%s write", label);
        stats_text_put_row(name, &r->write, f);
    }
}

static void stats_text_put_regions(const struct stats *s, FILE *f)
{
    bool any = stats_text_accessed(&s->others.read) || stats_text_accessed(&s->others.write);

    for (size_t i = 0; i < s->n_regions; i++) {
        any |=
            stats_text_accessed(&s->regions[i]->read) || stats_text_accessed(&s->regions[i]->write);
    }
    if (!any) {
        return;
    }
    stats_text_put_titles("REGION", f);
    for (size_t i = 0; i < s->n_regions; i++) {
        stats_text_put_region(s->regions[i], f);
    }
    stats_text_put_region(&s->others, f);
}

static void stats_text_put_notes(const struct stats *s, FILE *f)
{
    char shown[STATS_NOTE_BYTES * 4];

    if (s->n_notes > 0) {
        fprintf(f, "\nBypasses poemd, so it is not in the trace:\n");
    }
    for (size_t i = 0; i < s->n_notes; i++) {
        fprintf(f, "  %s",
                log_escape(shown, sizeof shown, s->notes[i].text, strlen(s->notes[i].text)));
        if (s->notes[i].count > 1) {
            fprintf(f, " (%" PRIu64 " times)", s->notes[i].count);
        }
        fputc('\n', f);
    }
    stats_text_put_odd(s->more_notes, "further kinds of bypass", f);
}

static void stats_text_put_slowest(const struct stats *s, FILE *f)
{
    unsigned slowest = 0;
    char t[2][32];

    for (unsigned i = 1; i < STATS_COMMANDS; i++) {
        if (s->commands[i].latency.max > s->commands[slowest].latency.max) {
            slowest = i;
        }
    }
    if (s->latency.count > 0) {
        fprintf(f, "; replies in %s median, %s max (%s)",
                stats_duration(stats_histogram_quantile(&s->latency, 500), t[0], sizeof t[0]),
                stats_duration(s->latency.max, t[1], sizeof t[1]), stats_command_name(slowest));
    }
}

void stats_text_line(const struct stats *s, FILE *f)
{
    const size_t sessions = stats_text_sessions(s);
    uint64_t errors = 0;
    uint64_t unanswered = 0;
    char took[32];

    for (unsigned i = 0; i < STATS_COMMANDS; i++) {
        errors += s->commands[i].errors;
        unanswered += s->commands[i].unanswered;
    }
    fprintf(
        f,
        "%" PRIu64 " message%s of %zu session%s in %s: %" PRIu64 " error%s, %" PRIu64
        " unanswered, %" PRIu64 " lost",
        s->messages, s->messages == 1 ? "" : "s", sessions, sessions == 1 ? "" : "s",
        stats_duration(s->end_ns > s->begin_ns ? s->end_ns - s->begin_ns : 0, took, sizeof took),
        errors, errors == 1 ? "" : "s", unanswered, stats_lost(s));
    stats_text_put_slowest(s, f);
}

void stats_text(const struct stats *s, const struct stats_about *about,
                const struct stats_canvas *canvas, FILE *f)
{
    stats_text_put_head(s, about, f);
    if (s->messages == 0) {
        return;
    }
    stats_text_put_commands(s, f);
    stats_text_put_regions(s, f);
    stats_text_put_notes(s, f);
    if (canvas->width > 0) {
        stats_draw(s, canvas, f);
    }
}
