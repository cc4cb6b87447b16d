/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Owned sets of file descriptors. Closes fds; does no other I/O and allocates nothing.
 */
#include "base/fdset.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

void fdset_init(struct fdset *s)
{
    s->n = 0;
}

void fdset_close(struct fdset *s)
{
    while (s->n > 0) {
        close(s->fds[--s->n]);
    }
}

int fdset_add_take(struct fdset *s, int fd)
{
    if (s->n == FDSET_MAX) {
        close(fd);
        return -ENOSPC;
    }
    s->fds[s->n++] = fd;
    return 0;
}

int fdset_steal(struct fdset *s, unsigned i)
{
    int fd;

    if (i >= s->n) {
        return -1;
    }
    fd = s->fds[i];
    s->n--;
    memmove(&s->fds[i], &s->fds[i + 1], (s->n - i) * sizeof s->fds[0]);
    return fd;
}

int fdset_append_take(struct fdset *to, struct fdset *from)
{
    int err = 0;

    for (unsigned i = 0; i < from->n; i++) {
        int r = fdset_add_take(to, from->fds[i]);

        err = err ? err : r;
    }
    from->n = 0;
    return err;
}

/* Not in Debian 12's headers (Linux 6.5). */
#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04
#endif

/* A pidfd comes with every message if a peer that had this socket has set SO_PASSPIDFD. */
static bool fdset_is_pidfd(const struct cmsghdr *c)
{
    return c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_PIDFD &&
           c->cmsg_len >= CMSG_LEN(sizeof(int));
}

static void fdset_close_pidfd(const struct cmsghdr *c)
{
    int fd;

    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    if (fd >= 0) {
        close(fd);
    }
}

int fdset_receive(struct fdset *s, struct msghdr *msg)
{
    int err = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        const unsigned char *p = CMSG_DATA(c);
        size_t n;

        if (fdset_is_pidfd(c)) {
            fdset_close_pidfd(c);
            continue;
        }
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            int r;

            memcpy(&fd, p + i * sizeof fd, sizeof fd);
            r = fdset_add_take(s, fd);
            err = err ? err : r;
        }
    }
    return err;
}
