/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The relay worker's process: gives up its rights, then serves its channel. It has no listening
 * socket, opens no file and knows no path; its sessions come to it as fds.
 */
#include "proxy/worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdinfo.h"
#include "base/sock.h"
#include "proxy/worker/sandbox.h"
#include "proxy/worker/session.h"
#include "proxy/worker/device/session_replace.h"
#include "proxy/worker/device/session_hold.h"
#include "proxy/worker/session_meter.h"
#include "proxy/worker/session_inject.h"
#include "proxy/worker/session_refuse.h"
#include "proxy/ipc/turn.h"

struct worker {
    struct session_host host; /* first: host.send casts it to the worker */
    struct event *channel_readable;
    struct event *channel_writable;
    struct event *channel_retry; /* for another try after memory or fds ran out */
    bool channel_full;
    bool pong_unsent; /* the channel was full */
    uint64_t unbegun; /* a session that could not begin, to be reported to the monitor; or 0 */
    int reserve_fds[IPC_FDS_MAX]; /* kept open for the fds of the monitor's next message */
    bool quitting;
    bool orphaned;         /* … for want of a monitor, which no end can be reported to */
    struct event *silence; /* looks whether a monitor is there; then, whether all have ended */
    unsigned silent_looks; /* since its last message */
    uint32_t orphan_ms;
    char poem_text[POEM_SIZE_MAX];
};

/* The channel is gone, and with it all monitors; without one nothing could be recorded. */
static void worker_monitor_gone(const struct worker *w, int err)
{
    log_error("worker: the channel to the monitor is gone (%s)", err ? strerror(-err) : "closed");
    event_base_loopbreak(w->host.base);
}

/* The pause until memory or fds are available again: the channel itself is always ready. */
static const struct timeval worker_retry_time = {.tv_usec = 20000};

static bool worker_send_fds(struct session_host *h, const struct ipc_msg *m, const int *fds,
                            unsigned n)
{
    struct worker *w = (struct worker *)h;
    int err;

    if (w->channel_full) {
        return false;
    }
    err = ipc_send(WORKER_CHANNEL_FD, m, fds, n);
    if (err == -EAGAIN) {
        w->channel_full = true;
        event_add(w->channel_writable, NULL);
        return false;
    }
    if (err == -ENOBUFS) {
        w->channel_full = true;
        event_add(w->channel_retry, &worker_retry_time);
        return false;
    }
    if (err) {
        worker_monitor_gone(w, err);
    }
    return true;
}

static bool worker_send_to_monitor(struct session_host *h, const struct ipc_msg *m)
{
    return worker_send_fds(h, m, NULL, 0);
}

/* Within the loop's turn, like everything else, as the ping tests exactly that. */
/* For the next worker, if this one dies: what its sessions' clients send from now on is younger. */
static void worker_note_alive(const struct worker *w)
{
    struct session_page_head *const head = (struct session_page_head *)w->host.pages;

    if (head) {
        *(volatile uint32_t *)&head->alive_ms = clock_coarse_ms();
    }
}

static void worker_answer_ping(struct worker *w)
{
    const struct ipc_msg pong = {.type = IPC_PONG};

    w->pong_unsent = !worker_send_to_monitor(&w->host, &pong);
}

static void worker_quit_when_empty(struct worker *w)
{
    if (w->quitting &&
        (session_host_empty(&w->host) || (w->orphaned && session_host_closed(&w->host)))) {
        event_base_loopbreak(w->host.base);
    }
}

/* ---- without a monitor, and the end ---- */

/* Looks of a worker that quits: to end all its sessions may take some turns. */
#define WORKER_QUIT_LOOK_MS 20u

static void worker_set_silence(struct worker *w)
{
    const unsigned part = w->orphan_ms / LIMIT_ORPHAN_LOOKS;
    const struct timeval tv = clock_timeval(w->quitting ? WORKER_QUIT_LOOK_MS : part);

    event_add(w->silence, &tv);
}

/* Ends every session in order, then the process. */
static void worker_quit(struct worker *w, enum session_reason reason)
{
    w->quitting = true;
    session_end_all(&w->host, reason);
    session_host_resume(&w->host);
    worker_quit_when_empty(w);
    worker_set_silence(w);
}

static void worker_on_silence(evutil_socket_t fd, short what, void *arg)
{
    struct worker *const w = arg;

    (void)fd;
    (void)what;
    if (w->quitting) {
        session_host_resume(&w->host);
        worker_quit_when_empty(w);
        worker_set_silence(w);
    } else if (++w->silent_looks > LIMIT_ORPHAN_LOOKS) {
        log_error("worker: no monitor has come back within %u ms (orphan-timeout): all sessions of "
                  "this worker end",
                  w->orphan_ms);
        w->orphaned = true;
        worker_quit(w, REASON_MONITOR_GONE);
    } else {
        worker_set_silence(w);
    }
}

