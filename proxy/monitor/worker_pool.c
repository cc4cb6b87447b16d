/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Relay workers, from the monitor's side: processes, channels, outboxes.
 */
#define _GNU_SOURCE
#include "proxy/monitor/worker_pool.h"

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

#include "base/confine/confine.h"
#include "base/fdset.h"
#include "base/sock.h"
#include "proxy/monitor/control/control.h"
#include "proxy/monitor/worker_pool_count.h"
#include "proxy/monitor/worker_pool_parts.h"
#include "proxy/monitor/worker_pool_settings.h"
#include "proxy/monitor/decision.h"
#include "proxy/monitor/monitor.h"
#include "proxy/monitor/tracing/tracing.h"
#include "proxy/ipc/turn.h"
#include "proxy/ipc/worker_settings.h"

/* Messages received from one worker in a turn, so that a flood from one does not stop the loop. */
#define TURN 64

/* The number of the worker's program between fork and exec. */
#define CHILD_EXE_FD (WORKER_SETTINGS_FD + 1)

/* ---- sending ---- */

static void worker_pool_outbox_add(struct monitor_session_list *list, struct monitor_session *t)
{
    t->in_outbox = true;
    TAILQ_INSERT_TAIL(list, t, outbox_link);
}

static struct monitor_session_list *worker_pool_outbox_of(struct worker_pool *c,
                                                          const struct monitor_session *t)
{
    return t->member ? &t->member->outbox : &c->waiting;
}

/* The delay before the next try if memory, or the kernel's count of fds in flight, ran out. */
static const struct timeval worker_pool_retry_time = {.tv_usec = 20000};

bool worker_pool_must_wait(struct worker_process *w, int err)
{
    if (err == -EAGAIN) {
        event_add(w->writable, NULL);
    } else if (err == -ENOBUFS) {
        event_add(w->retry, &worker_pool_retry_time);
    }
    return err == -EAGAIN || err == -ENOBUFS;
}

/* Sends unsent messages, in this order. Returns false if the rest must be sent later. */
static bool worker_pool_post(struct worker_process *w, struct monitor_session *t)
{
    static const enum ipc_type types[] = {IPC_SESSION, IPC_TAP,      IPC_GONE,
                                          IPC_VERDICT, IPC_RECORDED, IPC_END};
    const int fds[2] = {t->client_fd, t->backend_fd};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const enum ipc_type type = types[i];

        if (!worker_pool_unsent(t, type)) {
            continue;
        }
        const struct ipc_msg m = worker_pool_message(t, type);

        /* Any other error: the worker is dying, and SIGCHLD ends all its sessions. */
        if (worker_pool_must_wait(w,
                                  ipc_send(w->channel_fd, &m, fds, type == IPC_SESSION ? 2 : 0))) {
            return false;
        }
        if (type == IPC_SESSION) {
            monitor_session_handed_over(t);
        }
        t->unsent &= ~(1u << type);
    }
    return true;
}

bool worker_pool_unsent(const struct monitor_session *t, enum ipc_type type)
{
    return t->unsent & (1u << type);
}

/* Sends the waiting ring, before sessions that write to it. Returns false if it must wait. */
static bool worker_pool_post_ring(struct worker_process *w)
{
    const struct ipc_msg m = {.type = IPC_RING};
    const int fds[2] = {w->ring_fd, w->bell_fd};

    if (w->ring_fd < 0) {
        return true;
    }
    if (worker_pool_must_wait(w, ipc_send(w->channel_fd, &m, fds, 2))) {
        return false;
    }
    sock_close(&w->ring_fd);
    sock_close(&w->bell_fd);
    return true;
}

void worker_pool_ring_take(struct worker_process *w, int ring_fd, int bell_fd)
{
    sock_close(&w->ring_fd);
    sock_close(&w->bell_fd);
    w->ring_fd = ring_fd;
    w->bell_fd = bell_fd;
    (void)worker_pool_post_ring(w);
}

