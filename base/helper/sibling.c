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

pid_t sibling_fork(bool sibling)
{
    /* Not clone3: service managers that restrict namespaces forbid that. */
    return sibling ? (pid_t)syscall(SYS_clone, (unsigned long)CLONE_PARENT | SIGCHLD, 0, 0, 0, 0)
                   : fork();
}

pid_t sibling_fork_as(bool sibling, pid_t number)
{
    /* A sibling's signal at its end is that of this process. */
    const struct clone_args args = {.flags = sibling ? CLONE_PARENT : 0,
                                    .exit_signal = sibling ? 0 : SIGCHLD,
                                    .set_tid = (uint64_t)(uintptr_t)&number,
                                    .set_tid_size = 1};
    const pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);

    return pid < 0 ? sibling_fork(sibling) : pid;
}
