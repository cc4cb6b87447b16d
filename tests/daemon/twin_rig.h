/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Sessions with a twin socket. */
#ifndef POEMD_TESTS_DAEMON_TWIN_RIG_H
#define POEMD_TESTS_DAEMON_TWIN_RIG_H

#include "tests/daemon/rig.h"

/* What the client offers. */
#define TWIN_RIG_REQUEST \
    "{\"capabilities\":{\"max_msg_fds\":16,\"twin_socket\":{\"supported\":true,\"x\":1}}}"

/* A session with a twin socket: what the client and the backend hold of it. */
struct twins {
    struct pair main;
    struct pair twin;
};

/* The backend makes a socket pair and passes one end, as its reply says. */
void twin_rig_begin(struct rig *r, struct twins *t);

/* Closes all four. */
void twin_rig_end(struct twins *t);

#endif
