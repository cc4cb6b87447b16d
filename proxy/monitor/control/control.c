/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The control socket and its clients: accepts them, reads one request each, sends the answer as
 * fast as they read it, and drops them. control_dispatch.c interprets the requests.
 */
#define _GNU_SOURCE
#include "proxy/monitor/control/control.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdset.h"
#include "base/sock.h"
#include "policy/peer/peer.h"
#include "proxy/monitor/control/control_client.h"
#include "proxy/monitor/control/control_replace.h"
#include "proxy/monitor/control/control_subject.h"
#include "proxy/monitor/control/control_trace.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/ipc/rate_limit.h"
#include "proxy/monitor/tracing/tracing.h"
#include "proxy/monitor/workers/worker_pool.h"
#include "proxy/monitor/workers/worker_pool_count.h"
#include "proxy/ipc/turn.h"

/* Supplementary groups beyond this number are not looked at. */
#define GROUPS_MAX 1024

TAILQ_HEAD(control_clients, control_client);

struct control {
    struct control_subject subject;
    int listen_fd;  /* -1: closed */
    char *folder;   /* created for the socket; NULL if it existed */
    struct stat st; /* of the socket's file */
    struct event *acceptable;
    struct event *resume; /* accepting again after the fds ran out */
    struct event *reap;
    struct event *counted;  /* all workers may have reported their counts */
    struct event *patience; /* … or have taken too long */
    struct control_clients clients;
    unsigned n_clients;
    struct rate_limit strangers; /* lines about clients without permission */
    uint64_t strangers_untold;
};

static const struct timeval step_time = {.tv_sec = LIMIT_CONTROL_MS / 1000};
static const struct timeval count_time = {.tv_sec = LIMIT_CONTROL_COUNT_MS / 1000};
static const struct timeval out_of_fds = {.tv_usec = 100000};

/* ---- a client's end ---- */

static void control_drop(struct control_client *c)
{
    if (c->state == CONTROL_DROPPED) {
        return;
    }
    control_let_go(c);
    c->state = CONTROL_DROPPED;
    event_del(&c->readable);
    event_del(&c->writable);
    event_active(c->control->reap, 0, 0);
}

static void control_client_free(struct control_client *c)
{
    control_replace_forget(c);
    control_trace_drop(c);
    TAILQ_REMOVE(&c->control->clients, c, link);
    c->control->n_clients--;
    /* A plain close with an unread request would discard the answer at the client's end. */
    sock_hang_up(&c->fd);
    sock_close(&c->given_fd);
    json_decref(c->single);
    json_decref(c->list);
    free(c->unsent);
    free(c);
}

static void control_on_reap(evutil_socket_t fd, short what, void *arg)
{
    struct control *control = arg;
    struct control_client *c;
    struct control_client *next;

    (void)fd;
    (void)what;
    TAILQ_FOREACH_SAFE(c, &control->clients, link, next)
    {
        if (c->state == CONTROL_DROPPED) {
            control_client_free(c);
        }
    }
}

/* ---- answering ---- */

/* Puts the next part of the answer into c->unsent. Returns false if out of memory. */
static bool control_make_part(struct control_client *c)
{
    struct control_answer head = {.magic = CONTROL_MAGIC};
    bool last = true;
    json_t *part = control_next_part(c, &last);
    char *text = part ? json_dumps(part, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    const size_t n = text ? strlen(text) : 0;

    json_decref(part);
    c->unsent = text ? malloc(sizeof head + n) : NULL;
    if (c->unsent) {
        head.status = c->status;
        head.last = last;
        memcpy(c->unsent, &head, sizeof head);
        memcpy(c->unsent + sizeof head, text, n);
        c->unsent_size = sizeof head + n;
        c->unsent_last = last;
    }
    free(text);
    return c->unsent != NULL;
}

/* Sends the last answer to a client that held a capture which has ended. */
static void control_notify_end(struct control_client *c)
{
    if (c->over && c->state == CONTROL_HOLDING) {
        event_del(&c->readable);
        c->part = CONTROL_PART_TRACE_END;
        event_add(&c->writable, &step_time);
    }
}

static void control_answered(struct control_client *c)
{
    if ((!c->trace && !c->stays) || c->part == CONTROL_PART_TRACE_END) {
        control_drop(c);
        return;
    }
    c->state = CONTROL_HOLDING;
    event_add(&c->readable, NULL);
    control_notify_end(c);
}

/* Sends parts until the socket is full, the turn is over, or the answer is complete. */
static void control_send_answer(struct control_client *c)
{
    c->state = CONTROL_ANSWERED;
    for (int i = 0; i < LIMIT_CONTROL_TURN && (i == 0 || !turn_is_long()); i++) {
        ssize_t n;

        if (!c->unsent && !control_make_part(c)) {
            control_drop(c);
            return;
        }
        n = sock_send(c->fd, c->unsent, c->unsent_size, NULL, MSG_DONTWAIT);
        if (n == -EAGAIN) {
            break;
        }
        free(c->unsent);
        c->unsent = NULL;
        if (n < 0) {
            control_drop(c);
            return;
        }
        if (c->unsent_last) {
            control_answered(c);
            return;
        }
    }
    event_add(&c->writable, &step_time);
}

static void control_on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct control_client *c = arg;

    (void)fd;
    if (what & EV_TIMEOUT) {
        log_warning("control: uid=%u pid=%d did not read its answer in time; dropped",
                    (unsigned)c->who.uid, (int)c->who.pid);
        control_drop(c);
    } else {
        control_send_answer(c);
    }
}

