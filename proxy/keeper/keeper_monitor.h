/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Starts a monitor, with all that the keeper has for it. */
#ifndef POEMD_PROXY_KEEPER_KEEPER_MONITOR_H
#define POEMD_PROXY_KEEPER_KEEPER_MONITOR_H

#include <sys/resource.h>
#include <sys/types.h>

struct keeper_store;

/* What every monitor is started with; all borrowed. */
struct keeper_monitor_plan {
    int exe_fd;           /* the program */
    char **argv;          /* MONITOR_NAME, MONITOR_ARG and the command line */
    struct rlimit nofile; /* this process has raised its own */
    int oom_score_adj;    /* likewise */
};

/*
 * Forks and executes a monitor with the fds of proxy/ipc/fdstore_wire.h. The numbers of the stored
 * fds must be at least MONITOR_FIRST_FD. Every signal is blocked in it, until it has handlers. It
 * gets SIGTERM if this process dies. Returns its pid with *socket_fd, which is the caller's, or
 * -errno.
 */
pid_t keeper_monitor_start(const struct keeper_monitor_plan *p, const struct keeper_store *s,
                           int *socket_fd) __attribute__((warn_unused_result));

/* Sets what the kernel thinks of killing this process if memory runs out, if it may. */
void keeper_monitor_oom(int adjustment);

#endif
