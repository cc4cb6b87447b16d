/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The processes that the monitor starts (relay workers, the tracer, devices), watched in one place
 * by their pidfds. The callback of each is called from the loop when it has ended and has been
 * collected.
 *
 * Below a keeper (fdstore.h) they are the keeper's children, so that they live on if the monitor
 * dies: the keeper has their pidfds by name, and collects them on request. Without one, as in
 * tests, they are this process's own.
 *
 * Only the inspector is missing here: policy/inspector/inspector_parent.c also serves tools, and
 * has it as its own child.
 *
 * A child's pid is not reused until the child is collected; until then it can be signalled, and
 * looked up in /proc, without a race.
 */
#ifndef POEMD_PROXY_IPC_CHILDREN_H
#define POEMD_PROXY_IPC_CHILDREN_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/tree.h"

struct child;
struct children;
struct fdstore;

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
    bool collecting;  /* it has ended, and its pid may be reused from now on */
    int pidfd;
    struct children *set;
    struct event ended;
    child_fn *fn;
    void *arg;
};

RB_HEAD(children_tree, child);

struct children {
    struct children_tree all;
    struct event_base *base;
    struct fdstore *store;    /* borrowed; NULL: they are this process's own children */
    int parent_fd;            /* a pidfd of the keeper, or -1 */
    void (*after)(void *arg); /* called after the callback of each child */
    void *arg;
};

/*
 * Watches none so far. store (borrowed, NULL allowed) is that of the process's parent. after is
 * called when the callback of a child has returned. Returns 0, or -errno if the parent cannot be
 * watched.
 */
int children_init(struct children *cs, struct event_base *base, struct fdstore *store,
                  void (*after)(void *arg), void *arg) __attribute__((warn_unused_result));

void children_deinit(struct children *cs);

/* Returns true if children must be forked as siblings (base/helper/sibling.h). */
bool children_are_siblings(const struct children *cs);

/*
 * Call these before the fork of one or more processes and after all of them were added, or killed.
 * Without a successful begin, do not fork. Returns 0 or -errno.
 */
int children_fork_begin(struct children *cs) __attribute__((warn_unused_result));
void children_fork_end(struct children *cs);

/*
 * Watches a process that has just been forked; takes its pidfd, which is -1 for one of this
 * process's own children. c stays the caller's, until fn was called. Returns 0, or -errno if it
 * cannot be watched: it is killed then, and c is not used.
 */
int children_add_take(struct children *cs, struct child *c, pid_t pid, int pidfd, bool leads_group,
                      child_fn *fn, void *arg) __attribute__((warn_unused_result));

/*
 * Watches a process that an earlier monitor has started; without a store, a child of this process.
 * Returns 0, -ENOENT if the keeper did not keep it, or another -errno; c is not used then.
 */
int children_adopt(struct children *cs, struct child *c, pid_t pid, bool leads_group, child_fn *fn,
                   void *arg) __attribute__((warn_unused_result));

/* Kills and collects each process of an earlier monitor that has not been adopted. */
void children_end_rest(struct children *cs);

/* Watches the child by way of another structure from now on. */
void children_replace(struct children *cs, struct child *c, struct child *heir, child_fn *fn,
                      void *arg);

/*
 * Sends a signal to the child, or to its process group if it leads one. Does nothing once it is
 * being collected.
 */
void children_signal(const struct child *c, int sig);

/* Returns a pidfd (pidfd_open(2)) of a process, close-on-exec, or -errno. */
int children_pidfd(pid_t pid) __attribute__((warn_unused_result));

/* Kills a process that was forked and not added, and collects it or leaves that to the keeper. */
void children_discard(const struct children *cs, pid_t pid);

/* Kills all remaining children. They still have to be collected. */
void children_kill(struct children *cs);

bool children_none(const struct children *cs);

#endif
