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
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/confine.h"

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

static int become(uid_t uid, gid_t gid)
{
    const bool keeps_eyes = confine_keeps_eyes();
    const int err = confine_become(uid, gid, !keeps_eyes, "worker");

    if (!err && keeps_eyes && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0) {
        return -errno;
    }
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
    return err ? err : confine_files(&readable_fd, 1, "worker");
}
