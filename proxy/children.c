/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Child processes: a list, and the system calls that signal and collect. */
#define _GNU_SOURCE
#include "proxy/children.h"

#include <bsd/sys/queue.h>
#include <signal.h>
#include <sys/wait.h>

void children_init(struct children *cs)
{
    LIST_INIT(cs);
}

void children_add(struct children *cs, struct child *c, pid_t pid, bool leads_group, child_fn *fn,
                  void *arg)
{
    c->pid = pid;
    c->leads_group = leads_group;
    c->fn = fn;
    c->arg = arg;
    LIST_INSERT_HEAD(cs, c, link);
}

void children_remove(struct child *c)
{
    LIST_REMOVE(c, link);
}

void children_signal(const struct child *c, int sig)
{
    kill(c->leads_group ? -c->pid : c->pid, sig);
}

/* Whether it has ended; it is left to be collected, so that its number stays its own. */
static bool has_ended(const struct child *c)
{
    siginfo_t info = {.si_pid = 0};

    return waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == c->pid;
}

void children_collect(struct children *cs)
{
    struct child *c;
    struct child *next;

    LIST_FOREACH_SAFE(c, cs, link, next)
    {
        int status;

        if (!has_ended(c)) {
            continue;
        }
        if (c->leads_group) {
            children_signal(c, SIGKILL);
        }
        if (waitpid(c->pid, &status, 0) == c->pid) {
            LIST_REMOVE(c, link);
            c->fn(c, status);
        }
    }
}

void children_kill(struct children *cs)
{
    struct child *c;

    LIST_FOREACH(c, cs, link)
    {
        children_signal(c, SIGKILL);
    }
}

bool children_none(const struct children *cs)
{
    return LIST_EMPTY(cs);
}
