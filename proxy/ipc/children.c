/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Processes: a tree of them, their pidfds, and how they are signalled and collected. */
#define _GNU_SOURCE
#include "proxy/ipc/children.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sock.h"
#include "base/text/numbers.h"
#include "proxy/ipc/fdstore.h"

static int children_compare(const struct child *a, const struct child *b)
{
    return a->pid < b->pid ? -1 : a->pid > b->pid;
}

TREE_GENERATE(children_tree, child, link, children_compare)

/* The name of a pidfd in the keeper. */
struct children_name {
    char text[32];
};

static struct children_name children_name(pid_t pid)
{
    struct children_name n;

    snprintf(n.text, sizeof n.text, FDSTORE_CHILD_PREFIX "%ld", (long)pid);
    return n;
}

int children_pidfd(pid_t pid)
{
    const int fd = (int)syscall(SYS_pidfd_open, pid, 0);

    return fd < 0 ? -errno : fd;
}

/* ---- the end ---- */

static void children_over(struct children *cs, struct child *c, int status)
{
    event_del(&c->ended);
    sock_close(&c->pidfd);
    (void)children_tree_RB_REMOVE(&cs->all, c);
    c->fn(c, status);
    if (cs->after) {
        cs->after(cs->arg);
    }
}

static void children_on_collected(void *arg, pid_t pid, int status)
{
    struct children *const cs = arg;
    struct child key = {.pid = pid};
    struct child *const c = children_tree_RB_FIND(&cs->all, &key);

    if (c && c->collecting) {
        children_over(cs, c, status);
    }
}

/* The process has ended and is not collected, so that its pid and its group's are still its own. */
static void children_collect(struct children *cs, struct child *c)
{
    int status = SIGKILL;

    if (c->leads_group) {
        children_signal(c, SIGKILL);
    }
    c->collecting = true;
    if (cs->store) {
        if (fdstore_collect(cs->store, c->pid) == 0) {
            return;
        }
        /* The keeper is dead: nothing can be known of the end, and another process collects it. */
    } else {
        (void)waitpid(c->pid, &status, 0);
    }
    children_over(cs, c, status);
}

static void children_on_ended(evutil_socket_t fd, short what, void *arg)
{
    struct child *const c = arg;

    (void)fd;
    (void)what;
    children_collect(c->set, c);
}

/* ---- watching ---- */

static int children_watch(struct children *cs, struct child *c)
{
    c->set = cs;
    event_assign(&c->ended, cs->base, c->pidfd, EV_READ, children_on_ended, c);
    if (event_add(&c->ended, NULL) < 0) {
        return -ENOMEM;
    }
    (void)children_tree_RB_INSERT(&cs->all, c);
    return 0;
}

int children_add_take(struct children *cs, struct child *c, pid_t pid, int pidfd, bool leads_group,
                      child_fn *fn, void *arg)
{
    int err;

    pidfd = pidfd >= 0 ? pidfd : children_pidfd(pid);
    err = pidfd < 0 ? pidfd : 0;
    if (!err && cs->store) {
        err = fdstore_keep(cs->store, children_name(pid).text, pidfd);
    }
    *c = (struct child){
        .pid = pid, .leads_group = leads_group, .pidfd = pidfd, .fn = fn, .arg = arg};
    if (!err) {
        err = children_watch(cs, c);
    }
    if (err) {
        sock_close(&c->pidfd);
        children_discard(cs, pid);
    }
    return err;
}

int children_adopt(struct children *cs, struct child *c, pid_t pid, bool leads_group, child_fn *fn,
                   void *arg)
{
    const int pidfd =
        cs->store ? fdstore_take(cs->store, children_name(pid).text) : children_pidfd(pid);

    if (pidfd < 0) {
        return pidfd == -ESRCH ? -ENOENT : pidfd;
    }
    *c = (struct child){
        .pid = pid, .leads_group = leads_group, .pidfd = pidfd, .fn = fn, .arg = arg};
    return children_watch(cs, c);
}

void children_replace(struct children *cs, struct child *c, struct child *heir, child_fn *fn,
                      void *arg)
{
    const bool collecting = c->collecting;

    event_del(&c->ended);
    (void)children_tree_RB_REMOVE(&cs->all, c);
    *heir = (struct child){
        .pid = c->pid, .leads_group = c->leads_group, .pidfd = c->pidfd, .fn = fn, .arg = arg};
    c->pidfd = -1;
    if (children_watch(cs, heir)) {
        log_error("out of memory: the end of pid=%ld will not be noticed", (long)heir->pid);
    } else if (collecting) {
        heir->collecting = true;
        event_del(&heir->ended);
    }
}

/* ---- starting ---- */

bool children_are_siblings(const struct children *cs)
{
    return cs->store != NULL;
}

int children_fork_begin(struct children *cs)
{
    return cs->store ? fdstore_fork_begin(cs->store) : 0;
}

void children_fork_end(struct children *cs)
{
    if (cs->store) {
        fdstore_fork_end(cs->store);
    }
}

/* ---- all of them ---- */

int children_init(struct children *cs, struct event_base *base, struct fdstore *store,
                  void (*after)(void *arg), void *arg)
{
    *cs = (struct children){
        .base = base, .store = store, .parent_fd = -1, .after = after, .arg = arg};
    RB_INIT(&cs->all);
    if (!store) {
        return 0;
    }
    fdstore_on_collected(store, children_on_collected, cs);
    cs->parent_fd = children_pidfd(getppid());
    /* valgrind lacks it, where the parent does not die. */
    return cs->parent_fd < 0 && cs->parent_fd != -ENOSYS ? cs->parent_fd : 0;
}

void children_deinit(struct children *cs)
{
    sock_close(&cs->parent_fd);
}

void children_signal(const struct child *c, int sig)
{
    if (!c->collecting) {
        kill(c->leads_group ? -c->pid : c->pid, sig);
    }
}

void children_discard(const struct children *cs, pid_t pid)
{
    kill(pid, SIGKILL);
    if (!cs->store) {
        (void)waitpid(pid, NULL, 0);
    }
}

void children_kill(struct children *cs)
{
    struct child *c;

    RB_FOREACH(c, children_tree, &cs->all)
    {
        children_signal(c, SIGKILL);
    }
}

/* Collects a process of an earlier monitor. */
static void children_stray_ended(struct child *c, int status)
{
    (void)status;
    free(c);
}

void children_end_rest(struct children *cs)
{
    const char *name = NULL;
    uint64_t pid;

    while ((name = fdstore_next(cs->store, FDSTORE_CHILD_PREFIX, name))) {
        struct child *c;

        if (!numbers_decimal(name + strlen(FDSTORE_CHILD_PREFIX), INT32_MAX, &pid)) {
            continue;
        }
        c = malloc(sizeof *c);
        /* If it leads a group that has the same number; not collected, its pid is still its own. */
        kill(-(pid_t)pid, SIGKILL);
        kill((pid_t)pid, SIGKILL);
        if (!c || children_adopt(cs, c, (pid_t)pid, true, children_stray_ended, NULL)) {
            free(c);
        }
    }
}

bool children_none(const struct children *cs)
{
    return RB_EMPTY(&cs->all);
}
