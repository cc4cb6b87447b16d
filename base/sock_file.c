/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The file of a listening socket, by an fd. Theory:
 *
 *   Whoever owns the folder can put another file into the socket's place at any time, so that
 *   nothing may be done to the file by its path. The kernel opens a bound socket's own file
 *   (SIOCUNIXFILE), for those with CAP_NET_ADMIN. Others may take what the path leads to if nobody
 *   else can change any folder on it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sock.h"
#include "base/trust.h"

/* Of linux/un.h, which cannot stand beside sys/un.h. */
#define SOCK_FILE_SIOCUNIXFILE 0x89E0

static int sock_file_open_path(const char *path)
{
    struct trust_fault fault;
    struct stat st;
    int fd;
    int r = trust_look_folder(path, &fault);

    if (r) {
        return r < 0 ? r : -EPERM;
    }
    fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    r = fstat(fd, &st) < 0 ? -errno : S_ISSOCK(st.st_mode) ? 0 : -EPERM;
    if (r) {
        close(fd);
        return r;
    }
    return fd;
}

int sock_file_open(int listen_fd, const char *path)
{
    const int fd = ioctl(listen_fd, SOCK_FILE_SIOCUNIXFILE);

    return fd >= 0 ? fd : sock_file_open_path(path);
}

int sock_file_stat(int listen_fd, const char *path, struct stat *st)
{
    const int fd = sock_file_open(listen_fd, path);
    int r;

    if (fd < 0) {
        r = lstat(path, st) < 0 ? -errno : 0;
        st->st_uid = geteuid();
        st->st_gid = getegid();
        return r;
    }
    r = fstat(fd, st) < 0 ? -errno : 0;
    close(fd);
    return r;
}

/* The mode is what was asked for unless the folder has an access control list for new files. */
static int sock_file_correct_mode(int fd, mode_t mode)
{
    char name[32];
    struct stat st;

    if (fstat(fd, &st) < 0) {
        return -errno;
    }
    if ((st.st_mode & 07777) == mode) {
        return 0;
    }
    /* An O_PATH fd cannot be changed by fchmod; this link leads to the very file. */
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return chmod(name, mode) < 0 ? -errno : 0;
}

int sock_file_settle(int bound_fd, const char *path, mode_t mode, uid_t owner, gid_t group)
{
    const bool owned = owner != (uid_t)-1 || group != (gid_t)-1;
    const int fd = sock_file_open(bound_fd, path);
    int r = 0;

    if (fd < 0) {
        return owned ? fd : 0;
    }
    if (owned && fchownat(fd, "", owner, group, AT_EMPTY_PATH) < 0) {
        r = -errno;
    }
    if (!r) {
        r = sock_file_correct_mode(fd, mode);
    }
    close(fd);
    return r;
}
