/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Workers without a monitor. */
#define _GNU_SOURCE
#include "proxy/monitor/takeover/takeover_workers.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/sock.h"
#include "proxy/ipc/fdstore.h"
#include "proxy/monitor/keep/state_fds.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/workers/worker_pool_adopt.h"
#include "proxy/monitor/workers/worker_pool_resume.h"

/*
 * Kills a worker and waits for its end. Its pid is not reused before that: its keeper collects it
 * only when it is asked to. A process that the kernel holds is left behind after a while.
 */
static void takeover_workers_kill(pid_t pid)
{
    int fd = children_pidfd(pid);
    struct pollfd p = {.fd = fd, .events = POLLIN};

    if (fd < 0) {
        return;
    }
    if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0 &&
        poll(&p, 1, LIMIT_STOP_KILLED_MS) != 1) {
        log_error("worker pid=%ld was killed but does not exit, because the kernel holds it",
                  (long)pid);
    }
    sock_close(&fd);
}

/* Returns true if the process has not ended. */
static bool takeover_workers_lives(pid_t pid)
{
    int fd = children_pidfd(pid);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    const bool lives = fd >= 0 && poll(&p, 1, 0) == 0;

    sock_close(&fd);
    return lives;
}

/* Returns the worker, which lives and goes on, or NULL. */
static struct worker_process *takeover_workers_adopt(const struct takeover *to,
                                                     const struct state_worker *s,
                                                     struct worker_pages *pages)
{
    char name[STATE_NAME_SIZE];
    const struct worker_pool_adoptee a = {
        .pid = s->pid,
        .channel_fd = fdstore_take(to->subject.context->store, state_fds_channel(s->serial, name)),
        .pages = pages,
        .retires = to->planned};

    return a.channel_fd < 0 ? NULL : worker_pool_adopt_take(to->subject.workers, &a);
}

/* Takes up a worker's pages, and the worker if it lives. */
static void takeover_workers_add(struct takeover *to, uint32_t block, const struct state_worker *s)
{
    struct monitor_context *const context = to->subject.context;
    struct takeover_worker *const w = calloc(1, sizeof *w);
    char name[STATE_NAME_SIZE];
    const int fd = fdstore_take(context->store, state_fds_pages(s->serial, name));

    if (w && fd >= 0) {
        w->process.worker_pool = to->subject.workers;
        w->process.gone_pid = s->pid ? s->pid : s->gone_pid;
        w->process.pages =
            worker_pages_adopt_take(fd, s->serial, context->store, context->state, block);
    }
    if (!w || !w->process.pages) {
        log_error("the pages of worker pid=%ld cannot be read, so its sessions end", (long)s->pid);
        takeover_workers_kill(s->pid);
        state_file_drop(context->state, block);
        free(w);
        return;
    }
    w->living =
        takeover_workers_lives(s->pid) ? takeover_workers_adopt(to, s, w->process.pages) : NULL;
    if (w->living) {
        /* One for the worker, and one until all slots are claimed. */
        w->process.pages->refs++;
    } else {
        takeover_workers_kill(s->pid);
        worker_pool_resume_begin(&w->process);
    }
    SLIST_INSERT_HEAD(&to->workers, w, link);
}

void takeover_workers_begin(struct takeover *to)
{
    struct state_file *const state = to->subject.context->state;
    struct state_worker s;
    uint32_t block = STATE_NO_BLOCK;

    while ((block = state_file_next(state, block, STATE_WORKER, &s))) {
        if (s.serial > to->last_worker) {
            /* One of those that have been started here. */
            continue;
        }
        takeover_workers_add(to, block, &s);
    }
}

struct worker_process *takeover_workers_living(const struct takeover *to, uint64_t serial)
{
    struct takeover_worker *w;

    SLIST_FOREACH(w, &to->workers, link)
    {
        if (w->process.pages->serial == serial) {
            return w->living;
        }
    }
    return NULL;
}

struct worker_process *takeover_workers_find(const struct takeover *to, uint64_t serial)
{
    struct takeover_worker *w;

    SLIST_FOREACH(w, &to->workers, link)
    {
        if (w->process.pages->serial == serial) {
            return &w->process;
        }
    }
    return NULL;
}

void takeover_workers_end(struct takeover *to)
{
    struct takeover_worker *w;

    while ((w = SLIST_FIRST(&to->workers))) {
        SLIST_REMOVE_HEAD(&to->workers, link);
        worker_pages_adopted(w->process.pages);
        free(w);
    }
}
