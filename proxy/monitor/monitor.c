/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The monitor's process: setup, signals, stop. */
#define _GNU_SOURCE
#include "proxy/monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/sock.h"
#include "proxy/monitor/control/control.h"
#include "base/confine/confine.h"
#include "proxy/monitor/tracing/tracing.h"
#include "proxy/ipc/turn.h"

static const struct timeval stop_time = {.tv_usec = LIMIT_STOP_MS * 1000L % 1000000,
                                         .tv_sec = LIMIT_STOP_MS / 1000};
static const struct timeval killed_time = {.tv_usec = LIMIT_STOP_KILLED_MS * 1000L};

/* Descriptors that the monitor needs in addition to listeners, workers and sessions that begin. */
#define SPARE_FDS (64 + 2 * LIMIT_CONTROL_CLIENTS)

void monitor_time_of(uint64_t then_ms, char out[AUDIT_TIME_SIZE + 1])
{
    const uint64_t ago = clock_ms() - then_ms;
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec -= (time_t)(ago / 1000);
    t.tv_nsec -= (long)(ago % 1000) * 1000000;
    if (t.tv_nsec < 0) {
        t.tv_nsec += 1000000000;
        t.tv_sec--;
    }
    audit_line_time(&t, out);
}

static int monitor_compare_routes(const void *a, const void *b)
{
    const struct route *const *const one = a;
    const struct route *const *const other = b;

    return strcmp((*one)->config->name, (*other)->config->name);
}

/* Call after the routes have been opened. Returns 0 or -ENOMEM. */
static int monitor_sort_routes(struct monitor *m)
{
    m->by_name = calloc(m->config->n_routes, sizeof *m->by_name);
    if (!m->by_name) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < m->config->n_routes; i++) {
        m->by_name[i] = &m->routes[i];
    }
    qsort(m->by_name, m->config->n_routes, sizeof *m->by_name, monitor_compare_routes);
    return 0;
}

struct route *monitor_route(const struct monitor *m, const char *name)
{
    size_t low = 0;
    size_t high = m->config->n_routes;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const int order = strcmp(m->by_name[mid]->config->name, name);

        if (order == 0) {
            return m->by_name[mid];
        }
        if (order < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

static void monitor_on_reap(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    monitor_session_reap(arg);
}

static void monitor_on_beat(evutil_socket_t fd, short what, void *arg)
{
    struct monitor *m = arg;

    (void)fd;
    (void)what;
    log_catch_up();
    if (!m->stopping) {
        worker_pool_beat(&m->worker_pool);
        tracing_beat(m);
        inspector_beat(m->inspector);
    }
}

static int monitor_start_beat(struct monitor *m)
{
    const struct timeval tv = {.tv_usec = LIMIT_BEAT_MS * 1000L};

    m->beat = event_new(m->base, -1, EV_PERSIST, monitor_on_beat, m);
    return m->beat && event_add(m->beat, &tv) == 0 ? 0 : -ENOMEM;
}

void monitor_worker_ready(struct monitor *m)
{
    struct pollfd p = {.fd = m->ready_fd, .events = POLLOUT};

    if (m->ready_fd < 0 || !worker_pool_all_ready(&m->worker_pool)) {
        return;
    }
    /* If the pipe is full, its reader is not interested. */
    if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT) || write(m->ready_fd, "\n", 1) < 0) {
        log_warning("nobody reads the ready fd: %s", strerror(errno));
    }
    sock_close(&m->ready_fd);
}

/* ---- stopping ---- */

/*
 * The kernel holds a killed process that does not end, for example in a system call. The process
 * ends when the kernel releases it; the monitor does not wait for it.
 */
static void monitor_on_killed_time(evutil_socket_t fd, short what, void *arg)
{
    struct monitor *m = arg;

    (void)fd;
    (void)what;
    log_error("some processes were killed and do not go: the kernel holds them; left behind");
    event_base_loopbreak(m->base);
}

static void monitor_on_stop_time(evutil_socket_t fd, short what, void *arg)
{
    struct monitor *m = arg;

    (void)fd;
    (void)what;
    log_warning("some processes did not stop in time; killed");
    children_kill(&m->children);
    event_base_once(m->base, -1, EV_TIMEOUT, monitor_on_killed_time, m, &killed_time);
}

/* Ends sessions without a worker; workers report the end of the others. */
static void monitor_end_unhanded(struct monitor *m)
{
    for (int state = SESSION_ACCEPTED; state <= SESSION_RECITING; state++) {
        struct monitor_session *t;
        struct monitor_session *next;

        TAILQ_FOREACH_SAFE(t, &m->monitor_sessions[state], link, next)
        {
            if (!t->member) {
                monitor_session_end(t, REASON_SHUTDOWN, NULL);
            }
        }
    }
}

static void monitor_leave_when_gone(struct monitor *m)
{
    /* Once the workers have gone, nothing more is captured. */
    if (m->stopping && worker_pool_all_gone(&m->worker_pool)) {
        tracing_quit(m);
    }
    if (m->stopping && worker_pool_all_gone(&m->worker_pool) && children_none(&m->children)) {
        event_base_loopbreak(m->base);
    }
}

