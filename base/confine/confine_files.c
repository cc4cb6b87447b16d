/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Namespaces, an empty root and Landlock. */
#define _GNU_SOURCE
#include "base/confine/confine_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/confine/confine_sanitizers.h"
#include "base/log.h"

/* ---- an empty root ---- */

/*
 * Without a mount namespace: changes the root to a removed folder, which can never contain
 * anything.
 */
static int confine_chroot(void)
{
    char dir[] = "/tmp/poemd.XXXXXX";
    int fd;
    int err = 0;

    if (!mkdtemp(dir)) {
        return -errno;
    }
    fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        err = -errno;
    }
    if (rmdir(dir) < 0 && !err) {
        err = -errno;
    }
    if (!err && (fchdir(fd) < 0 || chroot(".") < 0)) {
        err = -errno;
    }
    if (fd >= 0) {
        close(fd);
    }
    return err;
}

/* In our own mount namespace: changes the root to a new file system, the only one mounted. */
static int confine_pivot(void)
{
    static const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

    /* Mounted over a folder that every system has, only in this namespace. */
    if (mount("none", "/", "none", MS_REC | MS_PRIVATE, "") < 0 ||
        mount("poemd", "/proc", "tmpfs", flags, "size=4k,nr_inodes=1,mode=0555") < 0) {
        return -errno;
    }
    if (chdir("/proc") < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
        umount2(".", MNT_DETACH) < 0 || chdir("/") < 0) {
        return -errno;
    }
    return mount("none", "/", "none", MS_REMOUNT | MS_BIND | MS_RDONLY | flags, "") < 0 ? -errno
                                                                                        : 0;
}

void confine_apart(const char *who, bool user)
{
    const int kinds = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWNS |
                      (user ? CLONE_NEWUSER : 0);
    const bool root = geteuid() == 0;
    int err;

    if (!root && !user) {
        return;
    }
    err = unshare(kinds) < 0 ? -errno : 0;
    if (err) {
        log_info("%s: cannot create namespaces of its own: %s; continuing without them", who,
                 strerror(-err));
    }
    if (confine_keeps_eyes()) {
        return;
    }
    if (!err) {
        err = confine_pivot();
    }
    if (err && root) {
        err = confine_chroot();
    }
    if (err && root) {
        log_info("%s: cannot make an empty root folder: %s; continuing without it", who,
                 strerror(-err));
    }
}

/* ---- Landlock ---- */

/* As of version 6; Debian 12's headers have the first member, and versions 1 and 2. */
struct confine_ruleset {
    uint64_t files;
    uint64_t network; /* from version 4 */
    uint64_t scopes;  /* from version 6 */
};

/* Rights by version, as named by linux/landlock.h of later kernels. */
#define RIGHTS_1 ((1u << 13) - 1)  /* execute, write, read, create and remove files */
#define RIGHT_REFER (1u << 13)     /* 2 */
#define RIGHT_TRUNCATE (1u << 14)  /* 3 */
#define RIGHT_IOCTL_DEV (1u << 15) /* 5 */
#define NETWORK_TCP 3u             /* 4: bind and connect */
#define SCOPES 3u                  /* 6: abstract UNIX sockets, signals */

static struct confine_ruleset confine_ruleset(long version)
{
    struct confine_ruleset r = {.files = RIGHTS_1};

    r.files |= version >= 2 ? RIGHT_REFER : 0;
    r.files |= version >= 3 ? RIGHT_TRUNCATE : 0;
    r.files |= version >= 5 ? RIGHT_IOCTL_DEV : 0;
    r.network = version >= 4 ? NETWORK_TCP : 0;
    r.scopes = version >= 6 ? SCOPES : 0;
    if (confine_keeps_eyes()) {
        r.files = 0;
    }
    return r;
}

/* Returns the part of the struct that a kernel of this version knows. */
static size_t confine_ruleset_size(long version)
{
    return version >= 6   ? sizeof(struct confine_ruleset)
           : version >= 4 ? offsetof(struct confine_ruleset, scopes)
                          : offsetof(struct confine_ruleset, network);
}

/* Permits reading files below the folder. Returns 0 or -errno. */
static int confine_let_read(int ruleset_fd, int folder_fd)
{
    const struct landlock_path_beneath_attr below = {
        .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
        .parent_fd = folder_fd};

    if (folder_fd < 0) {
        return 0;
    }
    return syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &below, 0) < 0
               ? -errno
               : 0;
}

static int confine_restrict(long version, const int *folder_fds, size_t n)
{
    const struct confine_ruleset r = confine_ruleset(version);
    long fd;
    int err = 0;

    if (!r.files && !r.network && !r.scopes) {
        return 0;
    }
    fd = syscall(SYS_landlock_create_ruleset, &r, confine_ruleset_size(version), 0);
    if (fd < 0) {
        return -errno;
    }
    for (size_t i = 0; i < n && r.files && !err; i++) {
        err = confine_let_read((int)fd, folder_fds[i]);
    }
    if (!err && syscall(SYS_landlock_restrict_self, fd, 0) < 0) {
        err = -errno;
    }
    close((int)fd);
    return err;
}

void confine_landlock(const char *who, const int *folder_fds, size_t n)
{
    const long version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    const int err = version < 0 ? -errno : confine_restrict(version, folder_fds, n);

    if (err) {
        log_info("%s: cannot use Landlock: %s; continuing without it", who, strerror(-err));
    }
}