/* A monitor is there. */
static void worker_hear(struct worker *w, const struct ipc_msg *m)
{
    w->silent_looks = 0;
    if (m->type == IPC_PING && m->u.ping.orphan_ms != w->orphan_ms) {
        w->orphan_ms = m->u.ping.orphan_ms;
        worker_set_silence(w);
    }
}

/*
 * Reports the session that could not begin. The channel is not read until that is sent, so one
 * number is enough to keep, when there is no memory for more.
 */
static void worker_report_unbegun(struct worker *w)
{
    const struct ipc_msg ended = {
        .type = IPC_ENDED, .session = w->unbegun, .u.ended.reason = REASON_NO_RESOURCES};

    if (w->unbegun == 0) {
        return;
    }
    if (worker_send_to_monitor(&w->host, &ended)) {
        w->unbegun = 0;
        event_add(w->channel_readable, NULL);
    } else {
        event_del(w->channel_readable);
    }
}

/* The channel takes messages again, or may do so by now. */
static void worker_on_channel_writable(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;

    (void)fd;
    (void)what;
    w->channel_full = false;
    if (w->unbegun == 0) {
        event_add(w->channel_readable, NULL);
    }
    worker_report_unbegun(w);
    if (w->pong_unsent) {
        worker_answer_ping(w);
    }
    session_host_resume(&w->host);
    worker_quit_when_empty(w);
}

static void worker_begin_session(struct worker *w, const struct ipc_msg *m, struct fdset *fds)
{
    const int client_fd = fdset_steal(fds, 0);
    const int backend_fd = fdset_steal(fds, 0);

    if (session_begin(&w->host, m->session, &m->u.begin, client_fd, backend_fd) < 0) {
        w->unbegun = m->session;
        worker_report_unbegun(w);
    }
}

static void worker_resume_session(struct worker *w, const struct ipc_msg *m, struct fdset *fds)
{
    int taken[LIMIT_FDS_PER_SESSION];

    for (unsigned i = 0; i < LIMIT_FDS_PER_SESSION; i++) {
        taken[i] = fdset_steal(fds, 0);
    }
    if (session_resume_take(&w->host, m->session, &m->u.begin, taken) < 0) {
        w->unbegun = m->session;
        worker_report_unbegun(w);
    }
}

static void worker_replace_ring(struct worker *w, struct fdset *fds)
{
    const int ring_fd = fdset_steal(fds, 0);
    const int bell_fd = fdset_steal(fds, 0);
    int err;

    ring_writer_free(w->host.tap_host.ring);
    err = ring_writer_new_take(&w->host.tap_host.ring, ring_fd, bell_fd);
    if (err) {
        log_error("worker: captured messages are lost: %s", strerror(-err));
    }
}

/* Dispatches a message about a session, which may have ended meanwhile. */
static void worker_dispatch_session(struct session_host *h, const struct ipc_msg *m,
                                    struct fdset *fds)
{
    switch ((enum ipc_type)m->type) {
    case IPC_VERDICT:
        session_meter_record(h, m->session, m->u.verdict.record);
        (void)session_decide(h, m->session, (int)m->u.verdict.err,
                             m->u.verdict.unrecorded ? REASON_UNRECORDED : REASON_DENIED);
        break;
    case IPC_RECORDED:
        session_recorded(h, m->session);
        break;
    case IPC_TAP:
        session_tap(h, m->session, &m->u.tap);
        break;
    case IPC_INJECT:
        session_inject(h, m->session, &m->u.inject);
        break;
    case IPC_GONE:
        session_gone(h, m->session, m->u.gone.parties);
        break;
    case IPC_ATTACH:
        session_hold_attach_take(h, m->session, &m->u.begin, fdset_steal(fds, 0));
        break;
    case IPC_REPLACE:
        session_replace_begin_take(h, m->session, &m->u.begin, fdset_steal(fds, 0));
        break;
    case IPC_DETACH:
        session_hold_detach(h, m->session);
        break;
    case IPC_END:
        session_end_one(h, m->session);
        break;
    case IPC_HAND_OVER:
        session_leave(h, m->session);
        break;
    default:
        break;
    }
}

