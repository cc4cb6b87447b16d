/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The tracer's process and channel, from the monitor's side. */
#define _GNU_SOURCE
#include "proxy/monitor/tracing/tracing_link.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/sock.h"
#include "proxy/ipc/fdstore.h"
#include "proxy/monitor/keep/state_fds.h"
#include "proxy/monitor/keep/state_file.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/tracing/tracer_child.h"
#include "proxy/ipc/turn.h"

/* Messages received in one turn of the loop. */
#define TURN 64

/* Fds of the tracer in addition to a file for each capture, and a bell for each worker. */
#define SPARE_FDS 64u

struct tracing_link_unsent {
    STAILQ_ENTRY(tracing_link_unsent) link;
    int fds[TRACER_FDS_MAX];
    struct tracer_msg m; /* only its used part is allocated */
};

/* ---- sending ---- */

static void tracing_link_close_both(int fd, int fd2)
{
    sock_close(&fd);
    sock_close(&fd2);
}

static int tracing_link_send_now(struct tracing_link *l, const struct tracer_msg *m, int fd,
                                 int fd2)
{
    const int fds[TRACER_FDS_MAX] = {fd, fd2};

    return tracer_send(l->channel_fd, m, fds, (unsigned)(fd >= 0) + (unsigned)(fd2 >= 0),
                       MSG_DONTWAIT);
}

static void tracing_link_drop_unsent(struct tracing_link *l)
{
    struct tracing_link_unsent *u;

    while ((u = STAILQ_FIRST(&l->outbox))) {
        STAILQ_REMOVE_HEAD(&l->outbox, link);
        tracing_link_close_both(u->fds[0], u->fds[1]);
        free(u);
    }
    l->waiting = 0;
}

static void tracing_link_end_process(struct tracing_link *l, const char *why)
{
    log_error("tracer pid=%ld %s; killed", (long)l->pid, why);
    /*
     * Must come before the close, or the loop confuses a new fd of the same number with this one.
     */
    (void)event_del(l->readable);
    (void)event_del(l->writable);
    if (l->pid > 0) {
        children_signal(&l->child, SIGKILL);
        l->killed_beats = 1;
    }
    sock_close(&l->channel_fd);
    tracing_link_drop_unsent(l);
}

static size_t tracing_link_may_wait(const struct tracing_link *l)
{
    return TRACING_LINK_WAITING + (size_t)*l->sessions * l->per_session;
}

/* Queues the message until the channel takes it. Takes the fds. */
static void tracing_link_keep_take(struct tracing_link *l, const struct tracer_msg *m, int fd,
                                   int fd2)
{
    struct tracing_link_unsent *u = NULL;

    if (l->waiting < tracing_link_may_wait(l)) {
        u = malloc(offsetof(struct tracing_link_unsent, m) + tracer_msg_size(m));
    }
    if (!u) {
        tracing_link_close_both(fd, fd2);
        tracing_link_end_process(l, "does not read its messages fast enough");
        return;
    }
    u->fds[0] = fd;
    u->fds[1] = fd2;
    memcpy(&u->m, m, tracer_msg_size(m));
    STAILQ_INSERT_TAIL(&l->outbox, u, link);
    l->waiting++;
    (void)event_add(l->writable, NULL);
}

void tracing_link_say_take(struct tracing_link *l, const struct tracer_msg *m, int fd, int fd2)
{
    if (l->channel_fd < 0) {
        tracing_link_close_both(fd, fd2);
        return;
    }
    if (!STAILQ_EMPTY(&l->outbox) || tracing_link_send_now(l, m, fd, fd2) == -EAGAIN) {
        tracing_link_keep_take(l, m, fd, fd2);
        return;
    }
    /* Any other error: the tracer is dying, and SIGCHLD follows. */
    tracing_link_close_both(fd, fd2);
}

static void tracing_link_on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct tracing_link *l = arg;
    struct tracing_link_unsent *u;

    (void)fd;
    (void)what;
    while (l->channel_fd >= 0 && (u = STAILQ_FIRST(&l->outbox))) {
        if (tracing_link_send_now(l, &u->m, u->fds[0], u->fds[1]) == -EAGAIN) {
            (void)event_add(l->writable, NULL);
            return;
        }
        STAILQ_REMOVE_HEAD(&l->outbox, link);
        l->waiting--;
        tracing_link_close_both(u->fds[0], u->fds[1]);
        free(u);
        if (turn_is_long()) {
            (void)event_add(l->writable, NULL);
            return;
        }
    }
}

/* ---- receiving ---- */

static bool tracing_link_hear_one(struct tracing_link *l)
{
    struct fdset fds;
    unsigned n_fds;
    int r;

    if (l->channel_fd < 0) {
        return false;
    }
    fdset_init(&fds);
    r = tracer_recv(l->channel_fd, &l->in, &fds);
    n_fds = fds.n;
    fdset_close(&fds);
    if (r == -EAGAIN) {
        return false;
    }
    if (r == 0 || r == -ECONNRESET) {
        event_del(l->readable);
        return false;
    }
    if (r < 0 || n_fds > 0) {
        tracing_link_end_process(l, "sent an illegal message");
        return false;
    }
    l->ready = l->ready || l->in.type == TRACER_READY;
    if (l->ready) {
        heartbeat_heard(&l->beat);
    }
    if (l->in.type == TRACER_READY || l->in.type == TRACER_PONG) {
        return true;
    }
    l->fn(l->arg, TRACING_LINK_MSG, &l->in);
    return true;
}

