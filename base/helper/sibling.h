/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Processes that are children of this process's parent, and so live on without this process. */
#ifndef POEMD_BASE_HELPER_SIBLING_H
#define POEMD_BASE_HELPER_SIBLING_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Forks as fork(2) does. If sibling, the new process is a child of this process's parent: only that
 * one can collect it, and its parent-death signal (PR_SET_PDEATHSIG) is that of the parent. The new
 * process must then keep to async-signal-safe functions, as after fork in a program with threads.
 */
pid_t sibling_fork(bool sibling);

/*
 * does the same for a process that has this number in its own pid namespace, if the kernel
 * permits that; otherwise it gets any.
 */
pid_t sibling_fork_as(bool sibling, pid_t number);

#endif