/* Dispatches a message for the worker itself; takes the used fds. */
static void worker_dispatch_own(struct worker *w, const struct ipc_msg *m, struct fdset *fds)
{
    switch ((enum ipc_type)m->type) {
    case IPC_SESSION:
        worker_begin_session(w, m, fds);
        break;
    case IPC_RESUME:
    case IPC_RESUME_TWIN:
        worker_resume_session(w, m, fds);
        break;
    case IPC_REFUSE:
        session_refuse(&w->host, &m->u.refuse, fdset_steal(fds, 0));
        break;
    case IPC_RING:
        worker_replace_ring(w, fds);
        break;
    case IPC_COUNT:
        session_count(&w->host);
        break;
    case IPC_PING:
        log_level_set((enum log_level)m->u.ping.log_level);
        worker_note_alive(w);
        worker_answer_ping(w);
        break;
    case IPC_ADOPT:
        /* The monitor that is owed an answer to its ping has gone. */
        w->pong_unsent = false;
        fdroom_add_monitor(&w->host.fds, (pid_t)m->u.adopt.monitor);
        session_adopt(&w->host);
        break;
    case IPC_QUIT:
        worker_quit(w, REASON_SHUTDOWN);
        break;
    default:
        break;
    }
}

/* Dispatches one message, taking the used fds out of the set. Returns false if it is illegal. */
static bool worker_dispatch(struct worker *w, const struct ipc_msg *m, struct fdset *fds)
{
    /* A session that has ended meanwhile is not a fault, so its state is not checked here. */
    const enum session_state state =
        m->type == IPC_RECORDED || m->type == IPC_HAND_OVER ? SESSION_RELAYING : SESSION_DECIDING;

    if (!ipc_legal(m->type, IPC_FROM_MONITOR, fds->n, state)) {
        return false;
    }
    if (ipc_names_session(m->type)) {
        worker_dispatch_session(&w->host, m, fds);
    } else {
        worker_dispatch_own(w, m, fds);
    }
    return true;
}

/* ---- fds for the monitor's messages ---- */

static void worker_free_reserve(struct worker *w)
{
    for (unsigned i = 0; i < IPC_FDS_MAX; i++) {
        sock_close(&w->reserve_fds[i]);
    }
}

/* Returns false if this process is out of fds. */
static bool worker_fill_reserve(struct worker *w)
{
    for (unsigned i = 0; i < IPC_FDS_MAX; i++) {
        if (w->reserve_fds[i] < 0) {
            w->reserve_fds[i] = fcntl(WORKER_CHANNEL_FD, F_DUPFD_CLOEXEC, 0);
        }
        if (w->reserve_fds[i] < 0) {
            return false;
        }
    }
    return true;
}

/*
 * Receives a message. Its fds replace those reserved for it, so that there is always room for them,
 * however many fds peers have sent. The reserve must also suffice for the next message: if it
 * cannot be filled again, the fds of this one are closed.
 */
static int worker_receive(struct worker *w, struct ipc_msg *m, struct fdset *fds)
{
    bool fds_near;
    ssize_t n = sock_peek(WORKER_CHANNEL_FD, m, sizeof m->type, &fds_near);
    int r;

    if (n <= 0) {
        return (int)n;
    }
    if (fds_near) {
        worker_free_reserve(w);
    }
    r = ipc_recv(WORKER_CHANNEL_FD, m, fds);
    if (fds_near && !worker_fill_reserve(w)) {
        fdset_close(fds);
        (void)worker_fill_reserve(w);
        r = r == 1 ? -EMFILE : r;
    }
    return r;
}

/* Returns true if the message brings a session. */
static bool worker_begins(uint32_t type)
{
    return type == IPC_SESSION || type == IPC_RESUME || type == IPC_RESUME_TWIN;
}

/* There was no room for a message's fds: ends only its own session or refusal. */
static void worker_out_of_fds(struct worker *w, const struct ipc_msg *m)
{
    log_error("worker: out of file descriptors: %s",
              worker_begins(m->type) ? "a session cannot begin"
              : m->type == IPC_RING  ? "captured messages are lost"
                                     : "a client gets no answer");
    if (worker_begins(m->type)) {
        w->unbegun = m->session;
        worker_report_unbegun(w);
    } else if (m->type == IPC_REFUSE) {
        (void)session_report_refused(&w->host, m->u.refuse.number);
    }
}

static void worker_on_channel_readable(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;
    struct ipc_msg m;
    struct fdset fds;
    int r;

    (void)fd;
    (void)what;
    fdset_init(&fds);
    /* One per turn: relaying sessions must not wait for a flood of new ones. */
    r = worker_receive(w, &m, &fds);
    if (r == -EAGAIN) {
        return;
    }
    if (r == -ENOBUFS) {
        /* It stays in the channel. */
        event_del(w->channel_readable);
        event_add(w->channel_retry, &worker_retry_time);
        return;
    }
    if (r == -EMFILE) {
        fdset_close(&fds);
        worker_out_of_fds(w, &m);
        return;
    }
    if (r == 1) {
        worker_hear(w, &m);
        r = worker_dispatch(w, &m, &fds) ? 1 : -EPROTO;
    }
    fdset_close(&fds);
    if (r != 1) {
        worker_monitor_gone(w, r);
    }
}

