/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Processes that are children of this process's parent, and so live on without this process. */
#ifndef POEMD_BASE_HELPER_SIBLING_H
#define POEMD_BASE_HELPER_SIBLING_H

#include <sys/types.h>

/*
 * Forks as fork(2) does, but the new process is a child of this process's parent: only that one can
 * collect it, and its parent-death signal (PR_SET_PDEATHSIG) is that of the parent. It must keep to
 * async-signal-safe functions, as after fork in a program with threads. *pidfd, close-on-exec, is
 * the caller's if a pid is returned.
 */
pid_t sibling_fork(int *pidfd);

/*
 * Does the same for a process that has the given number in its own pid namespace, if the kernel
 * permits that; otherwise it gets any.
 */
pid_t sibling_fork_as(pid_t number, int *pidfd);

#endif
