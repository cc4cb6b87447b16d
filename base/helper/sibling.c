/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Forks by system calls: the C library has no function for a sibling. */
#define _GNU_SOURCE
#include "base/helper/sibling.h"

#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t sibling_fork(int *pidfd)
{
    *pidfd = -1;
    /* Not clone3: service managers that restrict namespaces forbid that. */
    return (pid_t)syscall(SYS_clone, (unsigned long)(CLONE_PARENT | CLONE_PIDFD | SIGCHLD), 0,
                          pidfd, 0, 0);
}

pid_t sibling_fork_as(pid_t number, int *pidfd)
{
    /* A sibling's signal at its end is that of this process. */
    const struct clone_args args = {.flags = CLONE_PARENT | CLONE_PIDFD,
                                    .pidfd = (uint64_t)(uintptr_t)pidfd,
                                    .set_tid = (uint64_t)(uintptr_t)&number,
                                    .set_tid_size = 1};
    const pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);

    return pid < 0 ? sibling_fork(pidfd) : pid;
}
