/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "proxy/monitor/metrics/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/fdset.h"
#include "base/helper/helper_child.h"
#include "base/log.h"
#include "base/sock.h"
#include "proxy/exporter/exporter.h"
#include "proxy/monitor/metrics/metrics_count.h"
#include "proxy/monitor/metrics/metrics_listen.h"
#include "proxy/monitor/metrics/metrics_snapshot.h"
#include "proxy/monitor/metrics/metrics_subject.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/workers/worker_pool.h"
#include "proxy/monitor/workers/worker_pool_count.h"

enum metrics_state {
    METRICS_IDLE,
    METRICS_EARLY,    /* asked too soon after the last answer */
    METRICS_COUNTING, /* waits for the workers' counts */
    METRICS_WRITING,  /* makes the snapshot */
};

struct metrics {
    struct metrics_subject subject;
    struct metrics_counts counts;
    struct metrics_snapshot snapshot;
    enum metrics_state state;
    int listen_fd;
    bool closed;
    struct child child;
    pid_t pid;      /* -1: it does not run */
    int channel_fd; /* -1: … */
    struct event *readable;
    struct event *go_on; /* the next part of the snapshot */
    struct event *timer; /* for METRICS_EARLY and METRICS_COUNTING */
    struct event *respawn;
    uint64_t started_ms;
    uint64_t answered_ms;
    unsigned failures; /* in a row */
};

static const struct timeval count_time = {.tv_sec = LIMIT_CONTROL_COUNT_MS / 1000};

static void metrics_start(struct metrics *m);

/* ---- answers ---- */

static void metrics_idle(struct metrics *m)
{
    m->state = METRICS_IDLE;
    m->answered_ms = clock_ms();
    sock_close(&m->snapshot.fd);
}

/* An exporter that does not read its answer is not answered: it can ask again. */
static void metrics_send(struct metrics *m)
{
    const char byte = EXPORTER_ANSWER;
    struct fdset fds;

    fdset_init(&fds);
    if (fdset_add_take(&fds, m->snapshot.fd) < 0 ||
        sock_send(m->channel_fd, &byte, sizeof byte, &fds, MSG_DONTWAIT) < 0) {
        log_debug("metrics: the exporter was not answered");
    }
    m->snapshot.fd = -1;
    fdset_close(&fds);
}

static void metrics_on_go_on(evutil_socket_t fd, short what, void *arg)
{
    struct metrics *const m = arg;
    int r;

    (void)fd;
    (void)what;
    if (m->state != METRICS_WRITING) {
        return;
    }
    r = metrics_snapshot_go_on(&m->snapshot, &m->subject, &m->counts);
    if (r == 0) {
        event_active(m->go_on, 0, 0);
        return;
    }
    if (r == 1) {
        metrics_send(m);
    } else {
        log_warning("metrics: cannot make a snapshot: %s", strerror(-r));
    }
    metrics_idle(m);
}

static void metrics_write(struct metrics *m)
{
    const int err = metrics_snapshot_begin(&m->snapshot);

    (void)evtimer_del(m->timer);
    if (err) {
        log_warning("metrics: cannot make a snapshot: %s", strerror(-err));
        metrics_idle(m);
        return;
    }
    m->state = METRICS_WRITING;
    event_active(m->go_on, 0, 0);
}

static void metrics_on_worker_counted(void *arg, struct worker_process *w)
{
    struct metrics *const m = arg;

    (void)w;
    if (m->state == METRICS_COUNTING && !worker_pool_counting(m->subject.workers)) {
        metrics_write(m);
    }
}

static void metrics_count_now(struct metrics *m)
{
    m->state = METRICS_COUNTING;
    worker_pool_count(m->subject.workers);
    if (worker_pool_counting(m->subject.workers)) {
        evtimer_add(m->timer, &count_time);
    } else {
        metrics_write(m);
    }
}

