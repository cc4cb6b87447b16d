/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Describes fds with a few system calls each. */
#define _GNU_SOURCE
#include "trace/file/fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/fdinfo.h"

/*
 * The kind of an anonymous inode is only in its name, and that only in /proc. But of the kinds that
 * are passed around, only an eventfd can be both read and written; an empty read and write finds
 * out without touching its counter.
 */
static enum trace_fd_kind fd_kind_of_anonymous(int fd)
{
    char none;
    const struct iovec nothing = {.iov_base = &none, .iov_len = 0};

    return writev(fd, &nothing, 1) == 0 && readv(fd, &nothing, 1) == 0 ? TRACE_FD_EVENTFD
                                                                       : TRACE_FD_OTHER;
}

static enum trace_fd_kind fd_kind_of(int fd, const struct stat *st, int seals)
{
    switch (st->st_mode & S_IFMT) {
    case S_IFREG:
        return seals >= 0 ? TRACE_FD_MEMFD : TRACE_FD_FILE;
    case S_IFSOCK:
        return TRACE_FD_SOCKET;
    case S_IFIFO:
        return TRACE_FD_PIPE;
    case S_IFCHR:
    case S_IFBLK:
        return TRACE_FD_DEVICE;
    case 0:
        return fd_kind_of_anonymous(fd);
    default:
        return TRACE_FD_OTHER;
    }
}

struct trace_fd trace_fd_describe(int fd, int folder_fd)
{
    const int flags = fcntl(fd, F_GETFL);
    const int seals = fcntl(fd, F_GET_SEALS);
    struct trace_fd d = {.kind = TRACE_FD_UNKNOWN};
    struct stat st;

    if (flags < 0 || fstat(fd, &st) < 0) {
        return d;
    }
    d = (struct trace_fd){.kind = (uint8_t)fd_kind_of(fd, &st, seals),
                          .access = (uint8_t)(flags & O_ACCMODE),
                          .seals = seals < 0 ? 0 : (uint32_t)seals,
                          .dev = st.st_dev,
                          .ino = st.st_ino,
                          .size = st.st_size > 0 ? (uint64_t)st.st_size : 0};
    if (d.kind == TRACE_FD_EVENTFD) {
        /* All eventfds share one inode; the kernel's number for each distinguishes them. */
        d.dev = 0;
        d.ino = fdinfo_eventfd(folder_fd, fd);
    }
    return d;
}
