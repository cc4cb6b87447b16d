/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The relay worker's process: gives up its rights, then serves its channel. Holds no listening
 * socket, opens no file, knows no path; its sessions come to it as fds.
 */
#include "proxy/worker.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fdinfo.h"
#include "base/sock.h"
#include "proxy/sandbox.h"
#include "proxy/session.h"

struct worker {
    struct session_host host; /* first: host.send finds the worker by it */
    struct event *channel_readable;
    struct event *channel_writable;
    bool channel_full;
    bool pong_unsent; /* the channel was full */
    bool quitting;
    char poem_text[POEM_SIZE_MAX];
};

/* The monitor is gone: without it nothing could be recorded. */
static void monitor_gone(const struct worker *w, int err)
{
    log_error("worker: the monitor is gone (%s)", err ? strerror(-err) : "closed");
    event_base_loopbreak(w->host.base);
}

static bool send_to_monitor(struct session_host *h, const struct ipc_msg *m)
{
    struct worker *w = (struct worker *)h;
    int err;

    if (w->channel_full) {
        return false;
    }
    err = ipc_send(WORKER_CHANNEL_FD, m, NULL, 0);
    if (err == -EAGAIN) {
        w->channel_full = true;
        event_add(w->channel_writable, NULL);
        return false;
    }
    if (err) {
        monitor_gone(w, err);
    }
    return true;
}

/* In the loop's turn as everything else: that it comes is what the monitor wants to know. */
static void worker_answer_ping(struct worker *w)
{
    const struct ipc_msg pong = {.type = IPC_PONG};

    w->pong_unsent = !send_to_monitor(&w->host, &pong);
}

static void quit_when_empty(struct worker *w)
{
    if (w->quitting && session_host_empty(&w->host)) {
        event_base_loopbreak(w->host.base);
    }
}

static void on_channel_writable(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;

    (void)fd;
    (void)what;
    w->channel_full = false;
    if (w->pong_unsent) {
        worker_answer_ping(w);
    }
    session_host_resume(&w->host);
    quit_when_empty(w);
}

/* False: the session could not begin, and nobody can be told. */
static bool begin_session(struct worker *w, const struct ipc_msg *m, struct fdset *fds)
{
    const int client_fd = fdset_steal(fds, 0);
    const int backend_fd = fdset_steal(fds, 0);
    const struct ipc_msg ended = {
        .type = IPC_ENDED, .session = m->session, .u.ended.reason = REASON_NO_RESOURCES};

    return session_begin(&w->host, m->session, &m->u.begin, client_fd, backend_fd) == 0 ||
           send_to_monitor(&w->host, &ended);
}

/* Obeys one message; its fds are taken out of the set where they are used. False: against the
 * rules. */
static bool obey(struct worker *w, const struct ipc_msg *m, struct fdset *fds)
{
    /* A session that has ended meanwhile is no fault: in which state it is is not asked here. */
    const enum session_state state = m->type == IPC_RECORDED ? SESSION_RELAYING : SESSION_DECIDING;
    int err;

    if (!ipc_legal(m->type, IPC_FROM_MONITOR, fds->n, state)) {
        return false;
    }
    switch ((enum ipc_type)m->type) {
    case IPC_SESSION:
        return begin_session(w, m, fds);
    case IPC_REFUSE:
        session_refuse(&w->host, &m->u.refuse, fdset_steal(fds, 0));
        break;
    case IPC_VERDICT:
        (void)session_decide(&w->host, m->session, (int)m->u.verdict.err,
                             m->u.verdict.unrecorded ? REASON_UNRECORDED : REASON_DENIED);
        break;
    case IPC_RECORDED:
        session_recorded(&w->host, m->session);
        break;
    case IPC_RING: {
        const int ring_fd = fdset_steal(fds, 0);

        ring_writer_free(w->host.tap_host.ring);
        err = ring_writer_new_take(&w->host.tap_host.ring, ring_fd, fdset_steal(fds, 0));
        if (err) {
            log_error("worker: what is captured is lost: %s", strerror(-err));
        }
        break;
    }
    case IPC_TAP:
        session_tap(&w->host, m->session, &m->u.tap);
        break;
    case IPC_END:
        session_end_one(&w->host, m->session);
        break;
    case IPC_COUNT:
        session_count(&w->host);
        break;
    case IPC_PING:
        worker_answer_ping(w);
        break;
    case IPC_QUIT:
        w->quitting = true;
        session_end_all(&w->host, REASON_SHUTDOWN);
        session_host_resume(&w->host);
        quit_when_empty(w);
        break;
    default:
        return false;
    }
    return true;
}

