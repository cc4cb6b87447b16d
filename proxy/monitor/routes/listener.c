/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Listening sockets. monitor_session.c handles the connections. */
#define _GNU_SOURCE
#include "proxy/monitor/routes/listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/sock.h"
#include "base/text/hex.h"
#include "proxy/ipc/fdstore.h"
#include "proxy/ipc/turn.h"
#include "proxy/monitor/keep/state_fds.h"

/* Pause in accepting when this process is out of fds: some session will end meanwhile. */
static const struct timeval out_of_fds = {.tv_usec = 100000};

static bool listener_is_out_of_fds(int err)
{
    return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

/* At most once a second, since a client that holds fds could otherwise cause ten lines a second. */
static void listener_log_stuck(struct listener *l, int err)
{
    const uint64_t now = clock_ms();

    if (!l->stuck_logged_ms || now - l->stuck_logged_ms >= 1000) {
        log_line(LOG_WARNING, &(struct log_subject){.route = l->name},
                 "cannot accept connections: %s; retrying every 100 ms", strerror(err));
        l->stuck_logged_ms = now;
    }
}

/* Returns false if there is no further connection to take now. */
static bool listener_accept_one(struct listener *l)
{
    const int client_fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (client_fd >= 0) {
        l->accept(l->accept_arg, l->route, client_fd);
        return true;
    }
    if (listener_is_out_of_fds(errno)) {
        /* The connection stays in the queue, readable; without a pause the loop would spin. */
        listener_log_stuck(l, errno);
        event_del(l->acceptable);
        event_add(l->resume, &out_of_fds);
    }
    /* EAGAIN, or a connection that went away before it was taken. */
    return false;
}

/* Beginning a session takes about 50 us: with many the turn ends before LIMIT_ACCEPTS. */
static void listener_on_acceptable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    for (int i = 0; i < LIMIT_ACCEPTS && listener_accept_one(arg) && !turn_is_long(); i++) {
    }
}

void listener_accept_waiting(struct listener *l)
{
    for (int i = 0; i <= LIMIT_BACKLOG && listener_accept_one(l); i++) {
    }
}

static void listener_on_resume(evutil_socket_t fd, short what, void *arg)
{
    struct listener *const l = arg;

    (void)fd;
    (void)what;
    event_add(l->acceptable, NULL);
}

const char *listener_hint(int err)
{
    switch (err) {
    case -EADDRINUSE:
        return ": another process listens there; stop it, or choose another path";
    case -EEXIST:
        return ": the path exists and is not a socket; remove it, or choose another path";
    case -EPERM:
        return ": its owner or group cannot be set without CAP_CHOWN and, in a folder that other "
               "users can change, CAP_NET_ADMIN";
    case -ENOENT:
        return ": its folder is missing; create it first";
    case -ETIMEDOUT:
        return ": another process holds its lock file (this name and \".lock\"); end that process";
    case -ENOLCK:
    case -ELOOP:
        return ": other users can access its lock file (this name and \".lock\"); remove it, and "
               "check write access to the folder";
    default:
        return "";
    }
}

int listener_open(struct listener **out, const struct config_route *config)
{
    struct listener *const l = calloc(1, sizeof *l);
    struct stat st;
    int err;

    *out = NULL;
    if (!l) {
        return -ENOMEM;
    }
    l->path = strdup(config->listen);
    l->fd = l->path ? sock_listen(config->listen, config->mode, config->owner, config->group,
                                  LIMIT_BACKLOG)
                    : -ENOMEM;
    if (l->fd < 0) {
        err = l->fd;
        l->fd = -1;
        listener_close(l);
        return err;
    }
    if (sock_file_stat(l->fd, l->path, &st) == 0) {
        l->dev = st.st_dev;
        l->ino = st.st_ino;
    }
    /* Accepted sockets inherit this from their first byte on (proxy/relay/sender_check.h). */
    err = sock_pass_sender(l->fd, true);
    if (err) {
        listener_close(l);
        return err;
    }
    *out = l;
    return 0;
}

/* Writes the name under which a socket is kept: its path, in hexadecimal. */
static const char *listener_name(const char *path, char out[STATE_NAME_SIZE])
{
    const size_t n = strlen(path);

    memcpy(out, STATE_NAME_LISTENER, sizeof STATE_NAME_LISTENER);
    if (n < (STATE_NAME_SIZE - sizeof STATE_NAME_LISTENER) / 2) {
        hex_text((const unsigned char *)path, n, out + sizeof STATE_NAME_LISTENER - 1);
    }
    return out;
}

