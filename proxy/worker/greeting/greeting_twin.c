/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Twin sockets: the backend's, and a pair of our own for the client. */
#include "proxy/worker/greeting/greeting_twin.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/sock.h"

void greeting_twin_init(struct greeting_twin *t)
{
    *t = (struct greeting_twin){.client_fd = -1, .client_peer_fd = -1, .backend_fd = -1};
}

void greeting_twin_deinit(struct greeting_twin *t)
{
    sock_hang_up(&t->client_fd);
    sock_close(&t->client_peer_fd);
    sock_hang_up(&t->backend_fd);
}

int greeting_twin_make_take(struct greeting_twin *t, int backend_fd, bool check_client,
                            bool check_backend)
{
    int pair[2];
    int err;

    t->backend_fd = backend_fd;
    if (!sock_is_unix_stream(t->backend_fd)) {
        return -EPROTO;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        return -errno;
    }
    t->client_fd = pair[0];
    t->client_peer_fd = pair[1];
    err = sock_nonblock(t->client_fd);
    if (!err) {
        err = sock_nonblock(t->backend_fd);
    }
    if (!err && check_client) {
        err = sock_pass_sender(t->client_fd, true);
    }
    if (!err && check_backend) {
        err = sock_pass_sender(t->backend_fd, true);
    }
    return err;
}
