/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The monitor's process: setup, signals, stop. */
#define _GNU_SOURCE
#include "proxy/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/confine/confine.h"
#include "base/sock.h"
#include "policy/inspector/inspector.h"
#include "proxy/config/options.h"
#include "proxy/monitor/facts/offload.h"
#include "proxy/ipc/fdstore.h"
#include "proxy/ipc/turn.h"
#include "proxy/monitor/control/control.h"
#include "proxy/monitor/control/control_subject.h"
#include "proxy/monitor/decision.h"
#include "proxy/monitor/inspection.h"
#include "proxy/monitor/facts/policy_record.h"
#include "proxy/monitor/devices/spawn.h"
#include "proxy/monitor/metrics/metrics.h"
#include "proxy/monitor/metrics/metrics_subject.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/monitor_session_dial.h"
#include "proxy/monitor/monitor_session_hold.h"
#include "proxy/monitor/monitor_session_replace.h"
#include "proxy/monitor/monitor_session_log.h"
#include "proxy/monitor/monitor_session_stop.h"
#include "proxy/config/nofile.h"
#include "proxy/monitor/relook.h"
#include "proxy/monitor/reload/reload.h"
#include "proxy/monitor/repeats.h"
#include "proxy/monitor/routes/folder_watch.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/service_status.h"
#include "proxy/monitor/takeover/takeover.h"
#include "proxy/monitor/takeover/takeover_devices.h"
#include "proxy/monitor/takeover/takeover_keep.h"
#include "proxy/monitor/tracing/tracing.h"
#include "proxy/monitor/tracing/tracing_resume.h"
#include "proxy/monitor/upgrade/upgrade.h"
#include "proxy/monitor/workers/worker_pool.h"
#include "proxy/signals.h"

struct monitor {
    struct monitor_context context;
    struct route_table routes;
    struct worker_pool worker_pool;
    struct monitor_session_table sessions;
    struct takeover takeover; /* from an earlier monitor, while this one starts */
    struct repeats repeats;   /* users whose sessions are only counted in the log */
    struct tracing *tracing;  /* NULL before it is set up */
    struct reload *reload;    /* NULL before it is set up */
    struct upgrade *upgrade;  /* NULL before it is set up */
    bool hung_up;             /* SIGHUP came during a reload: another one follows */
    struct folder_watch *folders;
    bool folders_changed;    /* … since the last reload */
    struct control *control; /* NULL if not configured */
    struct metrics *metrics; /* … */
    struct service_status status_sent;
    const struct options *options;
    uint64_t started_ms;
    struct rlimit nofile; /* the limit before this process raised its own */
    struct event *beat;   /* checks that the other processes make their turns */
    struct signals signals;
    bool ready; /* all workers have been ready */
    int status; /* the exit status, once it stops */
};

static const struct timeval stop_time = {.tv_usec = LIMIT_STOP_MS * 1000L % 1000000,
                                         .tv_sec = LIMIT_STOP_MS / 1000};
static const struct timeval killed_time = {.tv_usec = LIMIT_STOP_KILLED_MS * 1000L};

static void monitor_stop_when_drained(struct monitor *m);
static void monitor_hang_up(struct monitor *m);
static void monitor_watch_folders(struct monitor *m);

static void monitor_on_beat(evutil_socket_t fd, short what, void *arg)
{
    struct monitor *m = arg;

    (void)fd;
    (void)what;
    log_catch_up();
    if (!m->context.stopping) {
        worker_pool_beat(&m->worker_pool);
        tracing_beat(m->tracing);
        inspector_beat(m->context.inspector);
        reload_beat(m->reload);
        if (m->hung_up && !reload_is_busy(m->reload)) {
            m->hung_up = false;
            monitor_hang_up(m);
        }
        monitor_watch_folders(m);
    }
    service_status_beat(&m->status_sent, &m->routes, &m->sessions, &m->worker_pool);
    monitor_stop_when_drained(m);
}

static int monitor_start_beat(struct monitor *m)
{
    const struct timeval tv = clock_timeval(LIMIT_BEAT_MS);

    m->beat = event_new(m->context.base, -1, EV_PERSIST, monitor_on_beat, m);
    return m->beat && event_add(m->beat, &tv) == 0 ? 0 : -ENOMEM;
}

