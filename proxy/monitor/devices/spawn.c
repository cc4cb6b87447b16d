/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Devices of a route: when they are started, handed to a session, ended, and started again. */
#define _GNU_SOURCE
#include "proxy/monitor/devices/spawn.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sock.h"
#include "proxy/config/command.h"
#include "proxy/config/config.h"
#include "proxy/ipc/children.h"
#include "proxy/ipc/fdstore.h"
#include "proxy/ipc/rate_limit.h"
#include "proxy/monitor/devices/device.h"
#include "proxy/monitor/devices/output.h"
#include "proxy/monitor/keep/state_fds.h"

enum spawned_state { STARTING, READY, SERVING, ENDING, GONE, LEFT };

struct spawned {
    TAILQ_ENTRY(spawned) link;
    struct spawn *spawn;
    struct child child;
    struct child guard; /* of device.c; ends after the device and everything it left behind */
    bool guarded;       /* the guard is alive */
    enum spawned_state state;
    bool failed;   /* its program could not be executed, which has been logged */
    bool served;   /* a session has used it */
    bool told;     /* SIGTERM was sent */
    int socket_fd; /* ours, until a session takes it */
    int status_fd; /* while STARTING */
    struct event status;
    struct event timer; /* while ENDING */
    struct output output;
    uint64_t started_ms;
};

struct spawn {
    struct spawn_host host;
    const struct config_route *config;
    char *name;           /* of the route, owned: a device's output outlives its configuration */
    struct spawn *before; /* the route's devices with an earlier command; NULL: they are gone */
    struct spawn *after;  /* … with a later one; or NULL */
    struct command command;
    TAILQ_HEAD(, spawned) devices;
    unsigned alive;    /* processes */
    unsigned failures; /* consecutive devices that ended before they served a session, or ended
                        * theirs themselves */
    bool retired;      /* no more devices start … */
    bool stopping;     /* … and the broker stops */
    struct output_rate said; /* lines of all devices' output */
    struct rate_limit lines; /* lines about devices that start and end */
    uint64_t untold;         /* such lines left out since the last one */
    struct event again;      /* pending while the next one waits after a failure */
    uint64_t again_ms;       /* … until this time */
};

static struct log_subject spawn_subject(const struct spawn *s)
{
    return (struct log_subject){.route = s->name, .leg = "backend"};
}

/*
 * Returns true if a line about a device may be logged. Limited, since every client that connects
 * can make devices start and end.
 */
static bool spawn_may_log(struct spawn *s)
{
    const struct log_subject about = spawn_subject(s);
    const uint64_t now = clock_ms();

    if (!rate_limit_may(&s->lines, now, LIMIT_DEVICE_LINES, LIMIT_DEVICE_LINES_MS)) {
        s->untold++;
        return false;
    }
    rate_limit_take(&s->lines, now, LIMIT_DEVICE_LINES_MS);
    if (s->untold > 0) {
        log_line(LOG_INFO, &about, "%" PRIu64 " more lines about its devices are left out",
                 s->untold);
        s->untold = 0;
    }
    return true;
}

static void spawn_set_timer(struct event *timer, unsigned ms)
{
    const struct timeval tv = clock_timeval(ms);

    event_add(timer, &tv);
}

static bool spawn_is_idle(const struct spawned *d)
{
    return d->state == STARTING || d->state == READY;
}

/* ---- ending ---- */

static void spawn_free_device(struct spawned *d)
{
    char name[STATE_NAME_SIZE];

    event_del(&d->timer);
    if (d->status_fd >= 0) {
        event_del(&d->status);
    }
    output_deinit(&d->output);
    fdstore_drop(d->spawn->host.store, state_fds_output(d->child.pid, name));
    sock_close(&d->status_fd);
    sock_close(&d->socket_fd);
    TAILQ_REMOVE(&d->spawn->devices, d, link);
    free(d);
}

static void spawn_terminate(struct spawned *d)
{
    d->told = true;
    children_signal(&d->child, SIGTERM);
    spawn_set_timer(&d->timer, LIMIT_DEVICE_TERM_MS);
}

