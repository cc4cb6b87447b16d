/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Relay workers, from the monitor's side: processes, channels, outboxes.
 */
#define _GNU_SOURCE
#include "proxy/monitor/crew.h"

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
#include "proxy/monitor/crew_count.h"
#include "proxy/monitor/crew_parts.h"
#include "proxy/monitor/crew_settings.h"
#include "proxy/monitor/decision.h"
#include "proxy/monitor/monitor.h"
#include "proxy/monitor/tracing/tracing.h"
#include "proxy/ipc/turn.h"
#include "proxy/ipc/worker_settings.h"

/* Messages taken from one worker in a turn, so that no worker's flood stops the loop. */
#define TURN 64

/* Where the worker's program is put for the moment between fork and exec. */
#define CHILD_EXE_FD (WORKER_SETTINGS_FD + 1)

/* ---- sending ---- */

static void outbox_add(struct ticket_list *list, struct ticket *t)
{
    t->in_outbox = true;
    TAILQ_INSERT_TAIL(list, t, outbox_link);
}

static struct ticket_list *outbox_of(struct crew *c, const struct ticket *t)
{
    return t->member ? &t->member->outbox : &c->waiting;
}

/* When memory, or the kernel's count of fds in flight, has run out: how long until the next try. */
static const struct timeval crew_retry_time = {.tv_usec = 20000};

bool crew_must_wait(struct crew_member *w, int err)
{
    if (err == -EAGAIN) {
        event_add(w->writable, NULL);
    } else if (err == -ENOBUFS) {
        event_add(w->retry, &crew_retry_time);
    }
    return err == -EAGAIN || err == -ENOBUFS;
}

/* Sends what is unsent, in this order. False: it is tried again later. */
static bool post(struct crew_member *w, struct ticket *t)
{
    static const enum ipc_type types[] = {IPC_SESSION, IPC_TAP,      IPC_GONE,
                                          IPC_VERDICT, IPC_RECORDED, IPC_END};
    const int fds[2] = {t->client_fd, t->backend_fd};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const enum ipc_type type = types[i];

        if (!crew_unsent(t, type)) {
            continue;
        }
        const struct ipc_msg m = crew_message(t, type);

        /* Any other error: the worker is dying, and SIGCHLD will end all that was its. */
        if (crew_must_wait(w, ipc_send(w->channel_fd, &m, fds, type == IPC_SESSION ? 2 : 0))) {
            return false;
        }
        if (type == IPC_SESSION) {
            ticket_handed_over(t);
        }
        t->unsent &= ~(1u << type);
    }
    return true;
}

bool crew_unsent(const struct ticket *t, enum ipc_type type)
{
    return t->unsent & (1u << type);
}

/* Sends the ring that is on its way; before sessions that write to it. False: not yet. */
static bool post_ring(struct crew_member *w)
{
    const struct ipc_msg m = {.type = IPC_RING};
    const int fds[2] = {w->ring_fd, w->bell_fd};

    if (w->ring_fd < 0) {
        return true;
    }
    if (crew_must_wait(w, ipc_send(w->channel_fd, &m, fds, 2))) {
        return false;
    }
    sock_close(&w->ring_fd);
    sock_close(&w->bell_fd);
    return true;
}

void crew_ring_take(struct crew_member *w, int ring_fd, int bell_fd)
{
    sock_close(&w->ring_fd);
    sock_close(&w->bell_fd);
    w->ring_fd = ring_fd;
    w->bell_fd = bell_fd;
    (void)post_ring(w);
}

static void send_or_keep(struct crew_member *w, struct ticket *t, enum ipc_type type)
{
    if (w->burying) {
        return;
    }
    t->unsent |= 1u << type;
    if (t->in_outbox || (TAILQ_EMPTY(&w->outbox) && post_ring(w) && post(w, t))) {
        return;
    }
    outbox_add(&w->outbox, t);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct crew_member *w = arg;
    struct ticket *t;

    (void)fd;
    (void)what;
    if (!crew_post_ping(w) || !post_ring(w)) {
        return;
    }
    while ((t = TAILQ_FIRST(&w->outbox))) {
        if (!post(w, t)) {
            return;
        }
        TAILQ_REMOVE(&w->outbox, t, outbox_link);
        t->in_outbox = false;
    }
}

bool crew_takes_work(const struct crew_member *w)
{
    return w->pid > 0 && w->channel_fd >= 0 && w->killed_beats == 0 && !heartbeat_late(&w->beat);
}

