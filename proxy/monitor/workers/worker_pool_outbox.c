/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Messages to workers about their sessions: sent, or kept until the channel takes them. */
#include "proxy/monitor/workers/worker_pool_outbox.h"

#include <errno.h>

#include "base/sock.h"
#include "proxy/ipc/turn.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/workers/worker_pool_message.h"

static void worker_pool_outbox_add(struct monitor_session_list *list, struct monitor_session *t)
{
    t->in_outbox = true;
    TAILQ_INSERT_TAIL(list, t, outbox_link);
}

static struct monitor_session_list *worker_pool_outbox_of(const struct monitor_session *t)
{
    return t->member ? &t->member->outbox : &t->table->workers->waiting;
}

/* Returns the number of fds that go with a message. */
static unsigned worker_pool_outbox_fds(uint32_t type)
{
    switch ((enum ipc_type)type) {
    case IPC_SESSION:
    case IPC_RESUME:
        return SIDES;
    case IPC_RESUME_TWIN:
        return LIMIT_FDS_PER_SESSION;
    case IPC_ATTACH:
    case IPC_REPLACE:
        return 1;
    default:
        return 0;
    }
}

/* Returns the first of them. */
static const int *worker_pool_outbox_first(const struct monitor_session *t, enum ipc_type type,
                                           const int *fds)
{
    if (type == IPC_REPLACE) {
        return &t->successor->fd;
    }
    return type == IPC_ATTACH ? &fds[1] : fds;
}

/* Sends unsent messages, in this order. Returns false if the rest must be sent later. */
static bool worker_pool_post(struct worker_process *w, struct monitor_session *t)
{
    static const enum ipc_type types[] = {IPC_INJECT, IPC_SESSION,  IPC_RESUME, IPC_TAP,
                                          IPC_ATTACH, IPC_REPLACE,  IPC_GONE,   IPC_VERDICT,
                                          IPC_DETACH, IPC_RECORDED, IPC_END,    IPC_HAND_OVER};
    const int fds[LIMIT_FDS_PER_SESSION] = {t->client_fd, t->backend_fd, t->twin_fds[SIDE_CLIENT],
                                            t->twin_fds[SIDE_BACKEND]};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const enum ipc_type type = types[i];

        if (!worker_pool_unsent(t, type)) {
            continue;
        }
        const struct ipc_msg m = worker_pool_message(t, type);

        /* Any other error: the worker is dying, and SIGCHLD ends all its sessions. */
        if (worker_process_must_wait(w, ipc_send(w->channel_fd, &m,
                                                 worker_pool_outbox_first(t, type, fds),
                                                 worker_pool_outbox_fds(m.type)))) {
            return false;
        }
        t->unsent &= ~(1u << type);
    }
    return true;
}

bool worker_pool_unsent(const struct monitor_session *t, enum ipc_type type)
{
    return t->unsent & (1u << type);
}

/* Sends the waiting ring, before sessions that write to it. Returns false if it must wait. */
static bool worker_pool_post_ring(struct worker_process *w)
{
    const struct ipc_msg m = {.type = IPC_RING};
    const int fds[2] = {w->ring_fd, w->bell_fd};

    if (w->ring_fd < 0) {
        return true;
    }
    if (worker_process_must_wait(w, ipc_send(w->channel_fd, &m, fds, 2))) {
        return false;
    }
    sock_close(&w->ring_fd);
    sock_close(&w->bell_fd);
    return true;
}

void worker_pool_ring_take(struct worker_process *w, int ring_fd, int bell_fd)
{
    sock_close(&w->ring_fd);
    sock_close(&w->bell_fd);
    w->ring_fd = ring_fd;
    w->bell_fd = bell_fd;
    (void)worker_pool_post_ring(w);
}

void worker_pool_outbox_send(struct monitor_session *t, enum ipc_type type)
{
    struct worker_process *const w = t->member;

    t->unsent |= 1u << type;
    if (!w || w->burying || t->in_outbox ||
        (TAILQ_EMPTY(&w->outbox) && worker_pool_post_ring(w) && worker_pool_post(w, t))) {
        return;
    }
    worker_pool_outbox_add(&w->outbox, t);
}

void worker_pool_outbox_flush(struct worker_process *w)
{
    struct monitor_session *t;

    if (!worker_pool_post_ring(w)) {
        return;
    }
    while ((t = TAILQ_FIRST(&w->outbox))) {
        if (!worker_pool_post(w, t)) {
            return;
        }
        TAILQ_REMOVE(&w->outbox, t, outbox_link);
        t->in_outbox = false;
        if (turn_is_long()) {
            event_add(w->writable, NULL);
            return;
        }
    }
}

void worker_pool_verdict(struct monitor_session *t, int err)
{
    t->verdict_err = err;
    worker_pool_outbox_send(t, IPC_VERDICT);
}

void worker_pool_recorded(struct monitor_session *t)
{
    worker_pool_outbox_send(t, IPC_RECORDED);
}

void worker_pool_tap(struct monitor_session *t)
{
    worker_pool_outbox_send(t, IPC_TAP);
}

void worker_pool_peer_gone(struct monitor_session *t)
{
    worker_pool_outbox_send(t, IPC_GONE);
}

void worker_pool_attach(struct monitor_session *t)
{
    worker_pool_outbox_send(t, IPC_ATTACH);
}

void worker_pool_detach(struct monitor_session *t)
{
    worker_pool_outbox_send(t, IPC_DETACH);
}

void worker_pool_replace(struct monitor_session *t)
{
    worker_pool_outbox_send(t, IPC_REPLACE);
}

void worker_pool_end(struct monitor_session *t)
{
    worker_pool_outbox_send(t, IPC_END);
}

void worker_pool_forget(struct monitor_session *t)
{
    if (t->in_outbox) {
        TAILQ_REMOVE(worker_pool_outbox_of(t), t, outbox_link);
        t->in_outbox = false;
    }
    if (t->member) {
        TAILQ_REMOVE(&t->member->monitor_sessions, t, member_link);
        t->member->sessions--;
        t->route->relayed--;
        t->member = NULL;
    }
}

void worker_pool_outbox_wait(struct monitor_session *t)
{
    worker_pool_outbox_add(&t->table->workers->waiting, t);
}
