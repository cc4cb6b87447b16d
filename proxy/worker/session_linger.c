/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Fd accounts that outlive their sessions. Polled from time to time, since there is no event. */
#include "proxy/worker/session_linger.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/time.h>

#include "base/sock.h"

struct session_lingerer {
    SLIST_ENTRY(session_lingerer) link;
    uint64_t session;
    struct fdroom_session fds; /* its legs own their sockets */
};

static const struct timeval linger_time = {.tv_usec = LIMIT_LINGER_MS * 1000L};

static void session_linger_drop(struct session_lingerer *l)
{
    for (unsigned i = 0; i < l->fds.n_legs; i++) {
        sock_close(&l->fds.legs[i].to_fd);
    }
    fdroom_leave(&l->fds);
    free(l);
}

struct session_lingerer *session_linger_new(struct session *s)
{
    struct fdroom_session *fds = &s->guard->fds;
    struct session_lingerer *l;

    if (fds->n_legs > 0) {
        fdroom_look(fds);
    }
    l = fds->used > 0 ? calloc(1, sizeof *l) : NULL;
    if (!l) {
        return NULL;
    }
    l->session = s->id;
    l->fds.room = fds->room;
    for (unsigned i = 0; i < fds->n_legs; i++) {
        const int fd = fds->legs[i].flying ? fcntl(fds->legs[i].to_fd, F_DUPFD_CLOEXEC, 0) : -1;
        struct fdroom_leg *leg = fd >= 0 ? fdroom_leg(&l->fds, fd) : NULL;

        if (leg) {
            leg->flying = fds->legs[i].flying;
        }
    }
    return l;
}

uint32_t session_linger_begin_take(struct session_host *h, struct session_lingerer *l)
{
    if (!l) {
        return 0;
    }
    fdroom_charge(&l->fds);
    if (l->fds.used == 0) {
        session_linger_drop(l);
        return 0;
    }
    SLIST_INSERT_HEAD(&h->lingering, l, link);
    event_add(h->linger_event, &linger_time);
    return l->fds.used;
}

/* The host's timer: looks at all of them. */
/* NOLINTNEXTLINE(readability-function-size): includes the lists' macros. */
static void session_linger_look(evutil_socket_t fd, short what, void *arg)
{
    struct session_host *h = arg;
    struct session_lingerer *l;
    struct session_lingerer *next;

    (void)fd;
    (void)what;
    SLIST_FOREACH_SAFE(l, &h->lingering, link, next)
    {
        const struct ipc_msg m = {.type = IPC_RECEIVED, .session = l->session};

        fdroom_look(&l->fds);
        if (l->fds.used == 0 && h->send(h, &m)) {
            SLIST_REMOVE(&h->lingering, l, session_lingerer, link);
            session_linger_drop(l);
        }
    }
    if (!SLIST_EMPTY(&h->lingering)) {
        event_add(h->linger_event, &linger_time);
    }
}

bool session_linger_init(struct session_host *h)
{
    SLIST_INIT(&h->lingering);
    h->linger_event = evtimer_new(h->base, session_linger_look, h);
    return h->linger_event != NULL;
}

void session_linger_deinit(struct session_host *h)
{
    struct session_lingerer *l;

    while ((l = SLIST_FIRST(&h->lingering))) {
        SLIST_REMOVE_HEAD(&h->lingering, link);
        session_linger_drop(l);
    }
    if (h->linger_event) {
        event_free(h->linger_event);
        h->linger_event = NULL;
    }
}
