/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A session's beginning: ACCEPTED and DIALING, until a worker has it, and the time limit of its
 * handshake.
 *
 * A backend is dialled only when the client has sent something: some servers exit when a client
 * connects and goes away again, and a port scan must not bring devices down.
 */
#define _GNU_SOURCE
#include "proxy/monitor/monitor_session_dial.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/sock.h"
#include "proxy/monitor/decision.h"
#include "proxy/monitor/devices/spawn.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/monitor_session_peers.h"
#include "proxy/monitor/monitor_session_stop.h"
#include "proxy/monitor/repeats.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/workers/worker_pool.h"
#include "proxy/monitor/workers/worker_pool_refuse.h"
#include "proxy/monitor/workers/worker_pool_watch.h"

/* ---- dialling ---- */

/* Returns true if err is worth another try: not listening yet, or a full accept queue. */
static bool monitor_session_may_redial(const struct monitor_session *t, int err)
{
    const uint64_t waited = clock_ms() - t->accepted_ms;

    if (err == -EAGAIN) {
        return waited + LIMIT_REDIAL_MS < t->config->handshake_ms;
    }
    return (err == -ENOENT || err == -ECONNREFUSED) && waited < t->config->wait_backend_ms;
}

int monitor_session_reach(struct monitor_session *t)
{
    int fd = -ECONNREFUSED;
    int err;

    if (!t->config->spawn) {
        fd = sock_connect(t->config->backend, true);
    } else if (t->route->spawn) {
        fd = spawn_take(t->route->spawn, &t->device);
    }
    if (fd < 0) {
        return fd;
    }
    /* Set before the first request, so that every reply comes with its sender. */
    err = sock_pass_sender(fd, true);
    if (err) {
        sock_close(&fd);
    }
    return err ? err : fd;
}

static void monitor_session_log_unreachable(const struct monitor_session *t, int err)
{
    const struct log_subject about = monitor_session_subject(t, "backend");
    char path[256];

    if (t->config->spawn) {
        log_line(LOG_WARNING, &about, "%s",
                 err == -EAGAIN ? "no device is ready: one is being started, or still ending"
                                : "no device is ready: the last one failed");
        return;
    }
    log_escape(path, sizeof path, t->config->backend, strlen(t->config->backend));
    log_line(LOG_WARNING, &about, "cannot connect to \"%s\": %s", path,
             err == -EAGAIN ? "its accept queue is full" : strerror(-err));
}

/* Too many sessions of this user have just begun and ended, so it waits for its turn. */
static void monitor_session_hold(struct monitor_session *t, unsigned wait_ms)
{
    if (wait_ms < monitor_session_handshake_left_ms(t)) {
        monitor_session_set_timer(t, wait_ms);
        return;
    }
    t->quiet = true;
    worker_pool_refuse_session(t, REASON_REFUSED, EBUSY);
}

static void monitor_session_dial(struct monitor_session *t)
{
    const unsigned wait_ms = repeats_wait_ms(t);
    int fd;

    if (wait_ms > 0) {
        monitor_session_hold(t, wait_ms);
        return;
    }
    fd = monitor_session_reach(t);
    if (fd >= 0) {
        t->backend_fd = fd;
        /* From now on the worker keeps the time limit, and has a moment more for its answer. */
        monitor_session_set_timer(t,
                                  monitor_session_handshake_left_ms(t) + LIMIT_HANDSHAKE_GRACE_MS);
        if (!decision_begin(t)) {
            monitor_session_end(t, REASON_NO_RESOURCES, NULL);
            return;
        }
        if (!monitor_session_advance(t, SESSION_RECITING)) {
            monitor_session_end(t, REASON_INTERNAL, NULL);
            return;
        }
        monitor_session_watch_peers(t);
        worker_pool_give(t);
        return;
    }
    if (monitor_session_may_redial(t, fd)) {
        monitor_session_set_timer(t, LIMIT_REDIAL_MS);
        return;
    }
    monitor_session_log_unreachable(t, fd);
    if (fd == -EAGAIN) {
        worker_pool_refuse_session(t, REASON_HANDSHAKE_TIMEOUT, ETIMEDOUT);
    } else {
        worker_pool_refuse_session(t, REASON_BACKEND_ABSENT, ECONNREFUSED);
    }
}

/* Neither the worker nor the verdict is done within the handshake's time. */
static void monitor_session_overdue(struct monitor_session *t)
{
    if (!t->member) {
        worker_pool_refuse_session(t, REASON_HANDSHAKE_TIMEOUT, ETIMEDOUT);
    } else if (worker_pool_has_other(t)) {
        monitor_session_take_back(t, REASON_HANDSHAKE_TIMEOUT);
    } else {
        /* The only worker is busy or hangs. If it hangs it is killed, and its successor answers. */
        monitor_session_set_timer(t, LIMIT_BEAT_MS);
    }
}

