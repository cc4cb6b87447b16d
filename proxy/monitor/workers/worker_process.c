/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Relay workers' processes: forked, killed, checked for whether they can work. */
#define _GNU_SOURCE
#include "proxy/monitor/workers/worker_process.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>

#include "base/helper/helper_child.h"
#include "base/log.h"
#include "proxy/ipc/worker_settings.h"
#include "proxy/monitor/monitor_context.h"

bool worker_process_takes_work(const struct worker_process *w)
{
    return w->pid > 0 && w->channel_fd >= 0 && w->killed_beats == 0 && !w->retires &&
           !w->adopting && !heartbeat_late(&w->beat);
}

bool worker_process_own_takes_work(const struct worker_pool *c)
{
    for (unsigned i = 0; i < c->n_own; i++) {
        if (c->members[i].ready && worker_process_takes_work(&c->members[i])) {
            return true;
        }
    }
    return false;
}

struct worker_process *worker_process_least_busy(struct worker_pool *c)
{
    struct worker_process *best = NULL;

    for (unsigned i = 0; i < c->n; i++) {
        struct worker_process *w = &c->members[i];

        if (worker_process_takes_work(w) && (!best || w->sessions < best->sessions)) {
            best = w;
        }
    }
    return best;
}

/* The delay before the next try if memory, or the kernel's count of fds in flight, ran out. */
static const struct timeval worker_process_retry_time = {.tv_usec = 20000};

bool worker_process_must_wait(struct worker_process *w, int err)
{
    if (err == -EAGAIN) {
        event_add(w->writable, NULL);
    } else if (err == -ENOBUFS) {
        event_add(w->retry, &worker_process_retry_time);
    }
    return err == -EAGAIN || err == -ENOBUFS;
}

void worker_process_kill(struct worker_process *w, enum session_reason reason, const char *log)
{
    event_del(w->readable);
    if (w->pid > 0 && w->killed_beats == 0) {
        log_error("worker pid=%ld %s; killed", (long)w->pid, log);
        children_signal(&w->child, SIGKILL);
        w->killed_beats = 1;
        w->end = reason;
    }
}

void worker_process_gone(struct worker_process *w)
{
    w->burying = true;
    event_active(w->bury, 0, 0);
}

void worker_process_counted(struct worker_process *w)
{
    w->counting = false;
    OBSERVERS_NOTIFY(&w->worker_pool->observers, counted, w);
}

void worker_process_silent(struct worker_process *w)
{
    if (w->tallies) {
        OBSERVERS_NOTIFY(&w->worker_pool->observers, silent, w);
        worker_tallies_free(w->tallies);
        w->tallies = NULL;
    }
}

/* ---- starting ---- */

int worker_process_pages(struct worker_process *w, uint32_t slots)
{
    const struct config *const config = w->worker_pool->context->config;

    w->pages = worker_pages_new(slots, config_has_metrics(config) ? LIMIT_ROUTES : 0);
    if (!w->pages) {
        return -errno;
    }
    w->tallies = worker_tallies_new(w->pages);
    return 0;
}

/* Makes room for as many messages as clients are refused at once; the default has less. */
static void worker_process_widen(int fd)
{
    const int size = 2 * LIMIT_REFUSALS * (int)sizeof(struct ipc_msg);

    /* As far as the system permits: refusals that do not fit are closed unanswered. */
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

int worker_process_channel(int pair[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
        return -errno;
    }
    worker_process_widen(pair[0]);
    worker_process_widen(pair[1]);
    return 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the child's start writes it. */
int worker_process_fork(struct worker_process *w, int channel_fd, int *pidfd)
{
    const int fds[] = {w->worker_pool->settings_fd, w->pages->fd};
    const struct helper_child_plan plan = {.name = WORKER_NAME,
                                           .arg = WORKER_ARG,
                                           .exe_fd = w->worker_pool->exe_fd,
                                           .fds = fds,
                                           .n_fds = sizeof fds / sizeof *fds,
                                           .pidfd = pidfd};
    const pid_t pid = helper_child_fork(&plan, channel_fd);

    w->pid = pid < 0 ? -1 : pid;
    return pid < 0 ? (int)pid : 0;
}
