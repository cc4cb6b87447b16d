/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A set of owned file descriptors: what came with one message, until it is sent on or closed.
 *
 * Whatever is in a set is closed by it, unless it is taken out. A set is fixed in size, so that
 * receiving never allocates.
 */
#ifndef POEMD_BASE_FDSET_H
#define POEMD_BASE_FDSET_H

#include <stddef.h>
#include <sys/socket.h>

#include "base/limits.h"

/* Room in a control buffer can deliver one fd more than was meant (alignment): measured. */
#define FDSET_MAX (LIMIT_FDS_KERNEL + 1)

struct fdset {
    unsigned n;
    int fds[FDSET_MAX]; /* fds[0 … n-1] are open and owned */
};

/* Makes the set empty. It must own nothing. */
void fdset_init(struct fdset *s);

/* Closes all that the set owns; it is empty afterwards and may be used again. */
void fdset_close(struct fdset *s);

/*
 * Gives fd to the set, which owns it from now on. 0, or -ENOSPC: the set is full, and the fd has
 * been closed.
 */
int fdset_add_take(struct fdset *s, int fd);

/* Takes fd number i out of the set: the caller owns it; the order of the others is kept. -1: none.
 */
int fdset_steal(struct fdset *s, unsigned i);

/* Moves all of from behind what to has. 0, or -ENOSPC: what did not fit has been closed. */
int fdset_append_take(struct fdset *to, struct fdset *from);

/*
 * Takes every fd of every SCM_RIGHTS message in a received msghdr into the set. To be called in the
 * statement after recvmsg. Pidfds that came unasked are closed. 0, or -ENOSPC: those that did not
 * fit have been closed.
 */
int fdset_receive(struct fdset *s, struct msghdr *msg);

#endif