static void tracing_link_on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    for (int i = 0; i < TURN && (i == 0 || !turn_is_long()) && tracing_link_hear_one(arg); i++) {
    }
}

/* ---- starting and dying ---- */

/* Notes the process and its channel for the next monitor. */
static void tracing_link_note(const struct tracing_link *l)
{
    struct state_file *const state = l->context->state;
    int err;

    if (!state) {
        return;
    }
    state_file_head(state)->tracer = l->pid;
    state_file_write_head(state);
    err = fdstore_keep(l->context->store, STATE_NAME_TRACER, l->channel_fd);
    if (err) {
        log_warning("the channel of tracer pid=%ld cannot be kept: %s", (long)l->pid,
                    strerror(-err));
    }
}

static void tracing_link_process_close(struct tracing_link *l)
{
    if (l->readable) {
        event_free(l->readable);
        l->readable = NULL;
    }
    if (l->writable) {
        event_free(l->writable);
        l->writable = NULL;
    }
    sock_close(&l->channel_fd);
    /* The tracer sees the end of its channel once no process has the other end. */
    fdstore_drop(l->context->store, STATE_NAME_TRACER);
    tracing_link_drop_unsent(l);
    l->ready = false;
}

static void tracing_link_respawn_later(struct tracing_link *l)
{
    const unsigned ms = backoff_next_ms(&l->short_lives, clock_ms() - l->started_ms);
    /* A tracer that was ready died at work: start another at once, unless this repeats. */
    const struct timeval tv = clock_timeval(l->ready && l->short_lives == 1 ? 0 : ms);

    (void)evtimer_add(l->respawn, &tv);
}

/* The process is gone, or left behind: starts another one, unless the broker stops. */
static void tracing_link_process_gone(struct tracing_link *l)
{
    l->pid = -1;
    if (!l->quitting) {
        tracing_link_respawn_later(l);
    }
    tracing_link_process_close(l);
    l->fn(l->arg, TRACING_LINK_DOWN, NULL);
}