static void spawn_on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct spawned *d = arg;
    const struct log_subject about = spawn_subject(d->spawn);

    (void)fd;
    (void)what;
    if (!d->told) {
        spawn_terminate(d);
        return;
    }
    log_line(LOG_WARNING, &about, "pid=%ld did not exit in time; killed", (long)d->child.pid);
    children_signal(&d->child, SIGKILL);
}

/* Closes our side. The device gets time to end by itself, unless the broker stops. */
static void spawn_end(struct spawned *d)
{
    d->state = ENDING;
    sock_close(&d->socket_fd);
    if (d->spawn->stopping) {
        spawn_terminate(d);
    } else {
        spawn_set_timer(&d->timer, LIMIT_DEVICE_END_MS);
    }
}

/* ---- starting ---- */

static void spawn_log_fault(const struct spawned *d, const struct device_fault *f)
{
    const struct log_subject about = spawn_subject(d->spawn);
    const char *program = d->spawn->command.argv[0];
    char shown[512];

    log_escape(shown, sizeof shown, program, strlen(program));
    switch ((enum device_step)f->step) {
    case DEVICE_EXECUTE:
        log_line(LOG_ERROR, &about, "cannot execute \"%s\": %s%s", shown, strerror(f->err),
                 f->err == ENOENT   ? "; check that it and its interpreter are installed"
                 : f->err == EACCES ? "; check that its user may execute it, and enter its folders"
                                    : "");
        break;
    case DEVICE_BECOME:
        log_line(LOG_ERROR, &about, "cannot run \"%s\" as user %ld, group %ld: %s", shown,
                 (long)d->spawn->config->spawn_uid, (long)d->spawn->config->spawn_gid,
                 strerror(f->err));
        break;
    case DEVICE_SET_UP:
        log_line(LOG_ERROR, &about, "cannot start \"%s\": %s", shown, strerror(f->err));
        break;
    }
}

/* The program has been executed, or could not be. */
static void spawn_take_status(struct spawned *d)
{
    const struct log_subject about = spawn_subject(d->spawn);
    struct device_fault f;
    const ssize_t n = read(d->status_fd, &f, sizeof f);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    event_del(&d->status);
    sock_close(&d->status_fd);
    if (n == sizeof f) {
        d->failed = true;
        spawn_log_fault(d, &f);
    } else {
        d->state = d->state == STARTING ? READY : d->state;
        if (spawn_may_log(d->spawn)) {
            log_line(LOG_INFO, &about, "device pid=%ld started", (long)d->child.pid);
        }
    }
}

static void spawn_on_status(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    spawn_take_status(arg);
}

/* Starts the next device after a delay that doubles with each failure. */
static void spawn_again_later(struct spawn *s)
{
    const struct log_subject about = spawn_subject(s);
    const unsigned ms = backoff_ms(s->failures++);

    s->again_ms = clock_ms() + ms;
    log_line(LOG_WARNING, &about, "restarting the device in %u ms", ms);
    spawn_set_timer(&s->again, ms);
}

static bool spawn_has_lived(const struct spawned *d)
{
    return clock_ms() - d->started_ms >= LIMIT_RESPAWN_MAX_MS;
}

static void spawn_on_ended(struct child *c, int status);
static void spawn_guard_ended(struct child *c, int status);

/* Returns what a device is run with, apart from its program. */
static struct device_plan spawn_plan_of(const struct spawn *s)
{
    const struct config_route *c = s->config;

    return (struct device_plan){.argv = s->command.argv,
                                .become = geteuid() == 0,
                                .uid = c->spawn_uid,
                                .gid = c->spawn_gid,
                                .groups = c->spawn_groups,
                                .n_groups = c->n_spawn_groups,
                                .nofile = s->host.nofile,
                                .sibling = children_are_siblings(s->host.children),
                                .parent_fd = s->host.children->parent_fd};
}

/*
 * Starts both processes and watches them. Without its guard, a device is killed at once. Returns 0,
 * or -errno with nothing left behind.
 */