/* A capture has ended, its last counts known. Its client gets its answer from the loop. */
static void control_on_trace_ended(void *arg, uint64_t id)
{
    struct control *const control = arg;
    struct control_client *c;

    TAILQ_FOREACH(c, &control->clients, link)
    {
        if (c->trace == id) {
            c->over = true;
            control_notify_end(c);
        }
    }
}

/* ---- counting ---- */

static void control_on_counted(evutil_socket_t fd, short what, void *arg)
{
    struct control *control = arg;
    struct control_client *c;
    struct control_client *next;

    (void)fd;
    if (!(what & EV_TIMEOUT) && worker_pool_counting(control->subject.workers)) {
        return;
    }
    event_del(control->patience);
    TAILQ_FOREACH_SAFE(c, &control->clients, link, next)
    {
        if (c->state == CONTROL_COUNTING) {
            control_send_answer(c);
        }
    }
}

static void control_on_worker_counted(void *arg, struct worker_process *w)
{
    const struct control *const control = arg;

    (void)w;
    event_active(control->counted, 0, 0);
}

/* Clients that ask while workers are being asked wait for the same answer. */
static void control_count(struct control_client *c)
{
    struct control *control = c->control;

    c->state = CONTROL_COUNTING;
    worker_pool_count(control->subject.workers);
    if (!worker_pool_counting(control->subject.workers)) {
        event_active(control->counted, 0, 0);
    } else if (!event_pending(control->patience, EV_TIMEOUT, NULL)) {
        event_add(control->patience, &count_time);
    }
}

/* ---- a new client ---- */

/*
 * Returns 1; 0 if the client has closed; -EAGAIN; or -EPROTO if the message is not a request, or
 * has too many fds.
 */
static int control_receive_request(struct control_client *c)
{
    struct control_request *q = &c->request;
    struct fdset fds;
    ssize_t n;

    fdset_init(&fds);
    n = sock_recv(c->fd, q, sizeof *q, &fds, MSG_DONTWAIT | MSG_TRUNC);
    if (n > 0) {
        const bool whole = n == sizeof *q && q->magic == CONTROL_MAGIC;

        c->given_fd = whole && fds.n == 1 ? fdset_steal(&fds, 0) : -1;
        n = whole && fds.n == 0 ? 1 : -EPROTO;
    }
    fdset_close(&fds);
    return (int)n;
}

static bool control_texts_end(const struct control_request *q)
{
    return memchr(q->route, '\0', sizeof q->route) && memchr(q->filter, '\0', sizeof q->filter);
}

static void control_on_request(struct control_client *c)
{
    const int r = control_receive_request(c);

    if (r == -EAGAIN) {
        event_add(&c->readable, &step_time);
        return;
    }
    if (r == 0) {
        control_drop(c);
        return;
    }
    if (r < 0 || !control_texts_end(&c->request)) {
        control_refuse(c, CONTROL_REFUSED, "not a valid request");
    } else if (c->request.version != CONTROL_VERSION) {
        control_refuse(c, CONTROL_REFUSED,
                       "poemd " POEMD_VERSION
                       " has version %u of the control protocol, poemctl version %u",
                       CONTROL_VERSION, (unsigned)c->request.version);
    } else {
        control_dispatch_request(c);
    }
    if (c->state == CONTROL_RELOADING || c->state == CONTROL_UPGRADING ||
        c->state == CONTROL_REPLACING) {
        return;
    }
    if (c->part == CONTROL_PART_SESSIONS || c->part == CONTROL_PART_BROKER) {
        control_count(c);
    } else {
        control_send_answer(c);
    }
}

void control_go_on(struct control_client *c)
{
    control_send_answer(c);
}

