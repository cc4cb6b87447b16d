/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Symbolic links to memory. Makes and removes links alone, never another file. */
#include "proxy/monitor/devices/memory_link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Skips a word and the number behind it. Returns false if they are not there. */
static bool memory_link_skip(const char **p, const char *word)
{
    const size_t n = strlen(word);
    size_t digits;

    if (strncmp(*p, word, n) != 0) {
        return false;
    }
    digits = strspn(*p + n, "0123456789");
    *p += n + digits;
    return digits > 0;
}

/* Returns true if the path is such a link as we make; its target is in out. */
static bool memory_link_is_ours(const char *path, char *out, size_t size)
{
    const ssize_t n = readlink(path, out, size - 1);
    const char *p = out;

    if (n <= 0) {
        return false;
    }
    out[n] = '\0';
    return memory_link_skip(&p, "/proc/") && memory_link_skip(&p, "/fd/") && *p == '\0';
}

/* Returns true if both are the same file. */
static bool memory_link_same(const char *a, const char *b)
{
    struct stat first;
    struct stat second;

    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

int memory_link_make(struct memory_link *l, const char *path, pid_t worker, int fd)
{
    char found[sizeof l->target];
    char target[sizeof l->target];

    snprintf(target, sizeof target, "/proc/%d/fd/%d", (int)worker, fd);
    if (memory_link_is_ours(path, found, sizeof found)) {
        (void)unlink(path);
    } else if (memory_link_same(path, target)) {
        return 0;
    }
    if (symlink(target, path) < 0) {
        return -errno;
    }
    memcpy(l->target, target, sizeof target);
    return 0;
}

void memory_link_drop(struct memory_link *l, const char *path)
{
    char found[sizeof l->target];

    if (*l->target && memory_link_is_ours(path, found, sizeof found) &&
        strcmp(found, l->target) == 0) {
        (void)unlink(path);
    }
    *l->target = '\0';
}