static int spawn_fork(struct spawn *s, struct spawned *d, struct device *made)
{
    const struct device_plan plan = spawn_plan_of(s);
    struct children *const children = s->host.children;
    int err = children_fork_begin(children);

    if (err) {
        return err;
    }
    err = device_start(made, &plan);
    if (!err) {
        err =
            children_add_take(children, &d->child, made->pid, made->pidfd, true, spawn_on_ended, d);
        if (err) {
            children_discard(children, made->guard_pid);
            sock_close(&made->guard_pidfd);
            sock_close(&made->socket_fd);
            sock_close(&made->output_fd);
            sock_close(&made->status_fd);
        } else if (children_add_take(children, &d->guard, made->guard_pid, made->guard_pidfd, false,
                                     spawn_guard_ended, d)) {
            children_signal(&d->child, SIGKILL);
        } else {
            d->guarded = true;
        }
    }
    children_fork_end(children);
    return err;
}

/* Keeps the reader of its output: without one, a device that writes would be killed. */
static void spawn_keep_output(const struct spawn *s, const struct device *made)
{
    const struct log_subject about = spawn_subject(s);
    char name[STATE_NAME_SIZE];
    int err;

    if (!s->host.store) {
        return;
    }
    err = fdstore_keep(s->host.store, state_fds_output(made->pid, name), made->output_fd);
    if (err) {
        log_line(LOG_WARNING, &about, "the output of device pid=%ld cannot be kept: %s",
                 (long)made->pid, strerror(-err));
    }
}

static int spawn_start_device(struct spawn *s)
{
    struct spawned *d = calloc(1, sizeof *d);
    struct device made;
    int err = d ? spawn_fork(s, d, &made) : -ENOMEM;

    if (err) {
        free(d);
        return err;
    }
    d->spawn = s;
    d->socket_fd = made.socket_fd;
    d->status_fd = made.status_fd;
    d->started_ms = clock_ms();
    event_assign(&d->status, s->host.base, d->status_fd, EV_READ | EV_PERSIST, spawn_on_status, d);
    evtimer_assign(&d->timer, s->host.base, spawn_on_timer, d);
    TAILQ_INSERT_TAIL(&s->devices, d, link);
    s->alive++;
    spawn_keep_output(s, &made);
    err = output_init_take(&d->output, s->host.base, made.output_fd, s->name, made.pid, &s->said);
    if (err || event_add(&d->status, NULL) < 0) {
        /* Its output or status could not be watched, so it ends as a failed device. */
        children_signal(&d->child, SIGKILL);
    }
    return 0;
}

bool spawn_adopt(struct spawn *s, const struct spawn_kept *kept, struct spawned **out)
{
    char name[STATE_NAME_SIZE];
    struct spawned *const d = calloc(1, sizeof *d);
    int output_fd;

    *out = NULL;
    if (!d) {
        return false;
    }
    *d = (struct spawned){.spawn = s,
                          .state = SERVING,
                          .served = true,
                          .socket_fd = -1,
                          .status_fd = -1,
                          .started_ms = kept->since_ms};
    if (children_adopt(s->host.children, &d->child, kept->device, true, spawn_on_ended, d) < 0) {
        free(d);
        return false;
    }
    d->guarded =
        children_adopt(s->host.children, &d->guard, kept->guard, false, spawn_guard_ended, d) == 0;
    evtimer_assign(&d->timer, s->host.base, spawn_on_timer, d);
    TAILQ_INSERT_TAIL(&s->devices, d, link);
    s->alive++;
    output_fd = fdstore_take(s->host.store, state_fds_output(kept->device, name));
    if (!d->guarded || output_fd < 0 ||
        output_init_take(&d->output, s->host.base, output_fd, s->name, kept->device, &s->said)) {
        d->output.fd = -1;
        children_signal(&d->child, SIGKILL);
    }
    *out = d;
    return true;
}

/* Returns the devices of the route that live, whatever their command. */
static unsigned spawn_living(const struct spawn *s)
{
    unsigned n = 0;

    for (; s; s = s->before) {
        n += s->alive;
    }
    return n;
}