/* The exporter may ask again, or the workers have had enough time. */
static void metrics_on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct metrics *const m = arg;

    (void)fd;
    (void)what;
    if (m->state == METRICS_EARLY) {
        metrics_count_now(m);
    } else if (m->state == METRICS_COUNTING) {
        metrics_write(m);
    }
}

static void metrics_asked(struct metrics *m)
{
    const uint64_t since = clock_ms() - m->answered_ms;

    if (m->state != METRICS_IDLE) {
        return;
    }
    if (since < LIMIT_METRICS_MS) {
        const struct timeval tv = clock_timeval((unsigned)(LIMIT_METRICS_MS - since));

        m->state = METRICS_EARLY;
        evtimer_add(m->timer, &tv);
    } else {
        metrics_count_now(m);
    }
}

/* ---- the exporter's process ---- */

static void metrics_kill(struct metrics *m, const char *why)
{
    log_error("exporter pid=%ld %s; killed", (long)m->pid, why);
    event_del(m->readable);
    children_signal(&m->child, SIGKILL);
}

static void metrics_on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct metrics *const m = arg;
    struct fdset fds;
    unsigned n_fds;
    char byte;
    ssize_t n;

    (void)fd;
    (void)what;
    fdset_init(&fds);
    n = sock_recv(m->channel_fd, &byte, sizeof byte, &fds, MSG_DONTWAIT | MSG_TRUNC);
    n_fds = fds.n;
    fdset_close(&fds);
    if (n == 1 && n_fds == 0 && byte == EXPORTER_ASK) {
        metrics_asked(m);
    } else if (n == 0 || n == -ECONNRESET) {
        event_del(m->readable);
    } else if (n != -EAGAIN) {
        metrics_kill(m, "sent an illegal message");
    }
}

static void metrics_process_close(struct metrics *m)
{
    if (m->readable) {
        event_free(m->readable);
        m->readable = NULL;
    }
    sock_close(&m->channel_fd);
    m->pid = -1;
    (void)evtimer_del(m->timer);
    metrics_idle(m);
}

static void metrics_start_later(struct metrics *m)
{
    const struct timeval tv =
        clock_timeval(backoff_next_ms(&m->failures, clock_ms() - m->started_ms));

    (void)evtimer_add(m->respawn, &tv);
}

