/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The configuration as such, from a file or the command line: its defaults, its errors, the checks
 * across statements, and a single route from the command line. Opens no file and looks up no name:
 * config_load.c does.
 */
#define _GNU_SOURCE

#include "proxy/config/config.h"
#include "proxy/config/config_inject.h"
#include "proxy/config/config_index.h"
#include "proxy/config/config_rules.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "proxy/config/config_value.h"
#include "proxy/config/config_where.h"
#include "proxy/config/preset.h"
#include "trace/decode/filter.h"

/* ---- lifetimes ---- */

int config_init(struct config *c)
{
    *c = (struct config){
        .max_sessions = CONFIG_MAX_SESSIONS_DEFAULT,
        .handshake_ms = LIMIT_HANDSHAKE_MS,
        .orphan_ms = LIMIT_ORPHAN_MS,
        .log_level = LOG_INFO,
        .trace_buffer_mib = CONFIG_TRACE_BUFFER_DEFAULT,
        .control = {.mode = CONFIG_MODE_DEFAULT, .owner = (uid_t)-1, .group = (gid_t)-1},
        .metrics = {.mode = CONFIG_MODE_DEFAULT, .owner = (uid_t)-1, .group = (gid_t)-1},
        .worker = {CONFIG_NO_UID, CONFIG_NO_UID},
        .inspector = {CONFIG_NO_UID, CONFIG_NO_UID},
        .tracer = {CONFIG_NO_UID, CONFIG_NO_UID},
        .exporter = {CONFIG_NO_UID, CONFIG_NO_UID}};
    return 0;
}

struct config_route config_route_default(struct config_place at)
{
    return (struct config_route){.mode = CONFIG_MODE_DEFAULT,
                                 .owner = (uid_t)-1,
                                 .group = (gid_t)-1,
                                 .sessions = LIMIT_SESSIONS_ROUTE_DEFAULT,
                                 .drain_ms = LIMIT_DRAIN_MS,
                                 .stall_ms = LIMIT_STALL_MS,
                                 .answer_ms = LIMIT_ANSWER_MS,
                                 .trace = {.payload = CONFIG_PAYLOAD_DEFAULT},
                                 .preset = PRESET_NONE,
                                 .same_process = CONFIG_SAME_UNASKED,
                                 .demand_how = CONFIG_DEMAND_ONE,
                                 .look_then = CONFIG_SAME_END,
                                 .at = at};
}

bool config_route_watches(const struct config_route *r, enum side party)
{
    return r->same_process != CONFIG_SAME_UNASKED &&
           r->same_of != (party == SIDE_CLIENT ? CONFIG_SAME_OF_BACKEND : CONFIG_SAME_OF_CLIENT);
}

enum config_mappable config_route_mappable(const struct config_route *r)
{
    if (r->adopt) {
        return CONFIG_MAPPABLE_ADOPT;
    }
    return r->hold_ms > 0 || r->mappable == CONFIG_MAPPABLE_STRIP ? CONFIG_MAPPABLE_STRIP
                                                                  : CONFIG_MAPPABLE_PASS;
}

void config_route_deinit(struct config_route *r)
{
    free(r->name);
    free(r->listen);
    free(r->adopt);
    free(r->backend);
    free(r->spawn);
    free(r->spawn_user);
    free(r->spawn_group);
    free(r->spawn_groups);
    free(r->trace_file);
    free(r->trace.filter);
    free(r->owner_name);
    free(r->group_name);
    free(r->dma_max_bytes);
    config_route_deinit_rules(r);
}

void config_deinit(struct config *c)
{
    for (size_t i = 0; i < c->n_routes; i++) {
        config_route_deinit(&c->routes[i]);
    }
    config_index_deinit(c);
    config_list_deinit(&c->files);
    config_list_deinit(&c->folders);
    free(c->routes);
    free(c->user);
    free(c->file);
    free(c->text);
    free(c->control.path);
    free(c->control.owner_name);
    free(c->control.group_name);
    free(c->metrics.path);
    free(c->metrics.owner_name);
    free(c->metrics.group_name);
    free(c->metrics_address);
    poem_file_deinit(&c->poem);
    free(c->poem_file);
    config_deinit_rules(c);
    *c = (struct config){0};
}

/* ---- errors ---- */

void config_errors_init(struct config_errors *e)
{
    e->about = NULL;
    e->n = 0;
    e->total = 0;
}

static bool config_is_before(struct config_place a, struct config_place b)
{
    return a.line < b.line || (a.line == b.line && a.column < b.column);
}

/* Returns the slot for an error at this place, or NULL if it is not kept. */
static struct config_error *config_errors_slot(struct config_errors *e, struct config_place at)
{
    size_t i = e->n;

