/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "proxy/keeper/keeper_rights.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "proxy/keeper/keeper_monitor.h"

/* The least of /proc/PID/oom_score_adj: never killed if memory runs out. */
#define KEEPER_OOM_NEVER (-1000)

/*
 * Sets that, if this process may. Notes for the monitor what it was; if that is the least already,
 * it was meant for this process, and the monitor gets 0.
 */
static void keeper_rights_oom(struct keeper_monitor_plan *p)
{
    const int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    char text[16] = "";

    if (fd >= 0 && read(fd, text, sizeof text - 1) > 0) {
        p->oom_score_adj = (int)strtol(text, NULL, 10);
        if (dprintf(fd, "%d", KEEPER_OOM_NEVER) < 0) {
            log_debug("the keeper may be killed if memory runs out: it lacks CAP_SYS_RESOURCE");
        }
    }
    if (p->oom_score_adj == KEEPER_OOM_NEVER) {
        p->oom_score_adj = 0;
    }
    if (fd >= 0) {
        close(fd);
    }
}

static int keeper_rights_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &header, data) < 0) {
        return -errno;
    }
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        data[i].effective &= i == CAP_TO_INDEX(CAP_KILL) ? CAP_TO_MASK(CAP_KILL) : 0;
    }
    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int keeper_rights_set(struct keeper_monitor_plan *p)
{
    struct rlimit all;

    keeper_rights_oom(p);
    if (getrlimit(RLIMIT_NOFILE, &p->nofile) < 0) {
        return -errno;
    }
    all = p->nofile;
    all.rlim_cur = all.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &all) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
        return -errno;
    }
    /* A monitor that is root has its capabilities again by exec. Others keep theirs. */
    return geteuid() == 0 ? keeper_rights_capabilities() : 0;
}

void keeper_rights_return(const struct keeper_monitor_plan *p)
{
    keeper_monitor_oom(p->oom_score_adj);
    (void)setrlimit(RLIMIT_NOFILE, &p->nofile);
}

void keeper_rights_again(const struct keeper_monitor_plan *p)
{
    struct rlimit all = p->nofile;

    all.rlim_cur = all.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &all);
    keeper_monitor_oom(KEEPER_OOM_NEVER);
}
