/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A listening socket of the monitor: opened, accepted on, removed. It belongs to one route at a
 * time; a reload can give it to another one, so that clients are never refused meanwhile.
 */
#ifndef POEMD_PROXY_MONITOR_ROUTES_LISTENER_H
#define POEMD_PROXY_MONITOR_ROUTES_LISTENER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proxy/config/config.h"

struct fdstore;
struct listener;
struct route;

/* A client of the listener's route has connected. Takes the socket. */
typedef void listener_accept_fn(void *arg, struct route *r, int client_fd);

struct listener {
    int fd;     /* -1: closed */
    char *path; /* owned */
    dev_t dev;  /* of the socket's file, so that only ours is removed */
    ino_t ino;
    struct route *route; /* that its clients are for */
    const char *name;    /* of the route, for its lines in the log; borrowed */
    listener_accept_fn *accept;
    void *accept_arg;
    struct event *acceptable;
    struct event *resume;     /* accepting again after the fds ran out */
    uint64_t stuck_logged_ms; /* last line about failing accepts */
    struct fdstore *store;    /* that has the socket for the next monitor; NULL: it has not */
    bool given;               /* by a service manager, whose the socket's file is */
};

/*
 * Listens at the route's path. Sets *out, for listener_close, or to NULL on an error. Needs no
 * event loop, so that a thread can call it; it may block on a file system, and waits for another
 * process that begins to listen there (sock_listen). Returns 0 or -errno.
 */
int listener_open(struct listener **out, const struct config_route *config)
    __attribute__((warn_unused_result));

/*
 * Does the same with the socket that an earlier monitor has listened on at this path, if store has
 * it. Returns 0, -ENOENT if not, or another -errno.
 */
int listener_inherit(struct listener **out, struct fdstore *store, const char *path)
    __attribute__((warn_unused_result));

/*
 * Does the same with a socket that a service manager has passed under the route's name
 * (LISTEN_FDNAMES), if it listens at the route's path: its owner and mode are the manager's, and so
 * is its file, which stays. Returns as listener_inherit does.
 */
int listener_activate(struct listener **out, struct fdstore *store,
                      const struct config_route *config) __attribute__((warn_unused_result));

/* Closes the sockets of earlier monitors that have not been inherited, and removes their files. */
void listener_close_rest(struct fdstore *store);

/* Returns what to do about an error of listener_open: "" or text that begins with ": ". Static. */
const char *listener_hint(int err);

/*
 * Makes its events; accept will be called with arg. Keeps the socket in store, which may be NULL,
 * so that clients can wait while no monitor runs. Returns 0 or -ENOMEM. Call listener_serve before
 * the loop runs on.
 */
int listener_prepare(struct listener *l, struct event_base *base, struct fdstore *store,
                     listener_accept_fn *accept, void *arg) __attribute__((warn_unused_result));

/* Accepts for this route from now on. name is the route's, borrowed. */
void listener_serve(struct listener *l, struct route *r, const char *name);

/* Accepts the clients that wait already, at most its whole queue. */
void listener_accept_waiting(struct listener *l);

/*
 * Closes it, removes its file if it is still the one that was made, and frees it. NULL is allowed.
 */
void listener_close(struct listener *l);

#endif
