/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Walks a path component by component, like the kernel, and looks at each through an fd. */
#define _GNU_SOURCE
#include "base/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Symbolic links to follow: as many as the kernel does. */
#define TRUST_LINKS 40

struct trust_walk {
    int dir_fd;          /* owned: the current folder */
    char seen[PATH_MAX]; /* its path, "" for "/" */
    char rest[PATH_MAX]; /* the rest of the path, from at on */
    size_t at;
    unsigned links;
    uid_t root;
    struct trust_fault *fault;
};

static bool trust_is_beside(uid_t root, uid_t uid)
{
    return uid != 0 && uid != root && uid != geteuid();
}

bool trust_is_other(uid_t uid)
{
    struct stat st;

    return trust_is_beside(stat("/", &st) == 0 ? st.st_uid : 0, uid);
}

/* Looks at one component. Returns 1 with the fault. */
static int trust_judge(const struct trust_walk *w, const char *path, const struct stat *st)
{
    struct trust_fault *f = w->fault;
    const bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX);
    const bool everybody = st->st_mode & S_IWOTH;
    const bool group = (st->st_mode & S_IWGRP) && st->st_gid != 0;

    if (trust_is_beside(w->root, st->st_uid)) {
        f->why = TRUST_OTHER_OWNER;
        f->uid = st->st_uid;
    } else if (S_ISLNK(st->st_mode) || sticky || !(everybody || group)) {
        return 0;
    } else if (everybody) {
        f->why = TRUST_EVERYBODY;
    } else {
        f->why = TRUST_GROUP;
        f->gid = st->st_gid;
    }
    snprintf(f->path, sizeof f->path, "%s", *path ? path : "/");
    return 1;
}

/* Goes to "/". */
static int trust_begin(struct trust_walk *w)
{
    struct stat st;

    if (w->dir_fd >= 0) {
        close(w->dir_fd);
    }
    w->seen[0] = '\0';
    w->dir_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (w->dir_fd < 0 || fstat(w->dir_fd, &st) < 0) {
        return -errno;
    }
    w->root = st.st_uid;
    return trust_judge(w, "/", &st);
}

/* Takes the next component out of rest; "" at the end. Returns false if it is too long. */
static bool trust_next(struct trust_walk *w, char name[NAME_MAX + 1])
{
    const char *start = w->rest + w->at + strspn(w->rest + w->at, "/");
    const size_t n = strcspn(start, "/");

    if (n > NAME_MAX) {
        return false;
    }
    memcpy(name, start, n);
    name[n] = '\0';
    w->at = (size_t)(start + n - w->rest);
    return true;
}

/* Puts a link's target in front of the rest. */
static int trust_follow(struct trust_walk *w, const char *name)
{
    char target[PATH_MAX];
    char joined[PATH_MAX];
    const ssize_t n = readlinkat(w->dir_fd, name, target, sizeof target - 1);

    if (n < 0) {
        return -errno;
    }
    target[n] = '\0';
    if (++w->links > TRUST_LINKS) {
        return -ELOOP;
    }
    if ((size_t)snprintf(joined, sizeof joined, "%s/%s", target, w->rest + w->at) >=
        sizeof joined) {
        return -ENAMETOOLONG;
    }
    memcpy(w->rest, joined, strlen(joined) + 1);
    w->at = 0;
    return target[0] == '/' ? trust_begin(w) : 0;
}

/* Enters a folder of that name, which has been looked at. */
static int trust_enter(struct trust_walk *w, const char *name)
{
    const int fd = openat(w->dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    char *slash;

    if (fd < 0) {
        return -errno;
    }
    close(w->dir_fd);
    w->dir_fd = fd;
    if (strcmp(name, "..") == 0) {
        slash = strrchr(w->seen, '/');
        if (slash) {
            *slash = '\0';
        }
        return 0;
    }
    if (strlen(w->seen) + 1 + strlen(name) >= sizeof w->seen) {
        return -ENAMETOOLONG;
    }
    snprintf(w->seen + strlen(w->seen), sizeof w->seen - strlen(w->seen), "/%s", name);
    return 0;
}

/* Handles one component. Returns 0 to go on. */
static int trust_step(struct trust_walk *w, const char *name)
{
    char path[PATH_MAX + NAME_MAX + 2];
    struct stat st;
    int r;

    if (strcmp(name, ".") == 0) {
        return 0;
    }
    if (fstatat(w->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        return -errno;
    }
    snprintf(path, sizeof path, "%s/%s", w->seen, name);
    r = trust_judge(w, path, &st);
    if (r) {
        return r;
    }
    if (S_ISLNK(st.st_mode)) {
        return trust_follow(w, name);
    }
    if (S_ISDIR(st.st_mode)) {
        return trust_enter(w, name);
    }
    return w->rest[w->at + strspn(w->rest + w->at, "/")] == '\0' ? 0 : -ENOTDIR;
}

/* A relative path begins at the working directory. */
static int trust_set_rest(struct trust_walk *w, const char *path, size_t n)
{
    char here[PATH_MAX] = "";
    const bool absolute = n > 0 && path[0] == '/';

    if (!absolute && !getcwd(here, sizeof here)) {
        return -errno;
    }
    return (size_t)snprintf(w->rest, sizeof w->rest, "%s/%.*s", here, (int)n, path) < sizeof w->rest
               ? 0
               : -ENAMETOOLONG;
}

static int trust_walk(const char *path, size_t n, struct trust_fault *fault)
{
    struct trust_walk w = {.dir_fd = -1, .fault = fault};
    char name[NAME_MAX + 1] = "";
    int r = n < PATH_MAX ? trust_set_rest(&w, path, n) : -ENAMETOOLONG;

    if (!r) {
        r = trust_begin(&w);
    }
    while (!r) {
        if (!trust_next(&w, name)) {
            r = -ENAMETOOLONG;
        } else if (name[0] == '\0') {
            break;
        } else {
            r = trust_step(&w, name);
        }
    }
    if (w.dir_fd >= 0) {
        close(w.dir_fd);
    }
    return r;
}

int trust_look(const char *path, struct trust_fault *fault)
{
    return trust_walk(path, strlen(path), fault);
}

int trust_look_folder(const char *path, struct trust_fault *fault)
{
    const char *slash = strrchr(path, '/');

    return slash ? trust_walk(path, (size_t)(slash - path) + 1, fault) : trust_walk("", 0, fault);
}

const char *trust_text(const struct trust_fault *fault, char *out, size_t size)
{
    switch (fault->why) {
    case TRUST_OTHER_OWNER:
        snprintf(out, size, "user %lu owns it", (unsigned long)fault->uid);
        break;
    case TRUST_GROUP:
        snprintf(out, size, "group %lu can write to it", (unsigned long)fault->gid);
        break;
    case TRUST_EVERYBODY:
        snprintf(out, size, "every user can write to it");
        break;
    }
    return out;
}
