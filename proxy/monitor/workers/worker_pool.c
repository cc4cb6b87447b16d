/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Relay workers, from the monitor's side: processes, channels, outboxes. */
#define _GNU_SOURCE
#include "proxy/monitor/workers/worker_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/backoff.h"
#include "base/fdset.h"
#include "base/sock.h"
#include "proxy/ipc/turn.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session_inject.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/workers/worker_pool_adopt.h"
#include "proxy/monitor/workers/worker_pool_count.h"
#include "proxy/monitor/workers/worker_pool_keep.h"
#include "proxy/monitor/workers/worker_pool_limits.h"
#include "proxy/monitor/workers/worker_pool_linger.h"
#include "proxy/monitor/workers/worker_pool_message.h"
#include "proxy/monitor/workers/worker_pool_outbox.h"
#include "proxy/monitor/workers/worker_pool_refuse.h"
#include "proxy/monitor/workers/worker_pool_resume.h"
#include "proxy/config/worker_pool_settings.h"
#include "proxy/monitor/workers/worker_pool_watch.h"

/* Messages received from one worker in a turn, so that a flood from one does not stop the loop. */
#define TURN 64

void worker_pool_observe(struct worker_pool *c, const struct worker_pool_events *events, void *arg)
{
    OBSERVERS_ADD(&c->observers, events, arg);
}

/* ---- giving sessions ---- */

static void worker_pool_assign(struct worker_process *w, struct monitor_session *t)
{
    const bool resumes = worker_pool_unsent(t, IPC_RESUME);

    if (!worker_pool_resume_place(w, t)) {
        monitor_session_end(t, t->lost_by, NULL);
        return;
    }
    if (!resumes) {
        worker_pool_message_senders(t);
    }
    t->member = w;
    w->sessions++;
    t->route->relayed++;
    TAILQ_INSERT_TAIL(&w->monitor_sessions, t, member_link);
    monitor_session_assigned(t);
    t->unsent |= monitor_session_injects(t) ? 1u << IPC_INJECT : 0;
    worker_pool_outbox_send(t, resumes ? IPC_RESUME : IPC_SESSION);
}

void worker_pool_give(struct monitor_session *t)
{
    struct worker_process *w = worker_process_least_busy(t->table->workers);

    if (w) {
        worker_pool_assign(w, t);
    } else {
        worker_pool_outbox_wait(t);
    }
}

void worker_pool_move(struct monitor_session *t)
{
    const uint32_t kept = t->unsent & (1u << IPC_RECORDED);

    worker_pool_forget(t);
    t->leaving = false;
    t->resuming = true;
    t->unsent = kept | 1u << IPC_RESUME | (t->gone ? 1u << IPC_GONE : 0);
    worker_pool_give(t);
}

void worker_pool_take_waiting(struct worker_pool *c)
{
    struct worker_process *w;
    struct monitor_session *t;

    while ((t = TAILQ_FIRST(&c->waiting)) && (w = worker_process_least_busy(c))) {
        TAILQ_REMOVE(&c->waiting, t, outbox_link);
        t->in_outbox = false;
        worker_pool_assign(w, t);
        if (turn_is_long()) {
            event_active(c->take, 0, 0);
            return;
        }
    }
    worker_pool_refusals_resume(c);
}

static void worker_pool_on_take(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    worker_pool_take_waiting(arg);
}

/* ---- receiving ---- */

/* The worker has sent something, so it answers. */
static void worker_pool_hear(struct worker_process *w)
{
    if (worker_pool_heard(w)) {
        worker_pool_take_waiting(w->worker_pool);
    }
}

static void worker_pool_ready(struct worker_process *w)
{
    w->ready = true;
    w->false_starts = 0;
    worker_pool_hear(w);
    OBSERVERS_NOTIFY(&w->worker_pool->observers, ready, w);
    worker_pool_take_waiting(w->worker_pool);
}

/* The worker has let go of the session between two messages. Returns false if it must not. */
static bool worker_pool_handed_over(struct worker_process *w, struct monitor_session *t)
{
    if (!t->leaving) {
        return false;
    }
    w->gone_pid = w->pid;
    w->in_hand = 0;
    if (worker_pool_resume(w, t, REASON_UPGRADE)) {
        worker_pool_move(t);
    }
    return true;
}