    while (i > 0 && config_is_before(at, e->error[i - 1].at)) {
        i--;
    }
    if (e->n == CONFIG_ERRORS) {
        if (i == CONFIG_ERRORS) {
            return NULL;
        }
        e->n--;
    }
    memmove(&e->error[i + 1], &e->error[i], (e->n - i) * sizeof *e->error);
    e->n++;
    return &e->error[i];
}

static bool config_errors_has(const struct config_errors *e, struct config_place at,
                              const char *text)
{
    for (size_t i = 0; i < e->n; i++) {
        const struct config_error *const x = &e->error[i];

        if (x->at.line == at.line && x->at.column == at.column && strcmp(x->text, text) == 0) {
            return true;
        }
    }
    return false;
}

void config_errors_add_in(struct config_errors *e, const char *file, struct config_place at,
                          const char *hint, const char *text)
{
    const size_t n = strlen(file);
    char cut[sizeof e->error->text];
    struct config_error *new;

    snprintf(cut, sizeof cut, "%s", text);
    if (at.line > 0 && config_errors_has(e, at, cut)) {
        return;
    }
    e->total++;
    new = config_errors_slot(e, at);
    if (!new) {
        return;
    }
    new->at = at;
    memcpy(new->text, cut, sizeof cut);
    snprintf(new->hint, sizeof new->hint, "%s", hint ? hint : "");
    snprintf(new->file, sizeof new->file, "%s",
             n < sizeof new->file ? file : file + n - (sizeof new->file - 1));
}

void config_errors_add(struct config_errors *e, struct config_place at, const char *hint,
                       const char *fmt, ...)
{
    const char *const file = e->about ? config_where_file_of(e->about, at.line) : NULL;
    char text[sizeof e->error->text];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    config_errors_add_in(e, file ? file : "", at, hint, text);
}

void config_errors_print(const struct config_errors *e, const char *name, FILE *to)
{
    char shown[1024];

    for (size_t i = 0; i < e->n; i++) {
        const struct config_error *x = &e->error[i];
        const char *const file = *x->file ? x->file : name;

        log_escape(shown, sizeof shown, file, strlen(file));
        if (x->at.line > 0) {
            fprintf(to, "%s:%u:%u: error: %s\n", shown, config_where_line(x->at.line), x->at.column,
                    x->text);
        } else {
            fprintf(to, "%s: error: %s\n", shown, x->text);
        }
        if (x->hint[0]) {
            fprintf(to, "    hint: %s\n", x->hint);
        }
    }
    if (e->total > e->n) {
        log_escape(shown, sizeof shown, name, strlen(name));
        fprintf(to, "%s: %zu more error%s not shown\n", shown, e->total - e->n,
                e->total - e->n == 1 ? " is" : "s are");
    }
}

/* ---- checks across statements ---- */

/* Writes the line of a place, or "" for a place without one. */
static const char *config_write_line(const struct config *c, char *out, size_t size,
                                     struct config_place at)
{
    char where[CONFIG_WHERE_SIZE];

    if (at.line > 0) {
        snprintf(out, size, "the first is in %s", config_where(c, at.line, where));
    } else {
        out[0] = '\0';
    }
    return out;
}

/* Reports what a route shares with an earlier one. */
static void config_check_unique(const struct config *c, const struct config_route *r,
                                struct config_errors *e)
{
    const struct config_route *other = r->name ? config_route_find(c, r->name) : r;
    char hint[CONFIG_WHERE_SIZE + 32];
    char shown[128];

    if (other != r) {
        config_errors_add(e, r->name_at, config_write_line(c, hint, sizeof hint, other->name_at),
                          "duplicate route name \"%s\"", r->name);
    }
    other = r->listen ? config_route_at(c, r->listen) : r;
    if (other != r) {
        log_escape(shown, sizeof shown, r->listen, strlen(r->listen));
        config_errors_add(e, r->listen_at,
                          config_write_line(c, hint, sizeof hint, other->listen_at),
                          "another route listens on \"%s\"", shown);
    }
    other = r->trace_file ? config_route_tracing(c, r->trace_file) : r;
    if (other != r) {
        config_errors_add(e, r->trace_at, config_write_line(c, hint, sizeof hint, other->trace_at),
                          "another route's trace is written to this file");
    }
}

