/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The kernel: features by which poemd confines its processes and knows its peers; limits. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sock.h"
#include "ctl/control/poemctl_control.h"
#include "ctl/doctor/doctor.h"
#include "proxy/config/nofile.h"

/* Missing in Debian 12's headers. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

static bool doctor_kernel_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

static bool doctor_kernel_seccomp(void)
{
    static const uint32_t action = SECCOMP_RET_KILL_PROCESS;

    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static bool doctor_kernel_pidfd(void)
{
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    const bool there = fd >= 0;

    sock_close(&fd);
    return there;
}

static bool doctor_kernel_peerpidfd(void)
{
    int pair[2];
    int pidfd = -1;
    socklen_t n = sizeof pidfd;
    bool there;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        return false;
    }
    there = getsockopt(pair[0], SOL_SOCKET, SO_PEERPIDFD, &pidfd, &n) == 0;
    sock_close(&pair[0]);
    sock_close(&pair[1]);
    sock_close(&pidfd);
    return there;
}

static const struct {
    bool (*is_there)(void);
    enum doctor_level level; /* if it is missing */
    const char *text;
    const char *mend;
} features[] = {
    {doctor_kernel_landlock, DOCTOR_WRONG,
     "Landlock is missing: workers are kept from files by their user alone",
     "boot Linux 5.13 or later with landlock in the list of the kernel's option \"lsm=\""},
    {doctor_kernel_seccomp, DOCTOR_WRONG,
     "filters of system calls (seccomp) are missing: workers can make all system calls",
     "use a kernel with CONFIG_SECCOMP_FILTER"},
    {doctor_kernel_pidfd, DOCTOR_WRONG,
     "pidfd_open is missing: no session can be judged by its "
     "processes",
     "use Linux 5.3 or later"},
    {doctor_kernel_peerpidfd, DOCTOR_NOTE,
     "SO_PEERPIDFD is missing: a peer is found by its number, which another process may have by "
     "then",
     "use Linux 6.5 or later"},
};

void doctor_kernel_features(struct doctor *d)
{
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
        if (!features[i].is_there()) {
            doctor_report(d, features[i].level, features[i].mend, "%s", features[i].text);
        }
    }
}

/* Returns the hard limit of open files of a process, or of our own if pid is 0; 0 if unknown. */
static uint64_t doctor_kernel_nofile(pid_t pid)
{
    struct rlimit limit;

    return prlimit(pid, RLIMIT_NOFILE, NULL, &limit) == 0 ? (uint64_t)limit.rlim_max : 0;
}

void doctor_kernel_limits(struct doctor *d)
{
    const pid_t pid = d->broker ? (pid_t)control_number(d->broker, "pid") : 0;
    const uint64_t limit = doctor_kernel_nofile(pid);
    char mend[192];
    uint64_t wanted;

    if (!d->config || limit == 0) {
        doctor_report(d, DOCTOR_SKIPPED, "", "%s",
                      d->config ? "the limits of poemd cannot be read: run this as root"
                                : "no configuration is known");
        return;
    }
    wanted = nofile_wanted(d->config);
    if (limit < wanted) {
        snprintf(mend, sizeof mend,
                 "set LimitNOFILE=%" PRIu64 " in the unit, or lower \"max-sessions\"", wanted);
        doctor_report(d, DOCTOR_WRONG, mend,
                      "%s may open %" PRIu64 " files, which is too few for %u sessions",
                      pid ? "poemd" : "a process started here", limit, d->config->max_sessions);
    }
}