static void worker_pool_send_or_keep(struct worker_process *w, struct monitor_session *t,
                                     enum ipc_type type)
{
    if (w->burying) {
        return;
    }
    t->unsent |= 1u << type;
    if (t->in_outbox ||
        (TAILQ_EMPTY(&w->outbox) && worker_pool_post_ring(w) && worker_pool_post(w, t))) {
        return;
    }
    worker_pool_outbox_add(&w->outbox, t);
}

static void worker_pool_on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct worker_process *w = arg;
    struct monitor_session *t;

    (void)fd;
    (void)what;
    if (!worker_pool_post_ping(w) || !worker_pool_post_ring(w)) {
        return;
    }
    while ((t = TAILQ_FIRST(&w->outbox))) {
        if (!worker_pool_post(w, t)) {
            return;
        }
        TAILQ_REMOVE(&w->outbox, t, outbox_link);
        t->in_outbox = false;
    }
}

bool worker_pool_takes_work(const struct worker_process *w)
{
    return w->pid > 0 && w->channel_fd >= 0 && w->killed_beats == 0 && !heartbeat_late(&w->beat);
}

struct worker_process *worker_pool_least_busy(struct worker_pool *c)
{
    struct worker_process *best = NULL;

    for (unsigned i = 0; i < c->n; i++) {
        struct worker_process *w = &c->members[i];

        if (worker_pool_takes_work(w) && (!best || w->sessions < best->sessions)) {
            best = w;
        }
    }
    return best;
}

static void worker_pool_assign(struct worker_process *w, struct monitor_session *t)
{
    t->member = w;
    w->sessions++;
    t->route->relayed++;
    TAILQ_INSERT_TAIL(&w->monitor_sessions, t, member_link);
    tracing_session_begins(w->worker_pool->monitor, t);
    worker_pool_send_or_keep(w, t, IPC_SESSION);
}

void worker_pool_give(struct worker_pool *c, struct monitor_session *t)
{
    struct worker_process *w = worker_pool_least_busy(c);

    if (w) {
        worker_pool_assign(w, t);
    } else {
        worker_pool_outbox_add(&c->waiting, t);
    }
}

void worker_pool_verdict(struct worker_pool *c, struct monitor_session *t, int err)
{
    (void)c;
    t->verdict_err = err;
    worker_pool_send_or_keep(t->member, t, IPC_VERDICT);
}

void worker_pool_recorded(struct worker_pool *c, struct monitor_session *t)
{
    (void)c;
    worker_pool_send_or_keep(t->member, t, IPC_RECORDED);
}

void worker_pool_tap(struct worker_pool *c, struct monitor_session *t)
{
    (void)c;
    worker_pool_send_or_keep(t->member, t, IPC_TAP);
}

void worker_pool_peer_gone(struct monitor_session *t)
{
    if (t->member) {
        worker_pool_send_or_keep(t->member, t, IPC_GONE);
    } else {
        /* Follows IPC_SESSION, once there is a worker. */
        t->unsent |= 1u << IPC_GONE;
    }
}

void worker_pool_end(struct worker_pool *c, struct monitor_session *t)
{
    (void)c;
    worker_pool_send_or_keep(t->member, t, IPC_END);
}

void worker_pool_forget(struct worker_pool *c, struct monitor_session *t)
{
    if (t->in_outbox) {
        TAILQ_REMOVE(worker_pool_outbox_of(c, t), t, outbox_link);
        t->in_outbox = false;
    }
    if (t->member) {
        TAILQ_REMOVE(&t->member->monitor_sessions, t, member_link);
        t->member->sessions--;
        t->route->relayed--;
        t->member = NULL;
    }
}

/* ---- receiving ---- */

struct monitor_session *worker_pool_ticket(struct worker_process *w, uint64_t id)
{
    struct monitor_session *const t = monitor_session_find(w->worker_pool->monitor, id);

    return t && t->member == w ? t : NULL;
}

static void worker_pool_ready(struct worker_process *w)
{
    w->ready = true;
    w->false_starts = 0;
    worker_pool_heard(w);
    monitor_worker_ready(w->worker_pool->monitor);
    worker_pool_take_waiting(w->worker_pool);
}