/* A session that is held goes on with a device whose memory its client has not mapped. */
static void config_check_loss(const struct config_route *r, struct config_errors *e)
{
    const bool holds = r->hold_at.line > 0;
    bool valid = r->loss_at.line > 0;

    for (size_t i = 0; i < e->n; i++) {
        valid = valid && e->error[i].at.line != r->loss_at.line;
    }
    if (valid && holds == (r->loss_end_at.line > 0)) {
        config_errors_add(e, r->loss_at, "on backend loss end, or on backend loss hold DURATION",
                          "\"on backend\" needs one of \"loss end\" and \"loss hold\"");
    }
    if (holds && r->mappable_at.line > 0 && r->mappable == CONFIG_MAPPABLE_PASS) {
        config_errors_add(e, r->mappable_at, "mappable strip, or mappable adopt PATH",
                          "a client that has mapped the device's memory keeps the memory of a "
                          "process that is gone: \"hold\" needs \"mappable strip\"");
    }
    if (r->adopt && r->mappable_at.line > 0) {
        config_errors_add(e, r->adopt_at, "one of them",
                          "\"mappable adopt\" and \"mappable %s\" exclude each other",
                          r->mappable == CONFIG_MAPPABLE_PASS ? "pass" : "strip");
    }
    if (r->adopt && r->sessions > 1) {
        config_errors_add(e, r->adopt_at, "sessions 1",
                          "a file has the memory of one device, and the route %u sessions",
                          r->sessions);
    }
}

static void config_check_route(const struct config *c, const struct config_route *r,
                               struct config_errors *e)
{
    if (r->listen && r->backend && value_same_path(r->listen, r->backend)) {
        config_errors_add(e, r->backend_at, "a route to itself would be an endless loop",
                          "the backend is the socket that the route listens on");
    }
    if (r->sessions > c->max_sessions) {
        config_errors_add(e, r->sessions_at,
                          "raise max-sessions, the limit for all routes together",
                          "a route cannot have %u sessions if all routes together have %u",
                          r->sessions, c->max_sessions);
    }
    config_check_loss(r, e);
    if (r->wait_backend_ms > r->handshake_ms) {
        config_errors_add(e, r->wait_at, "waiting for the backend is part of the handshake",
                          "wait-backend is longer than handshake-timeout (%u ms)", r->handshake_ms);
    }
}

/* A socket of the broker's own, if it is configured, is not one of a route's. */
static void config_check_path(const struct config *c, const struct config_control *own,
                              const char *what, struct config_errors *e)
{
    for (size_t i = 0; own->path && i < c->n_routes; i++) {
        const struct config_route *r = &c->routes[i];

        if ((r->listen && value_same_path(r->listen, own->path)) ||
            (r->backend && value_same_path(r->backend, own->path))) {
            config_errors_add(e, own->at, "choose another path",
                              "%s has the path of a socket of route \"%s\"", what,
                              r->name ? r->name : "?");
            return;
        }
    }
}

/* A client of the control socket sees all parties, and can capture their messages. */
static void config_check_control(const struct config *c, struct config_errors *e)
{
    const struct config_control *control = &c->control;

    if (control->mode & 0007) {
        config_errors_add(e, control->mode_at, "use mode 0660 and a group",
                          "the control socket must not be accessible to all users");
    }
    config_check_path(c, control, "the control socket", e);
}

/* Metrics have a socket of their own, too. */
static void config_check_metrics(const struct config *c, struct config_errors *e)
{
    const struct config_control *const metrics = &c->metrics;

    config_check_path(c, metrics, "the socket for metrics", e);
    if (metrics->path && c->control.path && value_same_path(metrics->path, c->control.path)) {
        config_errors_add(e, metrics->at, "choose another path",
                          "the socket for metrics has the path of the control socket");
    }
}

static void config_check_filter(const struct config_route *r, struct config_errors *e)
{
    struct filter *filter;
    char why[192];

    if (r->trace.filter) {
        filter = filter_new(r->trace.filter, why, sizeof why);
        if (!filter) {
            config_errors_add(e, r->trace_filter_at, "poemctl-trace(1) describes filters", "%s",
                              why);
        }
        filter_free(filter);
    }
}

/* Converts texts that have been checked already. */
static void config_settle_dma(struct config_route *r)
{
    struct dma_settings *dma = &r->dma;

    *dma = (struct dma_settings){.withhold = r->dma_how == CONFIG_DMA_WITHHOLD,
                                 .withhold_file_io = r->dma_how == CONFIG_DMA_WITHHOLD_FILE_IO,
                                 .max_maps = r->dma_max_maps};
    if (r->dma_max_bytes && !value_size(r->dma_max_bytes, &dma->max_bytes)) {
        dma->max_bytes = 0;
    }
    for (size_t i = 0; i < r->dma_ranges.n; i++) {
        struct dma_span *span = &dma->ranges[dma->n_ranges];

        if (r->dma_ranges.items[i].text &&
            value_range(r->dma_ranges.items[i].text, &span->first, &span->last)) {
            dma->n_ranges++;
        }
    }
}

