/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A set of owned file descriptors: those of one message, until they are sent on or closed.
 *
 * The set closes whatever is still in it. Its size is fixed, so that receiving never allocates.
 */
#ifndef POEMD_BASE_FDSET_H
#define POEMD_BASE_FDSET_H

#include <stddef.h>
#include <sys/socket.h>

#include "base/limits.h"

/* A control buffer can deliver one fd more than intended (alignment), as measured. */
#define FDSET_MAX (LIMIT_FDS_KERNEL + 1)

struct fdset {
    unsigned n;
    int fds[FDSET_MAX]; /* fds[0 … n-1] are open and owned */
};

/* Initializes an empty set. It must not own anything. */
void fdset_init(struct fdset *s);

/* Closes all fds of the set; it is empty afterwards and may be used again. */
void fdset_close(struct fdset *s);

/*
 * Gives fd to the set, which owns it from now on. Returns 0, or -ENOSPC if the set is full, with fd
 * closed.
 */
int fdset_add_take(struct fdset *s, int fd);

/* Removes fd number i, which the caller then owns; keeps the order. Returns -1 if there is none. */
int fdset_steal(struct fdset *s, unsigned i);

/* Moves all fds of from behind those of to. Returns 0, or -ENOSPC with the excess closed. */
int fdset_append_take(struct fdset *to, struct fdset *from);

/*
 * Moves every fd of every SCM_RIGHTS message in a received msghdr into the set. Call it in the
 * statement after recvmsg. Closes pidfds that came unrequested. Returns 0, or -ENOSPC with those
 * that did not fit closed.
 */
int fdset_receive(struct fdset *s, struct msghdr *msg);

#endif
