/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Files of captures: named, opened, given numbers, removed. */
#define _GNU_SOURCE
#include "proxy/tracing_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sock.h"

/* Numbers have no more digits than this. */
#define DIGITS 9

/* The number of an old file: what follows "FILE." in its name; 0: it is none. */
static unsigned long number_of(const char *name, const char *file)
{
    const size_t n = strlen(file);
    unsigned long number = 0;
    const char *at;

    if (strncmp(name, file, n) != 0 || name[n] != '.' || name[n + 1] == '0' ||
        strlen(name + n + 1) > DIGITS) {
        return 0;
    }
    for (at = name + n + 1; *at >= '0' && *at <= '9'; at++) {
        number = number * 10 + (unsigned long)(*at - '0');
    }
    return *at == '\0' ? number : 0;
}

/*
 * Looks through the folder: the greatest number there is (0: none). Where keep is not 0, removes
 * those that would be more than keep - 1, so that one more makes keep. -errno: it cannot be read.
 */
static long look_through(int dir_fd, const char *file, unsigned keep)
{
    unsigned long greatest = 0;
    const struct dirent *e;
    DIR *dir;
    const int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        const int err = errno;

        if (fd >= 0) {
            close(fd);
        }
        return -err;
    }
    while ((e = readdir(dir))) {
        const unsigned long n = number_of(e->d_name, file);

        greatest = n > greatest ? n : greatest;
    }
    rewinddir(dir);
    while (keep > 0 && (e = readdir(dir))) {
        const unsigned long n = number_of(e->d_name, file);

        if (n > 0 && n + keep <= greatest + 1 && unlinkat(dir_fd, e->d_name, 0) < 0) {
            log_warning("an old trace cannot be removed: %s", strerror(errno));
        }
    }
    closedir(dir);
    return (long)greatest;
}

/* Gives what is at FILE the next number. 0 or -errno. */
static int move_away(int dir_fd, const char *file, unsigned keep)
{
    char name[NAME_MAX + 1];
    const long greatest = look_through(dir_fd, file, keep);

    if (greatest < 0) {
        return (int)greatest;
    }
    if (snprintf(name, sizeof name, "%s.%ld", file, greatest + 1) >= (int)sizeof name) {
        return -ENAMETOOLONG;
    }
    return renameat2(dir_fd, file, dir_fd, name, RENAME_NOREPLACE) < 0 ? -errno : 0;
}

static int open_new(int dir_fd, const char *file)
{
    const int fd = openat(dir_fd, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    return fd < 0 ? -errno : fd;
}

/* What is no file: never waited for, and asked again once it is open whether it is still none. */
static int open_special(int dir_fd, const char *file)
{
    struct stat st;
    int fd = openat(dir_fd, file, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    int err = 0;

    if (fd < 0) {
        return -errno;
    }
    if (fstat(fd, &st) < 0) {
        err = -errno;
    } else if (S_ISREG(st.st_mode)) {
        err = -EEXIST;
    }
    if (err) {
        sock_close(&fd);
    }
    return err ? err : fd;
}

static int open_in(int dir_fd, const char *file, unsigned keep)
{
    struct stat st;
    int err;

    if (fstatat(dir_fd, file, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        return errno == ENOENT ? open_new(dir_fd, file) : -errno;
    }
    switch (st.st_mode & S_IFMT) {
    case S_IFLNK:
        return -ELOOP;
    case S_IFDIR:
        return -EISDIR;
    case S_IFREG:
        err = move_away(dir_fd, file, keep);
        return err ? err : open_new(dir_fd, file);
    default:
        return open_special(dir_fd, file);
    }
}

int tracing_file_open(const char *path, unsigned keep)
{
    const char *const slash = strrchr(path, '/');
    char folder[PATH_MAX];
    int dir_fd;
    int fd;

    if (!slash || slash[1] == '\0' || (size_t)(slash - path) >= sizeof folder) {
        return -EINVAL;
    }
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = '\0';
    dir_fd = open(slash == path ? "/" : folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0) {
        return -errno;
    }
    fd = open_in(dir_fd, slash + 1, keep);
    close(dir_fd);
    return fd;
}
