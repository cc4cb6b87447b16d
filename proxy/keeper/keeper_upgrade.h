/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The keeper goes on as another program: the process, its children and its fds stay. The other
 * program finds them by a list, and starts its monitor with them.
 *
 *   poemd-keeper 1       the first line: the list's version
 *   FD NAME              a kept fd
 *   FD :program          the program that was executed before, to which this one goes back if its
 *                        monitor does not get ready
 *   FD :manager          the socket to the service manager, which gets the kept fds that follow; it
 *                        has those before this line
 */
#ifndef POEMD_PROXY_KEEPER_KEEPER_UPGRADE_H
#define POEMD_PROXY_KEEPER_KEEPER_UPGRADE_H

#include <stdbool.h>

struct keeper_monitor_plan;
struct keeper_store;

/* argv[1] of a keeper that goes on; the list's fd, the log's level and the command line follow. */
#define KEEPER_AGAIN_ARG "--keeper-again"

/*
 * Executes the program (borrowed) as this process. fallback_fd, or -1, is the program to go back
 * to. Returns -errno if it cannot; nothing has changed then.
 */
int keeper_upgrade_execute(const struct keeper_store *s, const struct keeper_monitor_plan *p,
                           int program_fd, int fallback_fd);

/*
 * Enters what the list names; takes list_fd. *fallback_fd is the program to go back to, or -1.
 * Returns 0, -EINVAL if the list is not sound, or another -errno.
 */
int keeper_upgrade_take(struct keeper_store *s, int list_fd, int *fallback_fd)
    __attribute__((warn_unused_result));

#endif
