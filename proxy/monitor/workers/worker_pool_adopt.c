/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The lists of sessions, compared with the monitor's. */
#include "proxy/monitor/workers/worker_pool_adopt.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/sock.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/workers/worker_pool_outbox.h"
#include "proxy/monitor/workers/worker_pool_refuse.h"
#include "proxy/monitor/workers/worker_pool_resume.h"
#include "proxy/monitor/workers/worker_pool_watch.h"

/* ---- beginning ---- */

/* Returns a place without a process; one that retires gets an additional one. */
static struct worker_process *worker_pool_adopt_place(struct worker_pool *c, bool retires)
{
    for (unsigned i = 0; i < c->n_own && !retires; i++) {
        if (c->members[i].pid < 0) {
            return &c->members[i];
        }
    }
    return worker_pool_add_place(c);
}

struct worker_process *worker_pool_adopt_take(struct worker_pool *c,
                                              const struct worker_pool_adoptee *a)
{
    int err = worker_pool_make_places(c);
    struct worker_process *const w = err ? NULL : worker_pool_adopt_place(c, a->retires);
    int channel_fd = a->channel_fd;

    if (!w) {
        sock_close(&channel_fd);
        return NULL;
    }
    w->channel_fd = channel_fd;
    err = worker_pool_member_events(w);
    if (!err) {
        err = children_adopt(&c->context->children, &w->child, a->pid, false,
                             worker_pool_member_died, w);
    }
    if (err) {
        worker_pool_member_close(w);
        return NULL;
    }
    w->pages = a->pages;
    w->tallies = worker_tallies_new(w->pages);
    w->pid = a->pid;
    worker_pool_watch_begin(w);
    w->ready = true;
    (void)worker_pool_heard(w);
    w->retires = w->number >= c->n_own;
    w->adopted = true;
    w->adopting = true;
    w->listing = false;
    w->listed = 0;
    w->adopt_unsent = true;
    (void)worker_pool_adopt_post(w);
    OBSERVERS_NOTIFY(&c->observers, started, w);
    return w;
}

void worker_pool_adopt_session(struct worker_process *w, struct monitor_session *t)
{
    t->member = w;
    w->sessions++;
    t->route->relayed++;
    TAILQ_INSERT_TAIL(&w->monitor_sessions, t, member_link);
}

bool worker_pool_adopt_post(struct worker_process *w)
{
    const struct ipc_msg m = {.type = IPC_ADOPT, .u.adopt.monitor = (uint32_t)getpid()};

    if (w->adopt_unsent && worker_process_must_wait(w, ipc_send(w->channel_fd, &m, NULL, 0))) {
        return false;
    }
    w->adopt_unsent = false;
    return true;
}

/* ---- what an earlier monitor was sent ---- */

bool worker_pool_adopt_ignores(const struct worker_process *w, const struct ipc_msg *m)
{
    const struct monitor_session *t;

    if (!w->adopting || w->listing || m->type == IPC_ADOPTED || m->type >= IPC_TYPES) {
        return false;
    }
    if (!ipc_names_session(m->type)) {
        return true;
    }
    switch ((enum ipc_type)m->type) {
    case IPC_EXPORT:
    case IPC_EVIDENCE:
    case IPC_HANDED_OVER:
    case IPC_LOST:
    case IPC_ATTACHED:
    case IPC_DETACHED:
        return true;
    default:
        t = monitor_session_find(w->worker_pool->sessions, m->session);
        return !t || t->member != w ||
               !ipc_legal(m->type, IPC_FROM_WORKER, m->type == IPC_TWIN ? SIDES : 0, t->state);
    }
}

/* ---- the list ---- */