static void monitor_session_on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct monitor_session *t = arg;

    (void)fd;
    (void)what;
    if (t->ending) {
        monitor_session_take_back(t, REASON_OPERATOR);
    } else if (t->state == SESSION_RECITING || t->state == SESSION_DECIDING) {
        monitor_session_overdue(t);
    } else if (t->state == SESSION_ACCEPTED) {
        monitor_session_end(t, REASON_HANDSHAKE_TIMEOUT, NULL);
    } else if (sock_hung_up(t->client_fd)) {
        monitor_session_end(t, REASON_CLIENT_GONE, NULL);
    } else {
        monitor_session_dial(t);
    }
}

/* The client has sent something, or has gone. Counts the bytes, but does not read them. */
static void monitor_session_on_client(evutil_socket_t fd, short what, void *arg)
{
    struct monitor_session *t = arg;
    int n = 0;

    (void)what;
    if (ioctl(fd, FIONREAD, &n) < 0 || n == 0) {
        monitor_session_end(t, REASON_CLIENT_GONE, NULL);
        return;
    }
    if (!monitor_session_advance(t, SESSION_DIALING)) {
        monitor_session_end(t, REASON_INTERNAL, NULL);
        return;
    }
    monitor_session_dial(t);
}

/* ---- starting ---- */

/*
 * Returns the number of ending sessions, among the oldest LIMIT_ENDING of the route: those with a
 * client that has closed its socket. If a device is unplugged and plugged in again, QEMU connects
 * before the end of the old session has been reported, and must not be refused as busy.
 */
static unsigned monitor_session_ending(const struct route *r)
{
    struct pollfd polled[LIMIT_ENDING];
    const struct monitor_session *t;
    unsigned n = 0;
    unsigned gone = 0;

    TAILQ_FOREACH(t, &r->monitor_sessions, route_link)
    {
        if (n == LIMIT_ENDING) {
            break;
        }
        polled[n++] = (struct pollfd){.fd = t->client_fd};
    }
    if (poll(polled, n, 0) <= 0) {
        return 0;
    }
    for (unsigned i = 0; i < n; i++) {
        gone += (polled[i].revents & POLLHUP) != 0;
    }
    return gone;
}

/* Returns true if a slot is free, or about to be. */
static bool monitor_session_has_room(const struct monitor_session_table *table,
                                     const struct route *r)
{
    /*
     * Sessions that are ending or have left fds unread count, too: at most twice the limit in all.
     */
    if (table->alive + table->lingering >= table->context->config->max_sessions ||
        r->sessions + r->lingering >= 2 * r->config->sessions) {
        return false;
    }
    return r->sessions < r->config->sessions ||
           r->sessions - monitor_session_ending(r) < r->config->sessions;
}

void monitor_session_dial_prepare(struct monitor_session *t)
{
    event_assign(&t->client_event, t->table->context->base, t->client_fd, EV_READ,
                 monitor_session_on_client, t);
    evtimer_assign(&t->timer, t->table->context->base, monitor_session_on_timer, t);
}

void monitor_session_dial_begin(struct monitor_session *t)
{
    if (event_add(&t->client_event, NULL) < 0) {
        monitor_session_end(t, REASON_NO_RESOURCES, NULL);
        return;
    }
    monitor_session_set_timer(t, monitor_session_handshake_left_ms(t));
}

void monitor_session_accept_take(void *arg, struct route *r, int client_fd)
{
    struct monitor_session_table *const table = arg;
    struct log_subject about;
    struct monitor_session *t = NULL;
    const int err = table->context->draining ? ESHUTDOWN : EBUSY;

    if (!table->context->draining && monitor_session_has_room(table, r)) {
        t = monitor_session_new(table, r, client_fd);
    }
    if (!t) {
        worker_pool_refuse_take(
            table->workers, client_fd,
            &(struct worker_pool_answer){.err = err, .ms = route_refusal_ms(r)});
        route_log_refusal(r, err);
        return;
    }
    monitor_session_dial_prepare(t);
    about = monitor_session_subject(t, "client");
    log_line(LOG_DEBUG, &about, "connected");
    monitor_session_dial_begin(t);
}

/* ---- the end ---- */

static void monitor_session_on_ended(void *arg, struct monitor_session *t,
                                     enum session_reason reason, const struct ipc_ended *what)
{
    (void)arg;
    (void)what;
    monitor_session_forget_peers(t);
    if (t->device) {
        spawn_release(t->device, reason);
        t->device = NULL;
    }
}

void monitor_session_dial_init(struct monitor_session_table *table)
{
    static const struct monitor_session_events events = {.ended = monitor_session_on_ended};

    monitor_session_observe(table, &events, NULL);
}
