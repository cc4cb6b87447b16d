/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "proxy/exporter/exporter_text.h"

#include <errno.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text {
    struct evbuffer *out;
    const struct exporter_figures *f;
    enum exporter_format format;
    bool failed; /* out of memory */
};

/* Two numbers, and the point between them. */
#define VALUE_SIZE 48

/* ---- lines ---- */

enum kind { GAUGE, COUNTER, INFO, HISTOGRAM };

/* The first lines of a family; a counter's name has no "_total", an info's no "_info". */
static void exporter_text_family(struct text *t, const char *name, enum kind kind, const char *help)
{
    static const char *const words[] = {
        [GAUGE] = "gauge", [COUNTER] = "counter", [INFO] = "info", [HISTOGRAM] = "histogram"};
    static const char *const suffixes[] = {
        [GAUGE] = "", [COUNTER] = "_total", [INFO] = "_info", [HISTOGRAM] = ""};
    const bool old = t->format == EXPORTER_TEXT;
    /* The older format has the samples' name there, and no infos. */
    const char *const suffix = old ? suffixes[kind] : "";
    const char *const type = old && kind == INFO ? words[GAUGE] : words[kind];

    if (evbuffer_add_printf(t->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name,
                            suffix, type) < 0) {
        t->failed = true;
    }
}

/* A sample: its name, labels in braces or "", and value. */
static void __attribute__((format(printf, 2, 3)))
exporter_text_sample(struct text *t, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    if (evbuffer_add_vprintf(t->out, fmt, args) < 0) {
        t->failed = true;
    }
    va_end(args);
}

/* A part of a second, exact. */
static void exporter_text_value(char out[VALUE_SIZE], uint64_t n, uint64_t of)
{
    if (of == 1) {
        snprintf(out, VALUE_SIZE, "%" PRIu64, n);
    } else {
        snprintf(out, VALUE_SIZE, "%" PRIu64 ".%0*" PRIu64, n / of, of == 1000 ? 3 : 6, n % of);
    }
}

/* ---- families that are one number ---- */

struct number {
    const char *name;
    enum kind kind;
    unsigned of; /* its parts in a unit: 1, 1000, 1000000 */
    size_t at;   /* offset of the number */
    const char *help;
};

#define ROUTE(field) offsetof(struct snapshot_route, field)
#define BROKER(field) offsetof(struct snapshot_broker, field)

static const struct number of_routes[] = {
    {"poemd_route_listening", GAUGE, 1, ROUTE(listening), "Whether the route accepts clients."},
    {"poemd_route_sessions_limit", GAUGE, 1, ROUTE(most), "Sessions that the route may have."},
    {"poemd_sessions_begun", COUNTER, 1, ROUTE(begun), "Clients that became sessions."},
    {"poemd_sessions_resumed", COUNTER, 1, ROUTE(resumed),
     "Times a session went on after the death of its worker."},
    {"poemd_sessions_without_device", GAUGE, 1, ROUTE(holding),
     "Sessions that are held until their device is back."},
    {"poemd_requests_overdue", COUNTER, 1, ROUTE(overdue),
     "Requests that poemd answered in place of a device that did not."},
    {"poemd_devices_lost", COUNTER, 1, ROUTE(lost), "Devices that ended under a held session."},
    {"poemd_device_restarts", COUNTER, 1, ROUTE(replaced),
     "Times a held session went on with another process of its device."},
    {"poemd_device_replacements", COUNTER, 1, ROUTE(replacements),
     "Devices that another process has replaced while they served."},
    {"poemd_device_replacement_seconds", COUNTER, 1000000, ROUTE(pause_us),
     "Time for which clients waited in those replacements."},
    {"poemd_devices_rejected", COUNTER, 1, ROUTE(rejected),
     "Processes that did not get a session: denied, they promised less, or a replacement failed."},
    {"poemd_device_stall_seconds", COUNTER, 1000, ROUTE(stall_ms),
     "Time in which held sessions that went on had no device."},
    {"poemd_device_failures", GAUGE, 1, ROUTE(failures),
     "Failures in a row of the devices that the route starts."},
};

