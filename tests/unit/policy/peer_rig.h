/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Peers that are processes of their own, for the suites of facts about peers.
 */
#ifndef POEMD_TESTS_UNIT_POLICY_PEER_RIG_H
#define POEMD_TESTS_UNIT_POLICY_PEER_RIG_H

#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "policy/peer/peer.h"

#define NOBODY 65534

/* Fails the child where it is not so; its parent sees the line by the status. */
#define REQUIRE(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "line %d: not so: %s\n", __LINE__, #condition); \
            _exit(3); \
        } \
    } while (0)

/* Listens at "socket" in the test's folder, where every user may connect. Returns the fd. */
int peer_rig_listen(void);

/* Takes the connection of the next peer_rig_be. */
int peer_rig_accept(int listen_fd);

/* Connects to path, reports that, and waits for the end. Returns an exit status. */
int peer_rig_be(const char *path);

/* Hangs up on a peer, which must exit with 0. */
void peer_rig_end(int fd, pid_t pid);

void peer_rig_must_know(const struct peer *p, enum peer_fact f);

/* Fails unless the peer executes the file at path. */
void peer_rig_must_execute(const struct peer *p, const char *path);

#endif
