/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What an inspector gives up. Theory:
 *
 *   It reads executables that their makers may have bent to break it, and needs for that the open
 *   file alone. Besides, it reads dpkg's database and copyright files, by folders that its parent
 *   has opened. So: another user and an empty root where the parent is root; no new privileges;
 *   Landlock with these two folders, to be read; no process, no file made, no core; as much memory,
 *   CPU time and fds as an inspection takes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/log.h"
#include "policy/inspector_channel.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static int limits(void)
{
    static const struct {
        int resource;
        rlim_t most;
    } all[] = {
        {RLIMIT_NOFILE, INSPECTOR_FDS + INSPECTOR_SPARE_FDS},
        {RLIMIT_CPU, INSPECTOR_CPU},
        {RLIMIT_FSIZE, 0},
        {RLIMIT_NPROC, 0},
        {RLIMIT_CORE, 0},
        /* The last: the sanitizers' shadow memory is larger than any limit. */
        {RLIMIT_AS, INSPECTOR_MEMORY},
    };

    for (size_t i = 0; i < sizeof all / sizeof *all - (SANITIZED ? 1 : 0); i++) {
        const int err = confine_limit(all[i].resource, all[i].most);

        if (err) {
            return err;
        }
    }
    return 0;
}

static int allow_below(int ruleset_fd, int dir_fd)
{
    const struct landlock_path_beneath_attr below = {
        .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
        .parent_fd = dir_fd};

    if (dir_fd < 0) {
        return 0;
    }
    return syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &below, 0) < 0
               ? -errno
               : 0;
}

static int landlock(const struct inspector_start *s)
{
    /* Every right of Landlock's first version; no later one lets a file be read. */
    const struct landlock_ruleset_attr attr = {.handled_access_fs =
                                                   (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
    const long fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    int err;

    if (fd < 0) {
        return -errno;
    }
    err = allow_below((int)fd, s->dpkg_fd);
    if (!err) {
        err = allow_below((int)fd, s->doc_fd);
    }
    if (!err && syscall(SYS_landlock_restrict_self, fd, 0) < 0) {
        err = -errno;
    }
    close((int)fd);
    return err;
}

int inspector_sandbox(const struct inspector_start *s)
{
    int err = 0;

    if (geteuid() == 0) {
        err = confine_become(s->uid, s->gid, true, "inspector");
    }
    if (!err && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
                 prctl(PR_SET_DUMPABLE, SANITIZED, 0, 0, 0) < 0)) {
        err = -errno;
    }
    if (!err) {
        err = limits();
    }
    if (err) {
        return err;
    }
    /* The sanitizers' reports read /proc/self: a build that is for finding faults keeps its eyes.
     */
    err = SANITIZED ? 0 : landlock(s);
    if (err) {
        log_info("inspector: no Landlock: %s; going on without", strerror(-err));
    }
    return 0;
}