static const struct number of_broker[] = {
    {"poemd_start_time_seconds", GAUGE, 1, BROKER(started_s),
     "Time at which poemd was started, since the epoch."},
    {"poemd_sessions_limit", GAUGE, 1, BROKER(most), "Sessions that all routes together may have."},
    {"poemd_draining", GAUGE, 1, BROKER(draining), "Whether poemd ends with its last session."},
    {"poemd_worker_ends", COUNTER, 1, BROKER(workers_gone), "Relay workers that have ended."},
    {"poemd_monitor_longest_turn_seconds", GAUGE, 1000000, BROKER(longest_turn_us),
     "Longest time in which the monitor served nothing else."},
    {"poemd_snapshot_seconds", GAUGE, 1000000, BROKER(snapshot_us),
     "Time that the last snapshot of these figures cost the monitor."},
    {"poemd_audit_enabled", GAUGE, 1, BROKER(audit), "Whether an audit log is kept."},
    {"poemd_audit_failing", GAUGE, 1, BROKER(audit_failing),
     "Whether the audit log cannot be written."},
    {"poemd_audit_records", COUNTER, 1, BROKER(audit_records), "Records of the audit log on disk."},
    {"poemd_audit_failures", COUNTER, 1, BROKER(audit_failures),
     "Batches of records that could not be written."},
    {"poemd_captures", GAUGE, 1, BROKER(captures), "Captures that run."},
    {"poemd_capture_messages", COUNTER, 1, BROKER(capture_messages),
     "Messages that captures have written."},
    {"poemd_capture_bytes", COUNTER, 1, BROKER(capture_bytes), "Bytes that captures have written."},
    {"poemd_capture_lost", COUNTER, 1, BROKER(capture_lost),
     "Messages that captures wanted and lost."},
};

static uint64_t exporter_text_at(const void *from, size_t at)
{
    uint64_t n;

    memcpy(&n, (const char *)from + at, sizeof n);
    return n;
}

static void exporter_text_numbers(struct text *t)
{
    char value[VALUE_SIZE];

    for (size_t i = 0; i < sizeof of_broker / sizeof *of_broker; i++) {
        const struct number *const n = &of_broker[i];

        exporter_text_family(t, n->name, n->kind, n->help);
        exporter_text_value(value, exporter_text_at(t->f->broker, n->at), n->of);
        exporter_text_sample(t, "%s%s %s\n", n->name, n->kind == COUNTER ? "_total" : "", value);
    }
    for (size_t i = 0; i < sizeof of_routes / sizeof *of_routes; i++) {
        const struct number *const n = &of_routes[i];

        exporter_text_family(t, n->name, n->kind, n->help);
        for (uint64_t r = 0; r < t->f->broker->routes; r++) {
            exporter_text_value(value, exporter_text_at(&t->f->routes[r], n->at), n->of);
            exporter_text_sample(t, "%s%s{route=\"%s\"} %s\n", n->name,
                                 n->kind == COUNTER ? "_total" : "", t->f->routes[r].name, value);
        }
    }
}

/* ---- families with more labels: samples that are 0 are left out, but for states ---- */

static void exporter_text_states(struct text *t, const struct snapshot_route *r)
{
    for (int s = 0; s < SESSION_DEAD; s++) {
        exporter_text_sample(t, "poemd_sessions{route=\"%s\",state=\"%s\"} %" PRIu64 "\n", r->name,
                             session_state_name((enum session_state)s), r->sessions[s]);
    }
}

static void exporter_text_ended(struct text *t, const struct snapshot_route *r)
{
    for (int i = 0; i < REASON_COUNT; i++) {
        if (r->counts.ended[i] > 0) {
            exporter_text_sample(
                t, "poemd_sessions_ended_total{route=\"%s\",reason=\"%s\"} %" PRIu64 "\n", r->name,
                session_reason_word((enum session_reason)i), r->counts.ended[i]);
        }
    }
}