/* A worker is ready: if all are for the first time, the keeper passes that on. */
static void monitor_on_worker_ready(void *arg, struct worker_process *w)
{
    struct monitor *const m = arg;
    int err;

    (void)w;
    if (m->ready || !worker_pool_all_ready(&m->worker_pool)) {
        return;
    }
    m->ready = true;
    err = fdstore_ready(m->context.store);
    if (err) {
        log_warning("cannot report to the keeper: %s", strerror(-err));
    }
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
    log_error("some processes were killed but do not exit, because the kernel holds them; leaving "
              "them behind");
    event_base_loopbreak(m->context.base);
}

static void monitor_on_stop_time(evutil_socket_t fd, short what, void *arg)
{
    struct monitor *m = arg;

    (void)fd;
    (void)what;
    log_warning("some processes did not stop in time; killed");
    children_kill(&m->context.children);
    event_base_once(m->context.base, -1, EV_TIMEOUT, monitor_on_killed_time, m, &killed_time);
}

/* Ends sessions without a worker; workers report the end of the others. */
static void monitor_end_unhanded(struct monitor *m)
{
    for (int state = SESSION_ACCEPTED; state < SESSION_DEAD; state++) {
        struct monitor_session *t;
        struct monitor_session *next;

        TAILQ_FOREACH_SAFE(t, &m->sessions.states[state], link, next)
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
    if (m->context.stopping && worker_pool_all_gone(&m->worker_pool)) {
        tracing_quit(m->tracing);
    }
    if (m->context.stopping && worker_pool_all_gone(&m->worker_pool) &&
        children_none(&m->context.children)) {
        event_base_loopbreak(m->context.base);
    }
}

/* Stops: no new sessions, the running ones end, workers exit. status is the exit status. */
static void monitor_stop(struct monitor *m, int status)
{
    if (m->context.stopping) {
        return;
    }
    m->context.stopping = true;
    m->status = status;
    fdstore_stopping(m->context.store);
    for (struct route *r = route_from(&m->routes, 0); r; r = route_next(&m->routes, r)) {
        route_close(r);
        if (r->spawn) {
            spawn_stop(r->spawn);
        }
    }
    if (m->reload) {
        reload_stop(m->reload);
    }
    control_close(m->control);
    metrics_close(m->metrics);
    monitor_end_unhanded(m);
    worker_pool_quit(&m->worker_pool);
    event_base_once(m->context.base, -1, EV_TIMEOUT, monitor_on_stop_time, m, &stop_time);
    monitor_leave_when_gone(m);
}

/* A worker has gone. If one cannot start while the broker starts, the broker stops. */
static void monitor_on_worker_gone(void *arg, struct worker_process *w, bool was_ready)
{
    struct monitor *const m = arg;

    (void)w;
    if (!m->context.stopping && !was_ready && m->options->awaited && !m->ready) {
        log_error("a worker cannot start: see the errors above");
        monitor_stop(m, 3);
    }
    monitor_leave_when_gone(m);
}

/* ---- draining ---- */

/* Refuses clients from now on, and sessions that no worker has; the others may go on. */
static void monitor_drain(struct monitor *m)
{
    if (m->context.draining) {
        return;
    }
    m->context.draining = true;
    for (struct route *r = route_from(&m->routes, 0); r; r = route_next(&m->routes, r)) {
        if (r->listener) {
            listener_accept_waiting(r->listener);
        }
        route_close(r);
        if (r->spawn) {
            spawn_retire(r->spawn);
        }
    }
    for (int state = SESSION_ACCEPTED; state <= SESSION_DIALING; state++) {
        struct monitor_session *t;
        struct monitor_session *next;

        TAILQ_FOREACH_SAFE(t, &m->sessions.states[state], link, next)
        {
            (void)monitor_session_stop(t, REASON_SHUTDOWN);
        }
    }
}

/* The last session has ended, and no client waits for its refusal. */
static void monitor_stop_when_drained(struct monitor *m)
{
    if (m->context.draining && !m->context.stopping && m->sessions.alive == 0 &&
        m->worker_pool.n_refusals == 0) {
        log_info("stopping: no session is left");
        monitor_stop(m, 0);
    }
}

/* A client of the control socket has asked for it. */
static void monitor_on_stop(void *arg, bool drain)
{
    struct monitor *const m = arg;

    if (drain) {
        monitor_drain(m);
    } else {
        monitor_stop(m, 0);
    }
}

/* ---- signals ---- */

static void monitor_log_status(const struct monitor *m)
{
    const struct config *const c = m->context.config;
    char letters[TAINT_COUNT + 1];

    log_info("status: poemd " POEMD_VERSION ", %u of %u sessions, %llu begun, %u worker%s, "
             "configuration %s, taint %s",
             m->sessions.alive, c->max_sessions, (unsigned long long)m->sessions.last,
             m->worker_pool.n_own, m->worker_pool.n_own == 1 ? "" : "s",
             *m->context.generation->digest ? m->context.generation->digest : "of the command line",
             taint_text(m->sessions.taint, letters));
    for (const struct route *r = route_from(&m->routes, 0); r; r = route_next(&m->routes, r)) {
        const struct log_subject about = {.route = r->config->name};

        log_line(LOG_INFO, &about, "status: %s, %u of %u sessions, %llu begun, taint %s",
                 r->listener ? "listens" : "does not listen", r->sessions, r->config->sessions,
                 (unsigned long long)r->begun, taint_text(r->taint, letters));
    }
}

/* The log has the result. */
static void monitor_on_reloaded(void *arg, json_t *parts)
{
    (void)arg;
    json_decref(parts);
}

static void monitor_hang_up(struct monitor *m)
{
    const char *why;

    if (!m->context.config->from_file) {
        log_info("stopping: signal %d", SIGHUP);
        monitor_stop(m, 0);
        return;
    }
    if (reload_is_busy(m->reload)) {
        /* The file may have changed since it was read. */
        m->hung_up = true;
        return;
    }
    why = reload_begin(m->reload, &(struct reload_request){.signal = true}, monitor_on_reloaded, m);
    if (why) {
        log_error("not reloaded: %s", why);
    }
}

/* Begins a reload if folders that are instances have come or gone. */
static void monitor_watch_folders(struct monitor *m)
{
    const struct reload_request request = {.folders = true};

    if (folder_watch_beat(m->folders, m->context.config)) {
        m->folders_changed = true;
    }
    if (m->folders_changed && !reload_is_busy(m->reload)) {
        m->folders_changed = reload_begin(m->reload, &request, monitor_on_reloaded, m) != NULL;
    }
}

/* Ends this process, and nothing else: the monitor of another program follows. */
static void __attribute__((noreturn)) monitor_go(void *arg)
{
    struct monitor *const m = arg;

    audit_writer_deinit(&m->context.audit_writer);
    log_catch_up();
    _exit(STATUS_YES);
}

static int monitor_prepare_upgrade(struct monitor *m)
{
    m->upgrade = upgrade_new(&m->context, m->options->words, monitor_go, m);
    if (!m->upgrade) {
        return -ENOMEM;
    }
    upgrade_settle(m->upgrade);
    return 0;
}

static void monitor_upgrade(struct monitor *m)
{
    const struct upgrade_request q = {.program_fd = -1, .signal = true};
    const char *const why = upgrade_begin(m->upgrade, &q, NULL, NULL);

    if (why) {
        log_error("not upgraded: %s", why);
    }
}

static void monitor_on_signal(evutil_socket_t sig, short what, void *arg)
{
    struct monitor *m = arg;

    (void)what;
    switch ((int)sig) {
    case SIGUSR1:
        monitor_log_status(m);
        return;
    case SIGHUP:
        monitor_hang_up(m);
        return;
    case SIGUSR2:
        monitor_upgrade(m);
        return;
    default:
        /* The terminal sends its signals to this process as well as to the keeper. */
        if (!m->context.stopping) {
            log_info("stopping: signal %d", (int)sig);
            monitor_stop(m, 0);
        }
    }
}

/* ---- starting ---- */

/* Opens the audit log and records the start of the broker, with its configuration. */
static int monitor_begin_record(struct monitor *m)
{
    const int err = audit_writer_init(&m->context.audit_writer, m->context.base, m->context.config);

    if (err) {
        return err;
    }
    if (takeover_record(&m->takeover)) {
        return 0;
    }
    audit_writer_note(&m->context.audit_writer, "broker-start",
                      json_pack("{s:s,s:i}", "version", POEMD_VERSION, "pid", (int)getpid()));
    policy_record_write(&m->context.audit_writer, m->context.config);
    return 0;
}

static struct spawn_host monitor_spawn_host(struct monitor *m)
{
    return (struct spawn_host){.base = m->context.base,
                               .children = &m->context.children,
                               .store = m->context.store,
                               .nofile = m->nofile};
}

static int monitor_prepare_reload(struct monitor *m)
{
    const struct reload_subject subject = {.context = &m->context,
                                           .options = m->options,
                                           .routes = &m->routes,
                                           .sessions = &m->sessions,
                                           .workers = &m->worker_pool,
                                           .repeats = &m->repeats,
                                           .tracing = m->tracing,
                                           .host = monitor_spawn_host(m),
                                           .accept = monitor_session_accept_take};

    m->reload = reload_new(&subject);
    return m->reload ? folder_watch_new(&m->folders, m->context.base) : -ENOMEM;
}

/* Comes last, so that a broker that cannot start does not start a device either. */
static int monitor_start_devices(struct monitor *m)
{
    const struct spawn_host host = monitor_spawn_host(m);
    int err = 0;

    for (struct route *r = route_from(&m->routes, 0); !err && r; r = route_next(&m->routes, r)) {
        if (r->config->spawn) {
            err = spawn_new(&r->spawn, &host, r->config);
        }
    }
    if (err) {
        return err;
    }
    takeover_sessions(&m->takeover, &host);
    tracing_resume(m->tracing, m->control != NULL);
    control_resume(m->control);
    for (struct route *r = route_from(&m->routes, 0); r; r = route_next(&m->routes, r)) {
        if (r->spawn) {
            spawn_start(r->spawn, takeover_devices_before(&m->takeover, r));
        }
    }
    takeover_end(&m->takeover);
    return 0;
}

/*
 * Subscribes the parts in the order in which they must be notified of a session's end: repeats
 * decides whether the end is logged; the record contains the results of the looks, so relook
 * follows it; the device is released last.
 */
static int monitor_observe(struct monitor *m)
{
    static const struct worker_pool_events of_workers = {.ready = monitor_on_worker_ready,
                                                         .gone = monitor_on_worker_gone};
    const int err = repeats_init(&m->repeats, &m->routes, &m->sessions);

    if (err) {
        return err;
    }
    monitor_session_log(&m->sessions);
    decision_init(&m->sessions);
    relook_init(&m->sessions);
    worker_pool_init(&m->worker_pool, &m->context, &m->sessions);
    worker_pool_observe(&m->worker_pool, &of_workers, m);
    monitor_session_hold_init(&m->sessions);
    monitor_session_replace_init(&m->sessions);
    takeover_keep_init(&m->sessions);
    monitor_session_dial_init(&m->sessions);
    m->started_ms = takeover_counts(&m->takeover);
    return 0;
}

static int monitor_start_metrics(struct monitor *m)
{
    const struct metrics_subject subject = {.context = &m->context,
                                            .routes = &m->routes,
                                            .sessions = &m->sessions,
                                            .workers = &m->worker_pool,
                                            .tracing = m->tracing,
                                            .started_ms = m->started_ms};

    return metrics_new(&m->metrics, &subject);
}

/* Serves metrics as well. */
static int monitor_start_control(struct monitor *m)
{
    const int served = monitor_start_metrics(m);
    const int prepared = served ? served : monitor_prepare_upgrade(m);
    const struct control_subject subject = {.context = &m->context,
                                            .routes = &m->routes,
                                            .sessions = &m->sessions,
                                            .workers = &m->worker_pool,
                                            .tracing = m->tracing,
                                            .reload = m->reload,
                                            .upgrade = m->upgrade,
                                            .metrics = m->metrics,
                                            .stop = monitor_on_stop,
                                            .stop_arg = m,
                                            .started_ms = m->started_ms};
    const int err = prepared ? prepared : control_new(&m->control, &subject);

    m->sessions.shown = m->control != NULL;
    return err;
}

static void monitor_on_child_over(void *arg)
{
    monitor_leave_when_gone(arg);
}

/* Hands the devices of an earlier configuration, which an earlier monitor has started, on. */
static bool monitor_on_retired(void *arg, struct spawn *retired, struct generation *g)
{
    struct monitor *const m = arg;

    return reload_retire(m->reload, retired, g);
}

/* Creates the loop, and takes what the keeper has. */
static int monitor_meet_keeper(struct monitor *m)
{
    const struct takeover_subject subject = {.context = &m->context,
                                             .options = m->options,
                                             .routes = &m->routes,
                                             .sessions = &m->sessions,
                                             .workers = &m->worker_pool,
                                             .retire = monitor_on_retired,
                                             .retire_arg = m};
    int err;

    m->context.base = turn_base_new(true);
    if (!m->context.base) {
        return -ENOMEM;
    }
    err = fdstore_new_take(&m->context.store, m->context.base, MONITOR_KEEPER_FD, MONITOR_NAMES_FD,
                           MONITOR_FIRST_FD);
    if (!err) {
        err = children_init(&m->context.children, m->context.base, m->context.store,
                            monitor_on_child_over, m);
    }
    m->routes.store = m->context.store;
    return err ? err : takeover_open(&m->takeover, &subject);
}

static int monitor_init(struct monitor *m, const struct config *config)
{
    int err;

    heap_init();
    m->context.config = config;
    m->context.monitors[0] = getpid();
    m->context.generation = generation_new(config);
    if (!m->context.generation) {
        return -ENOMEM;
    }
    if (getrlimit(RLIMIT_NOFILE, &m->nofile) < 0) {
        return -errno;
    }
    nofile_raise(config);
    nofile_widen(config);
    err = monitor_meet_keeper(m);
    if (!err) {
        err = monitor_session_table_init(&m->sessions, &m->context, &m->worker_pool);
    }
    if (!err) {
        err = signals_watch(&m->signals, m->context.base, monitor_on_signal, m);
    }
    if (!err) {
        err = route_table_open(&m->routes, m->context.base, m->context.generation,
                               monitor_session_accept_take, &m->sessions);
    }
    if (!err) {
        err = monitor_observe(m);
    }
    if (!err) {
        err = monitor_begin_record(m);
    }
    if (!err) {
        err = tracing_new(&m->tracing, &m->routes, &m->sessions);
    }
    if (!err) {
        err = inspection_start(&m->context.inspector, &m->context, config);
    }
    m->context.generation->inspector = m->context.inspector;
    if (!err) {
        m->context.offload = offload_new(m->context.base);
        err = m->context.offload ? 0 : -ENOMEM;
    }
    if (!err) {
        err = monitor_prepare_reload(m);
    }
    if (!err) {
        err = monitor_start_control(m);
    }
    if (!err) {
        takeover_workers(&m->takeover);
        err = worker_pool_start(&m->worker_pool, &config->poem.poem);
    }
    if (!err) {
        err = monitor_start_beat(m);
    }
    return err ? err : monitor_start_devices(m);
}

static void monitor_end_record(struct monitor *m)
{
    if (audit_writer_on(&m->context.audit_writer)) {
        audit_writer_note(&m->context.audit_writer, "broker-stop",
                          json_pack("{s:s,s:I}", "reason", m->status == 0 ? "stopped" : "failed",
                                    "sessions", (json_int_t)m->sessions.last));
    }
    audit_writer_deinit(&m->context.audit_writer);
}

static void monitor_deinit(struct monitor *m)
{
    for (struct route *r = route_from(&m->routes, 0); r; r = route_next(&m->routes, r)) {
        route_close(r);
        spawn_free(r->spawn);
    }
    worker_pool_deinit(&m->worker_pool);
    upgrade_free(m->upgrade);
    control_free(m->control);
    m->control = NULL;
    folder_watch_free(m->folders);
    reload_free(m->reload);
    inspector_free(m->context.inspector);
    tracing_free(m->tracing);
    repeats_deinit(&m->repeats);
    monitor_end_record(m);
    monitor_session_table_deinit(&m->sessions);
    route_table_free(&m->routes);
    /* It counts the ends of sessions and routes. */
    metrics_free(m->metrics);
    generation_release(m->context.generation);
    offload_free(m->context.offload);
    if (m->beat) {
        event_free(m->beat);
    }
    signals_forget(&m->signals);
    takeover_forget(&m->context);
    children_deinit(&m->context.children);
    fdstore_free(m->context.store);
    if (m->context.base) {
        event_base_free(m->context.base);
    }
}

int monitor_main(const struct options *options)
{
    const struct config *const config = &options->config;
    struct monitor m = {.options = options,
                        .context = {.children = {.parent_fd = -1}},
                        .worker_pool = {.exe_fd = -1, .settings_fd = -1}};
    const int err = monitor_init(&m, config);

    if (err) {
        log_error("cannot start: %s", strerror(-err));
        if (m.takeover.resumes) {
            /* Nothing is ended, or freed: the next monitor can still go on. */
            _exit(STATUS_FAILED);
        }
        m.status = 3;
        children_kill(&m.context.children);
    } else {
        log_info("%zu route%s, %u worker%s", config->n_routes, config->n_routes == 1 ? "" : "s",
                 config->workers, config->workers == 1 ? "" : "s");
        if (turn_dispatch(m.context.base) < 0) {
            log_error("the event loop has failed");
            m.status = 3;
        }
    }
    monitor_deinit(&m);
    return m.status;
}