static struct listener *listener_adopt_take(int fd, const char *path)
{
    struct listener *const l = calloc(1, sizeof *l);
    struct stat st;

    if (!l) {
        sock_close(&fd);
        return NULL;
    }
    l->fd = fd;
    l->path = strdup(path);
    if (!l->path) {
        sock_close(&l->fd);
        free(l);
        return NULL;
    }
    if (sock_file_stat(fd, path, &st) == 0) {
        l->dev = st.st_dev;
        l->ino = st.st_ino;
    }
    return l;
}

int listener_inherit(struct listener **out, struct fdstore *store, const char *path)
{
    char name[STATE_NAME_SIZE];
    const int fd = fdstore_take(store, listener_name(path, name));

    *out = NULL;
    if (fd < 0) {
        return fd;
    }
    *out = listener_adopt_take(fd, path);
    return *out ? 0 : -ENOMEM;
}

/* Returns true if the socket, which may be anything, accepts streams at that path. */
static bool listener_is_at(int fd, const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNSPEC};
    socklen_t n = sizeof sun;

    return sock_is_unix_stream(fd) && sock_is_listener(fd) &&
           getsockname(fd, (struct sockaddr *)&sun, &n) == 0 && sun.sun_family == AF_UNIX &&
           strncmp(sun.sun_path, path, sizeof sun.sun_path) == 0;
}

int listener_activate(struct listener **out, struct fdstore *store,
                      const struct config_route *config)
{
    const struct log_subject about = {.route = config->name};
    int fd = fdstore_look(store, config->name);
    int err;

    *out = NULL;
    if (fd < 0) {
        return fd;
    }
    /* It is not taken: fds of the broker's own have such names as well. */
    if (!listener_is_at(fd, config->listen)) {
        log_line(LOG_WARNING, &about,
                 "the fd that is kept under this name does not listen at the route's path; "
                 "listening there without it");
        return -ENOENT;
    }
    fd = fdstore_take(store, config->name);
    err = sock_nonblock(fd);
    if (!err) {
        err = sock_pass_sender(fd, true);
    }
    if (err) {
        sock_close(&fd);
        return err;
    }
    *out = listener_adopt_take(fd, config->listen);
    if (!*out) {
        return -ENOMEM;
    }
    (*out)->given = true;
    return 0;
}

void listener_close_rest(struct fdstore *store)
{
    const char *kept = NULL;

    while ((kept = fdstore_next(store, STATE_NAME_LISTENER, kept))) {
        char name[STATE_NAME_SIZE];
        struct sockaddr_un sun = {.sun_family = AF_UNIX};
        socklen_t n = sizeof sun;
        int fd;

        snprintf(name, sizeof name, "%s", kept);
        fd = fdstore_take(store, name);
        if (fd >= 0 && getsockname(fd, (struct sockaddr *)&sun, &n) == 0) {
            sun.sun_path[sizeof sun.sun_path - 1] = '\0';
            listener_close(listener_adopt_take(fd, sun.sun_path));
        }
        fdstore_drop(store, name);
        kept = NULL;
    }
}

int listener_prepare(struct listener *l, struct event_base *base, struct fdstore *store,
                     listener_accept_fn *accept, void *arg)
{
    char name[STATE_NAME_SIZE];

    /* One that was given stays kept under its own name. */
    if (!l->given && fdstore_keep(store, listener_name(l->path, name), l->fd) == 0) {
        l->store = store;
    }
    l->accept = accept;
    l->accept_arg = arg;
    l->acceptable = event_new(base, l->fd, EV_READ | EV_PERSIST, listener_on_acceptable, l);
    l->resume = evtimer_new(base, listener_on_resume, l);
    return l->acceptable && l->resume && event_add(l->acceptable, NULL) == 0 ? 0 : -ENOMEM;
}

void listener_serve(struct listener *l, struct route *r, const char *name)
{
    l->route = r;
    l->name = name;
}

void listener_close(struct listener *l)
{
    char name[STATE_NAME_SIZE];

    if (!l) {
        return;
    }
    if (l->acceptable) {
        event_free(l->acceptable);
    }
    if (l->resume) {
        event_free(l->resume);
    }
    if (l->fd >= 0 && !l->given) {
        sock_file_remove(l->path, l->dev, l->ino);
    }
    if (l->store) {
        fdstore_drop(l->store, listener_name(l->path, name));
    }
    sock_close(&l->fd);
    free(l->path);
    free(l);
}