static const char *const rule_names[SNAPSHOT_RULES] = {
    "none",
    [1 + RULES_ABOUT_IDENTITY] = "allow",
    [1 + RULES_ABOUT_RECITAL] = "demand-recital",
    [1 + RULES_ABOUT_LICENCE] = "licence",
    [1 + RULES_ABOUT_CODE] = "code",
    [1 + RULES_ABOUT_CONSISTENCY] = "licence-consistent",
    [1 + RULES_ABOUT_MEASURED] = "executable-measured",
};

static void exporter_text_verdicts(struct text *t, const struct snapshot_route *r)
{
    for (unsigned v = 0; v < SNAPSHOT_VERDICTS; v++) {
        for (unsigned rule = 0; rule < SNAPSHOT_RULES; rule++) {
            for (int side = 0; side < SIDES; side++) {
                if (r->counts.verdicts[v][rule][side] > 0) {
                    exporter_text_sample(
                        t,
                        "poemd_verdicts_total{route=\"%s\",verdict=\"%s\",rule=\"%s\",party=\"%s\"}"
                        " %" PRIu64 "\n",
                        r->name, rules_verdict_name((enum verdict)v), rule_names[rule],
                        rule == 0 ? "" : side_name((enum side)side),
                        r->counts.verdicts[v][rule][side]);
                }
            }
        }
    }
}

static void exporter_text_taints(struct text *t, const struct snapshot_route *r)
{
    for (unsigned i = 0; i < TAINT_COUNT; i++) {
        if (r->counts.taints[i] > 0) {
            exporter_text_sample(
                t, "poemd_sessions_tainted_total{route=\"%s\",letter=\"%c\"} %" PRIu64 "\n",
                r->name, taint_letter(i), r->counts.taints[i]);
        }
    }
}

static void exporter_text_refusals(struct text *t, const struct snapshot_route *r)
{
    for (unsigned i = 0; i < SNAPSHOT_ERRNOS && r->refusals[i].err != 0; i++) {
        const char *const name = strerrorname_np((int)r->refusals[i].err);

        exporter_text_sample(t, "poemd_refusals_total{route=\"%s\",errno=\"%s\"} %" PRIu64 "\n",
                             r->name, name ? name : "other", r->refusals[i].times);
    }
}

/* One number of each struct ipc_count, by its offset there. */
static void exporter_text_commands(struct text *t, const struct snapshot_route *r, const char *name,
                                   size_t at)
{
    static const char *const directions[SIDES] = {
        [SIDE_CLIENT] = "to-backend", [SIDE_BACKEND] = "to-client"};

    for (unsigned i = 0; i < TALLY_COMMANDS; i++) {
        const struct wire_command_info *const c = wire_command_find((uint16_t)i);

        for (int side = 0; side < SIDES; side++) {
            const uint64_t n = exporter_text_at(&r->counts.tally.by[side][i], at);

            if (n > 0) {
                exporter_text_sample(t,
                                     "%s_total{route=\"%s\",direction=\"%s\",command=\"%s\"}"
                                     " %" PRIu64 "\n",
                                     name, r->name, directions[side], c ? c->name : "other", n);
            }
        }
    }
}

static void exporter_text_messages(struct text *t, const struct snapshot_route *r)
{
    exporter_text_commands(t, r, "poemd_messages", offsetof(struct ipc_count, messages));
}

static void exporter_text_bytes(struct text *t, const struct snapshot_route *r)
{
    exporter_text_commands(t, r, "poemd_message_bytes", offsetof(struct ipc_count, bytes));
}

static void exporter_text_fds(struct text *t, const struct snapshot_route *r)
{
    exporter_text_commands(t, r, "poemd_fds", offsetof(struct ipc_count, fds));
}