static void metrics_on_died(struct child *c, int status)
{
    struct metrics *const m = c->arg;

    if (!m->closed) {
        log_error("exporter pid=%ld %s %d; starting another", (long)m->pid,
                  WIFSIGNALED(status) ? "was killed by signal" : "exited with status",
                  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        metrics_start_later(m);
    }
    metrics_process_close(m);
}

/* Returns the folder of the audit log, for a look at its room, or -1. */
static int metrics_open_folder(const struct config *c)
{
    char *const path = c->audit_file ? strdup(c->audit_file) : NULL;
    const int fd = path ? open(dirname(path), O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

    free(path);
    return fd;
}

/* Forks the exporter. Returns its pid or -errno. */
/* NOLINTNEXTLINE(readability-non-const-parameter): written by way of the plan. */
static pid_t metrics_fork(struct metrics *m, int *pidfd)
{
    const struct config *const c = m->subject.context->config;
    int folder_fd = metrics_open_folder(c);
    const struct exporter_start start = {.log_level = c->log_level,
                                         .uid = c->exporter.uid,
                                         .gid = c->exporter.gid,
                                         .has_folder = folder_fd >= 0};
    const int fds[] = {m->listen_fd, folder_fd};
    char name[] = EXPORTER_NAME;
    char arg[] = EXPORTER_ARG;
    const struct helper_child_plan plan = {
        .name = name, .arg = arg, .fds = fds, .n_fds = folder_fd < 0 ? 1 : 2, .pidfd = pidfd};
    const pid_t pid = helper_child_start_sealed(&plan, &start, sizeof start, &m->channel_fd);

    sock_close(&folder_fd);
    return pid;
}

/* Starts the exporter and watches it. Returns 0 or -errno, with nothing left behind. */
static int metrics_try_start(struct metrics *m)
{
    struct children *const children = &m->subject.context->children;
    int err = children_fork_begin(children);
    int pidfd = -1;

    if (err) {
        return err;
    }
    m->pid = metrics_fork(m, children_are_siblings(children) ? &pidfd : NULL);
    err = m->pid < 0 ? (int)m->pid : 0;
    if (!err) {
        err = children_add_take(children, &m->child, m->pid, pidfd, false, metrics_on_died, m);
    }
    children_fork_end(children);
    if (err) {
        metrics_process_close(m);
        return err;
    }
    m->readable = event_new(m->subject.context->base, m->channel_fd, EV_READ | EV_PERSIST,
                            metrics_on_readable, m);
    if (!m->readable || event_add(m->readable, NULL) < 0) {
        /* The exporter exits if its channel closes, and is started again. */
        sock_close(&m->channel_fd);
    }
    log_debug("exporter pid=%ld started", (long)m->pid);
    return 0;
}

static void metrics_start(struct metrics *m)
{
    int err;

    m->started_ms = clock_ms();
    err = metrics_try_start(m);
    if (err) {
        log_error("cannot start the exporter: %s", strerror(-err));
        metrics_start_later(m);
    }
}

static void metrics_on_respawn(evutil_socket_t fd, short what, void *arg)
{
    struct metrics *const m = arg;

    (void)fd;
    (void)what;
    if (!m->closed) {
        metrics_start(m);
    }
}

pid_t metrics_pid(const struct metrics *m)
{
    return m ? m->pid : -1;
}

/* ---- the whole ---- */

static int metrics_init(struct metrics *m)
{
    static const struct worker_pool_events of_workers = {.counted = metrics_on_worker_counted};
    struct event_base *const base = m->subject.context->base;
    int err;

    m->go_on = event_new(base, -1, 0, metrics_on_go_on, m);
    m->timer = evtimer_new(base, metrics_on_timer, m);
    m->respawn = evtimer_new(base, metrics_on_respawn, m);
    if (!m->go_on || !m->timer || !m->respawn) {
        return -ENOMEM;
    }
    err = metrics_count_init(&m->counts, &m->subject);
    if (!err) {
        m->listen_fd = metrics_listen(m->subject.context->config, m->subject.context->store);
        err = m->listen_fd < 0 ? m->listen_fd : 0;
    }
    if (err) {
        return err;
    }
    worker_pool_observe(m->subject.workers, &of_workers, m);
    metrics_start(m);
    return 0;
}

int metrics_new(struct metrics **out, const struct metrics_subject *subject)
{
    const struct config *const c = subject->context->config;
    int err;

    *out = NULL;
    if (!config_has_metrics(c)) {
        return 0;
    }
    *out = calloc(1, sizeof **out);
    if (!*out) {
        return -ENOMEM;
    }
    **out = (struct metrics){
        .subject = *subject, .listen_fd = -1, .channel_fd = -1, .pid = -1, .snapshot = {.fd = -1}};
    err = metrics_init(*out);
    return err;
}

void metrics_close(struct metrics *m)
{
    if (!m || m->closed) {
        return;
    }
    m->closed = true;
    if (m->readable) {
        event_del(m->readable);
    }
    sock_close(&m->channel_fd);
    metrics_listen_close(&m->listen_fd, m->subject.context->config, m->subject.context->store);
}

void metrics_free(struct metrics *m)
{
    struct event *events[3];

    if (!m) {
        return;
    }
    metrics_close(m);
    metrics_process_close(m);
    events[0] = m->go_on;
    events[1] = m->timer;
    events[2] = m->respawn;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (events[i]) {
            event_free(events[i]);
        }
    }
    free(m);
}
