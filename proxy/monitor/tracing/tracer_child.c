/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Forks and executes the tracer's process. */
#define _GNU_SOURCE
#include "proxy/monitor/tracing/tracer_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/confine/confine.h"
#include "base/sealed.h"
#include "base/sock.h"

/* The number of the program's fd between fork and exec. */
#define EXE_FD (TRACER_START_FD + 1)

/* In the child: passes on only the channel, the settings and the log. */
static void tracer_child_child(int channel_fd, int start_fd, int exe_fd)
{
    char *argv[] = {TRACER_NAME, TRACER_ARG, NULL};
    sigset_t none;

    /* Each fd may have a number that another one needs, so all are moved out of the way first. */
    channel_fd = fcntl(channel_fd, F_DUPFD_CLOEXEC, EXE_FD + 1);
    start_fd = fcntl(start_fd, F_DUPFD_CLOEXEC, EXE_FD + 1);
    exe_fd = fcntl(exe_fd, F_DUPFD_CLOEXEC, EXE_FD + 1);
    if (channel_fd < 0 || start_fd < 0 || exe_fd < 0 || dup2(channel_fd, TRACER_CHANNEL_FD) < 0 ||
        dup2(start_fd, TRACER_START_FD) < 0 || dup3(exe_fd, EXE_FD, O_CLOEXEC) < 0) {
        _exit(127);
    }
    closefrom(EXE_FD + 1);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    fexecve(EXE_FD, argv, confine_environment());
    _exit(127);
}

static pid_t tracer_child_start_with(int start_fd, int exe_fd, int *channel_fd)
{
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        return -errno;
    }
    pid = fork();
    if (pid == 0) {
        tracer_child_child(pair[1], start_fd, exe_fd);
    }
    if (pid < 0) {
        pid = -errno;
        sock_close(&pair[0]);
    } else if (sock_nonblock(pair[0]) < 0) {
        /* The tracer exits when its channel closes. */
        sock_close(&pair[0]);
    }
    close(pair[1]);
    *channel_fd = pair[0];
    return pid;
}

pid_t tracer_child_start(const struct tracer_start *start, int *channel_fd)
{
    const struct sealed_part part = {start, sizeof *start};
    int start_fd = sealed_new("poemd-tracer", &part, 1);
    int exe_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    pid_t pid = start_fd < 0 ? start_fd : exe_fd < 0 ? -errno : 0;

    if (pid == 0) {
        pid = tracer_child_start_with(start_fd, exe_fd, channel_fd);
    }
    if (start_fd >= 0) {
        close(start_fd);
    }
    sock_close(&exe_fd);
    return pid;
}
