/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "proxy/keeper/keeper_monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"
#include "proxy/ipc/fdstore_wire.h"
#include "proxy/keeper/keeper_store.h"

/* Room for the monitor's messages, in bytes, as far as the system permits: some 500 of them. */
#define KEEPER_MONITOR_ROOM 524288

/* ---- in the child ---- */

/*
 * Gives the fds their numbers. list is in their present order, so that none is overwritten before
 * it has moved. Returns the number of the program's fd, or -1.
 */
static int keeper_monitor_place(const struct keeper_entry *const *list, size_t n, int socket_fd,
                                int names_fd, int exe_fd)
{
    const int end = MONITOR_FIRST_FD + (int)n;
    const int above = (n > 0 && list[n - 1]->fd > end ? list[n - 1]->fd : end) + 1;

    socket_fd = fcntl(socket_fd, F_DUPFD_CLOEXEC, above);
    names_fd = fcntl(names_fd, F_DUPFD_CLOEXEC, above);
    exe_fd = fcntl(exe_fd, F_DUPFD_CLOEXEC, above);
    if (socket_fd < 0 || names_fd < 0 || exe_fd < 0) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        const int to = MONITOR_FIRST_FD + (int)i;
        const int from = list[i]->fd;

        if ((from == to ? fcntl(to, F_SETFD, 0) : dup2(from, to)) < 0) {
            return -1;
        }
    }
    if (dup2(socket_fd, MONITOR_KEEPER_FD) < 0 || dup2(names_fd, MONITOR_NAMES_FD) < 0 ||
        dup3(exe_fd, end, O_CLOEXEC) < 0) {
        return -1;
    }
    closefrom(end + 1);
    return end;
}

void keeper_monitor_oom(int adjustment)
{
    const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd >= 0) {
        dprintf(fd, "%d", adjustment);
        close(fd);
    }
}

static void __attribute__((noreturn))
keeper_monitor_execute(const struct keeper_monitor_plan *p, const struct keeper_entry *const *list,
                       size_t n, int socket_fd, int names_fd, pid_t keeper)
{
    const int exe_fd = keeper_monitor_place(list, n, socket_fd, names_fd, p->exe_fd);

    keeper_monitor_oom(p->oom_score_adj);
    if (exe_fd < 0 || setrlimit(RLIMIT_NOFILE, &p->nofile) < 0 ||
        prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0 || getppid() != keeper) {
        _exit(127);
    }
    fexecve(exe_fd, p->argv, environ);
    _exit(127);
}

/* ---- in the keeper ---- */

static int keeper_monitor_pair(int pair[2])
{
    const int room = KEEPER_MONITOR_ROOM;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
        return -errno;
    }
    for (int i = 0; i < 2; i++) {
        (void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    }
    return 0;
}

pid_t keeper_monitor_start(const struct keeper_monitor_plan *p, const struct keeper_store *s,
                           int *socket_fd)
{
    const pid_t keeper = getpid();
    const struct keeper_entry **list;
    int names_fd;
    int pair[2];
    pid_t pid = keeper_monitor_pair(pair);

    if (pid < 0) {
        return pid;
    }
    list = keeper_store_list(s, &names_fd);
    pid = list ? fork() : -1;
    if (pid == 0) {
        keeper_monitor_execute(p, list, s->n, pair[1], names_fd, keeper);
    }
    pid = pid < 0 ? -errno : pid;
    free(list);
    sock_close(&names_fd);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return pid;
    }
    *socket_fd = pair[0];
    return pid;
}
