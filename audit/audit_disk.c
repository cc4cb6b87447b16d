/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Writes and syncs files and folders. Knows nothing about their contents. */
#define _GNU_SOURCE
#include "audit/audit_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int audit_disk_write(int fd, const void *p, size_t n, uint64_t offset)
{
    const char *at = p;

    while (n > 0) {
        const ssize_t w = pwrite(fd, at, n, (off_t)offset);

        if (w < 0 && errno == EINTR) {
            continue;
        }
        if (w < 0) {
            return -errno;
        }
        at += w;
        n -= (size_t)w;
        offset += (uint64_t)w;
    }
    return 0;
}

int audit_disk_sync_folder(const char *path)
{
    const char *const slash = strrchr(path, '/');
    char folder[PATH_MAX] = ".";
    int err = 0;
    int fd;

    if (slash) {
        /* The root folder keeps its slash. */
        const size_t n = slash == path ? 1 : (size_t)(slash - path);

        if (n >= sizeof folder) {
            return -ENAMETOOLONG;
        }
        memcpy(folder, path, n);
        folder[n] = '\0';
    }
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    if (fsync(fd) < 0) {
        err = -errno;
    }
    close(fd);
    return err;
}

int audit_disk_create(const char *path, unsigned mode, const void *p, size_t n)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t)mode);
    int err;

    if (fd < 0) {
        return -errno;
    }
    err = audit_disk_write(fd, p, n, 0);
    if (err == 0 && fsync(fd) < 0) {
        err = -errno;
    }
    if (err == 0) {
        return fd;
    }
    unlink(path);
    close(fd);
    return err;
}

int audit_disk_read_small(const char *path, char *out, size_t size)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    ssize_t r;

    if (fd < 0) {
        return -errno;
    }
    do {
        r = read(fd, out + n, size - n);
        n += r > 0 ? (size_t)r : 0;
    } while ((r > 0 && n < size) || (r < 0 && errno == EINTR));
    if (r < 0) {
        const int err = -errno;

        close(fd);
        return err;
    }
    close(fd);
    if (n == size) {
        return -EFBIG;
    }
    out[n] = '\0';
    return (int)n;
}