struct crew_member *crew_least_busy(struct crew *c)
{
    struct crew_member *best = NULL;

    for (unsigned i = 0; i < c->n; i++) {
        struct crew_member *w = &c->members[i];

        if (crew_takes_work(w) && (!best || w->sessions < best->sessions)) {
            best = w;
        }
    }
    return best;
}

static void assign(struct crew_member *w, struct ticket *t)
{
    t->member = w;
    w->sessions++;
    t->route->relayed++;
    TAILQ_INSERT_TAIL(&w->tickets, t, member_link);
    tracing_session_begins(w->crew->monitor, t);
    send_or_keep(w, t, IPC_SESSION);
}

void crew_give(struct crew *c, struct ticket *t)
{
    struct crew_member *w = crew_least_busy(c);

    if (w) {
        assign(w, t);
    } else {
        outbox_add(&c->waiting, t);
    }
}

void crew_verdict(struct crew *c, struct ticket *t, int err)
{
    (void)c;
    t->verdict_err = err;
    send_or_keep(t->member, t, IPC_VERDICT);
}

void crew_recorded(struct crew *c, struct ticket *t)
{
    (void)c;
    send_or_keep(t->member, t, IPC_RECORDED);
}

void crew_tap(struct crew *c, struct ticket *t)
{
    (void)c;
    send_or_keep(t->member, t, IPC_TAP);
}

void crew_peer_gone(struct ticket *t)
{
    if (t->member) {
        send_or_keep(t->member, t, IPC_GONE);
    } else {
        /* Behind IPC_SESSION, once there is a worker. */
        t->unsent |= 1u << IPC_GONE;
    }
}

void crew_end(struct crew *c, struct ticket *t)
{
    (void)c;
    send_or_keep(t->member, t, IPC_END);
}

void crew_forget(struct crew *c, struct ticket *t)
{
    if (t->in_outbox) {
        TAILQ_REMOVE(outbox_of(c, t), t, outbox_link);
        t->in_outbox = false;
    }
    if (t->member) {
        TAILQ_REMOVE(&t->member->tickets, t, member_link);
        t->member->sessions--;
        t->route->relayed--;
        t->member = NULL;
    }
}

/* ---- receiving ---- */

struct ticket *crew_ticket(struct crew_member *w, uint64_t id)
{
    struct ticket *const t = ticket_find(w->crew->monitor, id);

    return t && t->member == w ? t : NULL;
}

static void crew_ready(struct crew_member *w)
{
    w->ready = true;
    w->false_starts = 0;
    crew_heard(w);
    monitor_worker_ready(w->crew->monitor);
    crew_take_waiting(w->crew);
}

/* Obeys one message of a worker's. False: it broke the rules. */
static bool obey(struct crew_member *w, const struct ipc_msg *m, unsigned n_fds)
{
    struct ticket *t = ipc_names_session(m->type) ? crew_ticket(w, m->session) : NULL;

    if (ipc_names_session(m->type) && !t) {
        return crew_disowned_said(w, m, n_fds);
    }
    if (!ipc_legal(m->type, IPC_FROM_WORKER, n_fds, t ? t->state : SESSION_DEAD)) {
        return false;
    }
    switch ((enum ipc_type)m->type) {
    case IPC_READY:
        crew_ready(w);
        break;
    case IPC_PONG:
        return crew_pong(w);
    case IPC_HEARD:
        ticket_heard(t, (uint16_t)m->u.heard.id);
        break;
    case IPC_TURNED_AWAY:
        return crew_refused(w, m->u.turned_away.number);
    case IPC_EVIDENCE:
        if (!ipc_evidence_sound(&m->u.evidence)) {
            return false;
        }
        return ticket_evidence(t, &m->u.evidence);
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
        crew_take_counts(w, &m->u.counts);
        break;
    case IPC_ENDED:
        if (m->u.ended.reason >= REASON_COUNT) {
            return false;
        }
        crew_linger(w, t, m->u.ended.unread);
        ticket_end(t, (enum session_reason)m->u.ended.reason, &m->u.ended);
        break;
    case IPC_RECEIVED:
        return crew_linger_over(w, m->session);
    default:
        return false;
    }
    return true;
}

void crew_kill(struct crew_member *w, enum session_reason reason, const char *log)
{
    event_del(w->readable);
    if (w->pid > 0 && w->killed_beats == 0) {
        log_error("worker pid=%ld %s; killed", (long)w->pid, log);
        kill(w->pid, SIGKILL);
        w->killed_beats = 1;
        w->end = reason;
    }
}

