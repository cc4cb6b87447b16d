/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Starts an inspector's process with its fds. The parent's side; one process at a time. */
#ifndef POEMD_POLICY_INSPECTOR_INSPECTOR_CHILD_H
#define POEMD_POLICY_INSPECTOR_INSPECTOR_CHILD_H

#include <sys/types.h>

#include "policy/inspector/inspector.h"
#include "policy/inspector/inspector_channel.h"

/* The inputs of every inspector of one parent. All fds are owned. */
struct inspector_kit {
    int exe_fd;
    int ima_count_fd; /* the number of entries in the list of IMA; -1 if there is none */
    int fds[1 +
            INSPECTOR_FDS]; /* from INSPECTOR_START_FD on: a struct inspector_start, then these */
    unsigned n_fds;
};

/* Returns 0 or -errno; the caller calls inspector_kit_deinit in either case. */
int inspector_kit_init(struct inspector_kit *k, const struct inspector_settings *s)
    __attribute__((warn_unused_result));
void inspector_kit_deinit(struct inspector_kit *k);

/*
 * Returns the number of entries in the list of IMA, as the kernel counts them; 0 if there is no
 * list. Does not block.
 */
uint64_t inspector_kit_ima_count(const struct inspector_kit *k);

/* Starts a process. Returns 0 or -errno; the caller owns *channel_fd (non-blocking) and *pidfd. */
int inspector_start(const struct inspector_kit *k, pid_t *pid, int *channel_fd, int *pidfd)
    __attribute__((warn_unused_result));

#endif