int config_settle_trace(struct config_route *r)
{
    static const char suffix[] = CONFIG_PACK_SUFFIX;
    const size_t n = r->trace_file ? strlen(r->trace_file) : 0;
    const bool named =
        n >= sizeof suffix && strcmp(r->trace_file + n - (sizeof suffix - 1), suffix) == 0;
    char *path;

    if (!r->trace_file) {
        return 0;
    }
    if (r->trace_pack_at.line == 0) {
        const bool packs = named || r->trace.rotate_mib > 0 || r->trace.every_ms > 0;

        r->trace.pack = packs ? CONFIG_PACK_ZSTD : CONFIG_PACK_NO;
    }
    if (named || r->trace.pack == CONFIG_PACK_NO) {
        return 0;
    }
    path = realloc(r->trace_file, n + sizeof suffix);
    if (!path) {
        return -ENOMEM;
    }
    memcpy(path + n, suffix, sizeof suffix);
    r->trace_file = path;
    return 0;
}

int config_check(struct config *c, struct config_errors *e)
{
    const size_t before = e->total;

    /* In a file with errors, one of them may have been meant as a route. */
    if (c->n_routes == 0 && !c->has_template && before == 0) {
        config_errors_add(e, (struct config_place){0, 0}, "route NAME {", "there is no route");
    }
    for (size_t i = 0; i < c->n_routes; i++) {
        if (config_settle_trace(&c->routes[i]) < 0) {
            return -ENOMEM;
        }
    }
    if (config_index_make(c) < 0) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < c->n_routes; i++) {
        if (c->routes[i].handshake_ms == 0) {
            c->routes[i].handshake_ms = c->handshake_ms;
        }
        config_check_unique(c, &c->routes[i], e);
        config_check_route(c, &c->routes[i], e);
        config_check_filter(&c->routes[i], e);
        config_inject_check(&c->routes[i], e);
        config_settle_dma(&c->routes[i]);
    }
    config_check_control(c, e);
    config_check_metrics(c, e);
    return e->total > before ? -EINVAL : 0;
}

/* ---- a single route ---- */

/* Returns a valid route name made from the socket's file name. */
static char *config_name_of(const char *path)
{
    const char *base = strrchr(path, '/');
    size_t n;
    char *name;

    base = base ? base + 1 : path;
    n = strlen(base);
    if (n > 5 && strcmp(base + n - 5, ".sock") == 0) {
        n -= 5;
    }
    name = strndup(n > 0 ? base : "default", n > 0 ? (n < LIMIT_NAME ? n : LIMIT_NAME) : 7);
    for (char *c = name; c && *c; c++) {
        const char one[2] = {*c, '\0'};
        struct value_fault fault;
        unsigned none;

        if (!value_read(VALUE_NAME, one, 0, 0, &none, &fault)) {
            *c = '_';
        }
    }
    return name;
}

static bool config_is_socket_path(const char *path, struct config_errors *e)
{
    struct value_fault fault;
    unsigned none;

    if (!value_read(VALUE_SOCKET, path, 0, 0, &none, &fault)) {
        config_errors_add(e, (struct config_place){0, 0}, fault.hint, "%s", fault.text);
        return false;
    }
    return true;
}

int config_single(struct config *c, const char *listen, const char *backend,
                  struct config_errors *e)
{
    const bool listen_ok = config_is_socket_path(listen, e);

    if (!config_is_socket_path(backend, e) || !listen_ok) {
        return -EINVAL;
    }
    c->routes = malloc(sizeof *c->routes);
    if (!c->routes) {
        return -ENOMEM;
    }
    c->routes[0] = config_route_default((struct config_place){0, 0});
    c->n_routes = 1;
    c->routes[0].name = config_name_of(listen);
    c->routes[0].listen = strdup(listen);
    c->routes[0].backend = strdup(backend);
    if (!c->routes[0].name || !c->routes[0].listen || !c->routes[0].backend) {
        return -ENOMEM;
    }
    return config_check(c, e);
}

int config_set_control(struct config *c, const char *path, struct config_errors *e)
{
    const size_t before = e->total;
    char *copy;

    if (!config_is_socket_path(path, e)) {
        return -EINVAL;
    }
    copy = strdup(path);
    if (!copy) {
        return -ENOMEM;
    }
    free(c->control.path);
    c->control.path = copy;
    c->control.at = (struct config_place){0, 0};
    config_check_control(c, e);
    return e->total > before ? -EINVAL : 0;
}