/* Dispatches a message that names the session t; takes the fds that it keeps. False: a fault. */
static bool worker_pool_dispatch_session(struct worker_process *w, struct monitor_session *t,
                                         const struct ipc_msg *m, struct fdset *fds)
{
    switch ((enum ipc_type)m->type) {
    case IPC_HEARD:
        monitor_session_heard(t, (uint16_t)m->u.heard.id);
        break;
    case IPC_EVIDENCE:
        return ipc_evidence_sound(&m->u.evidence) && monitor_session_evidence(t, &m->u.evidence);
    case IPC_LOST:
    case IPC_ATTACHED:
    case IPC_DETACHED:
    case IPC_REPLACED:
        return monitor_session_device(t, m);
    case IPC_TAINT:
        if (!ipc_taint_sound(&m->u.taint)) {
            return false;
        }
        t->taint_of[m->u.taint.by] |= m->u.taint.bits;
        monitor_session_taint(t, m->u.taint.bits);
        break;
    case IPC_EXPORT:
        if (!ipc_export_sound(&m->u.exports) || worker_pool_exporting(t)) {
            return false;
        }
        monitor_session_exported(t, &m->u.exports);
        break;
    case IPC_TWIN:
        /* One that another monitor has started sends this again. */
        return worker_pool_resume_twin_take(t, fds) || w->adopted;
    case IPC_RESUMED:
        return worker_pool_resumed(t, &m->u.resumed) || w->adopted;
    case IPC_HANDED_OVER:
        return worker_pool_handed_over(w, t);
    case IPC_ENDED:
        if (m->u.ended.reason >= REASON_COUNT) {
            return false;
        }
        worker_pool_linger(w, t, m->u.ended.unread);
        monitor_session_count_overdue(t, m->u.ended.overdue);
        monitor_session_end(t, (enum session_reason)m->u.ended.reason, &m->u.ended);
        break;
    default:
        return false;
    }
    return true;
}

/* Dispatches a message of the worker itself. Returns false if it broke the rules. */
static bool worker_pool_dispatch_own(struct worker_process *w, const struct ipc_msg *m)
{
    switch ((enum ipc_type)m->type) {
    case IPC_READY:
        worker_pool_ready(w);
        break;
    case IPC_PONG:
        return worker_pool_pong(w);
    case IPC_TURNED_AWAY:
        return worker_pool_refused(w, m->u.turned_away.number);
    case IPC_COUNTS:
        if (!w->counting || !ipc_counts_sound(&m->u.counts)) {
            return false;
        }
        worker_pool_take_counts(w, &m->u.counts);
        break;
    case IPC_ADOPTED:
        return worker_pool_adopted(w, &m->u.adopted);
    case IPC_RECEIVED:
        return worker_pool_linger_over(w, m->session);
    default:
        return false;
    }
    return true;
}

/* Dispatches one message from a worker. Returns false if it broke the rules. */
static bool worker_pool_dispatch(struct worker_process *w, const struct ipc_msg *m,
                                 struct fdset *fds)
{
    struct monitor_session *t;

    if (worker_pool_adopt_ignores(w, m)) {
        return true;
    }
    if (!ipc_names_session(m->type)) {
        return ipc_legal(m->type, IPC_FROM_WORKER, fds->n, SESSION_DEAD) &&
               worker_pool_dispatch_own(w, m);
    }
    t = worker_pool_session(w, m->session);
    if (!t) {
        return worker_pool_disowned_message(w, m, fds->n);
    }
    return ipc_legal(m->type, IPC_FROM_WORKER, fds->n, t->state) &&
           worker_pool_dispatch_session(w, t, m, fds);
}