/* Dispatches one message from a worker. Returns false if it broke the rules. */
static bool worker_pool_dispatch(struct worker_process *w, const struct ipc_msg *m, unsigned n_fds)
{
    struct monitor_session *t =
        ipc_names_session(m->type) ? worker_pool_ticket(w, m->session) : NULL;

    if (ipc_names_session(m->type) && !t) {
        return worker_pool_disowned_said(w, m, n_fds);
    }
    if (!ipc_legal(m->type, IPC_FROM_WORKER, n_fds, t ? t->state : SESSION_DEAD)) {
        return false;
    }
    switch ((enum ipc_type)m->type) {
    case IPC_READY:
        worker_pool_ready(w);
        break;
    case IPC_PONG:
        return worker_pool_pong(w);
    case IPC_HEARD:
        monitor_session_heard(t, (uint16_t)m->u.heard.id);
        break;
    case IPC_TURNED_AWAY:
        return worker_pool_refused(w, m->u.turned_away.number);
    case IPC_EVIDENCE:
        if (!ipc_evidence_sound(&m->u.evidence)) {
            return false;
        }
        return monitor_session_evidence(t, &m->u.evidence);
    case IPC_TAINT:
        if (!ipc_taint_sound(&m->u.taint)) {
            return false;
        }
        decision_taint(t, m->u.taint.bits);
        break;
    case IPC_EXPORT:
        if (!ipc_export_sound(&m->u.exports) || decision_exporting(t)) {
            return false;
        }
        decision_export(t, &m->u.exports);
        break;
    case IPC_COUNTS:
        if (!w->counting || !ipc_counts_sound(&m->u.counts)) {
            return false;
        }
        worker_pool_take_counts(w, &m->u.counts);
        break;
    case IPC_ENDED:
        if (m->u.ended.reason >= REASON_COUNT) {
            return false;
        }
        worker_pool_linger(w, t, m->u.ended.unread);
        monitor_session_end(t, (enum session_reason)m->u.ended.reason, &m->u.ended);
        break;
    case IPC_RECEIVED:
        return worker_pool_linger_over(w, m->session);
    default:
        return false;
    }
    return true;
}

void worker_pool_kill(struct worker_process *w, enum session_reason reason, const char *log)
{
    event_del(w->readable);
    if (w->pid > 0 && w->killed_beats == 0) {
        log_error("worker pid=%ld %s; killed", (long)w->pid, log);
        kill(w->pid, SIGKILL);
        w->killed_beats = 1;
        w->end = reason;
    }
}

/* Receives one message. Returns false if there is none now, or never will be again. */
static bool worker_pool_member_read_one(struct worker_process *w)
{
    struct fdset fds;
    struct ipc_msg m;
    unsigned n_fds;
    int r;

    fdset_init(&fds);
    r = ipc_recv(w->channel_fd, &m, &fds);
    n_fds = fds.n;
    fdset_close(&fds);
    if (r == -EAGAIN || r == -ENOBUFS) {
        return false;
    }
    if (r == 0 || r == -ECONNRESET) {
        /* EOF or an empty message: kill it either way. */
        event_del(w->readable);
        if (w->pid > 0 && !w->worker_pool->monitor->stopping) {
            kill(w->pid, SIGKILL);
        }
        return false;
    }
    if (r < 0 || !worker_pool_dispatch(w, &m, n_fds)) {
        worker_pool_kill(w, REASON_WORKER_DIED, "broke the rules of the channel");
        return false;
    }
    worker_pool_heard(w);
    return true;
}

static void worker_pool_member_read(struct worker_process *w)
{
    for (int i = 0; i < TURN && (i == 0 || !turn_is_long()) && worker_pool_member_read_one(w);
         i++) {
    }
}

static void worker_pool_on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    worker_pool_member_read(arg);
}

/* ---- starting ---- */

