/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Workers that hang: asked, found out, killed; and sessions that are ended without their worker.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"

#include "proxy/monitor/crew_parts.h"
#include "proxy/monitor/monitor.h"

/* ---- sessions that the monitor has ended ---- */

struct crew_disowned {
    TAILQ_ENTRY(crew_disowned) link;
    uint64_t session;
    bool told;      /* the worker has been asked to end it */
    unsigned beats; /* that the worker has answered since */
};

static void crew_disowned_tell(struct crew_member *w, struct crew_disowned *d)
{
    const struct ipc_msg m = {.type = IPC_END, .session = d->session};

    if (!d->told) {
        const int err = ipc_send(w->channel_fd, &m, NULL, 0);

        d->told = err != -EAGAIN && err != -ENOBUFS;
    }
}

void crew_disown(struct ticket *t)
{
    struct crew_member *w = t->member;
    struct crew_disowned *d;

    if (!w || crew_unsent(t, IPC_SESSION)) {
        return;
    }
    d = calloc(1, sizeof *d);
    if (!d) {
        /* What it says of the session could not be told from a lie. */
        crew_kill(w, REASON_NO_RESOURCES, "has a session that cannot be taken from it");
        return;
    }
    d->session = t->id;
    TAILQ_INSERT_TAIL(&w->disowned, d, link);
    crew_disowned_tell(w, d);
}

bool crew_disowned_said(struct crew_member *w, const struct ipc_msg *m, unsigned n_fds)
{
    struct crew_disowned *d;

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
        TAILQ_REMOVE(&w->disowned, d, link);
        free(d);
    }
    return true;
}

/* The worker answers: it is to be rid of them by and by. False: it is not. */
static bool crew_disowned_beat(struct crew_member *w)
{
    struct crew_disowned *d;
    bool good = true;

    TAILQ_FOREACH(d, &w->disowned, link)
    {
        crew_disowned_tell(w, d);
        good = good && ++d->beats <= LIMIT_DISOWNED_BEATS;
    }
    return good;
}

/* ---- heartbeats ---- */

void crew_watch_begin(struct crew_member *w)
{
    heartbeat_start(&w->beat, clock_ms());
    w->ping_unsent = false;
    w->pings = 0;
    w->killed_beats = 0;
    w->end = REASON_WORKER_DIED;
}

void crew_watch_end(struct crew_member *w)
{
    struct crew_disowned *d;

    while ((d = TAILQ_FIRST(&w->disowned))) {
        TAILQ_REMOVE(&w->disowned, d, link);
        free(d);
    }
    w->ping_unsent = false;
}

bool crew_post_ping(struct crew_member *w)
{
    const struct ipc_msg m = {.type = IPC_PING};

    if (!w->ping_unsent) {
        return true;
    }
    /* Any error but a full channel: it is dying, and SIGCHLD will tell. */
    if (crew_must_wait(w, ipc_send(w->channel_fd, &m, NULL, 0))) {
        return false;
    }
    w->ping_unsent = false;
    w->pings++;
    return true;
}

bool crew_pong(struct crew_member *w)
{
    if (w->pings == 0) {
        return false;
    }
    w->pings--;
    return true;
}

void crew_heard(struct crew_member *w)
{
    const bool was_late = heartbeat_late(&w->beat);

    /* Until it is ready it has its time to start. */
    if (!w->ready) {
        return;
    }
    heartbeat_heard(&w->beat);
    if (was_late) {
        crew_take_waiting(w->crew);
    }
}

bool crew_answers(const struct ticket *t)
{
    return t->member && crew_takes_work(t->member);
}

bool crew_has_other(const struct crew *c, const struct ticket *t)
{
    for (unsigned i = 0; i < c->n; i++) {
        const struct crew_member *w = &c->members[i];

        if (w != t->member && w->ready && crew_takes_work(w)) {
            return true;
        }
    }
    return false;
}

/* A process that the kernel holds, after it has been killed: collected whenever it goes. */
static void crew_orphan_died(struct child *c, int status)
{
    (void)status;
    log_info("worker pid=%ld has gone at last", (long)c->pid);
    free(c);
}

/* Goes on without waiting for the end of a process that has been killed. */
static void crew_leave_behind(struct crew_member *w)
{
    struct child *orphan = calloc(1, sizeof *orphan);

    if (!orphan) {
        return;
    }
    log_error("worker pid=%ld is killed and does not go: the kernel holds it; left behind",
              (long)w->pid);
    children_forget(&w->crew->monitor->children, &w->child);
    children_add(&w->crew->monitor->children, orphan, w->pid, false, crew_orphan_died, NULL);
    w->pid = -1;
    crew_gone(w);
}

static void crew_member_beat(struct crew_member *w)
{
    struct heartbeat_sample sample;

    if (w->pid <= 0) {
        return;
    }
    if (w->killed_beats > 0) {
        if (w->killed_beats++ > LIMIT_KILLED_BEATS) {
            crew_leave_behind(w);
        }
        return;
    }
    heartbeat_look(w->pid, &sample);
    switch (heartbeat_beat(&w->beat, clock_ms(), &sample)) {
    case HEARTBEAT_ASK:
        if (!crew_disowned_beat(w)) {
            crew_kill(w, REASON_WORKER_HUNG, "does not end a session that it has to end");
            return;
        }
        w->ping_unsent = true;
        (void)crew_post_ping(w);
        break;
    case HEARTBEAT_WAIT:
        log_debug("worker pid=%ld has not answered for %u ms (state %c)", (long)w->pid,
                  w->beat.silent_ms + w->beat.held_ms, sample.state ? sample.state : '?');
        break;
    case HEARTBEAT_HUNG:
        crew_kill(w, REASON_WORKER_HUNG,
                  w->ready ? "hangs: it has not answered for 2 s" : "does not start");
        break;
    }
}

void crew_beat(struct crew *c)
{
    for (unsigned i = 0; i < c->n; i++) {
        crew_member_beat(&c->members[i]);
    }
    crew_refusals_beat(c);
}