/* Receives one message. Returns false if there is none now, or never will be again. */
static bool worker_pool_member_read_one(struct worker_process *w)
{
    struct fdset fds;
    struct ipc_msg m;
    bool good;
    int r;

    fdset_init(&fds);
    r = ipc_recv(w->channel_fd, &m, &fds);
    good = r == 1 && worker_pool_dispatch(w, &m, &fds);
    fdset_close(&fds);
    if (r == -EAGAIN || r == -ENOBUFS) {
        return false;
    }
    if (r == 0 || r == -ECONNRESET) {
        /* EOF or an empty message: kill it either way. */
        event_del(w->readable);
        if (w->pid > 0 && !w->worker_pool->context->stopping) {
            children_signal(&w->child, SIGKILL);
        }
        return false;
    }
    if (!good) {
        worker_process_kill(w, REASON_WORKER_DIED, "sent an illegal message");
        return false;
    }
    worker_pool_hear(w);
    return true;
}

static void worker_pool_member_read(struct worker_process *w)
{
    for (int i = 0; i < TURN && (i == 0 || !turn_is_long()) && worker_pool_member_read_one(w);
         i++) {
    }
}

static void worker_pool_on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    if (worker_pool_adopt_post(arg) && worker_pool_post_ping(arg)) {
        worker_pool_outbox_flush(arg);
    }
}

static void worker_pool_on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    worker_pool_member_read(arg);
}

/* ---- starting ---- */

int worker_pool_member_events(struct worker_process *w)
{
    struct event_base *base = w->worker_pool->context->base;

    w->readable = event_new(base, w->channel_fd, EV_READ | EV_PERSIST, worker_pool_on_readable, w);
    w->writable = event_new(base, w->channel_fd, EV_WRITE, worker_pool_on_writable, w);
    w->retry = evtimer_new(base, worker_pool_on_writable, w);
    if (!w->readable || !w->writable || !w->retry || event_add(w->readable, NULL) < 0) {
        return -ENOMEM;
    }
    return 0;
}

void worker_pool_member_close(struct worker_process *w)
{
    worker_pool_linger_forget(w);
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): w is one of the pool's members. */
    if (w->readable) {
        event_free(w->readable);
        w->readable = NULL;
    }
    if (w->writable) {
        event_free(w->writable);
        w->writable = NULL;
    }
    if (w->retry) {
        event_free(w->retry);
        w->retry = NULL;
    }
    worker_pool_keep_closed(w);
    sock_close(&w->channel_fd);
    sock_close(&w->ring_fd);
    sock_close(&w->bell_fd);
    worker_process_silent(w);
    worker_pages_release(w->pages);
    w->pages = NULL;
    w->ready = false;
    w->adopted = false;
    w->adopting = false;
    worker_pool_watch_end(w);
    w->longest_turn_us = 0;
    if (w->counting) {
        worker_process_counted(w);
    }
}

/* Returns the slots that a worker needs if it has all sessions, and others that are ending. */
static uint32_t worker_pool_slots(const struct worker_pool *c)
{
    return c->context->config->most_sessions + LIMIT_REFUSALS;
}

/* Forks the worker and watches it. Returns 0 or -errno. */
static int worker_pool_member_fork(struct worker_process *w, int channel_fd)
{
    struct children *const children = &w->worker_pool->context->children;
    int err = children_fork_begin(children);
    int pidfd = -1;

    if (err) {
        return err;
    }
    err = worker_process_fork(w, channel_fd, children_are_siblings(children) ? &pidfd : NULL);
    if (!err) {
        err = children_add_take(children, &w->child, w->pid, pidfd, false, worker_pool_member_died,
                                w);
    }
    children_fork_end(children);
    if (err) {
        w->pid = -1;
    }
    return err;
}

static int worker_pool_member_start(struct worker_process *w)
{
    int pair[2];
    int err = worker_process_channel(pair);

    if (err) {
        return err;
    }
    w->channel_fd = pair[0];
    err = worker_process_pages(w, worker_pool_slots(w->worker_pool));
    err = err ? err : worker_pool_member_events(w);
    if (!err) {
        err = worker_pool_member_fork(w, pair[1]);
    }
    close(pair[1]);
    if (err) {
        worker_pool_member_close(w);
        return err;
    }
    worker_pool_keep(w);
    worker_pool_watch_begin(w);
    log_debug("worker pid=%ld started", (long)w->pid);
    OBSERVERS_NOTIFY(&w->worker_pool->observers, started, w);
    return 0;
}

/* ---- dying ---- */

