/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Giving up rights. System calls and the log; nothing can be taken back. */
#define _GNU_SOURCE
#include "base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
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
