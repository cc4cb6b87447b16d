/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The file of a listening socket, through an fd. Background:
 *
 *   The owner of a folder can replace the socket by another file at any time, so the file must
 *   never be changed by its path. With CAP_NET_ADMIN, the kernel opens a bound socket's own file
 *   (SIOCUNIXFILE). Without it, the path may be used if no one else can change any folder on it.
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

/* From linux/un.h, which conflicts with sys/un.h. */
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

/*
 * Opens the file of a socket that was bound to path, with O_PATH. Returns the fd, -EPERM if we lack
 * CAP_NET_ADMIN and others can change a folder of the path, or another -errno.
 */
static int sock_file_open(int listen_fd, const char *path)
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

void sock_file_remove(const char *path, dev_t dev, ino_t ino)
{
    struct stat st;

    if (lstat(path, &st) == 0 && st.st_dev == dev && st.st_ino == ino) {
        unlink(path);
    }
}

/* The mode is right already, unless the folder has an access control list for new files. */
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
    /* fchmod does not work on an O_PATH fd; this link leads to that very file. */
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