static void worker_pool_respawn_later(struct worker_process *w, bool was_ready)
{
    unsigned ms = 0;
    struct timeval tv;

    /*
     * A worker that was ready died at work: start another at once. Not if it could not even take
     * over its sessions, so that a fault there does not take all the time of a CPU.
     */
    if (!was_ready || (w->in_hand && w->in_hand_way == SESSION_PAGE_RESUMING)) {
        ms = backoff_ms(w->false_starts++);
    }
    tv = clock_timeval(ms);
    evtimer_add(w->respawn, &tv);
}

static void worker_pool_on_respawn(evutil_socket_t fd, short what, void *arg)
{
    struct worker_process *w = arg;
    const int err = worker_pool_member_start(w);

    (void)fd;
    (void)what;
    if (err) {
        log_error("cannot start a worker: %s", strerror(-err));
        worker_pool_respawn_later(w, false);
        return;
    }
    worker_pool_take_waiting(w->worker_pool);
}

/* Nothing is left of a worker that has gone: starts another one in its place. */
static void worker_pool_buried(struct worker_process *w)
{
    struct worker_pool *const c = w->worker_pool;
    const bool was_ready = w->ready;

    w->burying = false;
    worker_pool_refusals_lost(w);
    worker_pool_member_close(w);
    OBSERVERS_NOTIFY(&c->observers, gone, w, was_ready);
    if (!c->context->stopping && !w->retires) {
        worker_pool_respawn_later(w, was_ready);
    }
}

/*
 * Receives the worker's last messages, then has its sessions go on elsewhere or end, as much as
 * fits a turn.
 */
static void worker_pool_on_bury(evutil_socket_t fd, short what, void *arg)
{
    struct worker_process *const w = arg;
    const bool stopping = w->worker_pool->context->stopping;
    struct monitor_session *t;
    bool heard;

    (void)fd;
    (void)what;
    do {
        heard = !worker_pool_member_read_one(w);
    } while (!heard && !turn_is_long());
    if (heard) {
        worker_pool_resume_begin(w);
    }
    while (heard && (t = TAILQ_FIRST(&w->monitor_sessions))) {
        if (worker_pool_resume(w, t, stopping ? REASON_SHUTDOWN : w->end)) {
            worker_pool_move(t);
        }
        if (turn_is_long()) {
            break;
        }
    }
    if (heard && TAILQ_EMPTY(&w->monitor_sessions)) {
        worker_pool_buried(w);
    } else {
        event_active(w->bury, 0, 0);
    }
}

/* The process has ended. */
void worker_pool_member_died(struct child *c, int status)
{
    struct worker_process *w = c->arg;

    if (w->retires && status == 0) {
        log_info("worker pid=%ld of the earlier program has exited", (long)w->pid);
    } else if (!w->worker_pool->context->stopping) {
        log_error("worker pid=%ld %s %d; it had %u sessions", (long)w->pid,
                  WIFSIGNALED(status) ? "was killed by signal" : "exited with status",
                  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), w->sessions);
    }
    /* The pid may be reused from now on. */
    w->gone_pid = w->pid;
    w->pid = -1;
    worker_pool_keep_died(w);
    worker_process_gone(w);
}

/* ---- all of them ---- */

bool worker_pool_all_gone(const struct worker_pool *c)
{
    for (unsigned i = 0; i < c->n; i++) {
        if (c->members[i].pid > 0 || c->members[i].burying) {
            return false;
        }
    }
    return true;
}

/* The session is over: takes it from its worker. */
static void worker_pool_on_ended(void *arg, struct monitor_session *t, enum session_reason reason,
                                 const struct ipc_ended *what)
{
    (void)arg;
    (void)reason;
    (void)what;
    worker_pool_forget(t);
    worker_pool_resume_forget(t);
}

void worker_pool_init(struct worker_pool *c, struct monitor_context *context,
                      struct monitor_session_table *sessions)
{
    static const struct monitor_session_events events = {.ended = worker_pool_on_ended};

    *c = (struct worker_pool){
        .context = context, .sessions = sessions, .exe_fd = -1, .settings_fd = -1};
    TAILQ_INIT(&c->waiting);
    TAILQ_INIT(&c->refusals);
    monitor_session_observe(sessions, &events, c);
}

