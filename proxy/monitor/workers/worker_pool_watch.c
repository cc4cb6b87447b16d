/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Workers that hang: pinged, found out, killed; sessions that are ended without their worker. */
#define _GNU_SOURCE
#include "proxy/monitor/workers/worker_pool_watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/workers/worker_pool_outbox.h"

/* ---- sessions that the monitor has ended ---- */

struct worker_pool_disowned {
    TAILQ_ENTRY(worker_pool_disowned) link;
    uint64_t session;
    struct worker_pages *pages; /* its page's, which the worker still uses */
    uint32_t slot;
    bool told;      /* the worker has been asked to end it */
    unsigned beats; /* answered by the worker since */
};

static void worker_pool_disowned_notify(struct worker_process *w, struct worker_pool_disowned *d)
{
    const struct ipc_msg m = {.type = IPC_END, .session = d->session};

    if (!d->told) {
        const int err = ipc_send(w->channel_fd, &m, NULL, 0);

        d->told = err != -EAGAIN && err != -ENOBUFS;
    }
}

void worker_pool_disown(struct monitor_session *t)
{
    struct worker_process *w = t->member;
    struct worker_pool_disowned *d;

    if (!w || worker_pool_unsent(t, IPC_SESSION) || worker_pool_unsent(t, IPC_RESUME)) {
        return;
    }
    d = calloc(1, sizeof *d);
    if (!d) {
        /* Without an entry, its messages about the session would count as a breach of the rules. */
        worker_process_kill(w, REASON_NO_RESOURCES,
                            "has a session that cannot be ended without it");
        return;
    }
    d->session = t->id;
    d->pages = t->pages;
    d->slot = t->slot;
    t->pages = NULL;
    TAILQ_INSERT_TAIL(&w->disowned, d, link);
    worker_pool_disowned_notify(w, d);
}

void worker_pool_disown_unknown(struct worker_process *w, uint64_t session, bool dead)
{
    struct worker_pool_disowned *const d = calloc(1, sizeof *d);

    if (!d) {
        worker_process_kill(w, REASON_NO_RESOURCES,
                            "has a session that cannot be ended without it");
        return;
    }
    d->session = session;
    d->told = dead;
    TAILQ_INSERT_TAIL(&w->disowned, d, link);
    worker_pool_disowned_notify(w, d);
}

static void worker_pool_disowned_free(struct worker_process *w, struct worker_pool_disowned *d)
{
    TAILQ_REMOVE(&w->disowned, d, link);
    worker_pages_give_back(d->pages, d->slot);
    free(d);
}

bool worker_pool_disowned_message(struct worker_process *w, const struct ipc_msg *m, unsigned n_fds)
{
    struct worker_pool_disowned *d;

    TAILQ_FOREACH(d, &w->disowned, link)
    {
        if (d->session == m->session) {
            break;
        }
    }
    if (!d || n_fds > 0) {
        return false;
    }
    if (m->type == IPC_ENDED) {
        worker_pool_disowned_free(w, d);
    }
    return true;
}

/* Ends the disowned sessions of a worker that answers. Returns false if it fails to end them. */
static bool worker_pool_disowned_beat(struct worker_process *w)
{
    struct worker_pool_disowned *d;
    bool good = true;

    TAILQ_FOREACH(d, &w->disowned, link)
    {
        worker_pool_disowned_notify(w, d);
        good = good && ++d->beats <= LIMIT_DISOWNED_BEATS;
    }
    return good;
}

/* ---- heartbeats ---- */

void worker_pool_watch_begin(struct worker_process *w)
{
    heartbeat_start(&w->beat, clock_ms());
    w->ping_unsent = false;
    w->pings = 0;
    w->killed_beats = 0;
    w->end = REASON_WORKER_DIED;
}

void worker_pool_watch_end(struct worker_process *w)
{
    struct worker_pool_disowned *d;

    while ((d = TAILQ_FIRST(&w->disowned))) {
        worker_pool_disowned_free(w, d);
    }
    w->ping_unsent = false;
}

bool worker_pool_post_ping(struct worker_process *w)
{
    const struct ipc_msg m = {.type = IPC_PING,
                              .u.ping = {.log_level = log_level_get(),
                                         .orphan_ms = w->worker_pool->context->config->orphan_ms}};

    if (!w->ping_unsent) {
        return true;
    }
    /* Any error other than a full channel: the worker is dying, and SIGCHLD follows. */
    if (worker_process_must_wait(w, ipc_send(w->channel_fd, &m, NULL, 0))) {
        return false;
    }
    w->ping_unsent = false;
    w->pings++;
    return true;
}

bool worker_pool_pong(struct worker_process *w)
{
    if (w->pings == 0) {
        return false;
    }
    w->pings--;
    return true;
}

bool worker_pool_heard(struct worker_process *w)
{
    const bool was_late = heartbeat_late(&w->beat);

    /* Until it is ready, the time to start applies. */
    if (!w->ready) {
        return false;
    }
    heartbeat_heard(&w->beat);
    return was_late;
}

bool worker_pool_answers(const struct monitor_session *t)
{
    return t->member && worker_process_takes_work(t->member);
}

bool worker_pool_has_other(const struct monitor_session *t)
{
    const struct worker_pool *const c = t->table->workers;

    for (unsigned i = 0; i < c->n; i++) {
        const struct worker_process *w = &c->members[i];

        if (w != t->member && w->ready && worker_process_takes_work(w)) {
            return true;
        }
    }
    return false;
}

/* Collects a killed process that the kernel held, once it ends. */
static void worker_pool_orphan_died(struct child *c, int status)
{
    (void)status;
    log_info("worker pid=%ld has exited after all", (long)c->pid);
    free(c);
}

/* Goes on without waiting for the end of a process that has been killed. */
static void worker_pool_leave_behind(struct worker_process *w)
{
    struct child *orphan = calloc(1, sizeof *orphan);

    if (!orphan) {
        return;
    }
    log_error("worker pid=%ld was killed but does not exit, because the kernel holds it; leaving "
              "it behind",
              (long)w->pid);
    children_replace(&w->worker_pool->context->children, &w->child, orphan, worker_pool_orphan_died,
                     NULL);
    w->gone_pid = w->pid;
    w->pid = -1;
    worker_process_gone(w);
}

void worker_pool_watch_beat(struct worker_process *w)
{
    struct heartbeat_sample sample;

    if (w->pid <= 0) {
        return;
    }
    if (w->killed_beats > 0) {
        if (w->killed_beats++ > LIMIT_KILLED_BEATS) {
            worker_pool_leave_behind(w);
        }
        return;
    }
    heartbeat_look(w->pid, &sample);
    switch (heartbeat_beat(&w->beat, clock_ms(), &sample)) {
    case HEARTBEAT_ASK:
        if (!worker_pool_disowned_beat(w)) {
            worker_process_kill(w, REASON_WORKER_HUNG, "did not end a session on request");
            return;
        }
        w->ping_unsent = true;
        (void)worker_pool_post_ping(w);
        break;
    case HEARTBEAT_WAIT:
        log_debug("worker pid=%ld has not answered for %u ms (state %c)", (long)w->pid,
                  w->beat.silent_ms + w->beat.held_ms, sample.state ? sample.state : '?');
        break;
    case HEARTBEAT_HUNG:
        worker_process_kill(w, REASON_WORKER_HUNG,
                            w->ready ? "hangs: it has not answered for 2 s"
                                     : "did not start in time");
        break;
    }
}
