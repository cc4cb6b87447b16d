/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Gives up rights. Makes system calls and logs; nothing can be taken back. */
#define _GNU_SOURCE
#include "base/confine/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/confine/confine_files.h"
#include "base/log.h"

/* ---- capabilities ---- */

int confine_drop_capabilities(void)
{
    /* No program, whatever its file's mode, regains a capability, and none is kept over setuid. */
    static const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
                                      SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                                      SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    int err = 0;

    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    /* EINVAL: above the last capability that the kernel knows. */
    for (unsigned long cap = 0; !err && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
        err = prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 ? -errno : 0;
    }
    if (!err && prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0) {
        err = -errno;
    }
    return err;
}

/* Clears the process's own capability sets. */
static int confine_clear_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

static int confine_become(const struct confine_plan *p, bool root)
{
    const int dropped = confine_drop_capabilities();

    if (dropped && root) {
        log_info("%s: cannot empty the capability bounding set: %s; continuing without that",
                 p->who, strerror(-dropped));
    }
    if (root && (setgroups(0, NULL) < 0 || setresgid(p->gid, p->gid, p->gid) < 0 ||
                 setresuid(p->uid, p->uid, p->uid) < 0)) {
        return -errno;
    }
    return confine_clear_capabilities();
}

/* ---- limits ---- */

uint64_t confine_raise_nofile(uint64_t want)
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

/* Lowers the limits of a resource, the hard one to hard, if they are above that. */
static int confine_limit(int resource, uint64_t most, uint64_t hard)
{
    struct rlimit l;

    if (getrlimit((__rlimit_resource_t)resource, &l) < 0) {
        return -errno;
    }
    l.rlim_cur = most < l.rlim_max ? most : l.rlim_max;
    /* Valgrind keeps fds of its own below the hard limit of fds, and does not let it be changed. */
    if (resource != RLIMIT_NOFILE || !filter_tools_valgrind()) {
        l.rlim_max = hard < l.rlim_max ? hard : l.rlim_max;
    }
    return setrlimit((__rlimit_resource_t)resource, &l) < 0 ? -errno : 0;
}

static int confine_limits(const struct confine_plan *p)
{
    const bool tools = confine_keeps_eyes() || filter_tools_valgrind();
    const struct {
        int resource;
        uint64_t most;
        uint64_t hard; /* if greater */
    } all[] = {
        {RLIMIT_NOFILE, p->nofile, p->nofile_most},
        /* The leak check has a thread; the filter forbids any other. */
        {RLIMIT_NPROC, confine_keeps_eyes() ? RLIM_INFINITY : 0, 0},
        {RLIMIT_CORE, 0, 0},
        {RLIMIT_MEMLOCK, 0, 0},
        {RLIMIT_MSGQUEUE, 0, 0},
        {RLIMIT_CPU, p->cpu_s ? p->cpu_s : RLIM_INFINITY, 0},
        {RLIMIT_AS, tools ? RLIM_INFINITY : p->memory, p->memory_most},
    };
    int err = 0;

    for (size_t i = 0; i < sizeof all / sizeof *all && !err; i++) {
        err = confine_limit(all[i].resource, all[i].most,
                            all[i].hard > all[i].most ? all[i].hard : all[i].most);
    }
    return err;
}

/* ---- all steps ---- */

static int confine_filter(const struct confine_plan *p)
{
    const int err = filter_enter(p->who, p->calls, p->n_calls);

    if (err == -ENOSYS || err == -EINVAL) {
        log_warning("%s: the kernel has no system-call filter: %s; continuing without it", p->who,
                    strerror(-err));
        return 0;
    }
    return err;
}

int confine_enter(const struct confine_plan *p)
{
    const bool root = geteuid() == 0;
    int err;

    confine_apart(p->who, !root && p->user_namespace);
    err = confine_become(p, root);
    if (!err) {
        err = confine_limits(p);
    }
    /* A root monitor's child could be traced by its user; a change of user sets this already. */
    if (!err && prctl(PR_SET_DUMPABLE, confine_keeps_eyes(), 0, 0, 0) < 0) {
        err = -errno;
    }
    if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        err = -errno;
    }
    if (!err) {
        confine_landlock(p->who, p->readable_fds, p->n_readable);
        err = confine_filter(p);
    }
    return err;
}
