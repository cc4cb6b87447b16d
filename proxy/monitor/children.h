/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor's child processes, collected in one place: relay workers and devices. At SIGCHLD each
 * that has ended is told of to whoever started it.
 *
 * The inspector alone is not among them: policy/inspector/inspector.c serves tools, too, and
 * watches its own by pidfd. The kernel is asked which child has ended, but a child is collected by
 * its number alone, so that neither takes the other's.
 *
 * A child's number stays its own until it is collected here: until then it may be signalled, and
 * looked at in /proc, without a race.
 */
#ifndef POEMD_PROXY_MONITOR_CHILDREN_H
#define POEMD_PROXY_MONITOR_CHILDREN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/tree.h"

struct child;

/* It has ended and been collected; status as of waitpid. May free c, and add others. */
typedef void child_fn(struct child *c, int status);

struct child {
    RB_ENTRY(child) link; /* by its number */
    pid_t pid;
    bool leads_group; /* of the same number: what is left of the group is killed with it */
    child_fn *fn;
    void *arg;
};

RB_HEAD(children, child);

void children_init(struct children *cs);

/* Watches a child that has just been forked. c, owned by the caller, stays until fn was called. */
void children_add(struct children *cs, struct child *c, pid_t pid, bool leads_group, child_fn *fn,
                  void *arg);

/* Watches it no more: it is not collected. */
void children_forget(struct children *cs, struct child *c);

/* Sends it, and its group where it leads one, a signal. */
void children_signal(const struct child *c, int sig);

/* SIGCHLD: collects those that have ended. */
void children_collect(struct children *cs);

/* Kills all that are left. They are still to be collected. */
void children_kill(struct children *cs);

bool children_none(const struct children *cs);

#endif