/* Takes what the worker has said. False when there is no more, or never will be. */
static bool member_read_one(struct crew_member *w)
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
        /* It is gone, or has sent a message of no bytes: in either case it is to be no more. */
        event_del(w->readable);
        if (w->pid > 0 && !w->crew->monitor->stopping) {
            kill(w->pid, SIGKILL);
        }
        return false;
    }
    if (r < 0 || !obey(w, &m, n_fds)) {
        crew_kill(w, REASON_WORKER_DIED, "broke the rules of the channel");
        return false;
    }
    crew_heard(w);
    return true;
}

static void member_read(struct crew_member *w)
{
    for (int i = 0; i < TURN && (i == 0 || !turn_is_long()) && member_read_one(w); i++) {
    }
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    member_read(arg);
}

/* ---- starting ---- */

/* In the child: only the channel and the log go along. */
static void child(int channel_fd, const struct crew *c)
{
    char *argv[] = {WORKER_NAME, WORKER_ARG, NULL};
    int settings_fd;
    int exe_fd;

    /* Each may stand where another must go: out of the way first. */
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

static int member_events(struct crew_member *w)
{
    struct event_base *base = w->crew->monitor->base;

    w->readable = event_new(base, w->channel_fd, EV_READ | EV_PERSIST, on_readable, w);
    w->writable = event_new(base, w->channel_fd, EV_WRITE, on_writable, w);
    w->retry = evtimer_new(base, on_writable, w);
    if (!w->readable || !w->writable || !w->retry || event_add(w->readable, NULL) < 0) {
        return -ENOMEM;
    }
    return 0;
}

static void member_close(struct crew_member *w)
{
    crew_linger_forget(w);
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): w is one of the crew's members. */
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
    crew_watch_end(w);
    w->longest_turn_us = 0;
    if (w->counting) {
        w->counting = false;
        control_counted(w->crew->monitor->control);
    }
}

/* Room for as many messages as clients are refused at once; the default has less. */
static void widen(int fd)
{
    const int size = 2 * LIMIT_REFUSALS * (int)sizeof(struct ipc_msg);

    /* As far as the system lets it: what does not fit is closed unanswered. */
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

static void member_died(struct child *c, int status);

static int member_start(struct crew_member *w)
{
    int pair[2];
    int err;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
        return -errno;
    }
    widen(pair[0]);
    widen(pair[1]);
    w->channel_fd = pair[0];
    err = member_events(w);
    if (!err) {
        w->pid = fork();
        err = w->pid < 0 ? -errno : 0;
    }
    if (!err && w->pid == 0) {
        child(pair[1], w->crew);
    }
    close(pair[1]);
    if (err) {
        member_close(w);
        return err;
    }
    children_add(&w->crew->monitor->children, &w->child, w->pid, false, member_died, w);
    crew_watch_begin(w);
    log_debug("worker pid=%ld started", (long)w->pid);
    tracing_worker_started(w->crew->monitor, w);
    return 0;
}

void crew_take_waiting(struct crew *c)
{
    struct crew_member *w;
    struct ticket *t;

    while ((t = TAILQ_FIRST(&c->waiting)) && (w = crew_least_busy(c))) {
        TAILQ_REMOVE(&c->waiting, t, outbox_link);
        t->in_outbox = false;
        assign(w, t);
    }
    crew_refusals_resume(c);
}

/* ---- dying ---- */

static void respawn_later(struct crew_member *w)
{
    unsigned ms = 0;
    struct timeval tv;

    /* One that was ready died of its work, and the next is wanted at once. */
    if (!w->ready) {
        ms = (unsigned)LIMIT_RESPAWN_MS << (w->false_starts < 8 ? w->false_starts : 8);
        ms = ms < LIMIT_RESPAWN_MAX_MS ? ms : LIMIT_RESPAWN_MAX_MS;
        w->false_starts++;
    }
    tv = (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000L};
    evtimer_add(w->respawn, &tv);
}

static void on_respawn(evutil_socket_t fd, short what, void *arg)
{
    struct crew_member *w = arg;
    const int err = member_start(w);

    (void)fd;
    (void)what;
    if (err) {
        log_error("cannot start a worker: %s", strerror(-err));
        respawn_later(w);
        return;
    }
    crew_take_waiting(w->crew);
}