/* In the child: passes on only the channel and the log. */
static void worker_pool_child(int channel_fd, const struct worker_pool *c)
{
    char *argv[] = {WORKER_NAME, WORKER_ARG, NULL};
    int settings_fd;
    int exe_fd;

    /* Each fd may have a number that another one needs, so all are moved out of the way first. */
    channel_fd = fcntl(channel_fd, F_DUPFD_CLOEXEC, CHILD_EXE_FD + 1);
    settings_fd = fcntl(c->settings_fd, F_DUPFD_CLOEXEC, CHILD_EXE_FD + 1);
    exe_fd = fcntl(c->exe_fd, F_DUPFD_CLOEXEC, CHILD_EXE_FD + 1);
    if (channel_fd < 0 || settings_fd < 0 || exe_fd < 0 ||
        dup2(channel_fd, WORKER_CHANNEL_FD) < 0 || dup2(settings_fd, WORKER_SETTINGS_FD) < 0 ||
        dup3(exe_fd, CHILD_EXE_FD, O_CLOEXEC) < 0) {
        _exit(127);
    }
    closefrom(CHILD_EXE_FD + 1);
    fexecve(CHILD_EXE_FD, argv, confine_environment());
    _exit(127);
}

static int worker_pool_member_events(struct worker_process *w)
{
    struct event_base *base = w->worker_pool->monitor->base;

    w->readable = event_new(base, w->channel_fd, EV_READ | EV_PERSIST, worker_pool_on_readable, w);
    w->writable = event_new(base, w->channel_fd, EV_WRITE, worker_pool_on_writable, w);
    w->retry = evtimer_new(base, worker_pool_on_writable, w);
    if (!w->readable || !w->writable || !w->retry || event_add(w->readable, NULL) < 0) {
        return -ENOMEM;
    }
    return 0;
}

static void worker_pool_member_close(struct worker_process *w)
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
    sock_close(&w->channel_fd);
    sock_close(&w->ring_fd);
    sock_close(&w->bell_fd);
    w->ready = false;
    worker_pool_watch_end(w);
    w->longest_turn_us = 0;
    if (w->counting) {
        w->counting = false;
        control_counted(w->worker_pool->monitor->control);
    }
}

/* Makes room for as many messages as clients are refused at once; the default has less. */
static void worker_pool_widen(int fd)
{
    const int size = 2 * LIMIT_REFUSALS * (int)sizeof(struct ipc_msg);

    /* As far as the system permits: refusals that do not fit are closed unanswered. */
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

static void worker_pool_member_died(struct child *c, int status);

static int worker_pool_member_start(struct worker_process *w)
{
    int pair[2];
    int err;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
        return -errno;
    }
    worker_pool_widen(pair[0]);
    worker_pool_widen(pair[1]);
    w->channel_fd = pair[0];
    err = worker_pool_member_events(w);
    if (!err) {
        w->pid = fork();
        err = w->pid < 0 ? -errno : 0;
    }
    if (!err && w->pid == 0) {
        worker_pool_child(pair[1], w->worker_pool);
    }
    close(pair[1]);
    if (err) {
        worker_pool_member_close(w);
        return err;
    }
    children_add(&w->worker_pool->monitor->children, &w->child, w->pid, false,
                 worker_pool_member_died, w);
    worker_pool_watch_begin(w);
    log_debug("worker pid=%ld started", (long)w->pid);
    tracing_worker_started(w->worker_pool->monitor, w);
    return 0;
}

void worker_pool_take_waiting(struct worker_pool *c)
{
    struct worker_process *w;
    struct monitor_session *t;

    while ((t = TAILQ_FIRST(&c->waiting)) && (w = worker_pool_least_busy(c))) {
        TAILQ_REMOVE(&c->waiting, t, outbox_link);
        t->in_outbox = false;
        worker_pool_assign(w, t);
    }
    worker_pool_refusals_resume(c);
}

/* ---- dying ---- */

