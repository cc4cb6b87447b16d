/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Watches the processes of a session's parties, from dialling to the end, and notifies the worker
 * when one has ended. The worker decides what follows (session_watch.h), since it sees which
 * processes use the sockets.
 */
#define _GNU_SOURCE
#include "proxy/monitor/monitor_session_peers.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"
#include "proxy/monitor/devices/spawn.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/workers/worker_pool_outbox.h"

/* Not in Debian 12's headers (Linux 6.5). */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

static void monitor_session_peer_gone(struct monitor_session *t, enum side party)
{
    t->gone |= 1u << party;
    monitor_session_changed(t);
    worker_pool_peer_gone(t);
}

static void monitor_session_on_client_exit(evutil_socket_t fd, short what, void *arg)
{
    struct monitor_session *t = arg;

    (void)fd;
    (void)what;
    sock_close(&t->peers[SIDE_CLIENT].pid_fd);
    monitor_session_peer_gone(t, SIDE_CLIENT);
}

static void monitor_session_on_backend_exit(evutil_socket_t fd, short what, void *arg)
{
    struct monitor_session *t = arg;

    (void)fd;
    (void)what;
    sock_close(&t->peers[SIDE_BACKEND].pid_fd);
    monitor_session_peer_gone(t, SIDE_BACKEND);
}

int monitor_session_peer_pidfd(int socket_fd)
{
    int fd = -1;
    socklen_t n = sizeof fd;

    if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERPIDFD, &fd, &n) < 0) {
        return errno == EINVAL ? -ESRCH : -errno;
    }
    return fd;
}

/* Takes pid_fd, or -errno instead: then only the socket's own end is noticed. */
static void monitor_session_watch_peer_take(struct monitor_session *t, enum side party, int pid_fd)
{
    struct monitor_session_peer *p = &t->peers[party];

    if (pid_fd == -ESRCH) {
        monitor_session_peer_gone(t, party);
    }
    if (pid_fd < 0) {
        return;
    }
    p->pid_fd = pid_fd;
    event_assign(
        &p->exit, t->table->context->base, pid_fd, EV_READ,
        party == SIDE_CLIENT ? monitor_session_on_client_exit : monitor_session_on_backend_exit, t);
    if (event_add(&p->exit, NULL) < 0) {
        sock_close(&p->pid_fd);
    }
}

void monitor_session_watch_backend(struct monitor_session *t)
{
    const int backend = t->device ? children_pidfd(spawn_pid(t->device))
                                  : monitor_session_peer_pidfd(t->backend_fd);

    monitor_session_watch_peer_take(t, SIDE_BACKEND, backend);
}

void monitor_session_watch_peers(struct monitor_session *t)
{
    monitor_session_watch_backend(t);
    monitor_session_watch_peer_take(t, SIDE_CLIENT, monitor_session_peer_pidfd(t->client_fd));
}

void monitor_session_forget_peer(struct monitor_session *t, enum side party)
{
    struct monitor_session_peer *const p = &t->peers[party];

    if (p->pid_fd >= 0) {
        event_del(&p->exit);
        sock_close(&p->pid_fd);
    }
}

void monitor_session_forget_peers(struct monitor_session *t)
{
    monitor_session_forget_peer(t, SIDE_CLIENT);
    monitor_session_forget_peer(t, SIDE_BACKEND);
}
