/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A handshake in which the backend hands out its end of a twin socket. */
#define _GNU_SOURCE
#include "tests/daemon/twin_rig.h"

#include <sys/socket.h>

#include "base/sock.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

#define REPLY(index) \
    "{\"capabilities\":{\"max_msg_fds\":8,\"twin_socket\":{\"supported\":true,\"fd_index\":" index \
    ",\"y\":2}}}"

void twin_rig_begin(struct rig *r, struct twins *t)
{
    struct fdset fds;
    struct message m;
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    t->main.client_fd = peer_connect(r->listen);
    peer_send_version(t->main.client_fd, 1, WIRE_TYPE_COMMAND, TWIN_RIG_REQUEST, NULL);
    t->main.backend_fd = peer_accept(r->backend_fd);
    peer_recv_version(t->main.backend_fd, 1, WIRE_TYPE_COMMAND, TWIN_RIG_REQUEST);
    fdset_init(&fds);
    ck_assert_int_eq(fdset_add_take(&fds, pair[1]), 0);
    peer_send_version(t->main.backend_fd, 1, WIRE_TYPE_REPLY, REPLY("0"), &fds);
    peer_recv(t->main.client_fd, &m);
    ck_assert_uint_eq(m.hdr.flags, WIRE_TYPE_REPLY);
    ck_assert_str_eq((const char *)m.payload + sizeof(struct wire_version), REPLY("0"));
    ck_assert_uint_eq(m.fds.n, 1);
    /* It is poemd's own socket, not the backend's handed through. */
    ck_assert(!peer_same_file(m.fds.fds[0], fds.fds[0]));
    fdset_close(&fds);
    t->twin.backend_fd = pair[0];
    t->twin.client_fd = fdset_steal(&m.fds, 0);
    ck_assert_int_eq(sock_block(t->twin.client_fd), 0);
    message_deinit(&m);
}

void twin_rig_end(struct twins *t)
{
    pair_close(&t->main);
    pair_close(&t->twin);
}
