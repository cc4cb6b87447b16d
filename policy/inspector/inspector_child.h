/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Starting an inspector's process: what it is handed, and how it is executed. The parent's side;
 * one process at a time.
 */
#ifndef POEMD_POLICY_INSPECTOR_INSPECTOR_CHILD_H
#define POEMD_POLICY_INSPECTOR_INSPECTOR_CHILD_H

#include <sys/types.h>

#include "policy/inspector/inspector.h"
#include "policy/inspector/inspector_channel.h"

/* What every inspector of one parent is started with. All fds are owned. */
struct inspector_kit {
    int exe_fd;
    int start_fd;           /* a file with a struct inspector_start */
    int fds[INSPECTOR_FDS]; /* handed over behind INSPECTOR_START_FD, in this order */
    unsigned n_fds;
};

/* 0 or -errno; to be inspector_kit_deinit'ed in either case. */
int inspector_kit_init(struct inspector_kit *k, const struct inspector_settings *s)
    __attribute__((warn_unused_result));
void inspector_kit_deinit(struct inspector_kit *k);

/* Starts a process. 0 or -errno; *channel_fd (non-blocking) and *pidfd are the caller's. */
int inspector_start(const struct inspector_kit *k, pid_t *pid, int *channel_fd, int *pidfd)
    __attribute__((warn_unused_result));

#endif
