/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The rights that a relay worker keeps: its sessions' sockets and the messages on them. It gets
 * everything else over its channel, so it is confined before its first session. It opens no files,
 * except the kernel's information about its own fds (base/fdinfo.h).
 */
#define _GNU_SOURCE
#include "proxy/worker/sandbox.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/confine/confine.h"

int sandbox_enter(const struct worker_settings *s, int readable_fd)
{
    const struct filter_call calls[] = {
        /* a twin socket is replaced by one end of our own pair */
        FILTER_CALL_IF2(socketpair, FILTER_IS_INT(0, AF_UNIX), FILTER_IS_INT(2, 0)),
        /* senders' credentials on that pair and on peers' sockets, their buffers */
        FILTER_CALL_IF(setsockopt, FILTER_IS_INT(1, SOL_SOCKET)),
        FILTER_CALL_IF(getsockopt, FILTER_IS_INT(1, SOL_SOCKET)),
        /* messages handed on: the kernel notes what was sent, or taken */
        FILTER_CALL(sendmmsg),
        FILTER_CALL(recvmmsg),
        FILTER_CALL(recvmmsg_time64),
        FILTER_CALL_IF(madvise, FILTER_IS_INT(2, MADV_REMOVE)), /* memory of queues given back */
        /* to make a peer's blocking socket non-blocking */
        FILTER_CALL_IF(fcntl, FILTER_IS_INT(1, F_GETFL)),
        FILTER_CALL_IF(fcntl, FILTER_IS_INT(1, F_SETFL)),
        /* to see that a peer has received what was sent to it (proxy/relay/fdroom.c) */
        FILTER_CALL_IF(ioctl, FILTER_IS_INT(1, SIOCOUTQ)),
        /* the loop's timer (proxy/ipc/turn.c) */
        FILTER_CALL(timerfd_settime),
        /* fds reserved for the monitor's next message */
        FILTER_CALL_IF(fcntl, FILTER_IS_INT(1, F_DUPFD_CLOEXEC)),
        /* the type of a relayed fd, and size and seals of the captures' ring */
        FILTER_CALL(fstat),
        FILTER_CALL(newfstatat),
        FILTER_CALL_IF(fcntl, FILTER_IS_INT(1, F_GET_SEALS)),
        /* to recognize an eventfd, which alone refuses both reading and writing of nothing */
        FILTER_CALL(readv),
        FILTER_CALL(writev),
        /* to identify an eventfd: a file of /proc/self/fdinfo, only by its folder's fd */
        FILTER_CALL_IF2(openat, FILTER_IS_INT(0, readable_fd),
                        FILTER_LACKS(2, O_ACCMODE | O_CREAT | O_TRUNC)),
    };
    const struct confine_plan plan = {.who = "worker",
                                      .uid = s->uid,
                                      .gid = s->gid,
                                      .nofile = s->nofile,
                                      .nofile_most = s->nofile_most,
                                      .memory = s->memory,
                                      .memory_most = s->memory_most,
                                      .readable_fds = &readable_fd,
                                      .n_readable = 1,
                                      .calls = calls,
                                      /* Without the folder, not even the last. */
                                      .n_calls =
                                          sizeof calls / sizeof *calls - (readable_fd < 0 ? 1 : 0)};

    (void)confine_raise_nofile(s->nofile_most);
    return confine_enter(&plan);
}