/* A client that holds a capture sends nothing more: it can only close. */
static void control_on_held(struct control_client *c)
{
    char byte;
    const ssize_t n = recv(c->fd, &byte, sizeof byte, MSG_DONTWAIT);

    if (n == 0 && c->trace) {
        control_let_go(c);
    } else if (n < 0 && errno == EAGAIN) {
        event_add(&c->readable, NULL);
    } else {
        control_drop(c);
    }
}

static void control_on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct control_client *c = arg;

    (void)fd;
    if (what & EV_TIMEOUT) {
        control_drop(c);
    } else if (c->state == CONTROL_ASKED_NOTHING) {
        control_on_request(c);
    } else {
        control_on_held(c);
    }
}

static bool control_in_group(int fd, gid_t group)
{
    gid_t groups[GROUPS_MAX];
    socklen_t n = sizeof groups;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n) < 0) {
        return false;
    }
    for (size_t i = 0; i < n / sizeof *groups; i++) {
        if (groups[i] == group) {
            return true;
        }
    }
    return false;
}

/*
 * The file's mode keeps other users out already. But the file's owner can change the mode, and a
 * connected socket can be handed on, while the credentials of the process that connected cannot
 * change. A user or group that our user namespace does not map has no permission: its number stands
 * for all unmapped ones.
 */
static bool control_may_ask(const struct control_client *c)
{
    const struct stat *st = &c->control->st;
    const struct ucred *who = &c->who;

    if (peer_uid_mapped(who->uid) &&
        (who->uid == 0 || who->uid == geteuid() || who->uid == st->st_uid)) {
        return true;
    }
    return (st->st_mode & S_IWGRP) && peer_gid_mapped(st->st_gid) &&
           (who->gid == st->st_gid || control_in_group(c->fd, st->st_gid));
}

/* Takes the socket. Returns NULL if out of memory. */
static struct control_client *control_client_new(struct control *control, int fd)
{
    struct control_client *c = calloc(1, sizeof *c);

    if (!c) {
        sock_close(&fd);
        return NULL;
    }
    c->control = control;
    c->subject = &control->subject;
    c->fd = fd;
    c->given_fd = -1;
    event_assign(&c->readable, control->subject.context->base, fd, EV_READ, control_on_readable, c);
    event_assign(&c->writable, control->subject.context->base, fd, EV_WRITE, control_on_writable,
                 c);
    TAILQ_INSERT_TAIL(&control->clients, c, link);
    control->n_clients++;
    return c;
}

/* Rate-limited, since a client without permission can connect again and again. */
static void control_log_stranger(struct control *control, const struct ucred *who)
{
    const uint64_t now = clock_ms();

    if (!rate_limit_may(&control->strangers, now, LIMIT_STRANGER_LINES, LIMIT_STRANGER_LINES_MS)) {
        control->strangers_untold++;
        return;
    }
    rate_limit_take(&control->strangers, now, LIMIT_STRANGER_LINES_MS);
    if (control->strangers_untold > 0) {
        log_warning("control: %" PRIu64 " more clients had no permission",
                    control->strangers_untold);
        control->strangers_untold = 0;
    }
    log_warning("control: uid=%u%s pid=%d has no permission", (unsigned)who->uid,
                peer_uid_mapped(who->uid)
                    ? ""
                    : " (which stands for all users that our user namespace does not map)",
                (int)who->pid);
}

static void control_accept_one(struct control *control, int fd)
{
    const bool full = control->n_clients >= LIMIT_CONTROL_CLIENTS;
    struct control_client *c = control_client_new(control, fd);
    socklen_t n = sizeof c->who;

    if (!c) {
        return;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c->who, &n) < 0 || !control_may_ask(c)) {
        control_log_stranger(control, &c->who);
        control_refuse(c, CONTROL_REFUSED,
                       "you have no permission: run poemctl as root, or as a user or group that "
                       "owns the control socket");
    } else if (full) {
        control_refuse(c, CONTROL_FAILED, "%d clients are connected already: try again",
                       LIMIT_CONTROL_CLIENTS);
    } else {
        event_add(&c->readable, &step_time);
        return;
    }
    /* Over the limit: send what fits without blocking, then drop the client. */
    control_send_answer(c);
    control_drop(c);
}