/* ---- histograms ---- */

#define SECOND_NS 1000000000u

/* The exemplar behind a bucket; only the newer format has them. */
static void exporter_text_exemplar(struct text *t, const struct tally_exemplar *e)
{
    char record[VALUE_SIZE] = "";
    char value[VALUE_SIZE];
    char at[VALUE_SIZE];

    if (e->record > 0) {
        snprintf(record, sizeof record, ",record=\"%" PRIu64 "\"", e->record - 1);
    }
    exporter_text_value(value, e->ns / 1000, 1000000);
    exporter_text_value(at, (t->f->broker->epoch_ns + e->at_ns) / 1000000, 1000);
    exporter_text_sample(t, " # {session=\"%" PRIu64 "\"%s} %s %s", e->session, record, value, at);
}

/* A bucket's upper bound: at least one digit behind the point, and no zeros at the end. */
static void exporter_text_bound(char out[VALUE_SIZE], unsigned i)
{
    size_t n;

    if (i == TALLY_BOUNDS) {
        snprintf(out, VALUE_SIZE, "+Inf");
        return;
    }
    exporter_text_value(out, tally_bounds[i] / 1000, 1000000);
    n = strlen(out);
    while (n > 2 && out[n - 1] == '0' && out[n - 2] != '.') {
        out[--n] = '\0';
    }
}

static void exporter_text_buckets(struct text *t, const char *labels, const struct tally_times *h)
{
    const bool exemplar = t->format == EXPORTER_OPENMETRICS && h->slowest.session != 0;
    const unsigned with = tally_bucket(h->slowest.ns);
    char value[VALUE_SIZE];
    uint64_t n = 0;

    for (unsigned i = 0; i < TALLY_BUCKETS; i++) {
        n += h->buckets[i];
        exporter_text_bound(value, i);
        exporter_text_sample(t, "poemd_request_seconds_bucket{%s,le=\"%s\"} %" PRIu64, labels,
                             value, n);
        if (exemplar && i == with) {
            exporter_text_exemplar(t, &h->slowest);
        }
        exporter_text_sample(t, "\n");
    }
    exporter_text_value(value, h->ns / 1000, 1000000);
    exporter_text_sample(t, "poemd_request_seconds_sum{%s} %s\n", labels, value);
    exporter_text_sample(t, "poemd_request_seconds_count{%s} %" PRIu64 "\n", labels, n);
}

static void exporter_text_times(struct text *t, const struct snapshot_route *r)
{
    /* A name, the longest class, and both labels' words. */
    char labels[SNAPSHOT_NAME + 64];

    for (int i = 0; i < TALLY_CLASSES; i++) {
        const struct tally_times *const h = &r->counts.tally.times[i];
        uint64_t n = 0;

        for (unsigned b = 0; b < TALLY_BUCKETS; b++) {
            n += h->buckets[b];
        }
        if (n > 0) {
            snprintf(labels, sizeof labels, "route=\"%s\",class=\"%s\"", r->name,
                     tally_class_word((enum tally_class)i));
            exporter_text_buckets(t, labels, h);
        }
    }
}

static const struct {
    const char *name;
    enum kind kind;
    void (*write)(struct text *t, const struct snapshot_route *r);
    const char *help;
} families[] = {
    {"poemd_sessions", GAUGE, exporter_text_states, "Sessions by their state."},
    {"poemd_sessions_ended", COUNTER, exporter_text_ended, "Sessions that ended, by the reason."},
    {"poemd_verdicts", COUNTER, exporter_text_verdicts,
     "Verdicts, by the kind of rule that decided and the party that it is about."},
    {"poemd_sessions_tainted", COUNTER, exporter_text_taints,
     "Sessions that got a taint letter, or an observation."},
    {"poemd_refusals", COUNTER, exporter_text_refusals,
     "Clients that got an error for their VERSION request."},
    {"poemd_messages", COUNTER, exporter_text_messages,
     "Messages that were passed on, by direction and command."},
    {"poemd_message_bytes", COUNTER, exporter_text_bytes, "Bytes of these messages."},
    {"poemd_fds", COUNTER, exporter_text_fds, "File descriptors that went with these messages."},
    {"poemd_request_seconds", HISTOGRAM, exporter_text_times,
     "Time from when a request is read to when its reply is, by kinds of commands."},
};