/*
 * Reads the settings written by the monitor, by offset, since the file is shared. Stores the poem's
 * bytes in w->poem_text. Returns 0 or -errno.
 */
static int worker_settings_read(struct worker *w, struct worker_settings *s)
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

/*
 * Maps the file of session pages and closes it, before anything of a peer's is read: the worker can
 * then not give it away.
 */
static int worker_map_pages(struct worker *w)
{
    const struct session_page_head *head;
    struct stat st;
    void *p;

    if (fstat(WORKER_PAGES_FD, &st) < 0) {
        return -errno;
    }
    w->host.pages_size = (size_t)st.st_size;
    if (w->host.pages_size < SESSION_PAGE_HEAD) {
        return -EINVAL;
    }
    p = mmap(NULL, w->host.pages_size, PROT_READ | PROT_WRITE, MAP_SHARED, WORKER_PAGES_FD, 0);
    if (p == MAP_FAILED) {
        return -errno;
    }
    w->host.pages = p;
    head = p;
    w->host.slots = head->slots;
    w->host.tallies = head->tallies;
    worker_note_alive(w);
    close(WORKER_PAGES_FD);
    return session_page_size_with(w->host.slots, w->host.tallies) > w->host.pages_size ? -EINVAL
                                                                                       : 0;
}

static void worker_set_fdroom(struct fdroom *room, const struct worker_settings *s)
{
    *room = (struct fdroom){.share = s->fd_share, .spare = s->fd_spare};
    for (unsigned i = 0; i < LIMIT_MONITORS; i++) {
        fdroom_add_monitor(room, s->monitors[i]);
    }
}

static int worker_init(struct worker *w)
{
    w->host.base = turn_base_new(false);
    if (!w->host.base) {
        return -ENOMEM;
    }
    w->host.send = worker_send_to_monitor;
    w->host.send_fds = worker_send_fds;
    w->channel_readable = event_new(w->host.base, WORKER_CHANNEL_FD, EV_READ | EV_PERSIST,
                                    worker_on_channel_readable, w);
    w->channel_writable =
        event_new(w->host.base, WORKER_CHANNEL_FD, EV_WRITE, worker_on_channel_writable, w);
    w->channel_retry = evtimer_new(w->host.base, worker_on_channel_writable, w);
    w->silence = evtimer_new(w->host.base, worker_on_silence, w);
    if (!w->channel_readable || !w->channel_writable || !w->channel_retry || !w->silence ||
        event_add(w->channel_readable, NULL) < 0) {
        return -ENOMEM;
    }
    worker_set_silence(w);
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
    if (w->channel_retry) {
        event_free(w->channel_retry);
    }
    if (w->silence) {
        event_free(w->silence);
    }
    worker_free_reserve(w);
    if (w->host.base) {
        event_base_free(w->host.base);
    }
    if (w->host.pages) {
        munmap(w->host.pages, w->host.pages_size);
    }
}

static int worker_serve(struct worker *w)
{
    const struct ipc_msg ready = {.type = IPC_READY};

    if (!worker_send_to_monitor(&w->host, &ready)) {
        return -EAGAIN;
    }
    if (turn_dispatch(w->host.base) < 0) {
        return -EIO;
    }
    return w->quitting ? 0 : -EPIPE;
}

int worker_main(void)
{
    struct worker w = {.host.tap_host.fdinfo_fd = -1, .reserve_fds = {-1, -1, -1, -1}};
    struct worker_settings s;
    int err = worker_settings_read(&w, &s);

    if (err) {
        log_error("worker: only poemd can start it");
        return 2;
    }
    heap_init();
    log_init("poemd", s.log_level);
    log_dress();
    w.orphan_ms = s.orphan_ms;
    (void)prctl(PR_SET_NAME, WORKER_NAME, 0, 0, 0);
    /*
     * The monitor ends its workers; a signal to the whole process group is meant for the monitor.
     */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    err = worker_map_pages(&w);
    if (!err) {
        err = worker_init(&w);
    }
    if (!err) {
        err = recital_prepare();
    }
    /* The keys of jansson's hash tables: /dev/urandom is not available later. */
    json_object_seed(0);
    if (!err) {
        /* If this fails, traces cannot tell eventfds apart; nothing else depends on it. */
        w.host.tap_host.fdinfo_fd = fdinfo_open();
        worker_set_fdroom(&w.host.fds, &s);
        err = worker_fill_reserve(&w) ? 0 : -EMFILE;
    }
    if (!err) {
        err = sandbox_enter(&s, w.host.tap_host.fdinfo_fd);
    }
    if (err) {
        log_error("worker: cannot start: %s", strerror(-err));
    } else {
        err = worker_serve(&w);
    }
    worker_deinit(&w);
    return err ? 3 : 0;
}