static void control_on_acceptable(evutil_socket_t fd, short what, void *arg)
{
    struct control *control = arg;

    (void)what;
    for (int i = 0; i < LIMIT_ACCEPTS; i++) {
        const int client_fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (client_fd >= 0) {
            control_accept_one(control, client_fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            event_del(control->acceptable);
            event_add(control->resume, &out_of_fds);
        }
        return;
    }
}

static void control_on_resume(evutil_socket_t fd, short what, void *arg)
{
    struct control *control = arg;

    (void)fd;
    (void)what;
    if (control->listen_fd >= 0) {
        event_add(control->acceptable, NULL);
    }
}

/* ---- the socket ---- */

/* /run is empty after a boot, so the socket's own folder is created if it is missing. */
static int control_make_folder(struct control *control, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash > path ? strndup(path, (size_t)(slash - path)) : NULL;

    if (!folder) {
        return slash > path ? -ENOMEM : 0;
    }
    if (mkdir(folder, 0755) == 0) {
        control->folder = folder;
        return 0;
    }
    free(folder);
    return errno == EEXIST ? 0 : -errno;
}

static int control_listen_at(struct control *control, const struct config_control *where)
{
    int err = control_make_folder(control, where->path);

    if (err) {
        return err;
    }
    control->listen_fd =
        sock_listen_packets(where->path, where->mode, where->owner, where->group, LIMIT_BACKLOG);
    if (control->listen_fd < 0) {
        err = control->listen_fd;
        control->listen_fd = -1;
        return err;
    }
    return sock_file_stat(control->listen_fd, where->path, &control->st);
}

static int control_make_events(struct control *control)
{
    struct event_base *base = control->subject.context->base;

    control->acceptable =
        event_new(base, control->listen_fd, EV_READ | EV_PERSIST, control_on_acceptable, control);
    control->resume = evtimer_new(base, control_on_resume, control);
    control->reap = event_new(base, -1, 0, control_on_reap, control);
    control->counted = event_new(base, -1, 0, control_on_counted, control);
    control->patience = evtimer_new(base, control_on_counted, control);
    if (!control->acceptable || !control->resume || !control->reap || !control->counted ||
        !control->patience || event_add(control->acceptable, NULL) < 0) {
        return -ENOMEM;
    }
    return 0;
}

int control_new(struct control **out, const struct control_subject *subject)
{
    static const struct worker_pool_events of_workers = {.counted = control_on_worker_counted};
    const struct config_control *where = &subject->context->config->control;
    struct control *control;
    char shown[256];
    int err;

    *out = NULL;
    if (!where->path) {
        return 0;
    }
    control = calloc(1, sizeof *control);
    if (!control) {
        return -ENOMEM;
    }
    control->subject = *subject;
    control->listen_fd = -1;
    TAILQ_INIT(&control->clients);
    err = control_listen_at(control, where);
    if (err) {
        log_error("cannot listen on the control socket \"%s\": %s",
                  log_escape(shown, sizeof shown, where->path, strlen(where->path)),
                  strerror(-err));
    } else {
        err = control_make_events(control);
    }
    if (err) {
        control_free(control);
        return err;
    }
    worker_pool_observe(subject->workers, &of_workers, control);
    tracing_on_ended(subject->tracing, control_on_trace_ended, control);
    *out = control;
    return 0;
}

void control_resume(struct control *control)
{
    struct fdstore *const store = control ? control->subject.context->store : NULL;
    uint64_t capture;
    int fd;

    while (store && (fd = control_trace_take_holder(store, &capture)) >= 0) {
        struct control_client *const c = control_client_new(control, fd);
        socklen_t n = sizeof c->who;

        if (!c) {
            return;
        }
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c->who, &n) < 0) {
            log_debug("control: the client of capture %" PRIu64 " has gone", capture);
        }
        control_trace_resume(c, capture);
        control_answered(c);
    }
}

void control_close(struct control *c)
{
    const char *path;

    if (!c || c->listen_fd < 0) {
        return;
    }
    path = c->subject.context->config->control.path;
    if (c->acceptable) {
        event_del(c->acceptable);
    }
    sock_file_remove(path, c->st.st_dev, c->st.st_ino);
    sock_close(&c->listen_fd);
    if (c->folder) {
        /* Fails if another program uses the folder by now. */
        (void)rmdir(c->folder);
    }
}

void control_free(struct control *c)
{
    struct control_client *client;

    if (!c) {
        return;
    }
    control_close(c);
    while ((client = TAILQ_FIRST(&c->clients))) {
        /* The loop is over: a client that waits for the end of a capture gets its answer now. */
        if (client->part == CONTROL_PART_TRACE_END && client->state != CONTROL_DROPPED) {
            control_send_answer(client);
        }
        control_drop(client);
        control_client_free(client);
    }
    free(c->folder);
    for (int i = 0; i < 5; i++) {
        struct event *e =
            (struct event *[]){c->acceptable, c->resume, c->reap, c->counted, c->patience}[i];

        if (e) {
            event_free(e);
        }
    }
    free(c);
}
