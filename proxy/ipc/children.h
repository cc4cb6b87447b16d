/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor's child processes (relay workers and devices), collected in one place. At SIGCHLD,
 * the callback of each child that has ended is called.
 *
 * Only the inspector is missing here: policy/inspector/inspector_parent.c also serves tools, and
 * watches its own process by pidfd. children_collect asks the kernel which child has ended, but
 * collects a child only by its pid, so neither takes the other's child.
 *
 * A child's pid is not reused until the child is collected here; until then it can be signalled,
 * and looked up in /proc, without a race.
 */
#ifndef POEMD_PROXY_IPC_CHILDREN_H
#define POEMD_PROXY_IPC_CHILDREN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/tree.h"

struct child;

/*
 * Called when the child has ended and been collected; status is as of waitpid. May free c and add
 * other children.
 */
typedef void child_fn(struct child *c, int status);

struct child {
    RB_ENTRY(child) link; /* by pid */
    pid_t pid;
    bool leads_group; /* its process group has the same number; what is left of it is killed with
                       * the child */
    child_fn *fn;
    void *arg;
};

RB_HEAD(children, child);

void children_init(struct children *cs);

/* Watches a child that has just been forked. c stays the caller's, until fn was called. */
void children_add(struct children *cs, struct child *c, pid_t pid, bool leads_group, child_fn *fn,
                  void *arg);

/* Stops watching a child, without collecting it. */
void children_forget(struct children *cs, struct child *c);

/* Sends a signal to the child, or to its process group if it leads one. */
void children_signal(const struct child *c, int sig);

/* Collects all children that have ended, for SIGCHLD. */
void children_collect(struct children *cs);

/* Kills all remaining children. They still have to be collected. */
void children_kill(struct children *cs);

bool children_none(const struct children *cs);

#endif