/* Keeps one device waiting for a session, if one more may live. */
static void spawn_fill(struct spawn *s)
{
    const struct log_subject about = spawn_subject(s);
    const struct spawned *d;
    int err;

    if (s->retired || spawn_living(s) >= s->config->sessions ||
        event_pending(&s->again, EV_TIMEOUT, NULL)) {
        return;
    }
    TAILQ_FOREACH(d, &s->devices, link)
    {
        if (spawn_is_idle(d)) {
            return;
        }
    }
    err = spawn_start_device(s);
    if (err) {
        log_line(LOG_ERROR, &about, "cannot start a device: %s", strerror(-err));
        spawn_again_later(s);
    }
}

/* A device is gone: starts the next one, with the route's last command. */
static void spawn_fill_last(struct spawn *s)
{
    while (s->after) {
        s = s->after;
    }
    spawn_fill(s);
}

static void spawn_on_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    spawn_fill(arg);
}

/* ---- ended ---- */

static void spawn_log_ended(const struct spawned *d, int status)
{
    const struct log_subject about = spawn_subject(d->spawn);
    /* The device's end may be known before that of its session, which caused it. */
    const bool good = d->served && (status == 0 || d->told);
    const char *when = good                ? "after its session"
                       : d->served         ? "in its session"
                       : d->spawn->retired ? "as no session will use it"
                                           : "before it served a session";

    if (!spawn_may_log(d->spawn)) {
        return;
    }
    log_line(good || d->spawn->retired ? LOG_INFO : LOG_WARNING, &about, "device pid=%ld %s %d %s",
             (long)d->child.pid,
             WIFSIGNALED(status) ? "was killed by signal" : "exited with status",
             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), when);
}

/* The device, its guard and all that it had forked are gone. */
static void spawn_all_ended(struct spawned *d)
{
    struct spawn *s = d->spawn;

    s->alive--;
    if (d->state == GONE) {
        /* The cause is known once the session's end is; until then no successor is started. */
        return;
    }
    if (!d->served) {
        /*
         * A device that stood ready for long resets the count: earlier failures had other causes.
         */
        s->failures = spawn_has_lived(d) ? 0 : s->failures;
        if (!s->retired) {
            spawn_again_later(s);
        }
    }
    spawn_free_device(d);
    spawn_fill_last(s);
}

static void spawn_on_ended(struct child *c, int status)
{
    struct spawned *d = c->arg;

    if (d->status_fd >= 0) {
        spawn_take_status(d);
    }
    if (!d->failed) {
        output_deinit(&d->output);
        spawn_log_ended(d, status);
    }
    event_del(&d->timer);
    d->state = d->state == SERVING ? GONE : LEFT;
    if (d->guarded) {
        children_signal(&d->guard, SIGKILL);
    } else {
        spawn_all_ended(d);
    }
}

/* The guard ends by itself only if it is killed. A device must not run without one. */
static void spawn_guard_ended(struct child *c, int status)
{
    struct spawned *d = c->arg;

    (void)status;
    d->guarded = false;
    if (d->state == GONE || d->state == LEFT) {
        spawn_all_ended(d);
    } else {
        children_signal(&d->child, SIGKILL);
    }
}

/* Returns true if the device itself ended the session, for example by exiting during a request. */
static bool spawn_is_the_devices(const struct spawned *d, enum session_reason reason)
{
    return reason == REASON_BACKEND_CLOSED || reason == REASON_BACKEND_GONE ||
           (d->state == GONE && reason == REASON_TRUNCATED_MESSAGE);
}

void spawn_release(struct spawned *d, enum session_reason reason)
{
    struct spawn *s = d->spawn;

    if (spawn_has_lived(d)) {
        s->failures = 0;
    } else if (spawn_is_the_devices(d, reason) && !s->retired) {
        spawn_again_later(s);
    }
    if (d->state == GONE && d->guarded) {
        d->state = LEFT;
    } else if (d->state == GONE) {
        spawn_free_device(d);
        spawn_fill_last(s);
    } else {
        spawn_end(d);
    }
}

void spawn_health(const struct spawn *s, struct spawn_health *out)
{
    const uint64_t now = clock_ms();

    *out = (struct spawn_health){.failures = s->failures};
    if (event_pending(&s->again, EV_TIMEOUT, NULL) && s->again_ms > now) {
        out->again_ms = (unsigned)(s->again_ms - now);
    }
}

