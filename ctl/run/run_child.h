/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The processes of poemctl run: the broker, the actions of poemctl trace, and the command. */
#ifndef POEMD_CTL_RUN_RUN_CHILD_H
#define POEMD_CTL_RUN_RUN_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Starts a program; one with a path that begins with '/' is that file, another is looked up. A
 * process in the background has a process group of its own, so that an interrupt from the terminal
 * does not reach it, writes its output to standard error, and gets SIGTERM if poemctl ends. keep_fd
 * (-1 if none) stays open in it. Returns its pid, or -errno.
 */
pid_t run_child_start(char *const *argv, bool background, int keep_fd)
    __attribute__((warn_unused_result));

/* Waits for its end. Returns its status as waitpid, or -errno. */
int run_child_wait(pid_t pid);

/* Waits for up to so many ms for its end. Returns likewise; -ETIMEDOUT: it has not ended. */
int run_child_wait_for(pid_t pid, unsigned ms);

/* Waits for up to 2 s for its end, then sends SIGTERM and waits. Returns likewise. */
int run_child_end(pid_t pid);

/* Returns the exit status as a shell: 128 and the signal's number if it was killed. */
int run_child_code(int status);

/* Passes SIGTERM and SIGHUP on to the process; SIGINT and SIGQUIT reach it from the terminal. */
void run_child_forward_signals(pid_t pid);

#endif