static void on_channel_readable(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;
    struct ipc_msg m;
    struct fdset fds;
    int r;

    (void)what;
    fdset_init(&fds);
    /* One a turn: sessions that relay are not to wait for a flood of new ones. */
    r = ipc_recv(fd, &m, &fds);
    if (r == -EAGAIN) {
        return;
    }
    if (r == 1 && !obey(w, &m, &fds)) {
        r = -EPROTO;
    }
    fdset_close(&fds);
    if (r != 1) {
        monitor_gone(w, r);
    }
}

/*
 * Reads what the monitor has written for its workers. Read by place, since the file is shared. The
 * poem's bytes go to w->poem_text. 0 or -errno.
 */
static int settings_read(struct worker *w, struct worker_settings *s)
{
    ssize_t n = pread(WORKER_SETTINGS_FD, s, sizeof *s, 0);

    if (n != sizeof *s || s->poem_size > POEM_SIZE_MAX) {
        return n < 0 ? -errno : -EINVAL;
    }
    n = pread(WORKER_SETTINGS_FD, w->poem_text, s->poem_size, sizeof *s);
    if (n != (ssize_t)s->poem_size) {
        return n < 0 ? -errno : -EINVAL;
    }
    close(WORKER_SETTINGS_FD);
    return poem_read(&w->host.poem, w->poem_text, s->poem_size) == POEM_OK ? 0 : -EINVAL;
}

static int worker_init(struct worker *w)
{
    struct event_config *c = event_config_new();

    if (!c) {
        return -ENOMEM;
    }
    /* One thread. */
    event_config_set_flag(c, EVENT_BASE_FLAG_NOLOCK);
    w->host.base = event_base_new_with_config(c);
    event_config_free(c);
    if (!w->host.base) {
        return -ENOMEM;
    }
    w->host.send = send_to_monitor;
    w->channel_readable =
        event_new(w->host.base, WORKER_CHANNEL_FD, EV_READ | EV_PERSIST, on_channel_readable, w);
    w->channel_writable =
        event_new(w->host.base, WORKER_CHANNEL_FD, EV_WRITE, on_channel_writable, w);
    if (!w->channel_readable || !w->channel_writable || event_add(w->channel_readable, NULL) < 0) {
        return -ENOMEM;
    }
    return session_host_init(&w->host);
}

static void worker_deinit(struct worker *w)
{
    session_host_deinit(&w->host);
    ring_writer_free(w->host.tap_host.ring);
    sock_close(&w->host.tap_host.fdinfo_fd);
    if (w->channel_readable) {
        event_free(w->channel_readable);
    }
    if (w->channel_writable) {
        event_free(w->channel_writable);
    }
    if (w->host.base) {
        event_base_free(w->host.base);
    }
}

static int serve(struct worker *w)
{
    const struct ipc_msg ready = {.type = IPC_READY};

    if (!send_to_monitor(&w->host, &ready)) {
        return -EAGAIN;
    }
    if (event_base_dispatch(w->host.base) < 0) {
        return -EIO;
    }
    return w->quitting ? 0 : -EPIPE;
}

int worker_main(void)
{
    struct worker w = {.host.tap_host.fdinfo_fd = -1};
    struct worker_settings s;
    int err = settings_read(&w, &s);

    if (err) {
        log_error("worker: to be started by poemd only");
        return 2;
    }
    log_init("poemd", s.log_level);
    (void)prctl(PR_SET_NAME, "poemd-worker", 0, 0, 0);
    /* The monitor ends its workers; a signal to the whole process group is meant for it. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    err = worker_init(&w);
    if (!err) {
        err = recital_prepare();
    }
    /* The keys of jansson's hash tables: later there is no /dev/urandom. */
    json_object_seed(0);
    if (!err) {
        /* Without it eventfds are not told apart in traces, and nothing else is worse. */
        w.host.tap_host.fdinfo_fd = fdinfo_open();
        err = sandbox_enter(s.uid, s.gid, s.nofile, s.memory, w.host.tap_host.fdinfo_fd);
    }
    if (err) {
        log_error("worker: cannot start: %s", strerror(-err));
    } else {
        err = serve(&w);
    }
    worker_deinit(&w);
    return err ? 3 : 0;
}
