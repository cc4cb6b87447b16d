/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A process's executable, and other files that it has mapped: path, identity, an fd. Theory:
 *
 *   /proc/PID/exe leads to the very file that was executed, whatever its path refers to by now.
 *   Opening it with O_PATH, and statx without a sync, do not involve its file system. Opening it
 *   for reading does; if a peer serves its own file system (FUSE, or an overlay in a namespace of
 *   its own, possibly on top of FUSE), that could block forever. So the file is opened only if
 *   its file system is also mounted here, by a privileged user, or is of a type that never
 *   involves another process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/peer/peer_proc.h"

static const char deleted_mark[] = " (deleted)";

static void peer_exe_find_path(struct peer_exe *e, int dir_fd, const char *link,
                               struct peer_unknown *unknown)
{
    const ssize_t n = readlinkat(dir_fd, link, e->path, sizeof e->path);
    const size_t mark = sizeof deleted_mark - 1;
    size_t len;

    if (n <= 0 || (size_t)n == sizeof e->path) {
        e->path[0] = '\0';
        *unknown = (struct peer_unknown){.error = n < 0 ? errno : ENAMETOOLONG,
                                         .why = "the file's path cannot be read"};
        return;
    }
    len = (size_t)n;
    if (len > mark && memcmp(e->path + len - mark, deleted_mark, mark) == 0) {
        e->deleted = true;
        len -= mark;
    }
    e->path[len] = '\0';
}

static int64_t peer_exe_nanoseconds(struct statx_timestamp t)
{
    int64_t ns;

    if (__builtin_mul_overflow(t.tv_sec, (int64_t)1000000000, &ns) ||
        __builtin_add_overflow(ns, (int64_t)t.tv_nsec, &ns)) {
        return t.tv_sec < 0 ? INT64_MIN : INT64_MAX;
    }
    return ns;
}

static struct peer_file_id peer_exe_identity(const struct statx *s)
{
    return (struct peer_file_id){.dev_major = s->stx_dev_major,
                                 .dev_minor = s->stx_dev_minor,
                                 .inode = s->stx_ino,
                                 .size = s->stx_size,
                                 .mtime = peer_exe_nanoseconds(s->stx_mtime),
                                 .ctime = peer_exe_nanoseconds(s->stx_ctime)};
}

int peer_file_id_get(int fd, struct peer_file_id *out)
{
    struct statx s;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &s) < 0) {
        return -errno;
    }
    *out = peer_exe_identity(&s);
    return 0;
}

static bool peer_exe_is_fuse(const char *type)
{
    return strncmp(type, "fuse", 4) == 0;
}

/*
 * File systems that involve no other process, and that a user cannot mount on top of one that does.
 */
static bool peer_exe_asks_nobody(const char *type)
{
    static const char *const types[] = {"tmpfs", "ext2",     "ext3",  "ext4", "xfs",     "btrfs",
                                        "zfs",   "squashfs", "erofs", "f2fs", "bcachefs"};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(type, types[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Returns NULL if the executable may be opened, otherwise the reason why not. */
static const char *peer_exe_why_not_open(struct peer_exe *e, struct peer_mount *m, int dir_fd)
{
    int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int err = self < 0 ? -errno : peer_mount_look(m, self);

    if (self >= 0) {
        close(self);
    }
    if (err) {
        return "our mount table cannot be read";
    }
    e->path_ours = m->found_id;
    if (m->found_id || m->found_dev) {
        return peer_exe_is_fuse(m->type) ? "it is on a FUSE file system, which could block us"
                                         : NULL;
    }
    if (peer_mount_look(m, dir_fd) < 0 || !m->found_id) {
        return "its file system is in no mount table visible to us";
    }
    return peer_exe_asks_nobody(m->type) ? NULL
                                         : "its file system is not one of ours, and could block us";
}

static int peer_exe_identify(struct peer_exe *e, int path_fd, struct peer_mount *m)
{
    struct statx s;
    const unsigned want = STATX_BASIC_STATS | STATX_MNT_ID;

    if (statx(path_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, want, &s) < 0) {
        return -errno;
    }
    if ((s.stx_mask & want) != want) {
        return -EOPNOTSUPP;
    }
    if (!S_ISREG(s.stx_mode)) {
        return -EINVAL;
    }
    e->id = peer_exe_identity(&s);
    e->deleted = e->deleted || s.stx_nlink == 0;
    m->id = s.stx_mnt_id;
    m->dev_major = s.stx_dev_major;
    m->dev_minor = s.stx_dev_minor;
    return 0;
}

/* Opens the file of path_fd for reading, whatever has become of its path. */
static int peer_exe_reopen(int path_fd)
{
    char name[32] = "/proc/self/fd/";
    char digits[16];
    size_t n = 0;

    do {
        digits[n++] = (char)('0' + path_fd % 10);
        path_fd /= 10;
    } while (path_fd > 0);
    for (size_t i = strlen(name); n > 0; i++) {
        name[i] = digits[--n];
    }
    return open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

void peer_exe_open(struct peer_exe *e, int dir_fd, const char *link, struct peer_exe_faults *f)
{
    const int path_fd = openat(dir_fd, link, O_PATH | O_CLOEXEC);
    struct peer_mount m = {.found_id = false};
    const char *why;
    int err;

    *f = (struct peer_exe_faults){.path = {.error = 0}};
    e->fd = -1;
    peer_exe_find_path(e, dir_fd, link, &f->path);
    err = path_fd < 0 ? -errno : peer_exe_identify(e, path_fd, &m);
    if (err) {
        f->id = (struct peer_unknown){.error = -err, .why = "the file cannot be examined"};
        f->file = f->id;
    } else if ((why = peer_exe_why_not_open(e, &m, dir_fd))) {
        f->file = (struct peer_unknown){.why = why};
    } else {
        e->fd = peer_exe_reopen(path_fd);
        if (e->fd < 0) {
            f->file = (struct peer_unknown){.error = errno, .why = "the file cannot be opened"};
        } else {
            peer_verity_measure(e->fd, &e->verity);
        }
    }
    f->mount_major = m.found_id ? m.id_major : e->id.dev_major;
    f->mount_minor = m.found_id ? m.id_minor : e->id.dev_minor;
    if (path_fd >= 0) {
        close(path_fd);
    }
}

void peer_exe_init(struct peer *p, int dir_fd)
{
    struct peer_exe_faults f;

    peer_exe_open(&p->exe, dir_fd, "exe", &f);
    p->unknown[PEER_EXE_PATH] = f.path;
    p->unknown[PEER_EXE_ID] = f.id;
    p->unknown[PEER_EXE_FILE] = f.file;
}

int peer_exe_look(pid_t pid, int pidfd, struct peer_file_id *out)
{
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    char name[48];
    struct statx s;
    int fd;
    int err = 0;

    snprintf(name, sizeof name, "/proc/%ld/exe", (long)pid);
    fd = open(name, O_PATH | O_CLOEXEC);
    /* NOLINTNEXTLINE(bugprone-branch-clone): each has an errno of its own. */
    if (fd < 0) {
        err = -errno;
    } else if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &s) < 0) {
        err = -errno;
    } else {
        *out = peer_exe_identity(&s);
    }
    if (fd >= 0) {
        close(fd);
    }
    /*
     * Alive after the open: so the file was this process's, and not that of a later one with its
     * pid.
     */
    return poll(&ended, 1, 0) != 0 ? -ESRCH : err;
}
