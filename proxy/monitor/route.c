/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Listening sockets of the monitor: opened, accepted on, removed. monitor_session.c handles the
 * connections.
 */
#define _GNU_SOURCE
#include "proxy/monitor/route.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sock.h"

/* Pause in accepting when this process is out of fds: some session will end meanwhile. */
static const struct timeval out_of_fds = {.tv_usec = 100000};

static bool route_is_out_of_fds(int err)
{
    return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

/* At most once a second, since a client that holds fds could otherwise cause ten lines a second. */
static void route_log_stuck(struct route *r, int err)
{
    const uint64_t now = clock_ms();

    if (!r->stuck_logged_ms || now - r->stuck_logged_ms >= 1000) {
        log_line(LOG_WARNING, &(struct log_subject){.route = r->config->name},
                 "cannot accept connections: %s; retrying every 100 ms", strerror(err));
        r->stuck_logged_ms = now;
    }
}

static void route_on_acceptable(evutil_socket_t fd, short what, void *arg)
{
    struct route *r = arg;

    (void)what;
    for (int i = 0; i < LIMIT_ACCEPTS; i++) {
        const int client_fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (client_fd >= 0) {
            r->accept(r->accept_arg, r, client_fd);
            continue;
        }
        if (route_is_out_of_fds(errno)) {
            /* The connection stays in the queue, readable; without a pause the loop would spin. */
            route_log_stuck(r, errno);
            event_del(r->acceptable);
            event_add(r->resume, &out_of_fds);
        }
        /* EAGAIN, or a connection that went away before it was taken. */
        return;
    }
}

static void route_on_resume(evutil_socket_t fd, short what, void *arg)
{
    struct route *r = arg;

    (void)fd;
    (void)what;
    event_add(r->acceptable, NULL);
}

static void route_log_cannot_listen(const struct route *r, int err)
{
    const struct log_subject about = {.route = r->config->name};
    const char *hint = "";
    char path[256];

    if (err == -EADDRINUSE) {
        hint = ": another process listens there; stop it, or choose another path";
    } else if (err == -EEXIST) {
        hint = ": the path exists and is not a socket; remove it, or choose another path";
    } else if (err == -EPERM) {
        hint = ": its owner or group cannot be set without CAP_CHOWN and, in a folder that other "
               "users can change, CAP_NET_ADMIN";
    } else if (err == -ENOENT) {
        hint = ": its folder is missing; create it first";
    } else if (err == -ETIMEDOUT) {
        hint = ": another process holds its lock file (this name and \".lock\"); end that process";
    } else if (err == -ENOLCK || err == -ELOOP) {
        hint = ": other users can access its lock file (this name and \".lock\"); remove it, and "
               "check write access to the folder";
    }
    log_escape(path, sizeof path, r->config->listen, strlen(r->config->listen));
    log_line(LOG_ERROR, &about, "cannot listen on \"%s\": %s%s", path, strerror(-err), hint);
}

/* Listens. Returns 0, or -errno (logged) with r as route_close leaves it. */
static int route_open(struct route *r, struct event_base *base)
{
    const struct config_route *const config = r->config;
    struct stat st;
    int err = 0;

    if (getrandom(&r->self, sizeof r->self, 0) != sizeof r->self) {
        return -EIO;
    }
    r->listen_fd =
        sock_listen(config->listen, config->mode, config->owner, config->group, LIMIT_BACKLOG);
    if (r->listen_fd < 0) {
        err = r->listen_fd;
        r->listen_fd = -1;
        route_log_cannot_listen(r, err);
        return err;
    }
    /* Accepted sockets inherit this from their first byte on (proxy/relay/sender_check.h). */
    err = sock_pass_sender(r->listen_fd, true);
    if (err) {
        route_log_cannot_listen(r, err);
        route_close(r);
        return err;
    }
    if (sock_file_stat(r->listen_fd, config->listen, &st) == 0) {
        r->dev = st.st_dev;
        r->ino = st.st_ino;
    }
    r->acceptable = event_new(base, r->listen_fd, EV_READ | EV_PERSIST, route_on_acceptable, r);
    r->resume = evtimer_new(base, route_on_resume, r);
    if (!r->acceptable || !r->resume || event_add(r->acceptable, NULL) < 0) {
        route_close(r);
        return -ENOMEM;
    }
    return 0;
}

void route_close(struct route *r)
{
    struct stat st;

    if (r->acceptable) {
        event_free(r->acceptable);
        r->acceptable = NULL;
    }
    if (r->resume) {
        event_free(r->resume);
        r->resume = NULL;
    }
    if (r->listen_fd >= 0 && lstat(r->config->listen, &st) == 0 && st.st_dev == r->dev &&
        st.st_ino == r->ino) {
        unlink(r->config->listen);
    }
    sock_close(&r->listen_fd);
}

void route_log_refusal(struct route *r, int err)
{
    const struct log_subject about = {.route = r->config->name, .leg = "client"};
    const uint64_t now = clock_ms();

    r->refused++;
    if (r->refused_logged_ms && now - r->refused_logged_ms < 1000) {
        return;
    }
    log_line(LOG_WARNING, &about, "refused %llu: %s; %u of %u sessions are in use%s",
             (unsigned long long)r->refused, strerror(err), r->sessions, r->config->sessions,
             r->lingering ? "; peers of ended sessions have not received all fds" : "");
    r->refused = 0;
    r->refused_logged_ms = now;
}

unsigned route_refusal_ms(const struct route *r)
{
    const unsigned ms = r->config->handshake_ms;

    return ms > LIMIT_HANDSHAKE_MS ? ms : LIMIT_HANDSHAKE_MS;
}

/* ---- all of them ---- */

static int route_compare(const void *a, const void *b)
{
    const struct route *const *const one = a;
    const struct route *const *const other = b;

    return strcmp((*one)->config->name, (*other)->config->name);
}

int route_table_open(struct route_table *table, struct event_base *base,
                     const struct config *config, route_accept_fn *accept, void *arg)
{
    int err = 0;

    *table = (struct route_table){.routes = calloc(config->n_routes, sizeof *table->routes),
                                  .by_name = calloc(config->n_routes, sizeof *table->by_name)};
    if (!table->routes || !table->by_name) {
        return -ENOMEM;
    }
    table->n = config->n_routes;
    for (size_t i = 0; i < table->n; i++) {
        struct route *const r = &table->routes[i];

        *r = (struct route){.config = &config->routes[i],
                            .number = i,
                            .listen_fd = -1,
                            .accept = accept,
                            .accept_arg = arg};
        TAILQ_INIT(&r->monitor_sessions);
        table->by_name[i] = r;
    }
    qsort(table->by_name, table->n, sizeof *table->by_name, route_compare);
    for (size_t i = 0; !err && i < table->n; i++) {
        err = route_open(&table->routes[i], base);
    }
    return err;
}

void route_table_free(struct route_table *table)
{
    for (size_t i = 0; i < table->n; i++) {
        route_close(&table->routes[i]);
    }
    free(table->by_name);
    free(table->routes);
    *table = (struct route_table){.n = 0};
}

struct route *route_find(const struct route_table *table, const char *name)
{
    size_t low = 0;
    size_t high = table->n;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const int order = strcmp(table->by_name[mid]->config->name, name);

        if (order == 0) {
            return table->by_name[mid];
        }
        if (order < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}
