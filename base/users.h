/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * User ids that nothing else uses, for processes that run as another user. A shared one, such as
 * "nobody", shares more than files: its processes may trace and signal each other, and the kernel
 * counts fds in flight and processes by user.
 */
#ifndef POEMD_BASE_USERS_H
#define POEMD_BASE_USERS_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * The number that stands for every user that a namespace does not map; on Debian that of "nobody"
 * as well. (/proc/sys/kernel/overflowuid can change it; distributions do not.)
 */
#define USERS_OVERFLOW 65534u

/* A process that runs as a user. */
struct users_process {
    pid_t pid;
    char name[16]; /* as in /proc/PID/comm; foreign bytes */
};

/*
 * Finds a process other than the calling one with a user id in [first, first + n); if parent is not
 * 0, only one that is not a child of that process. Returns false if there is none, or /proc cannot
 * be read.
 */
bool users_find(uid_t first, unsigned n, pid_t parent, struct users_process *out);

/*
 * Finds n consecutive ids that no account has, no process uses, and our user namespace maps. They
 * stay reserved as long as a process of the caller has the first one; nothing is written anywhere.
 * *first is the first of them. Returns 0 or -EADDRNOTAVAIL.
 */
int users_pick(unsigned n, uid_t *first) __attribute__((warn_unused_result));

#endif