static void worker_pool_adopt_listed(struct worker_process *w, const struct ipc_held *held)
{
    struct monitor_session *const t = monitor_session_find(w->worker_pool->sessions, held->session);
    const bool relays = held->state == SESSION_RELAYING || held->state == SESSION_DRAINING;

    if (!t || t->member != w) {
        worker_pool_disown_unknown(w, held->session, held->state == SESSION_DEAD);
        return;
    }
    t->listed = true;
    worker_tallies_claim(w->tallies, t->route->number, held->tally);
    if (relays && t->state == SESSION_RELAYING) {
        t->unsent |= (t->gone ? 1u << IPC_GONE : 0) | (t->ending ? 1u << IPC_END : 0);
        worker_pool_outbox_send(t, IPC_TAP);
    } else if (relays) {
        /* It relays without a verdict that was recorded. */
        worker_pool_disown(t);
        monitor_session_end(t, REASON_MONITOR_GONE, NULL);
    }
    /* The end of any other one is on its way: the worker has refused it, or it is dead. */
}

/* The worker has not the session that the earlier monitor had given it. */
static void worker_pool_adopt_unlisted(struct worker_process *w, struct monitor_session *t)
{
    if (t->state != SESSION_RELAYING) {
        worker_pool_lost(t, REASON_MONITOR_GONE);
    } else if (t->resuming) {
        /* The page is still as the earlier monitor put it there. */
        worker_pool_outbox_send(t, IPC_RESUME);
    } else {
        /* It was handed over; or its end was reported to the earlier monitor only: then it ends at
         * once in the next worker, which sees that the worker has hung up. */
        w->gone_pid = w->pid;
        w->in_hand = 0;
        if (worker_pool_resume(w, t, REASON_MONITOR_GONE)) {
            worker_pool_move(t);
        }
    }
}

/* The worker's list is complete. */
static void worker_pool_adopt_done(struct worker_process *w)
{
    struct monitor_session *t;
    struct monitor_session *next;

    w->adopting = false;
    TAILQ_FOREACH_SAFE(t, &w->monitor_sessions, member_link, next)
    {
        if (!t->listed) {
            worker_pool_adopt_unlisted(w, t);
        }
    }
    log_info("worker pid=%ld goes on with this monitor; it has %u session%s", (long)w->pid,
             w->sessions, w->sessions == 1 ? "" : "s");
    OBSERVERS_NOTIFY(&w->worker_pool->observers, ready, w);
    worker_pool_take_waiting(w->worker_pool);
}

bool worker_pool_adopted(struct worker_process *w, const struct ipc_adopted *a)
{
    if (!w->adopting || !ipc_adopted_sound(a)) {
        return false;
    }
    w->listing = true;
    for (uint32_t i = 0; i < a->n; i++) {
        if (a->held[i].session <= w->listed) {
            return false;
        }
        w->listed = a->held[i].session;
        worker_pool_adopt_listed(w, &a->held[i]);
    }
    if (a->last) {
        worker_pool_adopt_done(w);
    }
    return true;
}

/* ---- retiring ---- */

static void worker_pool_adopt_quit(struct worker_process *w)
{
    const struct ipc_msg m = {.type = IPC_QUIT};

    /* If the channel is full, there is another beat. */
    if (ipc_send(w->channel_fd, &m, NULL, 0) < 0) {
        log_debug("worker pid=%ld cannot be asked to quit", (long)w->pid);
    }
}

void worker_pool_adopt_beat(struct worker_process *w)
{
    struct monitor_session *t;

    if (!w->retires || w->adopting || w->pid <= 0 || w->killed_beats > 0 ||
        !worker_process_own_takes_work(w->worker_pool)) {
        return;
    }
    if (w->sessions == 0 && TAILQ_EMPTY(&w->disowned) && SLIST_EMPTY(&w->lingering)) {
        worker_pool_adopt_quit(w);
    }
    TAILQ_FOREACH(t, &w->monitor_sessions, member_link)
    {
        if (t->state == SESSION_RELAYING && !t->leaving && !t->resuming && !t->ending) {
            t->leaving = true;
            worker_pool_outbox_send(t, IPC_HAND_OVER);
        }
    }
}
