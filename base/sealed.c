/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Sealed files in memory. Only system calls. */
#define _GNU_SOURCE
#include "base/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int sealed_seal(int fd)
{
    return fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -errno : 0;
}

int sealed_new(const char *name, const struct sealed_part *parts, size_t n)
{
    const int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int err = 0;

    if (fd < 0) {
        return -errno;
    }
    for (size_t i = 0; i < n && !err; i++) {
        const ssize_t written = write(fd, parts[i].p, parts[i].n);

        if (written != (ssize_t)parts[i].n) {
            err = written < 0 ? -errno : -EIO;
        }
    }
    if (!err) {
        err = sealed_seal(fd);
    }
    if (err) {
        close(fd);
    }
    return err ? err : fd;
}