/* ---- for the route ---- */

int spawn_take(struct spawn *s, struct spawned **out)
{
    struct spawned *d;

    TAILQ_FOREACH(d, &s->devices, link)
    {
        if (d->state == READY && sock_hung_up(d->socket_fd)) {
            /* It has just ended, or lives on without its socket, and is of no more use. */
            spawn_end(d);
        } else if (d->state == READY) {
            const int fd = d->socket_fd;

            d->socket_fd = -1;
            d->state = SERVING;
            d->served = true;
            *out = d;
            spawn_fill(s);
            return fd;
        }
    }
    return event_pending(&s->again, EV_TIMEOUT, NULL) ? -ECONNREFUSED : -EAGAIN;
}

pid_t spawn_pid(const struct spawned *d)
{
    return d->child.pid;
}

void spawn_keep(const struct spawned *d, struct spawn_kept *out)
{
    *out = (struct spawn_kept){
        .device = d->child.pid, .guard = d->guard.pid, .since_ms = d->started_ms};
}

void spawn_who(const struct spawned *d, struct sock_sender *out)
{
    const struct device_plan plan = spawn_plan_of(d->spawn);

    *out = (struct sock_sender){.pid = d->child.pid,
                                .uid = plan.become ? plan.uid : geteuid(),
                                .gid = plan.become ? plan.gid : getegid()};
}

/* Without root's rights, devices can only run as poemd's own user and group. */
static bool spawn_may_become(const struct config_route *c)
{
    const struct log_subject about = {.route = c->name, .leg = "backend"};

    if (geteuid() == 0 || ((!c->spawn_user || c->spawn_uid == geteuid()) &&
                           (!c->spawn_group || c->spawn_gid == getegid()))) {
        return true;
    }
    log_line(LOG_ERROR, &about,
             "only root can start a device as another user or group; leave out \"user\" and "
             "\"group\", or start poemd as root");
    return false;
}

int spawn_new(struct spawn **out, const struct spawn_host *host, const struct config_route *config)
{
    struct value_fault fault;
    struct spawn *s;

    *out = NULL;
    if (!spawn_may_become(config)) {
        return -EPERM;
    }
    s = calloc(1, sizeof *s);
    if (!s) {
        return -ENOMEM;
    }
    s->host = *host;
    s->config = config;
    s->name = strdup(config->name);
    TAILQ_INIT(&s->devices);
    evtimer_assign(&s->again, host->base, spawn_on_again, s);
    if (!s->name || !command_read(&s->command, config->spawn, DEVICE_SOCKET_FD, &fault)) {
        /* The command was checked by the same function. */
        free(s->name);
        free(s);
        return -ENOMEM;
    }
    *out = s;
    return 0;
}

void spawn_start(struct spawn *s, struct spawn *before)
{
    s->before = before;
    if (before) {
        before->after = s;
    }
    spawn_fill(s);
}

void spawn_change(struct spawn *s, const struct config_route *config)
{
    s->config = config;
    spawn_fill(s);
}

bool spawn_is_over(const struct spawn *s)
{
    return s->retired && TAILQ_EMPTY(&s->devices);
}

void spawn_retire(struct spawn *s)
{
    struct spawned *d;

    s->retired = true;
    event_del(&s->again);
    TAILQ_FOREACH(d, &s->devices, link)
    {
        if (spawn_is_idle(d)) {
            spawn_end(d);
        }
    }
}

void spawn_stop(struct spawn *s)
{
    struct spawned *d;

    s->stopping = true;
    spawn_retire(s);
    TAILQ_FOREACH(d, &s->devices, link)
    {
        if (d->state == ENDING && !d->told) {
            spawn_terminate(d);
        }
    }
}

void spawn_free(struct spawn *s)
{
    if (!s) {
        return;
    }
    while (!TAILQ_EMPTY(&s->devices)) {
        spawn_free_device(TAILQ_FIRST(&s->devices));
    }
    event_del(&s->again);
    if (s->before) {
        s->before->after = s->after;
    }
    if (s->after) {
        s->after->before = s->before;
    }
    free(s->name);
    free(s);
}
