/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The device process that poemctl replace --spawn starts: with the caller's rights, so that the
 * broker executes no command of a client. It listens at its path itself, so that the broker learns
 * from the socket which process it is.
 */
#ifndef POEMD_CTL_CONTROL_REPLACE_DEVICE_H
#define POEMD_CTL_CONTROL_REPLACE_DEVICE_H

#include <sys/types.h>

/*
 * Starts command with /bin/sh, in a session of its own and with an empty standard input; its output
 * goes to standard error. Returns the pid, or -errno.
 */
pid_t replace_device_start(const char *command) __attribute__((warn_unused_result));

/*
 * Connects to path as soon as a process listens there, while that with this pid runs, for up to
 * 10 s. Returns the fd; -ECHILD: it has ended, and is collected; -ETIMEDOUT; or another -errno.
 */
int replace_device_connect(pid_t pid, const char *path) __attribute__((warn_unused_result));

/* Ends it and all of its process group by SIGTERM, after 2 s by SIGKILL, and waits for it. */
void replace_device_end(pid_t pid);

#endif