void monitor_worker_gone(struct monitor *m)
{
    monitor_leave_when_gone(m);
}

void monitor_stop(struct monitor *m, int status)
{
    if (m->stopping) {
        return;
    }
    m->stopping = true;
    m->status = status;
    for (size_t i = 0; i < m->config->n_routes; i++) {
        route_close(&m->routes[i]);
        if (m->routes[i].spawn) {
            spawn_stop(m->routes[i].spawn);
        }
    }
    control_close(m->control);
    monitor_end_unhanded(m);
    worker_pool_quit(&m->worker_pool);
    event_base_once(m->base, -1, EV_TIMEOUT, monitor_on_stop_time, m, &stop_time);
    monitor_leave_when_gone(m);
}

static void monitor_on_signal(evutil_socket_t sig, short what, void *arg)
{
    struct monitor *m = arg;

    (void)what;
    if (sig == SIGCHLD) {
        children_collect(&m->children);
        monitor_leave_when_gone(m);
        return;
    }
    log_info("stopping: signal %d", (int)sig);
    monitor_stop(m, 0);
}

/* ---- starting ---- */

static int monitor_watch_signals(struct monitor *m)
{
    static const int numbers[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        m->signals[i] = evsignal_new(m->base, numbers[i], monitor_on_signal, m);
        if (!m->signals[i] || event_add(m->signals[i], NULL) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int monitor_open_routes(struct monitor *m)
{
    for (size_t i = 0; i < m->config->n_routes; i++) {
        m->routes[i].listen_fd = -1;
    }
    for (size_t i = 0; i < m->config->n_routes; i++) {
        const int err = route_open(&m->routes[i], m, &m->config->routes[i]);

        if (err) {
            return err;
        }
    }
    return 0;
}

/*
 * Makes the kernel grow the process's fd table at once. Later, when the audit log's thread runs,
 * each growth would block for up to 30 ms (synchronize_rcu).
 */
static void monitor_widen_fd_table(uint64_t n)
{
    int fd = open("/", O_PATH | O_CLOEXEC);
    int last_fd = fd < 0 || n > INT_MAX ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, (int)n - 1);

    if (last_fd < 0) {
        log_debug("the table of open files grows as they come: %s", strerror(errno));
    }
    sock_close(&last_fd);
    sock_close(&fd);
}

static void monitor_raise_nofile(const struct config *c)
{
    uint64_t devices = 0;

    /* Each device has a pipe that is read, and two more fds while it starts. */
    for (size_t i = 0; i < c->n_routes; i++) {
        devices += c->routes[i].spawn ? 3 * (uint64_t)c->routes[i].sessions : 0;
    }
    const unsigned kept = LIMIT_REFUSALS_KEPT;
    const uint64_t want = SPARE_FDS + c->n_routes + (2ull + kept) * c->workers +
                          2ull * (uint64_t)c->max_sessions + devices;

    const uint64_t limit = confine_raise_nofile(want);

    if (limit < want) {
        log_warning("the limit of open files is below what %u sessions may need", c->max_sessions);
    }
    /* Twice as many: while its parties are looked at, each session needs as many fds again. */
    monitor_widen_fd_table(limit < 2 * want ? limit : 2 * want);
}

/* Opens the audit log and records the start of the broker, with its configuration. */
static int monitor_begin_record(struct monitor *m)
{
    char digest[2 * CONFIG_DIGEST_SIZE + 1];
    const int err = audit_writer_init(&m->audit_writer, m->base, m->config);

    if (err) {
        return err;
    }
    audit_writer_note(&m->audit_writer, "broker-start",
                      json_pack("{s:s,s:i}", "version", POEMD_VERSION, "pid", (int)getpid()));
    if (m->config->from_file) {
        hex_text(m->config->digest, sizeof m->config->digest, digest);
        audit_writer_note(&m->audit_writer, "config", json_pack("{s:s}", "sha256", digest));
    }
    return 0;
}

/* Opens the configured envelopes. Logs and skips those that cannot be opened. */
static int monitor_open_envelopes(const struct config *c, struct inspector_envelope *out, size_t *n)
{
    *n = 0;
    if (c->envelopes.n > INSPECTOR_ENVELOPES) {
        log_error("more than %u envelopes", INSPECTOR_ENVELOPES);
        return -E2BIG;
    }
    for (size_t i = 0; i < c->envelopes.n; i++) {
        const char *path = c->envelopes.items[i].text;
        const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

        if (fd < 0) {
            char shown[256];

            log_warning("the envelope \"%s\" cannot be read: %s",
                        log_escape(shown, sizeof shown, path, strlen(path)), strerror(errno));
            continue;
        }
        out[*n].fd = fd;
        log_escape(out[*n].name, sizeof out[*n].name, path, strlen(path));
        ++*n;
    }
    return 0;
}

/* Returns true if anything depends on the contents of an executable. */
static bool monitor_needs_inspector(const struct monitor *m)
{
    bool needs = audit_writer_on(&m->audit_writer);

    for (size_t i = 0; i < m->config->n_routes; i++) {
        const struct rules *r = &m->config->routes[i].rules;

        needs = needs || r->n_allow > 0 || r->n_licence > 0;
    }
    return needs;
}

static int monitor_start_inspector(struct monitor *m)
{
    struct inspector_settings s = {.base = m->base,
                                   .uid = m->config->inspector.uid,
                                   .gid = m->config->inspector.gid,
                                   .keys = m->config->trusted,
                                   .n_keys = m->config->n_trusted};
    struct inspector_envelope envelopes[INSPECTOR_ENVELOPES];
    int err;

    if (!monitor_needs_inspector(m)) {
        return 0;
    }
    s.exe_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (s.exe_fd < 0) {
        return -errno;
    }
    s.envelopes = envelopes;
    err = monitor_open_envelopes(m->config, envelopes, &s.n_envelopes);
    if (!err) {
        err = inspector_new(&m->inspector, &s);
    }
    for (size_t i = 0; i < s.n_envelopes; i++) {
        close(envelopes[i].fd);
    }
    close(s.exe_fd);
    return err;
}

/* Comes last, so that a broker that cannot start does not start a device either. */
static int monitor_start_devices(struct monitor *m)
{
    int err = 0;

    for (size_t i = 0; !err && i < m->config->n_routes; i++) {
        if (m->config->routes[i].spawn) {
            err = spawn_new(&m->routes[i].spawn, m, &m->config->routes[i]);
        }
    }
    return err;
}

static int monitor_init(struct monitor *m, const struct config *config)
{
    int err;

    heap_init();
    m->config = config;
    m->started_ms = clock_ms();
    for (int state = 0; state < SESSION_STATES; state++) {
        TAILQ_INIT(&m->monitor_sessions[state]);
    }
    RB_INIT(&m->by_id);
    children_init(&m->children);
    if (getrlimit(RLIMIT_NOFILE, &m->nofile) < 0) {
        return -errno;
    }
    monitor_raise_nofile(config);
    m->base = turn_base_new(true);
    m->routes = calloc(config->n_routes, sizeof *m->routes);
    m->reap_event = m->base ? event_new(m->base, -1, 0, monitor_on_reap, m) : NULL;
    if (!m->routes || !m->reap_event || heap_watch(&m->heap, m->base) < 0) {
        return -ENOMEM;
    }
    err = repeats_init(&m->repeats, m);
    if (!err) {
        err = monitor_watch_signals(m);
    }
    if (!err) {
        err = monitor_open_routes(m);
    }
    if (!err) {
        err = monitor_sort_routes(m);
    }
    if (!err) {
        err = monitor_begin_record(m);
    }
    if (!err) {
        err = tracing_init(m);
    }
    if (!err) {
        err = monitor_start_inspector(m);
    }
    if (!err) {
        err = control_new(&m->control, m);
    }
    if (!err) {
        err = worker_pool_init(&m->worker_pool, m, &config->poem.poem);
    }
    if (!err) {
        err = monitor_start_beat(m);
    }
    return err ? err : monitor_start_devices(m);
}

static void monitor_end_record(struct monitor *m)
{
    if (audit_writer_on(&m->audit_writer)) {
        audit_writer_note(&m->audit_writer, "broker-stop",
                          json_pack("{s:s,s:I}", "reason", m->status == 0 ? "stopped" : "failed",
                                    "sessions", (json_int_t)m->last_session));
    }
    audit_writer_deinit(&m->audit_writer);
}

static void monitor_deinit(struct monitor *m)
{
    if (m->routes) {
        for (size_t i = 0; i < m->config->n_routes; i++) {
            route_close(&m->routes[i]);
            spawn_free(m->routes[i].spawn);
        }
    }
    worker_pool_deinit(&m->worker_pool);
    control_free(m->control);
    m->control = NULL;
    inspector_free(m->inspector);
    tracing_deinit(m);
    repeats_deinit(&m->repeats);
    free(m->by_name);
    free(m->routes);
    monitor_end_record(m);
    if (m->reap_event) {
        while (!TAILQ_EMPTY(&m->monitor_sessions[SESSION_DEAD])) {
            monitor_session_reap(m);
        }
        event_free(m->reap_event);
    }
    if (m->beat) {
        event_free(m->beat);
    }
    for (size_t i = 0; i < sizeof m->signals / sizeof *m->signals; i++) {
        if (m->signals[i]) {
            event_free(m->signals[i]);
        }
    }
    heap_unwatch(&m->heap);
    if (m->base) {
        event_base_free(m->base);
    }
    sock_close(&m->ready_fd);
}

int monitor_main(const struct config *config, int ready_fd)
{
    struct monitor m = {.ready_fd = ready_fd, .worker_pool = {.exe_fd = -1, .settings_fd = -1}};
    const int err = monitor_init(&m, config);

    if (err) {
        log_error("cannot start: %s", strerror(-err));
        m.status = 3;
        children_kill(&m.children);
    } else {
        log_info("%zu routes, %u workers", config->n_routes, config->workers);
        if (turn_dispatch(m.base) < 0) {
            log_error("the event loop has failed");
            m.status = 3;
        }
    }
    monitor_deinit(&m);
    return m.status;
}