/* Initializes the next place, without a process. Returns 0 or -ENOMEM. */
static int worker_pool_make_place(struct worker_pool *c)
{
    struct worker_process *const w = &c->members[c->n];

    *w = (struct worker_process){.worker_pool = c,
                                 .number = c->n,
                                 .pid = -1,
                                 .channel_fd = -1,
                                 .ring_fd = -1,
                                 .bell_fd = -1};
    TAILQ_INIT(&w->monitor_sessions);
    TAILQ_INIT(&w->outbox);
    TAILQ_INIT(&w->disowned);
    w->respawn = evtimer_new(c->context->base, worker_pool_on_respawn, w);
    w->bury = event_new(c->context->base, -1, 0, worker_pool_on_bury, w);
    c->n++;
    return w->respawn && w->bury ? 0 : -ENOMEM;
}

int worker_pool_make_places(struct worker_pool *c)
{
    int err = 0;

    if (c->members) {
        return 0;
    }
    c->n_own = c->context->config->workers;
    c->members = calloc(c->n_own + LIMIT_WORKERS, sizeof *c->members);
    c->take = event_new(c->context->base, -1, 0, worker_pool_on_take, c);
    if (!c->members || !c->take) {
        return -ENOMEM;
    }
    while (!err && c->n < c->n_own) {
        err = worker_pool_make_place(c);
    }
    return err;
}

struct worker_process *worker_pool_add_place(struct worker_pool *c)
{
    if (c->n == c->n_own + LIMIT_WORKERS || worker_pool_make_place(c) < 0) {
        return NULL;
    }
    return &c->members[c->n - 1];
}

int worker_pool_start(struct worker_pool *c, const struct poem *poem)
{
    const struct config *const config = c->context->config;
    int err = worker_pool_make_places(c);

    if (err) {
        return err;
    }
    /* By fd: an upgrade that replaces the file must not give us workers of another version. */
    c->exe_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (c->exe_fd < 0) {
        return -errno;
    }
    worker_pool_limits_note(c);
    c->settings_fd = worker_pool_settings_write(config, poem, c->context->monitors);
    if (c->settings_fd < 0) {
        return c->settings_fd;
    }
    for (unsigned i = 0; i < c->n_own && !err; i++) {
        if (c->members[i].pid < 0) {
            err = worker_pool_member_start(&c->members[i]);
        }
    }
    return err;
}

void worker_pool_deinit(struct worker_pool *c)
{
    if (c->members) {
        worker_pool_refusals_free(c);
    }
    for (unsigned i = 0; i < c->n; i++) {
        worker_pool_member_close(&c->members[i]);
        if (c->members[i].respawn) {
            event_free(c->members[i].respawn);
        }
        if (c->members[i].bury) {
            event_free(c->members[i].bury);
        }
    }
    free(c->members);
    c->members = NULL;
    c->n = 0;
    if (c->take) {
        event_free(c->take);
        c->take = NULL;
    }
    sock_close(&c->exe_fd);
    sock_close(&c->settings_fd);
}

void worker_pool_quit(struct worker_pool *c)
{
    const struct ipc_msg m = {.type = IPC_QUIT};

    for (unsigned i = 0; i < c->n; i++) {
        struct worker_process *w = &c->members[i];

        evtimer_del(w->respawn);
        /* If the channel is full the worker does not receive this; the timeout kills it. */
        if (w->channel_fd >= 0 && ipc_send(w->channel_fd, &m, NULL, 0) < 0) {
            log_debug("worker pid=%ld cannot be asked to quit", (long)w->pid);
        }
    }
}

bool worker_pool_all_ready(const struct worker_pool *c)
{
    for (unsigned i = 0; i < c->n_own; i++) {
        if (!c->members[i].ready) {
            return false;
        }
    }
    return true;
}

void worker_pool_beat(struct worker_pool *c)
{
    for (unsigned i = 0; i < c->n; i++) {
        worker_pool_watch_beat(&c->members[i]);
        worker_pool_adopt_beat(&c->members[i]);
    }
    worker_pool_refusals_beat(c);
}