static void exporter_text_families(struct text *t)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        exporter_text_family(t, families[i].name, families[i].kind, families[i].help);
        for (uint64_t r = 0; r < t->f->broker->routes; r++) {
            families[i].write(t, &t->f->routes[r]);
        }
    }
}

/* ---- the rest ---- */

static void exporter_text_workers(struct text *t)
{
    uint64_t ready = 0;
    uint64_t longest_us = 0;
    char value[VALUE_SIZE];

    for (uint64_t i = 0; i < t->f->broker->workers; i++) {
        const struct snapshot_worker *const w = &t->f->workers[i];

        ready += w->ready;
        longest_us = w->longest_turn_us > longest_us ? w->longest_turn_us : longest_us;
    }
    exporter_text_family(t, "poemd_workers", GAUGE,
                         "Relay workers, by whether they take sessions.");
    exporter_text_sample(t, "poemd_workers{state=\"ready\"} %" PRIu64 "\n", ready);
    exporter_text_sample(t, "poemd_workers{state=\"starting\"} %" PRIu64 "\n",
                         t->f->broker->workers - ready);
    exporter_text_family(t, "poemd_worker_longest_turn_seconds", GAUGE,
                         "Longest time in which a worker that runs served nothing else.");
    exporter_text_value(value, longest_us, 1000000);
    exporter_text_sample(t, "poemd_worker_longest_turn_seconds %s\n", value);
}

bool exporter_text_write(struct evbuffer *out, const struct exporter_figures *f,
                         enum exporter_format format)
{
    struct text t = {.out = out, .f = f, .format = format};

    exporter_text_family(&t, "poemd_build", INFO, "The program.");
    exporter_text_sample(&t, "poemd_build_info{version=\"%s\"} 1\n", POEMD_VERSION);
    exporter_text_numbers(&t);
    exporter_text_workers(&t);
    exporter_text_families(&t);
    if (f->has_room) {
        exporter_text_family(&t, "poemd_audit_room_bytes", GAUGE,
                             "Free bytes of the file system of the audit log.");
        exporter_text_sample(&t, "poemd_audit_room_bytes %" PRIu64 "\n", f->room);
    }
    if (format == EXPORTER_OPENMETRICS) {
        exporter_text_sample(&t, "# EOF\n");
    }
    return !t.failed;
}

/* ---- snapshots ---- */

/* Returns true if it ends, and needs no escaping in a label. */
static bool exporter_text_is_name(const char name[SNAPSHOT_NAME])
{
    size_t n = 0;

    while (n < SNAPSHOT_NAME && name[n] > ' ' && name[n] <= '~' && name[n] != '"' &&
           name[n] != '\\') {
        n++;
    }
    return n < SNAPSHOT_NAME && name[n] == '\0';
}

bool exporter_figures_of(struct exporter_figures *f, const void *snapshot, size_t n)
{
    const struct snapshot_broker *const b = snapshot;

    *f = (struct exporter_figures){.broker = b};
    if (n < sizeof *b || b->routes > 2ull * LIMIT_ROUTES || b->workers > 2ull * LIMIT_WORKERS ||
        n != snapshot_size(b->routes, b->workers)) {
        return false;
    }
    f->routes = (const struct snapshot_route *)(b + 1);
    f->workers = (const struct snapshot_worker *)(f->routes + b->routes);
    for (uint64_t i = 0; i < b->routes; i++) {
        if (!exporter_text_is_name(f->routes[i].name)) {
            return false;
        }
    }
    return true;
}