static void worker_pool_respawn_later(struct worker_process *w)
{
    unsigned ms = 0;
    struct timeval tv;

    /* A worker that was ready died at work: start another at once. */
    if (!w->ready) {
        ms = (unsigned)LIMIT_RESPAWN_MS << (w->false_starts < 8 ? w->false_starts : 8);
        ms = ms < LIMIT_RESPAWN_MAX_MS ? ms : LIMIT_RESPAWN_MAX_MS;
        w->false_starts++;
    }
    tv = (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000L};
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
        worker_pool_respawn_later(w);
        return;
    }
    worker_pool_take_waiting(w->worker_pool);
}

/* Nothing is left of a worker that has gone: starts another one in its place. */
static void worker_pool_buried(struct worker_process *w)
{
    struct monitor *const m = w->worker_pool->monitor;

    w->burying = false;
    worker_pool_refusals_lost(w);
    if (m->stopping) {
        worker_pool_member_close(w);
    } else if (!w->ready && m->ready_fd >= 0) {
        log_error("a worker cannot start: the lines above say why");
        worker_pool_member_close(w);
        monitor_stop(m, 3);
    } else {
        worker_pool_respawn_later(w);
        worker_pool_member_close(w);
    }
    monitor_worker_gone(m);
}

/* Receives the worker's last messages, then ends its sessions, as much as fits a turn. */
static void worker_pool_on_bury(evutil_socket_t fd, short what, void *arg)
{
    struct worker_process *const w = arg;
    const struct monitor *const m = w->worker_pool->monitor;
    struct monitor_session *t;
    bool heard;

    (void)fd;
    (void)what;
    do {
        heard = !worker_pool_member_read_one(w);
    } while (!heard && !turn_is_long());
    while (heard && (t = TAILQ_FIRST(&w->monitor_sessions))) {
        monitor_session_lost(t, m->stopping ? REASON_SHUTDOWN : w->end);
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

void worker_pool_gone(struct worker_process *w)
{
    w->burying = true;
    event_active(w->bury, 0, 0);
}

/* The process has ended. */
static void worker_pool_member_died(struct child *c, int status)
{
    struct worker_process *w = c->arg;

    if (!w->worker_pool->monitor->stopping) {
        log_error("worker pid=%ld %s %d; its %u sessions end", (long)w->pid,
                  WIFSIGNALED(status) ? "was killed by signal" : "exited with status",
                  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), w->sessions);
    }
    /* The pid may be reused from now on. */
    w->pid = -1;
    worker_pool_gone(w);
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

int worker_pool_init(struct worker_pool *c, struct monitor *m, const struct poem *poem)
{
    *c = (struct worker_pool){.monitor = m, .exe_fd = -1, .settings_fd = -1};
    TAILQ_INIT(&c->waiting);
    TAILQ_INIT(&c->refusals);
    c->members = calloc(m->config->workers, sizeof *c->members);
    if (!c->members) {
        return -ENOMEM;
    }
    /* By fd: an upgrade that replaces the file must not give us workers of another version. */
    c->exe_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (c->exe_fd < 0) {
        return -errno;
    }
    c->settings_fd = worker_pool_settings_write(m->config, poem);
    if (c->settings_fd < 0) {
        return c->settings_fd;
    }
    for (c->n = 0; c->n < m->config->workers; c->n++) {
        struct worker_process *w = &c->members[c->n];
        int err;

        *w = (struct worker_process){
            .worker_pool = c, .pid = -1, .channel_fd = -1, .ring_fd = -1, .bell_fd = -1};
        TAILQ_INIT(&w->monitor_sessions);
        TAILQ_INIT(&w->outbox);
        TAILQ_INIT(&w->disowned);
        w->respawn = evtimer_new(m->base, worker_pool_on_respawn, w);
        w->bury = event_new(m->base, -1, 0, worker_pool_on_bury, w);
        err = w->respawn && w->bury ? worker_pool_member_start(w) : -ENOMEM;
        if (err) {
            c->n++;
            return err;
        }
    }
    return 0;
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
            log_debug("worker pid=%ld cannot be told to quit", (long)w->pid);
        }
    }
}

bool worker_pool_all_ready(const struct worker_pool *c)
{
    for (unsigned i = 0; i < c->n; i++) {
        if (!c->members[i].ready) {
            return false;
        }
    }
    return true;
}
