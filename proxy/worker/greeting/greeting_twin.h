/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The twin sockets of a session in its handshake. */
#ifndef POEMD_PROXY_WORKER_GREETING_TWIN_H
#define POEMD_PROXY_WORKER_GREETING_TWIN_H

#include <stdbool.h>

/* Each is owned; -1: none. */
struct greeting_twin {
    int client_fd;      /* our end of the pair made for the client */
    int client_peer_fd; /* the client's end, until it has been sent */
    int backend_fd;
};

void greeting_twin_init(struct greeting_twin *t);
void greeting_twin_deinit(struct greeting_twin *t);

/*
 * The backend has enabled twin_socket. Its socket, which is taken, stays here, and the client gets
 * one of ours, so that no command bypasses us. Senders are reported on a socket that is checked.
 * Returns 0, -EPROTO if the fd is not a UNIX stream socket, or another -errno.
 */
int greeting_twin_make_take(struct greeting_twin *t, int backend_fd, bool check_client,
                            bool check_backend) __attribute__((warn_unused_result));

#endif