static void tracing_link_died(struct child *c, int status)
{
    struct tracing_link *l = c->arg;

    /* Receive its last messages. */
    while (tracing_link_hear_one(l)) {
    }
    if (!l->quitting) {
        log_error("tracer pid=%ld %s %d; captures go on in new files", (long)l->pid,
                  WIFSIGNALED(status) ? "was killed by signal" : "exited with status",
                  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    tracing_link_process_gone(l);
}

/* Collects a killed process that the kernel held, once it ends. */
static void tracing_link_orphan_died(struct child *c, int status)
{
    (void)status;
    log_info("tracer pid=%ld has exited after all", (long)c->pid);
    free(c);
}

static void tracing_link_leave_behind(struct tracing_link *l)
{
    struct child *const orphan = calloc(1, sizeof *orphan);

    if (!orphan) {
        return;
    }
    log_error("tracer pid=%ld was killed but does not exit, because the kernel holds it; leaving "
              "it behind",
              (long)l->pid);
    children_replace(&l->context->children, &l->child, orphan, tracing_link_orphan_died, NULL);
    tracing_link_process_gone(l);
}

void tracing_link_beat(struct tracing_link *l)
{
    struct heartbeat_sample sample;
    struct tracer_msg *m;

    if (l->pid <= 0) {
        return;
    }
    if (l->killed_beats > 0) {
        if (l->killed_beats++ > LIMIT_KILLED_BEATS) {
            tracing_link_leave_behind(l);
        }
        return;
    }
    heartbeat_look(l->pid, &sample);
    switch (heartbeat_beat(&l->beat, clock_ms(), &sample)) {
    case HEARTBEAT_ASK:
        m = &l->in;
        tracer_msg_init(m, TRACER_PING);
        tracing_link_say_take(l, m, -1, -1);
        break;
    case HEARTBEAT_WAIT:
        break;
    case HEARTBEAT_HUNG:
        tracing_link_end_process(l, l->ready ? "hangs: it has not answered for 2 s"
                                             : "did not start in time");
        break;
    }
}

/*
 * Returns the tracer's limit of address space: all rings, each mapped twice, the old ring of a
 * worker that died beside its next one, and the contents of flight recorders.
 */
static uint64_t tracing_link_memory(const struct config *c)
{
    uint64_t all = LIMIT_TRACER_MEMORY + 4 * (uint64_t)c->workers * c->trace_buffer_mib * 1048576;

    for (size_t i = 0; i < c->n_routes; i++) {
        all += (uint64_t)c->routes[i].trace.memory_mib * 1048576;
    }
    return all;
}

/* Forks the tracer and watches it. Returns 0 or -errno, with nothing left behind. */
static int tracing_link_fork(struct tracing_link *l, const struct tracer_start *start)
{
    struct children *const children = &l->context->children;
    int err = children_fork_begin(children);
    int pidfd = -1;

    if (err) {
        return err;
    }
    l->pid =
        tracer_child_start(start, children_are_siblings(children) ? &pidfd : NULL, &l->channel_fd);
    err = l->pid < 0 ? (int)l->pid : 0;
    if (!err) {
        err = children_add_take(children, &l->child, l->pid, pidfd, false, tracing_link_died, l);
    }
    children_fork_end(children);
    if (err) {
        l->pid = -1;
        sock_close(&l->channel_fd);
    }
    return err;
}

static void tracing_link_begin(struct tracing_link *l)
{
    l->started_ms = clock_ms();
    l->killed_beats = 0;
    heartbeat_start(&l->beat, l->started_ms);
}

/* Watches the channel. Returns false if it cannot. */
static bool tracing_link_watch(struct tracing_link *l)
{
    l->readable = event_new(l->context->base, l->channel_fd, EV_READ | EV_PERSIST,
                            tracing_link_on_readable, l);
    l->writable = event_new(l->context->base, l->channel_fd, EV_WRITE, tracing_link_on_writable, l);
    return l->channel_fd >= 0 && l->readable && l->writable && event_add(l->readable, NULL) == 0;
}

static int tracing_link_process_start(struct tracing_link *l)
{
    const struct config *const c = l->context->config;
    const struct tracer_start start = {.log_level = c->log_level,
                                       .uid = c->tracer.uid,
                                       .gid = c->tracer.gid,
                                       .nofile = SPARE_FDS + 2 * LIMIT_WORKERS + TRACING_MAX,
                                       .memory = tracing_link_memory(c)};
    int err;

    tracing_link_begin(l);
    err = tracing_link_fork(l, &start);
    if (err) {
        return err;
    }
    if (!tracing_link_watch(l)) {
        /* The tracer exits when its channel closes, and is started again. */
        sock_close(&l->channel_fd);
        return 0;
    }
    tracing_link_note(l);
    log_debug("tracer pid=%ld started", (long)l->pid);
    l->fn(l->arg, TRACING_LINK_UP, NULL);
    return 0;
}

bool tracing_link_adopt(struct tracing_link *l)
{
    const struct state_file *const state = l->context->state;
    const pid_t pid = state ? state_file_head(l->context->state)->tracer : 0;
    int err;

    l->channel_fd = pid > 0 ? fdstore_take(l->context->store, STATE_NAME_TRACER) : -ENOENT;
    if (l->channel_fd < 0) {
        l->channel_fd = -1;
        return false;
    }
    tracing_link_begin(l);
    err = children_adopt(&l->context->children, &l->child, pid, false, tracing_link_died, l);
    if (err) {
        log_warning("tracer pid=%ld cannot go on with this monitor: %s", (long)pid, strerror(-err));
        tracing_link_process_close(l);
        return false;
    }
    l->pid = pid;
    l->wanted = true;
    l->ready = true;
    if (!tracing_link_watch(l)) {
        /* As for one that was started. */
        sock_close(&l->channel_fd);
        fdstore_drop(l->context->store, STATE_NAME_TRACER);
        return false;
    }
    log_info("tracer pid=%ld goes on with this monitor", (long)pid);
    l->fn(l->arg, TRACING_LINK_UP, NULL);
    return true;
}

void tracing_link_start(struct tracing_link *l)
{
    l->wanted = true;
    if (l->pid > 0 || l->quitting || evtimer_pending(l->respawn, NULL)) {
        return;
    }
    const int err = tracing_link_process_start(l);

    if (err) {
        log_error("cannot start the tracer: %s", strerror(-err));
        tracing_link_respawn_later(l);
    }
}

static void tracing_link_on_respawn(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    tracing_link_start(arg);
}

bool tracing_link_up(const struct tracing_link *l)
{
    return l->channel_fd >= 0;
}

void tracing_link_quit(struct tracing_link *l)
{
    struct tracer_msg m;

    if (l->quitting) {
        return;
    }
    l->quitting = true;
    if (l->respawn) {
        evtimer_del(l->respawn);
    }
    tracer_msg_init(&m, TRACER_QUIT);
    tracing_link_say_take(l, &m, -1, -1);
}

int tracing_link_init(struct tracing_link *l, struct monitor_context *context,
                      const unsigned *sessions, tracing_link_fn *fn, void *arg)
{
    *l = (struct tracing_link){.context = context,
                               .sessions = sessions,
                               .pid = -1,
                               .channel_fd = -1,
                               .fn = fn,
                               .arg = arg};
    STAILQ_INIT(&l->outbox);
    l->respawn = evtimer_new(context->base, tracing_link_on_respawn, l);
    return l->respawn ? 0 : -ENOMEM;
}

void tracing_link_deinit(struct tracing_link *l)
{
    tracing_link_process_close(l);
    if (l->respawn) {
        event_free(l->respawn);
        l->respawn = NULL;
    }
}
