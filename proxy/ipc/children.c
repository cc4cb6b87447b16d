/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Child processes: a tree of them, and the system calls that signal and collect them. */
#define _GNU_SOURCE
#include "proxy/ipc/children.h"

#include <signal.h>
#include <sys/wait.h>

static int children_compare(const struct child *a, const struct child *b)
{
    return a->pid < b->pid ? -1 : a->pid > b->pid;
}

TREE_GENERATE(children, child, link, children_compare)

void children_init(struct children *cs)
{
    RB_INIT(cs);
}

void children_add(struct children *cs, struct child *c, pid_t pid, bool leads_group, child_fn *fn,
                  void *arg)
{
    c->pid = pid;
    c->leads_group = leads_group;
    c->fn = fn;
    c->arg = arg;
    (void)children_RB_INSERT(cs, c);
}

void children_forget(struct children *cs, struct child *c)
{
    (void)children_RB_REMOVE(cs, c);
}

void children_signal(const struct child *c, int sig)
{
    kill(c->leads_group ? -c->pid : c->pid, sig);
}

/* Returns true if the child has ended. Leaves it uncollected, so that its pid is not reused. */
static bool children_has_ended(const struct child *c)
{
    siginfo_t info = {.si_pid = 0};

    return waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == c->pid;
}

static void children_collect_one(struct children *cs, struct child *c)
{
    int status;

    if (c->leads_group) {
        children_signal(c, SIGKILL);
    }
    if (waitpid(c->pid, &status, 0) == c->pid) {
        (void)children_RB_REMOVE(cs, c);
        c->fn(c, status);
    }
}

/* Asks the kernel about each child by its pid. */
static void children_collect_each(struct children *cs)
{
    struct child *c;
    struct child *next;

    RB_FOREACH_SAFE(c, children, cs, next)
    {
        if (children_has_ended(c)) {
            children_collect_one(cs, c);
        }
    }
}

void children_collect(struct children *cs)
{
    for (;;) {
        siginfo_t info = {.si_pid = 0};
        struct child key;
        struct child *c;

        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) {
            return;
        }
        key.pid = info.si_pid;
        c = children_RB_FIND(cs, &key);
        if (!c) {
            /* The inspector, which is collected elsewhere, may hide other children until then. */
            children_collect_each(cs);
            return;
        }
        children_collect_one(cs, c);
    }
}

void children_kill(struct children *cs)
{
    struct child *c;

    RB_FOREACH(c, children, cs)
    {
        children_signal(c, SIGKILL);
    }
}

bool children_none(const struct children *cs)
{
    return RB_EMPTY(cs);
}