/* Nothing is left of a worker that has gone: another one is started in its place. */
static void crew_buried(struct crew_member *w)
{
    struct monitor *const m = w->crew->monitor;

    w->burying = false;
    crew_refusals_lost(w);
    if (m->stopping) {
        member_close(w);
    } else if (!w->ready && m->ready_fd >= 0) {
        log_error("a worker cannot start: the lines above say why");
        member_close(w);
        monitor_stop(m, 3);
    } else {
        respawn_later(w);
        member_close(w);
    }
    monitor_worker_gone(m);
}

/* What it still said is heard, then its sessions end: as much as fits a turn. */
static void crew_on_bury(evutil_socket_t fd, short what, void *arg)
{
    struct crew_member *const w = arg;
    const struct monitor *const m = w->crew->monitor;
    struct ticket *t;
    bool heard;

    (void)fd;
    (void)what;
    do {
        heard = !member_read_one(w);
    } while (!heard && !turn_is_long());
    while (heard && (t = TAILQ_FIRST(&w->tickets))) {
        ticket_lost(t, m->stopping ? REASON_SHUTDOWN : w->end);
        if (turn_is_long()) {
            break;
        }
    }
    if (heard && TAILQ_EMPTY(&w->tickets)) {
        crew_buried(w);
    } else {
        event_active(w->bury, 0, 0);
    }
}

void crew_gone(struct crew_member *w)
{
    w->burying = true;
    event_active(w->bury, 0, 0);
}

/* The process is gone. */
static void member_died(struct child *c, int status)
{
    struct crew_member *w = c->arg;

    if (!w->crew->monitor->stopping) {
        log_error("worker pid=%ld %s %d; its %u sessions end", (long)w->pid,
                  WIFSIGNALED(status) ? "was killed by signal" : "exited with status",
                  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), w->sessions);
    }
    /* The number is anybody's from now on. */
    w->pid = -1;
    crew_gone(w);
}

/* ---- all of them ---- */

bool crew_all_gone(const struct crew *c)
{
    for (unsigned i = 0; i < c->n; i++) {
        if (c->members[i].pid > 0 || c->members[i].burying) {
            return false;
        }
    }
    return true;
}

int crew_init(struct crew *c, struct monitor *m, const struct poem *poem)
{
    *c = (struct crew){.monitor = m, .exe_fd = -1, .settings_fd = -1};
    TAILQ_INIT(&c->waiting);
    TAILQ_INIT(&c->refusals);
    c->members = calloc(m->config->workers, sizeof *c->members);
    if (!c->members) {
        return -ENOMEM;
    }
    /* By fd: an upgrade that replaces the file must not give this monitor another's workers. */
    c->exe_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (c->exe_fd < 0) {
        return -errno;
    }
    c->settings_fd = crew_settings_write(m->config, poem);
    if (c->settings_fd < 0) {
        return c->settings_fd;
    }
    for (c->n = 0; c->n < m->config->workers; c->n++) {
        struct crew_member *w = &c->members[c->n];
        int err;

        *w = (struct crew_member){
            .crew = c, .pid = -1, .channel_fd = -1, .ring_fd = -1, .bell_fd = -1};
        TAILQ_INIT(&w->tickets);
        TAILQ_INIT(&w->outbox);
        TAILQ_INIT(&w->disowned);
        w->respawn = evtimer_new(m->base, on_respawn, w);
        w->bury = event_new(m->base, -1, 0, crew_on_bury, w);
        err = w->respawn && w->bury ? member_start(w) : -ENOMEM;
        if (err) {
            c->n++;
            return err;
        }
    }
    return 0;
}

void crew_deinit(struct crew *c)
{
    if (c->members) {
        crew_refusals_free(c);
    }
    for (unsigned i = 0; i < c->n; i++) {
        member_close(&c->members[i]);
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

void crew_quit(struct crew *c)
{
    const struct ipc_msg m = {.type = IPC_QUIT};

    for (unsigned i = 0; i < c->n; i++) {
        struct crew_member *w = &c->members[i];

        evtimer_del(w->respawn);
        /* One whose channel is full will not hear it; the time-out kills it. */
        if (w->channel_fd >= 0 && ipc_send(w->channel_fd, &m, NULL, 0) < 0) {
            log_debug("worker pid=%ld cannot be told to quit", (long)w->pid);
        }
    }
}

bool crew_all_ready(const struct crew *c)
{
    for (unsigned i = 0; i < c->n; i++) {
        if (!c->members[i].ready) {
            return false;
        }
    }
    return true;
}
