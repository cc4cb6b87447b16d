/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Starts a helper: a process of our own that executes the program once more with a channel to its
 * parent, a few fds and no environment. The helper then confines itself (base/confine).
 */
#ifndef POEMD_BASE_HELPER_HELPER_CHILD_H
#define POEMD_BASE_HELPER_HELPER_CHILD_H

#include <sys/types.h>

/* The number of the channel in a helper; those of the plan's fds follow in their order. */
#define HELPER_CHILD_CHANNEL_FD 3

/* Maximum number of a plan's fds: an inspector's settings, folders and envelopes. */
#define HELPER_CHILD_FDS 72u

struct helper_child_plan {
    char *name;     /* argv[0], as ps shows it */
    char *arg;      /* argv[1] */
    int exe_fd;     /* the program; borrowed, as all fds */
    const int *fds; /* kept by the helper; everything else is closed */
    unsigned n_fds;
    int *pidfd; /* if not NULL, it is started by sibling_fork, and this is set */
};

/*
 * Forks and executes the plan with channel_fd (borrowed) as its channel. Returns the pid, or -errno
 * if the fork failed. If the program cannot be executed, the child exits with status 127.
 */
pid_t helper_child_fork(const struct helper_child_plan *p, int channel_fd)
    __attribute__((warn_unused_result));

/*
 * Does the same with a new SEQPACKET pair as the channel. *channel_fd is the parent's end,
 * non-blocking, and is the caller's if a pid is returned.
 */
pid_t helper_child_start(const struct helper_child_plan *p, int *channel_fd)
    __attribute__((warn_unused_result));

/*
 * Does that with the program that this process executes, whatever exe_fd is, and with a sealed file
 * of these n bytes before the plan's fds, which are one less than HELPER_CHILD_FDS at most. Returns
 * as helper_child_start does.
 */
pid_t helper_child_start_sealed(const struct helper_child_plan *p, const void *start, size_t n,
                                int *channel_fd) __attribute__((warn_unused_result));

#endif
