/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor's process: set up, signals, stop.
 */
#define _GNU_SOURCE
#include "proxy/monitor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/sock.h"
#include "proxy/sandbox.h"

/* How long workers may take to end their sessions when the broker stops. */
static const struct timeval stop_time = {.tv_sec = 2};

/* Descriptors that the monitor needs beside listeners, workers and sessions being begun. */
#define SPARE_FDS 64

uint64_t monitor_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void on_reap(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ticket_reap(arg);
}

void monitor_worker_ready(struct monitor *m)
{
    if (m->ready_fd < 0 || !crew_all_ready(&m->crew)) {
        return;
    }
    if (write(m->ready_fd, "\n", 1) < 0) {
        log_warning("nobody reads the ready fd: %s", strerror(errno));
    }
    sock_close(&m->ready_fd);
}

/* ---- stopping ---- */

static void on_stop_time(evutil_socket_t fd, short what, void *arg)
{
    struct monitor *m = arg;

    (void)fd;
    (void)what;
    log_warning("workers did not stop in time; killed");
    crew_kill(&m->crew);
}

/* Sessions that no worker has yet end here; the others are reported by their workers. */
static void end_unhanded(struct monitor *m)
{
    for (int state = SESSION_ACCEPTED; state <= SESSION_RECITING; state++) {
        struct ticket *t;
        struct ticket *next;

        TAILQ_FOREACH_SAFE(t, &m->tickets[state], link, next)
        {
            if (!t->member) {
                ticket_end(t, REASON_SHUTDOWN, NULL);
            }
        }
    }
}

static void leave_when_gone(struct monitor *m)
{
    if (m->stopping && crew_all_gone(&m->crew)) {
        event_base_loopbreak(m->base);
    }
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
    }
    end_unhanded(m);
    crew_quit(&m->crew);
    event_base_once(m->base, -1, EV_TIMEOUT, on_stop_time, m, &stop_time);
    leave_when_gone(m);
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
    struct monitor *m = arg;

    (void)what;
    if (sig == SIGCHLD) {
        crew_collect(&m->crew);
        leave_when_gone(m);
        return;
    }
    log_info("stopping: signal %d", (int)sig);
    monitor_stop(m, 0);
}

/* ---- beginning ---- */

static int watch_signals(struct monitor *m)
{
    static const int numbers[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        m->signals[i] = evsignal_new(m->base, numbers[i], on_signal, m);
        if (!m->signals[i] || event_add(m->signals[i], NULL) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int open_routes(struct monitor *m)
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

static void raise_nofile(const struct config *c)
{
    const uint64_t want =
        SPARE_FDS + c->n_routes + 2ull * c->workers + 2ull * (uint64_t)c->max_sessions;

    if (sandbox_raise_nofile(want) < want) {
        log_warning("the limit of open files is below what %u sessions may need", c->max_sessions);
    }
}

static int monitor_init(struct monitor *m, const struct config *config)
{
    int err;

    m->config = config;
    for (int state = 0; state < SESSION_STATES; state++) {
        TAILQ_INIT(&m->tickets[state]);
    }
    raise_nofile(config);
    m->base = event_base_new();
    m->routes = calloc(config->n_routes, sizeof *m->routes);
    m->reap_event = m->base ? event_new(m->base, -1, 0, on_reap, m) : NULL;
    if (!m->routes || !m->reap_event) {
        return -ENOMEM;
    }
    err = watch_signals(m);
    if (!err) {
        err = open_routes(m);
    }
    return err ? err : crew_init(&m->crew, m, &config->poem);
}

static void monitor_deinit(struct monitor *m)
{
    if (m->routes) {
        for (size_t i = 0; i < m->config->n_routes; i++) {
            route_close(&m->routes[i]);
        }
    }
    free(m->routes);
    crew_deinit(&m->crew);
    if (m->reap_event) {
        ticket_reap(m);
        event_free(m->reap_event);
    }
    for (size_t i = 0; i < sizeof m->signals / sizeof *m->signals; i++) {
        if (m->signals[i]) {
            event_free(m->signals[i]);
        }
    }
    if (m->base) {
        event_base_free(m->base);
    }
    sock_close(&m->ready_fd);
}

int monitor_main(const struct config *config, int ready_fd)
{
    struct monitor m = {.ready_fd = ready_fd, .crew = {.exe_fd = -1, .settings_fd = -1}};
    const int err = monitor_init(&m, config);

    if (err) {
        log_error("cannot start: %s", strerror(-err));
        m.status = 3;
        crew_kill(&m.crew);
    } else {
        log_info("%zu routes, %u workers", config->n_routes, config->workers);
        event_base_dispatch(m.base);
    }
    monitor_deinit(&m);
    return m.status;
}
