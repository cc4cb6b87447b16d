/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Giving up rights. System calls and the log; nothing can be taken back. */
#define _GNU_SOURCE
#include "base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

int confine_limit(int resource, uint64_t most)
{
    struct rlimit l;

    if (getrlimit((__rlimit_resource_t)resource, &l) < 0) {
        return -errno;
    }
    l.rlim_max = most < l.rlim_max ? most : l.rlim_max;
    l.rlim_cur = l.rlim_max;
    return setrlimit((__rlimit_resource_t)resource, &l) < 0 ? -errno : 0;
}

/* A folder that is in no file system's tree any more, and so can never hold anything. */
static int empty_root(void)
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

int confine_become(uid_t uid, gid_t gid, bool new_root, const char *who)
{
    const int err = new_root ? empty_root() : 0;

    if (err) {
        log_warning("%s: no empty root folder: %s; going on without", who, strerror(-err));
    }
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0) {
        return -errno;
    }
    return 0;
}

bool confine_keeps_eyes(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return true;
#elif defined(__has_feature)
    /* As clang tells it. */
    return __has_feature(address_sanitizer);
#else
    return false;
#endif
}

/* Lets files below the folder be read. 0 or -errno. */
static int let_read(int ruleset_fd, int folder_fd)
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

static int landlock(const int *folder_fds, size_t n)
{
    /* Every right of Landlock's first version; no later one lets a file be read. */
    const struct landlock_ruleset_attr attr = {.handled_access_fs =
                                                   (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
    const long fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    int err = 0;

    if (fd < 0) {
        return -errno;
    }
    for (size_t i = 0; i < n && !err; i++) {
        err = let_read((int)fd, folder_fds[i]);
    }
    if (!err && syscall(SYS_landlock_restrict_self, fd, 0) < 0) {
        err = -errno;
    }
    close((int)fd);
    return err;
}

int confine_files(const int *folder_fds, size_t n, const char *who)
{
    int err;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        return -errno;
    }
    err = confine_keeps_eyes() ? 0 : landlock(folder_fds, n);
    if (err) {
        log_info("%s: no Landlock: %s; going on without", who, strerror(-err));
    }
    return 0;
}
