/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Files of captures: named, opened, numbered, removed. */
#define _GNU_SOURCE
#include "proxy/monitor/tracing/tracing_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/sock.h"

/* Numbers have at most this many digits, and are below TRACING_FILE_END. */
#define TRACING_FILE_DIGITS 9
#define TRACING_FILE_END 1000000000ul

/* If the greatest number is taken, lower ones are tried this many times. */
#define TRACING_FILE_RETRIES 8u

/* The next thing to do. */
enum tracing_file_phase { TRACING_FILE_LOOK, TRACING_FILE_REMOVE, TRACING_FILE_MOVE };

struct tracing_file {
    char *path;
    unsigned keep;
    int dir_fd; /* -1: not begun */
    DIR *dir;   /* open while the folder is read */
    enum tracing_file_phase phase;
    unsigned long greatest; /* greatest number found, or 0 */
    unsigned long below;    /* only numbers below this count */
    unsigned retries;
    unsigned long *kept; /* the greatest numbers, up to keep - 1 of them, as a heap with the least
                          * first */
    size_t n_kept;
    size_t room;
};

/* Returns the number after "FILE." in the name of an old file, or 0 if it is not one. */
static unsigned long tracing_file_number_of(const char *name, const char *file)
{
    const size_t n = strlen(file);
    unsigned long number = 0;
    const char *at;

    if (strncmp(name, file, n) != 0 || name[n] != '.' || name[n + 1] == '0' ||
        strlen(name + n + 1) > TRACING_FILE_DIGITS) {
        return 0;
    }
    for (at = name + n + 1; *at >= '0' && *at <= '9'; at++) {
        number = number * 10 + (unsigned long)(*at - '0');
    }
    return *at == '\0' ? number : 0;
}

static const char *tracing_file_name(const struct tracing_file *f)
{
    return strrchr(f->path, '/') + 1;
}

