/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "base/helper/helper_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/confine/confine.h"
#include "base/helper/sibling.h"
#include "base/sealed.h"
#include "base/sock.h"

/* Runs in the child. */
static void __attribute__((noreturn))
helper_child_execute(const struct helper_child_plan *p, int channel_fd)
{
    /* The number of the program's fd until it is executed: above those of the passed fds. */
    const int exe_at = HELPER_CHILD_CHANNEL_FD + 1 + (int)p->n_fds;
    char *argv[] = {p->name, p->arg, NULL};
    int copies[1 + HELPER_CHILD_FDS];
    sigset_t none;
    int exe_fd;

    /* Each fd may have a number that another one needs, so all are moved out of the way first. */
    for (unsigned i = 0; i <= p->n_fds; i++) {
        copies[i] = fcntl(i == 0 ? channel_fd : p->fds[i - 1], F_DUPFD_CLOEXEC, exe_at + 1);
    }
    exe_fd = fcntl(p->exe_fd, F_DUPFD_CLOEXEC, exe_at + 1);
    for (unsigned i = 0; i <= p->n_fds; i++) {
        if (copies[i] < 0 || dup2(copies[i], HELPER_CHILD_CHANNEL_FD + (int)i) < 0) {
            _exit(127);
        }
    }
    if (exe_fd < 0 || dup3(exe_fd, exe_at, O_CLOEXEC) < 0) {
        _exit(127);
    }
    closefrom(exe_at + 1);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    fexecve(exe_at, argv, confine_environment());
    _exit(127);
}

pid_t helper_child_fork(const struct helper_child_plan *p, int channel_fd)
{
    pid_t pid;

    if (p->n_fds > HELPER_CHILD_FDS) {
        return -E2BIG;
    }
    pid = p->pidfd ? sibling_fork(p->pidfd) : fork();
    if (pid == 0) {
        helper_child_execute(p, channel_fd);
    }
    return pid < 0 ? -errno : pid;
}

pid_t helper_child_start(const struct helper_child_plan *p, int *channel_fd)
{
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        return -errno;
    }
    pid = sock_nonblock(pair[0]);
    if (pid == 0) {
        pid = helper_child_fork(p, pair[1]);
    }
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return pid;
    }
    *channel_fd = pair[0];
    return pid;
}

pid_t helper_child_start_sealed(const struct helper_child_plan *p, const void *start, size_t n,
                                int *channel_fd)
{
    const struct sealed_part part = {start, n};
    struct helper_child_plan plan = *p;
    int fds[HELPER_CHILD_FDS];
    pid_t pid;

    fds[0] = sealed_new(p->name, &part, 1);
    plan.exe_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    pid = fds[0] < 0 ? fds[0] : plan.exe_fd < 0 ? -errno : 0;
    for (unsigned i = 0; i < p->n_fds; i++) {
        fds[1 + i] = p->fds[i];
    }
    plan.fds = fds;
    plan.n_fds = 1 + p->n_fds;
    if (pid == 0) {
        pid = helper_child_start(&plan, channel_fd);
    }
    sock_close(&fds[0]);
    sock_close(&plan.exe_fd);
    return pid;
}
