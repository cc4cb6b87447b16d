/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Reads /proc/PID/fd. Opens nothing that it does not close again.
 */
#define _GNU_SOURCE
#include "tests/support/fdcount.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int ascending(const void *a, const void *b)
{
    const int x = *(const int *)a;
    const int y = *(const int *)b;

    return (x > y) - (x < y);
}

int fdcount_take(struct fdcount *c)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *e;
    int err = 0;

    c->n = 0;
    if (!dir) {
        return -errno;
    }
    while ((e = readdir(dir))) {
        const int fd = (int)strtol(e->d_name, NULL, 10);

        if (e->d_name[0] == '.' || fd == dirfd(dir)) {
            continue;
        }
        if (c->n == FDCOUNT_MAX) {
            err = -ENOSPC;
            break;
        }
        c->fds[c->n++] = fd;
    }
    closedir(dir);
    qsort(c->fds, c->n, sizeof c->fds[0], ascending);
    for (unsigned i = 0; i < c->n; i++) {
        struct stat st = {0};

        if (fstat(c->fds[i], &st) < 0) {
            err = err ? err : -errno;
        }
        c->dev[i] = st.st_dev;
        c->ino[i] = st.st_ino;
    }
    return err;
}

int fdcount_of(pid_t pid)
{
    char path[64];
    const struct dirent *e;
    DIR *dir;
    int n = 0;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    dir = opendir(path);
    if (!dir) {
        return -errno;
    }
    while ((e = readdir(dir))) {
        n += e->d_name[0] != '.';
    }
    closedir(dir);
    return pid == getpid() ? n - 1 : n;
}

/* Appends one fd with what it is, as far as there is room. */
static void add(char *out, size_t size, char sign, int fd)
{
    const size_t at = strlen(out);
    char path[64];
    char what[128] = "";

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (sign != '-' && readlink(path, what, sizeof what - 1) < 0) {
        what[0] = '\0';
    }
    snprintf(out + at, size - at, "%s%c%d %s", at ? ", " : "", sign, fd, what);
}

bool fdcount_same(const struct fdcount *before, const struct fdcount *after, char *out, size_t size)
{
    unsigned b = 0;
    unsigned a = 0;

    out[0] = '\0';
    while (b < before->n || a < after->n) {
        if (a == after->n || (b < before->n && before->fds[b] < after->fds[a])) {
            add(out, size, '-', before->fds[b++]);
        } else if (b == before->n || after->fds[a] < before->fds[b]) {
            add(out, size, '+', after->fds[a++]);
        } else {
            if (before->dev[b] != after->dev[a] || before->ino[b] != after->ino[a]) {
                add(out, size, '~', after->fds[a]);
            }
            a++;
            b++;
        }
    }
    return out[0] == '\0';
}