/* Returns the number of an old file that is ours, or 0. */
static unsigned long tracing_file_number(const struct tracing_file *f, const char *name)
{
    const unsigned long n = tracing_file_number_of(name, tracing_file_name(f));
    struct stat st;

    return n > 0 && n < f->below && fstatat(f->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                   S_ISREG(st.st_mode) && st.st_uid == geteuid()
               ? n
               : 0;
}

/* ---- the numbers to keep: a heap, the least on top ---- */

static void tracing_file_sink(struct tracing_file *f)
{
    unsigned long *const k = f->kept;
    size_t i = 0;

    for (;;) {
        size_t least = 2 * i + 1;

        if (least >= f->n_kept) {
            return;
        }
        least += least + 1 < f->n_kept && k[least + 1] < k[least];
        if (k[i] <= k[least]) {
            return;
        }
        const unsigned long n = k[i];

        k[i] = k[least];
        k[least] = n;
        i = least;
    }
}

static bool tracing_file_grow(struct tracing_file *f)
{
    const size_t room = f->room > 0 ? 2 * f->room : 64;
    unsigned long *const kept = realloc(f->kept, room * sizeof *kept);

    if (kept) {
        f->kept = kept;
        f->room = room;
    }
    return kept != NULL;
}

/* Adds one more number. Returns false if out of memory. */
static bool tracing_file_note(struct tracing_file *f, unsigned long n)
{
    f->greatest = n > f->greatest ? n : f->greatest;
    /* The file that is moved next is kept as well. */
    if (f->keep < 2) {
        return true;
    }
    if (f->n_kept == f->keep - 1) {
        if (n > f->kept[0]) {
            f->kept[0] = n;
            tracing_file_sink(f);
        }
        return true;
    }
    if (f->n_kept == f->room && !tracing_file_grow(f)) {
        return false;
    }
    size_t i = f->n_kept++;

    for (; i > 0 && n < f->kept[(i - 1) / 2]; i = (i - 1) / 2) {
        f->kept[i] = f->kept[(i - 1) / 2];
    }
    f->kept[i] = n;
    return true;
}

/* Returns true if an old file exceeds the number to keep. */
static bool tracing_file_is_old(const struct tracing_file *f, unsigned long n)
{
    return f->keep == 1 || (f->n_kept == f->keep - 1 && n < f->kept[0]);
}

/* ---- the folder ---- */

/* Begins to read the folder. Returns 0 or -errno. */
static int tracing_file_look(struct tracing_file *f)
{
    const int fd = openat(f->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    f->phase = TRACING_FILE_LOOK;
    f->greatest = 0;
    f->n_kept = 0;
    f->dir = fd < 0 ? NULL : fdopendir(fd);
    if (!f->dir) {
        const int err = errno;

        if (fd >= 0) {
            close(fd);
        }
        return -err;
    }
    return 0;
}

/* Handles one name. Returns 0 or -errno. */
static int tracing_file_take(struct tracing_file *f, const char *name)
{
    const unsigned long n = tracing_file_number(f, name);

    if (n == 0) {
        return 0;
    }
    if (f->phase == TRACING_FILE_LOOK) {
        return tracing_file_note(f, n) ? 0 : -ENOMEM;
    }
    if (tracing_file_is_old(f, n) && unlinkat(f->dir_fd, name, 0) < 0) {
        log_warning("cannot remove an old trace: %s", strerror(errno));
    }
    return 0;
}

/* Reads on through the open folder, at most LIMIT_TRACING_NAMES names. */
static int tracing_file_walk(struct tracing_file *f)
{
    if (!f->dir) {
        return -EBADF;
    }
    for (unsigned i = 0; i < LIMIT_TRACING_NAMES; i++) {
        const struct dirent *const e = readdir(f->dir);
        int err;

        if (!e) {
            const bool removes = f->phase == TRACING_FILE_LOOK && f->keep > 0;

            f->phase = removes ? TRACING_FILE_REMOVE : TRACING_FILE_MOVE;
            if (removes) {
                rewinddir(f->dir);
            }
            return -EINPROGRESS;
        }
        err = tracing_file_take(f, e->d_name);
        if (err) {
            return err;
        }
    }
    return -EINPROGRESS;
}

/* The greatest possible number is taken: looks for the greatest one below it. */
static int tracing_file_look_below(struct tracing_file *f)
{
    if (++f->retries > TRACING_FILE_RETRIES) {
        return -EOVERFLOW;
    }
    closedir(f->dir);
    f->dir = NULL;
    f->below = f->greatest;
    return tracing_file_look(f);
}

static int tracing_file_open_new(int dir_fd, const char *file)
{
    const int fd = openat(dir_fd, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    return fd < 0 ? -errno : fd;
}

/* Opens something other than a regular file, without blocking, and checks again once it is open. */
static int tracing_file_open_special(int dir_fd, const char *file)
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

/* Renames FILE to the next free number, and creates FILE again. */
static int tracing_file_move(struct tracing_file *f)
{
    const char *const file = tracing_file_name(f);
    char name[NAME_MAX + 1];

    for (unsigned i = 0; i < LIMIT_TRACING_NAMES; i++) {
        if (++f->greatest >= f->below) {
            f->greatest = f->below - 1;
            const int err = tracing_file_look_below(f);

            return err ? err : -EINPROGRESS;
        }
        if (snprintf(name, sizeof name, "%s.%lu", file, f->greatest) >= (int)sizeof name) {
            return -ENAMETOOLONG;
        }
        if (renameat2(f->dir_fd, file, f->dir_fd, name, RENAME_NOREPLACE) == 0) {
            return tracing_file_open_new(f->dir_fd, file);
        }
        /* Another user has made this name: try the next one. */
        if (errno != EEXIST) {
            return -errno;
        }
    }
    return -EINPROGRESS;
}

static int tracing_file_begin(struct tracing_file *f)
{
    const char *const slash = strrchr(f->path, '/');
    char folder[PATH_MAX];
    struct stat st;
    int err;

    if (!slash || slash[1] == '\0' || (size_t)(slash - f->path) >= sizeof folder) {
        return -EINVAL;
    }
    memcpy(folder, f->path, (size_t)(slash - f->path));
    folder[slash - f->path] = '\0';
    f->dir_fd = open(slash == f->path ? "/" : folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (f->dir_fd < 0) {
        return -errno;
    }
    if (fstatat(f->dir_fd, slash + 1, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        return errno == ENOENT ? tracing_file_open_new(f->dir_fd, slash + 1) : -errno;
    }
    switch (st.st_mode & S_IFMT) {
    case S_IFLNK:
        return -ELOOP;
    case S_IFDIR:
        return -EISDIR;
    case S_IFREG:
        err = tracing_file_look(f);
        return err ? err : -EINPROGRESS;
    default:
        return tracing_file_open_special(f->dir_fd, slash + 1);
    }
}

struct tracing_file *tracing_file_new(const char *path, unsigned keep)
{
    struct tracing_file *f = calloc(1, sizeof *f);

    if (!f) {
        return NULL;
    }
    *f = (struct tracing_file){
        .path = strdup(path), .keep = keep, .dir_fd = -1, .below = TRACING_FILE_END};
    if (!f->path) {
        free(f);
        return NULL;
    }
    return f;
}

void tracing_file_free(struct tracing_file *f)
{
    if (!f) {
        return;
    }
    if (f->dir) {
        closedir(f->dir);
    }
    sock_close(&f->dir_fd);
    free(f->kept);
    free(f->path);
    free(f);
}

int tracing_file_step(struct tracing_file *f)
{
    if (f->dir_fd < 0) {
        return tracing_file_begin(f);
    }
    return f->phase == TRACING_FILE_MOVE ? tracing_file_move(f) : tracing_file_walk(f);
}

int tracing_file_open(const char *path, unsigned keep)
{
    struct tracing_file *f = tracing_file_new(path, keep);
    int fd = f ? -EINPROGRESS : -ENOMEM;

    while (fd == -EINPROGRESS) {
        fd = tracing_file_step(f);
    }
    tracing_file_free(f);
    return fd;
}
