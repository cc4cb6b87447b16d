/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * How a worker gives up what it need not have. Theory:
 *
 *   A worker reads what two peers send it, neither of whom is trusted, and holds their sockets and
 *   the fds that pass. It needs no file, no other process, no network and no rights. Everything it
 *   works with is handed to it over its channel; so it can be shut in before the first session:
 *
 *   1. RLIMIT_NOFILE: what its sessions need. A peer that sends many fds meets this wall.
 *   2. RLIMIT_CORE 0: its memory holds what guests wrote.
 *   3. Where the monitor is root: an empty, already removed folder as root, no groups, own user.
 *   4. no_new_privs: no setuid program can give anything back.
 *   5. Landlock: no file can be opened, whatever path or fd leads to it, but for what the kernel
 *      says of its own fds (base/fdinfo.h).
 *
 *   A system-call filter can follow as step 6 without moving code: after sandbox_enter a worker
 *   calls epoll, recvmsg, sendmsg, close, shutdown, poll, socketpair, and memory management.
 */
#define _GNU_SOURCE
#include "proxy/sandbox.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/log.h"

uint64_t sandbox_raise_nofile(uint64_t want)
{
    struct rlimit l;

    if (getrlimit(RLIMIT_NOFILE, &l) < 0) {
        return 0;
    }
    if (l.rlim_cur >= want) {
        return l.rlim_cur;
    }
    l.rlim_cur = want < l.rlim_max ? want : l.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &l) < 0 ? 0 : l.rlim_cur;
}

/* The sanitizers' reports read /proc/self: a build that is for finding faults keeps its eyes. */
#if defined(__SANITIZE_ADDRESS__)
static const bool keeps_eyes = true;
#elif defined(__has_feature)
/* As clang tells it. */
static const bool keeps_eyes = __has_feature(address_sanitizer);
#else
static const bool keeps_eyes = false;
#endif

static int become(uid_t uid, gid_t gid)
{
    const int err = confine_become(uid, gid, !keeps_eyes, "worker");

    if (!err && keeps_eyes && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0) {
        return -errno;
    }
    return err;
}

/* Access rights of Landlock's first version; later ones only add to what is refused. */
static uint64_t landlock_rights(long abi)
{
    uint64_t rights =
        LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
        LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |
        LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
        LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
        LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

#ifdef LANDLOCK_ACCESS_FS_REFER
    if (abi >= 2) {
        rights |= LANDLOCK_ACCESS_FS_REFER;
    }
#endif
    (void)abi;
    return rights;
}

/* Lets files in the folder be read. 0 or -errno. */
static int let_read(int ruleset_fd, int folder_fd)
{
    const struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
                                                    .parent_fd = folder_fd};
    const long r = syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);

    return r < 0 ? -errno : 0;
}

static int no_files(int readable_fd)
{
    struct landlock_ruleset_attr attr = {.handled_access_fs = 0};
    const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    long fd;
    int err = 0;

    if (abi < 0) {
        return -errno;
    }
    attr.handled_access_fs = landlock_rights(abi);
    fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (fd < 0) {
        return -errno;
    }
    if (readable_fd >= 0) {
        err = let_read((int)fd, readable_fd);
    }
    if (!err && syscall(SYS_landlock_restrict_self, fd, 0) < 0) {
        err = -errno;
    }
    close((int)fd);
    return err;
}

int sandbox_enter(uid_t uid, gid_t gid, uint64_t nofile, int readable_fd)
{
    int err;

    (void)sandbox_raise_nofile(nofile);
    err = confine_limit(RLIMIT_NOFILE, nofile);
    if (!err) {
        err = confine_limit(RLIMIT_CORE, 0);
    }
    if (!err && geteuid() == 0) {
        err = become(uid, gid);
    }
    if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        err = -errno;
    }
    if (err) {
        return err;
    }
    err = keeps_eyes ? 0 : no_files(readable_fd);
    if (err) {
        log_info("worker: no Landlock: %s; going on without", strerror(-err));
    }
    return 0;
}
